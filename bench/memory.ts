/**
 * How much memory a store takes, and whether it gives it back.
 *
 * @module
 */

import { copyVisitor, makeKey, makeVisitor, type Visitor } from "./data.ts";
import { readHeap } from "./host.ts";
import type { Adapter, Peer } from "./peers.ts";

/** The outcome of {@linkcode measureMemory}. */
export interface Memory {
  /**
   * Bytes an entry: what the heap grows by when keys and values are there
   * already, less the store's own copy of the value, if it makes one.
   */
  overhead: number;
  /** The same with a lifetime given to each entry. */
  overheadWithTtl: number | undefined;
  /** Bytes of the value as the store holds it: `0` where it is shared. */
  value: number;
  /** How much of that growth is left when all entries are deleted: 0 to 1. */
  leftAfterDeletes: number;
}

const HOUR = 60 * 60 * 1000;

/** Needs a runtime that was started with `--expose-gc`. */
export async function measureMemory(peer: Peer, size: number): Promise<Memory> {
  const keys = Array.from({ length: size }, (_, i) => makeKey(i));
  const values = Array.from({ length: size }, (_, i) => makeVisitor(i));
  const held = await measureValue(peer, values) / size;
  const plain = await fillAndDelete(peer, keys, (store, key, i) => {
    return store.set(key, values[i]);
  });
  const timed = peer.expires
    ? await fillAndDelete(peer, keys, (store, key, i) => {
      return store.setFor(key, values[i], HOUR);
    })
    : undefined;
  return {
    value: held,
    overhead: plain.grown / size - held,
    overheadWithTtl: timed && timed.grown / size - held,
    leftAfterDeletes: plain.left / plain.grown,
  };
}

async function fillAndDelete(
  peer: Peer,
  keys: readonly string[],
  set: (store: Adapter, key: string, i: number) => Promise<unknown>,
): Promise<{ grown: number; left: number }> {
  const before = await readHeap();
  const store = await peer.open({ capacity: keys.length });
  for (const [i, key] of keys.entries()) await set(store, key, i);
  const grown = await readHeap() - before;
  for (const key of keys) await store.delete(key);
  const left = await readHeap() - before;
  await store.get("still in use"); // or it might be collected before
  return { grown, left };
}

/** Bytes of all values in the form the store holds them. */
async function measureValue(
  peer: Peer,
  values: readonly Visitor[],
): Promise<number> {
  if (peer.holds === "reference") return 0;
  const copies: unknown[] = new Array(values.length).fill(undefined);
  const before = await readHeap();
  for (const [i, value] of values.entries()) {
    copies[i] = peer.holds === "copy"
      ? copyVisitor(value)
      : JSON.stringify(value);
  }
  const bytes = await readHeap() - before;
  copies.length = 0;
  return bytes;
}
