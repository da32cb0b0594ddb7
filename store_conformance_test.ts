/**
 * What the kit asks of which store, and what it says. That it notices what is
 * broken is in `store_conformance_mutants_test.ts`.
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { hang, makeRedis, makeRedisSample, untyped } from "./_test_util.ts";
import { MemoryStore } from "./memory_store.ts";
import type { Store } from "./store.ts";
import {
  STORE_FEATURES,
  type StoreFeature,
  type StoreFixture,
  type StoreTestOptions,
  testStore,
} from "./store_conformance.ts";

type Tests = Map<string, () => Promise<void>>;

/** The tests that a store is given. */
function collect<F extends StoreFixture>(
  options: Omit<StoreTestOptions<F>, "test">,
): Tests {
  const tests: Tests = new Map();
  const test = (name: string, fn: () => Promise<void>) => tests.set(name, fn);
  testStore("MyStore", { ...options, test });
  return tests;
}

/** Fixtures that have nothing to dispose of and no clock. */
function opening(makeStore: () => Store): () => StoreFixture {
  return () => ({
    store: makeStore(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** A store of three methods in the fewest lines. */
function makeMapStore(): Store {
  const map = new Map<string, unknown>();
  return {
    get: (key) => Promise.resolve(map.get(key)),
    set: (key, value) => Promise.resolve(void map.set(key, value)),
    delete: (key) => Promise.resolve(void map.delete(key)),
  };
}

/** Another common form of it: a miss is what Redis says, `null`. */
function makeNullStore(): Store {
  const redis = makeRedis();
  return {
    async get(id) {
      return JSON.parse(await redis.get(id) ?? "null");
    },
    async set(id, data) {
      await redis.set(id, JSON.stringify(data));
    },
    async delete(id) {
      await redis.del(id);
    },
  };
}

// Stores of three methods run these under the test runner itself.

testStore("a Map", { test: Deno.test, open: opening(makeMapStore) });

for (
  const [name, makeStore] of [
    ["Harpia's store for Redis", makeRedisSample],
    ["a store that answers a miss with null", makeNullStore],
  ] as const
) {
  testStore(name, {
    test: Deno.test,
    open: opening(makeStore),
    supports: ["copies", "order"],
  });
}

// What is asked

Deno.test("testStore() asks more of a store that supports more", () => {
  const open = opening(makeMapStore);
  let supports: StoreFeature[] = [];
  let asked = collect({ open, supports });
  assert(asked.size > 0);

  for (const feature of STORE_FEATURES) {
    supports = [...supports, feature];
    const more = collect({ open, supports });

    assert(more.size > asked.size, feature);
    for (const name of asked.keys()) assert(more.has(name), name);
    asked = more;
  }
});

for (
  const [name, option] of [
    ["exactTime", { exactTime: true }],
    ["fail", { fail: () => ({ [Symbol.asyncDispose]: hang }) }],
    ["updateTimeout", { updateTimeout: 1 }],
  ] as const
) {
  Deno.test(`testStore() asks more of a store when it is given ${name}`, () => {
    const options = { open: opening(makeMapStore), supports: STORE_FEATURES };

    const { size } = collect({ ...options, ...option });

    assert(size > collect(options).size);
  });
}

Deno.test("testStore() opens nothing before a test runs", () => {
  collect({
    open: () => {
      throw new Error("opened");
    },
  });
});

Deno.test("testStore() gives functions without parameters", () => {
  for (const fn of collect({ open: opening(makeMapStore) }).values()) {
    assertEquals(fn.length, 0); // Bun takes a parameter for a callback
  }
});

// A clock that is not exact

const wait = setTimeout; // not that of `FakeTime`

/** The name of a test that waits for a deadline. */
const DEADLINE =
  "MyStore.set() lets an entry end when its ttl is over, not before";

/** A `MemoryStore` for which time passes at once, or too slowly. */
function openClock(slowness = 0): StoreFixture {
  const time = new FakeTime(0);
  const store = new MemoryStore<unknown>();
  return {
    store,
    async elapse(ms) {
      if (slowness > 0) {
        await new Promise((resolve) => wait(resolve, ms + slowness));
      }
      time.tick(ms + slowness);
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      time.restore();
    },
  };
}

Deno.test("testStore() finds nothing wrong with MemoryStore when waits are real", async () => {
  const supports = STORE_FEATURES;
  const tests = collect({ open: () => openClock(), supports });

  for (const fn of tests.values()) await fn();
});

Deno.test("testStore() tries again with longer ttls when the machine was too slow", async () => {
  const slowness = [90];
  const open = async () => {
    // The clock of workerd stands still until there is something to wait for.
    await new Promise((resolve) => wait(resolve, 1));
    return openClock(slowness.shift());
  };
  const fn = collect({ open, supports: ["ttl"] }).get(DEADLINE);
  assert(fn);

  await fn();

  assertEquals(slowness, []);
});

Deno.test("testStore() tries once when the machine was fast enough", async () => {
  let opened = 0;
  const open = () => {
    opened++;
    return { ...openClock(), store: makeMapStore() };
  };
  const fn = collect({ open, supports: ["ttl"] }).get(DEADLINE);
  assert(fn);

  await assertRejects(fn, Error, "after its deadline");

  assertEquals(opened, 1);
});

// What is said

Deno.test("testStore() says which rule is broken, what it expected and what it received", async () => {
  const open = opening(() => ({
    ...makeMapStore(),
    get: () => Promise.resolve(new Map([["a", [-0, "b", 1n]]])),
  }));
  const fn = collect({ open }).get("MyStore.set() replaces a value");
  assert(fn);

  const error = await assertRejects(fn, Error);

  assertEquals(error.name, "ConformanceError");
  assertEquals(
    error.message,
    'MyStore.set() replaces a value: get after the second set: expected { "n": 2 }: received Map[["a", [-0, "b", 1n]]]',
  );
});

Deno.test("testStore() passes on the error of a store as the cause of its own", async () => {
  const cause = new RangeError("full");
  const open = opening(() => ({
    ...makeMapStore(),
    set: () => Promise.reject(cause),
  }));
  const fn = collect({ open }).get("MyStore.set() replaces a value");
  assert(fn);

  const error = await assertRejects(fn, Error, "received RangeError: full");

  assertEquals(error.cause, cause);
});

Deno.test("testStore() fails for a store that never answers", async () => {
  const open = opening(() => ({ ...makeMapStore(), get: hang }));
  const fn = collect({ open, timeout: 10 }).get(
    "MyStore.set() replaces a value",
  );
  assert(fn);

  await assertRejects(fn, Error, "expected an answer within 10 ms");
});

Deno.test("testStore() disposes of a fixture also when a rule is broken", async () => {
  let disposed = 0;
  const open = () => ({
    store: { ...makeMapStore(), set: () => Promise.resolve() },
    [Symbol.asyncDispose]() {
      disposed++;
      return Promise.resolve();
    },
  });
  const fn = collect({ open }).get("MyStore.set() replaces a value");
  assert(fn);

  await assertRejects(fn);

  assertEquals(disposed, 1);
});

Deno.test("testStore() asks for elapse when a store supports ttl", async () => {
  const open = opening(makeMapStore);
  const fn = collect({ open, supports: ["ttl"] }).get(DEADLINE);
  assert(fn);

  await assertRejects(fn, Error, "fixture must have elapse");
});

// Options

Deno.test("testStore() rejects options that it does not know", () => {
  const open = opening(makeMapStore);
  const calls: [options: Record<string, unknown>, says: string][] = [
    [{ open, support: [] }, 'unknown option "support"'],
    [{ open, supports: ["atomic"] }, 'unknown feature "atomic"'],
    [{}, "open must be a function: received undefined"],
    [{ open: {} }, "open must be a function: received an object"],
    [{ open, fail: true }, "fail must be a function"],
    [{ open, exactTime: 1 }, "exactTime must be a boolean"],
    [{ open, timeout: "1" }, "timeout must be a number"],
    [{ open, updateTimeout: null }, "updateTimeout must be a number"],
  ];
  for (const [options, says] of calls) {
    const { message } = assertThrows(
      () => collect(untyped(options)),
      TypeError,
    );
    assertStringIncludes(message, says);
  }
});

Deno.test("testStore() rejects a timeout that is no duration", () => {
  const open = opening(makeMapStore);
  for (const timeout of [0, -1, NaN, 2 ** 31]) {
    assertThrows(() => collect({ open, timeout }), RangeError, "timeout must");
  }
});

Deno.test("testStore() rejects a test that is not a function, and a name that is no string", () => {
  const open = opening(makeMapStore);
  const test = () => {};

  assertThrows(
    () => testStore("MyStore", { open, test: untyped(undefined) }),
    TypeError,
    "test must be a function",
  );
  assertThrows(
    () => testStore(untyped(MemoryStore), { open, test }),
    TypeError,
    "name must be a string",
  );
});
