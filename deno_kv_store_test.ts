import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import fc from "fast-check";
import { expectSame } from "./_conformance_check.ts";
import { portableValues } from "./_portable_values.ts";
import { type Gate, hang, makeGate, untyped } from "./_test_util.ts";
import {
  type DenoKv,
  DenoKvStore,
  type DenoKvStoreOptions,
  type KvPath,
} from "./deno_kv_store.ts";
import { MemoryStore } from "./memory_store.ts";
import {
  CorruptEntryError,
  StoreError,
  StoreTimeoutError,
  UpdateConflictError,
  UpdateTimeoutError,
} from "./store.ts";
import { STORE_FEATURES, testStore } from "./store_conformance.ts";

const SEED = 20_251_124;

const DAY = 24 * 60 * 60 * 1000;

/** What a value may take: 64 KiB less the head of an entry. */
const MAX_VALUE = 65_515;

type Request = "get" | "set" | "delete" | "list" | "commit";

/** Passes a request on to the database, or does something else. */
type Send = <T>(request: () => Promise<T>, name: Request) => Promise<T>;

/** A database with something between it and the store. */
function intercept(kv: DenoKv, send: Send): DenoKv {
  return {
    get: (key) => send(() => kv.get(key), "get"),
    set: (...args) => send(() => kv.set(...args), "set"),
    delete: (key) => send(() => kv.delete(key), "delete"),
    list: (...args) => {
      const entries = kv.list(...args);
      const iterator = entries[Symbol.asyncIterator]();
      return {
        get cursor() {
          return entries.cursor;
        },
        [Symbol.asyncIterator]: () => ({
          next: () => send(() => iterator.next(), "list"),
        }),
      };
    },
    atomic: () => {
      const atomic = kv.atomic();
      return {
        check: (check) => atomic.check(check),
        set: (...args) => atomic.set(...args),
        delete: (key) => atomic.delete(key),
        commit: () => send(() => atomic.commit(), "commit"),
      };
    },
  };
}

/** A database in memory, and a store on it behind `send`. */
class Fixture implements AsyncDisposable {
  readonly kv: Deno.Kv;
  readonly store: DenoKvStore;
  /** The requests so far. */
  readonly requests: Request[] = [];

  static async open(
    options: DenoKvStoreOptions = {},
    send: Send = (request) => request(),
  ): Promise<Fixture> {
    return new Fixture(await Deno.openKv(":memory:"), options, send);
  }

  constructor(kv: Deno.Kv, options: DenoKvStoreOptions, send: Send) {
    this.kv = kv;
    const counted = intercept(kv, (request, name) => {
      this.requests.push(name);
      return send(request, name);
    });
    this.store = new DenoKvStore(counted, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.kv.close();
  }
}

/** Holds all requests, and lets them go one by one, whichever comes. */
class Holder {
  readonly held: { name: Request; go: () => void }[] = [];

  readonly send: Send = async (request, name) => {
    const gate = makeGate();
    this.held.push({ name, go: gate.open });
    await gate.opened;
    return await request();
  };

  /** Waits until so many requests are held. */
  async wait(count: number): Promise<void> {
    for (let turn = 0; this.held.length < count; turn++) {
      assert(turn < 1_000, `${this.held.length} of ${count} requests came`);
      await turnOf();
    }
  }

  /** Lets requests go, the last one first, until none comes any more. */
  async letGo(): Promise<void> {
    for (let idle = 0; idle < 20; idle++) {
      await turnOf();
      if (this.held.length === 0) continue;
      idle = 0;
      this.held.pop()?.go();
    }
  }
}

/** Lets the runtime do what is due. Under fake time, too. */
const realSetTimeout = setTimeout;
function turnOf(): Promise<void> {
  return new Promise((resolve) => realSetTimeout(resolve, 0));
}

// The contract

/** A fixture for the kit: its database can be made to fail. */
class KitFixture implements AsyncDisposable {
  readonly #time = new FakeTime(Date.now());
  readonly #fixture: Fixture;
  #isDown = false;

  static async open(): Promise<KitFixture> {
    return new KitFixture(await Deno.openKv(":memory:"));
  }

  constructor(kv: Deno.Kv) {
    this.#fixture = new Fixture(kv, { updateTimeout: 1_000 }, (request) => {
      if (this.#isDown) throw new TypeError("Database is closed.");
      return request();
    });
  }

  get store(): DenoKvStore {
    return this.#fixture.store;
  }

  async elapse(ms: number): Promise<void> {
    await this.#time.tickAsync(ms);
  }

