/**
 * Commands to Redis, each within a time limit, and what their failures mean.
 *
 * @module
 */

import type { Command, Connection, Send } from "./_redis_client.ts";
import { RedisSender } from "./_redis_sender.ts";
import { StoreError, type StoreOutcome, StoreTimeoutError } from "./store.ts";
import { LATE, TimeLimit } from "./_time_limit.ts";

/** An error reply begins with its code: `OOM command not allowed …`. */
const ERROR_REPLY = /^([A-Z]{2,}) /;

/** What some error replies repeat of the command: keys and values. */
const ARGUMENTS = /, with args beginning with.*$/s;

/** How many keys a step of a scan looks at. */
const SCAN_COUNT = "1000";

/** What a command is for, and what its failure means. */
export interface Call {
  /** What the caller wants: `"set entry"`. */
  action: string;
  /** What a command without a reply has done. */
  lost: StoreOutcome;
  /** What there is when Redis refuses a command. @default {"not applied"} */
  refused?: StoreOutcome;
}

/** Sends the commands of one store. */
export class RedisCalls {
  /** In milliseconds, as a timer can wait, or `Infinity`. */
  readonly timeout: number;
  readonly #connection: Connection;
  readonly #sender: RedisSender;
  readonly #limit = new TimeLimit();

  constructor(connection: Connection, timeout: number) {
    this.#connection = connection;
    this.#sender = new RedisSender(connection);
    this.timeout = timeout;
  }

  /**
   * Sends a command, see {@linkcode RedisSender}.
   *
   * @throws {StoreError} If Redis refuses it or the connection fails.
   * @throws {StoreTimeoutError} If no reply comes in time.
   */
  send(
    call: Call,
    key: string,
    command: Command,
    timeout: number = this.timeout,
  ): Promise<unknown> {
    return this.#wait(call, this.#sender.send(key, command), timeout);
  }

  /** Sends a command to each server, and resolves to the replies. */
  async askAll(call: Call, command: Command): Promise<unknown[]> {
    const servers = await this.#findServers(call);
    return await Promise.all(
      servers.map((send) => this.#wait(call, send(command))),
    );
  }

  /** Yields the keys that match a pattern; a key may come more than once. */
  async *scan(call: Call, pattern: string): AsyncGenerator<string[]> {
    for (const send of await this.#findServers(call)) {
      let cursor = "0";
      do {
        const range = ["MATCH", pattern, "COUNT", SCAN_COUNT];
        const reply = await this.#wait(call, send(["SCAN", cursor, ...range]));
        // That is what SCAN replies, see the documentation of Redis.
        const [next, keys] = reply as [string, string[]];
        yield keys;
        cursor = next;
      } while (cursor !== "0");
    }
  }

  #findServers(call: Call): Promise<Send[]> {
    return this.#wait(call, this.#connection.servers());
  }

  #wait<T>(
    call: Call,
    reply: Promise<T>,
    timeout: number = this.timeout,
  ): Promise<T> {
    const toError = (cause: unknown): StoreError =>
      cause === LATE
        ? new StoreTimeoutError(call.action, this.timeout, call.lost)
        : toStoreError(call, cause);
    return timeout === Infinity
      ? reply.catch((cause) => {
        throw toError(cause);
      })
      : this.#limit.run(timeout, reply, toError);
  }
}

/** An error reply says that the command has done nothing. */
function toStoreError(call: Call, cause: unknown): StoreError {
  const { action, lost, refused = "not applied" } = call;
  const message = cause instanceof Error ? cause.message : "";
  const code = ERROR_REPLY.exec(message)?.[1];
  if (code === undefined) {
    const rule = "the connection to Redis has failed";
    return new StoreError(`Cannot ${action}: ${rule}`, lost, { cause });
  }
  // Not the client's own error, to which ioredis adds the whole command.
  return new StoreError(
    `Cannot ${action}: Redis has refused it: ${code}`,
    refused,
    { cause: new Error(message.replace(ARGUMENTS, "")) },
  );
}
