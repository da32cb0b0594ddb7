/**
 * Runs the conformance kit on Node or Bun, on a store whose client is a package
 * of npm.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { mustRun, npmProgram } from "./command.ts";
import type { KitResult } from "./kit.ts";

const BUN = "bun@1.4.5";

const ESBUILD = "npm:esbuild@0.25.5";

/** What to run. */
export interface KitRun {
  runtime: "node" | "bun";
  /** A file of this folder that calls `runKit`. */
  program: string;
  /** The package that it imports, with its version, if there is one. */
  dependency?: string | undefined;
  /** Makes its arguments, out of a folder that is removed afterwards. */
  args(folder: string): string[];
}

/** Runs the rules of the kit, which may be broken. */
export async function runKitOn(
  { runtime, program, dependency, args }: KitRun,
): Promise<KitResult> {
  const folder = await Deno.makeTempDir();
  try {
    if (dependency !== undefined) {
      const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
      const install = ["install", "--prefix", folder, "--no-save", ...quiet];
      await mustRun("npm", [...install, dependency]);
    }
    const bundle = `${folder}/kit.mjs`;
    await mustRun(Deno.execPath(), [
      ...["run", "--allow-all", "--no-config", "--no-lock", ESBUILD],
      fileURLToPath(new URL(program, import.meta.url)),
      ...["--bundle", "--platform=node", "--format=esm", "--target=es2022"],
      ...[`--outfile=${bundle}`, "--log-level=warning"],
    ]);
    const path = runtime === "bun" ? await npmProgram(BUN, "bun") : "node";
    return JSON.parse(await mustRun(path, [bundle, ...args(folder)]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
