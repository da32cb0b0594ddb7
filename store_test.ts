import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertType, type IsAny, type IsExact } from "@std/testing/types";
import {
  type AtomicStore,
  MemoryStore,
  type MemoryStoreOptions,
  Session,
  type SessionOptions,
  type Store,
  StoreError,
  type StoreOutcome,
  type StoreUpdater,
  UpdateConflictError,
  UpdateTimeoutError,
} from "./mod.ts";
import * as contract from "./store.ts";

/** The store of Harpia, as `harpiats/session` declares it. */
interface HarpiaStore {
  // deno-lint-ignore no-explicit-any -- that is Harpia's type
  get(key: string): Promise<Record<string, any> | undefined>;
  // deno-lint-ignore no-explicit-any -- that is Harpia's type
  set(key: string, data: Record<string, any>): Promise<void>;
  delete(key: string): Promise<void>;
}

interface User {
  name: string;
  age?: number;
}

/** Compiles when the argument is assignable to the type. */
function accept<T>(value: T): T {
  return value;
}

// Types

Deno.test("MemoryStore is assignable to Harpia's Store", async () => {
  const unannotated = new MemoryStore();
  const bounded = new MemoryStore(5000);

  const store = accept<HarpiaStore>(unannotated);
  accept<HarpiaStore>(bounded);
  accept<HarpiaStore>(new MemoryStore());
  accept<HarpiaStore>(new MemoryStore<Record<string, unknown>>());
  await store.set("a", { n: 1 });

  assertEquals((await store.get("a"))?.n, 1);
});

Deno.test("MemoryStore is an AtomicStore and a Store of its values", () => {
  const store = new MemoryStore<User>();

  accept<AtomicStore<User>>(store);
  accept<Store<User>>(store);
  accept<Disposable>(store);
  accept<AsyncDisposable>(store);
  accept<Iterable<[string, User]>>(store);

  assertEquals(store.size, 0);
});

Deno.test("MemoryStore holds anything when its type is left out", () => {
  const store = new MemoryStore();

  assertType<IsAny<Awaited<ReturnType<typeof store.get>>>>(true);
  accept<AtomicStore<User>>(store);
  accept<AtomicStore>(store);

  assertEquals(store.size, 0);
});

Deno.test("MemoryStore resolves to what the contract says", () => {
  type Tested = MemoryStore<User>;

  assertType<IsExact<ReturnType<Tested["get"]>, Promise<User | undefined>>>(
    true,
  );
  assertType<IsExact<ReturnType<Tested["set"]>, Promise<void>>>(true);
  assertType<IsExact<ReturnType<Tested["delete"]>, Promise<void>>>(true);
  assertType<IsExact<ReturnType<Tested["has"]>, Promise<boolean>>>(true);
  assertType<IsExact<ReturnType<Tested["touch"]>, Promise<boolean>>>(true);
  assertType<IsExact<ReturnType<Tested["update"]>, Promise<User | undefined>>>(
    true,
  );
  assertType<IsExact<ReturnType<Tested["clear"]>, Promise<void>>>(true);
  assertType<IsExact<Tested["size"], number>>(true);
});

Deno.test("MemoryStore refuses what is of another type when it is compiled", () => {
  using store = new MemoryStore<User>();
  const calls = [
    // @ts-expect-error -- a number is no user
    () => store.set("a", 1),
    // @ts-expect-error -- there is no such option
    () => store.set("a", { name: "Ada" }, { ttlMs: 1 }),
    // @ts-expect-error -- a text is no user
    () => store.update("a", () => "Ada"),
    // @ts-expect-error -- there is no such option
    () => store.update("a", (user) => user, { maxAge: 1 }),
    // @ts-expect-error -- a key is a text
    () => store.get(1),
    // @ts-expect-error -- a ttl is a number
    () => store.touch("a", "60"),
    // @ts-expect-error -- there is no such option
    () => new MemoryStore({ max: 1 }),
    // @ts-expect-error -- there may be no user
    async () => (await store.get("a")).name,
  ];

  assertEquals(calls.length, 8);
});