  fail(): AsyncDisposable {
    this.#isDown = true;
    return {
      [Symbol.asyncDispose]: () => {
        this.#isDown = false;
        return Promise.resolve();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fixture[Symbol.asyncDispose]();
    this.#time.restore();
  }
}

testStore("DenoKvStore", {
  open: KitFixture.open,
  test: Deno.test,
  supports: STORE_FEATURES,
  exactTime: true,
  fail: (fixture) => fixture.fail(),
  updateTimeout: 1_000,
});

// Construction

const NOT_KVS: Record<string, unknown> = {
  "nothing": undefined,
  "an empty object": {},
  "a promise": Promise.resolve(),
  "a store": new Map(),
};

for (const [name, kv] of Object.entries(NOT_KVS)) {
  Deno.test(`DenoKvStore refuses ${name} for a database`, () => {
    assertThrows(
      () => new DenoKvStore(untyped(kv)),
      TypeError,
      "Cannot create DenoKvStore: kv must be what Deno.openKv() resolves to",
    );
  });
}

const WRONG_OPTIONS: [object, typeof TypeError | typeof RangeError, string][] =
  [
    [{ ttlMs: 1 }, TypeError, 'unknown option "ttlMs"'],
    [{ ttl: "1" }, TypeError, "ttl must be a number"],
    [{ ttl: 0 }, RangeError, "ttl must be"],
    [{ timeout: 0 }, RangeError, "timeout must be"],
    [{ timeout: 2 ** 31 }, RangeError, "timeout must be at most"],
    [{ updateTimeout: NaN }, RangeError, "updateTimeout must be"],
    [{ prefix: 1 }, TypeError, "prefix must be a string: received a number"],
    [{ prefix: ["a", 1] }, TypeError, "prefix must be a string"],
    [{ prefix: null }, TypeError, "prefix must be a string: received null"],
    [{ prefix: [] }, RangeError, "prefix must have at least one part"],
    [{ prefix: "\ud800" }, TypeError, "prefix must be well-formed"],
    [{ prefix: "x".repeat(1_021) }, RangeError, "at most 1022 bytes"],
    [{ prefix: "\0".repeat(511) }, RangeError, "received 1024"],
    [{ prefix: ["x", "é".repeat(509)] }, RangeError, "received 1023"],
  ];

for (const [options, error, rule] of WRONG_OPTIONS) {
  const shown = JSON.stringify(options).slice(0, 40);
  Deno.test(`DenoKvStore refuses the options ${shown}`, async () => {
    using kv = await Deno.openKv(":memory:");

    assertThrows(() => new DenoKvStore(kv, untyped(options)), error, rule);
  });
}

// Where entries lie

Deno.test("DenoKvStore keeps its entries below harpia", async () => {
  await using fixture = await Fixture.open();
  const { kv, store } = fixture;

  await store.set("a", 1);

  assertEquals(await keysOf(kv), [["harpia", "a"]]);
});

Deno.test("DenoKvStore keeps its entries below its prefix", async () => {
  using kv = await Deno.openKv(":memory:");
  await new DenoKvStore(kv, { prefix: ["app", ""] }).set("a", 1);
  await new DenoKvStore(kv, { prefix: "b" }).set("", 2);

  assertEquals(await keysOf(kv), [["app", "", "a"], ["b", ""]]);
});

Deno.test("DenoKvStore does not change with the array of its prefix", async () => {
  using kv = await Deno.openKv(":memory:");
  const prefix = ["app"];
  const store = new DenoKvStore(kv, { prefix });
  prefix.push("other");

  await store.set("a", 1);

  assertEquals(await keysOf(kv), [["app", "a"]]);
});

Deno.test("DenoKvStore shares its entries with the same prefix only", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new DenoKvStore(kv, { prefix: "a" });
  const same = new DenoKvStore(kv, { prefix: ["a"] });
  const longer = new DenoKvStore(kv, { prefix: ["a", "b"] });
  await store.set("b", 1);
  await longer.set("b", 2);
  await longer.set("c", 3);

  assertEquals(await same.get("b"), 1);
  assertEquals(await same.get("c"), undefined);

  await store.clear();

  assertEquals(await same.get("b"), undefined);
  assertEquals(await longer.get("b"), 2);
  assertEquals(await longer.get("c"), 3);
});

Deno.test("DenoKvStore.clear() leaves what it has not stored, in many pages", async () => {
  await using fixture = await Fixture.open({ prefix: "a" });
  const { kv, store } = fixture;
  const foreign: Deno.KvKey[] = [["a"], ["a", 1], ["aa", "x"], ["z"]];
  for (let i = 0; i < 150; i++) foreign.push(["a", `b${i}`, "deeper"]);
  for (const key of foreign) await kv.set(key, true);
  for (let i = 0; i < 350; i++) await store.set(`b${i}`, i);
  await store.set("\0", 1);

  await store.clear();

  assertEquals((await keysOf(kv)).length, foreign.length);
  for (const key of foreign) assertEquals((await kv.get(key)).value, true);
});

Deno.test("DenoKvStore.clear() writes nothing when it has nothing to remove", async () => {
  await using fixture = await Fixture.open({ prefix: "a" });
  const { kv, requests, store } = fixture;
  await kv.set(["a", "b", "deeper"], true);

  await store.clear();

  assertFalse(requests.includes("commit"));
});

/** All keys of a database. */
async function keysOf(kv: Deno.Kv): Promise<Deno.KvKey[]> {
  const keys: Deno.KvKey[] = [];
  for await (const { key } of kv.list({ prefix: [] })) keys.push(key);
  return keys;
}

const LONG_KEYS: Record<string, string> = {
  "1,024 letters": "x".repeat(1_024),
  "1,024 NULs": "\0".repeat(1_024),
  "1,024 bytes of emoji": "🍅".repeat(256),
  "NULs and emoji": "\0🍅".repeat(204),
};

for (const [name, key] of Object.entries(LONG_KEYS)) {
  Deno.test(`DenoKvStore takes a key of ${name} behind the longest prefix`, async () => {
    await using fixture = await Fixture.open({ prefix: "x".repeat(1_020) });
    const { store } = fixture;

    await store.set(key, 1);
    await store.touch(key);
    await store.update(key, (n) => n + 1);

    assertEquals(await store.get(key), 2);
    assertFalse(await store.has(key.replace(/.$/u, "")));

    await store.clear();

    assertFalse(await store.has(key));
  });
}

Deno.test("DenoKvStore keeps keys with a NUL apart from all others", async () => {
  await using fixture = await Fixture.open();
  const { store } = fixture;
  const keys = ["\0", "\0\0", "", "ÿ", "a\0", "a", "\0a", "\u{10ffff}", "�"];
  for (const key of keys) await store.set(key, key);

  for (const key of keys) assertEquals(await store.get(key), key);
});

// Values

Deno.test("DenoKvStore gives back every value as MemoryStore does", async () => {
  await using fixture = await Fixture.open();
  const { store } = fixture;
  const memory = new MemoryStore<unknown>();

  await fc.assert(
    fc.asyncProperty(portableValues, async (value) => {
      await memory.set("a", value);
      await store.set("a", value);
      await store.update("b", () => value);

      const expected = await memory.get("a");
      expectSame(await store.get("a"), expected, "what was set");
      expectSame(await store.get("b"), expected, "what was made by fn");
    }),
    { seed: SEED, numRuns: 500 },
  );
});

// Size

/** A string that takes so many bytes as JSON. */
function textOf(bytes: number): string {
  return "x".repeat(bytes - 2);
}

Deno.test("DenoKvStore.set() takes a value of 65,515 bytes", async () => {
  await using fixture = await Fixture.open();
  const { store } = fixture;

  await store.set("a", textOf(MAX_VALUE));

  assertEquals(await store.get("a"), textOf(MAX_VALUE));
  assertEquals(await store.touch("a", DAY), true);
});

const TOO_LARGE: Record<string, [value: unknown, bytes: number]> = {
  "a string": [textOf(MAX_VALUE + 1), MAX_VALUE + 1],
  "letters of two bytes": ["é".repeat(32_757), MAX_VALUE + 1],
  "bytes": [new Uint8Array(49_200), 65_619],
};

for (const [name, [value, bytes]] of Object.entries(TOO_LARGE)) {
  Deno.test(`DenoKvStore refuses ${name} too large before it asks for anything`, async () => {
    await using fixture = await Fixture.open();
    const { requests, store } = fixture;
    await store.set("a", 1);
    requests.length = 0;

    const error = await assertRejects(() => store.set("a", value), RangeError);
    await assertRejects(() => store.update("a", () => value), RangeError);

    assertEquals(
      error.message,
      `Cannot set entry: value must take at most 65515 bytes in Deno KV: received ${bytes}`,
    );
    assertEquals(requests, ["get"]);
    assertEquals(await store.get("a"), 1);
  });
}

// Time

Deno.test("DenoKvStore misses an entry that Deno KV still has", async () => {
  using time = new FakeTime(Date.now());
  await using fixture = await Fixture.open({ ttl: 1_000 });
  const { kv, store } = fixture;
  for (const key of ["a", "b", "c"]) await store.set(key, 1);

  time.tick(999);
  assertEquals(await store.get("a"), 1);
  time.tick(1);

  assertEquals((await keysOf(kv)).length, 3);
  assertEquals(await store.get("a"), undefined);
  assertFalse(await store.has("a"));
  assertFalse(await store.touch("a"));
  assertEquals(await store.update("a", (n) => n), undefined);
  assertEquals(await store.update("b", (n = 10) => n + 1), 11);
  assertEquals(await store.update("c", async (n = 20) => await n + 1), 21);
  assertEquals(await store.get("b"), 11);
});

Deno.test("DenoKvStore ends an entry whose expiry somebody took away", async () => {
  using time = new FakeTime(Date.now());
  await using fixture = await Fixture.open({ ttl: 1_000 });
  const { kv, store } = fixture;
  await store.set("a", 1);
  await kv.set(["harpia", "a"], (await kv.get(["harpia", "a"])).value);

  time.tick(1_000);

  assertEquals(await store.get("a"), undefined);
});

Deno.test("DenoKvStore tells Deno KV when to delete an entry", async () => {
  using time = new FakeTime(Date.now());
  using kv = await Deno.openKv(":memory:");
  const lives: (number | undefined)[] = [];
  const record = (_key: unknown, _value: unknown, options?: {
    expireIn?: number;
  }): void => {
    lives.push(options?.expireIn);
  };
  const store = new DenoKvStore({
    ...intercept(kv, (request) => request()),
    set: async (...args) => {
      record(...args);
      return await kv.set(...args);
    },
    atomic: () => {
      const atomic = kv.atomic();
      return {
        check: (check) => atomic.check(check),
        delete: (key) => atomic.delete(key),
        set: (...args) => {
          record(...args);
          return atomic.set(...args);
        },
        commit: () => atomic.commit(),
      };
    },
  }, { ttl: 400 * DAY });

  await store.set("a", 1);
  await store.set("a", 1, { ttl: 0.5 });
  await store.set("a", 1, { ttl: Infinity });
  await store.set("a", 1, { ttl: 8e15 });
  await store.touch("a", 1_000);
  time.tick(300);
  await store.update("a", (n) => n + 1);
  await store.update("a", (n) => n + 1, { ttl: 50 });

  const year10000 = undefined; // more than Deno KV takes
  assertEquals(lives, [400 * DAY, 1, undefined, year10000, 1_000, 700, 50]);
});

Deno.test("DenoKvStore lets no entry outlive its ttl when the clock is set back", async () => {
  using time = new FakeTime(Date.now());
  await using fixture = await Fixture.open();
  const { store } = fixture;
  await store.set("a", 1, { ttl: 100 });
  time.tick(100);
  assertEquals(await store.get("a"), undefined);
  const back = time.now - 50;
  const FakeDate = Date;
  const SetBack = class extends Date {
    static override now = (): number => back;
  };

  Object.assign(globalThis, { Date: SetBack });
  try {
    assertEquals(await store.get("a"), undefined);
  } finally {
    Object.assign(globalThis, { Date: FakeDate });
  }
});

Deno.test("DenoKvStore.update() does not run fn again when Deno KV deletes what has expired", async () => {
  using time = new FakeTime(Date.now());
  const sweeps: (() => Promise<void>)[] = [];
  await using fixture = await Fixture.open({}, async (request, name) => {
    if (name === "commit") await sweeps.pop()?.();
    return await request();
  });
  const { kv, store } = fixture;
  await store.set("a", 1, { ttl: 100 });
  time.tick(100);
  sweeps.push(() => kv.delete(["harpia", "a"]));
  const seen: unknown[] = [];

  const value = await store.update("a", (n) => {
    seen.push(n);
    return 2;
  });

  assertEquals(seen, [undefined]);
  assertEquals(value, 2);
  assertEquals(await store.get("a"), 2);
});

// Touch

Deno.test("DenoKvStore.touch() leaves the bytes of the value as they are", async () => {
  await using fixture = await Fixture.open();
  const { kv, store } = fixture;
  const read = async (): Promise<Uint8Array> => {
    const { value } = await kv.get<Uint8Array>(["harpia", "a"]);
    assertInstanceOf(value, Uint8Array);
    return value;
  };
  await store.update("a", () => ({ b: 1n }), { ttl: DAY });
  const before = await read();

  await store.touch("a", 2 * DAY);

  const after = await read();
  assertEquals([...after.subarray(9)], [...before.subarray(9)]);
  assert(String(after.subarray(1, 9)) !== String(before.subarray(1, 9)));
});

Deno.test("DenoKvStore.touch() loses no change that another process makes meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const other = new DenoKvStore(kv);
  let meanwhile = async (): Promise<void> => {
    meanwhile = () => Promise.resolve();
    await other.set("a", 2);
  };
  const store = new DenoKvStore(intercept(kv, async (request, name) => {
    if (name === "commit") await meanwhile();
    return await request();
  }));
  await store.set("a", 1);

  assertEquals(await store.touch("a", DAY), true);

  assertEquals(await store.get("a"), 2);
});

