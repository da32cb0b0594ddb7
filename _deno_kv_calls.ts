/**
 * The calls of one store to Deno KV: their order, their bounds, their errors.
 *
 * `Deno.Kv` on a file answers in call order, `npm:@deno/kv` on Node does not,
 * and a remote database cannot. So calls of one key are put in order here:
 * reads run beside each other, a write alone.
 *
 * @module
 */

import { StoreError, type StoreOutcome, StoreTimeoutError } from "./store.ts";

/** What a call asks of the engine. */
type Task<T> = (call: Call) => Promise<T>;

/** What later calls of a key have to wait for. None of these rejects. */
interface Lane {
  /** Settles with the last write. */
  write: Promise<unknown> | undefined;
  /** Settles with all calls so far. */
  all: Promise<unknown>;
}

/**
 * The longest wait before a request is sent again to a busy file, in
 * milliseconds. Waits are random, so that processes do not meet again and
 * again, below a bound that doubles from 1 to this.
 */
const MAX_PAUSE = 32;

/** Runs calls in order, each within a time limit. */
export class KvCalls {
  readonly #timeout: number;
  #lanes = new Map<string, Lane>();
  /** Settles with the last call that waits for all keys. Does not reject. */
  #barrier: Promise<void> | undefined;

  /** @param timeout In milliseconds, as a timer can wait, or `Infinity`. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Runs a call that waits for the writes of its key called before. */
  read<T>(action: string, key: string, task: Task<T>): Promise<T> {
    const lane = this.#lanes.get(key);
    const write = lane?.write ?? this.#barrier;
    const call = this.#start(action, write, task);
    this.#enter(key, write, Promise.allSettled([lane?.all, call]));
    return call;
  }

  /** Runs a call that waits for all of its key called before. */
  write<T>(action: string, key: string, task: Task<T>): Promise<T> {
    const before = this.#lanes.get(key)?.all ?? this.#barrier;
    const call = this.#start(action, before, task);
    const done = call.then(ignore, ignore);
    this.#enter(key, done, done);
    return call;
  }

  /** Runs a call that waits for all called before, and later ones for it. */
  writeAll<T>(action: string, task: Task<T>): Promise<T> {
    const call = this.#start(action, this.settled(), task, true);
    const barrier = call.then(ignore, ignore).then(() => {
      if (this.#barrier === barrier) this.#barrier = undefined;
    });
    this.#barrier = barrier;
    this.#lanes = new Map();
    return call;
  }

  /** Resolves when all calls so far are over. */
  async settled(): Promise<void> {
    await Promise.all([
      this.#barrier,
      ...[...this.#lanes.values()].map(({ all }) => all),
    ]);
  }

  #enter(
    key: string,
    write: Promise<unknown> | undefined,
    all: Promise<unknown>,
  ): void {
    const lane = { write, all };
    this.#lanes.set(key, lane);
    all.then(() => {
      if (this.#lanes.get(key) === lane) this.#lanes.delete(key);
    });
  }

  #start<T>(
    action: string,
    before: Promise<unknown> | undefined,
    task: Task<T>,
    waitsForAll = this.#barrier !== undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = new Call(action, this.#timeout, reject);
      const run = async (): Promise<void> => {
        if (waitsForAll) call.renew();
        try {
          resolve(await task(call));
        } catch (error) {
          reject(error);
        }
        call.end();
      };
      if (!waitsForAll) call.renew();
      if (before === undefined) run();
      else before.then(run);
    });
  }
}

function ignore(): void {}

/** One call: its requests, its time, and what is known of its effect. */
class Call {
  readonly #action: string;
  readonly #timeout: number;
  readonly #reject: (error: Error) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #outcome: StoreOutcome = "not applied";
  /** The caller was told that it failed: nothing more may be sent. */
  #isOver = false;

  constructor(
    action: string,
    timeout: number,
    reject: (error: Error) => void,
  ) {
    this.#action = action;
    this.#timeout = timeout;
    this.#reject = reject;
  }

  /** Gives the call its whole time, counted from now. */
  renew(): void {
    this.end();
    if (this.#timeout === Infinity || this.#isOver) return;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#reject(
        new StoreTimeoutError(this.#action, this.#timeout, this.#outcome),
      );
    }, this.#timeout);
  }

  /** Stops the time. */
  end(): void {
    clearTimeout(this.#timer);
  }

  /** Sends a request that changes nothing. */
  async read<T>(request: () => Promise<T>): Promise<T> {
    return await this.#send(request, this.#outcome);
  }

  /** Sends a request that changes something. */
  async write<T>(request: () => Promise<T>): Promise<T> {
    return await this.#send(request, "unknown");
  }

  async #send<T>(
    request: () => Promise<T>,
    outcome: StoreOutcome,
  ): Promise<T> {
    for (let bound = 1;; bound = Math.min(2 * bound, MAX_PAUSE)) {
      if (this.#isOver) throw this.#failure();
      const before = this.#outcome;
      this.#outcome = outcome;
      try {
        return await request();
      } catch (cause) {
        if (isBusy(cause) || isClosed(cause)) this.#outcome = before;
        if (!isBusy(cause)) throw this.#failure({ cause });
      }
      await new Promise((resolve) =>
        setTimeout(resolve, Math.random() * bound)
      );
    }
  }

  #failure(options?: ErrorOptions): StoreError {
    const message = `Cannot ${this.#action}: Deno KV has failed`;
    return new StoreError(message, this.#outcome, options);
  }
}

/**
 * SQLite gives up a transaction when another process holds the file, and rolls
 * it back: the request has done nothing and can be sent again.
 */
function isBusy(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}

/** The handle was closed before the request was made. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && error.name === "BadResource";
}
