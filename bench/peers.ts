/**
 * The stores that are measured, each behind the same four calls.
 *
 * What each of them promises is not written down here: `promises.ts` measures
 * it.
 *
 * @module
 */
// deno-lint-ignore-file require-await -- `async` is how a synchronous cache is put behind the same calls

import type { MemoryStore as MemoryStoreClass } from "../memory_store.ts";
import { copyVisitor, type Visitor } from "./data.ts";

const HOUR = 60 * 60 * 1000;

/** Makes a new value out of the current one. */
export type Updater = (value: unknown) => unknown;

/** What is asked of a store. */
export interface Adapter {
  /** Reads a value; a miss is `undefined` or `null`. */
  get(key: string): Promise<unknown>;
  /** Stores a value. */
  set(key: string, value: unknown): Promise<unknown>;
  /** Stores a value for `ttl` milliseconds, if the store can. */
  setFor(key: string, value: unknown, ttl: number): Promise<unknown>;
  /** Removes a key. */
  delete(key: string): Promise<unknown>;
  /** Replaces the value of a key by what `fn` makes of it. */
  update(key: string, fn: Updater): Promise<unknown>;
}

/** How a store is opened. */
export interface OpenOptions {
  /** How many entries it will get, for stores that must be told. */
  capacity: number;
  /** Whether it may hold no more than `capacity`, if it can. */
  bounded?: boolean;
  /** How long entries live, in milliseconds, if it can and by default. */
  ttl?: number;
}

/** A store to measure. */
export interface Peer {
  /** Its name in the tables. */
  name: string;
  /** The package on npm it comes from. */
  package?: string;
  /** In what form it holds a value, which counts as the value's own memory. */
  holds: "reference" | "copy" | "json";
  /** Whether it is able to bound the number of its entries. */
  bounds: boolean;
  /** Whether it is able to let entries expire. */
  expires: boolean;
  /** Whether it takes values other than {@linkcode Visitor}. */
  anyShape: boolean;
  /** Opens an empty store. */
  open(options: OpenOptions): Promise<Adapter>;
}

/** Where the bundle of the sources is. */
export interface PeerOptions {
  /** The URL of a module that exports `MemoryStore`. */
  memoryStore: string;
}

/** The floor all ratios refer to: nothing but a `Map` and `async`. */
export function openLimit(): Adapter {
  const map = new Map<string, unknown>();
  const put = async (key: string, value: unknown): Promise<void> => {
    map.set(key, value);
  };
  return {
    get: async (key) => map.get(key),
    set: put,
    setFor: put,
    delete: async (key) => {
      map.delete(key);
    },
    update: async (key, fn) => {
      let value = fn(map.get(key));
      if (value instanceof Promise) value = await value;
      map.set(key, value);
      return value;
    },
  };
}

/** As {@linkcode openLimit}, with updates that take turns: none is lost. */
export function openChainedLimit(): Adapter {
  const map = new Map<string, unknown>();
  const limit = openLimit();
  let updates: Promise<unknown> = Promise.resolve();
  return {
    ...limit,
    set: async (key, value) => void map.set(key, value),
    update: (key, fn) =>
      updates = updates.then(async () => {
        const value = await fn(map.get(key));
        map.set(key, value);
        return value;
      }),
  };
}