// Updates of several processes

Deno.test("DenoKvStore.update() loses none of 200 writes by four stores at once", async () => {
  using kv = await Deno.openKv(":memory:");
  const stores = [1, 2, 3, 4].map(() => new DenoKvStore<number>(kv));

  await Promise.all(
    stores.flatMap((store) =>
      Array.from({ length: 50 }, () => store.update("a", (n = 0) => n + 1))
    ),
  );

  assertEquals(await stores[0]?.get("a"), 200);
});

Deno.test("DenoKvStore.update() gives up when others change the entry during 100 runs", async () => {
  using kv = await Deno.openKv(":memory:");
  const [store, other] = [new DenoKvStore(kv), new DenoKvStore(kv)];
  let runs = 0;

  const error = await assertRejects(
    () =>
      store.update("a", async () => {
        await other.set("a", ++runs);
        return -1;
      }),
    UpdateConflictError,
  );

  assertEquals(error.outcome, "not applied");
  assertEquals(runs, 100);
  assertEquals(await store.get("a"), 100);
});

Deno.test("DenoKvStore.update() runs fn again when another store has created the entry", async () => {
  using kv = await Deno.openKv(":memory:");
  const [store, other] = [new DenoKvStore(kv), new DenoKvStore(kv)];
  const seen: unknown[] = [];

  const value = await store.update("a", async (n) => {
    seen.push(n);
    if (seen.length === 1) await other.set("a", 7);
  });

  assertEquals(seen, [undefined, 7]);
  assertEquals(value, 7);
});