Deno.test("StoreUpdater fits functions that return, that change and that do both later", async () => {
  using users = new MemoryStore<User>();
  using counts = new MemoryStore<number>();
  await users.set("a", { name: "Ada" });

  accept<StoreUpdater<number>>((n = 0) => n + 1);
  accept<StoreUpdater<User>>((user) => {
    if (user) user.age = 36;
  });
  accept<StoreUpdater<User>>(async (user) => await Promise.resolve(user));
  accept<StoreUpdater<User>>(async () => {
    await Promise.resolve();
  });
  await counts.update("a", (n = 0) => n + 1);
  await users.update("a", (user) => {
    if (user) user.age = 36;
  });

  assertEquals(await users.get("a"), { name: "Ada", age: 36 });
  assertEquals(await counts.get("a"), 1);
});

Deno.test("Store is any object with the three methods", async () => {
  const map = new Map<string, unknown>();
  const store = {
    get: (key: string) => Promise.resolve(map.get(key)),
    set: async (key: string, value: unknown) => {
      await Promise.resolve(map.set(key, value));
    },
    delete: async (key: string) => {
      await Promise.resolve(map.delete(key));
    },
  };

  accept<Store>(store);
  const session = new Session({ store, hashIds: false, prefix: "" });
  const id = await session.create({ user: "ada" });

  assertEquals(await session.get(id), { user: "ada" });
  assert(map.has(id));
});

Deno.test("Session takes Harpia's Store, a MemoryStore and an AtomicStore as its store", async () => {
  const harpia: HarpiaStore = new MemoryStore();
  const memory = new MemoryStore();
  const atomic: AtomicStore = new MemoryStore();

  accept<SessionOptions>({ store: harpia });
  accept<SessionOptions>({ store: new MemoryStore<Record<string, unknown>>() });
  for (const store of [harpia, memory, atomic]) {
    const session = new Session({ store });
    const id = await session.create({ n: 1 });
    assertEquals(await session.get(id), { n: 1 });
  }
});

Deno.test("Store takes a MemoryStore where a null could be a miss", () => {
  const store: Store<User | null> = new MemoryStore<User | null>();

  assertType<
    IsExact<ReturnType<typeof store.get>, Promise<User | null | undefined>>
  >(true);
});

Deno.test("MemoryStoreOptions are all optional and may be undefined", () => {
  accept<MemoryStoreOptions<User>>({});
  accept<MemoryStoreOptions<User>>({
    ttl: undefined,
    maxEntries: undefined,
    onEvict: undefined,
    updateTimeout: undefined,
  });
  const options = accept<MemoryStoreOptions<User>>({
    onEvict: ({ key, value, reason }) => {
      accept<string>(key);
      accept<User>(value);
      accept<"expired" | "capacity">(reason);
    },
  });

  assertEquals(Object.keys(options), ["onEvict"]);
});

// Errors

const OUTCOMES: StoreOutcome[] = ["applied", "not applied", "unknown"];

for (const outcome of OUTCOMES) {
  Deno.test(`new StoreError() says that its operation is ${outcome}`, () => {
    const cause = new Error("connection lost");

    const error = new StoreError("Cannot set entry", outcome, { cause });

    assert(error instanceof Error);
    assertEquals(error.name, "StoreError");
    assertEquals(error.message, "Cannot set entry");
    assertEquals(error.outcome, outcome);
    assertStrictEquals(error.cause, cause);
    assertEquals(`${error}`, "StoreError: Cannot set entry");
  });
}

Deno.test("new StoreError() has no cause unless it is given one", () => {
  const error = new StoreError("Cannot set entry", "unknown");

  assertStrictEquals(error.cause, undefined);
  assertEquals("cause" in error, false);
});

Deno.test("new UpdateTimeoutError() names its bound and applies nothing", () => {
  const error = new UpdateTimeoutError(250);

  assert(error instanceof Error);
  assert(error instanceof StoreError);
  assertEquals(error.name, "UpdateTimeoutError");
  assertEquals(error.outcome, "not applied");
  assert(error.message.startsWith("Cannot update entry: "));
  assert(error.message.includes("250 ms"));
});

Deno.test("new UpdateConflictError() names its attempts and applies nothing", () => {
  const error = new UpdateConflictError(7);

  assert(error instanceof Error);
  assert(error instanceof StoreError);
  assertEquals(error.name, "UpdateConflictError");
  assertEquals(error.outcome, "not applied");
  assert(error.message.startsWith("Cannot update entry: "));
  assert(error.message.includes("each of 7 runs"));
});

Deno.test("store.ts and mod.ts export the same error classes", () => {
  assertStrictEquals(contract.StoreError, StoreError);
  assertStrictEquals(contract.UpdateTimeoutError, UpdateTimeoutError);
  assertStrictEquals(contract.UpdateConflictError, UpdateConflictError);
});
