import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { inspect } from "node:util";
import { KEYS } from "./_conformance_samples.ts";
import { hang, makeGate, untyped } from "./_test_util.ts";
import {
  type Eviction,
  MemoryStore,
  StoreError,
  UpdateConflictError,
  UpdateTimeoutError,
} from "./mod.ts";

const DAY = 24 * 60 * 60 * 1000;

/** The latest time a `Date` can hold. */
const MAX_TIME = 8.64e15;

type Call = (store: MemoryStore, key: string) => Promise<unknown>;

/** One call of each method that takes a key. */
const CALLS: Record<string, Call> = {
  get: (store, key) => store.get(key),
  set: (store, key) => store.set(key, 1),
  delete: (store, key) => store.delete(key),
  has: (store, key) => store.has(key),
  touch: (store, key) => store.touch(key, 1),
  update: (store, key) => store.update(key, () => 1),
};

type TtlCall = (store: MemoryStore, ttl: number) => Promise<unknown>;

/** One call of each method that takes a ttl, for the key `"a"`. */
const TTL_CALLS: Record<string, TtlCall> = {
  set: (store, ttl) => store.set("a", 2, { ttl }),
  touch: (store, ttl) => store.touch("a", ttl),
  update: (store, ttl) => store.update("a", () => 2, { ttl }),
};

type OptionsCall = (store: MemoryStore, options: never) => Promise<unknown>;

/** One call of each method that takes options, for the key `"a"`. */
const OPTIONS_CALLS: Record<string, OptionsCall> = {
  set: (store, options) => store.set("a", 2, options),
  update: (store, options) => store.update("a", () => 2, options),
};

function collect(): {
  lines: string[];
  onEvict: (e: Eviction<number>) => void;
} {
  const lines: string[] = [];
  return {
    lines,
    onEvict: ({ key, value, reason }) => {
      lines.push(`${key}=${value} ${reason}`);
    },
  };
}

async function fill(
  store: MemoryStore<number>,
  keys: Iterable<string>,
): Promise<void> {
  for (const key of keys) await store.set(key, 0);
}

function keysOf(store: MemoryStore): string {
  return [...store].map(([key]) => key).join("");
}

