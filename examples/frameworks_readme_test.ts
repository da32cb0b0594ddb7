/** What the README shows of the examples in `frameworks/` is in them. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** A link to an example, and the block of code that follows. */
const SNIPPET =
  /\[all of it\]\((examples\/frameworks\/\w+\.ts)\)[^]*?```ts ignore\n([^]*?)^```/gm;

const readme = await Deno.readTextFile(new URL("README.md", ROOT));
const snippets = Array.from(
  readme.matchAll(SNIPPET),
  ([, path = "", code = ""]) => ({ path, code }),
);

Deno.test("README.md shows parts of the examples for frameworks", () => {
  assertEquals(snippets.map(({ path }) => path).sort(), [
    "examples/frameworks/deno_serve.ts",
    "examples/frameworks/express.ts",
    "examples/frameworks/fastify.ts",
    "examples/frameworks/hono.ts",
  ]);
});

for (const { path, code } of snippets) {
  Deno.test(`README.md shows what is in ${path}`, async () => {
    const example = await Deno.readTextFile(new URL(path, ROOT));
    const unindent = (text: string): string => text.replaceAll(/^ +/gm, "");
    for (const paragraph of unindent(code).trim().split("\n\n")) {
      assert(unindent(example).includes(paragraph), paragraph);
    }
  });
}
