/**
 * What the store holds of a session, and how long it lives there.
 *
 * @module
 */

import { isThenable } from "./_argument.ts";
import type { SessionStore } from "./_queued_store.ts";
import { copyValue } from "./_value.ts";

/** A session in the store. Times are epoch milliseconds. */
export interface SessionRecord<Data> {
  readonly version: 1;
  readonly data: Data;
  readonly createdAt: number;
  /** When its idle timeout was last started. */
  readonly usedAt: number;
  /** Of what a tombstone keeps: until when it may be read, never changed. */
  readonly readableUntil?: number;
}

/** A session that was read. */
export interface ReadRecord<Data> extends SessionRecord<Data> {
  /** The key it lives under now, when that is another. */
  readonly successor?: string;
}

/**
 * What is left of a session that has ended: it leads a sign-out that comes with
 * the old id to the session that goes on under a new one.
 */
interface Tombstone<Data> {
  readonly version: 1;
  /** The key of that session; `""` for none. */
  readonly movedTo: string;
  /** When it leads on no more, also in a store that forgets nothing. */
  readonly expiresAt: number;
  /** What requests that carry the old id still may read for a while. */
  readonly before?: SessionRecord<Data>;
}

/** What a store holds for the sessions, in as much as it is not foreign. */
export type StoredSession<Data> = SessionRecord<Data> | Tombstone<Data>;

/** How long sessions live, in milliseconds. */
export interface SessionTimes {
  /** From the last start, or `Infinity`. */
  idleTimeout: number;
  /** From the creation, or `Infinity`. */
  absoluteTimeout: number;
  /** How long the old id can still be read after a regeneration. */
  regenerateGrace: number;
}

/** How long a tombstone leads on: longer than a request takes. */
export const TOMBSTONE_TTL = 60 * 1000;

const ENDED: Tombstone<never> = { version: 1, movedTo: "", expiresAt: 0 };

/**
 * The sessions of one store, by key. Only {@linkcode SessionRecords.create},
 * {@linkcode SessionRecords.regenerate} and {@linkcode SessionRecords.succeed}
 * make one exist; every other write is atomic and conditional on a live one.
 *
 * @typeParam Data What a session holds.
 */
export class SessionRecords<Data> {
  readonly #store: SessionStore<StoredSession<Data>>;
  readonly #times: SessionTimes;
  /** The keys whose idle timeout is being started anew, to do it once. */
  readonly #sliding = new Set<string>();

  constructor(
    store: SessionStore<StoredSession<Data>>,
    times: SessionTimes,
  ) {
    this.#store = store;
    this.#times = times;
  }

  /** Creates a session, unless there is something under its key. */
  async create(key: string, data: Data): Promise<boolean> {
    return await this.#insert(key, newRecord(data));
  }

