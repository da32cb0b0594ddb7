/**
 * How an entry lies in Redis: one string of a head, the value as text, and a
 * line break.
 *
 * ```text
 * h1 0b1f8f5e-6d3c-4f0a-9f57-2d8a6f3f7c11 0001795000000000 {"user":"ada"}
 * ```
 *
 * The head is of fixed width, so that a script can move the deadline and leave
 * the rest where it is. The line break shows that nothing was cut off.
 *
 * @module
 */

import type { Command } from "./_redis_client.ts";
import { CorruptEntryError, StoreError } from "./store.ts";
import { decodeValue, encodeValue } from "./_value_codec.ts";
import { kindOf } from "./_argument.ts";

/** What Redis holds under a key. */
export interface RedisEntry {
  /** The format, and a UUID that tells this write from all others. */
  stamp: string;
  /** In milliseconds since 1970. */
  expiresAt: number;
  /** The value. */
  text: string;
}

/** What an entry begins with. */
const FORMAT = "h1 ";

/** A time, by its width a word of its own. */
const TIME = /^\d{16}$/;

/** The length of the head; what follows is the value. */
const HEAD_SIZE = 57;

/** Where the deadline begins. */
const DEADLINE_AT = 40;

/** The deadline of what lives for ever: later than a `Date` can hold. */
const NEVER = "9".repeat(16);

const END = "\n";

/** Something in Lua that Redis does in one step. */
export interface Script {
  /** Its SHA-1, by which a server knows it that has run it before. */
  readonly digest: string;
  readonly text: string;
  /** Whether it must not come behind what is called later for the same key. */
  readonly keepsOrder: boolean;
}

/**
 * Moves the deadline of a live entry: now, deadline, ttl unless for ever.
 * Replies with 1, with 0 when there is none, or with -1 when it is foreign.
 *
 * Deadlines are of one width, so they compare as strings. A full Redis refuses
 * `SETRANGE`, unless the script has written before.
 */
const TOUCH: Script = {
  digest: "5810955d445ae3547ebabd01d7c6eb2a0299c65b",
  keepsOrder: true,
  text: `
local head = redis.call('GETRANGE', KEYS[1], 0, ${HEAD_SIZE - 1})
if head == '' then return 0 end
if string.sub(head, 1, ${FORMAT.length}) ~= '${FORMAT}' or #head < ${HEAD_SIZE} then return -1 end
if string.sub(head, ${DEADLINE_AT + 1}, -2) <= ARGV[1] then return 0 end
if ARGV[3] then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  redis.call('PERSIST', KEYS[1])
end
redis.call('SETRANGE', KEYS[1], ${DEADLINE_AT}, ARGV[2])
return 1`,
};

/**
 * Replaces an entry by another, if it is still there: now, the old stamp or
 * nothing, the new one, the value, and unless they stay, the deadline and the
 * ttl unless for ever. Replies with 1, also when it has been done before, or
 * with 0. It may come late: an update takes effect when it stores.
 */
const REPLACE: Script = {
  digest: "0974327b5d471e15888b9824f859fb85653ec7a1",
  keepsOrder: false,
  text: `
local head = redis.call('GETRANGE', KEYS[1], 0, ${HEAD_SIZE - 1})
local stamp = string.sub(head, 1, ${DEADLINE_AT - 1})
local expiresAt = string.sub(head, ${DEADLINE_AT + 1}, -2)
if stamp == ARGV[3] then return 1 end
if expiresAt <= ARGV[1] and string.sub(head, 1, ${FORMAT.length}) == '${FORMAT}' then stamp = '' end
if stamp ~= ARGV[2] then return 0 end
local entry = ARGV[3] .. ' ' .. (ARGV[5] or expiresAt) .. ' ' .. ARGV[4]
if ARGV[6] then
  redis.call('SET', KEYS[1], entry, 'PX', ARGV[6])
elseif ARGV[5] then
  redis.call('SET', KEYS[1], entry)
else
  redis.call('SET', KEYS[1], entry, 'KEEPTTL')
end
return 1`,
};

/** The scripts, by their digest. */
export const SCRIPTS: ReadonlyMap<string, Script> = new Map(
  [TOUCH, REPLACE].map((script) => [script.digest, script]),
);

/** A stamp that no other write has, of this process or of another. */
export function makeStamp(): string {
  return FORMAT + crypto.randomUUID();
}

