/**
 * Which entry is to make room: SIEVE, an eviction policy whose reads move
 * nothing.
 *
 * @module
 */

/** An item that knows its neighbours. */
export interface SieveItem<T> {
  /** Was used since the hand last passed it. */
  used: boolean;
  /** The item that came next before it. */
  older: T | undefined;
  /** The item that came next after it. */
  newer: T | undefined;
}

/**
 * Items in the order in which they came, and a hand that goes from the oldest
 * to the newest and round again. It spares those that were used since it last
 * passed, and stops at the first that was not.
 *
 * The order is a list of its own: a kept iterator of a `Map` would do, but it
 * keeps alive all that was ever deleted since it last moved (V8).
 *
 * @typeParam T The items.
 *
 * @see {@link https://www.usenix.org/conference/nsdi24/presentation/zhang-yazhuo | Zhang et al., SIEVE, NSDI 2024}
 */
export class Sieve<T extends SieveItem<T>> {
  #oldest: T | undefined;
  #newest: T | undefined;
  /** Where the search goes on; from the oldest when there is none. */
  #hand: T | undefined;

  /** Adds an item as the newest. */
  add(item: T): void {
    item.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
  }

  /** Takes out an item that was added. */
  remove(item: T): void {
    const { older, newer } = item;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (this.#hand === item) this.#hand = newer;
    item.older = item.newer = undefined;
  }

  /** The item to evict, which is still in; `undefined` when there is none. */
  victim(): T | undefined {
    let item = this.#hand ?? this.#oldest;
    while (item?.used) {
      item.used = false;
      item = item.newer ?? this.#oldest;
    }
    this.#hand = item;
    return item;
  }

  /** Forgets all items, without a word to them. */
  clear(): void {
    this.#oldest = this.#newest = this.#hand = undefined;
  }
}