/** Whether a promise is not settled, some turns of the microtask queue later. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settle = () => {
    pending = false;
  };
  promise.then(settle, settle);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  return pending;
}

// Construction

Deno.test("new MemoryStore() makes an empty store", () => {
  using store = new MemoryStore();

  assertEquals(store.size, 0);
  assertEquals([...store], []);
});

Deno.test("new MemoryStore() has no bound unless it is asked for one", async () => {
  using store = new MemoryStore<number>();

  for (let i = 0; i < 6_000; i++) await store.set(`key ${i}`, i);

  assertEquals(store.size, 6_000);
});

Deno.test("new MemoryStore() takes maxEntries alone", async () => {
  using store = new MemoryStore<number>(2);

  await fill(store, "abc");

  assertEquals(store.size, 2);
});

Deno.test("MemoryStore.set() says when the runtime can hold no more entries", async () => {
  using store = new MemoryStore<number>();
  await fill(store, "ab");
  // 2^24 of them would take 2 GB.
  using _full = stub(Map.prototype, "set", () => {
    throw new RangeError("Map maximum size exceeded");
  });

  const error = await assertRejects(
    () => store.set("c", 0),
    StoreError,
    "Cannot set entry: this runtime can hold no more entries in one store: use maxEntries or ttl",
  );

  assertEquals(error.outcome, "not applied");
  assertEquals(keysOf(store), "ab");
  await store.set("a", 1);
  assertEquals(await store.get("a"), 1);
});

Deno.test("new MemoryStore(5000) holds 5,000 entries", async () => {
  using store = new MemoryStore<number>(5000);

  for (let i = 0; i < 6_000; i++) await store.set(`key ${i}`, i);

  assertEquals(store.size, 5_000);
});

Deno.test("new MemoryStore() takes an option that is undefined as left out", async () => {
  using store = new MemoryStore<number>({
    ttl: undefined,
    maxEntries: undefined,
    onEvict: undefined,
    updateTimeout: undefined,
  });

  await store.set("a", 1);

  assertEquals(await store.get("a"), 1);
});

for (const maxEntries of [1, 2 ** 23, Infinity]) {
  Deno.test(`new MemoryStore() accepts a maxEntries of ${maxEntries}`, () => {
    using store = new MemoryStore({ maxEntries });
    using positional = new MemoryStore(maxEntries);

    assertEquals(store.size, 0);
    assertEquals(positional.size, 0);
  });
}

for (const maxEntries of [0, -1, 1.5, NaN, -Infinity, 2 ** 23 + 1]) {
  Deno.test(`new MemoryStore() rejects a maxEntries of ${maxEntries}`, () => {
    const rule = "maxEntries must be a whole number from 1 to 8388608";

    assertThrows(() => new MemoryStore({ maxEntries }), RangeError, rule);
    assertThrows(() => new MemoryStore(maxEntries), RangeError, rule);
  });
}

for (const maxEntries of ["10", null, 10n, true, {}]) {
  Deno.test(`new MemoryStore() rejects a maxEntries that is ${inspect(maxEntries)}`, () => {
    assertThrows(
      () => new MemoryStore({ maxEntries: untyped(maxEntries) }),
      TypeError,
      "maxEntries must be a number",
    );
  });
}

for (const updateTimeout of [0.5, 1, 2 ** 31 - 1, Infinity]) {
  Deno.test(`new MemoryStore() accepts an updateTimeout of ${updateTimeout}`, () => {
    using store = new MemoryStore({ updateTimeout });

    assertEquals(store.size, 0);
  });
}

for (const updateTimeout of [0, -1, NaN, -Infinity, 2 ** 31, 1e20]) {
  Deno.test(`new MemoryStore() rejects an updateTimeout of ${updateTimeout}`, () => {
    assertThrows(
      () => new MemoryStore({ updateTimeout }),
      RangeError,
      "updateTimeout must",
    );
  });
}

for (const updateTimeout of ["1", null, 1n]) {
  Deno.test(`new MemoryStore() rejects an updateTimeout that is ${inspect(updateTimeout)}`, () => {
    assertThrows(
      () => new MemoryStore({ updateTimeout: untyped(updateTimeout) }),
      TypeError,
      "updateTimeout must be a number",
    );
  });
}

for (const onEvict of ["log", null, {}, 1]) {
  Deno.test(`new MemoryStore() rejects an onEvict that is ${inspect(onEvict)}`, () => {
    assertThrows(
      () => new MemoryStore({ onEvict: untyped(onEvict) }),
      TypeError,
      "onEvict must be a function",
    );
  });
}

for (
  const name of ["ttlMs", "maxAge", "max", "maxentries", "onevict", "timeout"]
) {
  Deno.test(`new MemoryStore() rejects the unknown option ${name}`, () => {
    const error = assertThrows(
      () => new MemoryStore(untyped({ [name]: 1 })),
      TypeError,
      `unknown option "${name}"`,
    );

    assertStringIncludes(
      error.message,
      "the options are ttl, maxEntries, onEvict, updateTimeout",
    );
  });
}

Deno.test("new MemoryStore() rejects an own __proto__ among the options", () => {
  const options = JSON.parse('{"__proto__":{"ttl":1}}');

  assertThrows(() => new MemoryStore(options), TypeError, "unknown option");
});

Deno.test("new MemoryStore() ignores options that are inherited", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>(Object.create({ ttl: 1 }));
  await store.set("a", 1);

  time.tick(DAY);

  assertEquals(await store.get("a"), 1);
});

Deno.test("new MemoryStore() ignores options on a polluted Object.prototype", async () => {
  using time = new FakeTime(0);
  Object.defineProperty(Object.prototype, "ttl", {
    value: 1,
    configurable: true,
  });
  try {
    using store = new MemoryStore<number>({});
    await store.set("a", 1, {});

    time.tick(DAY);

    assertEquals(await store.get("a"), 1);
  } finally {
    Reflect.deleteProperty(Object.prototype, "ttl");
  }
});

const NOT_OPTIONS: [string, unknown][] = [
  ["null", null],
  ["a string", "5000"],
  ["a boolean", true],
  ["a bigint", 5000n],
  ["an array", [5000]],
  ["a function", () => {}],
  ["a promise", Promise.resolve({ ttl: 1 })],
];

for (const [name, options] of NOT_OPTIONS) {
  Deno.test(`new MemoryStore() rejects options that are ${name}`, () => {
    assertThrows(
      () => new MemoryStore(untyped(options)),
      TypeError,
      `options must be an object: received ${name}`,
    );
  });
}

// ttl arguments

const WRONG_TTLS = [0, -0, -1, NaN, -Infinity, 2 ** 53, 1e20, MAX_TIME + 1];

for (const ttl of WRONG_TTLS) {
  Deno.test(`new MemoryStore() rejects a ttl of ${inspect(ttl)}`, () => {
    assertThrows(() => new MemoryStore({ ttl }), RangeError, "ttl must");
  });
}

const TTLS_OF_WRONG_TYPE: [string, unknown][] = [
  ["a string", "60"],
  ["a bigint", 60n],
  ["null", null],
  ["an object", new Date()],
  ["an object", {}],
  ["an array", [60]],
  ["a boolean", true],
  ["a promise", Promise.resolve(60)],
];

for (const [name, ttl] of TTLS_OF_WRONG_TYPE) {
  Deno.test(`new MemoryStore() rejects a ttl that is ${name}, ${inspect(ttl)}`, () => {
    assertThrows(
      () => new MemoryStore({ ttl: untyped(ttl) }),
      TypeError,
      `ttl must be a number: received ${name}`,
    );
  });
}

for (const [method, call] of Object.entries(TTL_CALLS)) {
  for (const ttl of WRONG_TTLS) {
    Deno.test(`MemoryStore.${method}() rejects a ttl of ${inspect(ttl)} and changes nothing`, async () => {
      using time = new FakeTime(0);
      using store = new MemoryStore<number>();
      await store.set("a", 1, { ttl: 100 });

      await assertRejects(() => call(store, ttl), RangeError, "ttl must");

      time.tick(99);
      assertEquals(await store.get("a"), 1);
      time.tick(1);
      assertEquals(await store.get("a"), undefined);
    });
  }

  for (const [name, ttl] of TTLS_OF_WRONG_TYPE) {
    Deno.test(`MemoryStore.${method}() rejects a ttl that is ${name}, ${inspect(ttl)}, and changes nothing`, async () => {
      using time = new FakeTime(0);
      using store = new MemoryStore<number>();
      await store.set("a", 1, { ttl: 100 });

      await assertRejects(
        () => call(store, untyped(ttl)),
        TypeError,
        `ttl must be a number: received ${name}`,
      );

      time.tick(99);
      assertEquals(await store.get("a"), 1);
      time.tick(1);
      assertEquals(await store.get("a"), undefined);
    });
  }

  for (
    const ttl of [
      1,
      1_000,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32 + 5,
      30 * DAY,
      400 * DAY,
      MAX_TIME,
    ]
  ) {
    Deno.test(`MemoryStore.${method}() lets an entry live for exactly ${ttl} ms`, async () => {
      using time = new FakeTime(0);
      using store = new MemoryStore<number>();
      await store.set("a", 1);

      await call(store, ttl);

      time.tick(ttl - 1);
      assert(await store.has("a"));
      time.tick(1);
      assertFalse(await store.has("a"));
    });
  }

  for (const [ttl, life] of [[0.2, 1], [1.5, 2], [99.999, 100]] as const) {
    Deno.test(`MemoryStore.${method}() rounds a ttl of ${ttl} up to ${life} ms`, async () => {
      using time = new FakeTime(0);
      using store = new MemoryStore<number>();
      await store.set("a", 1);

      await call(store, ttl);

      time.tick(life - 1);
      assert(await store.has("a"));
      time.tick(1);
      assertFalse(await store.has("a"));
    });
  }

  Deno.test(`MemoryStore.${method}() lets an entry live for ever with a ttl of Infinity`, async () => {
    using time = new FakeTime(0);
    using store = new MemoryStore<number>({ ttl: 100 });
    await store.set("a", 1);

    await call(store, Infinity);

    time.tick(1_000 * 365 * DAY);
    assert(await store.has("a"));
  });

  Deno.test(`MemoryStore.${method}() rejects a ttl whose end no Date can hold`, async () => {
    using time = new FakeTime(0);
    using store = new MemoryStore<number>();
    await store.set("a", 1);

    time.tick(1);

    await assertRejects(
      () => call(store, MAX_TIME),
      RangeError,
      "write Infinity for ever",
    );
    await call(store, MAX_TIME - 1);
  });

  Deno.test(`MemoryStore.${method}() counts a ttl from the call, not from the entry's creation`, async () => {
    using time = new FakeTime(0);
    using store = new MemoryStore<number>();
    await store.set("a", 1, { ttl: 100 });

    time.tick(60);
    await call(store, 100);

    time.tick(99);
    assert(await store.has("a"));
    time.tick(1);
    assertFalse(await store.has("a"));
  });

  Deno.test(`MemoryStore.${method}() can make a life shorter`, async () => {
    using time = new FakeTime(0);
    using store = new MemoryStore<number>();
    await store.set("a", 1, { ttl: 100 });

    await call(store, 10);

    time.tick(9);
    assert(await store.has("a"));
    time.tick(1);
    assertFalse(await store.has("a"));
  });
}

// Options of a call

for (const [method, call] of Object.entries(OPTIONS_CALLS)) {
  for (const name of ["ttlMs", "maxAge", "expiresAt", "ex", "TTL"]) {
    Deno.test(`MemoryStore.${method}() rejects the unknown option ${name}`, async () => {
      using store = new MemoryStore<number>();
      await store.set("a", 1);

      await assertRejects(
        () => call(store, untyped({ [name]: 1 })),
        TypeError,
        `unknown option "${name}": the options are ttl`,
      );

      assertEquals(await store.get("a"), 1);
    });
  }

  for (
    const [name, options] of [
      ...NOT_OPTIONS,
      ["a number", 5000],
    ] as [string, unknown][]
  ) {
    Deno.test(`MemoryStore.${method}() rejects options that are ${name}`, async () => {
      using store = new MemoryStore<number>();
      await store.set("a", 1);

      await assertRejects(
        () => call(store, untyped(options)),
        TypeError,
        `options must be an object: received ${name}`,
      );

      assertEquals(await store.get("a"), 1);
    });
  }

  Deno.test(`MemoryStore.${method}() ignores options that are inherited`, async () => {
    using time = new FakeTime(0);
    using store = new MemoryStore<number>();

    await call(store, untyped(Object.create({ ttl: 1 })));

    time.tick(DAY);
    assertEquals(await store.get("a"), 2);
  });

  Deno.test(`MemoryStore.${method}() takes a ttl that is undefined as left out`, async () => {
    using time = new FakeTime(0);
    using store = new MemoryStore<number>({ ttl: 100 });

    await call(store, untyped({ ttl: undefined }));

    time.tick(99);
    assertEquals(await store.get("a"), 2);
    time.tick(1);
    assertEquals(await store.get("a"), undefined);
  });
}

// Keys

const NOT_KEYS: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["a number", 1],
  ["a bigint", 1n],
  ["a boolean", true],
  ["a symbol", Symbol("secret")],
  ["an object", {}],
  ["an array", ["a"]],
  ["an object", new String("a")],
  ["an object", new Uint8Array([97])],
  ["a function", () => "a"],
  ["a promise: did you forget await?", Promise.resolve("a")],
];

const LONG_KEYS: [string, string, number][] = [
  ["1,025 bytes", "a".repeat(1025), 1025],
  ["1,026 bytes of two each", "é".repeat(513), 1026],
  ["1,026 bytes of three each", "€".repeat(342), 1026],
  ["1,028 bytes of four each", "😀".repeat(257), 1028],
  ["a megabyte", "a".repeat(2 ** 20), 2 ** 20],
];

for (const [method, call] of Object.entries(CALLS)) {
  for (const [name, key] of NOT_KEYS) {
    Deno.test(`MemoryStore.${method}() rejects a key that is ${name}, ${inspect(key)}`, async () => {
      using store = new MemoryStore();

      await assertRejects(
        () => call(store, untyped(key)),
        TypeError,
        `key must be a string: received ${name}`,
      );

      assertEquals(store.size, 0);
    });
  }

  for (const key of ["\ud800", "a\udfff", "\udc00\ud800", "\ud83d"]) {
    Deno.test(`MemoryStore.${method}() rejects the key ${inspect(key)}, which has a lone surrogate`, async () => {
      using store = new MemoryStore();

      await assertRejects(
        () => call(store, key),
        TypeError,
        "key must be a well-formed string",
      );

      assertEquals(store.size, 0);
    });
  }

  for (const [name, key, bytes] of LONG_KEYS) {
    Deno.test(`MemoryStore.${method}() rejects a key of ${name}`, async () => {
      using store = new MemoryStore();

      const error = await assertRejects(
        () => call(store, key),
        RangeError,
        `key must be at most 1024 bytes of UTF-8: received ${bytes}`,
      );

      assertFalse(error.message.includes("aa"));
      assertEquals(store.size, 0);
    });
  }

  Deno.test(`MemoryStore.${method}() never asks a key for its text`, async () => {
    using store = new MemoryStore();
    let asked = 0;
    const key = {
      toString: () => `${asked++}`,
      valueOf: () => asked++,
      [Symbol.toPrimitive]: () => `${asked++}`,
      toJSON: () => asked++,
    };

    await assertRejects(() => call(store, untyped(key)), TypeError, "key");

    assertEquals(asked, 0);
  });
}

for (const [name, key] of KEYS) {
  Deno.test(`MemoryStore takes ${name} as a key like any other`, async () => {
    using store = new MemoryStore<number>();
    await store.set("other", 0);

    assertEquals(await store.get(key), undefined);
    assertEquals(await store.has(key), false);
    assertEquals(await store.touch(key), false);
    await store.set(key, 1);
    assertEquals(await store.get(key), 1);
    assertEquals(await store.has(key), true);
    assertEquals(await store.touch(key), true);
    assertEquals(await store.update(key, (n = 0) => n + 1), 2);
    assertEquals([...store], [["other", 0], [key, 2]]);
    await store.delete(key);
    assertEquals(await store.get(key), undefined);
    assertEquals(store.size, 1);
  });
}

const TWINS: [string, string, string][] = [
  ["NFC and NFD", "\u00e9", "e\u0301"],
  ["Latin and Cyrillic", "a", "\u0430"],
  ["the Kelvin sign and k", "\u212a", "k"],
  ["the Kelvin sign and K", "\u212a", "K"],
  ["upper and lower case", "A", "a"],
  ["with and without a space", "a", "a "],
  ["with and without NUL", "a", "a\0"],
];

for (const [name, first, second] of TWINS) {
  Deno.test(`MemoryStore keeps keys apart that differ by ${name}`, async () => {
    using store = new MemoryStore<number>();

    await store.set(first, 1);
    await store.set(second, 2);

    assertEquals(await store.get(first), 1);
    assertEquals(await store.get(second), 2);
  });
}

Deno.test("MemoryStore leaves Object.prototype alone whatever the keys", async () => {
  using store = new MemoryStore<{ polluted: boolean }>();
  const before = Reflect.ownKeys(Object.prototype);

  for (const [, key] of KEYS) await store.set(key, { polluted: true });

  assertEquals(Reflect.ownKeys(Object.prototype), before);
  assertFalse("polluted" in {});
});

// get, set, delete, has

Deno.test("MemoryStore.get() resolves to undefined for a key that was never set", async () => {
  using store = new MemoryStore<number>();

  assertStrictEquals(await store.get("a"), undefined);
});

for (const value of [null, 0, "", false, NaN, -0, 0n]) {
  Deno.test(`MemoryStore tells ${inspect(value)} from a miss`, async () => {
    using store = new MemoryStore<unknown>();

    await store.set("a", value);

    assert(Object.is(await store.get("a"), value));
    assert(await store.has("a"));
    assert(await store.touch("a"));
    assert(Object.is(await store.update("a", () => {}), value));
    assertEquals(store.size, 1);
  });
}

Deno.test("MemoryStore.set() resolves to undefined", async () => {
  using store = new MemoryStore<number>();

  assertStrictEquals(await store.set("a", 1), undefined);
});

Deno.test("MemoryStore.set() replaces a value", async () => {
  using store = new MemoryStore<number>();
  await store.set("a", 1);

  await store.set("a", 2);

  assertEquals(await store.get("a"), 2);
  assertEquals(store.size, 1);
});

Deno.test("MemoryStore.set() replaces a deadline by the store's default", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 100 });

  await store.set("a", 2);

  time.tick(DAY);
  assertEquals(await store.get("a"), 2);
});

Deno.test("MemoryStore.set() refuses undefined and points to delete", async () => {
  using store = new MemoryStore<unknown>();
  await store.set("a", 1);

  await assertRejects(
    () => store.set("a", undefined),
    TypeError,
    "value must not be undefined: write delete(key)",
  );

  assertEquals(await store.get("a"), 1);
});

Deno.test("MemoryStore.delete() removes an entry and resolves to undefined", async () => {
  using store = new MemoryStore<number>();
  await store.set("a", 1);
  await store.set("b", 2);

  assertStrictEquals(await store.delete("a"), undefined);

  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.has("a"), false);
  assertEquals(await store.get("b"), 2);
  assertEquals(store.size, 1);
});

Deno.test("MemoryStore.delete() does nothing when there is no entry", async () => {
  using store = new MemoryStore<number>();
  await store.set("b", 2);

  assertStrictEquals(await store.delete("a"), undefined);
  assertStrictEquals(await store.delete("a"), undefined);

  assertEquals([...store], [["b", 2]]);
});

Deno.test("MemoryStore.delete() takes the deadline away with the entry", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 100 });
  await store.delete("a");
  await store.set("a", 2);

  time.tick(DAY);

  assertEquals(await store.get("a"), 2);
});

Deno.test("MemoryStore.has() resolves to whether there is an entry", async () => {
  using store = new MemoryStore<number>();

  assertEquals(await store.has("a"), false);
  await store.set("a", 1);
  assertEquals(await store.has("a"), true);
  await store.delete("a");
  assertEquals(await store.has("a"), false);
});

Deno.test("MemoryStore takes effect when called, in call order", async () => {
  using store = new MemoryStore<number>();

  const results = await Promise.all([
    store.get("a"),
    store.set("a", 1),
    store.get("a"),
    store.set("a", 2),
    store.get("a"),
    store.has("a"),
    store.touch("a"),
    store.update("a", (n = 0) => n + 1),
    store.get("a"),
    store.delete("a"),
    store.get("a"),
    store.has("a"),
    store.touch("a"),
    store.update("a", (n = 0) => n + 1),
    store.clear(),
    store.get("a"),
    store.set("a", 9),
  ]);

  assertEquals(results, [
    undefined,
    undefined,
    1,
    undefined,
    2,
    true,
    true,
    3,
    3,
    undefined,
    undefined,
    false,
    false,
    1,
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(await store.get("a"), 9);
});

Deno.test("MemoryStore changes at once, before a promise is awaited", async () => {
  using store = new MemoryStore<number>();

  const set = store.set("a", 1);
  assertEquals([...store], [["a", 1]]);
  const update = store.update("a", () => 2);
  assertEquals([...store], [["a", 2]]);
  const removal = store.delete("a");
  assertEquals([...store], []);

  await Promise.all([set, update, removal]);
});

// Expiry

type Maker = (
  store: MemoryStore<number>,
) => Promise<unknown>;

/** Each way to give the entry `"a"` of a fresh store the deadline 100. */
const DEADLINES: [string, number | undefined, Maker][] = [
  ["set with a ttl", undefined, (store) => store.set("a", 1, { ttl: 100 })],
  ["set with the store's default", 100, (store) => store.set("a", 1)],
  [
    "set with a ttl that overrides the store's default",
    5,
    (store) => store.set("a", 1, { ttl: 100 }),
  ],
  ["touched with a ttl", undefined, async (store) => {
    await store.set("a", 1);
    await store.touch("a", 100);
  }],
  ["touched with the store's default", 100, async (store) => {
    await store.set("a", 1, { ttl: 5 });
    await store.touch("a");
  }],
  [
    "created by update with a ttl",
    undefined,
    (store) => store.update("a", () => 1, { ttl: 100 }),
  ],
  [
    "created by update with the store's default",
    100,
    (store) => store.update("a", () => 1),
  ],
  ["given a ttl by update", undefined, async (store) => {
    await store.set("a", 1, { ttl: 5 });
    await store.update("a", () => {}, { ttl: 100 });
  }],
  ["changed by update, which keeps the deadline", 5, async (store) => {
    await store.set("a", 1, { ttl: 100 });
    await store.update("a", (n = 0) => n + 1);
  }],
  [
    "changed by an asynchronous update, which keeps the deadline",
    5,
    async (store) => {
      await store.set("a", 1, { ttl: 100 });
      await store.update("a", async (n = 0) => await Promise.resolve(n + 1));
    },
  ],
  ["read, which keeps the deadline", undefined, async (store) => {
    await store.set("a", 1, { ttl: 100 });
    await store.get("a");
    await store.has("a");
  }],
];

