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
  readonly givenUp: boolean;
}

/** A task, and how its caller is told. The jobs of one key are a linked list. */
interface Job extends Run {
  givenUp: boolean;
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
  /** The job that has a timer, or gets one if it takes longer. */
  watched: Job | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * How many turns of the microtask queue a run may take before it gets a timer,
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
   */
  run<T>(key: string, start: (run: Run) => T | PromiseLike<T>): T | Promise<T> {
    if (this.#starting.includes(key) || this.#lanes.has(key)) {
      return new Promise<T>((resolve, reject) => {
        const job = { givenUp: false, next: undefined, start, resolve, reject };
        const lane = this.#lane(key);
        if (lane.last === undefined) lane.first = job;
        else lane.last.next = job;
        lane.last = job;
        this.#watch(key, lane);
      });
    }
    const run = { givenUp: false };
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
    const awaited = result;
    return new Promise<T>((resolve, reject) => {
      const job = Object.assign(run, {
        next: undefined,
        start,
        resolve,
        reject,
      });
      this.#follow(key, this.#lane(key), job, awaited);
    });
  }

  /** Rejects what runs and what waits, of all keys. */
  giveUp(toError: () => Error): void {
    for (const [key, lane] of this.#lanes) this.#end(key, lane, toError);
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = {
        running: undefined,
        first: undefined,
        last: undefined,
        watched: undefined,
        timer: undefined,
      };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** Starts those that came while a task of their key was on the stack. */
  #leave(key: string): void {
    const lane = this.#lanes.get(key);
    if (lane !== undefined) this.#next(key, lane);
  }

  #next(key: string, lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = lane.running = undefined;
    for (let job = lane.first; job !== undefined; job = lane.first) {
      lane.first = job.next;
      if (job.next === undefined) lane.last = undefined;
      try {
        const result = job.start(job);
        if (isThenable(result)) return this.#follow(key, lane, job, result);
        job.resolve(result);
      } catch (error) {
        job.reject(error);
      }
    }
    this.#lanes.delete(key);
  }

  #follow(
    key: string,
    lane: Lane,
    job: Job,
    result: PromiseLike<unknown>,
  ): void {
    lane.running = job;
    this.#watch(key, lane);
    Promise.resolve(result).then(job.resolve, job.reject).then(() => {
      if (!job.givenUp) this.#next(key, lane);
    });
  }

  /** Sees to it that those who wait do not wait for ever. */
  async #watch(key: string, lane: Lane): Promise<void> {
    const { running, first, watched } = lane;
    if (
      running === undefined || first === undefined || running === watched ||
      this.#timeout === Infinity
    ) return;
    lane.watched = running;
    for (let turn = 0; turn < TIMER_TURNS; turn++) {
      await null;
      if (lane.running !== running) return;
    }
    lane.timer = setTimeout(
      () => this.#end(key, lane, () => new UpdateTimeoutError(this.#timeout)),
      this.#timeout,
    );
  }

  #end(key: string, lane: Lane, toError: () => Error): void {
    const { running, first, timer } = lane;
    clearTimeout(timer);
    lane.running = undefined;
    this.#lanes.delete(key);
    const reject = (job: Job): void => {
      job.givenUp = true;
      job.reject(toError());
    };
    if (running !== undefined) reject(running);
    for (let job = first; job !== undefined; job = job.next) reject(job);
  }
}
