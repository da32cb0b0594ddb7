/**
 * Random call sequences against models of `MemoryStore` that are too simple to
 * be wrong, compared after every step, and random concurrent histories against
 * the definition of linearizability. A failure prints the seed and the shortest
 * sequence that fails.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { stub } from "@std/testing/mock";
import fc from "fast-check";
import { makeGate, spoil } from "./_test_util.ts";
import { MemoryStore } from "./mod.ts";

const SEED = 20_251_124;

const KEYS = ["a", "b", "c", "d", "e", "f"];

type Value = number | { n: number };

/** What an update does to a value. */
type Change = "return" | "mutate" | "nothing" | "fail";

type Op =
  | { name: "get" | "has" | "delete"; key: string }
  | { name: "set"; key: string; value: Value; ttl: number | undefined }
  | { name: "touch"; key: string; ttl: number | undefined }
  | {
    name: "update";
    key: string;
    change: Change;
    ttl: number | undefined;
    /** What happens while an asynchronous fn runs; none: it is synchronous. */
    meanwhile: Op[] | undefined;
  }
  | { name: "size" | "clear" }
  | { name: "elapse" | "setBack"; ms: number };

/** What all models have: a clock that never runs backwards, and entries. */
interface Model {
  now: number;
  get(key: string): Value | undefined;
  has(key: string): boolean;
  set(key: string, value: Value, ttl: number | undefined): void;
  delete(key: string): void;
  touch(key: string, ttl: number | undefined): boolean;
  /** What comes before fn runs. */
  beginUpdate(key: string): void;
  /** What comes after fn has run; `undefined` stores nothing. */
  endUpdate(
    key: string,
    change: (value: Value | undefined) => Value | undefined,
    ttl: number | undefined,
  ): Value | undefined;
  clear(): void;
  size(): number;
  entries(): [string, Value][];
  /** What `onEvict` was told, if the model knows. */
  readonly evictions: string[] | undefined;
}

/** The store under test and the clock on the wall. */
interface Real {
  readonly store: MemoryStore<Value>;
  readonly wall: { now: number };
  readonly evictions: string[];
}

interface Options {
  ttl: number;
  maxEntries: number;
}

/** What a user has to know: a map and a clock. */
class MapModel implements Model {
  now = 0;
  readonly evictions = undefined;
  readonly #map = new Map<string, { value: Value; expiresAt: number }>();
  readonly #ttl: number;

  constructor({ ttl }: Options) {
    this.#ttl = ttl;
  }

  get(key: string): Value | undefined {
    const entry = this.#map.get(key);
    if (entry && entry.expiresAt <= this.now) this.#map.delete(key);
    return this.#map.get(key)?.value;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: Value, ttl = this.#ttl): void {
    this.get(key);
    this.#map.set(key, { value, expiresAt: this.now + ttl });
  }

  delete(key: string): void {
    this.#map.delete(key);
  }

  touch(key: string, ttl = this.#ttl): boolean {
    const value = this.get(key);
    if (value === undefined) return false;
    this.set(key, value, ttl);
    return true;
  }

  beginUpdate(): void {}

  endUpdate(
    key: string,
    change: (value: Value | undefined) => Value | undefined,
    ttl: number | undefined,
  ): Value | undefined {
    const before = this.get(key);
    const entry = this.#map.get(key);
    const value = change(before);
    if (value === undefined) return undefined;
    if (entry && ttl === undefined) entry.value = value;
    else this.set(key, value, ttl);
    return value;
  }

  clear(): void {
    this.#map.clear();
  }

  size(): number {
    return this.entries().length;
  }

  entries(): [string, Value][] {
    return [...this.#map]
      .filter(([, { expiresAt }]) => expiresAt > this.now)
      .map(([key, { value }]) => [key, value]);
  }
}

interface SieveEntry {
  key: string;
  value: Value;
  expiresAt: number;
  used: boolean;
}

/**
 * A list, the oldest entry first, and SIEVE as in its paper: the hand is the
 * next entry to look at, or none for the oldest. It also knows when expiry is
 * noticed: a look-up drops its own entry, a write all that have expired, since
 * there are never as many as one sweep can drop.
 */
class SieveModel implements Model {
  now = 0;
  readonly evictions: string[] = [];
  #list: SieveEntry[] = [];
  #hand: SieveEntry | undefined;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  get(key: string): Value | undefined {
    const entry = this.#find(key);
    if (entry) entry.used = true;
    return entry?.value;
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  set(key: string, value: Value, ttl = this.#options.ttl): void {
    this.#put(key, value, ttl);
  }

