/**
 * The entries of a `MemoryStore`: when they expire, and which one makes room.
 *
 * @module
 */

import {
  ANY,
  copierOf,
  COPIERS,
  copyLike,
  type Kept,
  PRIMITIVE,
} from "./_copier.ts";
import { Deadlines } from "./_deadlines.ts";
import { Sieve } from "./_sieve.ts";
import { StoreError } from "./store.ts";
import { copyValue } from "./_value.ts";

/**
 * How many deadlines a write looks at that are over, to drop the entries. A
 * million that expire at once are gone after 4,000 writes, none of which takes
 * half a millisecond for it: one entry costs 0.5 to 1 µs (Node 20).
 */
const SWEEP_SIZE = 256;

/**
 * How many times what is needed the room must be before it is given back. After
 * a million entries that takes 20 ms at a ratio of 4, and 8 ms at 16.
 */
const TRIM_RATIO = 64;

/** Of a value that no copier has taken yet. */
const UNKNOWN = -1_000_000;

/** The slot of a key that has none. */
export const NONE = -1;

/** Why an entry has left by itself. */
export type EvictionReason = "expired" | "capacity";

/** Options for {@linkcode EntryTable}. */
export interface EntryTableOptions<V> {
  /** How many entries there can be, or `Infinity`. */
  maxEntries: number;
  /** Whether {@linkcode EntryTable.read} hands out what is stored. */
  readersNeverMutate: boolean;
  /** Is told of an entry that leaves, with a copy. Must not use the table. */
  onEvict:
    | ((key: string, value: V, reason: EvictionReason) => void)
    | undefined;
}

/**
 * A map from keys to entries that drops them when their time is over or their
 * place is needed: of an expired entry first, else of a live one by SIEVE.
 *
 * An entry is a slot, a number, in arrays of what belongs to it: that is a third
 * of the memory of an object for each (61 bytes beside the value at a million,
 * 29 of them of the `Map`; 103 with a deadline). There are no empty slots: when
 * an entry goes, the last one moves into its slot. A slot is good until the next
 * call that adds or removes.
 */
export class EntryTable<V> {
  readonly #slots = new Map<string, number>();
  #keys: string[] = [];
  #values: V[] = [];
  /**
   * The ids of what copies the values: as `~id` before the first read, which has
   * to look for members under symbols, or `UNKNOWN`.
   */
  #copiers: number[] = [];
  /** The most entries there were since there was room for no more than needed. */
  #peak = 0;
  /** The id of the copier that was found last. */
  #lastCopier = PRIMITIVE.id;
  readonly #deadlines = new Deadlines();
  readonly #sieve: Sieve | undefined;
  readonly #readersNeverMutate: boolean;
  readonly #maxEntries: number;
  readonly #onEvict: EntryTableOptions<V>["onEvict"];
  /** The time of this table, in milliseconds: it starts at 0 and never goes back. */
  #now = 0;
  /** What the wall clock showed when it was last read. */
  #wall = Infinity;
  /** Whether it was read by the operation that goes on. */
  #isNow = false;

  constructor(
    { readersNeverMutate, maxEntries, onEvict }: EntryTableOptions<V>,
  ) {
    this.#readersNeverMutate = readersNeverMutate;
    this.#maxEntries = maxEntries;
    this.#sieve = maxEntries === Infinity ? undefined : new Sieve();
    this.#onEvict = onEvict;
  }

  /** Starts an operation: the clock is read once in it, if at all. */
  begin(): void {
    this.#isNow = false;
  }

  /** How many entries are held, expired ones included. */
  get size(): number {
    return this.#keys.length;
  }

  /** The slot of the entry of a key, be it an expired one, or `NONE`. */
  slotOf(key: string): number {
    return this.#slots.get(key) ?? NONE;
  }

