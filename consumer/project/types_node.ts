/**
 * What the TypeScript of a server on Node sees: Node's types, no DOM.
 *
 * @module
 */

import { createServer, type Server } from "node:http";
import { MemoryStore, Session } from "@harpia/memory-store";

const session = new Session<{ visits: number }>({ store: new MemoryStore() });

export const server: Server = createServer(async (req, res) => {
  const id = await session.idFromRequest(req) ??
    await session.create({ visits: 0 });
  await session.update(id, (data) => {
    data.visits += 1;
  });
  session.setCookie(res, id);
  const data = await session.fromRequest(req);
  if (req.url === "/sign-out") await session.delete(id, res);
  res.end(String(data?.visits));
});