  /**
   * A live session; or what one was before its id changed, during the grace and
   * while it lives under its new id.
   */
  async read(key: string): Promise<ReadRecord<Data> | undefined> {
    const stored = await this.#store.get(key);
    if (!isTombstone<Data>(stored)) return this.#live(stored);
    if (this.#live(stored.before) === undefined) return undefined;
    const isAlive = this.#live(await this.#store.get(stored.movedTo));
    const before = isAlive && this.#live(stored.before);
    return before && { ...before, successor: stored.movedTo };
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
    record: ReadRecord<Data>,
  ): Promise<Data | undefined> {
    // It was read before other cookies were looked up.
    if (this.#live(record) === undefined) return undefined;
    const usedAt = Date.now();
    const isFresh = (record: ReadRecord<Data>): boolean =>
      usedAt - record.usedAt <= this.#times.idleTimeout / 2 ||
      record.successor !== undefined;
    if (isFresh(record) || this.#sliding.has(key)) return record.data;
    this.#sliding.add(key);
    try {
      // Another request may have done it since this one has read.
      const latest = await this.read(key);
      if (latest === undefined || isFresh(latest)) return latest?.data;
      const used = await this.#replace(
        key,
        (record) => ({ ...record, usedAt }),
        Math.max(this.#lifeLeft({ ...record, usedAt }), 1),
      );
      // It may have got another id meanwhile.
      return (used ?? await this.read(key))?.data;
    } finally {
      this.#sliding.delete(key);
    }
  }

  /** Ends sessions: each of them also when another cannot be ended. */
  async endAll(keys: readonly string[]): Promise<void> {
    const ends = await Promise.allSettled(keys.map((key) => this.end(key)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** Ends a session, also one that has moved on from this key. */
  async end(key: string): Promise<void> {
    let movedTo = "";
    let isForeign = false;
    try {
      // Seeing what is there and ending it is one step: a move that comes
      // between the two would go unnoticed.
      await this.#store.update(key, (stored) => {
        movedTo = isTombstone<Data>(stored) && Date.now() < stored.expiresAt
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

  /** Lets a live session go on under a new key; whether there was one. */
  async regenerate(
    key: string,
    newKey: string,
    change: (data: Data) => Data | Promise<Data>,
  ): Promise<boolean> {
    const { regenerateGrace } = this.#times;
    const usedAt = Date.now();
    return await this.#move(key, newKey, async (record) => {
      const before = regenerateGrace > 0 && {
        ...record,
        data: copyValue("regenerate session", record.data),
        readableUntil: usedAt + regenerateGrace,
      };
      const next = { ...record, data: await change(record.data), usedAt };
      return before ? { next, before } : { next };
    });
  }

  /** Puts a new session in the place of a live one; whether there was one. */
  async succeed(
    key: string,
    newKey: string,
    start: (previous: Data) => Promise<Data>,
  ): Promise<boolean> {
    return await this.#move(
      key,
      newKey,
      async ({ data }) => ({ next: newRecord(await start(data)) }),
    );
  }

  /**
   * Writes the new session first, while nobody knows its id, then puts the
   * tombstone in the place of the old one: when a step fails, the old one goes
   * on, and an {@linkcode SessionRecords.end} of it comes either before that
   * step, and there is no new one, or after it, and finds the new one.
   */
  async #move(
    key: string,
    newKey: string,
    make: (
      record: SessionRecord<Data>,
    ) => Promise<
      Pick<Tombstone<Data>, "before"> & { next: SessionRecord<Data> }
    >,
  ): Promise<boolean> {
    let inserted = false;
    let moved = false;
    try {
      const tombstone = await this.#replace(key, async (record) => {
        const { next, ...before } = await make(record);
        if (inserted) await this.#store.delete(newKey); // this is another run
        inserted = newKey !== key && await this.#insert(newKey, next);
        if (!inserted) {
          throw new Error(
            "Cannot change session id: generateId must return a new id each time: received an id in use",
          );
        }
        const expiresAt = Date.now() + TOMBSTONE_TTL;
        return { version: 1, movedTo: newKey, expiresAt, ...before };
      }, TOMBSTONE_TTL);
      moved = tombstone !== undefined;
    } finally {
      // Nobody knows its id: if it cannot be deleted, it is no more than waste.
      if (inserted && !moved) await this.#store.delete(newKey).catch(() => {});
    }
    return moved;
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
  expiresAt(record: SessionRecord<Data>): number {
    const { createdAt, usedAt, readableUntil = Infinity } = record;
    const { idleTimeout, absoluteTimeout } = this.#times;
    return Math.min(
      usedAt + idleTimeout,
      createdAt + absoluteTimeout,
      readableUntil,
    );
  }

  #lifeLeft(record: SessionRecord<Data>): number {
    return this.expiresAt(record) - Date.now();
  }
}

function newRecord<Data>(data: Data): SessionRecord<Data> {
  const now = Date.now();
  return { version: 1, data, createdAt: now, usedAt: now };
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

function isTombstone<Data>(stored: unknown): stored is Tombstone<Data> {
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
