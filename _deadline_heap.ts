/**
 * Entries in the order of their deadlines, to drop those that have expired
 * without looking at the others.
 *
 * @module
 */

/** An item that knows its place, so that it can be moved and removed. */
export interface HeapItem {
  /** In milliseconds of any clock, or `Infinity`. */
  expiresAt: number;
  /** Its place in the heap; `-1` when it is in none. */
  heapIndex: number;
}

/**
 * A 4-ary min-heap with an index in each item: adding, moving and removing
 * cost O(log n), the earliest is read in O(1).
 *
 * @typeParam T The items.
 *
 * @see {@link https://doi.org/10.1145/512274.512284 | Williams, Algorithm 232: Heapsort}
 */
export class DeadlineHeap<T extends HeapItem> {
  #items: T[] = [];

  /** The item with the earliest deadline. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Puts an item where its deadline belongs, whether it is new or has moved. */
  place(item: T): void {
    if (item.heapIndex < 0) item.heapIndex = this.#items.push(item) - 1;
    this.#sink(item, this.#rise(item, item.heapIndex));
  }

  /** Takes an item out; does nothing when it is not in. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    last.heapIndex = index;
    this.place(last);
  }

  /** Forgets all items, without a word to them. */
  clear(): void {
    this.#items = [];
  }

  /** Moves an item towards the root; returns its place. */
  #rise(item: T, index: number): number {
    const items = this.#items;
    while (index > 0) {
      const above = (index - 1) >> 2;
      const parent = items[above]!; // above < index < length
      if (parent.expiresAt <= item.expiresAt) break;
      items[index] = parent;
      parent.heapIndex = index;
      index = above;
    }
    items[index] = item;
    item.heapIndex = index;
    return index;
  }

  /** Moves an item away from the root. */
  #sink(item: T, index: number): void {
    const items = this.#items;
    for (;;) {
      let below = 4 * index + 1;
      if (below >= items.length) break;
      const end = Math.min(below + 4, items.length);
      let child = items[below]!; // below < length
      for (let i = below + 1; i < end; i++) {
        const sibling = items[i]!; // i < length
        if (sibling.expiresAt < child.expiresAt) {
          child = sibling;
          below = i;
        }
      }
      if (child.expiresAt >= item.expiresAt) break;
      items[index] = child;
      child.heapIndex = index;
      index = below;
    }
    items[index] = item;
    item.heapIndex = index;
  }
}
