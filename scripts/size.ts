/**
 * Measures what each export costs those who import it: bytes against a budget,
 * dependencies, and time.
 *
 * ```sh
 * deno run -A scripts/size.ts
 * deno run -A scripts/size.ts --no-time
 * ```
 *
 * Ends with 1 when an export is over its budget, has none, or needs a package
 * or a module of a runtime. Times are shown and not judged.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import project from "../deno.json" with { type: "json" };
import { mustRun, npmProgram } from "../runtimes/command.ts";
import { makeTable } from "../runtimes/report.ts";

/**
 * The most an export may weigh, minified and compressed, in bytes. The goals are
 * 6,500 for `"."` and 3,000 for `"./memory-store"`; these bounds say how far off
 * they are, and keep it from growing.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  ".": 12_700,
  "./store": 500,
  "./memory-store": 7_200,
  "./session": 12_600,
  "./store-conformance": 13_000,
  "./redis-store": 8_500,
  "./deno-kv-store": 6_800,
};

/** The runtimes whose start is measured. */
const RUNTIMES = ["node", "deno", "bun"] as const;

const BUN = "bun@1.4.5";

/** How often a process is started for a median. */
const STARTS = 15;

/** What an export weighs. */
export interface Size {
  /** The name of the export, such as `"./store"`. */
  name: string;
  /** Bytes, minified. */
  minified: number;
  /** Bytes, minified and compressed by gzip. */
  gzip: number;
  /** What it imports from outside of the project. */
  dependencies: readonly string[];
}

/** What is wrong with the sizes; nothing when they are within the budgets. */
export function findProblems(
  sizes: readonly Size[],
  budgets: Readonly<Record<string, number>>,
): string[] {
  return sizes.flatMap(({ name, gzip, dependencies }) => {
    const problems = dependencies.map((dependency) =>
      `${name} depends on ${dependency}`
    );
    const budget = budgets[name];
    if (budget === undefined) problems.push(`${name} has no budget`);
    else if (gzip > budget) {
      problems.push(`${name} is ${gzip - budget} bytes over its budget`);
    }
    return problems;
  });
}

/** Bundles a module into a file, minified, and measures it. */
export async function measureSize(
  name: string,
  path: string,
  output: string,
): Promise<Size> {
  const flags = ["--minify", "--no-check", "--no-lock", "--quiet"];
  const bundle = ["bundle", ...flags, `--output=${output}`, path];
  await mustRun(Deno.execPath(), bundle);
  const code = await Deno.readFile(output);
  return {
    name,
    minified: code.length,
    gzip: gzipSync(code, { level: 9 }).length,
    dependencies: await findDependencies(path),
  };
}

/** What a module, or one that it imports, imports from elsewhere. */
export async function findDependencies(path: string): Promise<string[]> {
  const info = ["info", "--json", "--no-lock", path];
  // What deno writes; a module with an error has no other kind.
  const { modules }: { modules: { specifier: string }[] } = JSON.parse(
    await mustRun(Deno.execPath(), info),
  );
  return modules.map(({ specifier }) => specifier)
    .filter((specifier) => !specifier.startsWith("file:"));
}

/** The one in the middle, or between the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return (low + high) / 2;
}

/**
 * The median time from the start of a process to its end, in milliseconds, for
 * each module. The modules take turns, so that what slows the machine down
 * slows them all down.
 */
export async function timeStarts(
  program: string,
  args: readonly string[],
  modules: readonly string[],
  starts: number = STARTS,
): Promise<number[]> {
  const times = modules.map((): number[] => []);
  for (let i = 0; i < starts; i++) {
    for (const [j, module] of modules.entries()) {
      const started = performance.now();
      await mustRun(program, [...args, module]);
      times[j]?.push(performance.now() - started);
    }
  }
  return times.map(median);
}

/** The program of a runtime and its arguments, when it is at hand. */
async function findProgram(
  runtime: typeof RUNTIMES[number],
): Promise<[program: string, ...args: string[]]> {
  switch (runtime) {
    case "node":
      return ["node"];
    case "deno":
      return [Deno.execPath(), "run", "--no-config", "--no-lock"];
    case "bun":
      return [await npmProgram(BUN, "bun"), "run"];
  }
}

async function reportTimes(
  names: readonly string[],
  files: readonly string[],
): Promise<void> {
  const rows: string[][] = [];
  for (const runtime of RUNTIMES) {
    const [program, ...args] = await findProgram(runtime);
    const times = await timeStarts(program, args, files);
    rows.push([runtime, ...times.map((time) => `${time.toFixed(1)} ms`)]);
  }
  const titles = [`Start to end, median of ${STARTS}`, ...names];
  await say(`${makeTable(titles, rows)}\n`);
}

async function say(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "harpia_size" });
  try {
    const empty = `${folder}/empty.mjs`;
    await Deno.writeTextFile(empty, "export {};\n");
    const sizes: Size[] = [];
    const files: string[] = [];
    for (const [name, path] of Object.entries(project.exports)) {
      const file = `${folder}/${files.length}.mjs`;
      files.push(file);
      sizes.push(await measureSize(name, path, file));
    }
    await say(`${
      makeTable(
        ["Export", "minified", "gzip", "budget"],
        sizes.map(({ name, minified, gzip }) =>
          [name, minified, gzip, BUDGETS[name] ?? "none"].map(String)
        ),
      )
    }\n`);
    if (!Deno.args.includes("--no-time")) {
      const names = sizes.map(({ name }) => name);
      await reportTimes(["an empty module", ...names], [empty, ...files]);
    }
    const problems = findProblems(sizes, BUDGETS);
    for (const problem of problems) await say(`error: ${problem}`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main());
