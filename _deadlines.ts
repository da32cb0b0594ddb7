/**
 * When entries expire, and which of them have, without looking at the others.
 *
 * @module
 */

import { makeColumn } from "./_column.ts";

/**
 * A deadline for each slot that has one, and a 4-ary min-heap of the slots.
 * Adding, removing and bringing forward cost O(log n). A deadline that moves
 * away, as that of a session in use does with each request, costs O(1): its
 * place in the heap follows when it comes to the root.
 *
 * @see {@link https://doi.org/10.1145/512274.512284 | Williams, Algorithm 232: Heapsort}
 */
export class Deadlines {
  /** By slot: in milliseconds of any clock, or `Infinity`. */
  #deadlines: number[] = makeColumn();
  /** By slot: its place in the heap; `-1` when it is in none. */
  #places: number[] = makeColumn();
  /** How many slots have been given a deadline or a place, or have one below. */
  #size = 0;
  /** By place: a slot, and a time that is not after its deadline. */
  #slots: number[] = makeColumn();
  #times: number[] = makeColumn();
  /** How many places are in use. An array that gets shorter may pause the program. */
  #count = 0;

  /** The deadline of a slot, or `Infinity`. */
  of(slot: number): number {
    return this.#deadlines[slot] ?? Infinity;
  }

  /** A time before which nothing expires, or `Infinity`. */
  get next(): number {
    return this.#count === 0 ? Infinity : this.#times[0]!; // it is in use
  }

  /** The slot that may be the next to expire, while there is one. */
  get nextSlot(): number {
    return this.#slots[0]!; // while there is one
  }

  /** Gives a slot a deadline. */
  set(slot: number, deadline: number): void {
    const before = this.of(slot);
    if (before !== Infinity && deadline >= before) {
      this.#deadlines[slot] = deadline; // its place is in the heap
      return;
    }
    for (; this.#size <= slot; this.#size++) {
      this.#places[this.#size] = -1;
      this.#deadlines[this.#size] = Infinity;
    }
    this.#deadlines[slot] = deadline;
    const place = this.#places[slot]!; // there are more than `slot`
    if (place < 0) {
      if (deadline !== Infinity) this.#rise(this.#count++, slot, deadline);
    } else if (deadline < this.#times[place]!) { // of a slot in the heap
      this.#rise(place, slot, deadline);
    }
  }

  /** Puts the slot at the root where its deadline belongs. */
  settle(): void {
    const slot = this.nextSlot;
    const deadline = this.of(slot);
    if (deadline === Infinity) this.#leave(0);
    else this.#sink(0, slot, deadline);
  }

  /** Takes the deadline of a slot away. */
  remove(slot: number): void {
    const place = this.#places[slot];
    if (place === undefined) return;
    this.#deadlines[slot] = Infinity;
    if (place >= 0) this.#leave(place);
  }

  /**
   * Follows slots that have moved, and gives back the room of all others, which
   * have no deadline.
   *
   * @param slots By slot: where it was.
   */
  compact(slots: readonly number[]): void {
    const places = slots.map((slot) => this.#places[slot] ?? -1);
    this.#deadlines = makeColumn(slots.map((slot) => this.of(slot)));
    this.#places = makeColumn(places);
    this.#size = slots.length;
    this.#slots = makeColumn(this.#slots.slice(0, this.#count));
    this.#times = makeColumn(this.#times.slice(0, this.#count));
    for (const [slot, place] of places.entries()) {
      if (place >= 0) this.#slots[place] = slot;
    }
  }

  /** Takes a place out of the heap. */
  #leave(place: number): void {
    this.#places[this.#slots[place]!] = -1; // a place of the heap has a slot
    this.#count--;
    if (place === this.#count) return;
    const slot = this.#slots[this.#count]!; // it was in use
    const time = this.#times[this.#count]!;
    if (time < this.#times[place]!) this.#rise(place, slot, time);
    else this.#sink(place, slot, time);
  }

  /** Puts a slot at a place, or nearer to the root. */
  #rise(place: number, slot: number, time: number): void {
    while (place > 0) {
      const above = (place - 1) >> 2;
      const timeAbove = this.#times[above]!; // above < place
      if (timeAbove <= time) break;
      this.#put(place, this.#slots[above]!, timeAbove);
      place = above;
    }
    this.#put(place, slot, time);
  }

  /** Puts a slot at a place, or farther from the root. */
  #sink(place: number, slot: number, time: number): void {
    const times = this.#times;
    for (;;) {
      let below = 4 * place + 1;
      if (below >= this.#count) break;
      const end = Math.min(below + 4, this.#count);
      for (let i = below + 1; i < end; i++) {
        if (times[i]! < times[below]!) below = i; // both below the end
      }
      if (times[below]! >= time) break;
      this.#put(place, this.#slots[below]!, times[below]!);
      place = below;
    }
    this.#put(place, slot, time);
  }

  #put(place: number, slot: number, time: number): void {
    this.#slots[place] = slot;
    this.#times[place] = time;
    this.#places[slot] = place;
  }
}