/** All stores in the order of the tables; this package's own is first. */
export function listPeers({ memoryStore }: PeerOptions): Peer[] {
  const any = { bounds: false, expires: false, anyShape: true };
  const full = { bounds: true, expires: true, anyShape: true };
  return [
    {
      name: "MemoryStore",
      holds: "copy",
      ...full,
      async open({ capacity, bounded = false, ttl = Infinity }) {
        const { MemoryStore } = await load<
          { MemoryStore: typeof MemoryStoreClass }
        >(memoryStore);
        const maxEntries = bounded ? capacity : Infinity;
        const store = new MemoryStore<unknown>({ maxEntries, ttl });
        return {
          get: (key) => store.get(key),
          set: (key, value) => store.set(key, value),
          setFor: (key, value, ttl) => store.set(key, value, { ttl }),
          delete: (key) => store.delete(key),
          update: (key, fn) => store.update(key, fn),
        };
      },
    },
    {
      name: "Map + literal copy",
      holds: "copy",
      ...any,
      anyShape: false,
      open: async () => openLiteralCopy(),
    },
    {
      name: "Map (the limit again)",
      holds: "reference",
      ...any,
      open: async () => openLimit(),
    },
    {
      name: "express-session",
      package: "express-session",
      holds: "json",
      ...full,
      bounds: false,
      async open() {
        const { default: session } = await load<{ default: ExpressSession }>(
          "express-session",
        );
        return adaptExpress(new session.MemoryStore());
      },
    },
    {
      name: "memorystore",
      package: "memorystore",
      holds: "json",
      ...full,
      async open({ capacity, bounded, ttl }) {
        const { default: session } = await load<{ default: ExpressSession }>(
          "express-session",
        );
        const { default: makeClass } = await load<
          {
            default: (session: ExpressSession) => new (
              options: { max?: number; ttl?: number },
            ) => ExpressStore;
          }
        >("memorystore");
        const MemoryStore = makeClass(session);
        return adaptExpress(
          new MemoryStore({
            ...(bounded ? { max: capacity } : {}),
            ...(ttl ? { ttl } : {}),
          }),
        );
      },
    },
    {
      name: "keyv",
      package: "keyv",
      holds: "json",
      ...full,
      bounds: false,
      async open({ ttl }) {
        const { default: Keyv } = await load<
          { default: new (options: { ttl?: number }) => AsyncCache }
        >("keyv");
        return adaptAsync(new Keyv(ttl ? { ttl } : {}));
      },
    },
    {
      name: "unstorage",
      package: "unstorage",
      holds: "json",
      ...any,
      async open() {
        const { createStorage } = await load<
          {
            createStorage: () => {
              getItem(key: string): Promise<unknown>;
              setItem(key: string, value: unknown): Promise<void>;
              removeItem(key: string): Promise<void>;
            };
          }
        >("unstorage");
        const storage = createStorage();
        return withUpdate({
          get: (key) => storage.getItem(key),
          set: (key, value) => storage.setItem(key, value),
          setFor: (key, value) => storage.setItem(key, value),
          delete: (key) => storage.removeItem(key),
        });
      },
    },
    {
      name: "node-cache",
      package: "node-cache",
      holds: "copy",
      ...full,
      async open({ capacity, bounded, ttl }) {
        const { default: NodeCache } = await load<
          {
            default: new (options: { maxKeys?: number; stdTTL?: number }) => {
              get(key: string): unknown;
              set(key: string, value: unknown, seconds?: number): boolean;
              del(key: string): number;
            };
          }
        >("node-cache");
        const cache = new NodeCache({
          // One more: at its limit it refuses to overwrite, too.
          ...(bounded ? { maxKeys: capacity + 1 } : {}),
          ...(ttl ? { stdTTL: ttl / 1000 } : {}),
        });
        return withUpdate({
          get: async (key) => cache.get(key),
          set: async (key, value) => cache.set(key, value),
          setFor: async (key, value, ttl) => cache.set(key, value, ttl / 1000),
          delete: async (key) => cache.del(key),
        });
      },
    },
    {
      name: "cacheable",
      package: "cacheable",
      holds: "reference",
      ...full,
      async open({ capacity, bounded, ttl }) {
        const { Cacheable, createKeyv } = await load<
          {
            Cacheable: new (
              options: { ttl?: number; primary?: unknown },
            ) => AsyncCache;
            createKeyv: (options: { lruSize: number }) => unknown;
          }
        >("cacheable");
        return adaptAsync(
          new Cacheable({
            ...(bounded ? { primary: createKeyv({ lruSize: capacity }) } : {}),
            ...(ttl ? { ttl } : {}),
          }),
        );
      },
    },
    {
      name: "@remix-run/session",
      package: "@remix-run/session",
      holds: "copy",
      ...any,
      open: openRemix,
    },
    {
      name: "hono-sessions",
      package: "hono-sessions",
      holds: "reference",
      ...any,
      async open() {
        const { MemoryStore } = await load<
          {
            MemoryStore: new () => {
              getSessionById(id: string): unknown;
              persistSessionData(id: string, data: unknown): void;
              deleteSession(id: string): void;
            };
          }
        >("hono-sessions");
        const store = new MemoryStore();
        return withUpdate({
          get: async (key) => store.getSessionById(key),
          set: async (key, value) => store.persistSessionData(key, value),
          setFor: async (key, value) => store.persistSessionData(key, value),
          delete: async (key) => store.deleteSession(key),
        });
      },
    },
    {
      name: "harpiats (from its docs)",
      holds: "reference",
      ...any,
      open: async () => openPromiseLock(),
    },
    {
      name: "lru-cache",
      package: "lru-cache",
      holds: "reference",
      ...full,
      async open({ capacity, ttl }) {
        const { LRUCache } = await load<
          {
            LRUCache: new (
              options: { max: number; ttl?: number },
            ) => SyncCache<{ ttl: number }>;
          }
        >("lru-cache");
        const options = ttl ? { max: capacity, ttl } : { max: capacity };
        return adaptSync(new LRUCache(options), (ttl) => ({ ttl }));
      },
    },
    {
      name: "quick-lru",
      package: "quick-lru",
      holds: "reference",
      ...full,
      async open({ capacity, ttl }) {
        const { default: QuickLRU } = await load<
          {
            default: new (
              options: { maxSize: number; maxAge?: number },
            ) => SyncCache<{ maxAge: number }>;
          }
        >("quick-lru");
        const options = ttl
          ? { maxSize: capacity, maxAge: ttl }
          : { maxSize: capacity };
        return adaptSync(new QuickLRU(options), (maxAge) => ({ maxAge }));
      },
    },
    {
      name: "@isaacs/ttlcache",
      package: "@isaacs/ttlcache",
      holds: "reference",
      ...full,
      async open({ capacity, bounded, ttl = bounded ? HOUR : Infinity }) {
        // With a bound and no lifetime, 2.1.5 never returns from `set`.
        const { TTLCache } = await load<
          {
            TTLCache: new (
              options: { ttl: number; max?: number },
            ) => SyncCache<{ ttl: number }>;
          }
        >("@isaacs/ttlcache");
        const options = bounded ? { ttl, max: capacity } : { ttl };
        return adaptSync(new TTLCache(options), (ttl) => ({ ttl }));
      },
    },
  ];
}

