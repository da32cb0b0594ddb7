/**
 * The entries of one store in Redis: those under its prefix.
 *
 * @module
 */

import type { Call, RedisCalls } from "./_redis_calls.ts";
import type { Command } from "./_redis_client.ts";
import {
  headCommand,
  makeStamp,
  readEntry,
  type RedisEntry,
  replaceCommand,
  setCommand,
  touchCommand,
} from "./_redis_entry.ts";
import { StoreError, StoreTimeoutError } from "./store.ts";

/** A `clear` that has begun and not ended. */
interface Clearing {
  readonly call: Call;
  /** The keys in Redis that it is done with, and will not touch again. */
  readonly places: Set<string>;
  /** The removals in flight. They resolve to what has failed. */
  readonly unlinks: Promise<unknown>[];
}

/** Reads and writes entries: one command each, sent at the call. */
export class RedisTable {
  readonly #calls: RedisCalls;
  readonly #prefix: string;
  readonly #clearings = new Set<Clearing>();

  constructor(calls: RedisCalls, prefix: string) {
    this.#calls = calls;
    this.#prefix = prefix;
  }

  /** Reads an entry; the reply is for {@linkcode readEntry}. */
  get(action: string, key: string, timeout?: number): Promise<unknown> {
    const place = this.#prefix + key;
    const call: Call = { action, lost: "not applied" };
    return this.#send(call, place, ["GET", place], timeout);
  }

  /** Reads the head of one; the reply is for {@linkcode readDeadline}. */
  getHead(action: string, key: string): Promise<unknown> {
    const place = this.#prefix + key;
    const call: Call = { action, lost: "not applied" };
    return this.#send(call, place, headCommand(place));
  }

  /** Stores a packed value. */
  set(
    action: string,
    key: string,
    packed: string,
    now: number,
    ttl: number,
  ): Promise<unknown> {
    const place = this.#prefix + key;
    const command = setCommand(place, packed, now, ttl);
    return this.#send({ action, lost: "unknown" }, place, command);
  }

  /** Moves a deadline; the reply is for {@linkcode readTouched}. */
  touch(
    action: string,
    key: string,
    now: number,
    ttl: number,
  ): Promise<unknown> {
    const place = this.#prefix + key;
    const command = touchCommand(place, now, ttl);
    return this.#send({ action, lost: "unknown" }, place, command);
  }

  /** Removes an entry. */
  delete(action: string, key: string): Promise<unknown> {
    const place = this.#prefix + key;
    return this.#send({ action, lost: "unknown" }, place, ["UNLINK", place]);
  }

  /**
   * Stores a packed value in place of what was found, be it nothing. Without a
   * ttl, the deadline stays.
   *
   * @returns Whether it was stored; else the entry has changed.
   */
  async replace(
    action: string,
    key: string,
    found: RedisEntry | undefined,
    packed: string,
    now: number,
    ttl: number | undefined,
  ): Promise<boolean> {
    const place = this.#prefix + key;
    const stamp = makeStamp();
    const command = replaceCommand(place, found, stamp, packed, now, ttl);
    const endsAt = performance.now() + this.#calls.timeout;
    const timeLeft = (): number => endsAt - performance.now();
    const send = async (): Promise<boolean> => {
      const call: Call = { action, lost: "unknown" };
      return Number(await this.#send(call, place, command, timeLeft())) === 1;
    };
    try {
      return await send();
    } catch (error) {
      if (!isLost(error)) throw error;
      const find = async () =>
        readEntry(action, await this.get(action, key, timeLeft()));
      if (await recover(found, stamp, find, send)) return true;
      throw error;
    }
  }

  /**
   * Removes all entries that are there at the call. Commands for other entries
   * do not wait until it is their turn: what is sent for a key meanwhile comes
   * behind its removal, and what it stores is not removed.
   */
  async clear(action: string): Promise<void> {
    const call: Call = { action, lost: "not applied" };
    const clearing: Clearing = { call, places: new Set(), unlinks: [] };
    this.#clearings.add(clearing);
    try {
      const pattern = `${this.#prefix.replace(/[*?[\]\\]/g, "\\$&")}*`;
      for await (const places of this.#calls.scan(call, pattern)) {
        for (const place of places) this.#unlink(clearing, place);
        await settle(clearing);
      }
      await settle(clearing);
    } finally {
      this.#clearings.delete(clearing);
    }
  }

  /** Makes sure that no server evicts entries. */
  async check(action: string): Promise<void> {
    const call: Call = { action, lost: "not applied" };
    for (const info of await this.#calls.askAll(call, ["INFO", "memory"])) {
      const [, policy] = /^maxmemory_policy:(\S+)/m.exec(`${info}`) ?? [];
      if (policy === "noeviction") continue;
      throw new StoreError(
        `Cannot ${action}: maxmemory-policy of Redis must be noeviction: received ${policy}`,
        "not applied",
      );
    }
  }

  #send(
    call: Call,
    place: string,
    command: Command,
    timeout?: number,
  ): Promise<unknown> {
    for (const clearing of this.#clearings) this.#unlink(clearing, place);
    return this.#calls.send(call, place, command, timeout);
  }

  /** Removes an entry for a clearing, once. */
  #unlink({ call, places, unlinks }: Clearing, place: string): void {
    if (places.has(place)) return;
    places.add(place);
    call.lost = call.refused = "unknown"; // from now on, it is half done
    const unlink = this.#calls.send(call, place, ["UNLINK", place]);
    unlinks.push(unlink.then(() => undefined, (error) => error));
  }
}

/** Waits for what a clearing has sent so far. */
async function settle({ unlinks }: Clearing): Promise<void> {
  const failures = await Promise.all(unlinks.splice(0));
  const failure = failures.find((error) => error !== undefined);
  if (failure !== undefined) throw failure;
}

/**
 * Finds out what has become of a write whose reply was lost. If what it was to
 * replace is still there, it is sent again: a stamp never comes back, so only
 * one of the two can be applied. If it was to make an entry, it is not: the
 * first one may come late, when the entry of the second was deleted, and would
 * bring it back.
 *
 * @returns Whether it was applied; `false` when that stays unknown.
 */
async function recover(
  found: RedisEntry | undefined,
  stamp: string,
  find: () => Promise<RedisEntry | undefined>,
  send: () => Promise<boolean>,
): Promise<boolean> {
  for (;;) {
    let entry: RedisEntry | undefined;
    try {
      entry = await find();
    } catch {
      return false; // what is thrown is that the write was lost
    }
    if (entry?.stamp === stamp) return true;
    if (found === undefined || entry?.stamp !== found.stamp) return false;
    try {
      return await send();
    } catch (error) {
      if (!isLost(error)) return false;
    }
  }
}

/** Whether the connection was lost before the reply to a write had come. */
function isLost(error: unknown): boolean {
  return error instanceof StoreError && error.outcome === "unknown" &&
    !(error instanceof StoreTimeoutError);
}