  delete(key: string): void {
    const entry = this.#find(key);
    if (entry) this.#remove(entry);
    this.#sweep();
  }

  touch(key: string, ttl = this.#options.ttl): boolean {
    const entry = this.#find(key);
    if (entry) Object.assign(entry, { used: true, expiresAt: this.now + ttl });
    this.#sweep();
    return entry !== undefined;
  }

  beginUpdate(key: string): void {
    this.#find(key);
  }

  endUpdate(
    key: string,
    change: (value: Value | undefined) => Value | undefined,
    ttl: number | undefined,
  ): Value | undefined {
    const entry = this.#find(key);
    const value = change(entry?.value);
    if (value === undefined) return undefined;
    this.#put(key, value, ttl ?? (entry ? undefined : this.#options.ttl));
    return value;
  }

  clear(): void {
    this.#list = [];
    this.#hand = undefined;
  }

  size(): number {
    this.#sweep();
    return this.#list.length;
  }

  entries(): [string, Value][] {
    return this.#list
      .filter(({ expiresAt }) => expiresAt > this.now)
      .map(({ key, value }) => [key, value]);
  }

  #find(key: string): SieveEntry | undefined {
    const entry = this.#list.find((entry) => entry.key === key);
    if (!entry || entry.expiresAt > this.now) return entry;
    this.#evict(entry, "expired");
    return undefined;
  }

  #sweep(): void {
    for (const entry of [...this.#list]) {
      if (entry.expiresAt <= this.now) this.#evict(entry, "expired");
    }
  }

  #put(key: string, value: Value, ttl: number | undefined): void {
    this.#sweep();
    const expiresAt = this.now + (ttl ?? Infinity);
    const entry = this.#find(key);
    if (entry) {
      Object.assign(entry, { value, used: true });
      if (ttl !== undefined) entry.expiresAt = expiresAt;
      return;
    }
    if (this.#list.length >= this.#options.maxEntries) this.#makeRoom();
    this.#list.push({ key, value, expiresAt, used: false });
  }

  #makeRoom(): void {
    for (;;) {
      const entry: SieveEntry = this.#hand ?? this.#list[0]!; // it is full
      if (!entry.used) return this.#evict(entry, "capacity");
      entry.used = false;
      this.#hand = this.#after(entry);
    }
  }

  #evict(entry: SieveEntry, reason: string): void {
    this.#remove(entry);
    this.evictions.push(
      `${reason} ${entry.key} ${JSON.stringify(entry.value)}`,
    );
  }

  #remove(entry: SieveEntry): void {
    if (entry === this.#hand) this.#hand = this.#after(entry);
    this.#list = this.#list.filter((other) => other !== entry);
  }

  #after(entry: SieveEntry): SieveEntry | undefined {
    return this.#list[this.#list.indexOf(entry) + 1];
  }
}

// The calls, to a model and to the store at once

function applyChange(
  change: Change,
  value: Value | undefined,
): Value | undefined {
  if (change === "return") {
    return typeof value === "object" ? { n: value.n + 1 } : (value ?? 0) + 1;
  }
  if (change === "mutate" && typeof value === "object") {
    return { n: value.n + 10 };
  }
  return value;
}

/** The same as a function for the store. */
function toUpdater(
  change: Change,
): (value: Value | undefined) => Value | undefined {
  return (value) => {
    if (change === "fail") throw new Error("as asked for");
    if (change === "return") return applyChange(change, value);
    if (change === "mutate" && typeof value === "object") value.n += 10;
    return undefined;
  };
}

async function perform(op: Op, model: Model, real: Real): Promise<void> {
  const { store, wall } = real;
  switch (op.name) {
    case "get":
      return assertEquals(await store.get(op.key), model.get(op.key));
    case "has":
      return assertEquals(await store.has(op.key), model.has(op.key));
    case "delete":
      model.delete(op.key);
      return await store.delete(op.key);
    case "set":
      model.set(op.key, op.value, op.ttl);
      return await store.set(op.key, op.value, { ttl: op.ttl });
    case "touch":
      return assertEquals(
        await store.touch(op.key, op.ttl),
        model.touch(op.key, op.ttl),
      );
    case "update":
      return await performUpdate(op, model, real);
    case "size":
      return assertEquals(store.size, model.size());
    case "clear":
      model.clear();
      return await store.clear();
    case "elapse":
      wall.now += op.ms;
      model.now += op.ms;
      return;
    case "setBack":
      // A ttl makes the store read the clock, so that both know the time.
      await perform({ name: "set", key: "a", value: 0, ttl: 9 }, model, real);
      wall.now -= op.ms;
      return await perform(
        { name: "set", key: "a", value: 0, ttl: 9 },
        model,
        real,
      );
  }
}

