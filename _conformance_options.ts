/**
 * What {@linkcode testStore} is told of a store and of the one who tests it.
 *
 * @module
 */

import { checkOptions, checkTimeout, checkType } from "./_argument.ts";
import type { Store } from "./store.ts";

/** How long a rule may take when nothing else was said, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * What a store can do besides `get`, `set` and `delete`:
 *
 * - `"checks"`: keys, values, ttls and options that the contract does not allow
 *   are refused and nothing is changed; errors are those of the contract;
 * - `"values"`: the whole list of portable values comes back as it was, not
 *   only what JSON can say, and a miss is `undefined`, never `null`;
 * - `"copies"`: nobody reaches the stored value through what was passed in or
 *   got out;
 * - `"order"`: operations on one key take effect in the order of their calls;
 * - `"ttl"`: `set` takes `{ ttl }`, and so does `update` when there is one;
 * - `"has"`, `"touch"`, `"update"`, `"clear"`: the method of that name;
 * - `"dispose"`: `[Symbol.asyncDispose]()`.
 */
export type StoreFeature =
  | "checks"
  | "values"
  | "copies"
  | "order"
  | "ttl"
  | "has"
  | "touch"
  | "update"
  | "clear"
  | "dispose";

/** All features: what an {@linkcode AtomicStore} supports. */
export const STORE_FEATURES: readonly StoreFeature[] = Object.freeze([
  "checks",
  "values",
  "copies",
  "order",
  "ttl",
  "has",
  "touch",
  "update",
  "clear",
  "dispose",
]);

/** A store to be tested, and its clock. Disposed of at the end of a rule. */
export interface StoreFixture extends AsyncDisposable {
  /**
   * An empty store that nobody else uses. It has no default ttl, and takes
   * values of any type.
   */
  readonly store: Store;

  /**
   * Lets time pass for the store: moves a fake clock, or waits. Needed when the
   * store supports `"ttl"`.
   *
   * @param ms How long: whole milliseconds above `0`. Where the wait is real, a
   * few hundred at most, unless the machine is slow.
   */
  elapse?(ms: number): unknown;
}

/**
 * Options for {@linkcode testStore}.
 *
 * @typeParam F What `open` makes.
 */
export interface StoreTestOptions<F extends StoreFixture = StoreFixture> {
  /** Makes a fresh fixture. Called for each rule. */
  open: () => F | Promise<F>;

  /**
   * Registers a test: `Deno.test`, or `test` of `node:test`, `bun:test` or
   * Vitest. It is given functions without parameters.
   */
  test: (name: string, fn: () => Promise<void>) => unknown;

  /**
   * What the store can do. Rules that need more are not registered.
   *
   * @default {[]} Three methods, for values that JSON can say
   */
  supports?: readonly StoreFeature[] | undefined;

  /**
   * Whether `elapse` moves a clock that stands still otherwise. Then deadlines
   * are checked to the millisecond, and long ttls to their end.
   *
   * @default {false} The wait is real: ttls are short, with room for a slow
   * machine
   */
  exactTime?: boolean | undefined;

  /**
   * Makes the engine of a store fail until what is returned is disposed of. The
   * engine has to keep its entries meanwhile.
   *
   * @default {undefined} The rules about failures are not registered
   */
  fail?:
    | ((fixture: F) => AsyncDisposable | Promise<AsyncDisposable>)
    | undefined;

  /**
   * How long an asynchronous update may keep others of its key waiting in the
   * stores that `open` makes, in milliseconds.
   *
   * @default {undefined} The rule about it is not registered
   */
  updateTimeout?: number | undefined;

  /**
   * How long a rule may take before it fails, in milliseconds of real time:
   * above `0`, at most 2^31 - 1, or `Infinity`. A store that never answers does
   * not hang the tests.
   *
   * @default {10000}
   */
  timeout?: number | undefined;
}

/** Options that were checked, with nothing left out but what has no default. */
export interface ResolvedOptions {
  open: StoreTestOptions["open"];
  test: StoreTestOptions["test"];
  supports: ReadonlySet<StoreFeature>;
  exactTime: boolean;
  fail: StoreTestOptions["fail"];
  updateTimeout: number | undefined;
  timeout: number;
}

/**
 * @throws {TypeError} If an option is unknown, missing or of the wrong kind.
 * @throws {RangeError} If a number is out of its range.
 */
export function resolveOptions<F extends StoreFixture>(
  action: string,
  options: StoreTestOptions<F>,
): ResolvedOptions {
  const {
    open,
    test,
    supports = [],
    exactTime = false,
    fail,
    updateTimeout,
    timeout = TIMEOUT,
  } = checkOptions(action, options, [
    "open",
    "test",
    "supports",
    "exactTime",
    "fail",
    "updateTimeout",
    "timeout",
  ]);
  checkType(action, "open", open, "function");
  checkType(action, "test", test, "function");
  checkType(action, "exactTime", exactTime, "boolean");
  if (fail !== undefined) checkType(action, "fail", fail, "function");
  if (updateTimeout !== undefined) {
    checkTimeout(action, "updateTimeout", updateTimeout);
  }
  const features = new Set(supports);
  for (const feature of features) {
    if (STORE_FEATURES.includes(feature)) continue;
    throw new TypeError(
      `Cannot ${action}: unknown feature ${
        JSON.stringify(feature)
      }: the features are ${STORE_FEATURES.join(", ")}`,
    );
  }
  return {
    open,
    test,
    supports: features,
    exactTime,
    // It is only given what `open` has made.
    fail: fail as ResolvedOptions["fail"],
    updateTimeout,
    timeout: checkTimeout(action, "timeout", timeout),
  };
}
