/**
 * Session ids: how they are made, what they look like, and what the store sees
 * of them.
 *
 * @module
 */

/**
 * 192 random bits, and 32 characters without padding; at least 128 bits are
 * asked for by ASVS 5.0, 7.2.3. A UUID has 122.
 */
const ID_BYTES = 24;

/** From 128 bits in base64url to 128 characters; a UUID fits. */
const ID = /^[A-Za-z0-9_-]{22,128}$/;

/** The longest id, in characters and in bytes. */
export const MAX_ID_LENGTH = 128;

/** The shape of an id, for an error message. */
export const ID_SHAPE = "22 to 128 of the characters A-Z a-z 0-9 - _";

/** Whether it could be an id. What is not never reaches a store. */
export function isSessionId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/** A new id from the random numbers of the platform. */
export function generateSessionId(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}

/** SHA-256 of an id, in base64url: 43 characters that do not lead back to it. */
export async function hashSessionId(id: string): Promise<string> {
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
