/**
 * Tasks that share a key run one after another, in call order; tasks of
 * different keys do not wait for each other.
 *
 * @module
 */

import { isThenable } from "./_argument.ts";
import { UpdateTimeoutError } from "./store.ts";

/** What a task can ask about its own run. */
export interface Run {
  /** The queue has gone on without it: it must not change anything any more. */
  givenUp: boolean;
}

/** A task, and how its caller is told. The jobs of one key are a linked list. */
interface Job {
  readonly run: Run;
  next: Job | undefined;
  start(run: Run): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What goes on with one key. */
interface Lane {
  /** Has something to wait for; the others wait for it. */
  running: Job | undefined;
  first: Job | undefined;
  last: Job | undefined;
  /** Since when the running job keeps others waiting, in epoch milliseconds. */
  since: number;
  /** Whether it has a timer, or gets one if it takes longer. */
  watched: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * How many turns of the microtask queue a run may take before there is a timer,
 * which costs more than most runs do.
 */
const TIMER_TURNS = 16;

/** Runs tasks by key. Holds nothing of a key when none of its tasks runs. */
export class KeyQueue {
  readonly #timeout: number;
  readonly #lanes = new Map<string, Lane>();
  /** The keys of the tasks that are on the stack now, outermost first. */
  readonly #starting: string[] = [];

  /**
   * @param timeout How long a run may keep others of its key waiting, in
   * milliseconds: at most 2^31 - 1, what a timer can wait, or `Infinity`. Then
   * the run and all that wait for it reject with {@linkcode UpdateTimeoutError}
   * and the key is free.
   */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /**
   * Runs a task: at once when its key is free. A task that comes alone and
   * waits for nothing costs neither a promise nor a lane.
   *
   * @param run What `start` is called with. With members that tell what to do,
   * one function can start all tasks, and no call has to make another.
   */
  run<R extends Run, T>(
    key: string,
    start: (run: R) => T | PromiseLike<T>,
    run: R,
  ): T | Promise<T> {
    if (this.#isBusy(key)) return this.#enqueue(key, start, run);
    let result: T | PromiseLike<T>;
    this.#starting.push(key);
    try {
      result = start(run);
    } catch (error) {
      this.#starting.pop();
      this.#leave(key);
      throw error;
    }
    this.#starting.pop();
    if (!isThenable(result)) {
      this.#leave(key);
      return result;
    }
    return this.#enqueue(key, start, run, result);
  }

  /** Rejects what runs and what waits, of all keys. */
  giveUp(toError: () => Error): void {
    for (const [key, lane] of this.#lanes) this.#end(key, lane, toError);
  }

  /** Looks at the lengths first, which saves half of the time (Node 20). */
  #isBusy(key: string): boolean {
    return this.#lanes.size > 0 && this.#lanes.has(key) ||
      this.#starting.length > 0 && this.#starting.includes(key);
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = {
        running: undefined,
        first: undefined,
        last: undefined,
        since: 0,
        watched: false,
        timer: undefined,
      };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /**
   * Makes a job of a task: of one that waits for its turn, or has been started
   * and waits for a result. No function made here costs those that do neither.
   */
  #enqueue<R extends Run, T>(
    key: string,
    start: (run: R) => T | PromiseLike<T>,
    run: R,
    result?: PromiseLike<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const job: Job = { run, next: undefined, start, resolve, reject };
      const lane = this.#lane(key);
      if (result !== undefined) return this.#follow(key, lane, job, result);
      if (lane.last === undefined) {
        lane.first = job;
        lane.since = Date.now();
      } else lane.last.next = job;
      lane.last = job;
      if (!lane.watched) this.#watch(key, lane);
    });
  }

  /** Starts those that came while a task of their key was on the stack. */
  #leave(key: string): void {
    if (this.#lanes.size === 0) return;
    const lane = this.#lanes.get(key);
    if (lane !== undefined) this.#next(key, lane);
  }

  #next(key: string, lane: Lane): void {
    lane.running = undefined;
    for (let job = lane.first; job !== undefined; job = lane.first) {
      lane.first = job.next;
      if (job.next === undefined) lane.last = undefined;
      try {
        const result = job.start(job.run);
        if (isThenable(result)) return this.#follow(key, lane, job, result);
        job.resolve(result);
      } catch (error) {
        job.reject(error);
      }
    }
    clearTimeout(lane.timer);
    this.#lanes.delete(key);
  }

  #follow(
    key: string,
    lane: Lane,
    job: Job,
    result: PromiseLike<unknown>,
  ): void {
    lane.running = job;
    if (lane.first !== undefined) {
      lane.since = Date.now();
      if (!lane.watched) this.#watch(key, lane);
    }
    Promise.resolve(result).then((value) => {
      job.resolve(value);
      if (!job.run.givenUp) this.#next(key, lane);
    }, (error) => {
      job.reject(error);
      if (!job.run.givenUp) this.#next(key, lane);
    });
  }

  /** Sees to it that those who wait do not wait for ever. */
  async #watch(key: string, lane: Lane): Promise<void> {
    if (this.#timeout === Infinity) return;
    lane.watched = true;
    let { running } = lane;
    for (let turn = 0; turn < TIMER_TURNS; turn++) {
      await null;
      if (lane.running === running) continue;
      ({ running } = lane);
      turn = 0;
    }
    if (this.#lanes.get(key) === lane) this.#setTimer(key, lane);
  }

  /** Gives the running job what is left of its time. */
  #setTimer(key: string, lane: Lane): void {
    const { running, since } = lane;
    // The wall clock may have been set back.
    const left = Math.min(since + this.#timeout - Date.now(), this.#timeout);
    lane.timer = setTimeout(() => {
      if (lane.first === undefined) lane.watched = false;
      else if (lane.running !== running) this.#setTimer(key, lane);
      else this.#end(key, lane, () => new UpdateTimeoutError(this.#timeout));
    }, left);
  }

  #end(key: string, lane: Lane, toError: () => Error): void {
    const { running, first, timer } = lane;
    clearTimeout(timer);
    lane.running = undefined;
    this.#lanes.delete(key);
    const reject = (job: Job): void => {
      job.run.givenUp = true;
      job.reject(toError());
    };
    if (running !== undefined) reject(running);
    for (let job = first; job !== undefined; job = job.next) reject(job);
  }
}
