/**
 * The copies that reads hand out, of values that are known to be portable.
 *
 * @module
 */

import {
  type CopyMembers,
  type Members,
  PLACES,
  type ShapeCopier,
  SPREADS,
} from "./_copier_places.ts";
import { copyValue, hasSymbols } from "./_value.ts";

/** Copies the values of one shape, and those that may be of it. */
export interface Copier extends ShapeCopier {
  /** Tells the shape from all others: its index in {@linkcode COPIERS}. */
  readonly id: number;
  /**
   * A copy of a value that may be of that shape, and need not be portable. When
   * it is not of that shape but for symbols, `undefined`, and {@linkcode rest}
   * is what is left to copy.
   */
  take(value: unknown): unknown;
  /** Whether a value has members under a symbol, and so not that shape. */
  hasSymbols(value: unknown): boolean;
}

/** Objects with more members have no copier of their own. */
const MAX_MEMBERS = 64;

/** Nor have those whose shape takes more characters to tell. */
const MAX_SHAPE_LENGTH = 4_096;

/** Once so many shapes are known, further ones have no copier of their own. */
const MAX_SHAPES = 1_000;

/** A value, in which all getters that were called are members by now. */
let rest: unknown;

function refuse(value: unknown): undefined {
  rest = value;
}

/** Copies what is no object. */
export const PRIMITIVE: Copier = {
  id: 0,
  copy: (value) => value,
  take: (value) => isPrimitive(value) ? value : refuse(value),
  hasSymbols: () => false,
};

/** Arrays with more items may have holes in place of most. */
const MAX_ITEMS = 1_000;

/** Copies arrays of what is no object. */
const FLAT_ARRAY: Copier = {
  id: 1,
  copy: (value) => (value as unknown[]).slice(), // its shape is an array
  take(value) {
    if (!isArray(value) || value.length > MAX_ITEMS) return refuse(value);
    const copy = value.slice();
    if (!isArray(copy)) return refuse(value); // it has a constructor of its own
    for (let i = 0; i < copy.length; i++) {
      if (!isPrimitive(copy[i])) return refuse(copy);
    }
    return copy;
  },
  hasSymbols: () => false,
};

/** Copies anything. */
export const ANY: Copier = {
  id: 2,
  copy: (value) => copyValue("read entry", value),
  take: (value) => copyValue("set entry", value),
  hasSymbols: () => false,
};

class ObjectCopier implements Copier {
  readonly id: number;
  readonly #keys: readonly string[];
  readonly #copiers: readonly Copier[];
  readonly #copyMembers: CopyMembers;
  readonly #spread: (value: Members) => Members;
  /** The members that are containers, and their copiers. */
  readonly #containers: readonly string[];
  readonly #containerCopiers: readonly Copier[];

  constructor(id: number, keys: string[], copiers: Copier[]) {
    this.id = id;
    this.#keys = keys;
    this.#copiers = copiers;
    this.#copyMembers = PLACES[id % PLACES.length]!; // one of them
    this.#spread = SPREADS[id % SPREADS.length]!; // one of them
    this.#containers = keys.filter((_, i) => copiers[i] !== PRIMITIVE);
    this.#containerCopiers = copiers.filter((copier) => copier !== PRIMITIVE);
  }

  copy(value: unknown): unknown {
    const keys = this.#containers;
    const copiers = this.#containerCopiers;
    const copyMembers = this.#copyMembers;
    const copy = copyMembers(
      value as Members, // its shape is an object
      keys[0],
      copiers[0] ?? ANY,
      keys[1],
      copiers[1] ?? ANY,
    );
    for (let i = 2; i < keys.length; i++) {
      const key = keys[i]!; // i < length
      copy[key] = copiers[i]!.copy(copy[key]); // there are as many
    }
    return copy;
  }

  /** Takes a third of the time that {@linkcode copyValue} does. */
  take(value: unknown): unknown {
    if (
      !isContainer(value) || Object.getPrototypeOf(value) !== Object.prototype
    ) return refuse(value);
    const copy = this.#spread(value as Members); // its shape is an object
    let i = 0;
    for (const key in copy) {
      if (key !== this.#keys[i]) return refuse(copy);
      const member = copy[key];
      const copier = this.#copiers[i++]!; // there are as many
      if (copier === PRIMITIVE) {
        if (isPrimitive(member)) continue;
        return refuse(copy);
      }
      // What every object inherits would become a member of its own.
      if (!Object.hasOwn(copy, key)) return refuse(copy);
      const taken = copier.take(member);
      if (taken === undefined) {
        copy[key] = rest;
        return refuse(copy);
      }
      copy[key] = taken;
    }
    return i === this.#keys.length ? copy : refuse(copy);
  }

  hasSymbols(value: unknown): boolean {
    const keys = this.#containers;
    const copiers = this.#containerCopiers;
    const members = value as Members; // its shape is an object
    if (hasSymbols(members)) return true;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!; // i < length
      if (copiers[i]!.hasSymbols(members[key])) return true; // as many
    }
    return false;
  }
}

/** All copiers there are. */
export const COPIERS: Copier[] = [PRIMITIVE, FLAT_ARRAY, ANY];

/** Those of objects, by what tells their shapes apart. */
const objectCopiers = new Map<string, Copier>();

/**
 * The copier for all values of the shape of this one. There is no shape with
 * members under a symbol; the copier for such values drops them.
 */
export function copierOf(value: unknown): Copier {
  if (!isContainer(value)) return PRIMITIVE;
  if (Array.isArray(value)) return value.some(isContainer) ? ANY : FLAT_ARRAY;
  if (Object.getPrototypeOf(value) !== Object.prototype || hasSymbols(value)) {
    return ANY;
  }
  const members = Object.entries(value);
  if (members.length > MAX_MEMBERS) return ANY;
  const keys: string[] = [];
  const copiers: Copier[] = [];
  let shape = "";
  for (const [key, member] of members) {
    const copier = copierOf(member);
    shape += `${key.length}:${key}${copier.id},`;
    if (shape.length > MAX_SHAPE_LENGTH) return ANY;
    keys.push(key);
    copiers.push(copier);
  }
  let copier = objectCopiers.get(shape);
  if (copier === undefined) {
    if (objectCopiers.size === MAX_SHAPES) return ANY;
    copier = new ObjectCopier(COPIERS.length, keys, copiers);
    COPIERS.push(copier);
    objectCopiers.set(shape, copier);
  }
  return copier;
}

/** A value to store, copied. */
export interface Kept<V> {
  readonly value: V;
  /** What copies it, unless it has members under a symbol, if that is known. */
  readonly copier: Copier | undefined;
}

/**
 * Copies a value as {@linkcode copyValue} does.
 *
 * @param likely The copier that it may be for: then it takes a third of the time.
 */
export function copyLike<V>(
  action: string,
  value: V,
  likely: Copier,
): Kept<V> {
  try {
    const copy = likely === ANY ? refuse(value) : likely.take(value);
    if (copy !== undefined) {
      return { value: copy as V, copier: likely }; // as what it is made from
    }
  } catch {
    rest = value; // it is refused below
  }
  const left = rest as V; // the value, or what was read of it
  rest = undefined;
  try {
    return { value: copyValue(action, left), copier: undefined };
  } catch (error) {
    copyValue(action, value); // its message has the shortest path
    throw error;
  }
}

function isArray(value: unknown): value is unknown[] {
  return Array.isArray(value) &&
    Object.getPrototypeOf(value) === Array.prototype;
}

/** Whether it is portable and no object. */
function isPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "bigint":
      return true;
    default:
      return value === null;
  }
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
