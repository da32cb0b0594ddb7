/**
 * Stands in for `@std/testing/time` where JSR does not answer: a clock that
 * stands still until a test moves it.
 *
 * Written here rather than on a package from npm because dates, long waits and
 * errors have to behave as they do under the real one: a fake date's prototype
 * is that of every other date, so a copied date equals the first; a timer of
 * 30 days fires after 30 days; and a callback that throws stops the clock at
 * its own time.
 *
 * @module
 */

import { delay } from "./async.ts";
import type { DelayOptions } from "./async.ts";

/** Thrown when time is faked twice, or restored twice. */
export class TimeError extends Error {
  /** Makes an error with this message. */
  constructor(message: string) {
    super(message);
    this.name = "TimeError";
  }
}

interface Timer {
  callback: () => void;
  due: number;
  interval: number | undefined;
}

const realTime = {
  Date,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
};
const realSignalTimeout = AbortSignal.timeout;

let faked: FakeTime | undefined;

function applyRealTime(): void {
  Object.assign(globalThis, realTime);
  AbortSignal.timeout = realSignalTimeout;
}

/**
 * Replaces `Date`, the timer functions and `AbortSignal.timeout()` until it is
 * restored, by `using` or by hand.
 */
export class FakeTime {
  readonly #start: number;
  #now: number;
  #lastId = 0;
  /** In the order they were set, which decides between equal times. */
  #timers = new Map<number, Timer>();

  /**
   * Stops the clock at this moment, in milliseconds since 1970 or as a date;
   * left out, at the present one.
   *
   * @throws {TimeError} If time is faked already
   * @throws {TypeError} If the start is not a valid time
   */
  constructor(start?: number | string | Date | null) {
    if (faked) throw new TimeError("Cannot fake time: it is faked already");
    const moment = typeof start === "string" ? Date.parse(start) : start;
    this.#start = Math.floor(Number(moment ?? Date.now()));
    if (Number.isNaN(this.#start)) {
      throw new TypeError(
        `Cannot fake time: start must be a valid time: received ${start}`,
      );
    }
    this.#now = this.#start;
    faked = this;
    this.#applyFakeTime();
  }

  /**
   * Goes back to real time.
   *
   * @throws {TimeError} If time is not faked
   */
  static restore(): void {
    if (!faked) throw new TimeError("Cannot restore time: it is not faked");
    faked.restore();
  }

  /** When the clock was stopped, in milliseconds since 1970. */
  get start(): number {
    return this.#start;
  }

  /**
   * The time on the clock, in milliseconds since 1970. Setting it runs, in
   * order, every timer that is due by then.
   *
   * @throws {RangeError} If it is set to an earlier time
   */
  get now(): number {
    return this.#now;
  }
  set now(value: number) {
    if (!(value >= this.#now)) {
      throw new RangeError(
        `Cannot set time: it must be ${this.#now} or later: received ${value}`,
      );
    }
    let next = this.#nextTimer();
    while (next && next[1].due <= value) {
      this.#fire(...next);
      next = this.#nextTimer();
    }
    // A callback may have moved the clock further.
    this.#now = Math.max(this.#now, value);
  }

  /** Resolves after this many milliseconds of real time. */
  delay(ms: number, options: DelayOptions = {}): Promise<void> {
    applyRealTime();
    try {
      return delay(ms, options);
    } finally {
      this.#applyFakeTime();
    }
  }

  /** Resolves when everything that waits for promises alone has run. */
  runMicrotasks(): Promise<void> {
    return this.delay(0);
  }

  /** Moves the clock by this many milliseconds, running what is due. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** Runs the pending microtasks, then moves the clock like `tick()`. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.now += ms;
  }

  /** Moves the clock to the next timer. Returns whether there was one. */
  next(): boolean {
    const next = this.#nextTimer();
    if (next) this.now = Math.max(this.#now, next[1].due);
    return next !== undefined;
  }

  /** Runs the pending microtasks, then moves the clock like `next()`. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Moves the clock until no timer is left, which an interval prevents. */
  runAll(): void {
    while (this.next());
  }

  /** Like `runAll()`, with the pending microtasks run before each timer. */
  async runAllAsync(): Promise<void> {
    while (await this.nextAsync());
  }

  /**
   * Goes back to real time. Timers that have not fired are forgotten.
   *
   * @throws {TimeError} If this has been done before
   */
  restore(): void {
    if (faked !== this) {
      throw new TimeError("Cannot restore time: it is restored already");
    }
    faked = undefined;
    applyRealTime();
  }

  /** Goes back to real time. */
  [Symbol.dispose](): void {
    this.restore();
  }

  #applyFakeTime(): void {
    const now = () => this.#now;
    const clear = (id?: unknown) => {
      if (typeof id === "number") this.#timers.delete(id);
    };
    Object.assign(globalThis, {
      // A proxy, so that a fake date is a date like any other.
      Date: new Proxy(realTime.Date, {
        construct: (target, args, newTarget) =>
          Reflect.construct(target, args.length ? args : [now()], newTarget),
        apply: (target) => new target(now()).toString(),
        get: (target, key, receiver) =>
          key === "now" ? now : Reflect.get(target, key, receiver),
      }),
      setTimeout: this.#setter(false),
      clearTimeout: clear,
      setInterval: this.#setter(true),
      clearInterval: clear,
    });
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      const timeUp = new DOMException("Signal timed out.", "TimeoutError");
      this.#add(() => controller.abort(timeUp), ms, false);
      return controller.signal;
    };
  }

  #setter(repeats: boolean) {
    return (
      callback: (...args: unknown[]) => void,
      ms?: number,
      ...args: unknown[]
    ): number => this.#add(() => callback(...args), ms, repeats);
  }

  #add(callback: () => void, ms: number | undefined, repeats: boolean): number {
    const wait = Math.max(repeats ? 1 : 0, Math.floor(Number(ms) || 0));
    const id = ++this.#lastId;
    const interval = repeats ? wait : undefined;
    this.#timers.set(id, { callback, due: this.#now + wait, interval });
    return id;
  }

  #nextTimer(): [number, Timer] | undefined {
    let next: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (next === undefined || entry[1].due < next[1].due) next = entry;
    }
    return next;
  }

  #fire(id: number, timer: Timer): void {
    const { callback, due, interval } = timer;
    this.#now = Math.max(this.#now, due);
    this.#timers.delete(id);
    if (interval !== undefined) {
      this.#timers.set(id, { ...timer, due: due + interval });
    }
    callback();
  }
}
