/**
 * Makes JavaScript of test files that other runtimes understand.
 *
 * Two steps: `deno bundle` finds the imports as Deno does, with the stand-ins
 * of `offline/` in the place of `@std/*` (the real ones need Node 22), and
 * esbuild puts a bridge in the place of `Deno` and rewrites `using`, which
 * Node 20 does not know. `Deno` is replaced as a name in the bundle and not as
 * a global, so that no code takes the runtime for Deno.
 *
 * A bundle exports `run(skips)`, which resolves to the results of its tests.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { mustRun } from "./command.ts";

const ESBUILD = "npm:esbuild@0.25.5";

/** What pages and bare workers do not have. */
const SHIMS: Readonly<Record<string, string>> = {
  "node:assert/strict": "assert",
  "node:buffer": "buffer",
  "node:process": "process",
  "node:util": "util",
  "node:vm": "vm",
};

/** Where a bundle is to run. */
export type Platform = "node" | "web";

/** A test file as JavaScript. */
export interface Bundle {
  /** The test file, as it was named. */
  file: string;
  /** The name of the bundle: `memory_store_test.js`. */
  name: string;
  /** Where it is, with its source map beside it. */
  path: string;
}

/** The flags that give the tests what they import. */
export const TEST_FLAGS: readonly string[] = [
  "--no-check",
  "--config=deno.json",
  "--import-map=offline/import_map.json",
  "--lock=offline/deno.lock",
];

/**
 * Bundles test files into a folder.
 *
 * @throws {TypeError} If two of them have the same name.
 * @throws {Error} If one cannot be bundled, with what the bundler said.
 */
export async function bundleTests(
  files: readonly string[],
  platforms: ReadonlySet<Platform>,
  folder: string,
): Promise<Record<Platform, Bundle[]>> {
  const names = files.map(nameOf);
  const twin = names.find((name, i) => names.indexOf(name) < i);
  if (twin !== undefined) {
    throw new TypeError(
      `Cannot bundle tests: each file must have a name of its own: received two ${twin}`,
    );
  }
  for (const step of ["deno", "node", "web"]) {
    await Deno.mkdir(`${folder}/${step}`);
  }
  await Deno.writeTextFile(`${folder}/package.json`, `{ "type": "module" }\n`);
  const bridge = fileURLToPath(new URL("bridge.ts", import.meta.url));
  await Promise.all(files.map(async (file, i) => {
    const name = names[i];
    await mustRun(Deno.execPath(), [
      "bundle",
      ...TEST_FLAGS,
      "--sourcemap=inline",
      `--output=${folder}/deno/tests_of_${name}`,
      file,
    ]);
    await Deno.writeTextFile(
      `${folder}/deno/${name}`,
      `import "./tests_of_${name}";\nexport { run } from ${
        JSON.stringify(bridge)
      };\n`,
    );
  }));
  const entries = names.map((name) => `${folder}/deno/${name}`);
  if (platforms.has("node")) {
    const flags = [`--outdir=${folder}/node`, "--platform=node"];
    await esbuild([...entries, ...flags]);
  }
  if (platforms.has("web")) {
    const flags = [`--outdir=${folder}/web`, "--platform=browser"];
    const aliases = Object.entries(SHIMS).map(([name, shim]) =>
      `--alias:${name}=./runtimes/shims/${shim}.ts`
    );
    await esbuild([...entries, ...flags, ...aliases]);
  }
  const list = (platform: Platform): Bundle[] =>
    files.map((file, i) => {
      const name = names[i] ?? ""; // as many names as files
      return { file, name, path: `${folder}/${platform}/${name}` };
    });
  return { node: list("node"), web: list("web") };
}

async function esbuild(args: string[]): Promise<void> {
  await mustRun(Deno.execPath(), [
    "run",
    "--allow-all",
    "--no-config",
    "--no-lock",
    ESBUILD,
    ...args,
    "--bundle",
    "--inject:runtimes/bridge.ts",
    "--format=esm",
    "--target=es2022",
    "--sourcemap=linked",
    "--log-level=warning",
  ]);
}

/** `./memory_store_test.ts` makes `memory_store_test.js`. */
function nameOf(file: string): string {
  return `${file.split(/[\\/]/).pop()}`.replace(/\.[cm]?tsx?$/, ".js");
}
