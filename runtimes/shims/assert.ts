/**
 * Stands in for `node:assert/strict` where there is no Node.
 *
 * @module
 */

import { inspect } from "./util.ts";

/** What two values are that should have been equal. */
export interface AssertionErrorOptions {
  /** What it is. */
  actual: unknown;
  /** What it should be. */
  expected: unknown;
}

/** Says how two values differ. */
export class AssertionError extends Error {
  /** Makes an error that shows both values. */
  constructor({ actual, expected }: AssertionErrorOptions) {
    super(`actual: ${inspect(actual)}\nexpected: ${inspect(expected)}`);
    this.name = "AssertionError";
  }
}
