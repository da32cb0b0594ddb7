/**
 * A real `redis-server` for tests, with a folder and a port of its own, and a
 * way to it that a test can break. `REDIS_SERVER` names another program to run
 * in its place, such as `valkey-server`.
 *
 * @module
 */

// The real one: a test may put a fake in its place.
const { setTimeout } = globalThis;

const HOST = "127.0.0.1";

/** How long a server may take to start or to end, in milliseconds. */
const PATIENCE = 20_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const PROGRAM = Deno.env.get("REDIS_SERVER") ?? "redis-server";

/** Whether it can be run. */
const hasRedis: boolean = await findRedis();

async function findRedis(): Promise<boolean> {
  try {
    const flags = ["--version"];
    const { success } = await new Deno.Command(PROGRAM, { args: flags })
      .output();
    return success;
  } catch {
    return false; // it is not there
  }
}

/** Waits until something holds, asking again and again. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patience: number = PATIENCE,
): Promise<void> {
  const endsAt = performance.now() + patience;
  while (!await holds()) {
    if (performance.now() > endsAt) throw new Error(`Cannot wait: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A port that was free a moment ago. */
function findPort(): number {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  return (listener.addr as Deno.NetAddr).port; // TCP is the default
}

/** A server of a test. It ends with the test, and so does its folder. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: Deno.ChildProcess | undefined;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#args = args;
  }

  /** Starts one, with options on top of those that keep it to itself. */
  static async start(...args: string[]): Promise<RedisServer> {
    for (let attempts = 1;; attempts++) {
      const folder = await Deno.makeTempDir({ prefix: "harpia_redis" });
      const server = new RedisServer(findPort(), folder, args);
      try {
        await server.start();
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        // Another process may have taken the port meanwhile.
        if (attempts === 3) throw error;
      }
    }
  }

  /** Where it is, for a client. */
  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Makes it follow another server, or none. */
  async follow(port?: number): Promise<void> {
    const primary = port === undefined ? ["NO", "ONE"] : [HOST, `${port}`];
    await this.ask("REPLICAOF", ...primary);
  }

  /** Starts it again, with what it has saved, and waits until it replies. */
  async start(): Promise<void> {
    const child = this.launch();
    let hasEnded = false;
    child.status.then(() => hasEnded = true);
    await until(`${PROGRAM} must start`, async () => {
      if (hasEnded) throw new Error(`Cannot start ${PROGRAM}: it has ended`);
      return await this.ask("PING").catch(() => "") === "+PONG";
    });
  }

  /** Starts it again, and waits for nothing. */
  launch(): Deno.ChildProcess {
    return this.#process = new Deno.Command(PROGRAM, {
      args: [
        ...["--bind", HOST, "--port", `${this.port}`, "--dir", this.#folder],
        ...["--save", "", "--appendonly", "no", "--daemonize", "no"],
        ...this.#args,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Ends it at once, and resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    this.signal("SIGKILL");
    await this.#process.status;
    this.#process = undefined;
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#process?.kill(signal);
  }

  /**
   * Sends a command on a connection of its own, and resolves to the reply as it
   * is in the protocol, or to the string in it.
   */
  async ask(...args: string[]): Promise<string> {
    using connection = await Deno.connect({ hostname: HOST, port: this.port });
    const parts = args.map((arg) => encoder.encode(arg));
    const bytes: number[] = [...encoder.encode(`*${parts.length}\r\n`)];
    for (const part of parts) {
      bytes.push(...encoder.encode(`$${part.length}\r\n`), ...part, 13, 10);
    }
    await connection.write(new Uint8Array(bytes));
    let reply = "";
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const size = await connection.read(buffer);
      if (size === null) throw new Error("Cannot ask Redis: it has hung up");
      reply += decoder.decode(buffer.subarray(0, size));
      const [, length, string] = /^\$(\d+)\r\n([^]*)\r\n$/.exec(reply) ?? [];
      if (string !== undefined) return string;
      if (length === undefined && /^[^$*][^]*\r\n$/.test(reply)) {
        return reply.trimEnd();
      }
    }
  }

  /** Ends it and removes what it has saved. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

let shared: RedisServer | undefined;
let hasShared = false;

/**
 * Registers a test that uses a server which all tests of its file share, and so
 * a prefix of its own. Without a program to run it is skipped, or fails when
 * `REQUIRE_INTEGRATION` is `1`.
 */
export function redisTest(
  name: string,
  fn: (server: RedisServer) => Promise<void>,
): void {
  const isRequired = Deno.env.get("REQUIRE_INTEGRATION") === "1";
  const ignore = !hasRedis && !isRequired;
  if (!hasShared) {
    hasShared = true;
    Deno.test.beforeAll(async () => {
      if (hasRedis) shared = await RedisServer.start();
    });
    Deno.test.afterAll(async () => {
      await shared?.[Symbol.asyncDispose]();
    });
  }
  Deno.test({
    name: ignore ? `${name} (skipped: no ${PROGRAM})` : name,
    ignore,
    async fn() {
      if (!shared) throw new Error(`Cannot test: ${PROGRAM} must be on PATH`);
      await fn(shared);
    },
  });
}
