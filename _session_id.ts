/**
 * Session ids: how they are made, what they look like, and what the store sees
 * of them.
 *
 * @module
 */

import { checkType, kindOf, typeError } from "./_argument.ts";

/**
 * 192 random bits, and 32 characters without padding; at least 128 bits are
 * asked for by ASVS 5.0, 7.2.3. A UUID has 122.
 */
const ID_BYTES = 24;

/** From 128 bits in base64url to 128 characters; a UUID fits. */
const ID = /^[A-Za-z0-9_-]{22,128}$/;

/** Characters of 6 bits: enough to tell the sessions of a log apart. */
const LABEL_LENGTH = 10;

/** The longest id, in characters and in bytes. */
export const MAX_ID_LENGTH = 128;

/** The shape of an id, for an error message. */
const ID_SHAPE = "22 to 128 of the characters A-Z a-z 0-9 - _";

/** Whether it could be an id. What is not never reaches a store. */
export function isSessionId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/** @throws {TypeError} If it could not be an id: `what` must be one. */
export function checkShape(action: string, what: string, id: unknown): void {
  if (isSessionId(id)) return;
  const received = typeof id === "string" ? "another string" : kindOf(id);
  throw typeError(action, `${what} ${ID_SHAPE}`, received);
}

/**
 * Checks an id that a client may have sent: it can be missing or malformed, but
 * another kind is a developer's mistake.
 *
 * @throws {TypeError} If it is neither a string nor `undefined`.
 */
export function checkId(action: string, id: string | undefined): void {
  if (id !== undefined) checkType(action, "id", id, "string");
}

/** A new id from the random numbers of the platform. */
export function generateSessionId(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}

/** How {@linkcode SessionIds} makes ids and keys. */
export interface SessionIdOptions {
  /** What keys start with. */
  prefix: string;
  /** Whether keys have the hash of the id in place of the id. */
  hashIds: boolean;
  /** Makes an id. */
  generateId: () => string;
}

/** The ids of sessions, and what store and log get to see of them. */
export class SessionIds {
  readonly #options: SessionIdOptions;
  readonly #hash = makeSessionIdHash();

  constructor(options: SessionIdOptions) {
    this.#options = options;
  }

  /**
   * A new id, and its key in the store.
   *
   * @throws {TypeError} If `generateId` returns what is not an id.
   */
  async generate(action: string): Promise<{ id: string; key: string }> {
    const { generateId } = this.#options;
    const id = generateId();
    checkShape(action, "generateId must return", id);
    return { id, key: await this.toKey(id) };
  }

  /** The key of an id in the store. */
  async toKey(id: string): Promise<string> {
    const { prefix, hashIds } = this.#options;
    return prefix + (hashIds ? await this.#hash(id) : id);
  }

  /**
   * The key of an id that a client may have sent; `undefined` for what cannot
   * be one.
   *
   * @throws {TypeError} If it is neither a string nor `undefined`.
   */
  async keyOf(
    action: string,
    id: string | undefined,
  ): Promise<string | undefined> {
    checkId(action, id);
    return isSessionId(id) ? await this.toKey(id) : undefined;
  }

  /** A hash for logs, which leads neither to the id nor to its key. */
  async toLabel(id: string): Promise<string> {
    return (await this.#hash(`log:${id}`)).slice(0, LABEL_LENGTH);
  }
}

/** As much of `node:crypto` as is used. */
interface NodeCrypto {
  createHash(algorithm: string): {
    update(text: string): { digest(encoding: string): string };
  };
}

/**
 * Makes the function that hashes ids: SHA-256 in base64url, 43 characters that
 * do not lead back to the id.
 *
 * Where the runtime has `node:crypto`, its synchronous hash takes 1 µs in place
 * of 29 µs (Node 20 and Deno 2.9). It is asked for and not imported, so that
 * nothing is missing where there is none.
 */
function makeSessionIdHash(): (id: string) => string | Promise<string> {
  // Not every runtime declares it, and those that do declare more.
  const { process } = globalThis as unknown as {
    process?: { getBuiltinModule?(name: string): NodeCrypto | undefined };
  };
  const crypto = process?.getBuiltinModule?.("node:crypto");
  if (crypto === undefined) return hashByWebCrypto;
  return (id) => crypto.createHash("sha256").update(id).digest("base64url");
}

async function hashByWebCrypto(id: string): Promise<string> {
  const bytes = new TextEncoder().encode(id);
  return toBase64Url(
    new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)),
  );
}

/** RFC 4648 5, without padding. */
function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
