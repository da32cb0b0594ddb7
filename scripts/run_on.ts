/**
 * Runs the test files on other runtimes than Deno.
 *
 * ```sh
 * deno run -A scripts/run_on.ts node
 * deno run -A scripts/run_on.ts bun session_test.ts
 * deno run -A scripts/run_on.ts all
 * ```
 *
 * The files are those of the project's folder that need no server, unless some
 * are named. Each runs unchanged, bundled with a stand-in for `Deno.test`, in a
 * process of its own. Deno says how many tests a file has; a runtime that has
 * seen fewer or more of them has failed.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { type Bundle, bundleTests, TEST_FLAGS } from "../runtimes/bundle.ts";
import { mapPool, mustRun, ROOT } from "../runtimes/command.ts";
import { findRuntime, type Runtime } from "../runtimes/launch.ts";
import {
  checkCount,
  countResults,
  describeFailures,
  formatCell,
  formatCounts,
  makeTable,
} from "../runtimes/report.ts";
import type { TestResult } from "../runtimes/run.ts";
import {
  DENO_ONLY,
  type RuntimeName,
  RUNTIMES,
  skipsFor,
} from "../runtimes/skips.ts";
import { mapPlaces, SourceMap } from "../runtimes/source_map.ts";

interface Job {
  runtime: Runtime;
  bundle: Bundle;
  /** How many tests the file has on Deno. */
  expected: number;
}

interface Done extends Job {
  results: TestResult[];
}

/**
 * Reads the command line: a runtime, or all, and the test files.
 *
 * @throws {RangeError} If there is no such runtime.
 */
export function readArgs(
  args: readonly string[],
): { names: RuntimeName[]; files: string[] } {
  const [first, ...files] = args;
  const names = RUNTIMES.filter((name) => first === "all" || first === name);
  if (names.length > 0) return { names, files };
  throw new RangeError(
    `Cannot run tests: runtime must be all, ${
      RUNTIMES.join(", ")
    }: received ${first}`,
  );
}

/**
 * The test files in the project's folder that need no server, large ones
 * first: they take longest, and the others fill the gaps.
 */
async function findTestFiles(): Promise<string[]> {
  const sizes = new Map<string, number>();
  for await (const { name } of Deno.readDir(ROOT)) {
    if (
      /_test\.ts$/.test(name) && !/_(e2e|integration)_test\.ts$/.test(name) &&
      !(name in DENO_ONLY)
    ) {
      sizes.set(name, (await Deno.stat(new URL(name, ROOT))).size);
    }
  }
  return [...sizes].sort(([, a], [, b]) => b - a).map(([name]) => name);
}

/** How many tests a file has, ignored ones included. */
async function countTests(file: string): Promise<number> {
  const args = ["test", "-A", ...TEST_FLAGS, "--filter=/^$/", file];
  const text = await mustRun(Deno.execPath(), args);
  const count = text.match(/(\d+) filtered out/)?.[1];
  if (count !== undefined) return Number(count);
  throw new Error(`Cannot count tests: deno must say how many: ${text}`);
}

async function runJob(job: Job): Promise<Done> {
  const { runtime, bundle, expected } = job;
  const started = performance.now();
  const skips = skipsFor(runtime.name, bundle.file);
  const results = checkCount(await runtime.run(bundle, skips), expected);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const counts = formatCounts(countResults(results));
  await say(`${runtime.name}: ${bundle.file}: ${counts} (${seconds} s)`);
  const failures = describeFailures(results);
  if (failures !== "") {
    const map = new SourceMap(await Deno.readTextFile(`${bundle.path}.map`));
    const url = pathToFileURL(bundle.path);
    await say(`\n${mapPlaces(failures, url, map, ROOT)}`);
  }
  return { ...job, results };
}

async function report(
  runtimes: readonly Runtime[],
  files: readonly string[],
  done: readonly Done[],
): Promise<void> {
  for (const { runtime, bundle, results } of done) {
    for (const { name, outcome, detail } of results) {
      if (outcome !== "skipped") continue;
      await say(`${runtime.name}: skipped ${bundle.file}: ${name}: ${detail}`);
    }
  }
  const rows = files.map((file) => {
    const row = done.filter(({ bundle }) => bundle.file === file);
    const cells = row.map(({ results }) => formatCell(countResults(results)));
    return [file, `${row[0]?.expected}`, ...cells];
  });
  const titles = ["File", "Deno", ...runtimes.map(({ title }) => title)];
  await say(`\n${makeTable(titles, rows)}\n`);
  for (const runtime of runtimes) {
    const results = done.filter((job) => job.runtime === runtime)
      .flatMap(({ results }) => results);
    await say(`${runtime.name}: ${formatCounts(countResults(results))}`);
  }
}

/** Resolves to whether no test has failed. */
async function runOn(
  names: readonly RuntimeName[],
  files: readonly string[],
): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "harpia_run_on" });
  try {
    const runtimes = await Promise.all(names.map(findRuntime));
    const platforms = new Set(runtimes.map(({ platform }) => platform));
    const bundles = await bundleTests(files, platforms, folder);
    const cpus = navigator.hardwareConcurrency;
    const expected = await mapPool(files, cpus, countTests);
    const jobs = runtimes.flatMap((runtime) =>
      bundles[runtime.platform].map((bundle, i) => ({
        runtime,
        bundle,
        expected: expected[i] ?? 0, // there are as many as files
      }))
    );
    const done = await mapPool(jobs, cpus, runJob);
    await report(runtimes, files, done);
    return done.every(({ results }) => countResults(results).failed === 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function say(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

async function main(): Promise<number> {
  try {
    const { names, files } = readArgs(Deno.args);
    const chosen = files.length > 0 ? files : await findTestFiles();
    return await runOn(names, chosen) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    await say(`error: ${error.message}`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main());
