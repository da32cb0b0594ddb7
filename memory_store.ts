/**
 * {@linkcode MemoryStore} keeps entries in this process: the full contract of
 * the package with nothing to install or to start.
 *
 * @example Read, write, expire
 * ```ts
 * import { MemoryStore } from "@harpia/memory-store/memory-store";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new MemoryStore<{ name: string }>({ ttl: 60_000 });
 *
 * await store.set("user:1", { name: "Ada" });
 *
 * assertEquals(await store.get("user:1"), { name: "Ada" });
 * assertEquals(await store.get("user:2"), undefined);
 * ```
 *
 * @module
 */
// deno-lint-ignore-file require-await -- `async` turns a throw into a rejection

import { checkDuration, checkKey, checkType, isThenable } from "./_argument.ts";
import {
  checkPresent,
  disposedError,
  MAX_ATTEMPTS,
  readTtl,
} from "./_atomic_store.ts";
import { EntryTable, NONE } from "./_entry_table.ts";
import { KeyQueue, type Run } from "./_key_queue.ts";
import {
  type Eviction,
  type MemoryStoreOptions,
  resolveOptions,
} from "./_memory_options.ts";
import {
  type AtomicStore,
  type StoreSetOptions,
  type StoreUpdateOptions,
  type StoreUpdater,
  UpdateConflictError,
} from "./store.ts";

export type { Eviction, MemoryStoreOptions } from "./_memory_options.ts";
export type {
  AtomicStore,
  Store,
  StoreSetOptions,
  StoreUpdateOptions,
  StoreUpdater,
} from "./store.ts";

type MaybePromise<T> = T | Promise<T>;

/** What `update` was called with, and how far it is. */
interface Update<V> extends Run {
  readonly key: string;
  readonly fn: StoreUpdater<V>;
  readonly ttl: number | undefined;
  /** How many times `fn` has run, this run included. */
  attempts: number;
}

/** Nobody else could be told: no caller asked for what was evicted. */
function logEvictError(error: unknown): void {
  // deno-lint-ignore no-console -- `reportError` ends the process on Deno
  console.error("MemoryStore: onEvict failed:", error);
}

/**
 * A store in the memory of this process. It keeps the whole contract of
 * {@linkcode AtomicStore}; what is documented there is not repeated here.
 *
 * - It is not shared: each process, worker and isolate has its own, and what it
 *   holds is gone with it.
 * - It has no timer and keeps no process alive. Expired entries are dropped
 *   when they are met, and up to 256 others, earliest deadline first, by each
 *   write.
 * - Time as the store sees it never runs backwards: once it has seen that the
 *   wall clock was set back, its time goes on from where it was.
 *
 * @typeParam V What is stored under a key. `any` when left out, as in Harpia.
 *
 * @example The positional form of Harpia: at most 5,000 entries
 * ```ts
 * import { MemoryStore } from "@harpia/memory-store/memory-store";
 * import { assertEquals } from "@std/assert";
 *
 * using store = new MemoryStore(5000);
 *
 * await store.set("session123", { userId: 1, username: "Alice" });
 *
 * assertEquals(store.size, 1);
 * ```
 *
 * @example Ten requests that refresh one token refresh it once
 * ```ts
 * import { MemoryStore } from "@harpia/memory-store/memory-store";
 * import { assertEquals } from "@std/assert";
 *
 * const tokens = new MemoryStore<{ token: string; fresh: boolean }>();
 * await tokens.set("ada", { token: "old", fresh: false });
 * let refreshes = 0;
 *
 * await Promise.all(Array.from({ length: 10 }, () =>
 *   tokens.update("ada", async (current) => {
 *     if (current?.fresh) return current;
 *     refreshes++;
 *     return { token: await Promise.resolve("new"), fresh: true };
 *   })));
 *
 * assertEquals(refreshes, 1);
 * ```
 */
