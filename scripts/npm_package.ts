/**
 * What the npm package is, in one place: both ways to build it,
 * `build_npm.ts` and `pack_npm.ts`, take their data from here. Name, version,
 * licence and exports come from `deno.json`.
 *
 * @module
 */

import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import project from "../deno.json" with { type: "json" };

/** The root of the project, with a slash at the end. */
export const ROOT: URL = new URL("../", import.meta.url);

/** Where the source is. */
const REPOSITORY = "https://github.com/harpia/memory-store";

/** Files that are copied as they are; npm asks for both. */
const COPIED_FILES = ["LICENSE", "README.md"];

/**
 * The declarations of disposables. A consumer whose `lib` ends at ES2022 and
 * who has no `@types/node` does not have them.
 */
const DISPOSABLE_LIB = '/// <reference lib="esnext.disposable" />\n';

/** The fields of `package.json` that do not depend on how it is built. */
export interface NpmMetadata {
  /** The name on npm, the same as on JSR. */
  name: string;
  /** The version in `deno.json`. */
  version: string;
  /** One sentence: what `README.md` opens with. */
  description: string;
  /** What people search for. */
  keywords: string[];
  /** The page for readers. */
  homepage: string;
  /** Where the source is; provenance on npm needs it. */
  repository: { type: string; url: string };
  /** Where to report a bug. */
  bugs: { url: string };
  /** An SPDX identifier. */
  license: string;
  /** Modules with the extension `.js` are ES modules. */
  type: "module";
  /** Importing a module does nothing but define it. */
  sideEffects: false;
  /** Node's versions; `require` of ES modules needs 20.19. */
  engines: { node: string };
  /** A scoped package is private unless it says otherwise. */
  publishConfig: { access: "public" };
}

/** One entry of `exports`: the name that is imported, and its source. */
export interface EntryPoint {
  /** The sub-path, `"."` for the package itself. */
  name: string;
  /** The source, beginning with `./` and relative to {@linkcode ROOT}. */
  path: string;
}

/** The fields of `package.json` that do not depend on how it is built. */
export const NPM_METADATA: NpmMetadata = {
  name: project.name,
  version: project.version,
  description:
    "A key-value store in memory that keeps its promises under concurrency, and a session helper on top of any store.",
  keywords: [
    "atomic",
    "bun",
    "cookie",
    "deno",
    "expiry",
    "harpia",
    "key-value",
    "memory-store",
    "node",
    "session",
    "session-store",
    "store",
    "ttl",
  ],
  homepage: `${REPOSITORY}#readme`,
  repository: { type: "git", url: `git+${REPOSITORY}.git` },
  bugs: { url: `${REPOSITORY}/issues` },
  license: project.license,
  type: "module",
  sideEffects: false,
  engines: { node: ">=20" },
  publishConfig: { access: "public" },
};

/** Every export of `deno.json`, `"."` first. */
export const ENTRY_POINTS: EntryPoint[] = Object.entries(project.exports)
  .map(([name, path]) => ({ name, path }));

/**
 * Puts what npm needs besides the build into the folder of a package:
 *
 * - the licence and the README;
 * - in each `.d.ts` that mentions disposables, a reference to their
 *   declarations;
 * - `sideEffects` in each inner `package.json`, which for bundlers takes the
 *   place of the outer one.
 */
export async function finishPackage(folder: URL): Promise<void> {
  for (const name of COPIED_FILES) {
    await Deno.copyFile(new URL(name, ROOT), new URL(name, folder));
  }
  for (const name of await listFiles(folder)) {
    const file = new URL(name, folder);
    if (/\.d\.[cm]?ts$/.test(name)) {
      const text = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, referenceDisposables(text));
    } else if (name.endsWith("/package.json")) {
      const { sideEffects } = NPM_METADATA;
      await writeJson(file, { ...await readJson(file), sideEffects });
    }
  }
}

/**
 * A declaration file that brings the declarations of disposables along if it
 * mentions one in code. A file that has them stays as it is.
 */
export function referenceDisposables(text: string): string {
  const code = text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
  const mentions = /\b(?:Async)?Disposable\b|\bSymbol\.(?:asyncD|d)ispose\b/;
  if (!mentions.test(code) || text.startsWith(DISPOSABLE_LIB)) return text;
  return DISPOSABLE_LIB + text;
}

/**
 * The files in a folder and its sub-folders, sorted, as relative paths with
 * `/`. What npm has installed in it is left out.
 */
export async function listFiles(folder: URL): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name === "node_modules") continue;
    if (!entry.isDirectory) {
      names.push(entry.name);
      continue;
    }
    const inside = await listFiles(new URL(`${entry.name}/`, folder));
    names.push(...inside.map((name) => `${entry.name}/${name}`));
  }
  return names.sort();
}

/** Reads a file with one JSON object. */
export async function readJson(file: URL): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(file));
}

/** Writes a value as JSON, the way npm formats it. */
export async function writeJson(file: URL, value: unknown): Promise<void> {
  await Deno.writeTextFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** The file of this path, which is relative to the root of the project. */
export function toFile(path: string): URL {
  return pathToFileURL(resolve(fileURLToPath(ROOT), path));
}

/** The folder of this path, which is relative to the root of the project. */
export function toFolder(path: string): URL {
  return new URL(`${toFile(path)}/`);
}

/** Options for {@linkcode run}. */
export interface RunOptions {
  /** The folder to run in. */
  cwd: URL;
  /** Variables on top of this process's. */
  env?: Record<string, string>;
}

/**
 * Runs a command to its end and resolves to what it has printed on stdout.
 *
 * @throws {Error} If it ends with another exit code than `0`: the message has
 * what it has printed.
 */
export async function run(
  command: string,
  args: string[],
  options: RunOptions,
): Promise<string> {
  const { cwd, env = {} } = options;
  // On Windows npm and npx are scripts, which only a shell can start.
  const words = Deno.build.os === "windows"
    ? ["cmd", "/c", command, ...args]
    : [command, ...args];
  const [program = "", ...rest] = words;
  const output = await new Deno.Command(program, {
    args: rest,
    cwd,
    env,
    stdin: "null",
  }).output();

  const decoder = new TextDecoder();
  const stdout = decoder.decode(output.stdout);
  if (output.success) return stdout;
  const said = `${stdout}\n${decoder.decode(output.stderr)}`.trim();
  throw new Error(
    `Cannot run ${command} ${
      args[0] ?? ""
    }: it must exit with 0: received ${output.code}\n${said}`,
  );
}
