import { assertEquals } from "@std/assert";
import { SlotMap } from "./_slot_map.ts";
import { makeRandom, untyped } from "./_test_util.ts";

/** More than one map takes, and more than its keys that are moved by as many. */
const MANY = 130_000;

/** When to look at all keys: with few, twice while they are moved, and after. */
const CHECKS = [1_000, 124_000, 124_500, MANY - 1];

/** Ways to make a key of a number. */
const KEYS: Record<string, (i: number) => string> = {
  "that end alike": (i) => `${i}:session`,
  "that begin alike": (i) => `session:${i}`,
  "that are random": (i) => (i * 2_654_435_761 % 2 ** 32).toString(16),
  "that are short": (i) => String.fromCharCode(i % 50_000, i / 50_000),
};

/** What a map has to say must be what a `Map` says. */
function check(map: SlotMap, model: ReadonlyMap<string, number>): void {
  assertEquals(map.size, model.size);
  for (const [key, slot] of model) {
    if (map.get(key) !== slot) assertEquals(map.get(key), slot, key);
  }
}

for (const [name, makeKey] of Object.entries(KEYS)) {
  Deno.test(`SlotMap is a map of keys ${name}, few or many`, () => {
    const map = new SlotMap();
    const model = new Map<string, number>();
    const random = makeRandom(1);
    for (let i = 0; i < MANY; i++) {
      if (CHECKS.includes(i)) check(map, model);
      const key = makeKey(i);
      map.add(key, i);
      model.set(key, i);
      const other = makeKey(random(2 * i + 1));
      if (!model.delete(other)) {
        assertEquals(map.get(other), undefined);
        continue;
      }
      map.delete(other);
      if (random(20) === 0) continue; // it may come back later
      map.add(other, -i);
      model.set(other, -i);
    }

    assertEquals([...map.keys()].sort(), [...model.keys()].sort());
    for (const key of model.keys()) map.delete(key);
    assertEquals(map.size, 0);
    assertEquals([...map.keys()], []);
  });
}

Deno.test("SlotMap.keys() gives each key once while keys are moved", () => {
  const map = new SlotMap();
  for (let i = 0; i < 121_000; i++) map.add(`${i}`, i);

  const keys = [...map.keys()];

  assertEquals(new Set(keys).size, 121_000);
  assertEquals(keys.length, 121_000);
});

Deno.test("SlotMap.keys() goes on over the keys there were when more come", () => {
  const map = new SlotMap();
  for (let i = 0; i < 10; i++) map.add(`${i}`, i);
  const keys = map.keys()[Symbol.iterator]();
  const seen = [keys.next().value];
  for (let i = 10; i < MANY; i++) map.add(`${i}`, i);

  for (let next = keys.next(); !next.done; next = keys.next()) {
    seen.push(next.value);
  }

  assertEquals(new Set(seen).size, seen.length);
  assertEquals(seen.slice(0, 10), [..."0123456789"]);
});

Deno.test("SlotMap has no slot for what is no string", () => {
  const map = new SlotMap();
  for (let i = 0; i < MANY; i++) map.add(`${i}`, i);

  for (const key of [1, null, undefined, {}, Symbol()]) {
    assertEquals(map.get(untyped(key)), undefined);
  }
});
