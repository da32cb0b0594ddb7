/**
 * Stands in for `Deno` in test files that run on another runtime.
 *
 * It brings its own runner rather than use `node:test`: that one watches every
 * promise, which makes the tests of a store take three times as long on Node
 * 20, and workers and pages have none.
 *
 * @module
 */

import { inspect } from "node:util";
import {
  type DenoForTests,
  makeDeno,
  type TestDefinition,
} from "./definition.ts";
import { runTests, type TestResult } from "./run.ts";
import type { Skips } from "./skips.ts";

const tests: Required<TestDefinition>[] = [];

/** Notes each test for {@linkcode run}. */
export const Deno: DenoForTests = makeDeno(
  (test) => tests.push(test),
  (value) => inspect(value, { depth: 20, sorted: true }),
);

/**
 * Runs the tests noted so far.
 *
 * @param skips Those that cannot run here.
 */
export function run(skips: Skips): Promise<TestResult[]> {
  return runTests(tests, { skips });
}
