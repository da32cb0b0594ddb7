/**
 * The JSR package as its consumers meet it: published from the working tree to
 * a registry on the loopback, and imported from there by a project with a cache
 * of its own.
 */

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  ENTRY_POINTS,
  NPM_METADATA,
  readJson,
  ROOT,
  run,
  toFolder,
  writeJson,
} from "../scripts/npm_package.ts";
import { moduleNames } from "./_graph.ts";
import { Registry } from "./_registry.ts";

const { name, version } = NPM_METADATA;

const SPECIFIER = `jsr:${name}@${version}`;

/** What is published besides the modules. */
const DOCUMENTS = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "RECIPES.md",
  "deno.json",
];

/** A project whose registry has the package, and whose cache is empty. */
class Consumer implements AsyncDisposable {
  readonly #registry: Registry;
  readonly #folder: URL;

  private constructor(registry: Registry, folder: URL) {
    this.#registry = registry;
    this.#folder = folder;
  }

  static async open(registry: Registry): Promise<Consumer> {
    const path = await Deno.makeTempDir({ prefix: "harpia" });
    const consumer = new Consumer(registry, toFolder(path));
    await consumer.configure({});
    for (const fixture of ["types.ts", "use.mjs"]) {
      const source = new URL(`project/${fixture}`, import.meta.url);
      await Deno.copyFile(source, consumer.file(fixture));
    }
    return consumer;
  }

  file(path: string): URL {
    return new URL(path, this.#folder);
  }

  async configure(compilerOptions: Record<string, unknown>): Promise<void> {
    const imports = { [name]: SPECIFIER };
    await writeJson(this.file("deno.json"), { imports, compilerOptions });
  }

  /** Runs a command of deno, in the project unless told otherwise. */
  async deno(args: string[], cwd: URL = this.#folder): Promise<string> {
    const env = {
      DENO_DIR: fileURLToPath(this.file("cache")),
      JSR_URL: this.#registry.url,
    };
    return await run(Deno.execPath(), args, { cwd, env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

let registry: Registry;

Deno.test.beforeAll(async () => {
  registry = new Registry();
  await using consumer = await Consumer.open(registry);
  const flags = ["--token=none", "--no-provenance", "--allow-dirty"];
  await consumer.deno(["publish", ...flags, "--no-lock"], ROOT);
});

Deno.test.afterAll(() => registry[Symbol.asyncDispose]());

Deno.test("JSR package holds the modules, the documents and nothing else", async () => {
  const expected = [...await moduleNames(), ...DOCUMENTS].sort();

  assertEquals(registry.files, expected);
});

Deno.test("JSR package works in Deno, each export, without any permission", async () => {
  await using consumer = await Consumer.open(registry);
  const modules = ENTRY_POINTS.map((entry) =>
    `"${entry.name}": await import("${name}${entry.name.slice(1)}")`
  );
  await Deno.writeTextFile(
    consumer.file("main.ts"),
    `import use from "./use.mjs";
    await use({ ${modules.join(", ")} });
    console.log("used");`,
  );

  const printed = await consumer.deno(["run", "--no-prompt", "main.ts"]);

  assertEquals(printed, "used\n");
});

Deno.test("JSR package gets its checksum, and nothing else, into a lock file", async () => {
  await using consumer = await Consumer.open(registry);

  await consumer.deno(["cache", "types.ts"]);

  const { specifiers, jsr, npm } = await readJson(consumer.file("deno.lock"));
  assertEquals(specifiers, { [SPECIFIER]: version });
  assertEquals(jsr, {
    [`${name}@${version}`]: { integrity: await registry.integrity() },
  });
  assertEquals(npm, undefined);
});

Deno.test("JSR package type-checks in Deno, its sources included", async () => {
  await using consumer = await Consumer.open(registry);

  await consumer.deno(["check", "--all", "types.ts"]);
});

Deno.test("JSR package type-checks in Deno for a consumer with strict options", async () => {
  await using consumer = await Consumer.open(registry);
  await consumer.configure({
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  });

  await consumer.deno(["check", "types.ts"]);
});
