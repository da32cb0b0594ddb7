/**
 * Runs a bundled test file on a runtime, in a process of its own.
 *
 * @module
 */

import type { Bundle, Platform } from "./bundle.ts";
import { CHROMIUM, runInChromium } from "./chromium.ts";
import { mustRun, npmProgram, type Output, run } from "./command.ts";
import type { TestResult } from "./run.ts";
import type { RuntimeName, Skips } from "./skips.ts";

/** A runtime that is at hand. */
export interface Runtime {
  /** Which one it is. */
  name: RuntimeName;
  /** Its name and version, to be shown to people. */
  title: string;
  /** The bundles it runs. */
  platform: Platform;
  /** Runs one. */
  run(bundle: Bundle, skips: Skips): Promise<TestResult[]>;
}

const BUN = "bun@1.4.5";
const WORKERD = "workerd@1.20250906.0";
const COMPATIBILITY_DATE = "2025-09-06";

/** Precedes the results in what a process writes. */
const MARK = "harpia-results:";

/**
 * Finds a runtime; Bun and workerd come from npm, Node and Chromium are
 * expected on the path, Chromium also where the variable `CHROMIUM` says.
 *
 * @throws {Error} If it is not there.
 */
export async function findRuntime(name: RuntimeName): Promise<Runtime> {
  switch (name) {
    case "node":
      return {
        name,
        title: `Node ${(await mustRun("node", ["--version"])).trim()}`,
        platform: "node",
        run: (bundle, skips) => runInProcess(name, "node", bundle, skips),
      };
    case "bun": {
      const bun = await npmProgram(BUN, "bun");
      return {
        name,
        title: `Bun ${(await mustRun(bun, ["--version"])).trim()}`,
        platform: "node",
        run: (bundle, skips) => runInProcess(name, bun, bundle, skips),
      };
    }
    case "workerd":
    case "workerd-node": {
      const workerd = await npmProgram(WORKERD, "workerd");
      const flags = name === "workerd" ? [] : ["nodejs_compat"];
      const version = (await mustRun(workerd, ["--version"])).trim();
      return {
        name,
        title: [version, ...flags].join(" "),
        platform: "web",
        run: (bundle, skips) => runOnWorkerd(workerd, flags, bundle, skips),
      };
    }
    case "chromium": {
      const version = await mustRun(CHROMIUM, ["--version"]);
      return {
        name,
        title: version.match(/Chrom\w+ [\d.]+/)?.[0] ?? "Chromium",
        platform: "web",
        run: runInChromium,
      };
    }
  }
}

async function runInProcess(
  runtime: string,
  program: string,
  { name, path }: Bundle,
  skips: Skips,
): Promise<TestResult[]> {
  const main = `${path}.${runtime}.js`;
  await Deno.writeTextFile(
    main,
    `import { run } from "./${name}";
const results = await run(${JSON.stringify(skips)});
const text = "\\n${MARK}" + JSON.stringify(results) + "\\n";
process.stdout.write(text, () => process.exit());
`,
  );
  return readResults(await run(program, [main]));
}

async function runOnWorkerd(
  workerd: string,
  flags: readonly string[],
  { name, path }: Bundle,
  skips: Skips,
): Promise<TestResult[]> {
  const config = [path, ...flags, "capnp"].join(".");
  const main = `import { run } from "${name}";
export default {
  async test() {
    const results = await run(${JSON.stringify(skips)});
    console.log("\\n${MARK}" + JSON.stringify(results));
  },
};`;
  await Deno.writeTextFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "tests", worker = (
  modules = [
    (name = "main.js", esModule = ${JSON.stringify(main)}),
    (name = "${name}", esModule = embed "${name}"),
  ],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ${JSON.stringify(flags)},
))]);
`,
  );
  return readResults(await run(workerd, ["test", "--no-verbose", config]));
}

/** Finds the results in what a process wrote. Without them it has failed. */
export function readResults({ code, text }: Output): TestResult[] {
  const line = text.split("\n").findLast((line) => line.startsWith(MARK));
  if (line !== undefined && code === 0) {
    return JSON.parse(line.slice(MARK.length)); // as a bundle wrote them
  }
  const detail = `exit code ${code}\n${text}`;
  return [{ name: "the whole file", outcome: "failed", detail }];
}