/** Each way to see that `"a"` is there or not. */
const LOOKS: [string, (store: MemoryStore<number>) => Promise<boolean>][] = [
  ["get", async (store) => await store.get("a") !== undefined],
  ["has", (store) => store.has("a")],
  ["touch", (store) => store.touch("a")],
  ["update", async (store) => {
    let seen: unknown;
    await store.update("a", (value) => {
      seen = value;
    });
    return seen !== undefined;
  }],
  // deno-lint-ignore require-await -- the others are asynchronous
  ["size", async (store) => store.size === 1],
  // deno-lint-ignore require-await -- the others are asynchronous
  ["iteration", async (store) => [...store].length === 1],
];

for (const [how, ttl, make] of DEADLINES) {
  for (const [when, isThere] of [[99, true], [100, false], [101, false]]) {
    Deno.test(`MemoryStore ${isThere ? "has" : "has no"} entry at ${when} ms that was ${how} to end at 100 ms`, async () => {
      for (const [name, look] of LOOKS) {
        using time = new FakeTime(0);
        using store = new MemoryStore<number>({ ttl });
        await make(store);

        time.tick(Number(when));

        assertEquals(await look(store), isThere, name);
      }
    });
  }
}

Deno.test("MemoryStore.touch() gives an entry no deadline when there is no default", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 100 });

  assertEquals(await store.touch("a"), true);

  time.tick(DAY);
  assertEquals(await store.get("a"), 1);
});

Deno.test("MemoryStore.touch() never creates an entry", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("expired", 1, { ttl: 1 });
  time.tick(1);

  assertEquals(await store.touch("absent", 100), false);
  assertEquals(await store.touch("expired", 100), false);

  assertEquals(await store.get("absent"), undefined);
  assertEquals(await store.get("expired"), undefined);
  assertEquals(store.size, 0);
});

Deno.test("MemoryStore.touch() leaves the value as it is", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });

  await store.touch("a", 100);

  assertEquals(await store.get("a"), { n: 1 });
});

Deno.test("MemoryStore.update() gives an expired entry that it makes anew the store's default", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ ttl: 100 });
  await store.set("a", 7, { ttl: 10 });
  time.tick(10);

  assertEquals(await store.update("a", (n = 0) => n + 1), 1);

  time.tick(99);
  assertEquals(await store.get("a"), 1);
  time.tick(1);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("MemoryStore.update() counts a new ttl from the moment it takes effect", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  const gate = makeGate();
  const update = store.update("a", async () => {
    await gate.opened;
    return 1;
  }, { ttl: 100 });

  time.tick(50);
  gate.open();
  await update;

  time.tick(99);
  assertEquals(await store.get("a"), 1);
  time.tick(1);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("MemoryStore.update() gives a new ttl when it stores what was there", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 100 });

  await store.update("a", () => {}, { ttl: Infinity });

  time.tick(DAY);
  assertEquals(await store.get("a"), 1);
});

Deno.test("MemoryStore never brings an entry back when the clock is set back", async () => {
  let now = 1_000;
  using _clock = stub(Date, "now", () => now);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 100 });
  await store.set("b", 1, { ttl: 200 });

  now = 1_100;
  assertEquals(await store.get("a"), undefined);
  now = 1_050;

  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.get("b"), 1);
});

Deno.test("MemoryStore lets no entry outlive its ttl when the clock is set back", async () => {
  let now = 1_000_000;
  using _clock = stub(Date, "now", () => now);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 200 });
  now += 100;
  await store.get("a");

  now -= 3_600_000;
  await store.set("b", 1, { ttl: 100 });
  now += 99;
  assertEquals(await store.get("a"), 1);
  assertEquals(await store.get("b"), 1);
  now += 1;

  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.get("b"), undefined);
});

Deno.test("MemoryStore expires entries when the clock is set forward", async () => {
  let now = 0;
  using _clock = stub(Date, "now", () => now);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 1_000 });
  await store.set("b", 1);

  now += 3_600_000;

  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.get("b"), 1);
});

Deno.test("MemoryStore.update() does not make an entry immortal that expires between two looks at the clock", async () => {
  let now = 0;
  let step = 0;
  using _clock = stub(Date, "now", () => now += step);
  // The clock moves on at each look, so the deadline comes between any two.
  for (let ttl = 1; ttl <= 20; ttl++) {
    now = 0;
    step = 0;
    using store = new MemoryStore<number>();
    await store.set("a", 1, { ttl });
    step = 1;

    await store.update("a", (n = 0) => n + 1, {});

    step = 0;
    // It was either changed while it lived, or made anew by one whole update.
    const value = await store.get("a");
    now = 1_000;
    const later = await store.get("a");
    assertEquals(later, value === 1 ? 1 : undefined, `ttl ${ttl}`);
  }
});

// Sweeping, size, iteration

Deno.test("MemoryStore.size counts live entries only", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 10 });
  await store.set("b", 1, { ttl: 20 });
  await store.set("c", 1);

  assertEquals(store.size, 3);
  time.tick(10);
  assertEquals(store.size, 2);
  time.tick(10);
  assertEquals(store.size, 1);
});

Deno.test("MemoryStore.size drops all expired entries", async () => {
  using time = new FakeTime(0);
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ onEvict });
  for (let i = 0; i < 100; i++) await store.set(`${i}`, i, { ttl: 100 - i });
  await store.set("live", 1);
  time.tick(100);

  assertEquals(store.size, 1);

  assertEquals(lines.length, 100);
  assertEquals(lines[0], "99=99 expired");
  assertEquals(lines[99], "0=0 expired");
});

/** How many expired entries a write drops at most, besides its own. */
const SWEPT = 256;

const WRITES: [
  string,
  number,
  (store: MemoryStore<number>) => Promise<unknown>,
][] = [
  ["set", SWEPT, (store) => store.set("new", 1)],
  ["delete", SWEPT, (store) => store.delete("live")],
  ["delete of nothing", SWEPT, (store) => store.delete("absent")],
  ["touch", SWEPT, (store) => store.touch("live")],
  ["update", SWEPT, (store) => store.update("live", () => 2)],
  ["get", 0, (store) => store.get("live")],
  ["has", 0, (store) => store.has("live")],
  ["get of an expired entry", 1, (store) => store.get("999")],
  ["set of an expired entry", SWEPT + 1, (store) => store.set("999", 1)],
  ["delete of an expired entry", SWEPT + 1, (store) => store.delete("999")],
];

for (const [name, dropped, write] of WRITES) {
  Deno.test(`MemoryStore drops ${dropped} of 1,000 expired entries by ${name}`, async () => {
    using time = new FakeTime(0);
    const { lines, onEvict } = collect();
    using store = new MemoryStore<number>({ onEvict });
    for (let i = 0; i < 1_000; i++) await store.set(`${i}`, i, { ttl: 1 + i });
    await store.set("live", 1);
    time.tick(10_000);

    await write(store);

    assertEquals(lines.length, dropped);
    if (dropped >= SWEPT) {
      const swept = lines.filter((line) => !line.startsWith("999="));
      assertEquals(
        swept,
        Array.from({ length: SWEPT }, (_, i) => `${i}=${i} expired`),
      );
    }
  });
}

Deno.test("MemoryStore holds no more than what lives plus one sweep when entries come and expire", async () => {
  using time = new FakeTime(0);
  let dropped = 0;
  using store = new MemoryStore<number>({ ttl: 100, onEvict: () => dropped++ });

  for (let i = 0; i < 2_000; i++) {
    await store.set(`${i}`, i);
    time.tick(1);
  }

  assertLess(2_000 - dropped, 100 + 2);
});

Deno.test("MemoryStore expires entries in the order of their deadlines, however they were changed", async () => {
  using time = new FakeTime(0);
  const expired: number[] = [];
  const deadlines = new Map<string, number>();
  using store = new MemoryStore<number>({
    onEvict: ({ key }) => expired.push(deadlines.get(key) ?? NaN),
  });
  // Every residue of a multiplication by a unit: all deadlines, shuffled.
  for (let i = 0; i < 211; i++) {
    const key = `${i}`;
    const ttl = 1 + (i * 83) % 211;
    await store.set(key, i, { ttl });
    deadlines.set(key, ttl);
  }
  for (let i = 0; i < 211; i += 3) {
    const key = `${i}`;
    const ttl = 1 + (i * 57) % 500;
    await store.touch(key, ttl);
    deadlines.set(key, ttl);
  }
  for (let i = 0; i < 211; i += 5) {
    await store.delete(`${i}`);
    deadlines.delete(`${i}`);
  }
  for (let i = 1; i < 211; i += 7) {
    await store.touch(`${i}`, Infinity);
    deadlines.delete(`${i}`);
  }

  time.tick(1_000);
  const live = store.size;

  assertEquals(expired, [...deadlines.values()].toSorted((a, b) => a - b));
  assertEquals(
    live,
    Array.from({ length: 211 }, (_, i) => i)
      .filter((i) => i % 7 === 1 && i % 5 !== 0).length,
  );
});

Deno.test("MemoryStore[Symbol.iterator]() yields live entries in the order of their creation", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("c", 1);
  await store.set("x", 2, { ttl: 10 });
  await store.set("a", 3);
  await store.set("b", 4);
  await store.set("c", 5);
  await store.delete("a");
  await store.set("a", 6);
  time.tick(10);

  assertEquals([...store], [["c", 5], ["b", 4], ["a", 6]]);
});

Deno.test("MemoryStore[Symbol.iterator]() yields copies", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });

  for (const [, value] of store) value.n = 9;

  assertEquals(await store.get("a"), { n: 1 });
});

Deno.test("MemoryStore[Symbol.iterator]() drops nothing and tells nobody", async () => {
  using time = new FakeTime(0);
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ onEvict });
  await store.set("a", 1, { ttl: 1 });
  time.tick(1);

  assertEquals([...store], []);

  assertEquals(lines, []);
});

