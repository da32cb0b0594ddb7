/**
 * A bound for many calls at a time that needs one timer. One for each call
 * would cost more than the rest of what a store does for it.
 *
 * @module
 */

/** In place of the error of a call: it has taken too long. */
export const LATE = Symbol("late");

/** A link of a ring. A `Set` would do, but makes more work for the collector. */
interface Link {
  previous: Link;
  next: Link;
}

/** A call that has not ended. */
interface Call extends Link {
  /** On the clock of `performance.now()`. */
  readonly endsAt: number;
  toError(cause: unknown): Error;
  reject(error: Error): void;
}

/**
 * How many turns of the microtask queue the timer outlives the last call. Who
 * makes one call after the other has made the next one by then.
 */
const IDLE_TURNS = 8;

/** Ends the wait for calls that take too long. Has no timer without calls. */
export class TimeLimit {
  readonly #ring: Link = makeRing();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;
  #isStopping = false;

  /**
   * Waits for a call.
   *
   * @param timeout How long it may take from now, in milliseconds: what a timer
   * can wait.
   * @param call What has begun.
   * @param toError Makes the error that the caller gets, out of the one of the
   * call, or out of {@linkcode LATE}.
   */
  run<T>(
    timeout: number,
    call: Promise<T>,
    toError: (cause: unknown) => Error,
  ): Promise<T> {
    // All in one promise: each more would be a turn more to wait.
    return new Promise((resolve, reject) => {
      const endsAt = performance.now() + timeout;
      const next = this.#ring;
      const { previous } = next;
      const link: Call = { previous, next, endsAt, toError, reject };
      previous.next = next.previous = link;
      call.then(
        (value) => {
          this.#remove(link);
          resolve(value);
        },
        (cause) => {
          this.#remove(link);
          reject(toError(cause));
        },
      );
      if (endsAt < this.#firesAt) this.#watch(endsAt, timeout);
    });
  }

  #watch(endsAt: number, wait: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = endsAt;
    // Timers drop a fraction, and would fire too early.
    this.#timer = setTimeout(() => this.#fire(), Math.ceil(wait));
  }

  #fire(): void {
    // The timer knows better: its clock may be a fake one.
    const now = Math.max(this.#firesAt, performance.now());
    this.#firesAt = Infinity;
    let nextEndsAt = Infinity;
    let link = this.#ring.next;
    while (link !== this.#ring) {
      const call = link as Call; // all are but the one where the ring begins
      const { next } = link;
      if (call.endsAt > now) {
        nextEndsAt = Math.min(nextEndsAt, call.endsAt);
      } else {
        this.#remove(call);
        call.reject(call.toError(LATE));
      }
      link = next;
    }
    if (nextEndsAt !== Infinity) this.#watch(nextEndsAt, nextEndsAt - now);
  }

  /** A link that was removed is a ring of its own: to do it again is harmless. */
  #remove(link: Link): void {
    link.previous.next = link.next;
    link.next.previous = link.previous;
    link.previous = link.next = link;
    if (this.#ring.next === this.#ring && !this.#isStopping) this.#stop();
  }

  async #stop(): Promise<void> {
    this.#isStopping = true;
    for (let turn = 0; turn < IDLE_TURNS; turn++) await null;
    this.#isStopping = false;
    if (this.#ring.next !== this.#ring) return;
    clearTimeout(this.#timer);
    this.#firesAt = Infinity;
  }
}

function makeRing(): Link {
  const ring = {} as Link; // is one below
  return ring.previous = ring.next = ring;
}
