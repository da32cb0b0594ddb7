import { assert, assertEquals, assertFalse } from "@std/assert";
import { MemoryStore } from "./memory_store.ts";

type Value = Record<string, unknown>;

/** Reads a value twice and shows that nobody can reach what is stored. */
async function assertIsolated(value: Value): Promise<void> {
  using store = new MemoryStore<Value>();
  await store.set("a", value);
  const [first, second] = [await store.get("a"), await store.get("a")];

  assertEquals(first, value);
  assert(first !== second);
  for (const [key, member] of Object.entries(first ?? {})) {
    if (typeof member !== "object" || member === null) continue;
    assert(member !== second?.[key], key);
    if (Array.isArray(member)) member.push("changed");
    else Object.assign(member, { changed: true });
  }
  assertEquals(await store.get("a"), value);
}

for (
  const [what, value] of Object.entries<Value>({
    "no member": {},
    "primitives": { a: 1, b: "x", c: null, d: true, e: 5n },
    "one container": { a: { b: 1 } },
    "four containers": { a: { b: 1 }, c: [1], d: { e: [2] }, f: new Map() },
    "an array of objects": { items: [{ a: 1 }, { b: [2] }] },
    "an array of nothing": { items: [] },
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

Deno.test("MemoryStore.get() hands out copies of more shapes than it remembers", async () => {
  for (let i = 0; i < 1_200; i++) {
    using store = new MemoryStore<Value>();
    await store.set("a", { [`key${i}`]: { list: [i] } });
    const read = await store.get("a");
    Object.assign(read?.[`key${i}`] ?? {}, { changed: true });

    assertEquals(await store.get("a"), { [`key${i}`]: { list: [i] } });
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

Deno.test("MemoryStore.set() drops members under symbols of a shape that it knows", async () => {
  using store = new MemoryStore<Value>();
  const secret = Symbol("secret");
  const value = { a: 1, inner: { b: 1 } };
  await store.set("a", value);
  await store.get("a");

  for (const holder of [value, value.inner]) {
    const marked = Object.defineProperty(holder, secret, {
      value: 1,
      enumerable: true,
      configurable: true,
    });
    await store.set("a", value);
    const read = await store.get("a") ?? {};
    const inner = read.inner as object;

    assertEquals(Object.getOwnPropertySymbols(read), []);
    assertEquals(Object.getOwnPropertySymbols(inner), []);
    Reflect.deleteProperty(marked, secret);
  }
});

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
