/**
 * Stores that are broken in one way each, and the rule of the kit that has to
 * notice: that one and nothing else. Where the same mistake breaks another rule
 * by necessity, the mutant says so.
 */

import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { hang } from "./_test_util.ts";
import { MemoryStore } from "./memory_store.ts";
import {
  type AtomicStore,
  StoreError,
  type StoreUpdater,
  UpdateTimeoutError,
} from "./store.ts";
import { STORE_FEATURES, testStore } from "./store_conformance.ts";

const DAY = 24 * 60 * 60 * 1000;

/** How long an update may keep others waiting, in milliseconds. */
const UPDATE_TIMEOUT = 5_000;

/** How long the kit waits for a mutant that never answers, in milliseconds. */
const PATIENCE = 1_500;

/** A correct store, with an engine that can be switched off. */
interface Engine extends AtomicStore {
  isDown: boolean;
}

/** A store that is broken in one way. */
interface Mutant {
  /** The rule it breaks. */
  rule: string;
  /** The rules that break with it by necessity. */
  also?: string[];
  /** So much rests on the rule that only its own test is looked at. */
  basic?: true;
  /** Leaves a caller without an answer. */
  hangs?: true;
  /** What it does in its own way; the rest is done right. */
  change: (good: Engine) => Partial<AtomicStore>;
}

