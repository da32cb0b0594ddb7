/**
 * How often does a store that is full still have what is asked for? LRU, FIFO
 * and `MemoryStore`, on the same requests.
 *
 * ```sh
 * deno run -A --no-lock bench/hit_ratio.ts
 * ```
 *
 * @module
 */

import { MemoryStore } from "../memory_store.ts";
import { makeRandom, zipf } from "./data.ts";

const KEYS = 100_000;
const CAPACITY = KEYS / 10;
const REQUESTS = 1_000_000;
/** Requests that fill the caches and do not count. */
const WARM_UP = 200_000;
/** How often a scan comes, and how many keys it asks for, each only once. */
const SCAN_EVERY = 50_000;
const SCAN_LENGTH = CAPACITY;

/** The share of requests that hit, from 0 to 1, by policy. */
export interface HitRatios {
  /** What the requests were like. */
  requests: string;
  /** Least recently used goes first. */
  lru: number;
  /** Oldest goes first. */
  fifo: number;
  /** SIEVE. */
  memoryStore: number;
}

interface Cache {
  /** Whether the key was there; it is afterwards. */
  request(key: number): boolean | Promise<boolean>;
}

/** Measures all policies on all kinds of requests. */
export async function measureHitRatios(): Promise<HitRatios[]> {
  const rows: HitRatios[] = [];
  for (
    const [exponent, scans] of [
      [0.8, false],
      [1, false],
      [1.2, false],
      [1, true],
    ] as const
  ) {
    const measure = (cache: Cache): Promise<number> =>
      measureHitRatio(cache, exponent, scans);
    rows.push({
      requests: `Zipf ${exponent.toFixed(1)}${scans ? " and scans" : ""}`,
      lru: await measure(makeMapCache(true)),
      fifo: await measure(makeMapCache(false)),
      memoryStore: await measure(makeMemoryStoreCache()),
    });
  }
  return rows;
}

/** Requests of scans can only miss and are not counted. */
async function measureHitRatio(
  cache: Cache,
  exponent: number,
  scans: boolean,
): Promise<number> {
  const next = zipf(KEYS, exponent, makeRandom(1));
  let scanned = KEYS;
  let hits = 0;
  for (let i = -WARM_UP; i < REQUESTS; i++) {
    if (scans && i % SCAN_EVERY === 0) {
      for (let j = 0; j < SCAN_LENGTH; j++) await cache.request(scanned++);
    }
    const hit = await cache.request(next());
    if (hit && i >= 0) hits++;
  }
  return hits / REQUESTS;
}

/** A `Map` keeps its keys in the order in which they came. */
function makeMapCache(touch: boolean): Cache {
  const held = new Map<number, true>();
  const oldest = held.keys();
  return {
    request(key) {
      const hit = held.has(key);
      if (hit && touch) held.delete(key);
      if (!hit && held.size === CAPACITY) {
        // The iterator is kept: a new one would step over deleted places.
        const first = oldest.next();
        if (!first.done) held.delete(first.value);
      }
      if (!hit || touch) held.set(key, true);
      return hit;
    },
  };
}

function makeMemoryStoreCache(): Cache {
  const store = new MemoryStore<boolean>({ maxEntries: CAPACITY });
  return {
    async request(key) {
      const name = `${key}`;
      const hit = await store.get(name);
      if (hit === undefined) await store.set(name, true);
      return hit !== undefined;
    },
  };
}

if (import.meta.main) {
  for (const { requests, ...ratios } of await measureHitRatios()) {
    const columns = Object.entries(ratios).map(([policy, ratio]) =>
      `${policy} ${(100 * ratio).toFixed(1)} %`
    );
    // deno-lint-ignore no-console -- a command prints its outcome
    console.log(requests.padEnd(20), columns.join("   "));
  }
}
