/**
 * The places in the source where objects are copied: written out, as that is
 * what an engine optimises.
 *
 * @module
 */

/** An object, by the names of its members. */
export type Members = Record<string, unknown>;

/** Copies the values of one shape. */
export interface ShapeCopier {
  /** A copy of a value of that shape. */
  copy(value: unknown): unknown;
}

/** Copies an object of one shape, and the first two containers it holds. */
export type CopyMembers = (
  value: Members,
  key0: string | undefined,
  copier0: ShapeCopier,
  key1: string | undefined,
  copier1: ShapeCopier,
) => Members;

/**
 * One function 16 times: an engine optimises each place in the source for the
 * shapes it meets there. A loop over the members costs 1.8 of a spread with
 * constant keys (Node 20 and Deno 2.9, six members, two of them containers).
 * With 16 shapes, one place costs 1.7 of 16, and eight cost 1.14.
 */
export const PLACES: readonly CopyMembers[] = [
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