function makeEngine(): Engine {
  const store = new MemoryStore<unknown>({ updateTimeout: UPDATE_TIMEOUT });
  const ask = async <T>(
    method: string,
    call: (store: MemoryStore<unknown>) => Promise<T>,
  ): Promise<T> => {
    if (!engine.isDown) return await call(store);
    await call(new MemoryStore()); // checks the arguments
    throw new StoreError(`Cannot ${method}: the engine is down`, "not applied");
  };
  const engine: Engine = {
    isDown: false,
    get: (key) => ask("get", (store) => store.get(key)),
    set: (key, value, options) =>
      ask("set", (store) => store.set(key, value, options)),
    delete: (key) => ask("delete", (store) => store.delete(key)),
    has: (key) => ask("has", (store) => store.has(key)),
    touch: (key, ttl) => ask("touch", (store) => store.touch(key, ttl)),
    update: (key, fn, options) =>
      ask("update", (store) => store.update(key, fn, options)),
    clear: () => ask("clear", (store) => store.clear()),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  return engine;
}

/** The rules that a store breaks, and all that it was asked to keep. */
async function runKit(
  change: Mutant["change"],
  timeout?: number,
): Promise<{ broken: string[]; rules: string[] }> {
  const tests: [rule: string, run: () => Promise<void>][] = [];
  testStore("Mutant", {
    test: (name, run) => tests.push([name.slice("Mutant".length), run]),
    open() {
      const time = new FakeTime(0);
      const good = makeEngine();
      return {
        good,
        store: { ...good, ...change(good) },
        elapse: (ms) => time.tick(ms),
        async [Symbol.asyncDispose]() {
          await good[Symbol.asyncDispose]();
          time.restore();
        },
      };
    },
    fail({ good }) {
      good.isDown = true;
      return {
        [Symbol.asyncDispose]() {
          good.isDown = false;
          return Promise.resolve();
        },
      };
    },
    supports: STORE_FEATURES,
    exactTime: true,
    updateTimeout: UPDATE_TIMEOUT,
    timeout,
  });
  const broken: string[] = [];
  for (const [rule, run] of tests) {
    await run().catch(({ message }) => {
      assert(message.startsWith(`Mutant${rule}: `), message);
      broken.push(rule);
    });
  }
  return { broken, rules: tests.map(([rule]) => rule) };
}

// What mutants are made of

/** Changes values on their way out. */
function reading(
  change: (value: unknown, key: string) => unknown,
): Mutant["change"] {
  return ({ get }) => ({
    get: async (key) => change(await get(key), key),
  });
}

/** Changes values on their way in. */
function writing(
  change: (value: unknown, key: string) => unknown,
): Mutant["change"] {
  return ({ set }) => ({
    set: async (key, value, options) =>
      await set(key, change(value, key), options),
  });
}

/** Changes what `set` rejects with. */
function refusing(change: (error: Error) => Error): Mutant["change"] {
  return ({ set }) => ({
    set: (...args) =>
      set(...args).catch((error) => {
        throw change(error);
      }),
  });
}

/** Changes how `fn` is called: by its result, synchronous or not. */
function updating(
  change: (fn: StoreUpdater<unknown>) => StoreUpdater<unknown>,
): Mutant["change"] {
  return ({ update }) => ({
    update: (key, fn, options) =>
      update(key, typeof fn === "function" ? change(fn) : fn, options),
  });
}

/** Notes what was last done to each key. */
function trace(
  good: Engine,
): Map<string, string> & { methods: Partial<AtomicStore> } {
  const last = new Map<string, string>();
  const methods: Partial<AtomicStore> = {
    set(key, value, options) {
      const how = last.get(key) === "delete" ? "set after delete" : "set";
      last.set(key, options?.ttl === undefined ? how : "set with ttl");
      return good.set(key, value, options);
    },
    delete(key) {
      last.set(key, "delete");
      return good.delete(key);
    },
    touch(key, ttl) {
      last.set(key, "touch");
      return good.touch(key, ttl);
    },
    clear() {
      for (const key of last.keys()) last.set(key, "clear");
      return good.clear();
    },
  };
  return Object.assign(last, { methods });
}

type TtlMethod = "set" | "touch" | "update";

/** Changes the ttl that a method is given. */
function timing(
  method: TtlMethod,
  change: (ttl: number) => number | undefined,
): Mutant["change"] {
  const convert = (options: { ttl?: number | undefined } | undefined) =>
    options && typeof options.ttl === "number" && Object.hasOwn(options, "ttl")
      ? { ...options, ttl: change(options.ttl) }
      : options;
  return ({ set, touch, update }) => {
    switch (method) {
      case "set":
        return {
          set: (key, value, options) => set(key, value, convert(options)),
        };
      case "touch":
        return {
          touch: (key, ttl) =>
            touch(key, typeof ttl === "number" ? change(ttl) : ttl),
        };
      case "update":
        return {
          update: (key, fn, options) => update(key, fn, convert(options)),
        };
    }
  };
}

/** Gives an update that is run again the outcome of its first run. */
function remembering(reason: string): Mutant["change"] {
  return (good) => {
    const last = trace(good);
    return {
      ...last.methods,
      update(key, fn, options) {
        let first: unknown;
        let runs = 0;
        last.set(key, "nothing");
        return good.update(key, (value) => {
          if (runs++ === 0) return first = fn(value);
          const isReason = last.get(key) === reason;
          const isNumber = typeof value !== "object";
          return isReason && isNumber ? first : fn(value);
        }, options);
      },
    };
  };
}

/** Counts the updates of each key that are in flight, with the one at hand. */
function counting(
  run: (
    pending: number,
    keys: number,
    ...args: Parameters<AtomicStore["update"]>
  ) => Promise<unknown>,
): Partial<AtomicStore> {
  const pending = new Map<string, number>();
  return {
    async update(key, fn, options) {
      const count = (pending.get(key) ?? 0) + 1;
      pending.set(key, count);
      try {
        return await run(count, pending.size, key, fn, options);
      } finally {
        const rest = (pending.get(key) ?? 0) - 1;
        if (rest === 0) pending.delete(key);
        else pending.set(key, rest);
      }
    },
  };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
}

function isList(value: unknown): value is { list: number[] } {
  return isPlain(value) && Array.isArray(value["list"]);
}

/** Keeps the first two members of each object within another one. */
function narrow(value: unknown, isInner = false): unknown {
  if (Array.isArray(value)) return value.map((item) => narrow(item, true));
  if (!isPlain(value)) return value;
  const members = Object.entries(value).map(([name, member]) =>
    [name, narrow(member, true)] as const
  );
  return Object.fromEntries(isInner ? members.slice(0, 2) : members);
}

/** Turns maps that are directly in a set into objects. */
function flattenMaps(value: unknown, holder?: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => flattenMaps(item, value));
  }
  if (value instanceof Set) {
    return new Set([...value].map((item) => flattenMaps(item, value)));
  }
  if (value instanceof Map) {
    return holder instanceof Set
      ? { map: [...value] }
      : new Map([...value].map(([k, v]) => [k, flattenMaps(v, value)]));
  }
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map((
      [name, member],
    ) => [name, flattenMaps(member, value)]),
  );
}

/** How deep a value is nested, as far as it matters. */
function depthOf(value: unknown): number {
  let depth = 0;
  let rest = value;
  while (typeof rest === "object" && rest !== null && depth < 1_000) {
    rest = Object.getOwnPropertyDescriptor(rest, Array.isArray(rest) ? 0 : "a")
      ?.value;
    depth++;
  }
  return depth;
}

