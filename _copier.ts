/**
 * The copies that reads hand out, of values that are known to be portable.
 *
 * @module
 */

import { copyValue, hasSymbols } from "./_value.ts";

/** Copies the values of one shape. */
export interface Copier {
  /** Tells the shape from all others. */
  readonly shape: string;
  /** Whether a value is of that shape, and so {@linkcode copierOf} it is this. */
  fits(value: unknown): boolean;
  /** A copy of a value of that shape. */
  copy(value: unknown): unknown;
}

type Members = Record<string, unknown>;

/** Copies an object of one shape, and the first two containers it holds. */
type CopyMembers = (
  value: Members,
  key0: string | undefined,
  copier0: Copier,
  key1: string | undefined,
  copier1: Copier,
) => Members;

/**
 * One function eight times: an engine optimises each place in the source for
 * the shapes it meets there. A loop over the members costs 1.8 of a spread with
 * constant keys (Node 20 and Deno 2.9, six members, two of them containers),
 * and one place that meets 16 shapes 1.5 of eight.
 */
const PLACES: readonly CopyMembers[] = [
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
  (value, key0, copier0, key1, copier1) => {
    const copy = { ...value };
    if (key0 !== undefined) copy[key0] = copier0.copy(copy[key0]);
    if (key1 !== undefined) copy[key1] = copier1.copy(copy[key1]);
    return copy;
  },
];

/** Objects with more members have no copier of their own. */
const MAX_MEMBERS = 64;

/** Nor have those whose shape takes more characters to tell. */
const MAX_SHAPE_LENGTH = 4_096;

/** Once so many shapes are known, further ones have no copier of their own. */
const MAX_SHAPES = 1_000;

const PRIMITIVE: Copier = {
  shape: ".",
  fits: (value) => !isContainer(value),
  copy: (value) => value,
};

const FLAT_ARRAY: Copier = {
  shape: "[]",
  fits: (value) => Array.isArray(value) && !value.some(isContainer),
  copy: (value) => (value as unknown[]).slice(), // its shape is an array
};

/** Copies what has no copier of its own. */
const ANY: Copier = {
  shape: "*",
  fits: (value) =>
    Array.isArray(value)
      ? value.some(isContainer)
      : isContainer(value) && Object.getPrototypeOf(value) !== Object.prototype,
  copy: (value) => copyValue("read entry", value),
};

class ObjectCopier implements Copier {
  readonly shape: string;
  readonly #copyMembers: CopyMembers;
  /** The members that are containers, and their copiers. */
  readonly #keys: readonly string[];
  readonly #copiers: readonly Copier[];
  /** All members. */
  readonly #allKeys: readonly string[];
  readonly #allCopiers: readonly Copier[];

  constructor(id: number, keys: string[], copiers: Copier[]) {
    this.shape = `{${id}}`;
    this.#copyMembers = PLACES[id % PLACES.length]!; // one of them
    this.#allKeys = keys;
    this.#allCopiers = copiers;
    this.#keys = keys.filter((_, i) => copiers[i] !== PRIMITIVE);
    this.#copiers = copiers.filter((copier) => copier !== PRIMITIVE);
  }

  fits(value: unknown): boolean {
    if (
      !isContainer(value) ||
      Object.getPrototypeOf(value) !== Object.prototype || hasSymbols(value)
    ) return false;
    const keys = this.#allKeys;
    let i = 0;
    for (const key in value) {
      if (key !== keys[i]) return false;
      const member = (value as Members)[key];
      // The comparison saves a call for most members.
      const copier = this.#allCopiers[i++]!; // there are as many
      if (
        copier === PRIMITIVE ? isContainer(member) : !copier.fits(member)
      ) return false;
    }
    return i === keys.length;
  }

  copy(value: unknown): unknown {
    const keys = this.#keys;
    const copiers = this.#copiers;
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
}

const objectCopiers = new Map<string, Copier>();

/**
 * The copier for all values of the shape of this one. There is no shape with
 * members under a symbol; the copier for such values drops them.
 *
 * @param likely A copier that may be the one, to save the search for it.
 */
export function copierOf(value: unknown, likely: Copier = ANY): Copier {
  if (likely.fits(value)) return likely;
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
    shape += `${key.length}:${key}${copier.shape}`;
    if (shape.length > MAX_SHAPE_LENGTH) return ANY;
    keys.push(key);
    copiers.push(copier);
  }
  let copier = objectCopiers.get(shape);
  if (copier === undefined) {
    if (objectCopiers.size === MAX_SHAPES) return ANY;
    copier = new ObjectCopier(objectCopiers.size, keys, copiers);
    objectCopiers.set(shape, copier);
  }
  return copier;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