Deno.test("MemoryStore[Symbol.iterator]() goes on when entries come and go", async () => {
  using store = new MemoryStore<number>();
  await fill(store, "abcd");
  let seen = "";

  for (const [key] of store) {
    seen += key;
    if (key === "b") await Promise.all([store.delete("a"), store.delete("c")]);
    if (key === "d") await store.set("e", 1);
  }

  assertEquals(seen, "abde");
});

Deno.test("MemoryStore.clear() removes all entries", async () => {
  using store = new MemoryStore<number>();
  await store.set("a", 1);
  await store.set("b", 1, { ttl: 10 });

  assertStrictEquals(await store.clear(), undefined);

  assertEquals(store.size, 0);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("MemoryStore.clear() takes deadlines away with the entries", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  for (let i = 0; i < 20; i++) await store.set(`${i}`, 1, { ttl: 10 + i });
  await store.clear();
  await fill(store, ["0", "7", "a"]);

  time.tick(DAY);
  await store.set("b", 1);

  assertEquals([...store].map(([key]) => key), ["0", "7", "a", "b"]);
});

// onEvict

const NOTICES: [string, (store: MemoryStore<number>) => unknown][] = [
  ["get", (store) => store.get("a")],
  ["has", (store) => store.has("a")],
  ["delete", (store) => store.delete("a")],
  ["touch", (store) => store.touch("a")],
  ["set of its key", (store) => store.set("a", 2)],
  ["set of another key", (store) => store.set("b", 2)],
  ["update of its key", (store) => store.update("a", () => 2)],
  ["update that stores nothing", (store) => store.update("a", () => {})],
  ["size", (store) => store.size],
];

for (const [name, notice] of NOTICES) {
  Deno.test(`MemoryStore tells onEvict once of an entry whose expiry is noticed by ${name}`, async () => {
    using time = new FakeTime(0);
    const { lines, onEvict } = collect();
    using store = new MemoryStore<number>({ onEvict });
    await store.set("a", 1, { ttl: 10 });
    time.tick(9);
    await notice(store);
    await store.set("a", 1, { ttl: 10 });
    lines.length = 0;
    time.tick(10);

    await notice(store);
    await store.get("a");

    assertEquals(lines, ["a=1 expired"]);
  });
}

Deno.test("MemoryStore tells onEvict nothing of what is deleted, replaced, cleared or disposed of", async () => {
  using time = new FakeTime(0);
  const { lines, onEvict } = collect();
  const store = new MemoryStore<number>({ maxEntries: 3, onEvict });
  await fill(store, "abc");

  await store.set("a", 1);
  await store.update("a", () => 2);
  await store.delete("a");
  await store.clear();
  await store.set("a", 1);
  await store.set("b", 1, { ttl: 1 });
  time.tick(1);
  await store.clear();
  await store.set("a", 1);
  store[Symbol.dispose]();

  assertEquals(lines, []);
});

Deno.test("MemoryStore tells onEvict of the key, the value and the reason alone", async () => {
  const evictions: Eviction<number[]>[] = [];
  using store = new MemoryStore<number[]>({
    maxEntries: 1,
    onEvict: (eviction) => evictions.push(eviction),
  });

  await store.set("a", [1]);
  await store.set("b", [2]);

  assertEquals(evictions, [{ key: "a", value: [1], reason: "capacity" }]);
});

Deno.test("MemoryStore gives onEvict a value that nobody else has", async () => {
  const passed = { n: 1 };
  let evicted: { n: number } | undefined;
  using store = new MemoryStore<{ n: number }>({
    maxEntries: 1,
    onEvict: ({ value }) => evicted = value,
  });
  await store.set("a", passed);
  const got = await store.get("a");
  await store.set("b", { n: 2 });

  passed.n = 8;
  if (got) got.n = 9;

  assertEquals(evicted, { n: 1 });
});

for (const isRead of [true, false]) {
  const when = isRead ? "that was read" : "that nobody has read";
  Deno.test(`MemoryStore gives onEvict a value ${when} without members under a symbol`, async () => {
    const values: object[] = [];
    using store = new MemoryStore<object>({
      maxEntries: 1,
      onEvict: ({ value }) => values.push(value),
    });
    // Once one was read, the shape of the others is known.
    for (const key of ["a", "b", "c"]) {
      await store.set(key, {
        n: 1,
        [Symbol("s")]: 2,
        in: { [Symbol("t")]: 3 },
      });
      if (isRead || key === "a") await store.get(key);
    }
    await store.set("d", {});

    const keys = values.map((value) => [
      Reflect.ownKeys(value),
      Reflect.ownKeys(Reflect.get(value, "in")),
    ]);
    assertEquals(keys, Array(3).fill([["n", "in"], []]));
  });
}

Deno.test("MemoryStore.set() succeeds when onEvict throws", async () => {
  using logged = stub(console, "error", () => {});
  const failure = new Error("evicted");
  using store = new MemoryStore<number>({
    maxEntries: 1,
    onEvict: () => {
      throw failure;
    },
  });
  await store.set("a", 1);

  await store.set("b", 2);

  assertEquals([...store], [["b", 2]]);
  assertEquals(logged.calls.length, 1);
  assertStrictEquals(logged.calls[0]?.args[1], failure);
});

Deno.test("MemoryStore.set() succeeds when onEvict rejects", async () => {
  using logged = stub(console, "error", () => {});
  const failure = new Error("evicted");
  using store = new MemoryStore<number>({
    maxEntries: 1,
    onEvict: () => Promise.reject(failure),
  });
  await store.set("a", 1);

  await store.set("b", 2);
  await delay(0);

  assertEquals([...store], [["b", 2]]);
  assertEquals(logged.calls.length, 1);
  assertStrictEquals(logged.calls[0]?.args[1], failure);
});

Deno.test("MemoryStore does not wait for an onEvict that never settles", async () => {
  using store = new MemoryStore<number>({ maxEntries: 1, onEvict: hang });
  await store.set("a", 1);

  await store.set("b", 2);

  assertEquals([...store], [["b", 2]]);
});

Deno.test("MemoryStore tells onEvict of the other entries when it throws for one", async () => {
  using time = new FakeTime(0);
  using logged = stub(console, "error", () => {});
  const told: string[] = [];
  using store = new MemoryStore<number>({
    onEvict: ({ key }) => {
      told.push(key);
      if (key === "b") throw new Error("evicted");
    },
  });
  await store.set("a", 1, { ttl: 1 });
  await store.set("b", 1, { ttl: 2 });
  await store.set("c", 1, { ttl: 3 });
  time.tick(3);

  assertEquals(store.size, 0);

  assertEquals(told, ["a", "b", "c"]);
  assertEquals(logged.calls.length, 1);
});

Deno.test("MemoryStore writes neither the key nor the value of an eviction to the console", async () => {
  using logged = stub(console, "error", () => {});
  using store = new MemoryStore<string>({
    maxEntries: 1,
    onEvict: () => {
      throw new Error("evicted");
    },
  });

  await store.set("secret-key", "secret-value");
  await store.set("b", "2");

  assertEquals(logged.calls.length, 1);
  assertFalse(inspect(logged.calls[0]?.args).includes("secret"));
});

Deno.test("MemoryStore tells onEvict when the entry is gone and the new one is there", async () => {
  const seen: unknown[] = [];
  using store: MemoryStore<number> = new MemoryStore<number>({
    maxEntries: 1,
    onEvict: () => seen.push([...store], store.size),
  });
  await store.set("a", 1);

  await store.set("b", 2);

  assertEquals(seen, [[["b", 2]], 1]);
});

Deno.test("MemoryStore lets onEvict store what was evicted under another key", async () => {
  using time = new FakeTime(0);
  const saved: Promise<void>[] = [];
  using store: MemoryStore<number> = new MemoryStore<number>({
    onEvict: ({ key, value }) => saved.push(store.set(`old ${key}`, value)),
  });
  await store.set("a", 1, { ttl: 1 });
  await store.set("b", 2, { ttl: 2 });
  time.tick(2);

  await store.set("c", 3);
  await Promise.all(saved);

  assertEquals([...store], [["c", 3], ["old a", 1], ["old b", 2]]);
});

Deno.test("MemoryStore lets onEvict store what was evicted under the same key", async () => {
  using time = new FakeTime(0);
  using store: MemoryStore<number> = new MemoryStore<number>({
    onEvict: ({ key, value }) => store.set(key, value + 1),
  });
  await store.set("a", 1, { ttl: 1 });
  time.tick(1);

  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.get("a"), 2);
});

Deno.test("MemoryStore keeps its bound when onEvict writes to a full store", async () => {
  let writes = 0;
  using store: MemoryStore<number> = new MemoryStore<number>({
    maxEntries: 2,
    onEvict: () => writes++ < 10 ? store.set(`extra ${writes}`, 1) : undefined,
  });
  await fill(store, "ab");

  await store.set("c", 1);

  assertEquals(store.size, 2);
  assertEquals(writes, 11);
});

Deno.test("MemoryStore.touch() gives no deadline to an entry that onEvict deletes meanwhile", async () => {
  using time = new FakeTime(0);
  const work: Promise<unknown>[] = [];
  using store: MemoryStore<number> = new MemoryStore<number>({
    onEvict: ({ key }) => {
      if (key === "a") work.push(store.touch("c", 50));
      if (key === "b") work.push(store.delete("c"));
    },
  });
  await store.set("a", 1, { ttl: 1 });
  await store.set("b", 1, { ttl: 2 });
  await store.set("c", 1);
  time.tick(2);
  assertEquals(store.size, 0);
  await Promise.all(work);

  await store.set("c", 2);
  time.tick(50);
  await store.set("d", 1);

  assertEquals([...store], [["c", 2], ["d", 1]]);
});

Deno.test("MemoryStore.delete() leaves deadlines in order when onEvict clears the store meanwhile", async () => {
  using time = new FakeTime(0);
  using logged = stub(console, "error", () => {});
  const work: Promise<unknown>[] = [];
  using store: MemoryStore<number> = new MemoryStore<number>({
    onEvict: ({ key }) => {
      if (key === "a") work.push(store.delete("d"));
      if (key === "b") work.push(store.clear(), store.set("e", 1, { ttl: 10 }));
    },
  });
  await store.set("a", 1, { ttl: 1 });
  await store.set("b", 1, { ttl: 2 });
  await store.set("c", 1, { ttl: 100 });
  await store.set("d", 1, { ttl: 200 });
  time.tick(2);
  assertLess(store.size, 5);

  await Promise.all(work);
  assertEquals(await store.get("e"), 1);
  time.tick(10);

  assertEquals(await store.get("e"), undefined);
  assertEquals(store.size, 0);
  assertEquals(logged.calls.length, 0);
});

Deno.test("MemoryStore.update() tells onEvict of what it has dropped when it rejects for conflicts", async () => {
  using time = new FakeTime(0);
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ onEvict });
  const writes: Promise<void>[] = [];

  await assertRejects(
    () =>
      store.update("a", () => {
        const run = writes.length + 1;
        writes.push(store.set("a", run, { ttl: run < 100 ? Infinity : 1 }));
        if (run === 100) time.tick(1);
        return 0;
      }),
    UpdateConflictError,
  );

  await Promise.all(writes);
  assertEquals(lines, ["a=100 expired"]);
});

// Capacity

Deno.test("MemoryStore never holds more than maxEntries", async () => {
  using store = new MemoryStore<number>({ maxEntries: 10 });

  for (let i = 0; i < 1_000; i++) {
    await store.set(`${i}`, i);
    if (i % 3 === 0) await store.get(`${i - 5}`);
    if (i % 7 === 0) await store.update(`new ${i}`, () => i);
    assert([...store].length <= 10);
  }

  assertEquals(store.size, 10);
});

