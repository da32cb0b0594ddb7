/**
 * Stands in for `@std/assert` where JSR does not answer: the assertions this
 * project's tests use, with the same signatures.
 *
 * Of two errors made at different lines neither this one nor the real one says
 * that they are equal. `assertObjectMatch()` looks into dates, which the real
 * one does not.
 *
 * @module
 */

import { AssertionError as NodeAssertionError } from "node:assert/strict";
import { equal, fieldKeys, isObject } from "./equal.ts";

export { equal } from "./equal.ts";

/** A class whose instances an assertion looks for. */
export type AnyConstructor<T = unknown> = abstract new (...args: never[]) => T;

/** What {@linkcode assertInstanceOf} proves its argument to be. */
export type InstanceOf<C extends AnyConstructor> = C extends
  AnyConstructor<infer T> ? T : never;

/** What {@linkcode assertFalse} proves its argument to be. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  /** Makes an error with this message and, in the options, its cause. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function refuse(
  rule: string,
  msg: string | undefined,
  detail?: string,
  options?: ErrorOptions,
): never {
  const said = msg ? `${rule}: ${msg}` : rule;
  throw new AssertionError(detail ? `${said}\n\n${detail}` : said, options);
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 20, iterableLimit: 1_000, sorted: true });
}

function showDifference(actual: unknown, expected: unknown): string {
  const operator = "deepStrictEqual";
  return new NodeAssertionError({ actual, expected, operator }).message;
}

/** Asserts that the value is truthy. */
export function assert(expr: unknown, msg?: string): asserts expr {
  if (!expr) refuse(`Expected a truthy value, got ${show(expr)}`, msg);
}

/** Asserts that the value is falsy. */
export function assertFalse(
  expr: unknown,
  msg?: string,
): asserts expr is Falsy {
  if (expr) refuse(`Expected a falsy value, got ${show(expr)}`, msg);
}

/** Asserts that the values are deeply {@linkcode equal}. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  refuse("Values are not equal", msg, showDifference(actual, expected));
}

/** Asserts that the values are not deeply {@linkcode equal}. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  refuse("Expected values to differ", msg, `both: ${show(actual)}`);
}

/** Asserts that the values are the same one, by `Object.is()`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const rule = equal(actual, expected)
    ? "Values look alike but are not the same"
    : "Values are not the same";
  refuse(rule, msg, showDifference(actual, expected));
}

/** Asserts that the value is neither `null` nor `undefined`. */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual === null || actual === undefined) {
    refuse(`Expected a value, got ${actual}`, msg);
  }
}

/** Asserts that the value is an instance of the class. */
export function assertInstanceOf<C extends AnyConstructor>(
  actual: unknown,
  expectedType: C,
  msg?: string,
): asserts actual is InstanceOf<C> {
  if (actual instanceof expectedType) return;
  refuse(`Expected an instance of ${expectedType.name}`, msg, show(actual));
}

/** Asserts that the text matches the pattern. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  refuse(`Expected text to match ${expected}`, msg, show(actual));
}

/** Asserts that the text does not match the pattern. */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) return;
  refuse(`Expected text not to match ${expected}`, msg, show(actual));
}

/** Asserts that the text contains the other one. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  refuse(`Expected text to include ${show(expected)}`, msg, show(actual));
}

/** Asserts that each of the expected items has an equal in the list. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) =>
    !items.some((item) => equal(item, wanted))
  );
  if (missing.length === 0) return;
  refuse(`Expected list to include ${show(missing)}`, msg, show(items));
}

/** Asserts that the first value is above the second. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  refuse(`Expected ${show(actual)} > ${show(expected)}`, msg);
}

/** Asserts that the first value is not below the second. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  refuse(`Expected ${show(actual)} >= ${show(expected)}`, msg);
}

/** Asserts that the first value is below the second. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  refuse(`Expected ${show(actual)} < ${show(expected)}`, msg);
}

/** Asserts that the first value is not above the second. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  refuse(`Expected ${show(actual)} <= ${show(expected)}`, msg);
}

function containsIn(
  actual: unknown,
  expected: unknown,
  pairs: Map<object, object>,
): boolean {
  if (!isObject(actual) || !isObject(expected)) return equal(actual, expected);
  if (pairs.get(actual) === expected) return true;
  pairs.set(actual, expected);
  if (actual instanceof Map && expected instanceof Map) {
    return [...expected].every(([key, value]) =>
      actual.has(key) && containsIn(actual.get(key), value, pairs)
    );
  }
  if (actual instanceof Set && expected instanceof Set) {
    return [...expected].every((item) => actual.has(item));
  }
  const closed = [Date, RegExp, ArrayBuffer, Map, Set];
  if (
    ArrayBuffer.isView(expected) || closed.some((C) => expected instanceof C)
  ) {
    return equal(actual, expected);
  }
  return Array.isArray(actual) === Array.isArray(expected) &&
    fieldKeys(expected).every((key) =>
      Object.hasOwn(actual, key) &&
      containsIn(Reflect.get(actual, key), Reflect.get(expected, key), pairs)
    );
}

/**
 * Asserts that what is expected is part of the object, at every depth. Objects
 * are compared by their fields alone, arrays by the items that are expected.
 */
export function assertObjectMatch(
  actual: object,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  if (containsIn(actual, expected, new Map())) return;
  const detail = showDifference(actual, expected);
  refuse("Expected object to contain the other one", msg, detail);
}

/** Reads the two ways of calling {@linkcode assertThrows}. */
function checkError<E extends Error>(
  error: unknown,
  ErrorClass: AnyConstructor<E> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): unknown {
  if (ErrorClass === undefined || typeof ErrorClass === "string") return error;
  const cause = { cause: error };
  if (!(error instanceof ErrorClass)) {
    const rule = `Expected an error of class ${ErrorClass.name}`;
    return refuse(rule, msg, `got: ${show(error)}`, cause);
  }
  if (msgIncludes !== undefined && !error.message.includes(msgIncludes)) {
    const rule = `Expected error message to include ${show(msgIncludes)}`;
    return refuse(rule, msg, `got: ${show(error.message)}`, cause);
  }
  return error;
}

/** Asserts that the function throws. Returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that the function throws an error of this class and, when given,
 * with this text in its message. Returns the error.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: AnyConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: AnyConstructor<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const said = typeof ErrorClass === "string" ? ErrorClass : msg;
  try {
    fn();
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes, said);
  }
  return refuse("Expected function to throw", said);
}

/** Asserts that the promise rejects. Resolves to what it rejected with. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/**
 * Asserts that the promise rejects with an error of this class and, when
 * given, with this text in its message. Resolves to the error. A function that
 * throws before it returns a promise does not pass.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: AnyConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: AnyConstructor<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const said = typeof ErrorClass === "string" ? ErrorClass : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    const rule = "Expected function to reject, but it threw";
    return refuse(rule, said, show(error), { cause: error });
  }
  try {
    await promise;
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes, said);
  }
  return refuse("Expected function to reject", said);
}

/** Fails, always. */
export function fail(msg?: string): never {
  refuse("Failed", msg);
}

/** Fails: the line that calls it was thought to be out of reach. */
export function unreachable(reason?: string): never {
  refuse("Unreachable", reason);
}
