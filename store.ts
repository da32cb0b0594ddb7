/**
 * The contract every store of this package keeps: {@linkcode Store}, the three
 * methods of the Harpia framework, and {@linkcode AtomicStore}, which adds
 * lifetimes, atomic updates and clean-up. Write against the contract, develop
 * on memory, and go to production by changing one line.
 *
 * @example Write against the contract, not the engine
 * ```ts
 * import { MemoryStore } from "@harpia/memory-store";
 * import type { AtomicStore } from "@harpia/memory-store/store";
 * import { assertEquals } from "@std/assert";
 *
 * async function countVisit(store: AtomicStore<number>, page: string) {
 *   return await store.update(page, (visits = 0) => visits + 1);
 * }
 *
 * const store = new MemoryStore<number>();
 *
 * assertEquals(await countVisit(store, "/"), 1);
 * assertEquals(await countVisit(store, "/"), 2);
 * ```
 *
 * @module
 */

export {
  CorruptEntryError,
  StoreError,
  type StoreOutcome,
  StoreTimeoutError,
  UpdateConflictError,
  UpdateTimeoutError,
} from "./_store_error.ts";

/** Options for {@linkcode AtomicStore.set}. */
export interface StoreSetOptions {
  /**
   * How long the entry lives, in milliseconds from this call. A number above
   * `0`; a fraction is rounded up to the next millisecond; `Infinity` for ever.
   * The deadline, now + `ttl`, must be a time a `Date` can hold (8.64e15).
   *
   * @default {undefined} The default of the store, else for ever
   */
  ttl?: number | undefined;
}

/** Options for {@linkcode AtomicStore.update}. */
export interface StoreUpdateOptions {
  /**
   * A new life for the entry, in milliseconds from the moment the update takes
   * effect, as in {@linkcode StoreSetOptions.ttl}.
   *
   * @default {undefined} An entry keeps its deadline; a new one gets the
   * default of the store, else lives for ever
   */
  ttl?: number | undefined;
}

/**
 * A key-value store as the Harpia framework defines it. Any object with these
 * three methods works wherever this package takes a store; `null` from `get`
 * counts as a miss.
 *
 * @typeParam V What is stored under a key.
 *
 * @see {@link https://harpiats.github.io/core/session/ | Harpia: Session, Using a Custom Store}
 */
