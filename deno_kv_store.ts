/**
 * {@linkcode DenoKvStore} keeps entries in Deno KV: in a file, in memory, or in
 * the database of an app on Deno Deploy, with the full contract of the package.
 *
 * @example Open a database and store into it
 * ```ts
 * import { DenoKvStore } from "@harpia/memory-store/deno-kv-store";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:"); // on Deno Deploy: Deno.openKv()
 * await using store = new DenoKvStore<{ name: string }>(kv, { ttl: 60_000 });
 *
 * await store.set("user:1", { name: "Ada" });
 *
 * assertEquals(await store.get("user:1"), { name: "Ada" });
 * assertEquals(await store.get("user:2"), undefined);
 * ```
 *
 * @module
 */

import { checkDuration, checkKey, checkType } from "./_argument.ts";
import {
  callUpdater,
  checkPresent,
  disposedError,
  makeClock,
  MAX_ATTEMPTS,
  readTtl,
} from "./_atomic_store.ts";
import {
  type KvAnswer,
  makeToken,
  packValue,
  readBytes,
  readDeadline,
  readValue,
  setDeadline,
} from "./_deno_kv_entry.ts";
import {
  type DenoKv,
  type DenoKvStoreOptions,
  resolveOptions,
} from "./_deno_kv_options.ts";
import { type Committed, KvTable } from "./_deno_kv_table.ts";
import { KeyQueue, type Run } from "./_key_queue.ts";
import {
  type AtomicStore,
  type StoreSetOptions,
  type StoreUpdateOptions,
  type StoreUpdater,
  UpdateConflictError,
} from "./store.ts";
import { copyValue } from "./_value.ts";

export type { KvAnswer, KvPath } from "./_deno_kv_entry.ts";
export type {
  DenoKv,
  DenoKvAtomic,
  DenoKvIterator,
  DenoKvStoreOptions,
} from "./_deno_kv_options.ts";
export type {
  AtomicStore,
  Store,
  StoreSetOptions,
  StoreUpdateOptions,
  StoreUpdater,
} from "./store.ts";

/**
 * After a conflict an update waits at random, so that two processes that work
 * in step do not meet each time, for the time of fewer reads than this. Unlike
 * a timer, that fits an engine in the same room as well as one far away.
 */
const MAX_READS = 16;

/** What an update is to do, and how far it has got. */
interface Update<V> {
  readonly fn: StoreUpdater<V>;
  readonly ttl: number | undefined;
  /** What it has made last. */
  value: V | undefined;
  /** The last attempt to store that. */
  commit: Promise<Committed> | undefined;
}

/**
 * A store in Deno KV. It keeps the whole contract of {@linkcode AtomicStore};
 * what is documented there is not repeated here.
 *
 * - Processes and isolates that open the same database share its entries.
 * - Reads are strongly consistent.
 * - Updates of one key in this process run one after another; an entry that
 *   another process changes meanwhile is noticed by its versionstamp, and `fn`
 *   runs again. So `fn` may have run more often than once when its outcome is
 *   stored, which it is exactly once.
 * - Deno KV deletes an entry up to a minute after its deadline, so the deadline
 *   is stored with the value, and checked by the clock of the reader.
 * - `touch` stores the bytes of the value again, and only if nobody has changed
 *   them: Deno KV knows no other way to move a deadline.
 * - A value takes at most 65,515 bytes (64 KiB less the head of an entry), as
 *   JSON where JSON can say it. `set` and `update` reject a larger one with a
 *   `RangeError`, before anything is sent.
 * - What others have stored below the prefix is a {@linkcode CorruptEntryError}
 *   to all but `set`, `delete` and `clear`.
 *
 * @typeParam V What is stored under a key. `any` when left out, as in Harpia.
 *
 * @example Count in several processes, and lose nothing
 * ```ts
 * import { DenoKvStore } from "@harpia/memory-store/deno-kv-store";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const here = new DenoKvStore<number>(kv, { prefix: ["shop", "visits"] });
 * const there = new DenoKvStore<number>(kv, { prefix: ["shop", "visits"] });
 *
 * await Promise.all([
 *   here.update("/", (visits = 0) => visits + 1),
 *   there.update("/", (visits = 0) => visits + 1),
 * ]);
 *
 * assertEquals(await here.get("/"), 2);
 * ```
 */
// deno-lint-ignore no-explicit-any -- Harpia's default, and so assignable to its Store
export class DenoKvStore<V = any> implements AtomicStore<V> {
  readonly #table: KvTable;
  readonly #ttl: number;
  readonly #updates: KeyQueue;
  readonly #now = makeClock();
  #disposed = false;

  /**
   * Creates a store on an open database, which stays the caller's to close.
   *
   * @param kv What `Deno.openKv()` or `openKv()` of `npm:@deno/kv` resolves to.
   * @param options Where the entries lie, and how long.
   *
   * @throws {TypeError} If `kv` lacks a method; if an option is unknown or of
   * the wrong kind.
   * @throws {RangeError} If a number is out of its range, or the prefix empty or
   * too long.
   */
  constructor(kv: DenoKv, options: DenoKvStoreOptions = {}) {
    const { prefix, ttl, timeout, updateTimeout } = resolveOptions(kv, options);
    this.#table = new KvTable(kv, prefix, timeout);
    this.#ttl = ttl;
    this.#updates = new KeyQueue(updateTimeout);
  }

