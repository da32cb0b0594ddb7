/**
 * What does an operation of `DenoKvStore` cost, beside the floor: the bare calls
 * of a `Deno.Kv` that do the same without checks, order, deadlines and copies?
 *
 * In memory, where the engine is fastest and the share of the store largest.
 * Values are sessions of about 180 bytes as JSON, and lists of 200 of them;
 * reads go round 100 keys.
 */

import { DenoKvStore } from "./deno_kv_store.ts";

const HOUR = 60 * 60 * 1000;

const KEYS = Array.from(
  { length: 100 },
  (_, i) => `6d1f0b2e-8c3a-4f57-9b21-${`${i}`.padStart(12, "0")}`,
);

function makeVisitor(id: number) {
  return {
    id,
    name: `Visitor number ${id}`,
    email: `visitor${id}@shop.example`,
    roles: ["reader", "buyer", "writer", "editor", "admin"],
    address: { city: "Recife", zip: "50030-230" },
    createdAt: 1_795_000_000_000 + id,
  };
}

const VALUES: Record<string, unknown> = {
  "a session": makeVisitor(1),
  "200 sessions": Array.from({ length: 200 }, (_, i) => makeVisitor(i)),
};

for (const [name, value] of Object.entries(VALUES)) {
  const kv = await Deno.openKv(":memory:");
  const store = new DenoKvStore(kv, { ttl: HOUR });
  for (const key of KEYS) {
    await kv.set(["bare", key], value);
    await store.set(key, value);
  }
  let turn = 0;
  const next = (): string => KEYS[turn = (turn + 1) % KEYS.length] ?? "";
  const options = { expireIn: HOUR };

  const bench = (
    operation: string,
    floor: () => Promise<unknown>,
    call: () => Promise<unknown>,
  ): void => {
    const group = `${operation}, ${name}`;
    Deno.bench("Deno.Kv", { group, baseline: true }, async () => {
      await floor();
    });
    Deno.bench("DenoKvStore", { group }, async () => {
      await call();
    });
  };

  bench("get, hit", () => kv.get(["bare", next()]), () => store.get(next()));
  bench("get, miss", () => kv.get(["bare", ""]), () => store.get(""));
  bench(
    "set",
    () => kv.set(["bare", next()], value, options),
    () => store.set(next(), value),
  );
  bench(
    "update",
    async () => {
      const entry = await kv.get(["bare", next()]);
      await kv.atomic().check(entry).set(entry.key, entry.value, options)
        .commit();
    },
    () => store.update(next(), () => {}),
  );
  bench(
    "touch",
    async () => {
      const entry = await kv.get(["bare", next()]);
      await kv.atomic().check(entry).set(entry.key, entry.value, options)
        .commit();
    },
    () => store.touch(next(), HOUR),
  );
  bench(
    "delete",
    () => kv.delete(["bare", ""]),
    () => store.delete(""),
  );
}
