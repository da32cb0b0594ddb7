/**
 * How a rule of the kit runs: on a store of its own, with a clock, and not for
 * ever.
 *
 * @module
 */

import { ConformanceError, expectSame, show } from "./_conformance_check.ts";
import type {
  ResolvedOptions,
  StoreFeature,
  StoreFixture,
} from "./_conformance_options.ts";
import type { AtomicStore, Store } from "./store.ts";

// As they are when the kit is loaded: a fixture may put a fake in their place.
const { setTimeout, clearTimeout } = globalThis;
const now = performance.now.bind(performance);

/** A short time for a fake clock, in milliseconds. */
const EXACT_UNIT = 1_000;

/** Short times for a real clock, the next one when the machine was too slow. */
const REAL_UNITS = [50, 250, 1_250];

/** How much later than its time a real timer is surely over, in milliseconds. */
const TIMER_MARGIN = 20;

/** A rule did not end in time. */
class NoAnswerError extends ConformanceError {}

/** What a store has to do, and how one sees whether it does. */
export interface Rule {
  /** Follows the name of the store: begins with a space, or names a method. */
  readonly name: string;
  /** What a store has to support so that the rule holds for it. */
  readonly needs: readonly StoreFeature[];
  /** The rule needs this option. */
  readonly option?: "exactTime" | "fail" | "updateTimeout";
  /** Fails with a {@linkcode ConformanceError}, or with what the store threw. */
  run(trial: Trial): Promise<void>;
}

/** Adds 1 to a number, or to nothing. */
export function increment(value: unknown): number {
  return (value as number | undefined ?? 0) + 1; // nothing else was stored
}

/** Does so when others could have got a word in. */
export async function incrementLater(value: unknown): Promise<number> {
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
  return increment(value);
}

/** One run of a rule. */
export class Trial {
  /** The store; a rule uses what it needs, no more. */
  readonly store: AtomicStore;
  /** What the store supports. */
  readonly supports: ReadonlySet<StoreFeature>;
  /**
   * A short time, in milliseconds. What is checked about a deadline is checked
   * at least so long before it.
   */
  readonly unit: number;
  /** See the option of that name. */
  readonly updateTimeout: number;
  readonly #options: ResolvedOptions;
  readonly #fixture: StoreFixture;
  readonly #started = now();
  #elapsed = 0;

  /** Starts the clock. */
  constructor(options: ResolvedOptions, fixture: StoreFixture, unit: number) {
    this.store = follow(fixture.store);
    this.supports = options.supports;
    this.updateTimeout = options.updateTimeout ?? 0; // where the rule needs it
    this.unit = unit;
    this.#options = options;
    this.#fixture = fixture;
  }

  /** Whether a fake clock shows how long it takes for something to expire. */
  get exactTime(): boolean {
    return this.#options.exactTime;
  }

  /** Whether the time it took may have been too much for what was checked. */
  get late(): boolean {
    return !this.exactTime && this.#elapsed > 0 &&
      now() - this.#started - this.#elapsed > this.unit / 2;
  }

  /** Lets time pass for the store. */
  async elapse(ms: number): Promise<void> {
    if (this.#fixture.elapse === undefined) {
      throw new TypeError(
        "Cannot test store: fixture must have elapse when the store supports ttl: received none",
      );
    }
    this.#elapsed += ms;
    await this.#fixture.elapse(ms);
  }

  /** Lets time pass until a deadline, `ms` from now, is over for sure. */
  async elapsePast(ms: number): Promise<void> {
    await this.elapse(ms + (this.exactTime ? this.unit : TIMER_MARGIN));
  }

  /** Lets the machine do other things for a moment. */
  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Makes the engine fail. */
  async fail(): Promise<AsyncDisposable> {
    if (this.#options.fail) return await this.#options.fail(this.#fixture);
    throw new TypeError("Cannot test store: fail must be given: received none");
  }

  /** One call of each method that takes a key. */
  calls(key: string): [method: string, call: () => Promise<unknown>][] {
    const { store, supports } = this;
    const calls: ReturnType<Trial["calls"]> = [
      ["get", () => store.get(key)],
      ["set", () => store.set(key, 1)],
      ["delete", () => store.delete(key)],
    ];
    if (supports.has("has")) calls.push(["has", () => store.has(key)]);
    if (supports.has("touch")) calls.push(["touch", () => store.touch(key)]);
    if (supports.has("update")) {
      calls.push(["update", () => store.update(key, () => 1)]);
    }
    return calls;
  }

  /** Checks what is stored. */
  async expectEntry(key: string, value: unknown, when: string): Promise<void> {
    expectSame(await this.store.get(key), value, `get ${when}`);
  }

  /** Checks that nothing is stored. `null` will do where it is no value. */
  async expectMiss(key: string, when: string): Promise<void> {
    const value = await this.store.get(key);
    if (value === null && !this.supports.has("values")) return;
    expectSame(value, undefined, `get ${when}`);
  }

  /** Checks that an entry has `ms` left, at least two units. */
  async expectEnd(key: string, value: unknown, ms: number): Promise<void> {
    await this.elapse(ms - this.unit);
    await this.expectEntry(key, value, "before its deadline");
    await this.elapsePast(this.unit);
    await this.expectMiss(key, "after its deadline");
  }
}

/**
 * The store, with a promise that nobody waits for any more being no unhandled
 * one: a rule that has failed leaves them behind.
 */
function follow(store: Store): AtomicStore {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]): unknown => {
        const result = Reflect.apply(method, target, args);
        if (result instanceof Promise) result.catch(() => {});
        return result;
      };
    },
  }) as AtomicStore; // as far as it supports; a rule says what it needs
}

/** The rules that a store has to keep. */
export function selectRules(
  rules: readonly Rule[],
  options: ResolvedOptions,
): Rule[] {
  return rules.filter(({ needs, option }) =>
    needs.every((feature) => options.supports.has(feature)) &&
    (option === undefined || Boolean(options[option]))
  );
}

/** @throws {ConformanceError} If the store breaks the rule. */
export async function runRule(
  name: string,
  rule: Rule,
  options: ResolvedOptions,
): Promise<void> {
  const units = options.exactTime ? [EXACT_UNIT] : REAL_UNITS;
  for (const [i, unit] of units.entries()) {
    const fixture = await options.open();
    const trial = new Trial(options, fixture, unit);
    try {
      return await within(options.timeout, rule.run(trial));
    } catch (error) {
      const isLast = i === units.length - 1;
      if (isLast || !trial.late || error instanceof NoAnswerError) {
        throw toConformanceError(`${name}${rule.name}`, error);
      }
    } finally {
      await fixture[Symbol.asyncDispose]();
    }
  }
}

function toConformanceError(title: string, error: unknown): Error {
  const reason = error instanceof ConformanceError
    ? error.message
    : `expected no failure: received ${show(error)}`;
  return new ConformanceError(`${title}: ${reason}`, { cause: error });
}

async function within<T>(timeout: number, work: Promise<T>): Promise<T> {
  if (timeout === Infinity) return await work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const error = new NoAnswerError(
      `expected an answer within ${timeout} ms: received none`,
    );
    timer = setTimeout(() => reject(error), timeout);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