async function performUpdate(
  op: Op & { name: "update" },
  model: Model,
  real: Real,
): Promise<void> {
  const { key, change, ttl, meanwhile } = op;
  const fn = toUpdater(change);
  const gate = makeGate();
  model.beginUpdate(key);
  const update = real.store.update(
    key,
    meanwhile === undefined ? fn : async (value) => {
      await gate.opened;
      return fn(value);
    },
    { ttl },
  );
  const outcome = change === "fail" ? assertRejects(() => update) : update;
  // When a step meanwhile fails, nobody awaits it, and disposal rejects it.
  Promise.resolve(outcome).catch(() => {});
  for (const other of meanwhile ?? []) await perform(other, model, real);
  gate.open();

  if (change === "fail") return void await outcome;
  assertEquals(
    await outcome,
    model.endUpdate(key, (value) => applyChange(change, value), ttl),
  );
}

/** Those that expired in any order: several can have the same deadline. */
function sortEvictions(evictions: string[]): string[][] {
  return [
    evictions.filter((line) => line.startsWith("expired")).toSorted(),
    evictions.filter((line) => line.startsWith("capacity")),
  ];
}

class Step implements fc.AsyncCommand<Model, Real> {
  readonly #op: Op;

  constructor(op: Op) {
    this.#op = op;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await perform(this.#op, model, real);
    assertEquals([...real.store], model.entries());
    if (model.evictions === undefined) return;
    assertEquals(
      sortEvictions(real.evictions.splice(0)),
      sortEvictions(model.evictions.splice(0)),
    );
  }

  toString(): string {
    return JSON.stringify(this.#op);
  }
}

const key = fc.constantFrom(...KEYS);
const ms = fc.integer({ min: 1, max: 40 });
const ttl = fc.constantFrom(undefined, undefined, 1, 7, 20, 50, Infinity);
const value = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.record({ n: fc.integer({ min: 0, max: 3 }) }, { noNullPrototype: true }),
);
const change = fc.constantFrom<Change>("return", "mutate", "nothing", "fail");
const set = fc.tuple(key, value, ttl)
  .map(([key, value, ttl]): Op => ({ name: "set", key, value, ttl }));
/** All but an update, which would wait for one it is raced against. */
const simpleOps = [
  key.map((key): Op => ({ name: "get", key })),
  key.map((key): Op => ({ name: "has", key })),
  key.map((key): Op => ({ name: "delete", key })),
  set,
  set,
  fc.tuple(key, ttl).map(([key, ttl]): Op => ({ name: "touch", key, ttl })),
  fc.constant<Op>({ name: "size" }),
  ms.map((ms): Op => ({ name: "elapse", ms })),
  fc.oneof(
    fc.constant<Op>({ name: "clear" }),
    ms.map((ms): Op => ({ name: "setBack", ms })),
  ),
];
const meanwhile = fc.option(
  fc.array(fc.oneof(...simpleOps), { maxLength: 4 }),
  { nil: undefined },
);
const update = fc.record({ key, change, ttl, meanwhile })
  .map((parts): Op => ({ name: "update", ...parts }));
const commands = fc.commands(
  [...simpleOps, update, update].map((op) => op.map((op) => new Step(op))),
  { maxCommands: 80, size: "max" },
);

async function checkAgainst(
  makeModel: (options: Options) => Model,
  options: fc.Arbitrary<Options>,
  numRuns: number,
): Promise<void> {
  const wall = { now: 0 };
  using _clock = stub(Date, "now", () => wall.now);
  await fc.assert(
    fc.asyncProperty(options, commands, async (options, commands) => {
      wall.now = 0;
      const evictions: string[] = [];
      using store = new MemoryStore<Value>({
        ...options,
        onEvict: ({ key, value, reason }) =>
          evictions.push(`${reason} ${key} ${JSON.stringify(value)}`),
      });
      const model = makeModel(options);
      await fc.asyncModelRun(
        () => ({ model, real: { store, wall, evictions } }),
        commands,
      );
    }),
    { seed: SEED, numRuns },
  );
}

Deno.test("MemoryStore behaves as a map and a clock do", async () => {
  const options = fc.record({
    ttl: fc.constantFrom(Infinity, 25),
    maxEntries: fc.constantFrom(Infinity, KEYS.length),
  });

  await checkAgainst((options) => new MapModel(options), options, 300);
});

