import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { buildOptions, testFiles } from "./build_npm.ts";
import { ENTRY_POINTS, ROOT, toFolder } from "./npm_package.ts";

/** An address at which nothing listens any more. */
function deadAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${listener.addr.port}/`;
}

Deno.test("build_npm.ts says in one line that it cannot load dnt, and fails", async () => {
  const cache = await Deno.makeTempDir({ prefix: "harpia" });
  const imports = { "@deno/dnt": "jsr:@deno/dnt@^0.43.0" };
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-qA",
        "--no-lock",
        `--import-map=data:application/json,${JSON.stringify({ imports })}`,
        "scripts/build_npm.ts",
        `${cache}/built`,
      ],
      cwd: ROOT,
      env: { DENO_DIR: cache, JSR_URL: deadAddress() },
    }).output();

    assertEquals(code, 1);
    assertEquals(new TextDecoder().decode(stdout), "");
    assertMatch(
      new TextDecoder().decode(stderr),
      /^error: Cannot build the npm package: jsr:@deno\/dnt must load .*\n$/,
    );
    await assertRejects(
      () => Deno.stat(`${cache}/built`),
      Deno.errors.NotFound,
    );
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("buildOptions() builds every export and runs the tests", () => {
  const options = buildOptions(toFolder("npm"), ["a_test.ts", "b_test.ts"]);

  assertEquals(options.entryPoints, ENTRY_POINTS);
  assertEquals(options.testPattern, "{a_test.ts,b_test.ts}");
});

Deno.test("testFiles() names the tests of the library that need no Deno", async () => {
  const names = await testFiles();

  for (const name of ["memory_store_test.ts", "session_test.ts"]) {
    assert(names.includes(name), name);
  }
  assertFalse(names.includes("session_e2e_test.ts"));
});