  /** See {@linkcode AtomicStore.get}. */
  async get(key: string): Promise<V | undefined> {
    const action = "get entry";
    checkKey(action, key);
    this.#checkOpen(action);
    const answer = await this.#table.get(action, key);
    const bytes = this.#findLive(action, answer);
    // What is stored in this store is a V, unless callers say otherwise.
    return bytes && readValue(action, bytes) as V;
  }

  /** See {@linkcode AtomicStore.set}. */
  async set(key: string, value: V, options?: StoreSetOptions): Promise<void> {
    const action = "set entry";
    checkKey(action, key);
    const ttl = readTtl(action, options) ?? this.#ttl;
    checkPresent(action, value);
    const copy = copyValue(action, value);
    const bytes = packValue(action, copy, this.#now() + ttl);
    this.#checkOpen(action);
    await this.#table.set(action, key, bytes, ttl);
  }

  /** See {@linkcode AtomicStore.delete}. */
  async delete(key: string): Promise<void> {
    const action = "delete entry";
    checkKey(action, key);
    this.#checkOpen(action);
    await this.#table.delete(action, key);
  }

  /** See {@linkcode AtomicStore.has}. */
  async has(key: string): Promise<boolean> {
    const action = "look up entry";
    checkKey(action, key);
    this.#checkOpen(action);
    const answer = await this.#table.get(action, key);
    return this.#findLive(action, answer) !== undefined;
  }

  /** See {@linkcode AtomicStore.touch}. */
  async touch(key: string, ttl?: number): Promise<boolean> {
    const action = "touch entry";
    const life = ttl === undefined
      ? this.#ttl
      : checkDuration(action, "ttl", ttl);
    checkKey(action, key);
    this.#checkOpen(action);
    const expiresAt = this.#now() + life;
    return await this.#table.rewrite(action, key, (answer) => {
      const bytes = this.#findLive(action, answer);
      if (bytes !== undefined) setDeadline(bytes, expiresAt);
      return bytes;
    }, life);
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
    this.#checkOpen(action);
    const update: Update<V> = { fn, ttl, value: undefined, commit: undefined };
    try {
      return await this.#updates.run(
        key,
        (run: Run) => this.#update(key, update, run),
        { givenUp: false },
      );
    } catch (error) {
      // Given up by the queue when a commit was on its way, it may be applied.
      if ((await update.commit)?.ok) return update.value;
      throw error;
    }
  }

  /** See {@linkcode AtomicStore.clear}. */
  async clear(): Promise<void> {
    const action = "clear store";
    this.#checkOpen(action);
    await this.#table.clear(action);
  }

  /** See {@linkcode AtomicStore}. Resolves when calls in flight are over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#updates.giveUp(() => disposedError("update entry"));
    await this.#table.settled();
  }

  /** Runs `fn` until nobody changes the entry before its outcome is stored. */
  async #update(
    key: string,
    update: Update<V>,
    run: Run,
  ): Promise<V | undefined> {
    const action = "update entry";
    const { fn, ttl } = update;
    const token = makeToken();
    let answer = await this.#table.get(action, key);
    for (let attempts = 1; attempts <= MAX_ATTEMPTS; attempts++) {
      const before = this.#findLive(action, answer);
      const draft = before && readValue(action, before) as V; // as in get()
      const { value, isAsync } = await callUpdater(action, fn, draft);
      update.value = value;
      if (run.givenUp) return undefined;
      // There was nothing, there is to be nothing, and no time for a change.
      if (value === undefined && !isAsync) return undefined;
      if (before !== undefined && !this.#findLive(action, answer)) continue;
      do {
        const now = this.#now();
        const expiresAt = before !== undefined && ttl === undefined
          ? readDeadline(before)
          : now + (ttl ?? this.#ttl);
        const bytes = update.value === undefined
          ? undefined
          : packValue(action, update.value, expiresAt, token);
        const change = { before: answer, bytes, token, life: expiresAt - now };
        update.commit = this.#table.commit(action, key, change);
        const committed = await update.commit;
        if (committed.ok) return update.value;
        if (run.givenUp) return undefined;
        answer = committed.found;
        // Deno KV may only have deleted what had expired. Then fn has seen what
        // there is: nothing.
      } while (before === undefined && !this.#findLive(action, answer));
      const reads = Math.floor(Math.random() * Math.min(attempts, MAX_READS));
      for (let i = 0; i < reads; i++) {
        answer = await this.#table.get(action, key);
      }
    }
    throw new UpdateConflictError(MAX_ATTEMPTS);
  }

  /** The bytes of an entry that has not expired. */
  #findLive(action: string, answer: KvAnswer): Uint8Array | undefined {
    const bytes = readBytes(action, answer);
    return bytes && readDeadline(bytes) > this.#now() ? bytes : undefined;
  }

  #checkOpen(action: string): void {
    if (this.#disposed) throw disposedError(action);
  }
}
