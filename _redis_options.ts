/**
 * The options of a `RedisStore`, checked and completed.
 *
 * @module
 */

import {
  checkDuration,
  checkOptions,
  checkTimeout,
  checkType,
} from "./_argument.ts";
import { connect, type Connection, type RedisClient } from "./_redis_client.ts";

const PREFIX = "harpia";

/** What ends the prefix in a key of Redis. */
const PREFIX_END = "/";

const TIMEOUT = 5_000;

const UPDATE_TIMEOUT = 30_000;

/** Options for {@linkcode RedisStore}. */
export interface RedisStoreOptions {
  /**
   * A client of Redis or Valkey, which stays the caller's to connect and to
   * close:
   *
   * - of `npm:redis` 5 or later: `await createClient().connect()`, or
   *   `createCluster()`;
   * - of `npm:ioredis` 5 or later: `new Redis({ maxRetriesPerRequest: 0 })`. By
   *   default it sends again what was not answered when a connection is lost,
   *   so that a write could be applied twice: such a client is refused;
   * - of Bun: `Bun.redis`, or `new RedisClient()`.
   *
   * A pool, a cluster of ioredis, and a client with a `keyPrefix` are refused.
   */
  client: RedisClient;
  /**
   * Where the entries lie: that of the key `"a"` under `harpia/a`. Any
   * well-formed string without a `/`.
   *
   * Stores with the same prefix share their entries; with different ones, also
   * when one begins with the other, they share nothing. `clear` removes all
   * that lies under the prefix, whoever has written it.
   *
   * @default {"harpia"}
   */
  prefix?: string | undefined;
  /**
   * How long an entry lives when `set` or `touch` does not say, in
   * milliseconds; as in {@linkcode StoreSetOptions.ttl}.
   *
   * @default {Infinity}
   */
  ttl?: number | undefined;
  /**
   * How long Redis may take to reply, in milliseconds: above `0` and at most
   * 2,147,483,647 (2^31 - 1), or `Infinity`. An `update` reads and writes, each
   * within this time, and so does `clear` for each thousand keys. Then the call
   * rejects with {@linkcode StoreTimeoutError}.
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

/** {@linkcode RedisStoreOptions} with nothing left to check. */
export interface ResolvedRedisOptions {
  connection: Connection;
  /** With its end. */
  prefix: string;
  ttl: number;
  timeout: number;
  updateTimeout: number;
}

/** See the constructor of `RedisStore` for what it throws. */
export function resolveOptions(
  options: RedisStoreOptions,
): ResolvedRedisOptions {
  const action = "create RedisStore";
  const {
    client,
    prefix = PREFIX,
    ttl = Infinity,
    timeout = TIMEOUT,
    updateTimeout = UPDATE_TIMEOUT,
  } = checkOptions(action, options, [
    "client",
    "prefix",
    "ttl",
    "timeout",
    "updateTimeout",
  ]);
  return {
    connection: connect(action, client),
    prefix: checkPrefix(action, prefix) + PREFIX_END,
    ttl: checkDuration(action, "ttl", ttl),
    timeout: checkTimeout(action, "timeout", timeout),
    updateTimeout: checkTimeout(action, "updateTimeout", updateTimeout),
  };
}

function checkPrefix(action: string, prefix: string): string {
  checkType(action, "prefix", prefix, "string");
  if (!prefix.isWellFormed()) {
    throw new TypeError(
      `Cannot ${action}: prefix must be a well-formed string: received one with a lone surrogate`,
    );
  }
  // Else "a" + "/" + "b/c" and "a/b" + "/" + "c" would be the same key.
  if (prefix.includes(PREFIX_END)) {
    throw new TypeError(
      `Cannot ${action}: prefix must not hold a "${PREFIX_END}", which ends it in Redis: received one that does`,
    );
  }
  return prefix;
}