Deno.test("MemoryStore takes the oldest entry out of a full store when none was used", async () => {
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 3, onEvict });

  await fill(store, "abcde");

  assertEquals(lines, ["a=0 capacity", "b=0 capacity"]);
  assertEquals(keysOf(store), "cde");
});

const USES: [string, (store: MemoryStore<number>) => Promise<unknown>][] = [
  ["read by get", (store) => store.get("a")],
  ["overwritten by set", (store) => store.set("a", 1)],
  ["touched", (store) => store.touch("a")],
  ["changed by update", (store) => store.update("a", () => 1)],
];

for (const [name, use] of USES) {
  Deno.test(`MemoryStore spares an entry that was ${name}`, async () => {
    using store = new MemoryStore<number>({ maxEntries: 3 });
    await fill(store, "abc");

    await use(store);
    await store.set("d", 0);

    assertEquals(keysOf(store), "acd");
  });
}

const PEEKS: [string, (store: MemoryStore<number>) => unknown][] = [
  ["asked for by has", (store) => store.has("a")],
  ["iterated over", (store) => [...store]],
  ["counted", (store) => store.size],
  ["set before another one", () => {}],
  ["met by a failed update", async (store) => {
    await assertRejects(() =>
      store.update("a", () => {
        throw new Error("no");
      })
    );
  }],
];

for (const [name, peek] of PEEKS) {
  Deno.test(`MemoryStore does not spare an entry that was only ${name}`, async () => {
    using store = new MemoryStore<number>({ maxEntries: 3 });
    await fill(store, "abc");

    await peek(store);
    await store.set("d", 0);

    assertEquals(keysOf(store), "bcd");
  });
}

Deno.test("MemoryStore spares a used entry once, not for ever", async () => {
  using store = new MemoryStore<number>({ maxEntries: 3 });
  await fill(store, "abc");
  await store.get("a");
  await store.set("d", 0); // spares a, takes b
  await store.get("c");
  await store.get("d");

  await store.set("e", 0); // spares c and d, and then a no more

  assertEquals(keysOf(store), "cde");
});

Deno.test("MemoryStore takes the oldest entry when all were used", async () => {
  using store = new MemoryStore<number>({ maxEntries: 3 });
  await fill(store, "abc");
  for (const key of "abc") await store.get(key);

  await store.set("d", 0);

  assertEquals(keysOf(store), "bcd");
});

Deno.test("MemoryStore goes on where it stopped to look for a victim", async () => {
  using store = new MemoryStore<number>({ maxEntries: 4 });
  await fill(store, "abcd");
  await store.get("a");
  await store.set("e", 0); // spares a, takes b
  await store.get("c");

  await store.set("f", 0); // spares c, takes d; a is older but was passed

  assertEquals(keysOf(store), "acef");
});

Deno.test("MemoryStore starts with the oldest again after it has taken the newest", async () => {
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 3, onEvict });
  await fill(store, "abc");
  await store.get("a");
  await store.get("b");
  await store.set("d", 0); // spares a and b, takes c, the newest
  lines.length = 0;

  await fill(store, "ef");

  // As SIEVE has it: without that, each new entry would take the last one, and
  // a and b stayed for ever although nobody uses them.
  assertEquals(lines, ["a=0 capacity", "b=0 capacity"]);
});

Deno.test("MemoryStore keeps an entry in use through a flood of others", async () => {
  using store = new MemoryStore<number>({ maxEntries: 100 });
  await store.set("signed in", 1);

  for (let i = 0; i < 10_000; i++) {
    await store.set(`flood ${i}`, i);
    if (i % 50 === 0) await store.get("signed in");
  }

  assertEquals(await store.get("signed in"), 1);
});

Deno.test("MemoryStore takes expired entries before live ones", async () => {
  using time = new FakeTime(0);
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 3, onEvict });
  await store.set("a", 0);
  await store.set("b", 0, { ttl: 10 });
  await store.get("b");
  await store.set("c", 0);
  time.tick(10);

  await store.set("d", 0);

  assertEquals(lines, ["b=0 expired"]);
  assertEquals(keysOf(store), "acd");
});

Deno.test("MemoryStore takes no live entry while more than a sweep have expired", async () => {
  using time = new FakeTime(0);
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 100, onEvict });
  await store.set("live", 0);
  for (let i = 0; i < 99; i++) await store.set(`${i}`, 0, { ttl: 10 });
  time.tick(10);

  for (let i = 0; i < 99; i++) await store.set(`new ${i}`, 0);

  assertEquals(lines.filter((line) => line.endsWith("capacity")), []);
  assert(await store.has("live"));
});

Deno.test("MemoryStore evicts nothing when an entry of a full store is overwritten", async () => {
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 2, onEvict });
  await fill(store, "ab");

  await store.set("a", 1);
  await store.update("b", () => 1);
  await store.touch("a", 100);

  assertEquals(lines, []);
  assertEquals([...store], [["a", 1], ["b", 1]]);
});

Deno.test("MemoryStore evicts for an entry that update creates", async () => {
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 2, onEvict });
  await fill(store, "ab");

  await store.update("c", () => 1);

  assertEquals(lines, ["a=0 capacity"]);
});

Deno.test("MemoryStore evicts nothing when a refused value would be a new entry", async () => {
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 2, onEvict });
  await fill(store, "ab");

  await assertRejects(() => store.set("c", untyped(() => {})), TypeError);
  await assertRejects(
    () => store.update("c", () => untyped(() => {})),
    TypeError,
  );

  assertEquals(lines, []);
  assertEquals(keysOf(store), "ab");
});

Deno.test("MemoryStore with room for one holds the last one", async () => {
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 1, onEvict });

  await store.set("a", 0);
  await store.get("a");
  await store.set("b", 0);
  await store.set("c", 0);

  assertEquals(lines, ["a=0 capacity", "b=0 capacity"]);
  assertEquals(keysOf(store), "c");
});

Deno.test("MemoryStore finds a victim after the next one in line was deleted", async () => {
  using store = new MemoryStore<number>({ maxEntries: 4 });
  await fill(store, "abcd");
  await store.get("a");
  await store.set("e", 0); // takes b, so c is next in line
  await store.delete("c");
  await store.set("f", 0); // there is room

  await store.set("g", 0);

  assertEquals(keysOf(store), "aefg");
});

Deno.test("MemoryStore finds victims after it was cleared", async () => {
  using store = new MemoryStore<number>({ maxEntries: 3 });
  await fill(store, "abcde");
  await store.clear();

  await fill(store, "vwxyz");

  assertEquals(keysOf(store), "xyz");
});

Deno.test("MemoryStore keeps entries apart after some were deleted and then all", async () => {
  using store = new MemoryStore<number>();
  await fill(store, "abc");
  await store.delete("b");
  await store.delete("c");
  await store.clear();

  for (const [i, key] of [..."vwxyz"].entries()) await store.set(key, i);

  const entries = [..."vwxyz"].map((key, i) => [key, i]);
  assertEquals([...store], entries);
});

/** Leaves every 1,000th of 8,000 entries; the room of the others is given back. */
async function thinOut(store: MemoryStore): Promise<void> {
  for (let i = 0; i < 8_000; i++) {
    if (i % 1_000 !== 0) await store.delete(`${i}`);
  }
}

Deno.test("MemoryStore keeps what is left of many entries", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  for (let i = 0; i < 8_000; i++) {
    await store.set(`${i}`, i, i < 4_000 ? { ttl: 9_000 - i } : undefined);
  }

  await thinOut(store);
  await store.set("new", -1);

  const left = [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000];
  assertEquals([...store], [...left.map((i) => [`${i}`, i]), ["new", -1]]);
  for (const i of [3_000, 2_000, 1_000, 0]) {
    time.tick(9_000 - i - 1 - Date.now());
    assertEquals(await store.get(`${i}`), i);
    time.tick(1);
    assertEquals(await store.get(`${i}`), undefined);
  }
  assertEquals(store.size, 5);
});

Deno.test("MemoryStore takes the right one of what is left of many entries", async () => {
  const { lines, onEvict } = collect();
  using store = new MemoryStore<number>({ maxEntries: 8_000, onEvict });
  for (let i = 0; i < 8_000; i++) await store.set(`${i}`, i);
  await store.get("1000");
  await store.set("8000", 0); // takes 0, so 1 is next in line

  await thinOut(store);
  for (let i = 0; i < 7_994; i++) await store.set(`new ${i}`, i);

  assertEquals(lines, [
    "0=0 capacity",
    "2000=2000 capacity",
    "3000=3000 capacity",
  ]);
  assertEquals(store.size, 8_000);
  for (let i = 0; i < 7_994; i++) assertEquals(await store.get(`new ${i}`), i);
});

Deno.test("MemoryStore copies what is left of many entries", async () => {
  using store = new MemoryStore<unknown>();
  for (let i = 0; i < 8_000; i++) await store.set(`${i}`, i);
  const list = { items: [1] };
  await store.set("list", list);
  await store.get("list");

  await thinOut(store);

  const copy = await store.get("list") as typeof list; // as it was set
  copy.items.push(2);
  assertEquals(await store.get("list"), list);
});

Deno.test("MemoryStore.update() resolves to its own entry when many others have expired", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  for (let i = 0; i < 8_000; i++) await store.set(`${i}`, -1, { ttl: 1 });
  await store.set("count", 0);
  time.tick(1);

  for (let i = 1; i <= 40; i++) {
    assertEquals(await store.update("count", (n = 0) => n + 1), i);
  }
});

Deno.test("MemoryStore.update() goes on while others leave", async () => {
  using store = new MemoryStore<number>();
  for (let i = 0; i < 8_000; i++) await store.set(`${i}`, i);
  let runs = 0;

  const updated = store.update("7000", async (n = 0) => {
    runs++;
    await thinOut(store);
    return -n;
  });

  assertEquals(await updated, -7_000);
  assertEquals(runs, 1);
  assertEquals(await store.get("7000"), -7_000);
});

// update

Deno.test("MemoryStore.update() stores what fn returns and resolves to it", async () => {
  using store = new MemoryStore<number>();
  await store.set("a", 1);

  assertEquals(await store.update("a", (n = 0) => n + 1), 2);

  assertEquals(await store.get("a"), 2);
});

Deno.test("MemoryStore.update() passes fn undefined and nothing else when there is no entry", async () => {
  using store = new MemoryStore<number>();
  const calls: unknown[][] = [];

  await store.update("a", (...args) => {
    calls.push(args);
  });

  assertEquals(calls, [[undefined]]);
});

Deno.test("MemoryStore.update() creates an entry that was absent", async () => {
  using store = new MemoryStore<number>();

  assertEquals(await store.update("a", (n = 0) => n + 1), 1);

  assertEquals(await store.get("a"), 1);
});

Deno.test("MemoryStore.update() stores the copy as fn left it when it returns nothing", async () => {
  using store = new MemoryStore<{ cart: string[] }>();
  await store.set("a", { cart: ["tea"] });

  const stored = await store.update("a", (session) => {
    session?.cart.push("milk");
  });

  assertEquals(stored, { cart: ["tea", "milk"] });
  assertEquals(await store.get("a"), { cart: ["tea", "milk"] });
});

Deno.test("MemoryStore.update() stores the copy as an asynchronous fn left it when it resolves to nothing", async () => {
  using store = new MemoryStore<{ cart: string[] }>();
  await store.set("a", { cart: ["tea"] });

  const stored = await store.update("a", async (session) => {
    await Promise.resolve();
    session?.cart.push("milk");
  });

  assertEquals(stored, { cart: ["tea", "milk"] });
  assertEquals(await store.get("a"), { cart: ["tea", "milk"] });
});

Deno.test("MemoryStore.update() keeps a primitive when fn forgets to return", async () => {
  using store = new MemoryStore<number>();
  await store.set("a", 1);

  assertEquals(await store.update("a", () => {}), 1);

  assertEquals(await store.get("a"), 1);
});

