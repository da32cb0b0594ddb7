/**
 * The entries of a `MemoryStore`: when they expire, and which one makes room.
 *
 * @module
 */

import { makeColumn } from "./_column.ts";
import { ANY, COPIERS } from "./_copier.ts";
import { Deadlines } from "./_deadlines.ts";
import { copierOfKept, keep } from "./_kept_value.ts";
import { Sieve } from "./_sieve.ts";
import { SlotMap } from "./_slot_map.ts";
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
 * a million entries that takes 34 ms at a ratio of 64, and 8 ms at 256 (Node 20).
 */
const ROOM_RATIO = 256;

/** How many entries more than there are do not count as room. */
const SPARE = 16;

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
 * of the memory of an object for each (67 bytes beside the value at a million, 34
 * of them of the map; 107 with a deadline). When an entry goes, its slot is free
 * for the next one that comes. A slot stays that of its entry until the next
 * {@linkcode EntryTable.sweep}, which may give back the room of free ones.
 */
export class EntryTable<V> {
  #slots = new SlotMap();
  #keys: (string | undefined)[] = makeColumn();
  #values: (V | undefined)[] = makeColumn();
  /**
   * The ids of what copies the values: as `~id` before the first read, which has
   * to look for members under symbols. For a free slot the next one.
   */
  #copiers: number[] = makeColumn();
  /** How many slots there are, free ones included. */
  #count = 0;
  /** The free slot that is used first. */
  #free = NONE;
  /** What `#copiers` is to hold for the value that was prepared last. */
  #prepared = ANY.id;
  #deadlines = new Deadlines();
  #sieve: Sieve | undefined;
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
    return this.#slots.size;
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
    return this.#values[slot] as V; // a slot in use has all of its parts
  }

  /** A value for a reader. */
  read(slot: number): V {
    return this.#readersNeverMutate ? this.valueAt(slot) : this.copyAt(slot);
  }

  /** A copy of a value. */
  copyAt(slot: number): V {
    const value = this.valueAt(slot);
    let id = this.#copiers[slot]!; // a slot in use has all of its parts
    if (id < 0) {
      id = COPIERS[~id]!.hasSymbols(value) ? ANY.id : ~id; // it is one
      this.#copiers[slot] = id;
    }
    return COPIERS[id]!.copy(value) as V; // as what it is made from
  }

  /** Notes that an entry was used, which spares it once. */
  use(slot: number): void {
    this.#sieve?.use(slot);
  }

  /** The live entries, in the order of {@linkcode SlotMap.keys}. */
  *live(): Iterable<[key: string, slot: number]> {
    for (const key of this.#slots.keys()) {
      this.begin(); // the caller may have taken his time, and used the table
      const slot = this.slotOf(key);
      if (slot !== NONE && this.#isLive(slot)) yield [key, slot];
    }
  }

  /**
   * Makes a checked copy of a value that is to be stored by the next
   * {@linkcode put}. Runs getters of the value, which may use the table.
   */
  prepare(action: string, value: V): V {
    let kept = keep(action, value);
    let copier = copierOfKept();
    if (this.#readersNeverMutate && copier.hasSymbols(kept)) {
      kept = copyValue(action, kept);
      copier = ANY;
    }
    this.#prepared = this.#readersNeverMutate ? copier.id : ~copier.id;
    return kept;
  }

  /**
   * Stores a value that was prepared last under a key, in a slot that
   * {@linkcode EntryTable.find} has just found for it, or in a new one.
   *
   * @param ttl `undefined` keeps the deadline; a new entry then has none.
   * @returns The slot.
   *
   * @throws {StoreError} If no more entries can be held.
   */
  put(
    slot: number,
    key: string,
    value: V,
    ttl: number | undefined,
  ): number {
    let at = slot;
    if (at === NONE) {
      this.sweep();
      if (this.#slots.size >= this.#maxEntries) this.#makeRoom();
      at = this.#free === NONE ? this.#count : this.#free;
      this.#index(key, at);
      if (at === this.#count) this.#count++;
      else this.#free = this.#copiers[at]!; // the next one
      this.#keys[at] = key;
      this.#sieve?.add(at);
    } else this.use(at);
    this.#values[at] = value;
    this.#copiers[at] = this.#prepared;
    if (ttl !== undefined) this.setDeadline(at, ttl);
    if (slot === NONE || !this.sweep()) return at;
    return this.slotOf(key); // it may have moved
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
    this.#slots.delete(this.#keys[slot]!); // a slot in use has all of its parts
    this.#keys[slot] = this.#values[slot] = undefined;
    this.#deadlines.remove(slot);
    this.#sieve?.remove(slot);
    this.#copiers[slot] = this.#free;
    this.#free = slot;
  }

  /** Removes all entries without telling anyone. */
  clear(): void {
    this.#slots = new SlotMap();
    this.#keys = makeColumn();
    this.#values = makeColumn();
    this.#copiers = makeColumn();
    this.#count = 0;
    this.#free = NONE;
    this.#deadlines = new Deadlines();
    this.#sieve &&= new Sieve();
  }

  /**
   * Drops expired entries, earliest deadline first.
   *
   * @param limit How many deadlines it looks at.
   * @returns Whether entries have moved to other slots.
   */
  sweep(limit = SWEEP_SIZE): boolean {
    const deadlines = this.#deadlines;
    const now = deadlines.next === Infinity ? 0 : this.#readClock();
    for (let seen = 0; seen < limit && deadlines.next <= now; seen++) {
      const slot = deadlines.nextSlot;
      if (deadlines.of(slot) === deadlines.next) this.#evict(slot, "expired");
      else deadlines.settle();
    }
    const isSparse = this.#count > ROOM_RATIO * (this.#slots.size + SPARE);
    if (isSparse) this.#compact();
    return isSparse;
  }

  /** Moves all entries to the lowest slots, and gives back the room above. */
  #compact(): void {
    const keys = [...this.#slots.keys()];
    const slots = keys.map((key) => this.slotOf(key));
    this.#slots = new SlotMap();
    for (const [slot, key] of keys.entries()) this.#slots.add(key, slot);
    this.#count = keys.length;
    this.#keys = makeColumn(keys);
    this.#values = makeColumn(slots.map((slot) => this.#values[slot]));
    const copiers = slots.map((slot) => this.#copiers[slot]!); // it is in use
    this.#copiers = makeColumn(copiers);
    this.#free = NONE;
    this.#deadlines.compact(slots);
    this.#sieve?.compact(slots);
  }

  /** A sweep has been before: an expired entry it did not reach is not looked for. */
  #makeRoom(): void {
    if (this.#sieve) this.#evict(this.#sieve.victim(), "capacity");
  }

  #evict(slot: number, reason: EvictionReason): void {
    if (this.#onEvict === undefined) return this.remove(slot);
    const key = this.#keys[slot]!; // a slot in use has all of its parts
    const value = this.#giveUp(slot);
    this.remove(slot);
    this.#onEvict(key, value, reason);
  }

  /** The value of an entry that goes: nobody else has it, so it is not copied. */
  #giveUp(slot: number): V {
    const value = this.valueAt(slot);
    const id = this.#copiers[slot]!; // a slot in use has all of its parts
    const isClean = id < 0 ? !COPIERS[~id]!.hasSymbols(value) : id !== ANY.id;
    return isClean ? value : this.copyAt(slot);
  }

  #index(key: string, slot: number): void {
    try {
      this.#slots.add(key, slot);
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
