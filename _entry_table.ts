/**
 * The entries of a `MemoryStore`: when they expire, and which one makes room.
 *
 * @module
 */

import { type Copier, copierOf } from "./_copier.ts";
import { DeadlineHeap, type HeapItem } from "./_deadline_heap.ts";
import { Sieve, type SieveItem } from "./_sieve.ts";

/**
 * How many expired entries a write drops, besides its own. A million that expire
 * at once are gone after 2,000 writes, none of which takes 1 ms for it: one
 * entry costs 0.6 µs (Node 20).
 */
const SWEEP_SIZE = 512;

/** One record a key. It is in the heap only if it expires. */
export interface Entry<V> extends HeapItem, SieveItem<Entry<V>> {
  readonly key: string;
  value: V;
  /** Copies the value, or one that was here before. */
  copier: Copier | undefined;
  /** Whether the value has been read, and so `copier` is known to be for it. */
  read: boolean;
}

/** Why an entry has left by itself. */
export type EvictionReason = "expired" | "capacity";

/** Options for {@linkcode EntryTable}. */
export interface EntryTableOptions<V> {
  /** How many entries there can be, or `Infinity`. */
  maxEntries: number;
  /** Is told of an entry that is gone. Must not use the table. */
  onEvict: (entry: Entry<V>, reason: EvictionReason) => void;
}

/** A copy of the value of an entry. */
export function readEntry<V>(entry: Entry<V>): V {
  const { value } = entry;
  if (entry.copier === undefined || !entry.read) {
    entry.copier = copierOf(value, entry.copier);
    entry.read = true;
  }
  return entry.copier.copy(value) as V; // as what it is made from
}

/**
 * A map from keys to entries that drops them when their time is over or their
 * place is needed: of an expired entry first, else of a live one by SIEVE.
 */
export class EntryTable<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #deadlines = new DeadlineHeap<Entry<V>>();
  readonly #sieve: Sieve<Entry<V>> | undefined;
  readonly #maxEntries: number;
  readonly #onEvict: (entry: Entry<V>, reason: EvictionReason) => void;
  /** The time of this table, in milliseconds: it starts at 0 and never goes back. */
  #now = 0;
  /** What the wall clock showed when it was last read. */
  #wall = Infinity;
  /** Whether it was read by the operation that goes on. */
  #isNow = false;

  constructor({ maxEntries, onEvict }: EntryTableOptions<V>) {
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
    return this.#entries.size;
  }

  /** The live entry of a key. Drops it if it has expired. */
  find(key: string): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#isLive(entry)) return entry;
    this.#evict(entry, "expired");
    return undefined;
  }

  /** The live entries, in the order in which they were created. */
  *live(): Iterable<Entry<V>> {
    for (const entry of this.#entries.values()) {
      this.begin(); // the caller may have taken his time
      if (this.#isLive(entry)) yield entry;
    }
  }

  /** Adds an entry under a key that {@linkcode EntryTable.find} did not find. */
  add(key: string, value: V, ttl: number): Entry<V> {
    this.sweep();
    if (this.#entries.size >= this.#maxEntries) this.#makeRoom();
    const entry: Entry<V> = {
      key,
      value,
      copier: undefined,
      read: false,
      expiresAt: Infinity,
      heapIndex: -1,
      used: false,
      older: undefined,
      newer: undefined,
    };
    this.#entries.set(key, entry);
    this.#sieve?.add(entry);
    this.setDeadline(entry, ttl);
    return entry;
  }

  /** Gives an entry another value; `ttl` left out keeps its deadline. */
  replace(entry: Entry<V>, value: V, ttl: number | undefined): void {
    entry.value = value;
    entry.read = false;
    entry.used = true;
    if (ttl !== undefined) this.setDeadline(entry, ttl);
    this.sweep();
  }

  /** Lets an entry live for `ttl` milliseconds from now, or `Infinity`. */
  setDeadline(entry: Entry<V>, ttl: number): void {
    if (ttl === Infinity) {
      entry.expiresAt = Infinity;
      this.#deadlines.remove(entry);
    } else {
      entry.expiresAt = this.#readClock() + ttl;
      this.#deadlines.place(entry);
    }
  }

  /** Removes an entry without telling anyone. */
  remove(entry: Entry<V>): void {
    this.#entries.delete(entry.key);
    this.#deadlines.remove(entry);
    this.#sieve?.remove(entry);
  }

  /** Removes all entries without telling anyone. */
  clear(): void {
    this.#entries.clear();
    this.#deadlines.clear();
    this.#sieve?.clear();
  }

  /** Drops up to `limit` expired entries, earliest deadline first. */
  sweep(limit = SWEEP_SIZE): void {
    if (this.#deadlines.first === undefined) return;
    const now = this.#readClock();
    for (let dropped = 0; dropped < limit; dropped++) {
      const entry = this.#deadlines.first;
      if (entry === undefined || entry.expiresAt > now) return;
      this.#evict(entry, "expired");
    }
  }

  #makeRoom(): void {
    const entry = this.#sieve?.victim();
    if (entry !== undefined) this.#evict(entry, "capacity");
  }

  #evict(entry: Entry<V>, reason: EvictionReason): void {
    this.remove(entry);
    this.#onEvict(entry, reason);
  }

  #isLive(entry: Entry<V>): boolean {
    return entry.expiresAt === Infinity || entry.expiresAt > this.#readClock();
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