interface AsyncCache {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttl?: number): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

interface SyncCache<Options> {
  get(key: string): unknown;
  set(key: string, value: unknown, options?: Options): unknown;
  delete(key: string): unknown;
}

interface ExpressStore {
  get(id: string, done: (error: unknown, data: unknown) => void): void;
  set(id: string, data: unknown, done: (error: unknown) => void): void;
  destroy(id: string, done: (error: unknown) => void): void;
}

interface ExpressSession {
  MemoryStore: new () => ExpressStore;
}

interface RemixSession {
  data: [Record<string, unknown>, unknown];
  size: number;
  set(name: string, value: unknown): void;
  destroy(): void;
}

/**
 * A variable as the name: the types of the peers are not needed, and
 * `deno check` works without them being installed.
 */
async function load<Module>(name: string): Promise<Module> {
  return await import(name);
}

/** Where there is no atomic update, users read, change and write. */
function withUpdate(store: Omit<Adapter, "update">): Adapter {
  return {
    ...store,
    async update(key, fn) {
      let value = fn(await store.get(key));
      if (value instanceof Promise) value = await value;
      await store.set(key, value);
      return value;
    },
  };
}

function adaptAsync(cache: AsyncCache): Adapter {
  return withUpdate({
    get: (key) => cache.get(key),
    set: (key, value) => cache.set(key, value),
    setFor: (key, value, ttl) => cache.set(key, value, ttl),
    delete: (key) => cache.delete(key),
  });
}