  /**
   * The slot of the live entry of a key, or `NONE`. Drops an expired one.
   *
   * @param last Where it was, which saves the search if it still is.
   */
  find(key: string, last = NONE): number {
    const slot = last !== NONE && this.#keys[last] === key
      ? last
      : this.slotOf(key);
    if (slot === NONE) return NONE;
    if (this.#isLive(slot)) return slot;
    this.#evict(slot, "expired");
    return NONE;
  }

  /** The stored value itself. */
  valueAt(slot: number): V {
    return this.#values[slot]!; // a slot has all of its parts
  }

  /** A value for a reader. */
  read(slot: number): V {
    return this.#readersNeverMutate ? this.valueAt(slot) : this.copyAt(slot);
  }

  /** A copy of a value. */
  copyAt(slot: number): V {
    const value = this.valueAt(slot);
    let id = this.#copiers[slot]!; // a slot has all of its parts
    if (id < 0) this.#copiers[slot] = id = this.#findCopier(value, id);
    return COPIERS[id]!.copy(value) as V; // as what it is made from
  }

  /** Notes that an entry was used, which spares it once. */
  use(slot: number): void {
    this.#sieve?.use(slot);
  }

  /** The live entries, in the order in which they were created. */
  *live(): Iterable<[key: string, slot: number]> {
    for (const [key, slot] of this.#slots) {
      this.begin(); // the caller may have taken his time
      if (this.#isLive(slot)) yield [key, slot];
    }
  }

  /**
   * Makes a checked copy of a value that is to be stored. Runs getters of the
   * value, which may use the table.
   *
   * @param slot Where a value of the same shape may be, or `NONE`.
   */
  prepare(action: string, value: V, slot: number): Kept<V> {
    if (this.#readersNeverMutate) {
      return { value: copyValue(action, value), copier: undefined };
    }
    // If the entry has gone since its slot was found, this is a guess.
    const id = slot === NONE ? undefined : this.#copiers[slot];
    const likely = id === undefined || id === UNKNOWN ? this.#lastCopier : id;
    return copyLike(action, value, COPIERS[likely < 0 ? ~likely : likely]!);
  }

  /**
   * Stores a value under a key, in a slot that {@linkcode EntryTable.find} has
   * just found for it, or in a new one.
   *
   * @param ttl `undefined` keeps the deadline; a new entry then has none.
   * @returns The slot.
   *
   * @throws {StoreError} If no more entries can be held.
   */
  put(
    slot: number,
    key: string,
    { value, copier }: Kept<V>,
    ttl: number | undefined,
  ): number {
    let id = copier === undefined ? UNKNOWN : ~copier.id;
    // What is set twice will be set again: that pays for the search.
    if (
      id === UNKNOWN && slot !== NONE && this.#copiers[slot] === UNKNOWN &&
      !this.#readersNeverMutate
    ) id = this.#findCopier(value, UNKNOWN);
    let at = slot;
    if (at === NONE) {
      this.sweep();
      if (this.#keys.length >= this.#maxEntries) this.#makeRoom();
      at = this.#keys.length;
      this.#index(key, at);
      this.#keys.push(key);
      this.#values.push(value);
      this.#copiers.push(id);
      this.#sieve?.add();
      this.#peak = Math.max(this.#peak, this.#keys.length);
    } else {
      this.#values[at] = value;
      this.#copiers[at] = id;
      this.use(at);
    }
    if (ttl !== undefined) this.setDeadline(at, ttl);
    if (slot === NONE || !this.sweep()) return at;
    return this.#slots.get(key) ?? NONE; // another entry may have moved it
  }

  /** Lets an entry live for `ttl` milliseconds from now, or `Infinity`. */
  setDeadline(slot: number, ttl: number): void {
    if (ttl !== Infinity) this.#deadlines.set(slot, this.#readClock() + ttl);
    else if (this.#deadlines.of(slot) !== Infinity) {
      this.#deadlines.set(slot, Infinity);
    }
  }

  /** Removes an entry without telling anyone. */
  remove(slot: number): void {
    const last = this.#keys.length - 1;
    this.#slots.delete(this.#keys[slot]!); // a slot has all of its parts
    this.#deadlines.remove(slot, last);
    this.#sieve?.remove(slot);
    const key = this.#keys.pop()!;
    const value = this.#values.pop()!;
    const copier = this.#copiers.pop()!;
    if (slot !== last) {
      this.#slots.set(key, slot);
      this.#keys[slot] = key;
      this.#values[slot] = value;
      this.#copiers[slot] = copier;
    }
    if (last < this.#peak / TRIM_RATIO) this.#trim();
  }

  /** Removes all entries without telling anyone. */
  clear(): void {
    this.#slots.clear();
    this.#keys.length = this.#values.length = this.#copiers.length = 0;
    this.#deadlines.clear();
    this.#sieve?.clear();
  }

  /**
   * Drops expired entries, earliest deadline first.
   *
   * @param limit How many deadlines it looks at.
   * @returns Whether it has dropped one.
   */
  sweep(limit = SWEEP_SIZE): boolean {
    const deadlines = this.#deadlines;
    if (deadlines.next === Infinity) return false;
    const now = this.#readClock();
    const size = this.#keys.length;
    for (let seen = 0; seen < limit && deadlines.next <= now; seen++) {
      const slot = deadlines.nextSlot;
      if (deadlines.of(slot) === deadlines.next) this.#evict(slot, "expired");
      else deadlines.settle();
    }
    return this.#keys.length < size;
  }

  /** JavaScriptCore keeps the room of what was popped. */
  #trim(): void {
    this.#keys = this.#keys.slice();
    this.#values = this.#values.slice();
    this.#copiers = this.#copiers.slice();
    this.#deadlines.trim();
    this.#sieve?.trim();
    this.#peak = this.#keys.length;
  }

  /** The id of the copier of a value, which is read for the first time. */
  #findCopier(value: V, id: number): number {
    let copier = id === UNKNOWN ? copierOf(value) : COPIERS[~id]!; // it is one
    if (id !== UNKNOWN && copier.hasSymbols(value)) copier = ANY;
    return this.#lastCopier = copier.id;
  }

  /** A sweep has been before: an expired entry it did not reach is not looked for. */
  #makeRoom(): void {
    if (this.#sieve) this.#evict(this.#sieve.victim(), "capacity");
  }

  #evict(slot: number, reason: EvictionReason): void {
    if (this.#onEvict === undefined) return this.remove(slot);
    const key = this.#keys[slot]!; // a slot has all of its parts
    const value = this.#giveUp(slot);
    this.remove(slot);
    this.#onEvict(key, value, reason);
  }

  /** The value of an entry that goes: nobody else has it, so it is not copied. */
  #giveUp(slot: number): V {
    const value = this.valueAt(slot);
    const id = this.#copiers[slot]!; // a slot has all of its parts
    const isClean = id === UNKNOWN ||
      (id < 0 ? !COPIERS[~id]!.hasSymbols(value) : id !== ANY.id);
    return isClean ? value : this.copyAt(slot);
  }

  #index(key: string, slot: number): void {
    try {
      this.#slots.set(key, slot);
    } catch (cause) {
      throw new StoreError(
        "Cannot set entry: this runtime can hold no more entries in one store: use maxEntries or ttl",
        "not applied",
        { cause },
      );
    }
  }

  #isLive(slot: number): boolean {
    const deadline = this.#deadlines.of(slot);
    return deadline === Infinity || deadline > this.#readClock();
  }

  /**
   * Goes on as the wall clock does. When that is set back, it goes on from where
   * it was, so that no life gets longer.
   */
  #readClock(): number {
    if (!this.#isNow) {
      const wall = Date.now();
      if (wall > this.#wall) this.#now += wall - this.#wall;
      this.#wall = wall;
      this.#isNow = true;
    }
    return this.#now;
  }
}
