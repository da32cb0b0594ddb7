/**
 * What does an operation of `MemoryStore` cost, beside the floor: a bare `Map`
 * behind an `async` function, which neither copies, expires nor queues?
 *
 * Values are sessions of about 230 bytes as JSON, one distinct object a key;
 * keys are UUID-shaped; reads go round all keys.
 */

import { makeKey, makeVisitor, type Visitor } from "./bench/data.ts";
import { MemoryStore } from "./memory_store.ts";

const SIZES = [1, 1_000, 100_000];
const HOUR = 60 * 60 * 1000;

for (const size of SIZES) {
  const keys = Array.from({ length: size }, (_, i) => makeKey(i));
  const missing = keys.map((key) => `${key}-`);
  const visitors = keys.map((_, i) => makeVisitor(i));
  const map = new Map(keys.map((key, i) => [key, visitors[i]!])); // same length
  const plain = new MemoryStore<Visitor>();
  const timed = new MemoryStore<Visitor>({ ttl: HOUR, maxEntries: size });
  for (const [key, visitor] of map) {
    await plain.set(key, visitor);
    await timed.set(key, visitor);
  }
  const floor = {
    // deno-lint-ignore require-await -- the floor is what `async` costs
    get: async (key: string) => map.get(key),
    // deno-lint-ignore require-await -- the floor is what `async` costs
    set: async (key: string, value: Visitor) => void map.set(key, value),
  };
  let turn = 0;
  const next = (): number => turn = (turn + 1) % size;

  const group = (operation: string): string =>
    `${operation}, ${size.toLocaleString("en")} entries`;

  Deno.bench("Map", {
    group: group("get, hit"),
    baseline: true,
  }, async () => {
    await floor.get(keys[next()]!);
  });
  Deno.bench("MemoryStore", { group: group("get, hit") }, async () => {
    await plain.get(keys[next()]!);
  });
  Deno.bench("MemoryStore, ttl and bound", {
    group: group("get, hit"),
  }, async () => {
    await timed.get(keys[next()]!);
  });

  Deno.bench("Map", {
    group: group("get, miss"),
    baseline: true,
  }, async () => {
    await floor.get(missing[next()]!);
  });
  Deno.bench("MemoryStore", { group: group("get, miss") }, async () => {
    await plain.get(missing[next()]!);
  });

  Deno.bench("Map", {
    group: group("set, overwrite"),
    baseline: true,
  }, async () => {
    const i = next();
    await floor.set(keys[i]!, visitors[i]!);
  });
  Deno.bench("MemoryStore", { group: group("set, overwrite") }, async () => {
    const i = next();
    await plain.set(keys[i]!, visitors[i]!);
  });
  Deno.bench("MemoryStore, ttl and bound", {
    group: group("set, overwrite"),
  }, async () => {
    const i = next();
    await timed.set(keys[i]!, visitors[i]!);
  });

  Deno.bench("Map, get then set", {
    group: group("update"),
    baseline: true,
  }, async () => {
    const key = keys[next()]!;
    const visitor = await floor.get(key);
    await floor.set(key, visitor!);
  });
  Deno.bench("MemoryStore, sync fn", { group: group("update") }, async () => {
    await plain.update(keys[next()]!, (visitor) => visitor);
  });
  Deno.bench("MemoryStore, async fn", { group: group("update") }, async () => {
    // deno-lint-ignore require-await -- an asynchronous function is the case
    await plain.update(keys[next()]!, async (visitor) => visitor);
  });
}
