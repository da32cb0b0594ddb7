/**
 * Checks that a release has one version: in `deno.json`, in the tag and on top
 * of `CHANGELOG.md`.
 *
 * ```sh
 * deno run -A scripts/check_version.ts [tag]
 * ```
 *
 * Without a tag it checks what holds between releases: the version is the last
 * one released, if there is one. It says what is wrong, a line each, and ends
 * with exit code 1.
 *
 * @module
 */

import { NPM_METADATA, ROOT } from "./npm_package.ts";

/** What {@linkcode checkVersion} compares. */
export interface Release {
  /** The version in `deno.json`. */
  version: string;
  /** The text of `CHANGELOG.md`. */
  changelog: string;
  /** The tag that is to be published, if there is one. */
  tag?: string | undefined;
}

/** `## [0.1.0] - 2026-11-24`, the heading of a release. */
const RELEASE = /^## \[(\d[^\]]*)\](.*)$/m;

/** What is wrong with a release, a line each; nothing if all is well. */
export function checkVersion(release: Release): string[] {
  const { version, changelog, tag } = release;
  const wrong: string[] = [];
  if (tag !== undefined && tag !== `v${version}`) {
    wrong.push(`tag must be v${version}, as in deno.json: received ${tag}`);
  }

  const [, released, rest = ""] = changelog.match(RELEASE) ?? [];
  if (released === undefined) {
    if (tag === undefined) return wrong;
    return [...wrong, `CHANGELOG.md must have ## [${version}]: received none`];
  }
  if (released !== version) {
    wrong.push(
      `top release of CHANGELOG.md must be ${version}, as in deno.json: received ${released}`,
    );
  }
  if (!/^ - \d{4}-\d{2}-\d{2}$/.test(rest)) {
    wrong.push(
      `heading must be ## [${released}] - YYYY-MM-DD: received ## [${released}]${rest}`,
    );
  }
  for (const name of ["Unreleased", released]) {
    if (!changelog.includes(`\n[${name}]: https://`)) {
      wrong.push(`CHANGELOG.md must end with a link for [${name}]`);
    }
  }
  return wrong;
}

if (import.meta.main) {
  const { version } = NPM_METADATA;
  const changelog = await Deno.readTextFile(new URL("CHANGELOG.md", ROOT));
  const wrong = checkVersion({ version, changelog, tag: Deno.args[0] });
  const lines = wrong.map((line) => `error: Cannot release: ${line}\n`);
  await Deno.stderr.write(new TextEncoder().encode(lines.join("")));
  Deno.exit(wrong.length > 0 ? 1 : 0);
}
