import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { makeDeno, readDefinition, type TestDefinition } from "./definition.ts";

const fn = (): void => {};

Deno.test("readDefinition() takes a name and a function", () => {
  assertEquals(readDefinition("a", fn), { name: "a", ignore: false, fn });
});

Deno.test("readDefinition() takes an object", () => {
  const definition = readDefinition({ name: "a", ignore: true, fn });

  assertEquals(definition, { name: "a", ignore: true, fn });
});

Deno.test("readDefinition() takes sanitizers, which nothing else has", () => {
  const definition = { name: "a", fn, sanitizeOps: false };

  assertEquals(readDefinition(definition), { name: "a", ignore: false, fn });
});

const WRONG: Record<string, [args: unknown[], rule: string]> = {
  "an unknown option": [[{ name: "a", fn, only: true }], "only is not known"],
  "no name": [[{ fn }], "name must be a text"],
  "an empty name": [["", fn], "name must be a text"],
  "a function in the place of a name": [[fn], "name must be a text"],
  "no function": [["a"], "fn must be a function"],
  "a function that takes a context": [
    ["a", (_context: unknown) => {}],
    "without parameters",
  ],
  "an ignore that is no boolean": [
    [{ name: "a", fn, ignore: 1 }],
    "ignore must be a boolean",
  ],
};
for (const [name, [args, rule]] of Object.entries(WRONG)) {
  Deno.test(`readDefinition() refuses ${name}`, () => {
    const read = readDefinition as (...args: unknown[]) => unknown; // wrong on purpose

    assertThrows(() => read(...args), TypeError, rule);
  });
}

Deno.test("makeDeno() registers tests in their order", () => {
  const tests: Required<TestDefinition>[] = [];
  const deno = makeDeno((test) => tests.push(test), String);

  deno.test("a", fn);
  deno.test({ name: "b", ignore: true, fn });

  assertEquals(tests.map(({ name, ignore }) => ({ name, ignore })), [
    { name: "a", ignore: false },
    { name: "b", ignore: true },
  ]);
});

Deno.test("makeDeno() shows values as it is told, and lets timers go", () => {
  let calls = 0;
  const deno = makeDeno(() => {}, (value) => `<${value}>`);

  deno.unrefTimer({ unref: () => calls++ });
  deno.unrefTimer(1);

  assertEquals(deno.inspect(2), "<2>");
  assertStrictEquals(calls, 1);
});
