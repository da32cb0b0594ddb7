/**
 * The modules of the package: what its exports import, and nothing else.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ENTRY_POINTS, ROOT, run } from "../scripts/npm_package.ts";

/** What `deno info --json` says of a module, as far as it is used. */
interface Info {
  modules: { specifier: string }[];
}

/** The names of the modules, relative to the root, sorted. */
export async function moduleNames(): Promise<string[]> {
  const names = new Set<string>();
  for (const { path } of ENTRY_POINTS) {
    const printed = await run(
      Deno.execPath(),
      ["info", "--json", "--no-lock", fileURLToPath(new URL(path, ROOT))],
      { cwd: ROOT },
    );
    const { modules }: Info = JSON.parse(printed);
    for (const { specifier } of modules) {
      if (!specifier.startsWith(ROOT.href)) continue;
      names.add(specifier.slice(ROOT.href.length));
    }
  }
  return [...names].sort();
}
