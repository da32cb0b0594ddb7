import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkVersion } from "./check_version.ts";
import { ROOT } from "./npm_package.ts";

const CHANGELOG = `# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- Something.

## [0.1.0] - 2026-11-24

[Unreleased]: https://example.com/compare/v0.2.0...HEAD
[0.2.0]: https://example.com/compare/v0.1.0...v0.2.0
[0.1.0]: https://example.com/releases/tag/v0.1.0
`;

const NOT_RELEASED = "# Changelog\n\n## [Unreleased]\n\n### Added\n";

for (const tag of ["v0.2.0", undefined]) {
  Deno.test(`checkVersion() accepts one version everywhere, tag ${tag}`, () => {
    const wrong = checkVersion({ version: "0.2.0", changelog: CHANGELOG, tag });

    assertEquals(wrong, []);
  });
}

Deno.test("checkVersion() accepts a version before its first release", () => {
  const wrong = checkVersion({ version: "0.1.0", changelog: NOT_RELEASED });

  assertEquals(wrong, []);
});

const MISTAKES = {
  "a tag of another version": {
    tag: "v0.3.0",
    says: "tag must be v0.2.0, as in deno.json: received v0.3.0",
  },
  "a tag without v": {
    tag: "0.2.0",
    says: "tag must be v0.2.0, as in deno.json: received 0.2.0",
  },
  "a tag without a release in the changelog": {
    changelog: NOT_RELEASED,
    says: "CHANGELOG.md must have ## [0.2.0]: received none",
  },
  "a version that the changelog does not have": {
    version: "0.3.0",
    tag: "v0.3.0",
    says:
      "top release of CHANGELOG.md must be 0.3.0, as in deno.json: received 0.2.0",
  },
  "a changelog that is ahead": {
    version: "0.1.0",
    tag: undefined,
    says:
      "top release of CHANGELOG.md must be 0.1.0, as in deno.json: received 0.2.0",
  },
  "a release without a date": {
    changelog: CHANGELOG.replace(" - 2026-12-01", ""),
    says: "heading must be ## [0.2.0] - YYYY-MM-DD: received ## [0.2.0]",
  },
  "a release without a link": {
    changelog: CHANGELOG.replace(/\[0\.2\.0\]: .*\n/, ""),
    says: "CHANGELOG.md must end with a link for [0.2.0]",
  },
  "no link for what is not released": {
    changelog: CHANGELOG.replace(/\[Unreleased\]: .*\n/, ""),
    says: "CHANGELOG.md must end with a link for [Unreleased]",
  },
};

for (const [mistake, { says, ...release }] of Object.entries(MISTAKES)) {
  Deno.test(`checkVersion() names ${mistake}`, () => {
    const wrong = checkVersion({
      version: "0.2.0",
      changelog: CHANGELOG,
      tag: "v0.2.0",
      ...release,
    });

    assertEquals(wrong, [says]);
  });
}

async function runScript(
  ...args: string[]
): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-qA", "--no-lock", "scripts/check_version.ts", ...args],
    cwd: ROOT,
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("check_version.ts finds nothing wrong with the working tree", async () => {
  assertEquals(await runScript(), { code: 0, stderr: "" });
});

Deno.test("check_version.ts fails for the tag of another version", async () => {
  const { code, stderr } = await runScript("v999.0.0");

  assertEquals(code, 1);
  assertStringIncludes(stderr, "error: Cannot release: tag must be v");
});