Deno.test("MemoryStore evicts as SIEVE does, what has expired first", async () => {
  const options = fc.record({
    ttl: fc.constantFrom(Infinity, Infinity, 25),
    maxEntries: fc.integer({ min: 1, max: 4 }),
  });

  await checkAgainst((options) => new SieveModel(options), options, 500);
});

// Values

const MEMBERS = ["a", "b", "c", "", "__proto__", "constructor", "1", "then"];

/** Any value that a store can hold, and nothing else. */
const { portable } = fc.letrec<{ portable: unknown; container: object }>(
  (tie) => ({
    portable: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(null, true, "", "text", 0, -0, 1.5, NaN, -Infinity, 7n),
      tie("container"),
    ),
    container: fc.oneof(
      { weight: 3, arbitrary: fc.array(tie("portable"), { maxLength: 4 }) },
      {
        weight: 6,
        arbitrary: fc.uniqueArray(
          fc.tuple(fc.constantFrom(...MEMBERS), tie("portable")),
          { maxLength: 5, selector: ([name]) => name },
        ).map((members): object => Object.fromEntries(members)),
      },
      fc.array(fc.tuple(tie("portable"), tie("portable")), { maxLength: 3 })
        .map((entries): object => new Map(entries)),
      fc.array(tie("portable"), { maxLength: 3 })
        .map((items): object => new Set(items)),
      fc.constantFrom(0, 1_000, NaN).map((ms): object => new Date(ms)),
      fc.uint8Array({ maxLength: 3 }).map((bytes): object => bytes.slice()),
      fc.uint8Array({ maxLength: 3 })
        .map((bytes): object => bytes.slice().buffer),
    ),
  }),
);

/** All that there is to a value, as text: also `-0`, and own `__proto__`. */
function show(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) {
    return `${typeof value} ${
      typeof value === "string" ? JSON.stringify(value) : value
    }`;
  }
  const list = (items: Iterable<unknown>) => `(${[...items].map(show)})`;
  if (Array.isArray(value)) return `Array${list(value)}`;
  if (value instanceof Map) return `Map${list([...value].flat())}`;
  if (value instanceof Set) return `Set${list(value)}`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Uint8Array) return `Uint8Array${list(value)}`;
  if (value instanceof ArrayBuffer) {
    return `ArrayBuffer${list(new Uint8Array(value))}`;
  }
  const isPlain = Object.getPrototypeOf(value) === Object.prototype;
  return `${isPlain ? "Object" : "?"}${
    list(
      Object.entries(Object.getOwnPropertyDescriptors(value))
        .flatMap(([name, { value, ...flags }]) => [
          name,
          value,
          JSON.stringify(Object.entries(flags).toSorted()),
        ]),
    )
  }`;
}