// Failures

/** What becomes of the first commit, and of what is sent after it. */
type Fault = (commit: () => Promise<unknown>) => Promise<unknown>;

const LOST: Record<string, Fault> = {
  "the answer of its commit is lost": async (commit) => {
    await commit();
    throw new TypeError("connection reset");
  },
  "the client repeats the commit because its answer was lost": async (
    commit,
  ) => {
    await commit();
    return { ok: false };
  },
};

/** A store whose first commit goes wrong. */
async function openFaulty(fault: Fault): Promise<Fixture> {
  let isFirst = true;
  return await Fixture.open({}, async <T>(
    request: () => Promise<T>,
    name: Request,
  ) => {
    if (name !== "commit" || !isFirst) return await request();
    isFirst = false;
    return await fault(request) as T; // a commit has the answer of a commit
  });
}

for (const [when, fault] of Object.entries(LOST)) {
  Deno.test(`DenoKvStore.update() is applied once when ${when}`, async () => {
    await using fixture = await openFaulty(fault);
    const { store } = fixture;
    await store.set("a", 1);
    let runs = 0;

    const value = await store.update("a", (n) => {
      runs++;
      return n + 1;
    });

    assertEquals([value, runs], [2, 1]);
    assertEquals(await store.get("a"), 2);
  });
}