export interface Store<V = unknown> {
  /**
   * Reads the value of a key.
   *
   * - A miss (never set, deleted or expired) is `undefined`. `null`, `0`, `""`
   *   and `false` are values.
   * - The value is a copy that belongs to the caller.
   * - An entry has expired when now ≥ its deadline, exactly.
   * - It takes effect when called: it sees every operation on the key that was
   *   called before, and waits for none, nor for an update in flight.
   * - A failure of the engine is a rejection, never a miss.
   *
   * @param key Any well-formed string of at most 1,024 bytes in UTF-8, `""` and
   * `"__proto__"` included. Never normalised or case-folded.
   * @returns The value, or `undefined` on a miss.
   *
   * @throws {TypeError} If the key is not a string or holds a lone surrogate.
   * @throws {RangeError} If the key is longer than 1,024 bytes.
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  get(key: string): Promise<V | undefined>;

  /**
   * Stores a value under a key, in place of what was there.
   *
   * - What is stored is what the value was at the call: a copy.
   * - Values are `null`, booleans, strings, numbers (`NaN`, ±`Infinity` and
   *   `-0` too), bigints, `Date`, `Map`, `Set`, `ArrayBuffer`, typed arrays,
   *   arrays and plain objects of these, nested at most 500 deep. They come
   *   back the same from every engine; plain objects with `Object.prototype`,
   *   typed arrays with a buffer of their own.
   * - Members that are `undefined`, and members under a symbol or not
   *   enumerable, are dropped. An own `__proto__` is data.
   * - Anything else is refused and nothing is changed: a function, a symbol, a
   *   promise, an instance of a class, shared memory, a hole or `undefined` in
   *   an array, a cycle.
   * - It takes effect when called, and waits for nothing.
   *
   * @param key As in {@linkcode Store.get}.
   * @param value The value to copy.
   *
   * @throws {TypeError} If the key is not a string or holds a lone surrogate;
   * if the value is `undefined` (delete the key instead) or not portable: the
   * message names the path to it, never the value.
   * @throws {RangeError} If the key is longer than 1,024 bytes or the value
   * nested more than 500 deep.
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  set(key: string, value: V): Promise<void>;

  /**
   * Removes a key. Does nothing when there is no such entry. Once it has
   * resolved, no update that was in flight brings the entry back.
   *
   * It takes effect when called, and waits for nothing.
   *
   * @param key As in {@linkcode Store.get}.
   *
   * @throws {TypeError} If the key is not a string or holds a lone surrogate.
   * @throws {RangeError} If the key is longer than 1,024 bytes.
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  delete(key: string): Promise<void>;
}

/**
 * The full contract: a {@linkcode Store} with lifetimes, atomic updates and
 * clean-up. Every operation is linearizable per key.
 *
 * @typeParam V What is stored under a key.
 */
export interface AtomicStore<V = unknown> extends Store<V>, AsyncDisposable {
  /**
   * Stores a value under a key as {@linkcode Store.set} does, with a lifetime.
   * What was there is replaced, its deadline too.
   *
   * @param key As in {@linkcode Store.get}.
   * @param value The value to copy, as in {@linkcode Store.set}.
   * @param options How long the entry lives.
   *
   * @throws {TypeError} As {@linkcode Store.set}; if `ttl` is not a number or
   * an option is unknown.
   * @throws {RangeError} As {@linkcode Store.set}; if `ttl` is `NaN`, not above
   * `0`, or its deadline is beyond what a `Date` can hold.
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  set(key: string, value: V, options?: StoreSetOptions): Promise<void>;

  /**
   * Whether there is a live entry under a key. Reads no value; takes effect
   * when called.
   *
   * @param key As in {@linkcode Store.get}.
   * @returns `false` when the key was never set, was deleted or has expired.
   *
   * @throws {TypeError} If the key is not a string or holds a lone surrogate.
   * @throws {RangeError} If the key is longer than 1,024 bytes.
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  has(key: string): Promise<boolean>;

  /**
   * Gives a live entry a new deadline. Never rewrites its value, never creates
   * an entry. Takes effect when called.
   *
   * @param key As in {@linkcode Store.get}.
   * @param ttl How long the entry lives from this call, in milliseconds, as in
   * {@linkcode StoreSetOptions.ttl}. Left out: the default of the store, else
   * for ever.
   * @returns Whether there was a live entry.
   *
   * @throws {TypeError} If the key is not a string or holds a lone surrogate,
   * or `ttl` is not a number.
   * @throws {RangeError} If the key is longer than 1,024 bytes, or `ttl` is
   * `NaN`, not above `0` or too large.
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  touch(key: string, ttl?: number): Promise<boolean>;

  /**
   * Changes a value as one atomic step: reads it, calls `fn`, stores the
   * outcome. No concurrent write is lost between the two.
   *
   * - `fn` receives a copy of the value, or `undefined` when there is none.
   *   What it returns is stored; when it returns nothing, the copy as it left
   *   it. So `(n = 0) => n + 1` and `(s) => { s?.cart.push(item); }` both do
   *   what they say, and an absent entry stays absent when nothing is returned.
   * - A synchronous `fn` runs at once, unless an asynchronous update of the
   *   same key is in flight.
   * - With an asynchronous `fn`, updates of one key run one after another, in
   *   call order. A `set`, `delete` or expiry meanwhile does not wait and is
   *   not lost: `fn` runs again on the new state. So it may run more
   *   than once, and a deleted entry does not come back by a late write.
   * - When `fn` throws or rejects, so does this call, with the same error.
   *   Nothing is changed, and the next update goes ahead.
   * - The remaining lifetime stays unless `ttl` is given.
   *
   * @param key As in {@linkcode Store.get}.
   * @param fn Makes the new value. Must not wait for an update of its own key,
   * nor write it in another way.
   * @param options A new lifetime.
   * @returns A copy of what is now stored; `undefined` when there is no entry.
   *
   * @throws {TypeError} If the key is not a string or holds a lone surrogate,
   * `fn` is not a function, an option is unknown, `ttl` is not a number, or the
   * outcome is not portable, as in {@linkcode Store.set}.
   * @throws {RangeError} If the key is longer than 1,024 bytes, `ttl` is `NaN`,
   * not above `0` or too large, or the outcome nested more than 500 deep.
   * @throws {UpdateTimeoutError} If an asynchronous `fn` that others wait for
   * does not settle in time: to the one that did not and to those that waited.
   * @throws {UpdateConflictError} If the entry changed during each of 100 runs.
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  update(
    key: string,
    fn: StoreUpdater<V>,
    options?: StoreUpdateOptions,
  ): Promise<V | undefined>;

  /**
   * Removes every entry of this store. Takes effect when called.
   *
   * @throws {StoreError} If the engine fails, or the store was disposed.
   */
  clear(): Promise<void>;

  /**
   * Ends the use of the store: later calls reject with {@linkcode StoreError}.
   * The client of an engine stays open, it belongs to the caller. Disposing
   * twice does nothing.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes the new value of an entry out of a copy of the current one, for
 * {@linkcode AtomicStore.update}. Returning nothing keeps the copy as the
 * function left it.
 *
 * @typeParam V What is stored under a key.
 *
 * @param value A copy of the current value; `undefined` when there is none.
 * @returns The new value, or nothing; or a promise of it.
 */
export type StoreUpdater<V> = (
  value: V | undefined,
) => V | undefined | void | Promise<V | undefined | void>;
