import { assert, assertEquals, assertFalse } from "@std/assert";
import { spoil } from "./_test_util.ts";
import { MemoryStore } from "./memory_store.ts";

type Value = Record<string, unknown>;

function countSymbols(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const members = Object.values(value).map(countSymbols);
  return members.reduce(
    (sum, count) => sum + count,
    Object.getOwnPropertySymbols(value).length,
  );
}

/** Stores what was there again. */
function keep(value: unknown): unknown {
  return value;
}

/** Shows that nobody can reach what is stored. */
async function assertIsolated(value: Value): Promise<void> {
  using store = new MemoryStore<Value>();
  const source = structuredClone(value);
  await store.set("a", source);
  spoil(source);

  for (let read = 0; read < 3; read++) {
    const copy = await store.get("a");
    assertEquals(copy, value);
    spoil(copy);
  }
}

for (
  const [what, value] of Object.entries<Value>({
    "no member": {},
    "primitives": { a: 1, b: "x", c: null, d: true, e: 5n },
    "one container": { a: { b: 1 } },
    "four containers": { a: { b: 1 }, c: [1], d: { e: [2] }, f: new Map() },
    "an array of objects": { items: [{ a: 1 }, { b: [2] }] },
    "an array of nothing": { items: [] },
    "an array of like objects": { items: [{ a: 1, b: [2] }, { a: 3, b: [] }] },
    "an array of objects that lack a member": { items: [{ a: 1 }, { b: 1 }] },
    "an array of arrays": { items: [[[1], []], [], [[2, 3]]] },
    "an array of all kinds": { items: [1, { a: [{ b: 1 }] }, [2], null] },
    "an array of dates and maps": { items: [new Date(5), new Map([[1, [2]]])] },
    "an array of 1,001 arrays": {
      items: Array.from({ length: 1001 }, () => [1]),
    },
    "containers ten deep": {
      a: { b: { c: { d: { e: { f: [[[{ g: 1 }]]] } } } } },
    },
    "each kind of built-in": {
      date: new Date(5),
      map: new Map([["a", { b: 1 }]]),
      set: new Set([1]),
      bytes: new Uint8Array([1]),
      buffer: new ArrayBuffer(2),
    },
    "keys that look like others": { "1:a": {}, "a.1:b": {}, "": {}, "{0}": [] },
    "65 members": Object.fromEntries(
      Array.from({ length: 65 }, (_, i) => [`key${i}`, [i]]),
    ),
  })
) {
  Deno.test(`MemoryStore.get() hands out copies of an object with ${what}`, async () => {
    await assertIsolated(value);
  });
}

Deno.test("MemoryStore.get() tells shapes apart that differ by what a member holds", async () => {
  using store = new MemoryStore<Value>();
  const values: Value[] = [
    { a: 1 },
    { a: { b: 1 } },
    { a: [1] },
    { a: [[1]] },
    { a: { b: [1] } },
    { a: { b: { c: 1 } } },
    { a: new Date(1) },
    { b: 1, a: 1 },
    { ab: { c: 1 } },
    { a: null },
  ];

  for (let round = 0; round < 2; round++) {
    for (const value of values) {
      await store.set("a", value);
      assertEquals(await store.get("a"), value);
      const member = (await store.get("a"))?.a;
      assert(
        typeof member !== "object" || member !== value.a || member === null,
      );
    }
  }
});

Deno.test("MemoryStore does not store what every object inherits", async () => {
  using store = new MemoryStore<Value>();
  const prototype: Value = Object.prototype as unknown as Value; // to pollute it
  prototype.polluted = { by: "another library" };
  try {
    await store.set("a", { own: { b: 1 } });
    const read = await store.get("a") ?? {};

    assertEquals(Object.keys(read), ["own"]);
    assertFalse(Object.hasOwn(read, "polluted"));
  } finally {
    delete prototype.polluted;
  }
});

Deno.test("MemoryStore does not store what every object inherits in place of a member", async () => {
  using store = new MemoryStore<Value>();
  await store.set("a", { own: 1, polluted: { b: 1 } });
  await store.get("a");
  const prototype: Value = Object.prototype as unknown as Value; // to pollute it
  prototype.polluted = { by: "another library" };
  try {
    await store.set("a", { own: 2 });
    const read = await store.get("a") ?? {};

    assertEquals(Object.keys(read), ["own"]);
  } finally {
    delete prototype.polluted;
  }
});

