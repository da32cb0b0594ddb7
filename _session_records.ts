/**
 * What the store holds of a session, and how long it lives there.
 *
 * @module
 */

import { isThenable } from "./_argument.ts";
import type { SessionStore } from "./_queued_store.ts";

/** A session in the store. Times are epoch milliseconds. */
export interface SessionRecord<Data> {
  readonly version: 1;
  readonly data: Data;
  readonly createdAt: number;
  /** When its idle timeout was last started. */
  readonly usedAt: number;
}

/**
 * What is left of a session that has ended: it leads a sign-out that comes with
 * the old id to the session that goes on under a new one.
 */
interface Tombstone {
  readonly version: 1;
  /** The key of that session; `""` for none. */
  readonly movedTo: string;
  /** When it leads on no more, also in a store that forgets nothing. */
  readonly expiresAt: number;
}

/** What a store holds for the sessions, in as much as it is not foreign. */
export type StoredSession<Data> = SessionRecord<Data> | Tombstone;

/** How long a session lives, in milliseconds. */
export interface SessionTimeouts {
  /** From the last start, or `Infinity`. */
  idleTimeout: number;
  /** From the creation, or `Infinity`. */
  absoluteTimeout: number;
}

/** How long a tombstone leads on: longer than a request takes. */
const TOMBSTONE_TTL = 60 * 1000;

const ENDED: Tombstone = { version: 1, movedTo: "", expiresAt: 0 };

/**
 * The sessions of one store, by key. Only {@linkcode SessionRecords.create} and
 * {@linkcode SessionRecords.move} make one exist; every other write is atomic
 * and conditional on a live one.
 *
 * @typeParam Data What a session holds.
 */
export class SessionRecords<Data> {
  readonly #store: SessionStore<StoredSession<Data>>;
  readonly #timeouts: SessionTimeouts;
  /** The keys whose idle timeout is being started anew, to do it once. */
  readonly #sliding = new Set<string>();

  constructor(
    store: SessionStore<StoredSession<Data>>,
    timeouts: SessionTimeouts,
  ) {
    this.#store = store;
    this.#timeouts = timeouts;
  }

