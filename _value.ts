/**
 * The values a store can hold, and how they are copied.
 *
 * `structuredClone` does not serve: it differs by runtime (Node 20 turns a
 * `Request` into `{}`), it shares memory, and its errors name no path.
 *
 * @module
 */

import { isThenable } from "./_argument.ts";
import {
  CYCLE,
  MAX_DEPTH,
  Refusal,
  refusalError,
  TOO_DEEP,
  toStep,
  unreadable,
  within,
} from "./_refusal.ts";

/** From this depth on, each container is compared with those that hold it. */
const CYCLE_DEPTH = 8;

const TypedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);

const { hasOwnProperty } = Object.prototype;

/** What a walk has come through. */
interface Walk {
  /** The containers around, from {@linkcode CYCLE_DEPTH} on. */
  holders?: object[];
}

/**
 * Copies a value, and checks that it is portable. Each getter is read once.
 *
 * @param action What the caller wants to do, for the message: `"set entry"`.
 *
 * @throws {TypeError} If it holds something that is not portable.
 * @throws {RangeError} If it is nested more than 500 deep.
 */
export function copyValue<T>(action: string, value: T): T {
  try {
    return copyPart(value, 0) as T; // as what it is made from
  } catch (error) {
    throw refusalError(action, error);
  }
}

/**
 * Copies what is so many containers deep in a value, as {@linkcode copyValue}
 * does. What it throws is for {@linkcode refusalError}.
 */
export function copyPart(value: unknown, depth: number): unknown {
  return copy(value, depth, {});
}

function copy(value: unknown, depth: number, walk: Walk): unknown {
  if (typeof value === "object" && value !== null) {
    return copyObject(value, depth, walk);
  }
  checkPrimitive(value);
  return value;
}

function checkPrimitive(value: unknown): void {
  const type = typeof value;
  if (type === "string" || type === "number") return;
  if (type === "undefined") {
    throw new Refusal("is undefined: use null or leave it out");
  }
  if (type === "function" || type === "symbol") {
    throw new Refusal(`is a ${type}: store data only`);
  }
}

function copyObject(
  source: object,
  depth: number,
  walk: Walk,
): object {
  const prototype = Object.getPrototypeOf(source);
  if (isPlain(prototype)) return copyMembers(source, depth, walk);
  if (
    Array.isArray(source) &&
    (prototype === Array.prototype || isPlain(Object.getPrototypeOf(prototype)))
  ) return copyItems(source, depth, walk);
  switch (prototype) {
    case Date.prototype:
      return new Date(Date.prototype.getTime.call(source));
    case Map.prototype:
      return copyMap(source as Map<unknown, unknown>, depth, walk);
    case Set.prototype:
      return copySet(source as Set<unknown>, depth, walk);
    case ArrayBuffer.prototype:
      return ArrayBuffer.prototype.slice.call(source, 0);
  }
  if (
    Object.getPrototypeOf(prototype) === TypedArrayPrototype &&
    !isShared((source as Uint8Array).buffer)
  ) return new prototype.constructor(source);
  throw new Refusal(describe(source, prototype));
}

function copyMembers(
  source: object,
  depth: number,
  walk: Walk,
): object {
  enter(source, depth, walk);
  const target = snapshot(source);
  let untidy = hasSymbols(target);
  let at = "";
  try {
    for (const key in target) {
      if (!hasOwnProperty.call(target, key)) continue;
      at = key;
      const member = target[key];
      if (typeof member === "object" && member !== null) {
        target[key] = copyObject(member, depth + 1, walk);
      } else if (member === undefined) {
        untidy = true;
      } else {
        checkPrimitive(member);
      }
    }
  } catch (error) {
    throw within(source, toStep(at), error);
  }
  return untidy ? tidy(target) : target;
}

/**
 * A spread defines members and assigns none, so it calls no setter of
 * `Object.prototype`, that of `__proto__` included.
 */
function snapshot(source: object): Record<string, unknown> {
  try {
    return { ...source };
  } catch (cause) {
    throw unreadable(source, cause);
  }
}

/** Without members that are `undefined` or under a symbol. */
export function tidy(target: Record<string, unknown>): Record<string, unknown> {
  const members = Object.entries(target);
  return Object.fromEntries(
    members.filter(([, member]) => member !== undefined),
  );
}

function copyItems(
  source: unknown[],
  depth: number,
  walk: Walk,
): unknown[] {
  enter(source, depth, walk);
  const target: unknown[] = [];
  let i = 0;
  try {
    for (; i < source.length; i++) {
      const item = source[i];
      if (item === undefined) checkHole(source, i);
      target.push(copy(item, depth + 1, walk));
    }
  } catch (error) {
    throw within(source, `[${i}]`, error);
  }
  return target.slice(); // without the room that push() makes for 16 more
}

/** Refuses a place of an array that holds nothing, not even `undefined`. */
export function checkHole(items: unknown[], i: number): void {
  if (!(i in items)) throw new Refusal("is a hole in an array: use null");
}

function copyMap(
  source: Map<unknown, unknown>,
  depth: number,
  walk: Walk,
): Map<unknown, unknown> {
  enter(source, depth, walk);
  const target = new Map<unknown, unknown>();
  let part = "keys";
  try {
    for (const [key, value] of Map.prototype.entries.call(source)) {
      part = "keys";
      const copiedKey = copy(key, depth + 1, walk);
      part = "values";
      target.set(copiedKey, copy(value, depth + 1, walk));
    }
  } catch (error) {
    throw within(source, `.${part}()[${target.size}]`, error);
  }
  return target;
}

function copySet(
  source: Set<unknown>,
  depth: number,
  walk: Walk,
): Set<unknown> {
  enter(source, depth, walk);
  const target = new Set<unknown>();
  try {
    for (const item of Set.prototype.values.call(source)) {
      target.add(copy(item, depth + 1, walk));
    }
  } catch (error) {
    throw within(source, `.values()[${target.size}]`, error);
  }
  return target;
}

/** Notes a container on the way down, and refuses a cycle and an abyss. */
function enter(source: object, depth: number, walk: Walk): void {
  if (depth < CYCLE_DEPTH) return;
  if (depth === MAX_DEPTH) throw new Refusal(TOO_DEEP);
  const holders = walk.holders ??= [];
  holders.length = depth - CYCLE_DEPTH;
  if (holders.includes(source)) {
    const refusal = new Refusal(CYCLE);
    refusal.holders.push(source);
    throw refusal;
  }
  holders.push(source);
}

/** Whether an object has members under a symbol. */
export function hasSymbols(value: object): boolean {
  return Object.getOwnPropertySymbols(value).length > 0;
}

/** `Object.prototype`, also that of another realm (a test runner's), or none. */
function isPlain(prototype: object | null): boolean {
  return prototype === Object.prototype || prototype === null ||
    (Object.getPrototypeOf(prototype) === null &&
      Object.hasOwn(prototype, "isPrototypeOf"));
}

function isShared(buffer: unknown): boolean {
  return typeof SharedArrayBuffer === "function" &&
    buffer instanceof SharedArrayBuffer;
}

function describe(source: object, prototype: object): string {
  if (isShared(source) || isShared((source as Uint8Array).buffer)) {
    return "is shared memory: store a copy of it";
  }
  if (isThenable(source)) return "is a promise: await it first";
  const name = prototype.constructor?.name || "a class";
  const instead = ArrayBuffer.isView(source)
    ? "a Uint8Array with its bytes"
    : "a plain object with its data";
  return `is an instance of ${name}: store ${instead}`;
}
