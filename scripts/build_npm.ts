/**
 * Builds what is published on npm with `jsr:@deno/dnt`: ES modules, CommonJS
 * and declarations in `npm/`, unless told otherwise, and the tests run there on Node.
 *
 * ```sh
 * deno run -qA scripts/build_npm.ts [folder]
 * ```
 *
 * Where JSR does not answer there is no dnt: then it says so in one line and
 * ends with exit code 1. The tarball of `pack_npm.ts` needs no dnt.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import {
  ENTRY_POINTS,
  type EntryPoint,
  finishPackage,
  NPM_METADATA,
  type NpmMetadata,
  ROOT,
  toFolder,
} from "./npm_package.ts";

/**
 * A variable, so that no type check goes looking for it: `deno check` must pass
 * where JSR does not answer.
 */
const DNT = "@deno/dnt";

/**
 * The options of dnt that are used.
 *
 * @see {@link https://jsr.io/@deno/dnt/doc/~/BuildOptions | dnt: BuildOptions}
 */
export interface BuildOptions {
  entryPoints: EntryPoint[];
  outDir: string;
  shims: { deno: { test: "dev" } };
  package: NpmMetadata;
  typeCheck: "both";
  declarationMap: boolean;
  testPattern: string;
  compilerOptions: {
    target: "ES2022";
    lib: ("ESNext" | "DOM" | "DOM.Iterable")[];
    sourceMap: boolean;
    inlineSources: boolean;
  };
  postBuild: () => Promise<void>;
}

/** The functions of dnt that are used. */
interface Dnt {
  build(options: BuildOptions): Promise<void>;
  emptyDir(path: string): Promise<void>;
}

/** The options for a build in this folder that runs these tests. */
export function buildOptions(
  folder: URL,
  tests: readonly string[],
): BuildOptions {
  return {
    entryPoints: ENTRY_POINTS,
    outDir: fileURLToPath(folder),
    // The library uses nothing of Deno, the tests use `Deno.test`.
    shims: { deno: { test: "dev" } },
    package: NPM_METADATA,
    typeCheck: "both",
    // The maps of the code have the sources in them: `src/` stays at home.
    declarationMap: false,
    testPattern: `{${tests.join(",")}}`,
    compilerOptions: {
      target: "ES2022",
      lib: ["ESNext", "DOM", "DOM.Iterable"],
      sourceMap: true,
      inlineSources: true,
    },
    postBuild: () => finishPackage(folder),
  };
}

/**
 * The test files that can run on Node, as ES modules and as CommonJS: those in
 * the root that use nothing of `Deno` but `Deno.test` and do not await at the
 * top level.
 */
export async function testFiles(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(ROOT)) {
    if (!name.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(new URL(name, ROOT));
    if (!/\bDeno\.(?!test\b)|^(?:\w.*= )?await\b/m.test(text)) names.push(name);
  }
  return names.sort();
}

async function loadDnt(): Promise<Dnt> {
  try {
    return await import(DNT);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const [line = ""] = why.split("\n");
    throw new Error(
      `Cannot build the npm package: jsr:@deno/dnt must load (scripts/pack_npm.ts needs no dnt): received ${line}`,
      { cause: error },
    );
  }
}

if (import.meta.main) {
  Deno.chdir(ROOT);
  let dnt: Dnt;
  try {
    dnt = await loadDnt();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const line = `error: ${error.message}\n`;
    await Deno.stderr.write(new TextEncoder().encode(line));
    Deno.exit(1);
  }
  const folder = toFolder(Deno.args[0] ?? "npm");
  await dnt.emptyDir(fileURLToPath(folder));
  await dnt.build(buildOptions(folder, await testFiles()));
}
