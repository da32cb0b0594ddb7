/**
 * One application on real servers, for tests: by `fetch`, and by bytes that
 * `fetch` cannot send.
 *
 * @module
 */

import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";

const hostname = "127.0.0.1";

/** Answers a request whatever the server's request and response are. */
export type Answer = (
  path: string,
  req: Request | IncomingMessage,
  res: Headers | ServerResponse,
) => Promise<string>;

/** A server that is listening. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
}

async function serveDeno(answer: Answer): Promise<TestServer> {
  const server = Deno.serve(
    { port: 0, hostname, onListen: () => {} },
    async (req) => {
      const headers = new Headers();
      const body = await answer(new URL(req.url).pathname, req, headers);
      return new Response(body, { headers });
    },
  );
  return await Promise.resolve({
    port: server.addr.port,
    [Symbol.asyncDispose]: () => server.shutdown(),
  });
}

async function serveNode(answer: Answer): Promise<TestServer> {
  const server = createServer((req, res) => {
    answer(req.url ?? "", req, res).then((body) => res.end(body));
  });
  server.listen(0, hostname);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" ? address?.port ?? 0 : 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** How to start each server, on a free port. */
export const SERVERS = { "Deno.serve": serveDeno, "node:http": serveNode };

/** A request for `/` with these headers, as it goes over the wire. */
export function request(...lines: string[]): string {
  const head = ["GET / HTTP/1.1", "Host: a", "Connection: close", ...lines];
  return `${head.join("\r\n")}\r\n\r\n`;
}

/** Sends bytes as they are, one a character, and reads to the end. */
export async function send(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  for (let sent = 0; sent < bytes.length;) {
    sent += await connection.write(bytes.subarray(sent));
  }
  return await new Response(connection.readable).text();
}