Deno.test("MemoryStore.update() leaves an absent entry absent when fn returns nothing", async () => {
  using store = new MemoryStore<number>();

  assertStrictEquals(await store.update("a", () => {}), undefined);
  assertStrictEquals(
    await store.update("a", async () => await Promise.resolve()),
    undefined,
  );

  assertEquals(store.size, 0);
  assertFalse(await store.has("a"));
});

for (const value of [null, 0, "", false]) {
  Deno.test(`MemoryStore.update() stores ${inspect(value)} when fn returns it`, async () => {
    using store = new MemoryStore<unknown>();
    await store.set("a", 1);

    assertStrictEquals(await store.update("a", () => value), value);

    assertStrictEquals(await store.get("a"), value);
  });
}

Deno.test("MemoryStore.update() stores what fn returns when that is its argument, changed", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });

  await store.update("a", (value) => {
    if (value) value.n = 2;
    return value;
  });

  assertEquals(await store.get("a"), { n: 2 });
});

Deno.test("MemoryStore.update() stores what fn returns rather than what it did to its argument", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });

  await store.update("a", (value) => {
    if (value) value.n = 2;
    return { n: 3 };
  });

  assertEquals(await store.get("a"), { n: 3 });
});

Deno.test("MemoryStore.update() shares nothing with fn or the caller", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });
  const returned = { n: 2 };
  let received: { n: number } | undefined;

  const resolved = await store.update("a", (value) => {
    received = value;
    return returned;
  });
  returned.n = 7;
  if (received) received.n = 8;
  if (resolved) resolved.n = 9;

  assertEquals(await store.get("a"), { n: 2 });
});

Deno.test("MemoryStore.update() shares nothing with the argument of an fn that returns nothing", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });
  let received: { n: number } | undefined;

  const resolved = await store.update("a", (value) => {
    received = value;
  });
  if (received) received.n = 8;
  if (resolved) resolved.n = 9;

  assertEquals(await store.get("a"), { n: 1 });
});

const NOT_FUNCTIONS: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["an object", { n: 1 }],
  ["an array", []],
  ["a string", "n + 1"],
  ["a number", 1],
  ["a promise: did you forget await?", Promise.resolve(() => 1)],
];

for (const [name, fn] of NOT_FUNCTIONS) {
  Deno.test(`MemoryStore.update() rejects an fn that is ${name}`, async () => {
    using store = new MemoryStore<number>();
    await store.set("a", 1);

    await assertRejects(
      () => store.update("a", untyped(fn)),
      TypeError,
      `fn must be a function: received ${name}`,
    );

    assertEquals(await store.get("a"), 1);
  });
}

for (const [name, options] of [["ttl", { ttl: 0 }], ["x", { x: 1 }]] as const) {
  Deno.test(`MemoryStore.update() does not run fn when the option ${name} is wrong`, async () => {
    using store = new MemoryStore<number>();
    let runs = 0;

    await assertRejects(() =>
      store.update("a", () => ++runs, untyped(options))
    );

    assertEquals(runs, 0);
    assertEquals(store.size, 0);
  });
}

const FAILURES: [string, unknown][] = [
  ["an Error", new Error("no")],
  ["undefined", undefined],
  ["null", null],
  ["a string", "no"],
];

for (const [name, failure] of FAILURES) {
  Deno.test(`MemoryStore.update() rejects with ${name} that fn throws, and changes nothing`, async () => {
    using store = new MemoryStore<{ n: number }>();
    await store.set("a", { n: 1 });
    const none = {};
    let caught: unknown = none;

    await store.update("a", (value) => {
      if (value) value.n = 9;
      throw failure;
    }).catch((error: unknown) => caught = error);

    assertStrictEquals(caught, failure);
    assertEquals(await store.get("a"), { n: 1 });
    assertEquals(await store.update("a", () => ({ n: 2 })), { n: 2 });
  });

  Deno.test(`MemoryStore.update() rejects with ${name} that fn rejects with, and changes nothing`, async () => {
    using store = new MemoryStore<{ n: number }>();
    await store.set("a", { n: 1 });
    const none = {};
    let caught: unknown = none;

    await store.update("a", async (value) => {
      await Promise.resolve();
      if (value) value.n = 9;
      throw failure;
    }).catch((error: unknown) => caught = error);

    assertStrictEquals(caught, failure);
    assertEquals(await store.get("a"), { n: 1 });
    assertEquals(await store.update("a", () => ({ n: 2 })), { n: 2 });
  });
}

Deno.test("MemoryStore.update() lets updates go on that wait for one that fails", async () => {
  using store = new MemoryStore<number>();
  const increment = async (n = 0) => await Promise.resolve(n + 1);
  const fail = async () => {
    await Promise.resolve();
    throw new Error("no");
  };

  const outcomes = await Promise.allSettled([
    store.update("a", increment),
    store.update("a", fail),
    store.update("a", () => {
      throw new Error("no");
    }),
    store.update("a", () => untyped(() => {})),
    store.update("a", increment),
  ]);

  assertEquals(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "rejected", "rejected", "fulfilled"],
  );
  assertEquals(await store.get("a"), 2);
});

for (const ttl of [undefined, 1_000]) {
  Deno.test(`MemoryStore.update() loses none of 1,000 synchronous updates with a ttl of ${ttl}`, async () => {
    using store = new MemoryStore<number>({ ttl });

    const results = await Promise.all(
      Array.from(
        { length: 1_000 },
        () => store.update("a", (n = 0) => n + 1, { ttl }),
      ),
    );

    assertEquals(await store.get("a"), 1_000);
    assertEquals(results, Array.from({ length: 1_000 }, (_, i) => i + 1));
  });
}

Deno.test("MemoryStore.update() loses none of 1,000 asynchronous updates", async () => {
  using store = new MemoryStore<number>();
  let runs = 0;

  const results = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) =>
      store.update("a", async (n = 0) => {
        runs++;
        for (let j = 0; j < i % 4; j++) await Promise.resolve();
        return n + 1;
      })),
  );

  assertEquals(await store.get("a"), 1_000);
  assertEquals(results, Array.from({ length: 1_000 }, (_, i) => i + 1));
  assertEquals(runs, 1_000);
});

Deno.test("MemoryStore.update() loses none of 1,000 updates, synchronous and not", async () => {
  using store = new MemoryStore<number[]>();

  await Promise.all(
    Array.from({ length: 1_000 }, (_, i) =>
      store.update(
        "a",
        i % 2 === 0
          ? (list = []) => [...list, i]
          : async (list = []) => await Promise.resolve([...list, i]),
      )),
  );

  assertEquals(
    await store.get("a"),
    Array.from({ length: 1_000 }, (_, i) => i),
  );
});

Deno.test("MemoryStore.update() runs one update at a time and in call order", async () => {
  using store = new MemoryStore<string>();
  const log: string[] = [];
  const append = (name: string, turns: number) =>
    store.update("a", async (text = "") => {
      log.push(`${name} starts`);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      log.push(`${name} ends`);
      return text + name;
    });

  await Promise.all([append("1", 5), append("2", 0), append("3", 2)]);

  assertEquals(log, [
    "1 starts",
    "1 ends",
    "2 starts",
    "2 ends",
    "3 starts",
    "3 ends",
  ]);
  assertEquals(await store.get("a"), "123");
});

Deno.test("MemoryStore.update() runs a synchronous fn at once", async () => {
  using store = new MemoryStore<number>();
  let runs = 0;

  const update = store.update("a", () => ++runs);

  assertEquals(runs, 1);
  await update;
});

Deno.test("MemoryStore.update() runs an asynchronous fn at once when its key is free", async () => {
  using store = new MemoryStore<number>();
  let runs = 0;

  const update = store.update("a", async () => await Promise.resolve(++runs));

  assertEquals(runs, 1);
  await update;
});

Deno.test("MemoryStore.update() runs a synchronous fn at once when the update before it was awaited", async () => {
  using store = new MemoryStore<number>();
  await store.update("a", async () => await Promise.resolve(1));
  await assertRejects(() => store.update("a", () => Promise.reject("no")));

  const update = store.update("a", (n = 0) => n + 1);

  assertEquals([...store], [["a", 2]]);
  await update;
});

Deno.test("MemoryStore.update() makes a synchronous fn wait for an asynchronous one", async () => {
  using store = new MemoryStore<string>();
  const gate = makeGate();

  const first = store.update("a", async (text = "") => {
    await gate.opened;
    return text + "1";
  });
  const second = store.update("a", (text = "") => text + "2");
  assertEquals([...store], []);
  gate.open();

  assertEquals(await Promise.all([first, second]), ["1", "12"]);
});

Deno.test("MemoryStore.update() runs 10,000 updates of different keys side by side", async () => {
  using store = new MemoryStore<number>();
  const gate = makeGate();
  let running = 0;

  const updates = Array.from(
    { length: 10_000 },
    (_, i) =>
      store.update(`${i}`, async () => {
        running++;
        await gate.opened;
        return i;
      }),
  );
  assertEquals(running, 10_000);
  gate.open();
  await Promise.all(updates);

  assertEquals(store.size, 10_000);
  assertEquals(await store.get("9999"), 9_999);
});

Deno.test("MemoryStore.update() refreshes a token once for ten callers", async () => {
  using store = new MemoryStore<{ token: string; fresh: boolean }>();
  await store.set("ada", { token: "old", fresh: false });
  let refreshes = 0;

  const results = await Promise.all(
    Array.from({ length: 10 }, () =>
      store.update("ada", async (current) => {
        if (current?.fresh) return current;
        refreshes++;
        for (let i = 0; i < 5; i++) await Promise.resolve();
        return { token: `new ${refreshes}`, fresh: true };
      })),
  );

  assertEquals(refreshes, 1);
  for (const result of results) {
    assertEquals(result, { token: "new 1", fresh: true });
  }
});

Deno.test("MemoryStore does not wait for an update in flight", async () => {
  using store = new MemoryStore<number>();
  await store.set("a", 1);
  const gate = makeGate();
  const update = store.update("a", async (n = 0) => {
    await gate.opened;
    return n + 10;
  });

  const results = await Promise.all([
    store.get("a"),
    store.has("a"),
    store.touch("a"),
    store.set("a", 2),
    store.get("a"),
    store.delete("a"),
    store.get("a"),
    store.set("a", 3),
  ]);

  assertEquals(results.slice(0, 3), [1, true, true]);
  assertEquals(results.slice(4, 7), [2, undefined, undefined]);
  gate.open();
  assertEquals(await update, 13);
});

/** What can happen to the entry `"a"`, which is 1, while an update runs. */
const RACES: [
  string,
  (store: MemoryStore<number>, time: FakeTime) => unknown,
  number | undefined,
][] = [
  ["nothing", () => {}, 1],
  ["a set", (store) => store.set("a", 5), 5],
  ["a set of the same value", (store) => store.set("a", 1), 1],
  ["a delete", (store) => store.delete("a"), undefined],
  ["a delete and a set", async (store) => {
    await store.delete("a");
    await store.set("a", 7);
  }, 7],
  ["a set and a delete", async (store) => {
    await store.set("a", 7);
    await store.delete("a");
  }, undefined],
  ["a clear", (store) => store.clear(), undefined],
  ["expiry", (_store, time) => time.tick(100), undefined],
  ["a touch", (store) => store.touch("a", 1), 1],
  ["a touch, and then expiry", async (store, time) => {
    await store.touch("a", 1);
    time.tick(1);
  }, undefined],
];

