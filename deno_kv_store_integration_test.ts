/**
 * Several processes use one file at once, and some are killed as they do. What
 * their clients saw has to be linearizable, key by key. And the contract on
 * `npm:@deno/kv`, which answers in any order, under Node and Bun.
 *
 * The calls follow from `SEED`, 1 when it is not set; what the processes make
 * of them does not. `ROUNDS=100` runs more than the usual number, and
 * `REPORT=1` writes what was counted to the error output.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  READY,
  type WorkerAnswer,
  type WorkerCall,
} from "./_deno_kv_worker.ts";
import {
  formatEvent,
  type HistoryEvent,
  linearize,
  type Operation,
  splitByKey,
} from "./_linearizability.ts";
import type { StoreOutcome } from "./store.ts";
import { mustRun, npmProgram, run } from "./runtimes/command.ts";

const PROCESSES = 4;

const CLIENTS_PER_PROCESS = 2;

const KEYS = 8;

/** How many calls a client makes in a round. */
const CALLS = 30;

/** A key that is only ever appended to. */
const GROWING = "growing";

/** Some operations come more often than others. */
const OPERATIONS = [
  "get",
  "get",
  "set",
  "delete",
  "delete",
  "has",
  "touch",
  "update",
  "update",
  "update",
  "update",
  "append",
  "append",
] as const;

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 6);

const SEED = Number(Deno.env.get("SEED") ?? 1);

/** Writes a line for people, if they want it. */
function report(text: string): void {
  if (!Deno.env.has("REPORT")) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** The generator Mulberry32: the same numbers for the same seed. */
function makeRandom(seed: number): (limit: number) => number {
  return (limit) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), seed | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  };
}

type CallBody = WorkerCall extends infer C
  ? C extends WorkerCall ? Omit<C, "id"> : never
  : never;

/** A process with a store on the file. */
class Worker {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #open = new Map<number, (answer?: WorkerAnswer) => void>();
  readonly #ended: Promise<void>;
  #lastId = 0;

  static async start(path: string): Promise<Worker> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-lock",
        "--unstable-kv",
        "--allow-read",
        "--allow-write",
        fileURLToPath(new URL("_deno_kv_worker.ts", import.meta.url)),
        path,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = readLines(process.stdout);
    const { value } = await lines.next();
    assertEquals(value, READY);
    return new Worker(process, lines);
  }

  constructor(process: Deno.ChildProcess, lines: AsyncIterable<string>) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#ended = this.#listen(lines);
  }

  /** Resolves to nothing when the process is dead before it has answered. */
  async call(body: CallBody): Promise<WorkerAnswer | undefined> {
    const id = ++this.#lastId;
    const answered = new Promise<WorkerAnswer | undefined>((resolve) =>
      this.#open.set(id, resolve)
    );
    const line = new TextEncoder().encode(
      `${JSON.stringify({ ...body, id })}\n`,
    );
    // To write to a process that was killed fails; the answer tells.
    this.#input.write(line).catch(() => {});
    return await answered;
  }

  /** Ends the process as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  async stop(): Promise<void> {
    await this.#input.close();
    await this.#ended;
  }

  async #listen(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      const answer: WorkerAnswer = JSON.parse(line);
      this.#open.get(answer.id)?.(answer);
      this.#open.delete(answer.id);
    }
    await this.#process.status;
    await this.#input.abort().catch(() => {});
    for (const resolve of this.#open.values()) resolve();
    this.#open.clear();
  }
}

async function* readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Processes on one file, and what their clients saw. */
class Cluster implements AsyncDisposable {
  readonly #path: string;
  /** Those of processes that were killed are the ones to come. */
  readonly #workers: Promise<Worker>[];
  /** On which all events lie. */
  #clock = 0;
  /** Calls that changed something, were acknowledged, or may have been done. */
  readonly counts = { acknowledged: 0, unknown: 0, refused: 0, kills: 0 };

  constructor(path: string) {
    this.#path = path;
    this.#workers = Array.from(
      { length: PROCESSES },
      () => Worker.start(path),
    );
  }

  /** Makes a call in a process, and notes what came of it. */
  async call(
    events: HistoryEvent[],
    client: number,
    body: CallBody,
  ): Promise<void> {
    const call = ++this.#clock;
    const worker = await this.#workers[client % PROCESSES];
    const answer = await worker?.call(body);
    const outcome: StoreOutcome | undefined = answer === undefined
      ? "unknown"
      : answer.failed?.outcome;
    const isRead = body.op === "get" || body.op === "has";
    if (answer?.failed !== undefined) report(answer.failed.message);
    if (!isRead) {
      if (outcome === undefined) this.counts.acknowledged++;
      else if (outcome === "unknown") this.counts.unknown++;
      else this.counts.refused++;
    }
    if (outcome === "not applied" || (outcome === "unknown" && isRead)) return;
    events.push({
      ...toOperation(body, answer?.result),
      client,
      call,
      ret: outcome === "unknown" ? Infinity : ++this.#clock,
      calledAt: 0,
      returnedAt: 0,
    });
  }

  /** Ends processes as a crash does, and starts others in their place. */
  async replace(indices: readonly number[]): Promise<void> {
    this.counts.kills += indices.length;
    await Promise.all(indices.map(async (index) => {
      const worker = this.#workers[index];
      const next = worker?.then(async (killed) => {
        await killed.kill();
        return await Worker.start(this.#path);
      });
      if (next !== undefined) this.#workers[index] = next;
      await next;
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => {
      await (await worker).stop();
    }));
  }
}

function toOperation(
  body: CallBody,
  result: string | boolean | undefined,
): Operation {
  // The outcome of an operation is what its call resolves to.
  const outcome = result as never;
  return body.op === "update"
    ? { ...body, id: body.item, outcome }
    : { ...body, outcome } as Operation; // a call has the members of its own op
}

/** Lets all clients loose on keys of their own, and checks what they saw. */
async function runRound(
  cluster: Cluster,
  round: number,
  random: (limit: number) => number,
): Promise<void> {
  const events: HistoryEvent[] = [];
  const keys = [
    ...Array.from({ length: KEYS }, (_, i) => `${round}-${i}`),
    `${round}-${GROWING}`,
  ];
  const clients = PROCESSES * CLIENTS_PER_PROCESS;
  let calls = 0;
  const killAt = [60 + random(30), 140 + random(30)];
  // All die in the last round, in others one and then another one.
  const victims = round === ROUNDS ? [0, 1, 2, 3] : [round % PROCESSES];

  const runClient = async (client: number): Promise<void> => {
    for (let i = 0; i < CALLS; i++) {
      const item = `${round}.${client}.${i}`;
      const body = pickCall(keys, item, random);
      const done = cluster.call(events, client, body);
      if (killAt.includes(++calls)) await cluster.replace(victims);
      await done;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, i) => runClient(i)));
  for (const key of keys) await cluster.call(events, 0, { op: "get", key });

  events.sort((one, other) => one.call - other.call);
  for (const [key, history] of splitByKey(events)) {
    const { verdict } = linearize(history);
    assert(
      verdict === "linearizable",
      `${key}: ${verdict}: SEED=${SEED}\n${
        history.map(formatEvent).join("\n")
      }`,
    );
    if (key.endsWith(GROWING)) checkGrowth(history);
  }
}

