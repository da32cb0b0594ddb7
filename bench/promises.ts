/**
 * Which promises a store keeps, found out by trying.
 *
 * @module
 */

import { makeKey, makeVisitor, type Visitor } from "./data.ts";
import type { Adapter, Peer } from "./peers.ts";

/** How far a value is out of reach: not at all, its members, or all of it. */
export type Isolation = "shared" | "shallow" | "deep";

/** What a store was seen to do. */
export interface Promises {
  /** Whether changing a value after `set` leaves the stored one alone. */
  copiesOnSet: Isolation;
  /** Whether changing a value got leaves the stored one alone. */
  copiesOnGet: Isolation;
  /** How many of 100 increments made at once are missing afterwards. */
  lostUpdates: number;
  /**
   * How an entry ends: not at all; or whether it was gone in the very
   * millisecond, or how many milliseconds too early or late.
   */
  expiry: "none" | "exact" | "early" | "late";
  /** The largest deviation from the deadline seen, in milliseconds. */
  expiryError: number;
  /** How many of 1,050 entries a store holds that is bound to 100. */
  bound: number | "none" | "throws";
}

/** Tries a store. */
export async function tryPromises(peer: Peer): Promise<Promises> {
  const open = (): Promise<Adapter> => peer.open({ capacity: 1_000 });
  const { expiry, expiryError } = peer.expires
    ? await tryExpiry(await open())
    : { expiry: "none" as const, expiryError: 0 };
  return {
    copiesOnSet: await tryCopyOnSet(await open()),
    copiesOnGet: await tryCopyOnGet(await open()),
    lostUpdates: await tryUpdates(await open()),
    expiry,
    expiryError,
    bound: peer.bounds
      ? await tryBound(await peer.open({ capacity: 100, bounded: true }))
      : "none",
  };
}

async function tryCopyOnSet(store: Adapter): Promise<Isolation> {
  const visitor = makeVisitor(1);
  await store.set("a", visitor);
  deface(visitor);
  return judge(await store.get("a"));
}

async function tryCopyOnGet(store: Adapter): Promise<Isolation> {
  await store.set("a", makeVisitor(1));
  deface(await store.get("a"));
  return judge(await store.get("a"));
}

function deface(value: unknown): void {
  const visitor = value as Visitor; // as was stored
  visitor.name = "defaced";
  visitor.address.city = "defaced";
}

function judge(value: unknown): Isolation {
  const visitor = value as Visitor; // as was stored
  if (visitor.name === "defaced") return "shared";
  return visitor.address.city === "defaced" ? "shallow" : "deep";
}

/** Returns how many of 100 increments are missing. */
async function tryUpdates(store: Adapter): Promise<number> {
  const increment = async (count: unknown): Promise<unknown> => {
    await null;
    return (count as number | null | undefined ?? 0) + 1; // as stored
  };
  await Promise.all(
    Array.from({ length: 100 }, () => store.update("visits", increment)),
  );
  return 100 - (await store.get("visits") as number); // as stored
}

/**
 * Looks at an entry at its deadline, once with an idle event loop and once in
 * the very turn that kept it busy, as a slow request does.
 */
async function tryExpiry(
  store: Adapter,
): Promise<{ expiry: "exact" | "early" | "late"; expiryError: number }> {
  let earliest = Infinity;
  let latest = -Infinity;
  for (let i = 0; i < 20; i++) {
    const key = makeKey(i);
    const ttl = 15;
    const start = Date.now();
    await store.setFor(key, makeVisitor(i), ttl);
    const set = Date.now();
    if (i % 2 === 1) busyUntil(start + ttl + 5);
    let alive = -Infinity;
    let now = Date.now();
    while (await has(store, key) && now < start + 1_000) {
      alive = now;
      await pause();
      now = Date.now();
    }
    // Read at `now`, at or after which it was gone; at `alive` it was not.
    earliest = Math.min(earliest, Date.now() - (start + ttl));
    if (alive > -Infinity) latest = Math.max(latest, alive - (set + ttl) + 1);
  }
  if (latest > 1) return { expiry: "late", expiryError: latest };
  if (earliest < 0) return { expiry: "early", expiryError: -earliest };
  return { expiry: "exact", expiryError: 0 };
}

async function has(store: Adapter, key: string): Promise<boolean> {
  const value = await store.get(key);
  return value !== undefined && value !== null;
}

function busyUntil(time: number): void {
  while (Date.now() < time);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Returns how many of 1,050 entries are left: two generations would show. */
async function tryBound(store: Adapter): Promise<number | "throws"> {
  try {
    for (let i = 0; i < 1_050; i++) await store.set(makeKey(i), makeVisitor(i));
  } catch {
    return "throws";
  }
  let held = 0;
  for (let i = 0; i < 1_050; i++) if (await has(store, makeKey(i))) held++;
  return held;
}
