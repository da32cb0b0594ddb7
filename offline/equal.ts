/**
 * Deep equality as `@std/assert` has it, for the stand-in of its assertions.
 *
 * Where the two could disagree this one finds fewer values equal, so that an
 * `assertEquals()` that passes here passes there: arrays of different length
 * are never equal, however many holes they have; nor are sets of objects that
 * pair up only when one object is used twice, two promises, two boxed
 * primitives of different value, or two instances of a class that hold `0` and
 * `-0`. Neither finds two errors equal that were made at different lines:
 * their stacks differ.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";

/** Objects taken for equal because they are being compared, or have been. */
type Pairs = Map<object, object>;

/** Tells an object from a primitive and from a function. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The keys of an object's own fields, named and symbolic. */
export function fieldKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}

/** The prototype, with none counted as that of plain objects. */
function lineage(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

/** The keys of an object and of its prototypes, getters included. */
function allKeys(value: object): Set<PropertyKey> {
  const keys = new Set<PropertyKey>();
  let link: object | null = value;
  while (link !== null && link !== Object.prototype) {
    for (const key of Reflect.ownKeys(link)) keys.add(key);
    link = Object.getPrototypeOf(link);
  }
  return keys;
}

function elements(value: object): ArrayLike<unknown> | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return undefined;
  // Every view but DataView is a typed array, which the types do not say.
  return value as Uint8Array;
}

function sameElements(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}

function sameAt(
  keys: Iterable<PropertyKey>,
  a: object,
  b: object,
  pairs: Pairs,
): boolean {
  for (const key of keys) {
    if (!compare(Reflect.get(a, key), Reflect.get(b, key), pairs)) return false;
  }
  return true;
}

function sameFields(a: object, b: object, pairs: Pairs): boolean {
  const keys = new Set(fieldKeys(a));
  const others = new Set(fieldKeys(b));
  return keys.size === others.size &&
    [...keys].every((key) => others.has(key)) &&
    sameAt(keys, a, b, pairs);
}

function sameEntries(
  a: ReadonlyMap<unknown, unknown>,
  b: ReadonlyMap<unknown, unknown>,
  pairs: Pairs,
): boolean {
  if (a.size !== b.size) return false;
  const rest = new Map(b);
  for (const [key, value] of a) {
    const twins = rest.has(key) ? [key] : [...rest.keys()].filter(isObject);
    const at = twins.findIndex((twin) =>
      compare(key, twin, pairs) && compare(value, rest.get(twin), pairs)
    );
    if (at < 0) return false;
    rest.delete(twins[at]);
  }
  return true;
}

function sameMembers(
  a: ReadonlySet<unknown>,
  b: ReadonlySet<unknown>,
  pairs: Pairs,
): boolean {
  if (a.size !== b.size) return false;
  const rest = new Set(b);
  for (const member of a) {
    const twins = rest.has(member) ? [member] : [...rest].filter(isObject);
    const at = twins.findIndex((twin) => compare(member, twin, pairs));
    if (at < 0) return false;
    rest.delete(twins[at]);
  }
  return true;
}

function sameContent(a: object, b: object, pairs: Pairs): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && sameFields(a, b, pairs);
  }
  if (lineage(a) === Object.prototype) return sameFields(a, b, pairs);
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (a instanceof Map && b instanceof Map) return sameEntries(a, b, pairs);
  if (a instanceof Set && b instanceof Set) return sameMembers(a, b, pairs);
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(
      `Cannot compare values: what a ${a.constructor.name} holds is unknown`,
    );
  }
  const left = elements(a);
  const right = elements(b);
  if (left && right) return sameElements(left, right);
  // What a built-in keeps to itself only the platform can compare; what a
  // class tells through getters only a look along its prototypes can.
  return isDeepStrictEqual(a, b) &&
    sameAt(new Set([...allKeys(a), ...allKeys(b)]), a, b, pairs);
}

function compare(a: unknown, b: unknown, pairs: Pairs): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || lineage(a) !== lineage(b)) return false;
  if (pairs.get(a) === b) return true;
  pairs.set(a, b);
  const same = sameContent(a, b, pairs);
  if (!same) pairs.delete(a);
  return same;
}

/**
 * Tells whether two values are deeply equal: by content, with `0` equal to
 * `-0`, `NaN` to itself, and an object without a prototype to a plain one.
 *
 * @throws {TypeError} If two different weak collections meet
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}
