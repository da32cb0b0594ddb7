import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import project from "../deno.json" with { type: "json" };
import {
  ENTRY_POINTS,
  finishPackage,
  listFiles,
  NPM_METADATA,
  readJson,
  referenceDisposables,
  ROOT,
  run,
  toFolder,
  writeJson,
} from "./npm_package.ts";

const REFERENCE = '/// <reference lib="esnext.disposable" />\n';

async function makeTempDir(): Promise<AsyncDisposable & { url: URL }> {
  const path = await Deno.makeTempDir({ prefix: "harpia" });
  return {
    url: toFolder(path),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("NPM_METADATA says what deno.json and the README say", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, opening = ""] = readme.split("\n\n");

  assertEquals(NPM_METADATA.name, project.name);
  assertEquals(NPM_METADATA.version, project.version);
  assertEquals(NPM_METADATA.license, project.license);
  assertEquals(NPM_METADATA.description, opening.replaceAll("\n", " "));
  assertEquals(NPM_METADATA.keywords, NPM_METADATA.keywords.toSorted());
});

Deno.test("ENTRY_POINTS begins with the package itself and has every export", () => {
  assertEquals(ENTRY_POINTS[0], { name: ".", path: "./mod.ts" });
  assertEquals(
    Object.fromEntries(ENTRY_POINTS.map(({ name, path }) => [name, path])),
    project.exports,
  );
});

for (
  const code of [
    "export class A implements Disposable {}",
    "export interface A extends AsyncDisposable {}",
    "export class A { [Symbol.dispose](): void; }",
    "export class A { [Symbol.asyncDispose](): Promise<void>; }",
  ]
) {
  Deno.test(`referenceDisposables() refers to the library for: ${code}`, () => {
    const text = referenceDisposables(code);

    assertEquals(text, REFERENCE + code);
    assertEquals(referenceDisposables(text), text);
  });
}

for (
  const code of [
    "export class A {}",
    "export class DisposableCup {}",
    "/** Is not\n * Disposable. */\nexport class A {}",
    "// Symbol.dispose\nexport class A {}",
  ]
) {
  Deno.test(`referenceDisposables() changes nothing in: ${code}`, () => {
    assertEquals(referenceDisposables(code), code);
  });
}

Deno.test("finishPackage() adds documents, the reference and sideEffects", async () => {
  await using folder = await makeTempDir();
  const { url } = folder;
  const declaration = "export interface A extends Disposable {}\n";
  await Deno.mkdir(new URL("esm/", url));
  await Deno.writeTextFile(new URL("esm/a.d.ts", url), declaration);
  await Deno.writeTextFile(new URL("esm/a.js", url), "// Disposable\n");
  await writeJson(new URL("esm/package.json", url), { type: "module" });
  await writeJson(new URL("package.json", url), { name: "outer" });

  await finishPackage(url);

  assertEquals(await listFiles(url), [
    "LICENSE",
    "README.md",
    "esm/a.d.ts",
    "esm/a.js",
    "esm/package.json",
    "package.json",
  ]);
  assertEquals(
    await Deno.readTextFile(new URL("esm/a.d.ts", url)),
    REFERENCE + declaration,
  );
  assertEquals(
    await Deno.readTextFile(new URL("esm/a.js", url)),
    "// Disposable\n",
  );
  assertEquals(await readJson(new URL("esm/package.json", url)), {
    type: "module",
    sideEffects: false,
  });
  assertEquals(await readJson(new URL("package.json", url)), { name: "outer" });
});

Deno.test("listFiles() leaves out what npm has installed", async () => {
  await using folder = await makeTempDir();
  await Deno.mkdir(new URL("node_modules/a", folder.url), { recursive: true });
  await Deno.writeTextFile(new URL("node_modules/a/b.js", folder.url), "");
  await Deno.writeTextFile(new URL("a.js", folder.url), "");

  assertEquals(await listFiles(folder.url), ["a.js"]);
});

Deno.test("run() resolves to what was printed", async () => {
  const printed = await run("node", ["-p", "process.env.TEA"], {
    cwd: ROOT,
    env: { TEA: "assam" },
  });

  assertEquals(printed, "assam\n");
});

Deno.test("run() rejects with what was printed when the command fails", async () => {
  const error = await assertRejects(
    () =>
      run("node", ["-e", "console.error('no tea'); process.exit(3)"], {
        cwd: ROOT,
      }),
    Error,
    "Cannot run node -e: it must exit with 0: received 3",
  );

  assertStringIncludes(error.message, "no tea");
});