Deno.test("MemoryStore hands out equal copies of any portable value that share nothing", async () => {
  using store = new MemoryStore<unknown>();

  await fc.assert(
    fc.asyncProperty(portable, portable, async (first, second) => {
      for (const value of [first, second]) {
        const expected = show(value);
        const passed = structuredClone(value);
        await store.set("a", passed);
        spoil(passed);
        for (let i = 0; i < 3; i++) {
          const got = await store.get("a");
          assertEquals(show(got), expected);
          spoil(got);
          for (const [, item] of store) spoil(item);
          spoil(await store.update("a", (draft) => void draft));
        }
        await store.update("b", () => store.get("a"));
        assertEquals(show(await store.get("b")), expected);
      }
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

// Concurrency

interface Call {
  kind: "get" | "set" | "delete" | "append" | "appendIfThere";
  /** What `set` and the appends add, different for each call. */
  id: number;
  /** Turns of the microtask queue before the call, and in its fn. */
  turns: number;
}

/** A call as it was seen from outside. */
interface Event extends Call {
  called: number;
  resolved: number;
  result: number[] | undefined;
}

async function takeTurns(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
}

async function makeCall(
  store: MemoryStore<number[]>,
  { kind, id, turns }: Call,
): Promise<number[] | undefined> {
  switch (kind) {
    case "get":
      return await store.get("list");
    case "set":
      return void await store.set("list", [id]);
    case "delete":
      return void await store.delete("list");
    case "append":
      return await store.update(
        "list",
        turns === 0 ? (list = []) => [...list, id] : async (list = []) => {
          await takeTurns(turns);
          return [...list, id];
        },
      );
    case "appendIfThere":
      return await store.update("list", async (list) => {
        await takeTurns(turns);
        list?.push(id);
      });
  }
}

/** The state after a call, if the call can have come to its result in it. */
function apply(
  list: number[] | undefined,
  { kind, id, result }: Event,
): { list: number[] | undefined } | undefined {
  const matches = (list: number[] | undefined) =>
    JSON.stringify(list) === JSON.stringify(result) ? { list } : undefined;
  switch (kind) {
    case "get":
      return matches(list);
    case "set":
      return { list: [id] };
    case "delete":
      return { list: undefined };
    case "append":
      return matches([...list ?? [], id]);
    case "appendIfThere":
      return matches(list && [...list, id]);
  }
}

/**
 * Whether there is an order of the events that explains all results and in
 * which none comes before one that had resolved when it was called (Wing and
 * Gong).
 */
function isLinearizable(
  events: Event[],
  list: number[] | undefined = undefined,
): boolean {
  if (events.length === 0) return true;
  const firstResolved = Math.min(...events.map(({ resolved }) => resolved));
  return events.some((event) => {
    if (event.called > firstResolved) return false;
    const next = apply(list, event);
    return next !== undefined &&
      isLinearizable(events.filter((other) => other !== event), next.list);
  });
}

Deno.test("isLinearizable() tells possible histories from impossible ones", () => {
  const event = (
    kind: Call["kind"],
    id: number,
    called: number,
    resolved: number,
    result?: number[],
  ): Event => ({ kind, id, turns: 0, called, resolved, result });

  assertEquals(
    [
      [event("set", 1, 1, 2), event("get", 0, 3, 4, [1])],
      [event("set", 1, 1, 4), event("get", 0, 2, 3)],
      [event("set", 1, 1, 2), event("get", 0, 3, 4)], // lost
      [event("append", 1, 1, 3, [1]), event("append", 2, 2, 4, [1, 2])],
      [event("append", 1, 1, 3, [1]), event("append", 2, 2, 4, [2])], // lost
      [
        event("set", 1, 1, 2),
        event("append", 2, 3, 6, [1, 2]),
        event("delete", 0, 4, 5),
        event("get", 0, 7, 8, [1, 2]), // came back
      ],
    ].map((events) => isLinearizable(events)),
    [true, true, false, true, false, false],
  );
});

Deno.test("MemoryStore is linearizable", async () => {
  const call = fc.record<Call>({
    kind: fc.constantFrom("get", "set", "delete", "append", "appendIfThere"),
    id: fc.constant(0),
    turns: fc.integer({ min: 0, max: 6 }),
  });
  const clients = fc.array(
    fc.array(call, { minLength: 1, maxLength: 4 }),
    { minLength: 2, maxLength: 4 },
  );

  await fc.assert(
    fc.asyncProperty(clients, async (clients) => {
      using store = new MemoryStore<number[]>();
      const events: Event[] = [];
      let now = 0;
      let lastId = 0;

      await Promise.all(clients.map(async (calls) => {
        for (const call of calls) {
          const numbered = { ...call, id: ++lastId };
          await takeTurns(call.turns);
          const called = now++;
          const result = await makeCall(store, numbered);
          events.push({ ...numbered, called, resolved: now++, result });
        }
      }));

      const last = await makeCall(store, { kind: "get", id: 0, turns: 0 });
      events.push({
        kind: "get",
        id: 0,
        turns: 0,
        called: now++,
        resolved: now++,
        result: last,
      });
      if (!isLinearizable(events)) throw new Error(JSON.stringify(events));
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

Deno.test("MemoryStore.update() applies each update once and in call order", async () => {
  const update = fc.record({
    key: fc.constantFrom("a", "b"),
    turns: fc.integer({ min: 0, max: 6 }),
    fails: fc.boolean(),
  });

  await fc.assert(
    fc.asyncProperty(
      fc.array(update, { maxLength: 30, size: "max" }),
      async (updates) => {
        using store = new MemoryStore<number[]>();

        await Promise.allSettled(
          updates.map(({ key, turns, fails }, id) =>
            store.update(
              key,
              turns === 0
                ? (list = []) => fails ? Promise.reject("no") : [...list, id]
                : async (list = []) => {
                  await takeTurns(turns);
                  list.push(id);
                  if (fails) throw new Error("no");
                  return list;
                },
            )
          ),
        );

        for (const key of ["a", "b"]) {
          const ids = updates.flatMap((update, id) =>
            update.key === key && !update.fails ? [id] : []
          );
          assertEquals(await store.get(key) ?? [], ids);
        }
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});