for (
  const [where, makeHolder] of Object.entries<(inner: object) => unknown>({
    "of the value": (inner) => ({ ...inner, a: 1 }),
    "of an object": (inner) => ({ inner, a: 1 }),
    "of an item": (inner) => [{}, inner],
    "of an item among others": (inner) => [1, inner, [inner]],
    "of the third container": (inner) => ({ a: [], b: {}, c: { d: inner } }),
    "far below": (inner) => [[[[[[[[[[inner]]]]]]]]]],
    "of one of 65 containers": (inner) =>
      Object.fromEntries(
        Array.from({ length: 65 }, (_, i) => [`key${i}`, inner]),
      ),
    "of an object without a prototype": (inner) =>
      Object.assign(Object.create(null), { a: { b: 1 } }, inner),
  })
) {
  for (const readersNeverMutate of [false, true]) {
    const mode = readersNeverMutate ? " of a store without copies" : "";
    Deno.test(`MemoryStore.set() drops members under symbols ${where}${mode}`, async () => {
      using store = new MemoryStore<unknown>({ readersNeverMutate });
      const secret = Symbol("secret");
      const plain = makeHolder({ x: 1 });
      const marked = makeHolder({ x: 1, [secret]: {} });

      // The shape is new at first, and known afterwards.
      for (let round = 0; round < 2; round++) {
        await store.set("marked", marked);
        await store.set("plain", plain);

        assertEquals(countSymbols(await store.get("marked")), 0);
        assertEquals(countSymbols(await store.update("marked", keep)), 0);
        assertEquals(await store.get("marked"), await store.get("plain"));
      }
      assert(countSymbols(marked) > 0);
    });
  }
}

Deno.test("MemoryStore.set() reads each getter once, whatever the shape was before", async () => {
  using store = new MemoryStore<Value>();
  for (const before of [{}, { a: 1, b: { c: 1 } }, { a: 1, b: { c: {} } }]) {
    let reads = 0;
    const inner = {
      get c() {
        return ++reads;
      },
    };
    await store.set("a", before);
    await store.get("a");

    await store.set("a", { a: 1, b: inner });

    assertEquals(await store.get("a"), { a: 1, b: { c: 1 } });
    assertEquals(reads, 1);
  }
});

Deno.test("MemoryStore.set() drops what is undefined in a shape that it knows", async () => {
  using store = new MemoryStore<Value>();
  const whole = { a: 1, b: { c: [1], d: 2 }, e: [{ f: 1 }] };
  await store.set("a", whole);
  let reads = 0;

  await store.set("a", {
    get a() {
      reads++;
      return undefined;
    },
    b: { c: undefined, d: 2 },
    e: [{ f: undefined }],
  });

  const read = await store.get("a") ?? {};
  assertEquals(read, { b: { d: 2 }, e: [{}] });
  assertFalse("a" in read);
  assertEquals(reads, 1);
});

Deno.test("MemoryStore.set() keeps objects of a hundred shapes in one array", async () => {
  using store = new MemoryStore<Value[]>();
  const items = Array.from(
    { length: 100 },
    (_, i) => ({ [`a${i}`]: { b: i }, c: "" }),
  );
  await store.set("a", items);
  spoil(await store.get("a"));

  assertEquals(await store.get("a"), items);
});

for (
  const [what, disguise] of Object.entries<(shared: unknown[]) => object>({
    "a slice() of its own": (shared) => ({ slice: () => shared }),
    "a constructor of its own": (shared) => ({
      constructor: { [Symbol.species]: () => shared },
    }),
    "a map() of its own": (shared) => ({ map: () => shared }),
  })
) {
  Deno.test(`MemoryStore.set() shares no array that has ${what}`, async () => {
    using store = new MemoryStore<unknown[]>();
    const shared = [1];
    await store.set("a", [0]);
    await store.get("a");

    await store.set("a", Object.assign([1], disguise(shared)));
    shared[0] = 2;

    assertEquals(await store.get("a"), [1]);
  });
}

// The last one: after it, no more shapes are remembered.
Deno.test("MemoryStore.get() hands out copies of more shapes than it remembers", async () => {
  for (let i = 0; i < 1_200; i++) {
    using store = new MemoryStore<Value>();
    await store.set("a", { [`key${i}`]: { list: [i] } });
    const read = await store.get("a");
    Object.assign(read?.[`key${i}`] ?? {}, { changed: true });

    assertEquals(await store.get("a"), { [`key${i}`]: { list: [i] } });
  }
});
