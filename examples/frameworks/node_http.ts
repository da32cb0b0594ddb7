/**
 * Sessions with `node:http`: sign-in, a page, a counter, sign-out.
 *
 * ```sh
 * npm install @harpia/memory-store
 * node node_http.ts # Node 22.18 or later; else compile it, or use Bun
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it is

import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import process from "node:process";
import { Session } from "@harpia/memory-store";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  switch (`${req.method} ${req.url}`) {
    case "POST /sign-in":
      await session.signIn(req, res, { user: "ada", count: 0 });
      break;
    case "POST /count":
      await session.update(await session.idFromRequest(req), (data) => {
        data.count += 1;
      });
      break;
    case "POST /sign-out":
      await session.signOut(req, res);
      break;
    default: {
      const { user, count } = await session.fromRequest(req) ?? {};
      res.end(user ? `${user}: ${count}` : "Please sign in");
      return;
    }
  }
  res.writeHead(303, { location: "/" }).end();
}

const server = createServer((req, res) => {
  answer(req, res).catch((error) => {
    console.error(error);
    res.writeHead(500).end();
  });
});
server.listen(Number(process.env.PORT ?? 3000), () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : address;
  console.log(`Listening on http://localhost:${port}/`);
});
