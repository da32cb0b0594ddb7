/**
 * The sessions in the store, and how long they live there.
 *
 * @module
 */

import { chain } from "./_argument.ts";
import type { SessionStore } from "./_queued_store.ts";
import {
  ENDED,
  isRecord,
  isTombstone,
  newRecord,
  type ReadRecord,
  type SessionRecord,
  type StoredSession,
  type Tombstone,
  TOMBSTONE_TTL,
} from "./_session_record.ts";
import type { StoreUpdateOptions } from "./store.ts";
import { copyValue } from "./_value.ts";

/**
 * What ends a session: a sign-out ends also the one that a sign-in has begun in
 * its place; a sign-in leaves that to whoever has signed in there.
 */
export type EndedBy = "sign-in" | "sign-out";

/** How long sessions live, in milliseconds. */
export interface SessionTimes {
  /** From the last start, or `Infinity`. */
  idleTimeout: number;
  /** From the creation, or `Infinity`. */
  absoluteTimeout: number;
  /** How long the old id can still be read after a regeneration. */
  regenerateGrace: number;
}

/** Ends an update, which changes nothing then. */
const NOTHING_MADE = new Error(
  "Cannot update entry: there is nothing to store",
);

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
    const { before, movedTo } = stored;
    const goesOn = before && this.#live(await this.#store.get(movedTo));
    return goesOn && this.#live(before) && { ...before, successor: movedTo };
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
    const usedAt = Date.now();
    const isFresh = (record: ReadRecord<Data>): boolean =>
      usedAt - record.usedAt <= this.#times.idleTimeout / 2 ||
      record.successor !== undefined;
    // It was read before other cookies were looked up.
    let latest = this.#live(record) && record;
    if (latest && !isFresh(latest) && !this.#sliding.has(key)) {
      this.#sliding.add(key);
      try {
        // Another request may have done it since this one has read.
        latest = await this.read(key);
        if (latest && !isFresh(latest)) {
          const used = await this.#replace(
            key,
            (record) => ({ ...record, usedAt }),
            this.#ttl({ ...record, usedAt }),
          );
          // It may have got another id meanwhile.
          latest = used ?? await this.read(key);
        }
      } finally {
        this.#sliding.delete(key);
      }
    }
    return latest?.data;
  }

  /** Ends sessions: each of them also when another cannot be ended. */
  async endAll(keys: readonly string[], by: EndedBy): Promise<void> {
    const ends = keys.map((key) => this.#end(key, by));
    await Promise.allSettled(ends);
    await Promise.all(ends);
  }

  /** Ends a session, also one that has moved on from this key. */
  async #end(key: string, by: EndedBy): Promise<void> {
    let movedTo = "";
    let isKept = false;
    try {
      // Seeing what is there and ending it is one step: a move that comes
      // between the two would go unnoticed.
      await this.#store.update(key, (stored) => {
        const tombstone = isTombstone<Data>(stored) ? stored : undefined;
        // What is foreign stays, and what leads a sign-out on.
        isKept = tombstone === undefined
          ? stored !== undefined && !isRecord(stored)
          : by === "sign-in" && tombstone.signedIn === true;
        movedTo = tombstone && !isKept && Date.now() < tombstone.expiresAt
          ? tombstone.movedTo
          : "";
        return isKept ? undefined : stored && ENDED;
      });
    } finally {
      if (!isKept) await this.#store.delete(key);
    }
    if (movedTo !== "") await this.#end(movedTo, by);
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
      // `change` may change the data in place.
      const kept = regenerateGrace > 0 && {
        before: {
          ...record,
          data: copyValue("regenerate session", record.data),
          readableUntil: usedAt + regenerateGrace,
        },
      };
      const next = { ...record, data: await change(record.data), usedAt };
      return { next, ...kept };
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
      async ({ data }) => ({
        next: newRecord(await start(data)),
        signedIn: true,
      }),
    );
  }

  /**
   * Writes the new session first, while nobody knows its id, then puts the
   * tombstone in the place of the old one: when a step fails, the old one goes
   * on, and an {@linkcode SessionRecords.endAll} of it comes either before that
   * step, and there is no new one, or after it, and finds the new one.
   */
  async #move(
    key: string,
    newKey: string,
    make: (
      record: SessionRecord<Data>,
    ) => Promise<
      & Pick<Tombstone<Data>, "before" | "signedIn">
      & { next: SessionRecord<Data> }
    >,
  ): Promise<boolean> {
    let inserted = false;
    let moved = false;
    try {
      const tombstone = await this.#replace(key, async (record) => {
        const { next, ...rest } = await make(record);
        if (inserted) await this.#store.delete(newKey); // this is another run
        inserted = newKey !== key && await this.#insert(newKey, next);
        if (!inserted) {
          throw new Error(
            "Cannot change session id: generateId must return a new id each time: received an id in use",
          );
        }
        const expiresAt = Date.now() + TOMBSTONE_TTL;
        return { version: 1, movedTo: newKey, expiresAt, ...rest };
      }, { ttl: TOMBSTONE_TTL });
      moved = tombstone !== undefined;
    } finally {
      // Nobody knows its id: if it cannot be deleted, it is no more than waste.
      if (inserted && !moved) await this.#store.delete(newKey).catch(() => {});
    }
    return moved;
  }

  async #insert(key: string, record: SessionRecord<Data>): Promise<boolean> {
    const inserted = await this.#put(
      key,
      (stored) => stored === undefined ? record : undefined,
      this.#ttl(record),
    );
    return inserted !== undefined;
  }

  /** Puts something in place of a live session; `undefined` if there is none. */
  async #replace<T extends StoredSession<Data>>(
    key: string,
    make: (record: SessionRecord<Data>) => T | Promise<T>,
    options?: StoreUpdateOptions,
  ): Promise<T | undefined> {
    return await this.#put(key, (stored) => {
      const record = this.#live(stored);
      // It may have expired while its replacement was made.
      return record &&
        chain(make(record), (next) => this.#live(record) && next);
    }, options);
  }

  /** An update that leaves all as it was, the deadline too, if it makes nothing. */
  async #put<T extends StoredSession<Data>>(
    key: string,
    make: (
      stored: StoredSession<Data> | undefined,
    ) => T | undefined | Promise<T | undefined>,
    options?: StoreUpdateOptions,
  ): Promise<T | undefined> {
    try {
      const made = await this.#store.update(
        key,
        (stored) =>
          chain(make(stored), (next) => {
            if (next === undefined) throw NOTHING_MADE;
            return next;
          }),
        options,
      );
      return made as T; // a copy of what was made
    } catch (error) {
      if (error !== NOTHING_MADE) throw error;
      return undefined;
    }
  }

  /** What was read, if it is a session whose time is not over. */
  #live(
    stored: StoredSession<Data> | undefined,
  ): SessionRecord<Data> | undefined {
    return isRecord(stored) && this.expiresAt(stored) > Date.now()
      ? stored
      : undefined;
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

  #ttl(record: SessionRecord<Data>): StoreUpdateOptions {
    return { ttl: Math.max(this.expiresAt(record) - Date.now(), 1) };
  }
}
