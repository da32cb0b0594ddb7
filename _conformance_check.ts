/**
 * What the rules of the kit say when a store breaks them.
 *
 * @module
 */

import { isThenable } from "./_argument.ts";

/** How much of a value a message shows, in characters. */
const SHOWN = 300;

/** What a store did is not what it has to do. */
export class ConformanceError extends Error {
  /** The name of the class, also in a minified build. */
  override name = "ConformanceError";
}

/** The errors of the contract, by name: a package may be there twice. */
export type ErrorKind = "TypeError" | "RangeError" | "StoreError";

/** @throws {ConformanceError} If the two are not the same portable value. */
export function expectSame(
  received: unknown,
  expected: unknown,
  what: string,
): void {
  if (isSame(received, expected)) return;
  throw new ConformanceError(
    `${what}: expected ${show(expected)}: received ${show(received)}`,
  );
}

/** @throws {ConformanceError} If the store does not fail, or does so otherwise. */
export async function expectRejection(
  call: () => Promise<unknown>,
  kind: ErrorKind | undefined,
  what: string,
): Promise<Error & { outcome?: unknown }> {
  let received: unknown;
  try {
    received = await call();
  } catch (error) {
    if (kind === undefined || isKind(error, kind)) return toError(error);
    throw new ConformanceError(
      `${what}: expected a ${kind}: received ${show(error)}`,
      { cause: error },
    );
  }
  throw new ConformanceError(
    `${what}: expected a rejection${
      kind === undefined ? "" : ` with a ${kind}`
    }: received ${show(received)}`,
  );
}

/** Waits for the end of a call, whatever it is. */
export async function settle(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

function isKind(error: unknown, kind: ErrorKind): boolean {
  if (!(error instanceof Error)) return false;
  if (kind !== "StoreError") return error.name === kind;
  return "outcome" in error &&
    ["applied", "not applied", "unknown"].includes(`${error.outcome}`);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(show(error));
}

/** Whether two portable values are the same: `-0` is not `0`. */
export function isSame(a: unknown, b: unknown): boolean {
  if (
    typeof a !== "object" || a === null || typeof b !== "object" || b === null
  ) return Object.is(a, b);
  if (a === b) return true;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return Object.is(+a, +(b as Date)); // one prototype
  if (a instanceof Map || a instanceof Set) {
    return isSame([...a], [...b as Set<unknown>]); // one prototype
  }
  if (a instanceof ArrayBuffer) {
    return isSame(new Uint8Array(a), new Uint8Array(b as ArrayBuffer)); // alike
  }
  if (ArrayBuffer.isView(a) && !isAllOfBuffer(a)) return false;
  const keys = Reflect.ownKeys(a);
  return keys.length === Reflect.ownKeys(b).length &&
    keys.every((key) =>
      Object.hasOwn(b, key) && isSame(Reflect.get(a, key), Reflect.get(b, key))
    );
}

function isAllOfBuffer(view: ArrayBufferView): boolean {
  return view.byteLength === view.buffer.byteLength;
}

/** A value as people write it, shortened. */
export function show(value: unknown): string {
  const text = showAll(value, 0);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

function showAll(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  if (depth > 4) return "…";
  if (value instanceof Error) {
    const outcome = "outcome" in value ? ` (${value.outcome})` : "";
    return `${value.name}: ${value.message}${outcome}`;
  }
  if (value instanceof Date) return `Date ${+value}`;
  if (isThenable(value)) return "a promise";
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  const items = itemsOf(value);
  if (items !== undefined) {
    const text = items.map((item) => showAll(item, depth + 1)).join(", ");
    return `${name === "Array" ? "" : name}[${text}]`;
  }
  const members = Object.entries(value).map(([key, member]) =>
    `${JSON.stringify(key)}: ${showAll(member, depth + 1)}`
  );
  return `${name === "Object" ? "" : `${name} `}{ ${members.join(", ")} }`;
}

function itemsOf(value: object): unknown[] | undefined {
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (Symbol.iterator in value) return [...value as Iterable<unknown>]; // has it
  return undefined;
}