  /** Creates a session, unless there is something under its key. */
  async create(key: string, data: Data): Promise<boolean> {
    const now = Date.now();
    return await this.#insert(key, {
      version: 1,
      data,
      createdAt: now,
      usedAt: now,
    });
  }

  /** A live session. */
  async read(key: string): Promise<SessionRecord<Data> | undefined> {
    return this.#live(await this.#store.get(key));
  }

  /** Changes the data of a live session; whether there was one. */
  async update(
    key: string,
    change: (data: Data) => Data | Promise<Data>,
  ): Promise<boolean> {
    const record = await this.#replace(
      key,
      (record) => chain(change(record.data), (data) => ({ ...record, data })),
    );
    return record !== undefined;
  }

  /**
   * The data of a session that was just read; starts its idle timeout anew when
   * more than half is over.
   */
  async use(
    key: string,
    record: SessionRecord<Data>,
  ): Promise<Data | undefined> {
    const usedAt = Date.now();
    if (
      usedAt - record.usedAt <= this.#timeouts.idleTimeout / 2 ||
      this.#sliding.has(key)
    ) return record.data;
    const ttl = this.#lifeLeft({ ...record, usedAt });
    if (ttl <= 0) return undefined;
    this.#sliding.add(key);
    try {
      // Another request may have done it since this one has read.
      const latest = await this.read(key);
      if (
        latest === undefined ||
        usedAt - latest.usedAt <= this.#timeouts.idleTimeout / 2
      ) return latest?.data;
      const used = await this.#replace(
        key,
        (record) => ({ ...record, usedAt }),
        ttl,
      );
      return used?.data;
    } finally {
      this.#sliding.delete(key);
    }
  }

  /** Ends a session, also one that has moved on from this key. */
  async end(key: string): Promise<void> {
    let movedTo = "";
    let isForeign = false;
    try {
      // Seeing what is there and ending it is one step: a move that comes
      // between the two would go unnoticed.
      await this.#store.update(key, (stored) => {
        movedTo = isTombstone(stored) && Date.now() < stored.expiresAt
          ? stored.movedTo
          : "";
        isForeign = stored !== undefined && !isRecord(stored) &&
          !isTombstone(stored);
        return isForeign ? undefined : stored && ENDED;
      });
    } finally {
      if (!isForeign) await this.#store.delete(key);
    }
    if (movedTo !== "") await this.end(movedTo);
  }

  /**
   * Moves a live session to a new key; whether it lives there now. At no time
   * do both exist, and an {@linkcode SessionRecords.end} of either that comes
   * before, between or after the steps leaves neither.
   *
   * @param createdAt Left out, it goes on as the same session.
   */
  async move(
    key: string,
    newKey: string,
    change: (data: Data) => Data | Promise<Data>,
    createdAt?: number,
  ): Promise<boolean> {
    let moved: SessionRecord<Data> | undefined;
    const usedAt = Date.now();
    const tombstone = await this.#replace(
      key,
      (record) =>
        chain(change(record.data), (data): Tombstone => {
          moved = {
            ...record,
            data,
            createdAt: createdAt ?? record.createdAt,
            usedAt,
          };
          return {
            version: 1,
            movedTo: newKey,
            expiresAt: Date.now() + TOMBSTONE_TTL,
          };
        }),
      TOMBSTONE_TTL,
    );
    if (tombstone === undefined || moved === undefined) return false;
    if (!await this.#insert(newKey, moved)) {
      throw new Error(
        "Cannot regenerate session: generateId must return a new id each time: received an id in use",
      );
    }
    const left = await this.#store.get(key);
    if (isTombstone(left) && left.movedTo === newKey) return true;
    await this.#store.delete(newKey);
    return false;
  }

  async #insert(key: string, record: SessionRecord<Data>): Promise<boolean> {
    let inserted = false;
    await this.#store.update(key, (stored) => {
      inserted = stored === undefined;
      return inserted ? record : undefined;
    }, { ttl: Math.max(this.#lifeLeft(record), 1) });
    return inserted;
  }

  /** Puts something in place of a live session; `undefined` if there is none. */
  async #replace<T extends StoredSession<Data>>(
    key: string,
    make: (record: SessionRecord<Data>) => T | Promise<T>,
    ttl?: number,
  ): Promise<T | undefined> {
    let made: T | undefined;
    await this.#store.update(key, (stored) => {
      made = undefined;
      const record = this.#live(stored);
      // What is not a live session stays as it is, and so does one that has
      // expired while its replacement was made.
      return record && chain(make(record), (next) => {
        if (this.#live(record)) made = next;
        return made;
      });
    }, ttl === undefined ? {} : { ttl });
    return made;
  }

  /** What was read, if it is a session whose time is not over. */
  #live(
    stored: StoredSession<Data> | undefined,
  ): SessionRecord<Data> | undefined {
    return isRecord(stored) && this.#lifeLeft(stored) > 0 ? stored : undefined;
  }

  /** When a session ends, unless it is used again. */
  expiresAt({ createdAt, usedAt }: SessionRecord<Data>): number {
    const { idleTimeout, absoluteTimeout } = this.#timeouts;
    return Math.min(usedAt + idleTimeout, createdAt + absoluteTimeout);
  }

  #lifeLeft(record: SessionRecord<Data>): number {
    return this.expiresAt(record) - Date.now();
  }
}

/** A store may be shared: what is in it is not trusted to be a session. */
function isRecord<Data>(
  stored: StoredSession<Data> | undefined,
): stored is SessionRecord<Data> {
  return typeof stored === "object" && stored !== null &&
    stored.version === 1 && "data" in stored &&
    typeof stored.data === "object" && stored.data !== null &&
    typeof stored.createdAt === "number" && typeof stored.usedAt === "number";
}

function isTombstone(stored: unknown): stored is Tombstone {
  return typeof stored === "object" && stored !== null &&
    "movedTo" in stored && typeof stored.movedTo === "string" &&
    "expiresAt" in stored && typeof stored.expiresAt === "number";
}

/** Goes on at once when there is nothing to wait for, else later. */
function chain<T, U>(
  value: T | Promise<T>,
  next: (value: T) => U,
): U | Promise<U> {
  return isThenable(value)
    ? Promise.resolve(value as PromiseLike<T>).then(next)
    : next(value);
}
