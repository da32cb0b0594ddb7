/**
 * The contract of a store as tests: {@linkcode testStore} checks each rule of
 * {@linkcode AtomicStore}, or of the part a store supports, under any test
 * runner. Written for those who write a store of their own.
 *
 * @example Test a store of three methods
 * ```ts
 * import { testStore } from "@harpia/memory-store/store-conformance";
 * import type { Store } from "@harpia/memory-store/store";
 *
 * class JsonStore implements Store {
 *   #texts = new Map<string, string>();
 *   async get(key: string): Promise<unknown> {
 *     const text = await Promise.resolve(this.#texts.get(key));
 *     return text === undefined ? undefined : JSON.parse(text);
 *   }
 *   async set(key: string, value: unknown): Promise<void> {
 *     await Promise.resolve(this.#texts.set(key, JSON.stringify(value)));
 *   }
 *   async delete(key: string): Promise<void> {
 *     await Promise.resolve(this.#texts.delete(key));
 *   }
 * }
 *
 * const runs: Promise<void>[] = [];
 *
 * testStore("JsonStore", {
 *   test: (_name, fn) => runs.push(fn()), // or Deno.test, or that of node:test
 *   open: () => ({
 *     store: new JsonStore(),
 *     [Symbol.asyncDispose]: () => Promise.resolve(),
 *   }),
 *   supports: ["copies", "order"],
 * });
 *
 * await Promise.all(runs);
 * ```
 *
 * @module
 */

import { checkType } from "./_argument.ts";
import { COPY_RULES } from "./_conformance_copies.ts";
import { KEY_RULES } from "./_conformance_keys.ts";
import { LIFE_RULES } from "./_conformance_life.ts";
import {
  resolveOptions,
  type StoreFixture,
  type StoreTestOptions,
} from "./_conformance_options.ts";
import { RACE_RULES } from "./_conformance_race.ts";
import { runRule, selectRules } from "./_conformance_run.ts";
import { TIME_RULES } from "./_conformance_time.ts";
import { TTL_RULES } from "./_conformance_ttl.ts";
import { UPDATE_RULES } from "./_conformance_update.ts";
import { VALUE_RULES } from "./_conformance_values.ts";

export {
  STORE_FEATURES,
  type StoreFeature,
  type StoreFixture,
  type StoreTestOptions,
} from "./_conformance_options.ts";
export type { Store } from "./store.ts";

const RULES = [
  KEY_RULES,
  VALUE_RULES,
  COPY_RULES,
  TTL_RULES,
  TIME_RULES,
  UPDATE_RULES,
  RACE_RULES,
  LIFE_RULES,
].flat();

/**
 * Registers a test for each rule that the store has to keep. Its name is that
 * of the store followed by the rule: `"MyStore.touch() never creates an entry"`.
 * Each test opens a fixture of its own, so they may run in any order.
 *
 * A test that fails says which rule is broken, what was expected, and what was
 * received.
 *
 * @typeParam F What `open` makes.
 *
 * @param name The name of the store.
 * @param options How to make a store, and what it supports.
 *
 * @throws {TypeError} If an option is unknown, missing or of the wrong kind.
 * @throws {RangeError} If a number among the options is out of its range.
 */
export function testStore<F extends StoreFixture>(
  name: string,
  options: StoreTestOptions<F>,
): void {
  const action = "test store";
  checkType(action, "name", name, "string");
  const resolved = resolveOptions(action, options);
  for (const rule of selectRules(RULES, resolved)) {
    resolved.test(`${name}${rule.name}`, () => runRule(name, rule, resolved));
  }
}
