/**
 * The options of a session, checked and completed.
 *
 * @module
 */

import {
  checkDuration,
  checkText,
  checkTimeout,
  checkType,
  MAX_KEY_BYTES,
  mergeOptions,
  rangeError,
} from "./_argument.ts";
import {
  checkAttributes,
  checkCookieName,
  type CookieAttributes,
} from "./_cookie.ts";
import { MemoryStore } from "./memory_store.ts";
import { type SessionStore, toSessionStore } from "./_queued_store.ts";
import { generateSessionId, MAX_ID_LENGTH } from "./_session_id.ts";
import { type StoredSession, TOMBSTONE_TTL } from "./_session_record.ts";
import type { Store } from "./store.ts";

/** OWASP and NIST SP 800-63B-4, 2.2.3: at most one hour without activity. */
const IDLE_TIMEOUT = 60 * 60 * 1000;

/** NIST SP 800-63B-4, 2.2.3: at most a day, however active. */
const ABSOLUTE_TIMEOUT = 24 * 60 * 60 * 1000;

/** As long as the store of this package gives to updates. */
const STORE_TIMEOUT = 30_000;

/** Options for {@linkcode Session}. */
export interface SessionOptions {
  /**
   * Where the sessions are: a store of this package, or any object with `get`,
   * `set` and `delete`. The latter has no atomic updates, so this package makes
   * them by a queue per key, which holds within one process; and no lifetimes,
   * so a session that is over stays there, unseen, until it is deleted.
   *
   * @default {new MemoryStore()}
   */
  store?: Store | undefined;
  /**
   * The name of the cookie: a token (RFC 9110 5.6.2). The prefixes `__Host-`,
   * `__Secure-`, `__Http-` and `__Host-Http-` are checked against their rules.
   * In production prefer `"__Host-session_id"`.
   *
   * @default {"session_id"}
   */
  cookieName?: string | undefined;
  /** Attributes of the cookie, for every call. */
  cookie?: CookieAttributes | undefined;
  /**
   * How long a session lives without a request, in milliseconds: above `0`, or
   * `Infinity`. {@linkcode Session.fromRequest} starts it anew when more than
   * half is over.
   *
   * @default {3_600_000} 1 hour
   */
  idleTimeout?: number | undefined;
  /**
   * How long a session lives at most, in milliseconds from its creation: above
   * `0`, or `Infinity`. Nothing extends it.
   *
   * @default {86_400_000} 24 hours
   */
  absoluteTimeout?: number | undefined;
  /**
   * How long requests under way at a {@linkcode Session.regenerate}, which carry
   * the old id still, can read what the session held before it, in
   * milliseconds: `0` to `60_000`. They can change nothing, see nothing newer,
   * and find no session once it has ended or got another id again. Whoever knew
   * the old id reads along: leave it off unless pages make parallel requests that
   * must not fail. {@linkcode Session.signIn} gives no grace.
   *
   * @default {0} The old id is dead at once
   */
  regenerateGrace?: number | undefined;
  /**
   * How long a store of three methods may take to answer a call, in
   * milliseconds: above `0`, at most 2^31 - 1, or `Infinity`. Then the call
   * rejects with `StoreError`. Other stores have limits of their own.
   *
   * @default {30_000} 30 seconds
   */
  storeTimeout?: number | undefined;
  /**
   * What the keys in the store start with: at most 896 bytes of UTF-8. One
   * store can serve several `Session`s if no prefix starts another.
   *
   * @default {"session:"}
   */
  prefix?: string | undefined;
  /**
   * Whether the key in the store has the SHA-256 of the id in place of the id,
   * so that nobody who reads the store can take over a session.
   *
   * @default {true}
   */
  hashIds?: boolean | undefined;
  /**
   * Makes an id: 22 to 128 of the characters `A-Z a-z 0-9 - _`, of which at
   * least 128 bits are random.
   *
   * @default 192 bits of `crypto.getRandomValues` in base64url
   */
  generateId?: (() => string) | undefined;
  /**
   * Whether a response that carries the cookie gets `Cache-Control: no-store`,
   * unless it says `no-store` or `private` itself.
   *
   * @default {true}
   */
  noStore?: boolean | undefined;
}

/** {@linkcode SessionOptions} with nothing left out but the store. */
type CompleteOptions =
  & Pick<SessionOptions, "store">
  & {
    [Name in Exclude<keyof SessionOptions, "store">]-?: NonNullable<
      SessionOptions[Name]
    >;
  };

/** {@linkcode SessionOptions} with nothing left out and nothing left to check. */
export interface ResolvedOptions<Data> extends Omit<CompleteOptions, "store"> {
  store: SessionStore<StoredSession<Data>>;
}

/** All that there are, and what they are when they are left out. */
const DEFAULTS: CompleteOptions = {
  store: undefined,
  cookieName: "session_id",
  cookie: {},
  idleTimeout: IDLE_TIMEOUT,
  absoluteTimeout: ABSOLUTE_TIMEOUT,
  regenerateGrace: 0,
  storeTimeout: STORE_TIMEOUT,
  prefix: "session:",
  hashIds: true,
  generateId: generateSessionId,
  noStore: true,
};

/** See the constructor of `Session` for what it throws. */
export function resolveOptions<Data>(
  options: SessionOptions,
): ResolvedOptions<Data> {
  const action = "create Session";
  const resolved = mergeOptions(action, options, DEFAULTS);
  const { store = new MemoryStore(), cookieName, regenerateGrace } = resolved;
  checkText(action, "prefix", resolved.prefix, MAX_KEY_BYTES - MAX_ID_LENGTH);
  checkType(action, "generateId", resolved.generateId, "function");
  for (const name of ["hashIds", "noStore"] as const) {
    checkType(action, name, resolved[name], "boolean");
  }
  for (const name of ["idleTimeout", "absoluteTimeout"] as const) {
    resolved[name] = checkDuration(action, name, resolved[name]);
  }
  checkType(action, "regenerateGrace", regenerateGrace, "number");
  if (!(regenerateGrace >= 0 && regenerateGrace <= TOMBSTONE_TTL)) {
    throw rangeError(
      action,
      `regenerateGrace must be from 0 to ${TOMBSTONE_TTL} milliseconds`,
      regenerateGrace,
    );
  }
  checkCookieName(action, cookieName);
  return {
    ...resolved,
    cookie: checkAttributes(action, cookieName, resolved.cookie),
    store: toSessionStore(
      action,
      store,
      checkTimeout(action, "storeTimeout", resolved.storeTimeout),
    ),
  };
}
