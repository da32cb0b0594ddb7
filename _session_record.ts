/**
 * What the store holds under the key of a session.
 *
 * @module
 */

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
export interface Tombstone<Data> {
  readonly version: 1;
  /** The key of that session; `""` for none. */
  readonly movedTo: string;
  /** Whether that is another session, which a sign-in has begun. */
  readonly signedIn?: true;
  /** When it leads on no more, also in a store that forgets nothing. */
  readonly expiresAt: number;
  /** What requests that carry the old id still may read for a while. */
  readonly before?: SessionRecord<Data>;
}

/** What a store holds for the sessions, in as much as it is not foreign. */
export type StoredSession<Data> = SessionRecord<Data> | Tombstone<Data>;

/** How long a tombstone leads on: longer than a request takes. */
export const TOMBSTONE_TTL = 60 * 1000;

/** What a session leaves behind that has ended for good, until it is deleted. */
export const ENDED: Tombstone<never> = {
  version: 1,
  movedTo: "",
  expiresAt: 0,
};

/** A session that begins now. */
export function newRecord<Data>(data: Data): SessionRecord<Data> {
  const now = Date.now();
  return { version: 1, data, createdAt: now, usedAt: now };
}

/** A store may be shared: what is in it is not trusted to be a session. */
export function isRecord<Data>(
  stored: StoredSession<Data> | undefined,
): stored is SessionRecord<Data> {
  const { version, data, createdAt, usedAt } = Object(stored);
  return version === 1 && typeof data === "object" && data !== null &&
    typeof createdAt === "number" && typeof usedAt === "number";
}

/** Whether it is what a session has left behind, as far as one can see. */
export function isTombstone<Data>(stored: unknown): stored is Tombstone<Data> {
  const { movedTo, expiresAt } = Object(stored);
  return typeof movedTo === "string" && typeof expiresAt === "number";
}