/** The mutants of what a method does with its ttl. */
function ttlMutants(method: TtlMethod): Mutant[] {
  const name = `.${method}()`;
  return [
    {
      rule: `${name} lets an entry end when its ttl is over, not before`,
      change: timing(
        method,
        (ttl) => ttl > 5_000 && ttl < DAY && ttl !== 9_000 ? ttl * 1.3 : ttl,
      ),
    },
    {
      rule: `${name} lets an entry end exactly when its ttl is over`,
      change: timing(
        method,
        (ttl) => Number.isInteger(ttl) && ttl > 0 ? ttl + 1 : ttl,
      ),
    },
    {
      rule: `${name} lets an entry live for 400 days`,
      change: timing(
        method,
        (ttl) => ttl > 2 ** 31 - 1 && ttl <= 400 * DAY ? 1 : ttl,
      ),
    },
    {
      rule: `${name} lets an entry live for ever with a ttl of Infinity`,
      change: timing(method, (ttl) => ttl === Infinity ? 365 * DAY : ttl),
    },
    {
      rule: `${name} takes a fraction of a millisecond`,
      change: timing(
        method,
        (ttl) => ttl > 100 && ttl % 1 === 0.5 ? ttl * 1_000 : ttl,
      ),
    },
    {
      rule: `${name} rounds a ttl up to the next millisecond`,
      change: timing(method, (ttl) => ttl > 1 ? Math.floor(ttl) : ttl),
    },
    {
      rule: `${name} refuses a wrong ttl and changes nothing`,
      change: timing(method, (ttl) => ttl === -1 ? undefined : ttl),
    },
  ];
}

