/**
 * {@linkcode RedisStore} keeps entries in Redis or Valkey, for all processes
 * that share it, with the full contract of the package. The client is yours:
 * `npm:redis`, `npm:ioredis` or that of Bun.
 *
 * @example Connect and store
 * ```ts ignore
 * import { createClient } from "npm:redis@^5";
 * import { RedisStore } from "@harpia/memory-store/redis-store";
 *
 * const client = await createClient({ url: "redis://localhost" })
 *   .on("error", (error) => console.error("Redis:", error.message))
 *   .connect();
 * const store = new RedisStore<{ name: string }>({ client, ttl: 60_000 });
 *
 * await store.set("user:1", { name: "Ada" });
 * await store.get("user:1"); // { name: "Ada" }
 * await store.get("user:2"); // undefined
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
import { KeyQueue, type Run } from "./_key_queue.ts";
import { RedisCalls } from "./_redis_calls.ts";
import {
  packValue,
  readDeadline,
  readEntry,
  readTouched,
  readValue,
  type RedisEntry,
} from "./_redis_entry.ts";
import { type RedisStoreOptions, resolveOptions } from "./_redis_options.ts";
import { RedisTable } from "./_redis_table.ts";
import {
  type AtomicStore,
  type StoreSetOptions,
  type StoreUpdateOptions,
  type StoreUpdater,
  UpdateConflictError,
} from "./store.ts";
import { copyValue } from "./_value.ts";

export type {
  BunRedisClient,
  IoRedisClient,
  NodeRedisClient,
  NodeRedisCluster,
  RedisClient,
} from "./_redis_client.ts";
export type { RedisStoreOptions } from "./_redis_options.ts";
export type {
  AtomicStore,
  Store,
  StoreSetOptions,
  StoreUpdateOptions,
  StoreUpdater,
} from "./store.ts";

/** What an update is to do, and how far it has got. */
interface Update<V> {
  readonly fn: StoreUpdater<V>;
  readonly ttl: number | undefined;
  /** What it has made last. */
  value: V | undefined;
  /** Resolves to whether that was stored; else others have been faster. */
  write: Promise<boolean> | undefined;
}

/**
 * A store in Redis or Valkey. It keeps the whole contract of
 * {@linkcode AtomicStore}; what is documented there is not repeated here.
 *
 * - Processes that use the same server and the same prefix share the entries.
 * - Each operation is one command on one key, sent at the call; `update` is at
 *   least two, and `clear` a scan. What is called for a key while a `touch` of it
 *   is in flight is sent when that was answered, and so stays behind it.
 * - Scripts are sent by their digest (`EVALSHA`), and by their text to a server
 *   that does not know them.
 * - Updates of one key in this process run one after another. Between
 *   processes they do not wait: the first to store is the one that counts, and
 *   the `fn` of the other runs again on what is there then. So every outcome is
 *   stored exactly once, but `fn` may have run, and had its side effects, on a
 *   state that another process was changing at the time.
 * - A write whose reply was lost is `"unknown"` and never sent again, but for an
 *   `update`, which looks first whether it has been applied, and carries a mark
 *   that lets it be applied once only.
 * - Redis ends an entry after its ttl, and besides that its deadline is stored
 *   and checked by the clock of the reader, which `PERSIST` does not change.
 *   Processes that share entries have to agree on the time (NTP).
 * - Plain data is stored as JSON behind a head of 57 characters, any other as
 *   JSON with tags.
 * - What others have stored under the prefix is a {@linkcode CorruptEntryError}
 *   to all but `set`, `delete` and `clear`.
 *
 * Redis 6.0 or later, with `maxmemory-policy noeviction`; see
 * {@linkcode RedisStore.check}.
 *
 * @typeParam V What is stored under a key. `any` when left out, as in Harpia.
 *
 * @example In development memory, in production Redis
 * ```ts ignore
 * import { createClient } from "npm:redis@^5";
 * import { MemoryStore } from "@harpia/memory-store";
 * import { RedisStore } from "@harpia/memory-store/redis-store";
 *
 * const url = Deno.env.get("REDIS_URL");
 * const store = url === undefined
 *   ? new MemoryStore<number>()
 *   : new RedisStore<number>({ client: await createClient({ url }).connect() });
 * ```
 */
// deno-lint-ignore no-explicit-any -- Harpia's default, and so assignable to its Store
export class RedisStore<V = any> implements AtomicStore<V> {
  readonly #table: RedisTable;
  readonly #ttl: number;
  readonly #updates: KeyQueue;
  readonly #now = makeClock();
  #disposed = false;

