/**
 * What the stores of this package do alike.
 *
 * @module
 */

import { checkDuration, checkNames, isThenable, kindOf } from "./_argument.ts";
import {
  StoreError,
  type StoreSetOptions,
  type StoreUpdater,
} from "./store.ts";
import { copyValue } from "./_value.ts";

/** How often an update runs again because others changed its entry. */
export const MAX_ATTEMPTS = 100;

const NAMES = ["ttl"] as const;

const { hasOwnProperty } = Object.prototype;

/**
 * @returns The lifetime that was asked for, if one was.
 *
 * @throws {TypeError} If an option is unknown, or `ttl` not a number.
 * @throws {RangeError} If `ttl` is out of its range.
 */
export function readTtl(
  action: string,
  options: StoreSetOptions | undefined,
): number | undefined {
  if (options === undefined) return undefined;
  // A list of the names that there are would cost a tenth of a set.
  let isSound = kindOf(options) === "an object";
  let ttl: number | undefined;
  for (const name in options) {
    if (!hasOwnProperty.call(options, name)) continue;
    if (name === "ttl") ttl = options.ttl;
    else isSound = false;
  }
  if (!isSound) checkNames(action, options, NAMES);
  return ttl === undefined ? undefined : checkDuration(action, "ttl", ttl);
}

/** @throws {TypeError} If there is no value to store. */
export function checkPresent(action: string, value: unknown): void {
  if (value !== undefined) return;
  throw new TypeError(
    `Cannot ${action}: value must not be undefined: write delete(key) to remove the entry`,
  );
}

/** The error of an operation on a store that is used no more. */
export function disposedError(action: string): StoreError {
  const message = `Cannot ${action}: the store was disposed`;
  return new StoreError(message, "not applied");
}

/** What `fn` of an update has made. */
export interface Outcome<V> {
  /** A copy of it; `undefined` when there is to be no entry. */
  value: V | undefined;
  /** Whether it took time, in which the entry may have changed. */
  isAsync: boolean;
}

/** Calls `fn` of an update, at once. */
export async function callUpdater<V>(
  action: string,
  fn: StoreUpdater<V>,
  draft: V | undefined,
): Promise<Outcome<V>> {
  const result = fn(draft);
  const isAsync = isThenable(result);
  const returned = isAsync ? await result : result;
  // What fn returns is a V or nothing, as its type says.
  const value = returned === undefined ? draft : returned as V;
  return {
    value: value === undefined ? value : copyValue(action, value),
    isAsync,
  };
}

/**
 * Makes a clock of epoch milliseconds that does not run backwards: when the
 * wall clock is set back, it stands still until that has caught up.
 */
export function makeClock(): () => number {
  let now = 0;
  return () => now = Math.max(now, Date.now());
}
