/**
 * A way to a server that a test can break: a TCP proxy in its own process.
 *
 * @module
 */

const HOST = "127.0.0.1";

/** Where bytes come from: a command of the client, or a reply of the server. */
export type Direction = "command" | "reply";

/** What becomes of bytes: they arrive, get lost, or the connection is cut. */
export type Fate = "pass" | "lose" | "cut";

/** Decides about bytes, which may be less than a command, or several. */
export type Fault = (direction: Direction, text: string) => Fate;

const decoder = new TextDecoder();

/** A proxy to a port of this machine, or to one after another. */
export class TcpProxy implements AsyncDisposable {
  /** What goes wrong. Nothing at first. */
  fault: Fault = () => "pass";
  /** New connections are closed at once. */
  isDown = false;
  #port: number;
  readonly #listener = Deno.listen({ hostname: HOST, port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #running = new Set<Promise<void>>();

  /** Starts a proxy to a port. */
  constructor(port: number) {
    this.#port = port;
    this.#track(this.#accept());
  }

  /** The port of the proxy. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port; // TCP is the default
  }

  /** Where it is, for a client of Redis. */
  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  /** Leads to another port from now on, as after a failover. */
  redirect(port: number): void {
    this.#port = port;
    this.cut();
  }

  /** Stops it, and resolves when nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await Promise.all(this.#running);
  }

  #track(task: Promise<void>): void {
    this.#running.add(task);
    task.then(() => this.#running.delete(task));
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) {
        if (this.isDown) close(client);
        else this.#track(this.#link(client));
      }
    } catch {
      // It was closed while a connection was coming in.
    }
  }

  async #link(client: Deno.Conn): Promise<void> {
    this.#connections.add(client);
    let server: Deno.Conn;
    try {
      server = await Deno.connect({ hostname: HOST, port: this.#port });
    } catch {
      return close(client); // that is what the client sees when it is down
    }
    this.#connections.add(server);
    if (!this.#connections.has(client)) close(server); // cut meanwhile
    const end = (): void => {
      for (const connection of [client, server]) {
        this.#connections.delete(connection);
        close(connection);
      }
    };
    await Promise.all([
      this.#pump("command", client, server).then(end),
      this.#pump("reply", server, client).then(end),
    ]);
  }

  async #pump(
    direction: Direction,
    from: Deno.Conn,
    to: Deno.Conn,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const size = await from.read(buffer);
        if (size === null) return;
        const bytes = buffer.slice(0, size);
        const fate = this.fault(direction, decoder.decode(bytes));
        if (fate === "cut") return;
        if (fate === "lose") continue;
        for (let sent = 0; sent < size;) {
          sent += await to.write(bytes.subarray(sent));
        }
      }
    } catch {
      // Either side has gone: the other one follows.
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed from the other end of the link.
  }
}
