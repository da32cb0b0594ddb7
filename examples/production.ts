/**
 * A server whose sessions live where the variable `SESSIONS` says: in memory
 * when it is not set, in Redis or Valkey (`redis://localhost:6379`), or in a
 * file of Deno KV (`kv:sessions.sqlite`). Nothing else changes.
 *
 * ```sh
 * SESSIONS=redis://localhost:6379 deno run -A examples/production.ts
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-import-prefix no-console -- a program, and its client is not one of the package

import { MemoryStore, Session, type Store } from "@harpia/memory-store";
import { DenoKvStore } from "@harpia/memory-store/deno-kv-store";
import { RedisStore } from "@harpia/memory-store/redis-store";
import { createClient } from "npm:redis@^6.3.1";

async function openStore(where: string | undefined): Promise<Store> {
  if (where === undefined) return new MemoryStore();
  if (where.startsWith("kv:")) {
    return new DenoKvStore(await Deno.openKv(where.slice("kv:".length)));
  }
  const client = createClient({ url: where });
  client.on("error", (error) => console.error("Redis:", error.message));
  return new RedisStore({ client: await client.connect() });
}

const session = new Session<{ user: string; visits: number }>({
  store: await openStore(Deno.env.get("SESSIONS")),
  cookieName: "__Host-session_id",
});

async function answer(req: Request): Promise<Response> {
  const { pathname } = new URL(req.url);
  if (req.method === "POST" && pathname === "/sign-in") {
    const res = new Response("Welcome");
    await session.signIn(req, res, { user: "ada", visits: 0 });
    return res;
  }
  if (req.method === "POST" && pathname === "/sign-out") {
    const res = new Response("Bye");
    await session.signOut(req, res);
    return res;
  }
  const loaded = await session.load(req);
  if (loaded === undefined) return new Response("Hello", { status: 401 });
  await session.update(loaded.id, (data) => {
    data.visits += 1;
  });
  const data = await session.get(loaded.id);
  return new Response(`${data?.user}: ${data?.visits}`);
}

Deno.serve({
  port: Number(Deno.env.get("PORT") ?? 8000),
  hostname: "localhost",
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
}, answer);
