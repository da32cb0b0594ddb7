/**
 * The options of a `MemoryStore`, checked and completed.
 *
 * @module
 */

import {
  checkDuration,
  checkOptions,
  checkTimeout,
  checkType,
  rangeError,
} from "./_argument.ts";

/**
 * A `Map` of V8 has room for 2^24 entries, deleted ones included: it clears
 * those out in place of growing when they are half of them or more.
 */
const MAX_ENTRIES = 2 ** 23;

const UPDATE_TIMEOUT = 30_000;

/** An entry that has left a {@linkcode MemoryStore} by itself. */
export interface Eviction<V> {
  /** The key that is now free. */
  key: string;
  /**
   * The value, which now belongs to the receiver; of a store whose
   * `readersNeverMutate`, also to those who have read it.
   */
  value: V;
  /**
   * `"expired"`: its time was over; reported when the store notices.
   * `"capacity"`: its place was needed.
   */
  reason: "expired" | "capacity";
}

/** Options for {@linkcode MemoryStore}. */
export interface MemoryStoreOptions<V> {
  /**
   * How long an entry lives when `set` or `touch` does not say, in
   * milliseconds; as in {@linkcode StoreSetOptions.ttl}.
   *
   * @default {Infinity}
   */
  ttl?: number | undefined;
  /**
   * How many entries there can be: a whole number from `1` to 8,388,608
   * (2^23), or `Infinity`. A new key in a full store takes the place of an
   * expired entry, else of a live one that was not used lately (SIEVE).
   *
   * @default {Infinity}
   *
   * @see {@link https://www.usenix.org/conference/nsdi24/presentation/zhang-yazhuo | Zhang et al., SIEVE, NSDI 2024}
   */
  maxEntries?: number | undefined;
  /**
   * Is told of each entry that expires or makes place for another; not of those
   * that are deleted, replaced or cleared. Called when the state of the store
   * is consistent again. What it throws is written to the console and breaks
   * nothing.
   */
  onEvict?: ((eviction: Eviction<V>) => unknown) | undefined;
  /**
   * How long an asynchronous update may keep others of its key waiting, in
   * milliseconds: above `0` and at most 2,147,483,647 (2^31 - 1), or `Infinity`.
   *
   * @default {30_000}
   */
  updateTimeout?: number | undefined;
  /**
   * A promise that nobody mutates what `get`, `update` or an iteration gave
   * him. With it these hand out the stored value itself in place of a copy,
   * which takes half the time; `set` copies as ever, and so does `update` for
   * `fn`. A reader that breaks the promise changes what all others read.
   *
   * @default {false}
   */
  readersNeverMutate?: boolean | undefined;
}

/** {@linkcode MemoryStoreOptions} with nothing left to check. */
export interface ResolvedMemoryOptions<V> {
  ttl: number;
  maxEntries: number;
  updateTimeout: number;
  onEvict: ((eviction: Eviction<V>) => unknown) | undefined;
  readersNeverMutate: boolean;
}

/** See the constructor of `MemoryStore` for what it throws. */
export function resolveOptions<V>(
  options: MemoryStoreOptions<V> | number,
): ResolvedMemoryOptions<V> {
  const action = "create MemoryStore";
  const {
    ttl = Infinity,
    maxEntries = Infinity,
    onEvict,
    updateTimeout = UPDATE_TIMEOUT,
    readersNeverMutate = false,
  } = checkOptions(
    action,
    typeof options === "number" ? { maxEntries: options } : options,
    ["ttl", "maxEntries", "onEvict", "updateTimeout", "readersNeverMutate"],
  );
  checkType(action, "readersNeverMutate", readersNeverMutate, "boolean");
  if (onEvict !== undefined) checkType(action, "onEvict", onEvict, "function");
  return {
    ttl: checkDuration(action, "ttl", ttl),
    maxEntries: checkMaxEntries(action, maxEntries),
    updateTimeout: checkTimeout(action, "updateTimeout", updateTimeout),
    onEvict,
    readersNeverMutate,
  };
}

function checkMaxEntries(action: string, maxEntries: number): number {
  checkType(action, "maxEntries", maxEntries, "number");
  if (
    maxEntries !== Infinity &&
    !(Number.isInteger(maxEntries) && maxEntries >= 1 &&
      maxEntries <= MAX_ENTRIES)
  ) {
    throw rangeError(
      action,
      `maxEntries must be a whole number from 1 to ${MAX_ENTRIES}, or Infinity`,
      maxEntries,
    );
  }
  return maxEntries;
}
