/**
 * Builds the npm package as a tarball without `jsr:@deno/dnt`: `deno pack`
 * makes the modules and their declarations, this script adds what it leaves
 * out.
 *
 * ```sh
 * deno run -A scripts/pack_npm.ts [folder]
 * ```
 *
 * It prints the path of the tarball, in `npm/` unless told otherwise, and the
 * files in it. It holds ES modules only, which Node 20.19 or later can also
 * `require`; what is published is the build of `build_npm.ts`, which has both
 * kinds.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import {
  finishPackage,
  NPM_METADATA,
  readJson,
  ROOT,
  run,
  toFolder,
  writeJson,
} from "./npm_package.ts";

/** What of the folder is published, besides what npm always takes. */
const FILES = ["*.js", "*.d.ts"];

/** A tarball for npm. */
export interface Tarball {
  /** Where it is. */
  path: URL;
  /** The files in it, sorted. */
  files: string[];
}

/**
 * Builds the package and puts its tarball into a folder, which is made if need
 * be.
 *
 * @throws {Error} If `deno pack`, `tar` or `npm pack` fails
 */
export async function packNpm(folder: URL): Promise<Tarball> {
  const temporary = await Deno.makeTempDir({ prefix: "harpia" });
  try {
    const work = toFolder(temporary);
    const raw = new URL("raw.tgz", work);
    await run(Deno.execPath(), [
      "pack",
      "--allow-dirty",
      "--no-source-maps",
      "--output",
      fileURLToPath(raw),
    ], { cwd: ROOT });
    // A relative name: tar takes the drive of an absolute one for a host.
    await run("tar", ["-xzf", "raw.tgz"], { cwd: work });
    const built = new URL("package/", work);
    await finishPackage(built);
    const packageJson = new URL("package.json", built);
    const packed = await readJson(packageJson);
    await writeJson(packageJson, { ...NPM_METADATA, ...packed, files: FILES });
    return await packFolder(built, folder);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/**
 * Packs the folder of a package with npm and puts the tarball into another
 * one, which is made if need be.
 *
 * @throws {Error} If `npm pack` fails
 */
export async function packFolder(
  built: URL,
  folder: URL,
): Promise<Tarball> {
  await Deno.mkdir(folder, { recursive: true });
  const printed = await run("npm", [
    "pack",
    "--json",
    "--ignore-scripts",
    "--pack-destination",
    fileURLToPath(folder),
  ], { cwd: built });
  const packed = firstPacked(JSON.parse(printed));
  return {
    path: new URL(packed.filename, folder),
    files: packed.files.map(({ path }) => path).sort(),
  };
}

/** What npm says of a tarball, as far as it is used. */
interface Packed {
  filename: string;
  files: { path: string }[];
}

/** npm prints a list up to version 11, an object by name from 12 on. */
function firstPacked(printed: Packed[] | Record<string, Packed>): Packed {
  const [packed] = Object.values(printed);
  if (packed !== undefined) return packed;
  throw new Error("Cannot pack: npm must name a tarball: received none");
}

if (import.meta.main) {
  const { path, files } = await packNpm(toFolder(Deno.args[0] ?? "npm"));
  const lines = [fileURLToPath(path), ...files.map((file) => `  ${file}`), ""];
  await Deno.stdout.write(new TextEncoder().encode(lines.join("\n")));
}
