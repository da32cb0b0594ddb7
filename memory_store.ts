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
import { type Entry, EntryTable, readEntry } from "./_entry_table.ts";
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
import { copyValue, copyValueToKeep } from "./_value.ts";

export type { Eviction, MemoryStoreOptions } from "./_memory_options.ts";
export type {
  AtomicStore,
  Store,
  StoreSetOptions,
  StoreUpdateOptions,
  StoreUpdater,
} from "./store.ts";

type MaybePromise<T> = T | Promise<T>;

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
 *   when they are met, and up to 512 others, earliest deadline first, by each
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
  readonly #readersNeverMutate: boolean;
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
    const { maxEntries, onEvict } = resolved;
    this.#ttl = resolved.ttl;
    this.#updates = new KeyQueue(resolved.updateTimeout);
    this.#onEvict = onEvict;
    this.#readersNeverMutate = resolved.readersNeverMutate;
    this.#table = new EntryTable<V>({
      maxEntries,
      onEvict: (entry, reason) => {
        if (!onEvict) return;
        this.#evictions.push({
          key: entry.key,
          value: readEntry(entry),
          reason,
        });
      },
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
    const entry = this.#lookUp("get entry", key);
    if (entry === undefined) return undefined;
    entry.used = true;
    return this.#read(entry);
  }

  /** See {@linkcode AtomicStore.set}. */
  async set(key: string, value: V, options?: StoreSetOptions): Promise<void> {
    const action = "set entry";
    checkKey(action, key);
    const ttl = readTtl(action, options) ?? this.#ttl;
    checkPresent(action, value);
    const copy = this.#copy(action, value);
    this.#begin(action);
    this.#put(this.#table.find(key), key, copy, ttl);
    this.#report();
  }

  /** See {@linkcode AtomicStore.delete}. */
  async delete(key: string): Promise<void> {
    const entry = this.#lookUp("delete entry", key);
    if (entry !== undefined) this.#table.remove(entry);
    this.#table.sweep();
    this.#report();
  }

  /** See {@linkcode AtomicStore.has}. */
  async has(key: string): Promise<boolean> {
    return this.#lookUp("look up entry", key) !== undefined;
  }

  /** See {@linkcode AtomicStore.touch}. */
  async touch(key: string, ttl?: number): Promise<boolean> {
    const action = "touch entry";
    const life = ttl === undefined
      ? this.#ttl
      : checkDuration(action, "ttl", ttl);
    const entry = this.#lookUp(action, key);
    if (entry !== undefined) {
      entry.used = true;
      this.#table.setDeadline(entry, life);
    }
    this.#table.sweep();
    this.#report();
    return entry !== undefined;
  }

  /** See {@linkcode AtomicStore.update}. */
  async update(
    key: string,
    fn: StoreUpdater<V>,
    options?: StoreUpdateOptions,
  ): Promise<V | undefined> {
    const action = "update entry";
    checkKey(action, key);
    checkType(action, "fn", fn, "function");
    const ttl = readTtl(action, options);
    return this.#updates.run(key, (run) => this.#attempt(key, fn, ttl, run, 1));
  }

  /** See {@linkcode AtomicStore.clear}. */
  async clear(): Promise<void> {
    this.#begin("clear store");
    this.#table.clear();
  }

  /** Copies of the live entries, in the order in which they were created. */
  *[Symbol.iterator](): IterableIterator<[string, V]> {
    for (const entry of this.#table.live()) {
      yield [entry.key, this.#read(entry)];
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
  #attempt(
    key: string,
    fn: StoreUpdater<V>,
    ttl: number | undefined,
    run: Run,
    attempts: number,
  ): MaybePromise<V | undefined> {
    const action = "update entry";
    const found = this.#lookUp(action, key);
    const before = found?.value;
    const draft = found && readEntry(found);
    const finish = (result: unknown): MaybePromise<V | undefined> => {
      // What fn returns is a V or nothing, as its type says.
      const outcome = result === undefined ? draft : result as V;
      const after = outcome === undefined
        ? undefined
        : this.#copy(action, outcome);
      // From here to the write no code of a caller runs. A stored object is
      // never stored twice, so the same one means: nobody has written.
      if (run.givenUp) return undefined;
      this.#begin(action);
      const entry = this.#table.find(key);
      if (!Object.is(entry?.value, before)) {
        this.#report();
        if (attempts === MAX_ATTEMPTS) throw new UpdateConflictError(attempts);
        return this.#attempt(key, fn, ttl, run, attempts + 1);
      }
      const stored = after === undefined
        ? entry
        : this.#put(entry, key, after, ttl);
      const copy = stored && this.#read(stored);
      this.#report();
      return copy;
    };
    const result = fn(draft);
    return isThenable(result)
      ? Promise.resolve(result).then(finish)
      : finish(result);
  }

  #copy(action: string, value: V): V {
    return this.#readersNeverMutate
      ? copyValue(action, value)
      : copyValueToKeep(action, value);
  }

  #read(entry: Entry<V>): V {
    return this.#readersNeverMutate ? entry.value : readEntry(entry);
  }

  /** Stores a copy; `ttl` left out keeps a deadline, or takes the default. */
  #put(
    entry: Entry<V> | undefined,
    key: string,
    copy: V,
    ttl: number | undefined,
  ): Entry<V> {
    if (entry === undefined) {
      return this.#table.add(key, copy, ttl ?? this.#ttl);
    }
    this.#table.replace(entry, copy, ttl);
    return entry;
  }

  /** A live entry. What is found under a key needs no check of the key. */
  #lookUp(action: string, key: string): Entry<V> | undefined {
    this.#table.begin();
    const entry = this.#table.find(key);
    if (entry !== undefined) return entry;
    checkKey(action, key);
    this.#checkOpen(action);
    this.#report();
    return undefined;
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
