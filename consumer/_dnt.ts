/**
 * Stands in for `jsr:@deno/dnt` where it cannot be loaded, so that the consumer
 * tests see the layout of what is published: ES modules in `esm/`, CommonJS in
 * `script/`, with declarations and source maps beside them. It compiles with
 * the `tsc` that the variable `HARPIA_TSC` names, and runs no tests.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { BuildOptions } from "../scripts/build_npm.ts";
import { ROOT, run, toFolder, writeJson } from "../scripts/npm_package.ts";
import { moduleNames } from "./_graph.ts";

/** The two kinds of modules, and what tells the compiler to make them. */
const KINDS = [
  { folder: "esm", type: "module", options: ["esnext", "bundler"] },
  { folder: "script", type: "commonjs", options: ["commonjs", "node10"] },
] as const;

/** Makes a folder, or an existing one empty. */
export async function emptyDir(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(path, { recursive: true });
}

/** Builds the package as dnt lays it out. */
export async function build(options: BuildOptions): Promise<void> {
  const outDir = toFolder(options.outDir);
  const sources = new URL("src/", outDir);
  await Deno.mkdir(sources);
  for (const name of await moduleNames()) {
    const text = await Deno.readTextFile(new URL(name, ROOT));
    const rewritten = text.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"');
    await Deno.writeTextFile(new URL(name, sources), rewritten);
  }
  await writeJson(new URL("package.json", outDir), packageJson(options));
  await Deno.writeTextFile(new URL(".npmignore", outDir), "/src/\n");
  for (const kind of KINDS) {
    const folder = new URL(`${kind.folder}/`, outDir);
    await compile(options, sources, folder, kind.options);
    const { type } = kind;
    await writeJson(new URL("package.json", folder), { type });
  }
  await options.postBuild();
}

async function compile(
  { compilerOptions, declarationMap }: BuildOptions,
  sources: URL,
  folder: URL,
  [module, moduleResolution]: readonly [string, string],
): Promise<void> {
  const tsc = Deno.env.get("HARPIA_TSC");
  if (tsc === undefined) {
    throw new Error("Cannot compile: HARPIA_TSC must name tsc: received none");
  }
  const config = new URL("tsconfig.json", sources);
  await writeJson(config, {
    compilerOptions: {
      ...compilerOptions,
      declaration: true,
      declarationMap,
      esModuleInterop: true,
      module,
      moduleResolution,
      outDir: fileURLToPath(folder),
      strict: true,
      types: [],
    },
    include: ["*.ts"],
  });
  await run("node", [tsc, "-p", fileURLToPath(config)], { cwd: sources });
}

function packageJson(options: BuildOptions): Record<string, unknown> {
  const toJs = (path: string): string =>
    path.replace(/^\.\/(.*)\.ts$/, "$1.js");
  const [main] = options.entryPoints;
  return {
    ...options.package,
    ...(main && {
      main: `./script/${toJs(main.path)}`,
      module: `./esm/${toJs(main.path)}`,
    }),
    exports: Object.fromEntries(
      options.entryPoints.map(({ name, path }) => [name, {
        import: `./esm/${toJs(path)}`,
        require: `./script/${toJs(path)}`,
      }]),
    ),
  };
}
