/**
 * The kit under the test runners of Node and Bun, as they are: a store that
 * keeps the contract passes there, and one that does not fails.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { mustRun, npmProgram, type Output, run } from "./runtimes/command.ts";

const BUN = "bun@1.4.5";

/** A test runner, and how it says what it saw. */
interface Runner {
  name: string;
  module: string;
  find(): Promise<string>;
  args(file: string): string[];
  /** Finds how many tests passed and failed. */
  passed: RegExp;
  failed: RegExp;
}

const RUNNERS: Runner[] = [
  {
    name: "node:test",
    module: "node:test",
    find: async () => (await mustRun("node", ["--version"]), "node"),
    args: (file) => ["--test", "--test-reporter=tap", file],
    passed: /^# pass (\d+)$/m,
    failed: /^# fail (\d+)$/m,
  },
  {
    name: "bun:test",
    module: "bun:test",
    find: () => npmProgram(BUN, "bun"),
    args: (file) => ["test", file],
    passed: /^ *(\d+) pass$/m,
    failed: /^ *(\d+) fail$/m,
  },
];

/** A test file as a user of the kit writes it, on a clock of its own. */
function testFile(module: string, change: string): string {
  return `
import { test } from "${module}";
import { STORE_FEATURES, testStore } from "./store_conformance.js";
import { MemoryStore } from "./memory_store.js";

const { now } = Date;

testStore("MyStore", {
  test,
  open() {
    let time = 0;
    Date.now = () => time;
    const store = new MemoryStore();
    ${change}
    return {
      store,
      elapse(ms) {
        time += ms;
      },
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        Date.now = now;
      },
    };
  },
  supports: STORE_FEATURES,
  exactTime: true,
});
`;
}

const required = Deno.env.get("REQUIRE_INTEGRATION") === "1";

async function isThere({ find }: Runner): Promise<boolean> {
  return await find().then(() => true, () => false);
}

/** How many tests the kit has for a store that does everything. */
async function countTests(): Promise<number> {
  const { STORE_FEATURES, testStore } = await import("./store_conformance.ts");
  let count = 0;
  testStore("MyStore", {
    test: () => count++,
    open: () => Promise.reject(new Error("not opened")),
    supports: STORE_FEATURES,
    exactTime: true,
  });
  return count;
}

/** Runs a test file with the kit and `MemoryStore` as JavaScript beside it. */
async function runFile(runner: Runner, change: string): Promise<Output> {
  const folder = await Deno.makeTempDir({ prefix: "harpia_conformance" });
  try {
    for (const name of ["store_conformance", "memory_store"]) {
      const output = `--output=${folder}/${name}.js`;
      const flags = ["--no-check", "--no-lock", "--quiet", output];
      await mustRun(Deno.execPath(), ["bundle", ...flags, `${name}.ts`]);
    }
    await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
    const file = `${folder}/my_store.test.js`;
    await Deno.writeTextFile(file, testFile(runner.module, change));
    return await run(await runner.find(), runner.args(file));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const runner of RUNNERS) {
  const ignore = !required && !await isThere(runner);
  const why = ignore ? " (skipped: it is not there)" : "";

  Deno.test({
    name: `testStore() passes MemoryStore under ${runner.name}${why}`,
    ignore,
    async fn() {
      const { code, text } = await runFile(runner, "");

      assertEquals(text.match(runner.failed)?.[1], "0", text);
      assertEquals(text.match(runner.passed)?.[1], `${await countTests()}`);
      assertEquals(code, 0);
    },
  });

  Deno.test({
    name: `testStore() fails a broken store under ${runner.name}${why}`,
    ignore,
    async fn() {
      const { code, text } = await runFile(
        runner,
        "store.has = async () => true;",
      );

      assertStringIncludes(
        text,
        "has before set: expected false: received true",
      );
      assertMatch(text, /MyStore\.has\(\) tells whether there is an entry/);
      assertEquals(code, 1);
    },
  });
}
