/**
 * What a session needs of a store, made of the three methods of any store.
 *
 * @module
 */

import { kindOf } from "./_argument.ts";
import { KeyQueue } from "./_key_queue.ts";
import type { AtomicStore, Store, StoreUpdater } from "./store.ts";
import { copyValue } from "./_value.ts";

/** The part of {@linkcode AtomicStore} that a session uses. */
export type SessionStore<V> = Pick<AtomicStore<V>, "get" | "delete" | "update">;

/** How long a change may keep others of its key waiting, in milliseconds. */
const TIMEOUT = 30_000;

/**
 * One a store, so that all sessions on it share its queue; held as weakly as
 * the store is.
 */
const queuedStores = new WeakMap<Store, SessionStore<unknown>>();

/**
 * A store with atomic updates: itself when it has them, else one that makes
 * them by a queue per key, which holds within this process only.
 *
 * @throws {TypeError} If `store` lacks `get`, `set` or `delete`.
 */
export function toSessionStore<V>(
  action: string,
  store: Store,
): SessionStore<V> {
  for (const method of ["get", "set", "delete"] as const) {
    if (typeof store?.[method] !== "function") {
      throw new TypeError(
        `Cannot ${action}: store must have the methods get, set and delete: received ${
          kindOf(store)
        }`,
      );
    }
  }
  let sessionStore = isAtomic(store) ? store : queuedStores.get(store);
  if (sessionStore === undefined) {
    sessionStore = new QueuedStore(store);
    queuedStores.set(store, sessionStore);
  }
  // What is in the store is checked when it is read: it may be foreign.
  return sessionStore as SessionStore<V>;
}

function isAtomic(store: Store): store is AtomicStore {
  // A store of three methods may have an update of another kind.
  return (["update", "has", "touch", "clear"] as const).every((method) =>
    typeof (store as Partial<AtomicStore>)[method] === "function"
  );
}

/** Atomic updates within this process, on a store that has none. */
class QueuedStore implements SessionStore<unknown> {
  readonly #store: Store;
  readonly #queue = new KeyQueue(TIMEOUT);

  constructor(store: Store) {
    this.#store = store;
  }

  async get(key: string): Promise<unknown> {
    // Harpia's sample for Redis and many others answer a miss with null.
    const value = await this.#store.get(key) ?? undefined;
    if (value === undefined) return undefined;
    try {
      return copyValue("get entry", value);
    } catch {
      // Foreign: a session is portable. Something is there, but none.
      return null;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#queue.run(key, () => this.#store.delete(key));
  }

  async update(key: string, fn: StoreUpdater<unknown>): Promise<unknown> {
    return await this.#queue.run(key, async (run) => {
      const draft = await this.get(key);
      const result = await fn(draft);
      // A session that is left as it is is not written.
      if (result === undefined || run.givenUp) return undefined;
      await this.#store.set(key, copyValue("update entry", result));
      return result;
    });
  }
}
