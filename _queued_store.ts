/**
 * What a session needs of a store, made of the three methods of any store.
 *
 * @module
 */

import { hasMethods, isThenable, kindOf, typeError } from "./_argument.ts";
import { KeyQueue, type Run } from "./_key_queue.ts";
import {
  type AtomicStore,
  type Store,
  StoreError,
  type StoreOutcome,
  type StoreUpdater,
  UpdateTimeoutError,
} from "./store.ts";
import { copyValue } from "./_value.ts";

/** The part of {@linkcode AtomicStore} that a session uses. */
export type SessionStore<V> = Pick<AtomicStore<V>, "get" | "delete" | "update">;

/** How long a change may keep others of its key waiting, in milliseconds. */
const TIMEOUT = 30_000;

/** As many turns of the microtask queue an answer may take without a timer. */
const TIMER_TURNS = 16;

/** One a store, shared by all sessions on it, held as weakly as the store is. */
const queues = new WeakMap<Store, KeyQueue>();

/**
 * A store with atomic updates: itself when it has them, else one that makes
 * them by a queue per key, which holds within this process only.
 *
 * @param timeout How long the three methods may take to answer, in
 * milliseconds: at most 2^31 - 1, or `Infinity`.
 *
 * @throws {TypeError} If `store` lacks `get`, `set` or `delete`.
 */
export function toSessionStore<V>(
  action: string,
  store: Store,
  timeout: number,
): SessionStore<V> {
  if (!hasMethods(store, "get", "set", "delete")) {
    throw typeError(
      action,
      "store must have the methods get, set and delete",
      kindOf(store),
    );
  }
  // A store of three methods may have an update of another kind.
  const isAtomic = hasMethods(store, "update", "has", "touch", "clear");
  const sessionStore = isAtomic ? store : new QueuedStore(store, timeout);
  // What is in the store is checked when it is read: it may be foreign.
  return sessionStore as SessionStore<V>;
}

/** Atomic updates within this process, on a store that has none. */
class QueuedStore implements SessionStore<unknown> {
  readonly #store: Store;
  readonly #timeout: number;
  readonly #queue: KeyQueue;

  constructor(store: Store, timeout: number) {
    this.#store = store;
    this.#timeout = timeout;
    this.#queue = queues.get(store) ?? new KeyQueue(TIMEOUT);
    queues.set(store, this.#queue);
  }

  async get(key: string): Promise<unknown> {
    const answer = this.#ask("read", "not applied", () => this.#store.get(key));
    // Harpia's sample for Redis and many others answer a miss with null.
    const value = await answer ?? undefined;
    if (value === undefined) return undefined;
    try {
      return copyValue("get entry", value);
    } catch {
      // Foreign: a session is portable. Something is there, but none.
      return null;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#queue.run(
      key,
      () => this.#ask("delete", "unknown", () => this.#store.delete(key)),
      { givenUp: false },
    );
  }

  async update(key: string, fn: StoreUpdater<unknown>): Promise<unknown> {
    let isWriting = false;
    try {
      return await this.#queue.run(key, async (run: Run) => {
        const draft = await this.get(key);
        const result = await fn(draft);
        // A session that is left as it is is not written.
        if (result === undefined || run.givenUp) return undefined;
        const copy = copyValue("update entry", result);
        isWriting = true;
        await this.#ask("write", "unknown", () => this.#store.set(key, copy));
        return result;
      }, { givenUp: false });
    } catch (error) {
      // The queue takes it for fn when the store is slow.
      if (!isWriting || !(error instanceof UpdateTimeoutError)) throw error;
      throw this.#noAnswer("write", "unknown");
    }
  }

  /** Rejects when the store does not answer in time. */
  async #ask<T>(
    verb: string,
    outcome: StoreOutcome,
    call: () => T | PromiseLike<T>,
  ): Promise<T> {
    const answer = call();
    if (!isThenable(answer) || this.#timeout === Infinity) return await answer;
    return await inTime(
      answer,
      this.#timeout,
      () => this.#noAnswer(verb, outcome),
    );
  }

  #noAnswer(verb: string, outcome: StoreOutcome): StoreError {
    return new StoreError(
      `Cannot ${verb} session: the store must answer within ${this.#timeout} ms: received no answer`,
      outcome,
    );
  }
}

/** Settles as the answer does, or rejects when that takes too long. */
function inTime<T>(
  answer: PromiseLike<T>,
  timeout: number,
  toError: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let settled = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
    };
    Promise.resolve(answer).then(resolve, reject).then(settle);
    // Most answers of a store in this process need no timer.
    (async () => {
      for (let turn = 0; turn < TIMER_TURNS && !settled; turn++) await null;
      if (!settled) timer = setTimeout(() => reject(toError()), timeout);
    })();
  });
}