function pickCall(
  keys: readonly string[],
  item: string,
  random: (limit: number) => number,
): CallBody {
  const op = OPERATIONS[random(OPERATIONS.length)] ?? "get";
  const key = `${keys[random(KEYS)]}`;
  switch (op) {
    case "append": {
      const growing = `${keys[KEYS]}`;
      return { op: "update", key: growing, item, creates: true };
    }
    case "update":
      return { op, key, item, creates: random(2) === 0 };
    case "set":
      return { op, key, value: item };
    default:
      return { op, key };
  }
}

/** The same for a key that only grows, in plain words. */
function checkGrowth(history: readonly HistoryEvent[]): void {
  const final = history.at(-1);
  assert(final?.op === "get");
  const items = final.outcome?.split(",") ?? [];
  assertEquals(items.length, new Set(items).size, "an update was done twice");
  const asked = history.filter((event) => event.op === "update");
  for (const { id, ret } of asked) {
    assert(ret === Infinity || items.includes(id), "an update was lost");
  }
  const ids = asked.map(({ id }) => id);
  assert(items.every((item) => ids.includes(item)), "an update was made up");
}

Deno.test("DenoKvStore loses, doubles and revives nothing when processes on one file are killed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const random = makeRandom(SEED);
    await using cluster = new Cluster(`${folder}/kv.sqlite`);
    const started = performance.now();
    for (let round = 1; round <= ROUNDS; round++) {
      await runRound(cluster, round, random);
    }
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    report(`${JSON.stringify(cluster.counts)} in ${seconds} s`);

    assert(cluster.counts.acknowledged > 50 * ROUNDS);
    assertEquals(cluster.counts.refused, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// npm:@deno/kv

const DENO_KV = "@deno/kv@0.14.0";

const ESBUILD = "esbuild@0.25.5";

const BUN = "bun@1.4.5";

/** How to start each runtime. */
const RUNTIMES: Record<string, () => Promise<string>> = {
  node: () => mustRun("node", ["--version"]).then(() => "node"),
  bun: () => npmProgram(BUN, "bun"),
};

/**
 * Puts `npm:@deno/kv` and the kit on it into a folder.
 *
 * @returns The path of the bundle.
 */
async function bundleKit(folder: string): Promise<string> {
  const bundle = `${folder}/kit.mjs`;
  const quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
  await mustRun("npm", ["install", "--prefix", folder, ...quiet, DENO_KV]);
  await mustRun(Deno.execPath(), [
    "run",
    "--allow-all",
    "--no-config",
    "--no-lock",
    `npm:${ESBUILD}`,
    fileURLToPath(new URL("runtimes/deno_kv.ts", import.meta.url)),
    "--bundle",
    "--platform=node",
    "--format=esm",
    "--target=es2022",
    `--outfile=${bundle}`,
    "--log-level=warning",
  ]);
  return bundle;
}

const mustTest = Deno.env.get("REQUIRE_INTEGRATION") === "1";

/** Whether npm has the package. Where it has to, the tests will say why not. */
const hasPackage = mustTest ||
  (await run("npm", ["view", DENO_KV, "version"]).catch(() => undefined))
      ?.code === 0;

for (const [runtime, findProgram] of Object.entries(RUNTIMES)) {
  for (const place of ["memory", "a file"]) {
    Deno.test({
      name:
        `DenoKvStore keeps the contract on npm:@deno/kv in ${place}, on ${runtime}`,
      ignore: !hasPackage,
      fn: async () => {
        const folder = await Deno.makeTempDir();
        try {
          const bundle = await bundleKit(folder);
          const path = place === "memory" ? ":memory:" : `${folder}/kv.sqlite`;

          const text = await mustRun(await findProgram(), [bundle, path]);

          const { rules, failures } = JSON.parse(text);
          report(`${runtime}, ${place}: ${rules} rules`);
          assertEquals(failures, []);
          assert(rules > 80);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      },
    });
  }
}