Deno.test("DenoKvStore.update() finds its write although another process has touched the entry", async () => {
  const touch: (() => Promise<unknown>)[] = [];
  await using fixture = await openFaulty(async (commit) => {
    await commit();
    for (const call of touch) await call();
    throw new TypeError("connection reset");
  });
  const { kv, store } = fixture;
  touch.push(() => new DenoKvStore(kv).touch("a", DAY));

  assertEquals(await store.update("a", (n = 0) => n + 1), 1);
});

Deno.test("DenoKvStore.update() does not know when its commit and its answer are lost", async () => {
  await using fixture = await openFaulty(() =>
    Promise.reject(new TypeError("connection reset"))
  );
  const { store } = fixture;
  await store.set("a", 1);

  const error = await assertRejects(
    () => store.update("a", (n) => n + 1),
    StoreError,
    "Cannot update entry: Deno KV has failed",
  );

  assertEquals(error.outcome, "unknown");
  assertInstanceOf(error.cause, TypeError);
  assertEquals(await store.update("a", (n) => n + 1), 2);
});

type Call = (store: DenoKvStore, key: string) => Promise<unknown>;

/** One call of each method, and what it has done when its request fails. */
const CALLS: Record<string, [call: Call, outcome: string]> = {
  get: [(store, key) => store.get(key), "not applied"],
  set: [(store, key) => store.set(key, 1), "unknown"],
  delete: [(store, key) => store.delete(key), "unknown"],
  has: [(store, key) => store.has(key), "not applied"],
  touch: [(store, key) => store.touch(key), "not applied"],
  update: [(store, key) => store.update(key, () => 1), "not applied"],
  clear: [(store) => store.clear(), "not applied"],
};

