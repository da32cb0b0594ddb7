/**
 * Which entry is to make room: SIEVE, an eviction policy whose reads move
 * nothing.
 *
 * @module
 */

/** No slot. */
const NONE = -1;

/**
 * Slots in the order in which they came, and a hand that goes from the oldest
 * to the newest and round again. It spares those that were used since it last
 * passed, and stops at the first that was not.
 *
 * @see {@link https://www.usenix.org/conference/nsdi24/presentation/zhang-yazhuo | Zhang et al., SIEVE, NSDI 2024}
 */
export class Sieve {
  /** By slot: whether it was used since the hand last passed it. */
  #used: boolean[] = [];
  /** By slot: the one that came next before it, and the one next after it. */
  #older: number[] = [];
  #newer: number[] = [];
  #oldest = NONE;
  #newest = NONE;
  /** Where the search goes on; from the oldest when there is none. */
  #hand = NONE;

  /** Adds the slot after the last as the newest. */
  add(): void {
    const slot = this.#used.push(false) - 1;
    this.#older.push(NONE);
    this.#newer.push(NONE);
    this.#join(this.#newest, slot);
    this.#newest = slot;
    if (this.#oldest === NONE) this.#oldest = slot;
  }

  /** Notes that a slot was used. */
  use(slot: number): void {
    // A write to memory that others have cached costs more than this read.
    if (!this.#used[slot]) this.#used[slot] = true;
  }

  /** Takes out a slot, and puts the last one in its place. */
  remove(slot: number): void {
    const [older, newer] = this.#around(slot);
    this.#join(older, newer);
    if (this.#oldest === slot) this.#oldest = newer;
    if (this.#newest === slot) this.#newest = older;
    if (this.#hand === slot) this.#hand = newer;
    const last = this.#used.length - 1;
    if (slot !== last) {
      const [older, newer] = this.#around(last);
      this.#join(older, slot);
      this.#join(slot, newer);
      this.#used[slot] = this.#used[last]!;
      if (this.#oldest === last) this.#oldest = slot;
      if (this.#newest === last) this.#newest = slot;
      if (this.#hand === last) this.#hand = slot;
    }
    this.#used.pop();
    this.#older.pop();
    this.#newer.pop();
  }

  /** The slot to take out; there must be one. */
  victim(): number {
    const start = (slot: number) => slot === NONE ? this.#oldest : slot;
    let slot = start(this.#hand);
    while (this.#used[slot]) {
      this.#used[slot] = false;
      slot = start(this.#newer[slot]!); // a slot has both
    }
    return this.#hand = slot;
  }

  /** Takes out all slots. */
  clear(): void {
    this.#used.length = this.#older.length = this.#newer.length = 0;
    this.#oldest = this.#newest = this.#hand = NONE;
  }

  /** Gives back room that is not needed. */
  trim(): void {
    this.#used = this.#used.slice();
    this.#older = this.#older.slice();
    this.#newer = this.#newer.slice();
  }

  #around(slot: number): [older: number, newer: number] {
    return [this.#older[slot]!, this.#newer[slot]!]; // a slot has both
  }

  /** Makes two slots neighbours, one of which may be none. */
  #join(older: number, newer: number): void {
    if (older !== NONE) this.#newer[older] = newer;
    if (newer !== NONE) this.#older[newer] = older;
  }
}