/** The value as it is sent. */
export function packValue(value: unknown): string {
  return encodeValue(value) + END;
}

/** Makes the command that stores a packed value. */
export function setCommand(
  key: string,
  packed: string,
  now: number,
  ttl: number,
): Command {
  const entry = `${makeStamp()} ${toTime(now + ttl)} ${packed}`;
  return ttl === Infinity
    ? ["SET", key, entry]
    : ["SET", key, entry, "PX", `${ttl}`];
}

/** Makes the command that moves the deadline of a live entry. */
export function touchCommand(key: string, now: number, ttl: number): Command {
  const args = [toTime(now), ...toLife(now, ttl)];
  return ["EVALSHA", TOUCH.digest, "1", key, ...args];
}

/**
 * Makes the command that stores a packed value under a new stamp in place of an
 * entry, or of none. Without a ttl, the deadline stays.
 */
export function replaceCommand(
  key: string,
  old: RedisEntry | undefined,
  stamp: string,
  packed: string,
  now: number,
  ttl: number | undefined,
): Command {
  const life = ttl === undefined ? [] : toLife(now, ttl);
  const args = [toTime(now), old?.stamp ?? "", stamp, packed, ...life];
  return ["EVALSHA", REPLACE.digest, "1", key, ...args];
}

/** Makes the command that reads as much of an entry as `has` needs. */
export function headCommand(key: string): Command {
  return ["GETRANGE", key, "0", `${HEAD_SIZE - 1}`];
}

function toTime(time: number): string {
  return time === Infinity ? NEVER : `${time}`.padStart(NEVER.length, "0");
}

function toLife(now: number, ttl: number): string[] {
  const deadline = toTime(now + ttl);
  return ttl === Infinity ? [deadline] : [deadline, `${ttl}`];
}

/**
 * Reads the reply to `GET`.
 *
 * @returns `undefined` when there is no entry.
 *
 * @throws {CorruptEntryError} If it was not stored by this package.
 */
export function readEntry(
  action: string,
  reply: unknown,
): RedisEntry | undefined {
  if (reply === null) return undefined;
  const string = checkString(action, reply);
  const head = readHead(action, string);
  if (!string.endsWith(END)) throw new CorruptEntryError(action);
  return { ...head, text: string.slice(HEAD_SIZE, -END.length) };
}

/**
 * Reads the reply to {@linkcode headCommand}, to which an empty string is no
 * entry.
 *
 * @returns When the entry expires; in the past when there is none.
 *
 * @throws {CorruptEntryError} If it was not stored by this package.
 */
export function readDeadline(action: string, reply: unknown): number {
  const head = checkString(action, reply);
  return head === "" ? -Infinity : readHead(action, head).expiresAt;
}

/**
 * Reads the reply to {@linkcode touchCommand}.
 *
 * @returns Whether there was a live entry.
 *
 * @throws {CorruptEntryError} If it was not stored by this package.
 */
export function readTouched(action: string, reply: unknown): boolean {
  if (Number(reply) === -1) throw new CorruptEntryError(action);
  return Number(reply) === 1; // a client may reply with strings
}

/** Without a regular expression for the whole, which would be half the cost. */
function readHead(
  action: string,
  string: string,
): Pick<RedisEntry, "stamp" | "expiresAt"> {
  const deadline = string.slice(DEADLINE_AT, HEAD_SIZE - 1);
  if (
    !string.startsWith(FORMAT) || string[DEADLINE_AT - 1] !== " " ||
    string[HEAD_SIZE - 1] !== " " || !TIME.test(deadline)
  ) throw new CorruptEntryError(action);
  return { stamp: string.slice(0, DEADLINE_AT - 1), expiresAt: +deadline };
}

/**
 * Reads the value of an entry. It is new each time.
 *
 * @throws {CorruptEntryError} If it cannot be read.
 */
export function readValue(action: string, { text }: RedisEntry): unknown {
  try {
    return decodeValue(text);
  } catch (cause) {
    throw new CorruptEntryError(action, { cause });
  }
}

function checkString(action: string, reply: unknown): string {
  if (typeof reply === "string") return reply;
  throw new StoreError(
    `Cannot ${action}: client must reply with strings: received ${
      kindOf(reply)
    }`,
    "not applied",
  );
}