for (const [name, happen, base] of RACES) {
  Deno.test(`MemoryStore.update() builds on the state that ${name} leaves meanwhile`, async () => {
    using time = new FakeTime(0);
    using store = new MemoryStore<number>();
    await store.set("a", 1, { ttl: 100 });
    const gate = makeGate();
    const update = store.update("a", async (n) => {
      await gate.opened;
      return n === undefined ? undefined : n + 10;
    });

    await happen(store, time);
    gate.open();
    const result = await update;

    assertEquals(result, base === undefined ? undefined : base + 10);
    assertEquals(await store.get("a"), result);
  });

  Deno.test(`MemoryStore.update() builds on the state that ${name} leaves meanwhile when values are objects`, async () => {
    using time = new FakeTime(0);
    using numbers = new MemoryStore<number>();
    using store = new MemoryStore<{ n: number }>();
    await store.set("a", { n: 1 }, { ttl: 100 });
    await numbers.set("a", 1, { ttl: 100 });
    const gate = makeGate();
    const update = store.update("a", async (value) => {
      await gate.opened;
      if (value) value.n += 10;
    });

    // The races are written for numbers: what they leave there is copied over.
    await happen(numbers, time);
    const left = await numbers.get("a");
    if (left === undefined) await store.delete("a");
    else if (left !== 1) await store.set("a", { n: left });
    gate.open();
    const result = await update;

    assertEquals(result, base === undefined ? undefined : { n: base + 10 });
    assertEquals(await store.get("a"), result);
  });
}

Deno.test("MemoryStore.update() does not bring a deleted entry back", async () => {
  using store = new MemoryStore<{ user: string; seen?: number }>();
  await store.set("session", { user: "ada" });
  const gate = makeGate();
  const update = store.update("session", async (session) => {
    await gate.opened;
    if (session) session.seen = 1;
  });

  await store.delete("session");
  gate.open();

  assertStrictEquals(await update, undefined);
  assertStrictEquals(await store.get("session"), undefined);
  assertEquals(store.size, 0);
});

Deno.test("MemoryStore.update() loses no set that lands while fn runs", async () => {
  using store = new MemoryStore<string[]>();
  const gate = makeGate();
  const update = store.update("a", async (list = []) => {
    await gate.opened;
    return [...list, "update"];
  });

  await store.set("a", ["set"]);
  gate.open();

  assertEquals(await update, ["set", "update"]);
});

Deno.test("MemoryStore.update() runs fn again only when the entry has changed", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });
  const gate = makeGate();
  let runs = 0;
  const update = store.update("a", async () => {
    runs++;
    await gate.opened;
  });

  await store.set("b", { n: 1 });
  await store.get("a");
  await store.has("a");
  gate.open();
  await update;

  assertEquals(runs, 1);
});

Deno.test("MemoryStore.update() runs fn again on a fresh copy", async () => {
  using store = new MemoryStore<number[]>();
  await store.set("a", [1]);
  const gate = makeGate();
  const update = store.update("a", async (list = []) => {
    list.push(9);
    await gate.opened;
  });

  await store.set("a", [2]);
  gate.open();

  assertEquals(await update, [2, 9]);
});

Deno.test("MemoryStore.update() keeps the deadline of a touch that lands while fn runs", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 100 });
  const gate = makeGate();
  const update = store.update("a", async (n = 0) => {
    await gate.opened;
    return n + 1;
  });

  await store.touch("a", 500);
  gate.open();
  await update;

  time.tick(499);
  assertEquals(await store.get("a"), 2);
  time.tick(1);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("MemoryStore.update() keeps the deadline of a set that lands while fn runs", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  await store.set("a", 1, { ttl: 100 });
  const gate = makeGate();
  const update = store.update("a", async (n = 0) => {
    await gate.opened;
    return n + 1;
  });

  await store.set("a", 1, { ttl: 500 });
  gate.open();
  await update;

  time.tick(499);
  assertEquals(await store.get("a"), 2);
  time.tick(1);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("MemoryStore.update() rejects after 100 runs when fn writes its own key each time", async () => {
  using store = new MemoryStore<number>();
  let runs = 0;

  const error = await assertRejects(
    () =>
      store.update("a", async () => {
        await store.set("a", ++runs);
        return 0;
      }),
    UpdateConflictError,
    "during each of 100 runs",
  );

  assertEquals(runs, 100);
  assertEquals(error.outcome, "not applied");
  assertEquals(await store.get("a"), 100);
  assertEquals(await store.update("a", () => 0), 0);
});

Deno.test("MemoryStore.update() rejects after 100 runs when a synchronous fn writes its own key each time", async () => {
  using store = new MemoryStore<number>();
  const writes: Promise<void>[] = [];

  await assertRejects(
    () =>
      store.update("a", () => {
        writes.push(store.set("a", writes.length + 1));
        return 0;
      }),
    UpdateConflictError,
  );

  await Promise.all(writes);
  assertEquals(writes.length, 100);
  assertEquals(await store.get("a"), 100);
});

Deno.test("MemoryStore.update() succeeds when the entry stops changing at the hundredth run", async () => {
  using store = new MemoryStore<number>();
  let runs = 0;

  const result = await store.update("a", async (n = 0) => {
    if (++runs < 100) await store.set("a", runs);
    return n + 1_000;
  });

  assertEquals(result, 1_099);
});

Deno.test("MemoryStore.update() waits for a thenable that fn returns", async () => {
  using store = new MemoryStore<number>();
  const thenable: PromiseLike<number> = {
    then: (onfulfilled) => Promise.resolve(5).then(onfulfilled),
  };

  assertEquals(await store.update("a", () => untyped(thenable)), 5);

  assertEquals(await store.get("a"), 5);
});

Deno.test("MemoryStore.update() rejects with what a thenable of fn rejects with", async () => {
  using store = new MemoryStore<number>();
  const failure = new Error("no");
  const thenable: PromiseLike<number> = {
    then: (onfulfilled, onrejected) =>
      Promise.reject(failure).then(onfulfilled, onrejected),
  };

  const error = await assertRejects(
    () => store.update("a", () => untyped(thenable)),
    Error,
  );

  assertStrictEquals(error, failure);
  assertEquals(await store.update("a", () => 1), 1);
});

Deno.test("MemoryStore.update() stores data that has a member named then", async () => {
  using store = new MemoryStore<unknown>();

  await store.update("a", () => ({ then: "later" }));

  assertEquals(await store.get("a"), { then: "later" });
});

Deno.test("MemoryStore.update() queues an update of its own key that fn does not await", async () => {
  using store = new MemoryStore<string>();
  const inner: Promise<unknown>[] = [];

  await store.update("a", (text = "") => {
    inner.push(store.update("a", (current = "") => current + "inner"));
    return text + "outer ";
  });
  await Promise.all(inner);

  assertEquals(await store.get("a"), "outer inner");
});

Deno.test("MemoryStore.update() queues an update of its own key that an asynchronous fn does not await", async () => {
  using store = new MemoryStore<string>();
  const inner: Promise<unknown>[] = [];

  await store.update("a", async (text = "") => {
    inner.push(store.update("a", (current = "") => current + "inner"));
    await Promise.resolve();
    return text + "outer ";
  });
  await Promise.all(inner);

  assertEquals(await store.get("a"), "outer inner");
});

Deno.test("MemoryStore.update() lets fn await an update of another key", async () => {
  using store = new MemoryStore<number>();

  await store.update("a", async (n = 0) => {
    await store.update("b", (m = 0) => m + 1);
    return n + 1;
  });

  assertEquals([...store], [["b", 1], ["a", 1]]);
});

Deno.test("MemoryStore.update() runs fn again when an inner synchronous update of the same entry has changed it", async () => {
  using store = new MemoryStore<number>();
  const inner: Promise<unknown>[] = [];
  let runs = 0;

  const result = await store.update("a", (n = 0) => {
    if (runs++ === 0) inner.push(store.set("a", 5));
    return n + 1;
  });

  await Promise.all(inner);
  assertEquals(result, 6);
});

// updateTimeout

Deno.test("MemoryStore.update() rejects for an fn that hangs, and for what waits, when updateTimeout is over", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  await store.set("a", 1);
  const hung = store.update("a", hang);
  const waiting = store.update("a", (n = 0) => n + 1);
  const outcomes = Promise.allSettled([hung, waiting]);

  await time.tickAsync(999);
  assert(await isPending(hung));
  assert(await isPending(waiting));
  await time.tickAsync(1);

  for (const outcome of await outcomes) {
    assert(outcome.status === "rejected");
    assertInstanceOf(outcome.reason, UpdateTimeoutError);
    assertEquals(outcome.reason.outcome, "not applied");
    assertStringIncludes(outcome.reason.message, "within 1000 ms");
    assertStringIncludes(
      outcome.reason.message,
      "must not wait for another update of its own key",
    );
  }
  assertEquals(await store.get("a"), 1);
});

Deno.test("MemoryStore.update() waits 30 seconds by default", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>();
  const hung = store.update("a", hang);
  const waiting = store.update("a", () => 1);
  const outcomes = Promise.allSettled([hung, waiting]);

  await time.tickAsync(29_999);
  assert(await isPending(waiting));
  await time.tickAsync(1);

  assertEquals(
    (await outcomes).map(({ status }) => status),
    ["rejected", "rejected"],
  );
});

Deno.test("MemoryStore.update() does not limit an fn that nobody waits for", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  const gate = makeGate();
  const slow = store.update("a", async () => {
    await gate.opened;
    return 1;
  });

  await time.tickAsync(DAY);
  assert(await isPending(slow));
  gate.open();

  assertEquals(await slow, 1);
});

Deno.test("MemoryStore.update() lets others wait for ever when updateTimeout is Infinity", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: Infinity });
  const gate = makeGate();
  const slow = store.update("a", async () => {
    await gate.opened;
    return 1;
  });
  const waiting = store.update("a", (n = 0) => n + 1);

  await time.tickAsync(30 * DAY);
  assert(await isPending(waiting));
  gate.open();

  assertEquals(await Promise.all([slow, waiting]), [1, 2]);
});

Deno.test("MemoryStore.update() gives each run its own updateTimeout", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  const gates = [makeGate(), makeGate(), makeGate(), makeGate()];
  const updates = Promise.all(
    gates.map((gate) =>
      store.update("a", async (n = 0) => {
        await gate.opened;
        return n + 1;
      })
    ),
  );

  for (const gate of gates) {
    await time.tickAsync(900);
    gate.open();
    await time.runMicrotasks();
  }

  assertEquals(await updates, [1, 2, 3, 4]);
});

Deno.test("MemoryStore.update() of another key is not affected by an fn that hangs", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  const outcomes = Promise.allSettled([
    store.update("a", hang),
    store.update("a", () => 1),
  ]);

  assertEquals(await store.update("b", () => 1), 1);
  assertEquals(
    await store.update("b", async (n = 0) => await Promise.resolve(n + 1)),
    2,
  );

  await time.tickAsync(1_000);
  await outcomes;
});

Deno.test("MemoryStore reads and writes a key whose update hangs", async () => {
  const store = new MemoryStore<number>();
  const hung = store.update("a", hang);

  await store.set("a", 1);
  assertEquals(await store.get("a"), 1);
  await store.delete("a");
  assertEquals(await store.get("a"), undefined);

  store[Symbol.dispose]();
  await assertRejects(() => hung, StoreError);
});

Deno.test("MemoryStore.update() discards the late result of an fn that was given up", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  await store.set("a", 1);
  const gate = makeGate();
  let runs = 0;
  const outcomes = Promise.allSettled([
    store.update("a", async () => {
      runs++;
      await gate.opened;
      return 666;
    }),
    store.update("a", () => 667),
  ]);
  await time.tickAsync(1_000);
  await outcomes;

  gate.open();
  await time.runMicrotasks();

  assertEquals(await store.get("a"), 1);
  assertEquals(runs, 1);
});