for (const [name, [call, outcome]] of Object.entries(CALLS)) {
  Deno.test(`DenoKvStore.${name}() says what it has done when Deno KV fails`, async () => {
    const cause = new TypeError("disk I/O error");
    await using fixture = await Fixture.open({}, () => Promise.reject(cause));
    const { store } = fixture;

    const error = await assertRejects(() => call(store, "a"), StoreError);

    assertEquals(error.outcome, outcome);
    assertEquals(error.cause, cause);
  });

  Deno.test(`DenoKvStore.${name}() says that it did nothing when the database is closed`, async () => {
    const kv = await Deno.openKv(":memory:");
    const store = new DenoKvStore(kv);
    kv.close();

    const error = await assertRejects(() => call(store, "a"), StoreError);

    assertEquals(error.outcome, "not applied");
    assertInstanceOf(error.cause, Deno.errors.BadResource);
  });

  Deno.test(`DenoKvStore.${name}() waits for a file that is busy`, async () => {
    let refusals = 3;
    await using fixture = await Fixture.open({}, (request) => {
      if (refusals-- > 0) throw new TypeError("database is locked");
      return request();
    });
    const { requests, store } = fixture;

    await call(store, "a");

    assert(requests.length > 3);
  });
}

Deno.test("DenoKvStore.clear() does not know how far it got when Deno KV fails", async () => {
  let commits = 0;
  await using fixture = await Fixture.open({}, (request, name) => {
    if (name === "list" && commits > 0) throw new TypeError("disk I/O error");
    if (name === "commit") commits++;
    return request();
  });
  const { store } = fixture;
  for (let i = 0; i < 150; i++) await store.set(`${i}`, i);

  const error = await assertRejects(() => store.clear(), StoreError);

  assertEquals(error.outcome, "unknown");
});

// Time limits

const SENT: Record<string, string> = {
  get: "not applied",
  set: "unknown",
  delete: "unknown",
  has: "not applied",
  touch: "not applied",
  update: "not applied",
  clear: "not applied",
};

for (const [name, [call]] of Object.entries(CALLS)) {
  Deno.test(`DenoKvStore.${name}() gives up when Deno KV does not answer`, async () => {
    using time = new FakeTime();
    await using fixture = await Fixture.open({ timeout: 100 }, () => hang());
    const { store } = fixture;
    const failure = assertRejects(
      () => call(store, "a"),
      StoreTimeoutError,
      "the engine has not answered within 100 ms",
    );

    await time.tickAsync(99);
    await time.tickAsync(1);

    assertEquals((await failure).outcome, SENT[name]);
  });
}

Deno.test("DenoKvStore sends nothing for a call whose time is over", async () => {
  using time = new FakeTime();
  const holder = new Holder();
  await using fixture = await Fixture.open({ timeout: 100 }, holder.send);
  const { requests, store } = fixture;
  const failures = ["set", "set", "delete", "touch", "get", "update"].map(
    (name) =>
      assertRejects(() => CALLS[name]![0](store, "a"), StoreTimeoutError),
  );
  await holder.wait(1);

  await time.tickAsync(100);
  const outcomes = (await Promise.all(failures)).map((error) => error.outcome);
  await holder.letGo();

  assertEquals(requests, ["set"]);
  assertEquals(outcomes, ["unknown", ...Array(5).fill("not applied")]);
});

Deno.test("DenoKvStore goes on when Deno KV answers again", async () => {
  using time = new FakeTime();
  let isDown = true;
  await using fixture = await Fixture.open(
    { timeout: 100 },
    (request) => isDown ? hang() : request(),
  );
  const { store } = fixture;
  const failure = assertRejects(() => store.set("a", 1), StoreTimeoutError);
  await time.tickAsync(100);
  await failure;
  isDown = false;

  await store.set("a", 2);

  assertEquals(await store.get("a"), 2);
});

