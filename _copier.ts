/**
 * The copies that reads hand out, of values that are known to be portable.
 *
 * @module
 */

import { type CopyMembers, type Members, PLACES } from "./_copier_places.ts";
import { copyValue, hasSymbols } from "./_value.ts";

/** Copies the values of one shape, which are portable. */
export interface Copier {
  /** Its index in {@linkcode COPIERS}. */
  readonly id: number;
  /** A copy of a value of that shape. */
  copy(value: unknown): unknown;
  /** Whether there are members under a symbol, which a copy must not have. */
  hasSymbols(value: unknown): boolean;
}

/** Once so many shapes are known, further ones have no copier of their own. */
const MAX_SHAPES = 1_000;

/** Nor have objects with more containers among their members, */
const MAX_CONTAINERS = 64;

/** or with one under a longer key. */
const MAX_KEY_LENGTH = 256;

/** Copies what is no object. */
export const PRIMITIVE: Copier = {
  id: 0,
  copy: (value) => value,
  hasSymbols: () => false,
};

/** Copies arrays of what is no object. */
const FLAT_ARRAY: Copier = {
  id: 1,
  copy: (value) => (value as unknown[]).slice(), // its shape is an array
  hasSymbols: () => false,
};

/** Copies what `copyValue` has made. */
export const ANY: Copier = {
  id: 2,
  copy: (value) => copyValue("read entry", value),
  hasSymbols: () => false,
};

/** All copiers there are. */
export const COPIERS: Copier[] = [PRIMITIVE, FLAT_ARRAY, ANY];

/** By the id of what copies the items: what copies such arrays. */
const lists: (Copier | undefined)[] = [FLAT_ARRAY];

class ListCopier implements Copier {
  readonly id: number = COPIERS.length;
  readonly #item: Copier;

  constructor(item: Copier) {
    this.#item = item;
  }

  copy(value: unknown): unknown {
    const copy = (value as unknown[]).slice(); // its shape is an array
    for (let i = 0; i < copy.length; i++) copy[i] = this.#item.copy(copy[i]);
    return copy;
  }

  hasSymbols(value: unknown): boolean {
    const items = value as unknown[]; // its shape is an array
    return items.some((item) => this.#item.hasSymbols(item));
  }
}

class ObjectCopier implements Copier {
  readonly id: number = COPIERS.length;
  /** The members that are containers, and their copiers. */
  readonly #keys: readonly string[];
  readonly #copiers: readonly Copier[];
  readonly #copyMembers: CopyMembers;

  constructor(keys: readonly string[], copiers: readonly Copier[]) {
    this.#keys = keys;
    this.#copiers = copiers;
    this.#copyMembers = PLACES[this.id % PLACES.length]!; // one of them
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

  hasSymbols(value: unknown): boolean {
    const keys = this.#keys;
    const copiers = this.#copiers;
    const members = value as Members; // its shape is an object
    if (hasSymbols(members)) return true;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!; // i < length
      if (copiers[i]!.hasSymbols(members[key])) return true; // as many
    }
    return false;
  }
}

/** How many shapes are known. */
let shapeCount = 0;

/**
 * Objects in which the members that are containers have these keys, in this
 * order, and these copiers. Found member by member, from {@linkcode FLAT_OBJECT}.
 */
export class Shape {
  readonly #keys: readonly string[];
  readonly #copiers: readonly Copier[];
  readonly #variants: (Copier | undefined)[] = PLACES.map(() => undefined);
  readonly #longer = new Map<string, Map<Copier, Shape>>();
  /** The longer shape that was found last, which is likely to be the next, too. */
  #lastKey: string | undefined;
  #lastCopier: Copier | undefined;
  #last: Shape | undefined;

  constructor(keys: readonly string[], copiers: readonly Copier[]) {
    this.#keys = keys;
    this.#copiers = copiers;
  }

  /** The shape with one container more; `undefined` when there is none. */
  with(key: string, copier: Copier): Shape | undefined {
    if (key !== this.#lastKey || copier !== this.#lastCopier) {
      this.#last = this.#find(key, copier);
      this.#lastKey = key;
      this.#lastCopier = copier;
    }
    return this.#last;
  }

  /**
   * What copies such objects. Those that differ in their primitives only have
   * one of several copiers, so that not all are copied in the same place.
   *
   * @param lastKey The key of the last member, by which they are told apart; `""`
   * for a copier that is always the same.
   */
  copierFor(lastKey: string): Copier {
    const { length } = lastKey;
    // The empty key has no last character: NaN becomes 0.
    const hash = length + lastKey.charCodeAt(length - 1);
    const variant = hash & (PLACES.length - 1); // 16 places
    return this.#variants[variant] ??= add(
      new ObjectCopier(this.#keys, this.#copiers),
    );
  }

  #find(key: string, copier: Copier): Shape | undefined {
    let shapes = this.#longer.get(key);
    let shape = shapes?.get(copier);
    if (
      shape === undefined && shapeCount < MAX_SHAPES &&
      this.#keys.length < MAX_CONTAINERS && key.length <= MAX_KEY_LENGTH
    ) {
      shape = new Shape([...this.#keys, key], [...this.#copiers, copier]);
      shapeCount++;
      if (shapes === undefined) this.#longer.set(key, shapes = new Map());
      shapes.set(copier, shape);
    }
    return shape;
  }
}

/** Objects without containers. */
export const FLAT_OBJECT: Shape = new Shape([], []);

/** What copies arrays, all items of which have one copier. */
export function listCopierOf(item: Copier): Copier {
  return lists[item.id] ??= add(new ListCopier(item));
}

function add(copier: Copier): Copier {
  COPIERS.push(copier);
  return copier;
}
