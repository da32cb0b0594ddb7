/**
 * Which entry is to make room: SIEVE, an eviction policy whose reads move
 * nothing.
 *
 * @module
 */

import { makeColumn } from "./_column.ts";

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
  #used: boolean[] = makeColumn();
  /** By slot: the one that came next before it, and the one next after it. */
  #older: number[] = makeColumn();
  #newer: number[] = makeColumn();
  #oldest = NONE;
  #newest = NONE;
  /** Where the search goes on; from the oldest when there is none. */
  #hand = NONE;

  /** Adds a slot as the newest: one that was taken out, or that after the last. */
  add(slot: number): void {
    this.#used[slot] = false;
    this.#older[slot] = this.#newer[slot] = NONE;
    this.#join(this.#newest, slot);
    this.#newest = slot;
    if (this.#oldest === NONE) this.#oldest = slot;
  }

  /** Notes that a slot was used. */
  use(slot: number): void {
    // A write to memory that others have cached costs more than this read.
    if (!this.#used[slot]) this.#used[slot] = true;
  }

  /** Takes out a slot. */
  remove(slot: number): void {
    const older = this.#older[slot]!; // a slot has both
    const newer = this.#newer[slot]!;
    this.#join(older, newer);
    if (this.#oldest === slot) this.#oldest = newer;
    if (this.#newest === slot) this.#newest = older;
    if (this.#hand === slot) this.#hand = newer;
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

  /**
   * Follows slots that have moved, and gives back the room of all others.
   *
   * @param slots By slot: where it was.
   */
  compact(slots: readonly number[]): void {
    const moved = new Map(slots.map((before, slot) => [before, slot]));
    const find = (before: number): number => moved.get(before) ?? NONE;
    const used = slots.map((before) => this.#used[before]!); // each was in use
    const older = slots.map((before) => find(this.#older[before]!));
    const newer = slots.map((before) => find(this.#newer[before]!));
    this.#used = makeColumn(used);
    this.#older = makeColumn(older);
    this.#newer = makeColumn(newer);
    this.#oldest = find(this.#oldest);
    this.#newest = find(this.#newest);
    this.#hand = find(this.#hand);
  }

  /** Makes two slots neighbours, one of which may be none. */
  #join(older: number, newer: number): void {
    if (older !== NONE) this.#newer[older] = newer;
    if (newer !== NONE) this.#older[newer] = older;
  }
}
