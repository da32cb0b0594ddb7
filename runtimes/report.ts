/**
 * What the tests did, in words and numbers.
 *
 * @module
 */

import type { TestResult } from "./run.ts";

/** How many tests passed, failed and were skipped. */
export interface Counts {
  /** How many did what they say. */
  passed: number;
  /** How many did not. */
  failed: number;
  /** How many did not run. */
  skipped: number;
}

/** Counts results by their outcome. */
export function countResults(results: readonly TestResult[]): Counts {
  const count = (wanted: TestResult["outcome"]): number =>
    results.filter(({ outcome }) => outcome === wanted).length;
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
}

/**
 * Fails results that are fewer or more than the tests that Deno has seen, so
 * that no test vanishes without a word.
 */
export function checkCount(
  results: readonly TestResult[],
  expected: number,
): TestResult[] {
  if (results.length === expected) return [...results];
  if (results.some(({ outcome }) => outcome === "failed")) return [...results];
  const detail =
    `Deno has ${expected} tests in this file, and here are ${results.length}`;
  const name = "as many tests as on Deno";
  return [...results, { name, outcome: "failed", detail }];
}

/** The failures, and why. */
export function describeFailures(results: readonly TestResult[]): string {
  return results.filter(({ outcome }) => outcome === "failed")
    .map(({ name, detail }) => `not ok: ${name}\n${detail}\n`).join("\n");
}

/** `3 passed, 0 failed, 1 skipped`. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** A cell of the table: only what is not zero. */
export function formatCell({ passed, failed, skipped }: Counts): string {
  return [
    `${passed}`,
    failed > 0 ? `${failed} failed` : "",
    skipped > 0 ? `${skipped} skipped` : "",
  ].filter((part) => part !== "").join(", ");
}

/** A table in Markdown, numbers to the right. */
export function makeTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const rule = titles.map((_, i) => i === 0 ? "---" : "---:");
  return [titles, rule, ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