  /**
   * Creates a store. Sends nothing.
   *
   * @param options The client, where the entries lie, and how long.
   *
   * @throws {TypeError} If the client is none that is known, or breaks the
   * contract; if an option is unknown or of the wrong kind; if the prefix holds
   * a `/` or a lone surrogate.
   * @throws {RangeError} If a number is out of its range.
   */
  constructor(options: RedisStoreOptions) {
    const { connection, prefix, ttl, timeout, updateTimeout } = resolveOptions(
      options,
    );
    this.#table = new RedisTable(new RedisCalls(connection, timeout), prefix);
    this.#ttl = ttl;
    this.#updates = new KeyQueue(updateTimeout);
  }

  /** See {@linkcode AtomicStore.get}. */
  async get(key: string): Promise<V | undefined> {
    const action = "get entry";
    checkKey(action, key);
    this.#checkOpen(action);
    const entry = this.#readLive(action, await this.#table.get(action, key));
    // What is stored in this store is a V, unless callers say otherwise.
    return entry && readValue(action, entry) as V;
  }

  /** See {@linkcode AtomicStore.set}. */
  async set(key: string, value: V, options?: StoreSetOptions): Promise<void> {
    const action = "set entry";
    checkKey(action, key);
    const ttl = readTtl(action, options) ?? this.#ttl;
    checkPresent(action, value);
    const packed = packValue(copyValue(action, value));
    this.#checkOpen(action);
    await this.#table.set(action, key, packed, this.#now(), ttl);
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
    const reply = await this.#table.getHead(action, key);
    return readDeadline(action, reply) > this.#now();
  }

  /** See {@linkcode AtomicStore.touch}. */
  async touch(key: string, ttl?: number): Promise<boolean> {
    const action = "touch entry";
    const life = ttl === undefined
      ? this.#ttl
      : checkDuration(action, "ttl", ttl);
    checkKey(action, key);
    this.#checkOpen(action);
    const reply = await this.#table.touch(action, key, this.#now(), life);
    return readTouched(action, reply);
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
    const update: Update<V> = { fn, ttl, value: undefined, write: undefined };
    try {
      return await this.#updates.run(
        key,
        (run: Run) => this.#update(key, update, run),
        { givenUp: false },
      );
    } catch (error) {
      // The queue may have given it up when a write was on its way.
      if (await update.write) return update.value;
      throw error;
    }
  }

  /**
   * Removes every entry of this store, a thousand at a time, and waits for
   * nothing else. What this store does after the call finds them removed;
   * what another process writes meanwhile may be removed or not.
   *
   * @throws {StoreError} If Redis fails, or the store was disposed. Some entries
   * may be removed then.
   */
  async clear(): Promise<void> {
    const action = "clear store";
    this.#checkOpen(action);
    await this.#table.clear(action);
  }

  /**
   * Asks Redis whether it may evict entries to make place for others, as a cache
   * does: a session could end before its time, or an update find nothing. For
   * the start of an app. The other operations do not depend on it.
   *
   * @throws {StoreError} If its `maxmemory-policy` is not `noeviction`, or it
   * cannot be asked.
   */
  async check(): Promise<void> {
    const action = "check store";
    this.#checkOpen(action);
    await this.#table.check(action);
  }

  /** See {@linkcode AtomicStore}. */
  // deno-lint-ignore require-await -- of the contract
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#updates.giveUp(() => disposedError("update entry"));
  }

  /** Runs `fn` until nobody is faster to change the entry. */
  async #update(
    key: string,
    update: Update<V>,
    run: Run,
  ): Promise<V | undefined> {
    const action = "update entry";
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const found = await this.#find(action, key);
      if (run.givenUp) return undefined;
      const draft = found && readValue(action, found) as V; // as in get()
      const { value, isAsync } = await callUpdater(action, update.fn, draft);
      update.value = value;
      if (run.givenUp) return undefined;
      if (value === undefined) {
        // There was nothing and is to be nothing, if there still is nothing.
        if (!isAsync || await this.#find(action, key) === undefined) {
          return undefined;
        }
        continue;
      }
      const packed = packValue(update.value);
      const ttl = update.ttl ?? (found === undefined ? this.#ttl : undefined);
      update.write = this.#table.replace(
        action,
        key,
        found,
        packed,
        this.#now(),
        ttl,
      );
      if (await update.write) return update.value;
      if (run.givenUp) return undefined;
    }
    throw new UpdateConflictError(MAX_ATTEMPTS);
  }

  async #find(action: string, key: string): Promise<RedisEntry | undefined> {
    this.#checkOpen(action);
    return this.#readLive(action, await this.#table.get(action, key));
  }

  /** Reads an entry that has not expired. */
  #readLive(action: string, reply: unknown): RedisEntry | undefined {
    const entry = readEntry(action, reply);
    return entry && entry.expiresAt > this.#now() ? entry : undefined;
  }

  #checkOpen(action: string): void {
    if (this.#disposed) throw disposedError(action);
  }
}
