import { assert, assertEquals } from "@std/assert";
import {
  findDependencies,
  findProblems,
  measureSize,
  median,
  type Size,
  timeStarts,
} from "./size.ts";

function makeSize(gzip: number, dependencies: string[] = []): Size {
  return { name: "./a", minified: 2 * gzip, gzip, dependencies };
}

/** A module of its own, in a folder of its own. */
async function makeModule(
  code: string,
): Promise<AsyncDisposable & { path: string; output: string }> {
  const folder = await Deno.makeTempDir({ prefix: "harpia" });
  const path = `${folder}/a.ts`;
  await Deno.writeTextFile(path, code);
  return {
    path,
    output: `${folder}/a.js`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("findProblems() finds none at the budget", () => {
  assertEquals(findProblems([makeSize(10)], { "./a": 10 }), []);
});

Deno.test("findProblems() tells by how much an export is over its budget", () => {
  assertEquals(findProblems([makeSize(11)], { "./a": 10 }), [
    "./a is 1 bytes over its budget",
  ]);
});

Deno.test("findProblems() asks for a budget", () => {
  assertEquals(findProblems([makeSize(1)], { "./b": 10 }), [
    "./a has no budget",
  ]);
});

Deno.test("findProblems() names what an export depends on", () => {
  assertEquals(findProblems([makeSize(1, ["npm:x"])], { "./a": 10 }), [
    "./a depends on npm:x",
  ]);
});

Deno.test("measureSize() measures a module with what it imports", async () => {
  const text = Array.from({ length: 200 }, (_, i) => i * i).join();
  const store = new URL("../store.ts", import.meta.url).href;
  await using small = await makeModule(`export * from "${store}";`);
  await using large = await makeModule(
    `export * from "${store}"; export const text = "${text}";`,
  );

  const one = await measureSize("./a", small.path, small.output);
  const two = await measureSize("./a", large.path, large.output);

  assertEquals(one.dependencies, []);
  assert(one.gzip > 100);
  assert(one.gzip < one.minified);
  assertEquals(two.minified - one.minified > text.length, true);
});

Deno.test("findDependencies() finds modules of the runtime", async () => {
  await using module = await makeModule(`export * from "node:path";`);

  assertEquals(await findDependencies(module.path), ["node:path"]);
});

for (
  const [numbers, expected] of [
    [[3], 3],
    [[1, 2], 1.5],
    [[10, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ] as const
) {
  Deno.test(`median() of ${numbers} is ${expected}`, () => {
    assertEquals(median(numbers), expected);
  });
}

Deno.test("timeStarts() measures each module", async () => {
  await using module = await makeModule("export {};");
  const args = ["run", "--no-config", "--no-check"];

  const times = await timeStarts(Deno.execPath(), args, [
    module.path,
    module.path,
  ], 1);

  assertEquals(times.map((time) => time > 0), [true, true]);
});
