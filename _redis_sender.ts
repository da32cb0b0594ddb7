/**
 * Sends scripts by their digest, and by their text to a server that does not
 * know them: one that was started anew or told to forget them, or another one
 * of a cluster.
 *
 * @module
 */

import type { Command, Connection } from "./_redis_client.ts";
import { type Script, SCRIPTS } from "./_redis_entry.ts";

/** Sends the commands of one store: those for one key in call order. */
export class RedisSender {
  readonly #connection: Connection;
  /**
   * What was called for a key since a script was sent that keeps the order and
   * may have to be sent again.
   */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Sends a command: at once, unless such a script is in flight. */
  send(key: string, command: Command): Promise<unknown> {
    // An empty map is not asked: for that, the key would have to be hashed.
    const waiting = this.#waiting.size > 0 && this.#waiting.get(key);
    if (waiting) {
      return new Promise((resolve) => {
        waiting.push(() => resolve(this.#send(key, toText(command))));
      });
    }
    const script = scriptOf(command);
    if (script === undefined) return this.#send(key, command);
    if (script.keepsOrder) this.#waiting.set(key, []);
    return this.#send(key, command).then(
      (reply) => {
        if (script.keepsOrder) this.#release(key);
        return reply;
      },
      (error) => {
        const reply = isUnknownScript(error)
          ? this.#send(key, toText(command))
          : Promise.reject(error);
        // What waits is sent behind it, not behind its reply.
        if (script.keepsOrder) this.#release(key);
        return reply;
      },
    );
  }

  #release(key: string): void {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    for (const send of waiting) send();
  }

  /** A client may throw instead of reject. */
  #send(key: string, command: Command): Promise<unknown> {
    try {
      return this.#connection.send(key, command);
    } catch (cause) {
      return Promise.reject(cause);
    }
  }
}

function scriptOf(command: Command): Script | undefined {
  if (command[0] !== "EVALSHA") return undefined;
  return SCRIPTS.get(command[1] ?? "");
}

/** The command as every server understands it. */
function toText(command: Command): Command {
  const text = scriptOf(command)?.text;
  return text === undefined ? command : ["EVAL", text, ...command.slice(2)];
}

/** Whether a server has not run a script because it does not know it. */
function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT ");
}
