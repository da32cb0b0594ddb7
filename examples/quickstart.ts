/**
 * The smallest tour: a store, then a session on it.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it shows what it gets

import { MemoryStore, Session } from "@harpia/memory-store";

// A store keeps values under keys.
const store = new MemoryStore();
await store.set("session123", { userId: 1, username: "Alice" });
console.log(await store.get("session123"));
await store.delete("session123");
console.log(await store.get("session123"));

// A session keeps data under an id, and the id in a cookie.
const session = new Session({ store });
const id = await session.create({ userId: 1, username: "Alice" });
console.log(await session.get(id));
console.log(await session.update(id, { role: "admin" }));
console.log(await session.get(id));

// Signing out removes both.
const res = new Response("Bye");
await session.delete(id, res);
console.log(await session.get(id));
console.log(res.headers.get("set-cookie"));
