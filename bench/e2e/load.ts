/**
 * A client that asks as fast as the server answers, over connections that are
 * kept, and cheap enough to leave the server its processor.
 *
 * @module
 */

const CONNECTIONS = 32;
const HEAD_END = "\r\n\r\n";

/** A request as bytes. */
export function makeRequest(
  method: string,
  path: string,
  cookie: string,
): Uint8Array {
  return new TextEncoder().encode(
    [
      `${method} ${path} HTTP/1.1`,
      "Host: localhost",
      `Cookie: ${cookie}`,
      "Content-Length: 0",
      HEAD_END,
    ].join("\r\n").slice(0, -2),
  );
}

/**
 * Sends these requests in turns, over and over, on 32 connections.
 *
 * @param ms For how long.
 * @returns How many were answered.
 */
export async function drive(
  port: number,
  requests: readonly Uint8Array[],
  ms: number,
): Promise<number> {
  const end = performance.now() + ms;
  let answered = 0;
  const work = async (): Promise<void> => {
    using connection = await Connection.open(port);
    while (performance.now() < end) {
      const request = requests[answered % requests.length];
      if (request === undefined) return;
      answered += 1;
      await connection.ask(request);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  return answered;
}

/** Sends a request this many times at once, each on its own connection. */
export async function askAtOnce(
  port: number,
  request: Uint8Array,
  times: number,
): Promise<void> {
  const opened = Array.from({ length: times }, () => Connection.open(port));
  const connections = await Promise.all(opened);
  try {
    await Promise.all(connections.map((each) => each.ask(request)));
  } finally {
    for (const each of connections) each[Symbol.dispose]();
  }
}

class Connection implements Disposable {
  readonly #tcp: Deno.TcpConn;
  readonly #buffer = new Uint8Array(4096);

  private constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
    tcp.setNoDelay();
  }

  static async open(port: number): Promise<Connection> {
    return new Connection(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** @throws {Error} If the answer is not 200 with a `Content-Length`. */
  async ask(request: Uint8Array): Promise<void> {
    await this.#tcp.write(request);
    let answer = "";
    for (;;) {
      const size = await this.#tcp.read(this.#buffer);
      if (size === null) throw refusal("it has closed the connection");
      // Latin-1, so that a character is a byte.
      answer += String.fromCharCode(...this.#buffer.subarray(0, size));
      const headEnd = answer.indexOf(HEAD_END);
      if (headEnd < 0) continue;
      if (!answer.startsWith("HTTP/1.1 200 ")) {
        throw refusal(answer.slice(0, answer.indexOf("\r\n")));
      }
      const length = answer.match(/\r\nContent-Length: (\d+)\r\n/i)?.[1];
      if (length === undefined) throw refusal("no Content-Length");
      if (answer.length === headEnd + HEAD_END.length + Number(length)) return;
    }
  }

  [Symbol.dispose](): void {
    this.#tcp.close();
  }
}

function refusal(what: string): Error {
  return new Error(`Cannot measure: server must answer 200: received ${what}`);
}