function adaptSync<Options>(
  cache: SyncCache<Options>,
  makeOptions: (ttl: number) => Options,
): Adapter {
  return withUpdate({
    get: async (key) => cache.get(key),
    set: async (key, value) => {
      cache.set(key, value);
    },
    setFor: async (key, value, ttl) => {
      cache.set(key, value, makeOptions(ttl));
    },
    delete: async (key) => cache.delete(key),
  });
}

/** Callbacks; the lifetime is that of the cookie among the data. */
function adaptExpress(store: ExpressStore): Adapter {
  const set = (key: string, value: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      store.set(key, value, (error) => error ? reject(error) : resolve());
    });
  return withUpdate({
    get: (key) =>
      new Promise((resolve, reject) => {
        store.get(key, (error, data) => error ? reject(error) : resolve(data));
      }),
    set,
    setFor: (key, value, ttl) =>
      set(key, {
        ...(value as Visitor), // only objects can expire here
        cookie: { expires: new Date(Date.now() + ttl), maxAge: ttl },
      }),
    delete: (key) =>
      new Promise<void>((resolve, reject) => {
        store.destroy(key, (error) => error ? reject(error) : resolve());
      }),
  });
}

/** Sessions are objects here; any other value gets one around it. */
async function openRemix(): Promise<Adapter> {
  const { createSession } = await load<
    { createSession: (id: string) => RemixSession }
  >("@remix-run/session");
  const { createMemorySessionStorage } = await load<
    {
      createMemorySessionStorage: () => {
        read(id: string): Promise<RemixSession>;
        save(session: RemixSession): Promise<unknown>;
      };
    }
  >("@remix-run/session/memory-storage");
  const storage = createMemorySessionStorage();
  const set = (key: string, value: unknown): Promise<unknown> => {
    const session = createSession(key);
    if (typeof value === "object" && value !== null) {
      const members = value as Record<string, unknown>;
      for (const name of Object.keys(members)) session.set(name, members[name]);
    } else {
      session.set("", value);
    }
    return storage.save(session);
  };
  return withUpdate({
    async get(key) {
      const session = await storage.read(key);
      if (session.size === 0) return undefined;
      const data = session.data[0];
      return "" in data ? data[""] : data;
    },
    set,
    setFor: set,
    async delete(key) {
      const session = await storage.read(key);
      session.destroy();
      return storage.save(session);
    },
  });
}

/** The physical limit of a store with copies: it knows its only type. */
function openLiteralCopy(): Adapter {
  const map = new Map<string, unknown>();
  const copy = (value: unknown): unknown =>
    typeof value === "object" && value !== null
      ? copyVisitor(value as Visitor) // nothing else is stored in it
      : value;
  const put = async (key: string, value: unknown): Promise<void> => {
    map.set(key, copy(value));
  };
  return {
    get: async (key) => copy(map.get(key)),
    set: put,
    setFor: put,
    delete: async (key) => {
      map.delete(key);
    },
    async update(key, fn) {
      let value = fn(copy(map.get(key)));
      if (value instanceof Promise) value = await value;
      map.set(key, copy(value));
      return copy(value);
    },
  };
}

/**
 * One chain of promises for all keys: reads and deletes wait for the writes
 * before them, writes join the chain.
 *
 * @see {@link https://harpiats.github.io/core/memory-storage/ | Harpia: Memory Storage, Implementation Details}
 */
function openPromiseLock(): Adapter {
  const map = new Map<string, unknown>();
  let writes: Promise<unknown> = Promise.resolve();
  const put = async (key: string, value: unknown): Promise<void> => {
    writes = writes.then(() => map.set(key, value));
    await writes;
  };
  return withUpdate({
    get: async (key) => (await writes, map.get(key)),
    set: put,
    setFor: put,
    delete: async (key) => (await writes, map.delete(key)),
  });
}
