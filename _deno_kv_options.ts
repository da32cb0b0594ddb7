/**
 * What a `DenoKvStore` is given, checked and completed.
 *
 * @module
 */

import {
  checkDuration,
  checkOptions,
  checkTimeout,
  checkType,
  kindOf,
} from "./_argument.ts";
import {
  checkPrefixSize,
  type KvAnswer,
  type KvPath,
} from "./_deno_kv_entry.ts";

const PREFIX = "harpia";

const TIMEOUT = 5_000;

const UPDATE_TIMEOUT = 30_000;

/**
 * The part of `Deno.Kv` that {@linkcode DenoKvStore} uses. What `openKv()` of
 * `npm:@deno/kv` makes fits as well.
 */
export interface DenoKv {
  /** Reads an entry; `versionstamp` is `null` where there is none. */
  get(key: KvPath): Promise<KvAnswer>;
  /** Stores an entry; `expireIn` is in milliseconds. */
  set(
    key: KvPath,
    value: Uint8Array,
    options?: { expireIn?: number },
  ): Promise<unknown>;
  /** Deletes an entry. */
  delete(key: KvPath): Promise<void>;
  /** Reads the entries below a prefix. */
  list(
    selector: { prefix: string[] },
    options: { limit: number; batchSize: number; cursor?: string },
  ): DenoKvIterator;
  /** Begins a transaction. */
  atomic(): DenoKvAtomic;
}

/** The part of `Deno.KvListIterator` that {@linkcode DenoKvStore} uses. */
export interface DenoKvIterator
  extends AsyncIterable<{ key: readonly unknown[] }> {
  /** Where to go on behind the last entry. */
  readonly cursor: string;
}

/** The part of `Deno.AtomicOperation` that {@linkcode DenoKvStore} uses. */
export interface DenoKvAtomic {
  /** Makes the transaction depend on what an entry was. */
  check(check: { key: KvPath; versionstamp: string | null }): unknown;
  /** Stores an entry; `expireIn` is in milliseconds. */
  set(
    key: KvPath,
    value: Uint8Array,
    options?: { expireIn?: number },
  ): unknown;
  /** Deletes an entry. */
  delete(key: KvPath): unknown;
  /** Does all of the transaction, or nothing if a check fails. */
  commit(): Promise<{ ok: boolean }>;
}

/** Options for {@linkcode DenoKvStore}. */
export interface DenoKvStoreOptions {
  /**
   * Where the entries lie: that of the key `"a"` at `["harpia", "a"]`, or with
   * `["app", "users"]` at `["app", "users", "a"]`. At least one part, all of
   * them well-formed strings of at most 1,022 bytes together: of UTF-8, and two
   * more for each part and each NUL.
   *
   * Two stores with the same prefix share their entries; with different ones,
   * also when one begins with the other, they share nothing.
   *
   * @default {"harpia"}
   */
  prefix?: string | readonly string[] | undefined;
  /**
   * How long an entry lives when `set` or `touch` does not say, in
   * milliseconds; as in {@linkcode StoreSetOptions.ttl}.
   *
   * @default {Infinity}
   */
  ttl?: number | undefined;
  /**
   * How long Deno KV may take to answer a call, in milliseconds: above `0` and
   * at most 2,147,483,647 (2^31 - 1), or `Infinity`. An `update` reads and
   * writes, each within this time. Then the call rejects with
   * {@linkcode StoreTimeoutError}.
   *
   * @default {5_000}
   */
  timeout?: number | undefined;
  /**
   * How long an update may keep others of its key in this process waiting, in
   * milliseconds: above `0` and at most 2,147,483,647 (2^31 - 1), or `Infinity`.
   *
   * @default {30_000}
   */
  updateTimeout?: number | undefined;
}

/** {@linkcode DenoKvStoreOptions} with nothing left to check. */
export interface ResolvedDenoKvOptions {
  prefix: string[];
  ttl: number;
  timeout: number;
  updateTimeout: number;
}

/** See the constructor of `DenoKvStore` for what it throws. */
export function resolveOptions(
  kv: DenoKv,
  options: DenoKvStoreOptions,
): ResolvedDenoKvOptions {
  const action = "create DenoKvStore";
  for (const method of ["get", "set", "delete", "list", "atomic"] as const) {
    if (typeof kv?.[method] !== "function") {
      throw new TypeError(
        `Cannot ${action}: kv must be what Deno.openKv() resolves to: received ${
          kindOf(kv)
        }`,
      );
    }
  }
  const {
    prefix = PREFIX,
    ttl = Infinity,
    timeout = TIMEOUT,
    updateTimeout = UPDATE_TIMEOUT,
  } = checkOptions(action, options, [
    "prefix",
    "ttl",
    "timeout",
    "updateTimeout",
  ]);
  return {
    prefix: checkPrefix(action, prefix),
    ttl: checkDuration(action, "ttl", ttl),
    timeout: checkTimeout(action, "timeout", timeout),
    updateTimeout: checkTimeout(action, "updateTimeout", updateTimeout),
  };
}

function checkPrefix(
  action: string,
  prefix: string | readonly string[],
): string[] {
  const parts = Array.isArray(prefix) ? [...prefix] : [prefix];
  // Without a part, the whole database would be this store's to clear.
  if (parts.length === 0) {
    throw new RangeError(
      `Cannot ${action}: prefix must have at least one part: received none`,
    );
  }
  for (const part of parts) {
    checkType(action, "prefix", part, "string");
    if (!part.isWellFormed()) {
      throw new TypeError(
        `Cannot ${action}: prefix must be well-formed: received a lone surrogate`,
      );
    }
  }
  checkPrefixSize(action, parts);
  return parts;
}