Deno.test("DenoKvStore gives a busy file no more time than others", async () => {
  using time = new FakeTime();
  await using fixture = await Fixture.open({ timeout: 100 }, () => {
    throw new TypeError("database is locked");
  });
  const { store } = fixture;
  const failure = assertRejects(() => store.set("a", 1), StoreTimeoutError);

  await time.tickAsync(100);

  assertEquals((await failure).outcome, "not applied");
});

Deno.test("DenoKvStore.clear() may take longer than the time limit when it gets on", async () => {
  using time = new FakeTime(Date.now());
  let commits = 0;
  await using fixture = await Fixture.open(
    { timeout: 100 },
    async (request, name) => {
      if (name === "commit") {
        commits++;
        await time.tickAsync(90);
      }
      return await request();
    },
  );
  const { store } = fixture;
  for (let i = 0; i < 250; i++) await store.set(`${i}`, i);

  const cleared = store.clear();
  const set = store.set("0", "new");
  await Promise.all([cleared, set]);

  assertEquals(commits, 3);
  assertEquals(await store.get("0"), "new");
  assertFalse(await store.has("1"));
});

/** A store the commits of which wait until the test lets them through. */
async function openGated(gate: Gate): Promise<Fixture> {
  return await Fixture.open(
    { updateTimeout: 100, timeout: Infinity },
    async (request, name) => {
      if (name === "commit") await gate.opened;
      return await request();
    },
  );
}

Deno.test("DenoKvStore.update() says that it was applied when it was given up with its commit on the way", async () => {
  using time = new FakeTime(Date.now());
  const gate = makeGate();
  await using fixture = await openGated(gate);
  const { store } = fixture;
  const first = store.update("a", (n = 0) => n + 1);
  const second = assertRejects(
    () => store.update("a", (n = 0) => n + 10),
    UpdateTimeoutError,
  );
  while (!fixture.requests.includes("commit")) await turnOf();

  await time.tickAsync(100);
  await second;
  gate.open();

  assertEquals(await first, 1);
  assertEquals(await store.get("a"), 1);
});

Deno.test("DenoKvStore.update() says that it was not applied when it was given up and its commit comes too late", async () => {
  using time = new FakeTime(Date.now());
  const gate = makeGate();
  await using fixture = await openGated(gate);
  const { kv, store } = fixture;
  let runs = 0;
  const updates = [1, 2].map(() =>
    assertRejects(() => store.update("a", () => ++runs), UpdateTimeoutError)
  );
  while (!fixture.requests.includes("commit")) await turnOf();

  await time.tickAsync(100);
  await new DenoKvStore(kv).set("a", 7);
  gate.open();
  await Promise.all(updates);

  assertEquals(runs, 1);
  assertEquals(await store.get("a"), 7);
});

// Order

Deno.test("DenoKvStore keeps the order of calls on a database that does not", async () => {
  const holder = new Holder();
  await using fixture = await Fixture.open({}, holder.send);
  const { store } = fixture;

  const results = Promise.all([
    store.get("a"),
    store.set("a", 1),
    store.get("a"),
    store.has("a"),
    store.set("a", 2),
    store.touch("a", DAY),
    store.get("a"),
    store.delete("a"),
    store.get("a"),
    store.set("a", 3),
    store.clear(),
    store.get("a"),
    store.get("b"),
    store.set("a", 4),
    store.get("a"),
    store.set("b", 5),
    store.get("b"),
  ]);
  await holder.letGo();

  assertEquals(
    (await results).filter((_, i) => ![1, 4, 7, 9, 10].includes(i)),
    [
      undefined,
      1,
      true,
      true,
      2,
      undefined,
      undefined,
      undefined,
      undefined,
      4,
      undefined,
      5,
    ],
  );
});

Deno.test("DenoKvStore sends reads of a key and calls of other keys beside each other", async () => {
  const holder = new Holder();
  await using fixture = await Fixture.open({}, holder.send);
  const { store } = fixture;

  const calls = [
    store.get("a"),
    store.has("a"),
    store.set("b", 1),
    store.delete("c"),
    store.touch("d"),
    store.update("e", () => 1),
    store.get("a"),
  ];
  await holder.wait(7);

  assertEquals(holder.held.length, 7);
  await holder.letGo();
  await Promise.all(calls);
});

Deno.test("DenoKvStore lets a write wait for all reads before it", async () => {
  const holder = new Holder();
  await using fixture = await Fixture.open({}, holder.send);
  const { requests, store } = fixture;
  const reads = [store.get("a"), store.get("a")];
  const write = store.set("a", 1);
  await holder.wait(2);

  holder.held.shift()?.go();
  for (let turn = 0; turn < 20; turn++) await turnOf();

  assertEquals(requests, ["get", "get"]);
  await holder.letGo();
  assertEquals(await Promise.all(reads), [undefined, undefined]);
  await write;
});

