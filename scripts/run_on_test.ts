import {
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { RUNTIMES, skipsFor } from "../runtimes/skips.ts";
import { readArgs } from "./run_on.ts";

const ROOT = new URL("../", import.meta.url);

/** Test files, and what is to be said of them on each runtime. */
const FILES: Record<string, { code: string; expected: string }> = {
  mixed_test: {
    code: `
import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { MemoryStore, Session } from "@harpia/memory-store";

// Workers have neither timers nor random numbers here.
const session = new Session({ store: new MemoryStore({ ttl: 1_000 }) });
let awaited = false;

Deno.test("passes", () => assertEquals({ a: [1] }, { a: [1] }));
Deno.test("is awaited", async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  awaited = true;
});
Deno.test("runs after the one before it", () => assert(awaited));
Deno.test("uses a store that the module has made", async () => {
  using time = new FakeTime();
  const id = await session.create({ user: "ada" });
  time.tick(1);
  assertEquals(await session.get(id), { user: "ada" });
});
Deno.test({ name: "is ignored", ignore: true, fn: () => { throw 1; } });
Deno.test("fails", () => assertEquals(1, 2));
Deno.test("fails later", async () => {
  await Promise.resolve();
  throw new Error("later");
});
`,
    expected: "4 passed, 2 failed, 1 skipped",
  },
  stray_test: {
    code: `
Deno.test("leaves a rejection alone", async () => {
  Promise.reject(new Error("stray"));
  await new Promise((resolve) => setTimeout(resolve, 20));
});
`,
    expected: "1 passed, 1 failed, 0 skipped",
  },
  load_test: {
    code: `
Deno.test("passes", () => {});
if (!("Deno" in globalThis)) throw new Error("on load");
`,
    expected: "0 passed, 1 failed, 0 skipped",
  },
  vanish_test: {
    code: `
Deno.test("stays", () => {});
if ("Deno" in globalThis) Deno.test("vanishes", () => {});
`,
    expected: "1 passed, 1 failed, 0 skipped",
  },
};

async function runOn(
  ...args: string[]
): Promise<{ code: number; text: string }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "scripts/run_on.ts", ...args],
    cwd: ROOT,
    stdin: "null",
    stderr: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

Deno.test("readArgs() takes one runtime and its files", () => {
  assertEquals(readArgs(["bun", "a_test.ts"]), {
    names: ["bun"],
    files: ["a_test.ts"],
  });
});

Deno.test("readArgs() takes all runtimes", () => {
  assertEquals(readArgs(["all"]), { names: [...RUNTIMES], files: [] });
});

for (const args of [[], ["deno"], ["a_test.ts"]]) {
  Deno.test(`readArgs() refuses "${args}"`, () => {
    assertThrows(() => readArgs(args), RangeError, "runtime must be all, node");
  });
}

Deno.test("skipsFor() says nothing of files and runtimes that skip nothing", () => {
  assertEquals(skipsFor("node", "session_test.ts"), {});
  assertEquals(skipsFor("chromium", "none_test.ts"), {});
});

Deno.test("run_on.ts ends with 2 without a runtime", async () => {
  const { code, text } = await runOn("deno");

  assertEquals(code, 2);
  assertStringIncludes(text, "received deno");
});

Deno.test({
  name: "run_on.ts tells on each runtime what fails, and ends with 1",
  ignore: Deno.env.get("REQUIRE_INTEGRATION") !== "1",
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "harpia" });
    try {
      const library = new URL("mod.ts", ROOT).href;
      const paths: string[] = [];
      for (const [name, { code }] of Object.entries(FILES)) {
        const path = `${folder}/${name}.ts`;
        const text = code.replace("@harpia/memory-store", library);
        await Deno.writeTextFile(path, text);
        paths.push(path);
      }

      const { code, text } = await runOn("all", ...paths);

      assertEquals(code, 1);
      for (const runtime of RUNTIMES) {
        for (const [name, { expected }] of Object.entries(FILES)) {
          const line = `^${runtime}: .*/${name}\\.ts: ${expected} `;
          assertMatch(text, new RegExp(line, "m"));
        }
        assertMatch(text, new RegExp(`^${runtime}: 6 passed, 5 failed`, "m"));
      }
      assertMatch(text, /mixed_test\.ts:26:/);
      assertStringIncludes(text, "Error: stray");
      assertStringIncludes(text, "Error: on load");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