const MUTANTS: Mutant[] = [
  // Keys and entries
  {
    rule: ".get() finds nothing under a key that was never set",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        get: (key) =>
          key === "toString" && !last.has(key)
            ? Promise.resolve(Reflect.get({}, key))
            : good.get(key),
      };
    },
  },
  {
    rule: ".get() resolves to what .set() has stored",
    basic: true,
    change: () => ({ set: () => Promise.resolve() }),
  },
  {
    rule: ".set() replaces a value",
    change: ({ set, get }) => ({
      async set(key, value, options) {
        const before = isPlain(value) && "n" in value
          ? await get(key)
          : undefined;
        const merged = isPlain(before) && isPlain(value)
          ? { ...before, ...value }
          : value;
        await set(key, merged, options);
      },
    }),
  },
  {
    rule: ".delete() removes an entry",
    also: [
      " takes effect in the order of the calls",
      ".delete() takes the deadline away with the entry",
      ".update() builds on an entry that was deleted and set anew",
    ],
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        set: async (key, value, options) => {
          if (key === "a" && last.get(key) === "delete") return; // a tombstone
          await last.methods.set?.(key, value, options);
        },
      };
    },
  },
  {
    rule: ".delete() does nothing when there is no entry",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        delete: (key) =>
          last.has(key) ? good.delete(key) : good.set(key, "deleted"),
      };
    },
  },
  {
    rule: ".delete() removes no other entry",
    change: (good) => ({
      async delete(key) {
        if (key === "a*") await good.delete("a:b");
        await good.delete(key);
      },
    }),
  },
  {
    rule: ".set() and .delete() resolve to nothing",
    change: ({ set }) => ({
      set: (...args) => set(...args).then(() => "OK") as Promise<never>, // wrong
    }),
  },
  {
    rule: " returns a promise from each method",
    change: ({ has }) => ({
      has(key) {
        const answer = has(key);
        answer.catch(() => {});
        return { then: answer.then.bind(answer) } as Promise<never>; // wrong
      },
    }),
  },
  {
    rule: ".has() tells whether there is an entry",
    change: ({ has, get }) => ({
      async has(key) {
        const [isThere, value] = await Promise.all([has(key), get(key)]);
        return isThere && Boolean(value);
      },
    }),
  },
  {
    rule: " takes any well-formed key",
    change: ({ set }) => ({
      set: async (key, ...rest) => {
        if (typeof key === "string" && /[\x7f\u202e]/.test(key)) {
          throw new TypeError("not printable");
        }
        await set(key, ...rest);
      },
    }),
  },
  {
    rule: " keeps keys apart that look alike",
    change: ({ get, set, delete: remove }) => ({
      get: (key) => get(normalize(key)),
      set: (key, ...rest) => set(normalize(key), ...rest),
      delete: (key) => remove(normalize(key)),
    }),
  },
  {
    rule: " refuses keys that are not strings",
    change: ({ set }) => ({
      set: (key, ...rest) =>
        set(typeof key === "number" ? `${key}` : key, ...rest),
    }),
  },
  {
    rule: " never asks a key for its text",
    change: ({ get }) => ({
      get(key) {
        if (typeof key === "object") String(key);
        return get(key);
      },
    }),
  },
  {
    rule: " refuses keys with a lone surrogate",
    change: ({ has }) => ({
      has: (key) => has(typeof key === "string" ? key.toWellFormed() : key),
    }),
  },
  {
    rule: " refuses keys of more than 1,024 bytes",
    change: (good) => ({
      has: (key) =>
        key?.length > 1_024 && key.length < 2_000 && !good.isDown
          ? Promise.resolve(false)
          : good.has(key),
    }),
  },
  {
    rule: " rejects and never throws",
    change: ({ has }) => ({
      has(key) {
        if (typeof key !== "string") throw new TypeError("key");
        return has(key);
      },
    }),
  },
  {
    rule: " names neither keys nor values in its messages",
    change: ({ get }) => ({
      get: (key) =>
        get(key).catch((error) => {
          if (typeof key === "string") error.message += `: ${key}`;
          throw error;
        }),
    }),
    also: [" names neither keys nor values when its engine fails"],
  },

  // Values
  {
    rule: " tells falsy values from a miss",
    also: [".update() stores falsy values that fn returns"],
    change: reading((value) => value === false ? undefined : value),
  },
  {
    rule: " holds what JSON can say",
    change: writing((value) =>
      typeof value === "string" ? value.slice(0, 10_000) : value
    ),
  },
  {
    rule: " holds random trees of what JSON can say",
    also: [" holds random trees of all that is portable"],
    change: reading((value) => narrow(value)),
  },
  {
    rule: " holds random trees of all that is portable",
    change: reading((value) => flattenMaps(value)),
  },
  {
    rule: " holds null",
    change: reading((value) => value ?? undefined),
  },
  {
    rule: " holds numbers that JSON cannot say",
    change: reading((value) => Object.is(value, -0) ? 0 : value),
  },
  {
    rule: " holds strings with a lone surrogate",
    change: reading((value) =>
      typeof value === "string" ? value.toWellFormed() : value
    ),
  },
  {
    rule: " holds bigints",
    change: reading((value) =>
      typeof value === "bigint" ? Number(value) : value
    ),
  },
  {
    rule: " holds dates",
    change: reading((value) =>
      value instanceof Date && isNaN(+value) ? new Date(0) : value
    ),
  },
  {
    rule: " holds maps and sets",
    change: reading((value) =>
      value instanceof Map && [...value.keys()].includes(1)
        ? new Map([...value].map(([key, member]) => [`${key}`, member]))
        : value
    ),
  },
  {
    rule: " holds binary data",
    change: reading((value) =>
      value instanceof Uint8ClampedArray ? Uint8Array.from(value) : value
    ),
  },
  {
    rule: " holds values that are nested 500 deep",
    change: ({ set }) => ({
      async set(key, value, options) {
        if (depthOf(value) === 500) throw new RangeError("too deep");
        await set(key, value, options);
      },
    }),
  },
  {
    rule: " drops members that are undefined, under a symbol or not enumerable",
    change: writing((value) => {
      const isUntidy = isPlain(value) && "a" in value &&
        value["a"] === undefined;
      return isUntidy ? { ...value, a: null } : value;
    }),
  },
  {
    rule: " holds objects without a prototype as plain ones",
    change: writing((value) => {
      const isBare = typeof value === "object" && value !== null &&
        Object.getPrototypeOf(value) === null;
      return isBare ? [...Object.entries(value)] : value;
    }),
  },
  {
    rule: " holds typed arrays without the rest of their buffer",
    change: writing((value) =>
      value instanceof Uint16Array ? new Uint16Array(value.buffer) : value
    ),
  },
  {
    rule: " holds a member named __proto__ as data",
    change: writing((value) => {
      if (!isPlain(value) || !Object.hasOwn(value, "__proto__")) return value;
      const { ["__proto__"]: _, ...rest } = value;
      return rest;
    }),
  },
  {
    rule: " refuses undefined and points to delete",
    change: refusing((error) =>
      error.message.includes("delete") ? new TypeError("no") : error
    ),
  },
  {
    rule: " refuses values that are not portable",
    change: writing((value) => value instanceof RegExp ? `${value}` : value),
  },
  {
    rule: " names the path to what it refuses",
    change: refusing((error) =>
      /\bprice\b/.test(error.message) ? new TypeError("not portable") : error
    ),
  },
  {
    rule: " refuses values that are nested deeper than 500",
    change: refusing((error) =>
      error.message.includes("nested") ? new TypeError(error.message) : error
    ),
  },
  {
    rule: " refuses a value with a getter that throws",
    change: refusing((error) =>
      error.cause instanceof Error ? error.cause : error
    ),
  },
  {
    rule: " reads a getter once",
    change: writing((value) => {
      if (isPlain(value) && Object.hasOwn(value, "n")) void value["n"];
      return value;
    }),
  },
  {
    rule: ".set() stores what the value is at the call",
    change: ({ set }) => ({
      set(key, value, options) {
        if (isList(value)) {
          queueMicrotask(() => set(key, value, options).catch(() => {}));
        }
        return set(key, value, options);
      },
    }),
  },
  {
    rule: ".get() gives each reader a copy",
    change({ get, set, delete: remove, update }) {
      const cache = new Map<string, unknown>();
      return {
        async get(key) {
          if (cache.has(key)) return cache.get(key);
          const value = await get(key);
          if (isList(value)) cache.set(key, value);
          return value;
        },
        set(key, ...rest) {
          cache.delete(key);
          return set(key, ...rest);
        },
        delete(key) {
          cache.delete(key);
          return remove(key);
        },
        async update(key, ...rest) {
          const value = await update(key, ...rest);
          cache.delete(key);
          return value;
        },
      };
    },
  },
  {
    rule: " gives copies that are not frozen",
    change({ get, set }) {
      const frozen = new Set<string>();
      return {
        set(key, value, options) {
          if (typeof value === "object" && Object.isFrozen(value)) {
            frozen.add(key);
          }
          return set(key, value, options);
        },
        async get(key) {
          const value = await get(key);
          return frozen.has(key) ? Object.freeze(value) : value;
        },
      };
    },
  },
  {
    rule: ".update() shares nothing with fn or the caller",
    change({ get, set, update }) {
      let kept: unknown;
      return {
        set(...args) {
          kept = undefined;
          return set(...args);
        },
        update: async (...args) => kept = await update(...args),
        get: async (key) => isList(kept) ? kept : await get(key),
      };
    },
  },

  // Deadlines
  ...ttlMutants("set"),
  ...ttlMutants("touch"),
  ...ttlMutants("update"),
  {
    rule: ".set() refuses unknown options and changes nothing",
    change: ({ set }) => ({
      set: (key, value, options) =>
        set(key, value, options && "maxAge" in options ? {} : options),
    }),
  },
  {
    rule: ".update() refuses unknown options and changes nothing",
    change: ({ update }) => ({
      update: (key, fn, options) =>
        update(key, fn, Array.isArray(options) ? {} : options),
    }),
  },
  {
    rule: ".set() takes a ttl that is undefined or inherited as left out",
    change: ({ set }) => ({
      set: (key, value, options) => set(key, value, withInherited(options)),
    }),
  },
  {
    rule: ".update() takes a ttl that is undefined or inherited as left out",
    change: ({ update }) => ({
      update: (key, fn, options) => update(key, fn, withInherited(options)),
    }),
  },
  {
    rule: ".set() without a ttl lets an entry live for ever",
    change: ({ set }) => ({
      set: (key, value, options = { ttl: 1_000 * DAY }) =>
        set(key, value, options),
    }),
  },
  {
    rule: ".set() replaces a deadline, too",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        async set(key, value, options) {
          const keepsTtl = options === undefined &&
            last.get(key) === "set with ttl";
          if (keepsTtl) await good.update(key, () => value);
          else await last.methods.set?.(key, value, options);
        },
      };
    },
  },
  ...["delete", "clear"].map((method): Mutant => ({
    rule: method === "delete"
      ? ".delete() takes the deadline away with the entry"
      : ".clear() takes deadlines away with the entries",
    change(good) {
      const last = trace(good);
      let ttl: number | undefined;
      return {
        ...last.methods,
        async set(key, value, options) {
          const isLeft = last.get(key) === method;
          await last.methods.set?.(key, value, isLeft ? { ttl } : options);
          if (!isLeft) ttl = options?.ttl;
        },
      };
    },
  })),
  {
    rule: ".has() is false when an entry has expired",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        has: (key) =>
          last.get(key) === "set with ttl"
            ? Promise.resolve(true)
            : good.has(key),
      };
    },
  },
  {
    rule: ".touch() is false for an expired entry and does not revive it",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        touch: async (key, ttl) =>
          await good.touch(key, ttl) || last.get(key) === "set with ttl",
      };
    },
  },
  {
    rule: ".touch() without a ttl takes the deadline away",
    change: ({ has, touch }) => ({
      touch: (key, ttl) => ttl === undefined ? has(key) : touch(key, ttl),
    }),
  },
  {
    rule: ".touch() makes a life longer or shorter, from the call on",
    change({ has, set, touch }) {
      const ttls = new Map<string, number>();
      return {
        set(key, value, options) {
          ttls.set(key, options?.ttl ?? Infinity);
          return set(key, value, options);
        },
        touch(key, ttl) {
          const isLonger = ttl !== undefined && ttl !== Infinity &&
            ttl > (ttls.get(key) ?? Infinity) && ttl < DAY;
          return isLonger ? has(key) : touch(key, ttl);
        },
      };
    },
  },
  {
    rule: ".update() keeps the deadline",
    change: ({ touch, update }) => ({
      async update(key, fn, options) {
        let isLater = false;
        const result = await update(
          key,
          typeof fn === "function"
            ? (value) => {
              const outcome = fn(value);
              isLater = outcome instanceof Promise;
              return outcome;
            }
            : fn,
          options,
        );
        if (!isLater && options === undefined) await touch(key);
        return result;
      },
    }),
  },
  {
    rule: ".update() gives an entry a new ttl, also when the value stays",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        update(key, fn, options) {
          const ttl = options?.ttl ?? NaN;
          const isDropped = last.get(key) === "set with ttl" &&
            typeof ttl === "number" && ttl > 0 && ttl < DAY;
          return good.update(key, fn, isDropped ? {} : options);
        },
      };
    },
  },
  {
    rule: ".update() gives an entry that it creates no deadline but its ttl",
    change: ({ has, touch, update }) => ({
      async update(key, fn, options) {
        const result = await update(key, fn, options);
        if (key === "b" && options === undefined && await has(key)) {
          await touch(key, 2_500);
        }
        return result;
      },
    }),
  },
  {
    rule: ".update() finds nothing when an entry has expired",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        update(key, fn, options) {
          let runs = 0;
          return good.update(key, (value) => {
            const isStale = runs++ === 0 && value === undefined &&
              last.get(key) === "set with ttl";
            return fn(isStale ? "stale" : value);
          }, options);
        },
      };
    },
  },

  // Updates
  {
    rule: ".update() stores what fn returns and resolves to it",
    basic: true,
    change: ({ get, update }) => ({
      async update(key, ...rest) {
        const before = await get(key);
        await update(key, ...rest);
        return before;
      },
    }),
  },
  {
    rule: ".update() gives fn undefined when there is no entry, and creates it",
    change: ({ update }) => ({
      update: (key, fn, options) =>
        update(
          key,
          typeof fn === "function"
            ? (value) => Reflect.apply(fn, undefined, [value, key])
            : fn,
          options,
        ),
    }),
  },
  {
    rule: ".update() stores the copy as fn left it when fn returns nothing",
    change: updating((fn) => (value) => {
      if (!isList(value)) return fn(value);
      const draft = { list: [...value.list] };
      const result = fn(draft);
      if (result instanceof Promise) {
        return result.then((after) => after ?? draft);
      }
      return result ?? value;
    }),
  },
  {
    rule: ".update() keeps a number when fn returns nothing",
    change: ({ update }) => ({
      update: (key, fn, options) =>
        update(
          key,
          typeof fn === "function" && options === undefined
            ? (value) => {
              const result = fn(value);
              return result ?? (typeof value === "number" ? "" : result);
            }
            : fn,
          options,
        ),
    }),
  },
  {
    rule: ".update() leaves an absent entry absent when fn returns nothing",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        update: (key, fn, options) =>
          good.update(
            key,
            typeof fn === "function"
              ? (value) => {
                const result = fn(value);
                return result === undefined && value === undefined &&
                    !last.has(key)
                  ? null
                  : result;
              }
              : fn,
            options,
          ),
      };
    },
  },
  {
    rule: ".update() stores falsy values that fn returns",
    change: updating((fn) => (value) => {
      const result = fn(value);
      return result === "" ? undefined : result;
    }),
  },
  {
    rule: ".update() rejects with what fn throws and changes nothing",
    change: updating((fn) => (value) => {
      try {
        return fn(value);
      } catch (cause) {
        throw new Error("Cannot update entry", { cause });
      }
    }),
  },
  {
    rule: ".update() goes on with the next one when one has failed",
    change(good) {
      let failure: unknown;
      return counting(async (pending, _keys, key, fn, options) => {
        if (pending === 1) failure = undefined;
        try {
          return await good.update(key, (value) => {
            if (failure !== undefined) throw failure;
            return fn(value);
          }, options);
        } catch (error) {
          failure = error;
          throw error;
        }
      });
    },
  },
  {
    rule: ".update() loses none of 100 writes at once by a synchronous fn",
    change: (good) =>
      counting(async (pending, _keys, key, fn, options) => {
        if (pending < 20) return await good.update(key, fn, options);
        const value = await good.get(key);
        const result = fn(value);
        if (result instanceof Promise) {
          return await good.update(key, fn, options);
        }
        await good.set(key, result);
        return result;
      }),
  },
  {
    rule: ".update() loses none of 100 writes at once by an asynchronous fn",
    change: (good) =>
      counting(async (pending, _keys, key, fn, options) => {
        if (pending < 30) return await good.update(key, fn, options);
        const value = await good.get(key);
        const result = fn(value);
        if (!(result instanceof Promise)) {
          return await good.update(key, fn, options);
        }
        await good.set(key, await result);
        return await result;
      }),
  },
  {
    rule: ".update() loses none of the writes of several keys at once",
    change: (good) =>
      counting(async (_pending, keys, key, fn, options) => {
        if (keys < 4) return await good.update(key, fn, options);
        const result = await fn(await good.get(key));
        await good.set(key, result);
        return result;
      }),
  },
  {
    rule: ".update() runs one fn of a key at a time, in the order of the calls",
    change(good) {
      let batch: (() => void)[] = [];
      return {
        async update(...args) {
          await new Promise<void>((resolve) => {
            if (batch.push(resolve) > 1) return;
            queueMicrotask(() => {
              for (const start of batch.reverse()) start();
              batch = [];
            });
          });
          return await good.update(...args);
        },
      };
    },
  },
  {
    rule: ".update() refreshes a token once for ten callers",
    change: (good) =>
      counting(async (pending, _keys, key, fn, options) => {
        if (pending > 5) await fn(await good.get(key)); // to be quick
        return await good.update(key, fn, options);
      }),
  },
  {
    rule: ".update() does not lose a set that lands while fn runs",
    change: remembering("set"),
  },
  {
    rule: ".update() does not bring a deleted entry back",
    change: remembering("delete"),
  },
  {
    rule: ".update() builds on an entry that was deleted and set anew",
    change: remembering("set after delete"),
  },
  {
    rule: ".update() does not bring an entry back that clear has removed",
    change: remembering("clear"),
  },
  {
    rule: ".update() does not bring an entry back that expires while fn runs",
    change: remembering("nothing"),
  },
  {
    rule: ".update() gives fn a fresh copy when it runs again",
    change: updating((fn) => {
      let draft: unknown;
      return (value) => fn(isList(value) ? draft ??= value : value);
    }),
  },
  {
    rule: ".update() keeps the deadline of a touch that lands while fn runs",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        async update(...args) {
          const result = await good.update(...args);
          if (last.get(args[0]) === "touch") await good.touch(args[0], 9_000);
          return result;
        },
      };
    },
  },
  {
    rule: " does not wait for an update in flight",
    hangs: true,
    change(good) {
      const flights = new Map<string, Promise<unknown>>();
      return {
        update(key, fn, options) {
          const flight = good.update(key, fn, options);
          flights.set(key, flight.catch(() => {}));
          return flight;
        },
        has(key) {
          const flight = flights.get(key);
          return flight ? flight.then(() => good.has(key)) : good.has(key);
        },
      };
    },
  },
  {
    rule: ".update() of one key does not wait for that of another",
    also: [".update() lets fn wait for an update of another key"],
    hangs: true,
    change(good) {
      const flights = new Map<string, Promise<unknown>>();
      return {
        async update(key, fn, options) {
          const others = [...flights].filter(([other]) => other !== key);
          const flight = Promise.all(others.map(([, other]) => other))
            .then(() => good.update(key, fn, options));
          const ended = flight.catch(() => {});
          flights.set(key, ended);
          return await flight;
        },
      };
    },
  },
  {
    rule: ".update() lets fn wait for an update of another key",
    change(good) {
      let isRunning = false;
      return {
        async update(key, fn, options) {
          if (isRunning) throw new Error("an update within an update");
          return await good.update(
            key,
            typeof fn === "function"
              ? (value) => {
                isRunning = true;
                try {
                  return fn(value);
                } finally {
                  isRunning = false;
                }
              }
              : fn,
            options,
          );
        },
      };
    },
  },
  {
    rule: ".update() refuses an fn that is not a function",
    change: ({ update }) => ({
      update: (key, fn, options) =>
        isPlain(fn) ? Promise.resolve(fn) : update(key, fn, options),
    }),
  },
  {
    rule:
      ".update() refuses an outcome that is not portable and changes nothing",
    change: updating((fn) => (value) => {
      const result = fn(value);
      return isPlain(result) && "cart" in result ? { cart: [] } : result;
    }),
  },
  {
    rule: ".update() checks its arguments before fn runs",
    change: ({ update }) => ({
      update(key, fn, options) {
        if (options?.ttl === 0) fn(undefined);
        return update(key, fn, options);
      },
    }),
  },
  {
    rule: ".update() lets nobody wait for ever for an fn that never settles",
    hangs: true,
    change: ({ update }) => ({
      update: (...args) =>
        update(...args).catch(async (error) => {
          if (error instanceof UpdateTimeoutError) await hang();
          throw error;
        }),
    }),
  },

  // Order, touch, clear, the end
  {
    rule: " takes effect in the order of the calls",
    change: ({ get }) => ({
      async get(key) {
        await Promise.resolve();
        return await get(key);
      },
    }),
  },
  {
    rule: ".has(), .touch() and .clear() take effect in the order of the calls",
    change: ({ has }) => ({
      async has(key) {
        await Promise.resolve();
        return await has(key);
      },
    }),
  },
  {
    rule: ".touch() tells whether there is an entry",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        async touch(key, ttl) {
          const wasThere = last.get(key) === "delete";
          return await good.touch(key, ttl) || wasThere;
        },
      };
    },
  },
  {
    rule: ".touch() never creates an entry",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        async touch(key, ttl) {
          const isThere = await good.touch(key, ttl);
          if (!last.has(key)) await good.set(key, "touched");
          return isThere;
        },
      };
    },
  },
  {
    rule: ".touch() leaves the value as it is",
    change: ({ get, set, touch }) => ({
      async touch(key, ttl) {
        const isThere = await touch(key, ttl);
        if (isThere && isList(await get(key))) await set(key, "touched");
        return isThere;
      },
    }),
  },
  {
    rule: ".clear() removes all entries",
    change: ({ clear, get, set }) => ({
      async clear() {
        const [value] = await Promise.all([get(""), clear()]);
        if (value === 1) await set("", 1);
      },
    }),
  },
  {
    rule: ".clear() removes many entries",
    change(good) {
      const last = trace(good);
      return {
        ...last.methods,
        async clear() {
          const rest = [...last.keys()].slice(1_000); // a batch is enough
          await last.methods.clear?.();
          for (const key of rest) await good.set(key, 1);
        },
      };
    },
  },
  {
    rule: " rejects all calls when it was disposed of",
    change: ({ get }) => ({
      get: (key) =>
        get(key).catch((error) => {
          if (error.message.includes("disposed")) return undefined;
          throw error;
        }),
    }),
  },
  {
    rule: " may be disposed of twice",
    change(good) {
      let isDisposed = false;
      return {
        async [Symbol.asyncDispose]() {
          if (isDisposed) throw new Error("disposed");
          isDisposed = true;
          await good[Symbol.asyncDispose]();
        },
      };
    },
  },

  // Failures
  {
    rule: " rejects when its engine fails, and never reports a miss",
    change: (good) => ({
      has: (key) =>
        good.has(key).catch((error) => {
          if (good.isDown && error instanceof StoreError) return false;
          throw error;
        }),
    }),
  },
  {
    rule: " works again when its engine does",
    change(good) {
      let failure: unknown;
      return {
        async has(key) {
          if (failure !== undefined) throw failure;
          try {
            return await good.has(key);
          } catch (error) {
            if (good.isDown) failure = error;
            throw error;
          }
        },
      };
    },
  },
  {
    rule: " says in its error whether a failed write was applied",
    change: (good) => ({
      async delete(key) {
        if (!good.isDown) return await good.delete(key);
        good.isDown = false;
        await good.delete(key);
        good.isDown = true;
        await good.delete(key); // says that nothing was applied
      },
    }),
  },
  {
    rule: " checks arguments before it asks its engine",
    change: (good) => ({
      async has(key) {
        if (good.isDown) throw new StoreError("down", "not applied");
        return await good.has(key);
      },
    }),
  },
  {
    rule: " names neither keys nor values when its engine fails",
    change: (good) => ({
      async has(key) {
        try {
          return await good.has(key);
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          throw new StoreError(`${error.message}: ${key}`, error.outcome);
        }
      },
    }),
  },
];

function normalize(key: string): string {
  return typeof key === "string" && key.isWellFormed() ? key.normalize() : key;
}

function withInherited(
  options: { ttl?: number | undefined } | undefined,
): { ttl?: number | undefined } | undefined {
  const inherits = typeof options === "object" && options !== null &&
    !Array.isArray(options) && isPlain(Object.getPrototypeOf(options));
  return inherits ? { ttl: options.ttl } : options;
}

for (const { rule, also = [], basic, hangs, change } of MUTANTS) {
  Deno.test(`testStore() fails for a store that breaks "${rule}"`, async () => {
    const { broken } = await runKit(change, hangs ? PATIENCE : undefined);

    if (basic) assert(broken.includes(rule));
    else assertEquals(broken.sort(), [rule, ...also].sort());
  });
}

Deno.test("testStore() has a broken store for each rule", async () => {
  const { broken, rules } = await runKit(() => ({}));

  assertEquals(broken, []);
  assertEquals(rules.length, new Set(rules).size);
  const covered = new Set(MUTANTS.map(({ rule }) => rule));
  assertEquals(rules.filter((rule) => !covered.has(rule)), []);
});
