/**
 * What does an operation of `MemoryStore` cost, beside the floor: a bare `Map`
 * behind an `async` function, which neither copies, expires nor queues?
 *
 * Values are sessions of about 230 bytes as JSON, one distinct object a key;
 * keys are UUID-shaped; reads go round all keys.
 */

import { MemoryStore } from "./memory_store.ts";

interface Visitor {
  id: number;
  name: string;
  email: string;
  roles: string[];
  address: { city: string; zip: string };
  createdAt: number;
}

const SIZES = [1, 1_000, 100_000];
const HOUR = 60 * 60 * 1000;

function makeKey(i: number): string {
  const hex = i.toString(16).padStart(12, "0");
  return `6d1f0b2e-8c3a-4f57-9b21-${hex}`;
}

function makeVisitor(i: number): Visitor {
  return {
    id: i,
    name: `Visitor number ${i}`,
    email: `visitor${i}@shop.example`,
    roles: ["reader", "buyer", "writer", "editor", "admin"],
    address: { city: "Recife", zip: "50030-230" },
    createdAt: 1_795_000_000_000 + i,
  };
}

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
