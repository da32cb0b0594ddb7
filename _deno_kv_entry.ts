/**
 * How an entry lies in Deno KV: a key of parts, and bytes.
 *
 * Bytes, because every client of Deno KV stores a `Uint8Array` as it is. Other
 * values go through the serializer of the runtime, which differs by version and
 * which Bun lacks.
 *
 * @module
 */

import { decodeValue, encodeValue } from "./_value_codec.ts";
import { MAX_KEY_BYTES } from "./_argument.ts";
import { CorruptEntryError } from "./store.ts";

/** A key as Deno KV takes it. */
export type KvPath = (string | Uint8Array)[];

/** What Deno KV answers. There is no entry where `versionstamp` is `null`. */
export interface KvAnswer {
  /** What is stored. */
  value: unknown;
  /** Changes with each write. */
  versionstamp: string | null;
}

/** What a value may take in Deno KV. */
const MAX_ENTRY_BYTES = 65_536;

/** What a key may take in Deno KV, as it encodes it. */
const MAX_PATH_BYTES = 2_048;

/** The first byte. */
const FORMAT = 1;

/** The head: the format, the deadline as a float64, the token. */
const DEADLINE_AT = 1;
const TOKEN_AT = 9;
const VALUE_AT = 21;

/** What a token is made of: 96 bits, at random. */
const TOKEN_BYTES = VALUE_AT - TOKEN_AT;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Tells the entry of one update from all others, those of other processes
 * included.
 */
export function makeToken(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
}

/**
 * Makes the bytes of an entry.
 *
 * @throws {RangeError} If they are more than Deno KV takes.
 */
export function packValue(
  action: string,
  value: unknown,
  expiresAt: number,
  token?: Uint8Array,
): Uint8Array {
  const text = encoder.encode(encodeValue(value));
  const max = MAX_ENTRY_BYTES - VALUE_AT;
  if (text.length > max) {
    throw new RangeError(
      `Cannot ${action}: value must take at most ${max} bytes in Deno KV: received ${text.length}`,
    );
  }
  const bytes = new Uint8Array(VALUE_AT + text.length);
  bytes[0] = FORMAT;
  setDeadline(bytes, expiresAt);
  if (token !== undefined) bytes.set(token, TOKEN_AT);
  bytes.set(text, VALUE_AT);
  return bytes;
}

/** Writes the deadline into the bytes of an entry: epoch ms, or `Infinity`. */
export function setDeadline(bytes: Uint8Array, expiresAt: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(
    DEADLINE_AT,
    expiresAt,
  );
}

/** Reads the deadline out of the bytes of an entry. */
export function readDeadline(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(DEADLINE_AT);
}

/**
 * Finds the bytes of an entry in an answer.
 *
 * @returns `undefined` when there is no entry.
 *
 * @throws {CorruptEntryError} If it was not stored by this package.
 */
export function readBytes(
  action: string,
  { value, versionstamp }: KvAnswer,
): Uint8Array | undefined {
  if (versionstamp === null) return undefined;
  if (
    value instanceof Uint8Array && value.length >= VALUE_AT &&
    value[0] === FORMAT && !Number.isNaN(readDeadline(value))
  ) return value;
  throw new CorruptEntryError(action);
}

/**
 * Reads the value out of the bytes of an entry. It is new each time.
 *
 * @throws {CorruptEntryError} If it cannot be read.
 */
export function readValue(action: string, bytes: Uint8Array): unknown {
  try {
    return decodeValue(decoder.decode(bytes.subarray(VALUE_AT)));
  } catch (cause) {
    throw new CorruptEntryError(action, { cause });
  }
}

/** Whether an answer is the entry that an update has made. */
export function hasToken({ value }: KvAnswer, token: Uint8Array): boolean {
  return value instanceof Uint8Array &&
    token.every((byte, i) => value[TOKEN_AT + i] === byte);
}

/**
 * Where the entry of a key lies. Deno KV writes two bytes for a NUL, so that
 * one long key of NULs would not fit: a key with a NUL becomes bytes, in which
 * 0xFF, which is not in UTF-8, stands for it.
 */
export function toPath(prefix: readonly string[], key: string): KvPath {
  if (!key.includes("\0")) return [...prefix, key];
  return [
    ...prefix,
    encoder.encode(key).map((byte) => byte === 0 ? 0xff : byte),
  ];
}

/** Whether {@linkcode toPath} can have made this. */
export function isKeyPart(part: unknown): part is string | Uint8Array {
  return typeof part === "string" || part instanceof Uint8Array;
}

/**
 * @throws {RangeError} If a key of the largest size would not fit behind it.
 */
export function checkPrefixSize(
  action: string,
  prefix: readonly string[],
): void {
  const max = MAX_PATH_BYTES - pathBytes("") - MAX_KEY_BYTES;
  const bytes = prefix.reduce((sum, part) => sum + pathBytes(part), 0);
  if (bytes > max) {
    throw new RangeError(
      `Cannot ${action}: prefix must take at most ${max} bytes in Deno KV: received ${bytes}`,
    );
  }
}

/** What a part takes in a key: its UTF-8 between two bytes, a NUL as two. */
function pathBytes(part: string): number {
  return 2 + encoder.encode(part.replaceAll("\0", "\0\0")).length;
}
