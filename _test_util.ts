/**
 * What several test files share.
 *
 * @module
 */

import { MemoryStore } from "./memory_store.ts";
import type { Store } from "./store.ts";

export { type Gate, makeGate } from "./_gate.ts";

/** A promise that never settles. */
export function hang(): Promise<never> {
  return new Promise(() => {});
}

/** Passes a value where its type does not fit, as callers in JavaScript do. */
export function untyped(value: unknown): never {
  return value as never; // wrong on purpose: the callee has to notice
}

/** As small as a store can be: shares references, answers a miss with null. */
export function threeMethods(map = new Map<string, unknown>()): Store {
  return {
    get: (key) => Promise.resolve(map.get(key) ?? null),
    set: (key, value) => Promise.resolve(void map.set(key, value)),
    delete: (key) => Promise.resolve(void map.delete(key)),
  };
}

/** Both kinds of stores that a session can be on. */
export const STORES: Readonly<Record<string, () => Store>> = {
  "a MemoryStore": () => new MemoryStore(),
  "a three-method store": () => threeMethods(),
};

/** A store that notes which method was called with which key. */
export function spied(
  store: Store = new MemoryStore(),
): { store: Store; calls: string[]; keys: string[] } {
  const calls: string[] = [];
  const keys: string[] = [];
  const proxy = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        calls.push(String(name));
        keys.push(String(args[0]));
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { store: proxy, calls, keys };
}

/** As much of a client of Redis as Harpia's sample uses. */
export function makeRedis(): {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<string>;
  del(key: string): Promise<number>;
} {
  const map = new Map<string, string>();
  return {
    get: (key) => Promise.resolve(map.get(key) ?? null),
    set: (key, value) => Promise.resolve((map.set(key, value), "OK")),
    del: (key) => Promise.resolve(map.delete(key) ? 1 : 0),
  };
}

/**
 * The store for Redis in Harpia's documentation.
 *
 * @see {@link https://harpiats.github.io/core/session/ | Harpia: Session}
 */
export function makeRedisSample(): Store {
  const redis = makeRedis();
  return {
    async get(id) {
      const value = await redis.get(id);
      return value ? JSON.parse(value) : undefined;
    },
    async set(id, data) {
      await redis.set(id, JSON.stringify(data));
    },
    async delete(id) {
      await redis.del(id);
    },
  };
}

/** A whole number from 0 to below the limit. */
export type Random = (limit: number) => number;

/** The generator Mulberry32: the same numbers for the same seed. */
export function makeRandom(seed: number): Random {
  return (limit) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), seed | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  };
}

/** Changes a value wherever that is possible. */
export function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) value.forEach(spoil), value.push("spoilt");
  else if (value instanceof Map) {
    for (const part of [...value].flat()) spoil(part);
    value.set("spoilt", 1);
  } else if (value instanceof Set) value.forEach(spoil), value.add("spoilt");
  else if (value instanceof Date) value.setTime(666);
  else if (value instanceof Uint8Array) value.fill(66);
  else if (value instanceof ArrayBuffer) new Uint8Array(value).fill(66);
  else {
    for (
      const { value: member } of Object.values(
        Object.getOwnPropertyDescriptors(value),
      )
    ) spoil(member);
    Object.assign(value, { spoilt: 1 });
  }
}