// deno-lint-ignore no-explicit-any -- Harpia's default, and so assignable to its Store
export class MemoryStore<V = any>
  implements AtomicStore<V>, Disposable, Iterable<[string, V]> {
  readonly #table: EntryTable<V>;
  readonly #updates: KeyQueue;
  readonly #ttl: number;
  readonly #onEvict: ((eviction: Eviction<V>) => unknown) | undefined;
  /** Starts an update: made once, as one for each call would cost more than it. */
  readonly #start = (update: Update<V>): MaybePromise<V | undefined> =>
    this.#attempt(update);
  /** What `onEvict` is still to be told. */
  #evictions: Eviction<V>[] = [];
  #disposed = false;

  /**
   * Creates an empty store.
   *
   * @param options The options, or `maxEntries` alone, as in Harpia.
   *
   * @throws {TypeError} If an option is unknown or of the wrong kind.
   * @throws {RangeError} If a number is out of its range.
   */
  constructor(options: MemoryStoreOptions<V> | number = {}) {
    const resolved = resolveOptions(options);
    const { maxEntries, onEvict, readersNeverMutate } = resolved;
    this.#ttl = resolved.ttl;
    this.#updates = new KeyQueue(resolved.updateTimeout);
    this.#onEvict = onEvict;
    this.#table = new EntryTable<V>({
      readersNeverMutate,
      maxEntries,
      onEvict: onEvict && ((key, value, reason) => {
        this.#evictions.push({ key, value, reason });
      }),
    });
  }

  /** How many live entries there are. Drops all that have expired. */
  get size(): number {
    this.#table.begin();
    this.#table.sweep(Infinity);
    this.#report();
    return this.#table.size;
  }

  /** See {@linkcode AtomicStore.get}. */
  async get(key: string): Promise<V | undefined> {
    const slot = this.#lookUp("get entry", key);
    if (slot === NONE) return undefined;
    this.#table.use(slot);
    return this.#table.read(slot);
  }

  /** See {@linkcode AtomicStore.set}. */
  async set(key: string, value: V, options?: StoreSetOptions): Promise<void> {
    const action = "set entry";
    const known = this.#table.slotOf(key);
    if (known === NONE) checkKey(action, key);
    const ttl = options === undefined
      ? this.#ttl
      : readTtl(action, options) ?? this.#ttl;
    checkPresent(action, value);
    const kept = this.#table.prepare(action, value);
    this.#begin(action);
    this.#table.put(this.#table.find(key, known), key, kept, ttl);
    this.#report();
  }

  /** See {@linkcode AtomicStore.delete}. */
  async delete(key: string): Promise<void> {
    const slot = this.#lookUp("delete entry", key);
    if (slot !== NONE) this.#table.remove(slot);
    this.#table.sweep();
    this.#report();
  }

  /** See {@linkcode AtomicStore.has}. */
  async has(key: string): Promise<boolean> {
    return this.#lookUp("look up entry", key) !== NONE;
  }

  /** See {@linkcode AtomicStore.touch}. */
  async touch(key: string, ttl?: number): Promise<boolean> {
    const action = "touch entry";
    const life = ttl === undefined
      ? this.#ttl
      : checkDuration(action, "ttl", ttl);
    const slot = this.#lookUp(action, key);
    if (slot !== NONE) {
      this.#table.use(slot);
      this.#table.setDeadline(slot, life);
    }
    this.#table.sweep();
    this.#report();
    return slot !== NONE;
  }

  /** See {@linkcode AtomicStore.update}. */
  async update(
    key: string,
    fn: StoreUpdater<V>,
    options?: StoreUpdateOptions,
  ): Promise<V | undefined> {
    const action = "update entry";
    checkType(action, "fn", fn, "function");
    const ttl = readTtl(action, options);
    const update = { key, fn, ttl, attempts: 1, givenUp: false };
    return this.#updates.run(key, this.#start, update);
  }

  /** See {@linkcode AtomicStore.clear}. */
  async clear(): Promise<void> {
    this.#begin("clear store");
    this.#table.clear();
  }

  /**
   * Copies of the live entries: in the order in which they were created, if there
   * were never more than 120,000.
   */
  *[Symbol.iterator](): IterableIterator<[string, V]> {
    for (const [key, slot] of this.#table.live()) {
      yield [key, this.#table.read(slot)];
    }
  }

  /** See {@linkcode AtomicStore}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
  }

  /** Ends the use of the store and frees what it holds. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#table.clear();
    this.#updates.giveUp(() => disposedError("update entry"));
  }

  /** One run of `fn`, and another one when the entry changes meanwhile. */
  #attempt(update: Update<V>): MaybePromise<V | undefined> {
    const slot = this.#lookUp("update entry", update.key);
    const before = slot === NONE ? undefined : this.#table.valueAt(slot);
    const draft = slot === NONE ? undefined : this.#table.copyAt(slot);
    const result = update.fn(draft);
    return isThenable(result)
      ? Promise.resolve(result).then((result) =>
        this.#finish(update, slot, before, draft, result)
      )
      : this.#finish(update, slot, before, draft, result);
  }

  /** Stores what `fn` has made, if the entry is what it was before. */
  #finish(
    update: Update<V>,
    slotBefore: number,
    before: V | undefined,
    draft: V | undefined,
    result: V | undefined | void,
  ): MaybePromise<V | undefined> {
    const { key, ttl } = update;
    const action = "update entry";
    const table = this.#table;
    // What fn returns is a V or nothing, as its type says.
    const outcome = result === undefined ? draft : result as V;
    const kept = outcome === undefined
      ? undefined
      : table.prepare(action, outcome);
    // From here to the write no code of a caller runs. A stored object is
    // never stored twice, so the same one means: nobody has written.
    if (update.givenUp) return undefined;
    this.#begin(action);
    const slot = table.find(key, slotBefore);
    if (!Object.is(slot === NONE ? undefined : table.valueAt(slot), before)) {
      this.#report();
      if (update.attempts === MAX_ATTEMPTS) {
        throw new UpdateConflictError(update.attempts);
      }
      update.attempts++;
      return this.#attempt(update);
    }
    let copy: V | undefined;
    if (kept !== undefined) {
      const life = slot === NONE ? ttl ?? this.#ttl : ttl;
      copy = table.read(table.put(slot, key, kept, life));
    }
    this.#report();
    return copy;
  }

  /** The slot of a live entry. What has one needs no check of the key. */
  #lookUp(action: string, key: string): number {
    this.#table.begin();
    const slot = this.#table.find(key);
    if (slot !== NONE) return slot;
    checkKey(action, key);
    this.#checkOpen(action);
    this.#report();
    return NONE;
  }

  /** Tells `onEvict`, which may use the store, when nothing is half done. */
  #report(): void {
    if (this.#evictions.length === 0) return;
    const evictions = this.#evictions;
    this.#evictions = [];
    for (const eviction of evictions) {
      try {
        const result = this.#onEvict?.(eviction);
        if (isThenable(result)) result.then(undefined, logEvictError);
      } catch (error) {
        logEvictError(error);
      }
    }
  }

  #begin(action: string): void {
    this.#checkOpen(action);
    this.#table.begin();
  }

  #checkOpen(action: string): void {
    if (this.#disposed) throw disposedError(action);
  }
}