Deno.test("MemoryStore.update() discards the late result of an fn that was given up when the entry has changed", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  await store.set("a", 1);
  const gate = makeGate();
  let runs = 0;
  const outcomes = Promise.allSettled([
    store.update("a", async () => {
      runs++;
      await gate.opened;
      return 666;
    }),
    store.update("a", () => 667),
  ]);
  await time.tickAsync(1_000);
  await outcomes;
  await store.set("a", 2);

  gate.open();
  await time.runMicrotasks();

  assertEquals(await store.get("a"), 2);
  assertEquals(runs, 1);
});

Deno.test("MemoryStore.update() goes on with a key whose update was given up", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<string>({ updateTimeout: 1_000 });
  const late = makeGate();
  const gate = makeGate();
  const outcomes = Promise.allSettled([
    store.update("a", async () => {
      await late.opened;
      return "late";
    }),
    store.update("a", () => "waited"),
  ]);
  await time.tickAsync(1_000);
  await outcomes;

  // The one given up settles while the next two of the key are at work: it
  // must neither start the second of them nor end the first.
  const first = store.update("a", async (text = "") => {
    await gate.opened;
    return text + "1";
  });
  const second = store.update("a", (text = "") => text + "2");
  late.open();
  await time.runMicrotasks();
  assert(await isPending(second));
  gate.open();

  assertEquals(await Promise.all([first, second]), ["1", "12"]);
});

Deno.test("MemoryStore.update() ignores an fn that was given up and rejects late", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  const gate = makeGate();
  const outcomes = Promise.allSettled([
    store.update("a", async () => {
      await gate.opened;
      throw new Error("late");
    }),
    store.update("a", () => 1),
  ]);
  await time.tickAsync(1_000);
  await outcomes;

  gate.open();
  await time.runMicrotasks();

  assertEquals(await store.update("a", () => 2), 2);
});

Deno.test("MemoryStore.update() ends with a timeout when fn awaits an update of its own key", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  let innerError: unknown;
  const outer = store.update("a", async (n = 0) => {
    try {
      await store.update("a", (m = 0) => m + 1);
    } catch (error) {
      innerError = error;
    }
    return n + 1;
  });
  const outcome = Promise.allSettled([outer]);

  await time.tickAsync(1_000);

  const [result] = await outcome;
  assert(result?.status === "rejected");
  assertInstanceOf(result.reason, UpdateTimeoutError);
  await time.runMicrotasks();
  assertInstanceOf(innerError, UpdateTimeoutError);
  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.update("a", () => 3), 3);
});

Deno.test("MemoryStore.update() starts the updateTimeout when the first other update begins to wait", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore<number>({ updateTimeout: 1_000 });
  const hung = store.update("a", hang);
  await time.tickAsync(5_000);
  const waiting = store.update("a", () => 1);
  const outcomes = Promise.allSettled([hung, waiting]);

  await time.tickAsync(600);
  const later = store.update("a", () => 2);
  const last = Promise.allSettled([later]);
  assert(await isPending(waiting));
  await time.tickAsync(400);

  const all = [...await outcomes, ...await last];
  assertEquals(all.map(({ status }) => status), Array(3).fill("rejected"));
});

// Disposal

const DISPOSED_CALLS: Record<string, (store: MemoryStore) => Promise<unknown>> =
  {
    ...Object.fromEntries(
      Object.entries(CALLS).map(([method, call]) => [
        method,
        (store: MemoryStore) => call(store, "secret-key"),
      ]),
    ),
    clear: (store) => store.clear(),
  };

for (const [method, call] of Object.entries(DISPOSED_CALLS)) {
  Deno.test(`MemoryStore.${method}() rejects when the store was disposed`, async () => {
    const store = new MemoryStore();
    await store.set("secret-key", 1);
    await store[Symbol.asyncDispose]();

    const error = await assertRejects(
      () => call(store),
      StoreError,
      "the store was disposed",
    );

    assertEquals(error.outcome, "not applied");
    assertFalse(error.message.includes("secret"));
  });
}

for (
  const [name, symbol] of [["dispose", Symbol.dispose], [
    "asyncDispose",
    Symbol.asyncDispose,
  ]] as const
) {
  Deno.test(`MemoryStore[Symbol.${name}]() empties the store`, async () => {
    const store = new MemoryStore<number>();
    await store.set("a", 1);
    await store.set("b", 1, { ttl: 10 });

    await store[symbol]();

    assertEquals(store.size, 0);
    assertEquals([...store], []);
  });

  Deno.test(`MemoryStore[Symbol.${name}]() does nothing the second time`, async () => {
    const store = new MemoryStore<number>();

    await store[symbol]();

    assertStrictEquals(await store[symbol](), undefined);
  });

  Deno.test(`MemoryStore[Symbol.${name}]() makes an update in flight reject`, async () => {
    const store = new MemoryStore<number>();
    await store.set("a", 1);
    const gate = makeGate();
    const update = async (n = 0) => {
      await gate.opened;
      return n + 1;
    };
    const outcomes = Promise.allSettled([
      store.update("a", update),
      store.update("a", update),
      store.update("absent", update),
    ]);

    await store[symbol]();
    gate.open();

    for (const outcome of await outcomes) {
      assert(outcome.status === "rejected");
      assertInstanceOf(outcome.reason, StoreError);
      assertEquals(outcome.reason.outcome, "not applied");
    }
    assertEquals(store.size, 0);
  });
}

Deno.test("MemoryStore ends with the block that uses it", async () => {
  let outer: MemoryStore<number>;
  {
    using store = new MemoryStore<number>();
    outer = store;
  }
  let asyncOuter: MemoryStore<number>;
  {
    await using store = new MemoryStore<number>();
    asyncOuter = store;
  }

  await assertRejects(() => outer.get("a"), StoreError);
  await assertRejects(() => asyncOuter.get("a"), StoreError);
});

Deno.test("MemoryStore.set() checks its arguments also when the store was disposed", async () => {
  const store = new MemoryStore();
  store[Symbol.dispose]();

  await assertRejects(() => store.set(untyped(1), 1), TypeError, "key");
  await assertRejects(() => store.set("a", () => {}), TypeError, "function");
});

Deno.test("MemoryStore.set() stores nothing when a getter of the value disposes of the store", async () => {
  const store = new MemoryStore();
  const value = {
    get n() {
      store[Symbol.dispose]();
      return 1;
    },
  };

  await assertRejects(() => store.set("a", value), StoreError, "disposed");

  assertEquals(store.size, 0);
});

Deno.test("MemoryStore[Symbol.dispose]() ends updates that wait for one that hangs", async () => {
  // Real time: the sanitizer of the test runner sees a timer that is left.
  const store = new MemoryStore<number>();
  const hung = store.update("a", hang);
  const waiting = store.update("a", () => 1);

  const outcomes = Promise.allSettled([hung, waiting]);

  store[Symbol.dispose]();

  assertFalse(await isPending(outcomes));
  for (const outcome of await outcomes) {
    assert(outcome.status === "rejected");
    assertInstanceOf(outcome.reason, StoreError);
    assertStringIncludes(outcome.reason.message, "the store was disposed");
    assertEquals(outcome.reason.outcome, "not applied");
  }
});

// readersNeverMutate

Deno.test("MemoryStore shares what readers get when readersNeverMutate", async () => {
  using store = new MemoryStore<{ n: number[] }>({ readersNeverMutate: true });
  const value = { n: [1] };
  await store.set("a", value);
  value.n.push(2);

  const first = await store.get("a");

  assertEquals(first, { n: [1] });
  assert(first === await store.get("a"));
  assert(first === [...store][0]?.[1]);
});

Deno.test("MemoryStore.update() gives fn a copy when readersNeverMutate", async () => {
  using store = new MemoryStore<{ n: number }>({ readersNeverMutate: true });
  await store.set("a", { n: 1 });
  const before = await store.get("a");

  const after = await store.update("a", (value) => {
    if (value) value.n = 2;
  });

  assertEquals(before, { n: 1 });
  assertEquals(after, { n: 2 });
  assert(after === await store.get("a"));
});

Deno.test("MemoryStore drops members under a symbol also when readersNeverMutate", async () => {
  using store = new MemoryStore<object>({ readersNeverMutate: true });

  await store.set("a", { a: 1, [Symbol("b")]: 2 });

  assertEquals(Reflect.ownKeys(await store.get("a") ?? {}), ["a"]);
});

// Leaks and stalls

Deno.test("MemoryStore.update() starts no timer for those who wait a few turns only", async () => {
  using timeout = stub(globalThis, "setTimeout");
  using store = new MemoryStore<number>();

  await Promise.all(
    Array.from(
      { length: 10 },
      () => store.update("a", async (n = 0) => await Promise.resolve(n + 1)),
    ),
  );

  assertEquals(timeout.calls.length, 0);
});

Deno.test("MemoryStore leaves no timer and no entry after all kinds of calls", async () => {
  // Real time: the sanitizer of the test runner sees a timer that is left.
  const store = new MemoryStore<number>({ ttl: 60_000, maxEntries: 50 });
  const calls: Promise<unknown>[] = [];

  for (let i = 0; i < 2_000; i++) {
    const key = `${i % 97}`;
    calls.push(
      store.set(key, i),
      store.get(key),
      store.has(key),
      store.touch(key, 1_000 + i),
      store.update(key, (n = 0) => n + 1),
      store.update(key, async (n = 0) => await Promise.resolve(n + 1)),
      store.update(key, async (n = 0) => {
        // Long enough for the others of the key to want a timer.
        for (let turn = 0; turn < 50; turn++) await Promise.resolve();
        return n + 1;
      }),
      store.update(key, async () => {
        await Promise.resolve();
        throw new Error("no");
      }),
      store.update(key, () => untyped(() => {})),
      store.delete(key),
    );
  }
  await Promise.allSettled(calls);
  for (let i = 0; i < 97; i++) await store.delete(`${i}`);

  assertEquals(store.size, 0);
});

Deno.test("MemoryStore lets go of what has expired", async () => {
  let now = 0;
  using _clock = stub(Date, "now", () => now);
  const evicted: WeakRef<Uint8Array>[] = [];
  using store = new MemoryStore<Uint8Array>({
    ttl: 1_000,
    onEvict: ({ value }) => evicted.push(new WeakRef(value)),
  });

  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 500; i++) {
      await store.set(`${now++}`, new Uint8Array(20_000));
    }
    await delay(0); // a WeakRef holds its target until the turn is over
  }

  assertEquals(evicted.length, 19_000);
  const held = evicted.filter((ref) => ref.deref() !== undefined).length;
  assertLess(held, evicted.length / 2);
});

// Secrecy

Deno.test("MemoryStore shows neither keys nor values when it is inspected", async () => {
  using store = new MemoryStore<{ token: string }>();
  await store.set("secret-key", { token: "secret-value" });

  assertFalse(
    inspect(store, { depth: 9, showHidden: true }).includes("secret"),
  );
  assertFalse(`${JSON.stringify(store)} ${store}`.includes("secret"));
});

Deno.test("MemoryStore names neither the key nor the value in an error", async () => {
  using store = new MemoryStore<unknown>({ updateTimeout: 10 });
  const key = "secret-key";
  const value = { list: [() => "secret-value"], token: "secret-value" };

  const errors = await Promise.all([
    assertRejects(() => store.set(key, value), Error),
    assertRejects(() => store.set(key, undefined), Error),
    assertRejects(() => store.set(key, 1, { ttl: 0 }), Error),
    assertRejects(() => store.set(`${key}\ud800`, 1), Error),
    assertRejects(() => store.set(key.repeat(200), 1), Error),
    assertRejects(() => store.set(untyped([key]), 1), Error),
    assertRejects(() => store.set(untyped(Symbol(key)), 1), Error),
    assertRejects(() => store.touch(key, -1), Error),
    assertRejects(() => store.update(key, () => value), Error),
    assertRejects(() => store.update(key, untyped("secret-fn")), Error),
  ]);

  for (const error of errors) assertFalse(error.message.includes("secret"));
});
