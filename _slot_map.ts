/**
 * Which slot belongs to which key, without a long pause when there are many.
 *
 * @module
 */

/**
 * With more keys than this there are several maps. One `Map` moves all of its
 * entries at once when it grows or shrinks: 13 ms for 2^16 of them, 27 for 2^17,
 * 120 for 2^19 (Node 20), and one with fewer than 2^17 has moved 2^16 at most.
 */
const MAX_UNDIVIDED = 120_000;

const SHARDS = 64;

const HASH_BITS = 10;

/** How much bigger the last shard is than the first. */
const SPREAD = 1.1;

/**
 * The shard for a hash. Each holds a little more than the one before, so that
 * they do not grow or shrink at the same time.
 */
const SHARD_OF = Uint8Array.from({ length: 2 ** HASH_BITS }, (_, hash) => {
  const share = (SPREAD - 1) * hash / 2 ** HASH_BITS;
  return SHARDS * Math.log(1 + share) / Math.log(SPREAD);
});

/** How many keys each new one moves to the map where they belong. */
const MOVES = 64;

/** A map from keys to slots; a bare `Map` while there are not too many. */
export class SlotMap {
  /** All keys; once there are shards, those from before, until all are moved. */
  #whole = new Map<string, number>();
  #shards: Map<string, number>[] | undefined;
  /** What is to be moved from the whole. */
  #moves: Iterator<[string, number], undefined> | undefined;
  #size = 0;

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** The slot of a key, if it has one. */
  get(key: string): number | undefined {
    if (this.#shards === undefined) return this.#whole.get(key);
    return this.#mapOf(key).get(key) ?? this.#whole.get(key);
  }

  /**
   * Gives a slot to a key that has none.
   *
   * @throws {RangeError} If a map can hold no more: 2^24 keys in V8.
   */
  add(key: string, slot: number): void {
    this.#mapOf(key).set(key, slot);
    this.#size++;
    if (this.#size > MAX_UNDIVIDED) this.#divide(MOVES);
  }

  /** Takes the slot of a key away, which has one. */
  delete(key: string): void {
    if (this.#whole.size > 0) this.#whole.delete(key);
    if (this.#shards !== undefined) this.#mapOf(key).delete(key);
    this.#size--;
  }

  /** The keys: in the order in which they came, if there were never many. */
  *keys(): Iterable<string> {
    if (this.#shards !== undefined) this.#divide(Infinity);
    for (const map of [this.#whole, ...this.#shards ?? []]) yield* map.keys();
  }

  /** Moves some keys to their shards, if there are any left to move. */
  #divide(limit: number): void {
    this.#shards ??= Array.from({ length: SHARDS }, () => new Map());
    if (this.#whole.size === 0) return;
    this.#moves ??= this.#whole.entries();
    for (let i = 0; i < limit; i++) {
      const { done, value } = this.#moves.next();
      if (done) {
        this.#whole = new Map();
        return;
      }
      const [key, slot] = value;
      this.#mapOf(key).set(key, slot);
    }
  }

  /** Where a key belongs. */
  #mapOf(key: string): Map<string, number> {
    const shards = this.#shards;
    if (shards === undefined || typeof key !== "string") return this.#whole;
    // Some characters tell keys apart well enough; all would take longer than
    // the look-up. Fibonacci hashing spreads them: Knuth, TAOCP 3, 6.4.
    const { length } = key;
    let hash = key.charCodeAt(length - 1);
    hash = 31 * hash + key.charCodeAt(length - 2);
    hash = 31 * hash + key.charCodeAt(length - 3);
    hash = 31 * hash + key.charCodeAt(length >> 1);
    hash = 31 * hash + key.charCodeAt(length >> 2);
    const spread = Math.imul(hash, 0x9e3779b1) >>> (32 - HASH_BITS);
    return shards[SHARD_OF[spread]!]!; // there is one for each
  }
}