// Disposal

Deno.test("DenoKvStore leaves the database open when it is disposed of", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new DenoKvStore(kv);
  await store.set("a", 1);

  await store[Symbol.asyncDispose]();

  assertEquals(await new DenoKvStore(kv).get("a"), 1);
});

Deno.test("DenoKvStore waits for calls in flight when it is disposed of", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new DenoKvStore(kv);
  const calls = [store.set("a", 1), store.delete("b"), store.get("a")];

  await store[Symbol.asyncDispose]();
  kv.close();

  assertEquals(await Promise.all(calls), [undefined, undefined, 1]);
});

Deno.test("DenoKvStore.update() changes nothing after its store was disposed of", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new DenoKvStore(kv);
  const [started, gate] = [makeGate(), makeGate()];
  const update = assertRejects(
    () =>
      store.update("a", async () => {
        started.open();
        await gate.opened;
        return 1;
      }),
    StoreError,
    "the store was disposed",
  );
  await started.opened;

  await store[Symbol.asyncDispose]();
  gate.open();

  assertEquals((await update).outcome, "not applied");
  assertEquals(await keysOf(kv), []);
});

// Foreign entries

/** Makes bytes of an entry. */
function pack(
  text: string | Uint8Array,
  format = 1,
  expiresAt = Infinity,
): Uint8Array {
  const payload = typeof text === "string"
    ? new TextEncoder().encode(text)
    : text;
  const bytes = new Uint8Array(21 + payload.length);
  bytes[0] = format;
  new DataView(bytes.buffer).setFloat64(1, expiresAt);
  bytes.set(payload, 21);
  return bytes;
}

/** What others may have stored under a key, by what it is. */
const FOREIGN: Record<string, unknown> = {
  "a null": null,
  "an undefined": undefined,
  "a number": 1,
  "a string": '{"a":1}',
  "an object": { a: 1 },
  "a counter": new Deno.KvU64(1n),
  "another array of bytes": new Uint16Array(20).fill(1),
  "no bytes": new Uint8Array(),
  "too few bytes": pack("").subarray(0, 20),
  "a later format": pack("1", 2),
  "no deadline": pack("1", 1, NaN),
};

const BROKEN: Record<string, unknown> = {
  "no value": pack(""),
  "half a value": pack('{"a":'),
  "two values": pack("1 2"),
  "an unknown tag": pack('~{"$Function":"x"}'),
  "a cut character": pack(new Uint8Array([0x22, 0xc3, 0x22])),
  "a byte order mark": pack("\ufeff1"),
};

for (const [name, value] of Object.entries({ ...FOREIGN, ...BROKEN })) {
  Deno.test(`DenoKvStore takes ${name} for no entry of its own`, async () => {
    await using fixture = await Fixture.open();
    const { kv, store } = fixture;
    const key: KvPath = ["harpia", "a"];
    await kv.set(key, value);
    const { versionstamp } = await kv.get(key);
    let runs = 0;

    const error = await assertRejects(() => store.get("a"), CorruptEntryError);
    await assertRejects(
      () => store.update("a", () => ++runs),
      CorruptEntryError,
    );
    if (name in FOREIGN) {
      await assertRejects(() => store.has("a"), CorruptEntryError);
      await assertRejects(() => store.touch("a"), CorruptEntryError);
    }

    assertEquals(error.outcome, "not applied");
    assertEquals(runs, 0);
    assertEquals((await kv.get(key)).versionstamp, versionstamp);
    await store.set("a", 2);
    assertEquals(await store.get("a"), 2);
    await kv.set(key, value);
    await store.delete("a");
    assertEquals(await store.get("a"), undefined);
    await kv.set(key, value);
    await store.clear();
    assertEquals(await keysOf(kv), []);
  });
}

Deno.test("DenoKvStore tells nothing of keys and values in its errors", async () => {
  await using fixture = await Fixture.open({ prefix: "secret" });
  const { kv, store } = fixture;
  await kv.set(["secret", "key-4711"], pack('{"card":4711'));

  const error = await assertRejects(() => store.get("key-4711"));

  const shown = Deno.inspect(error);
  assertStringIncludes(shown, "foreign or corrupt");
  assertFalse(shown.replaceAll(/at .*/g, "").includes("4711"), shown);
});
