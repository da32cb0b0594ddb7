/**
 * The npm package as its consumers meet it: installed by npm into an empty
 * project, on Node and Bun, under several versions of TypeScript.
 *
 * The variable `NPM_ARTIFACT` names the artefact, a `.tgz` or the folder that
 * dnt has built. Without it there are two: the tarball of
 * `scripts/pack_npm.ts`, and what `scripts/build_npm.ts` builds with a stand-in
 * for dnt.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { ENTRY_POINTS, NPM_METADATA, ROOT } from "../scripts/npm_package.ts";
import { moduleNames } from "./_graph.ts";
import {
  type Artefact,
  ARTEFACTS,
  npmAnswers,
  type Runtime,
  type TypeScript,
  Workshop,
} from "./_workshop.ts";

const required = Deno.env.get("REQUIRE_INTEGRATION") === "1";
const skipped = !required && !await npmAnswers();

const RUNTIMES: Runtime[] = ["node", "bun"];

const TYPESCRIPTS: TypeScript[] = ["5.9", "6", "7"];

/**
 * How consumers set `module` and `moduleResolution`, and what they compile so.
 * To check the libraries of TypeScript, which takes longer than all else, once
 * is enough.
 */
const RESOLUTIONS = [
  { module: "nodenext", files: ["types.ts", "types_require.cts"] },
  {
    module: "node16",
    skipDefaultLibCheck: true,
    files: ["types.ts", "types_require.cts"],
  },
  {
    module: "esnext",
    moduleResolution: "bundler",
    skipDefaultLibCheck: true,
    files: ["types.ts"],
  },
];

/** What a consumer writes to get each export. */
const SPECIFIERS = ENTRY_POINTS.map(({ name }) => ({
  name,
  specifier: NPM_METADATA.name + name.slice(1),
}));

/** Expressions for an object of all modules, by the names of the exports. */
const MODULES = {
  import: objectOf((specifier) => `await import("${specifier}")`),
  require: objectOf((specifier) => `require("${specifier}")`),
};

function objectOf(expression: (specifier: string) => string): string {
  const members = SPECIFIERS.map(({ name, specifier }) =>
    `"${name}": ${expression(specifier)}`
  );
  return `{ ${members.join(", ")} }`;
}

let workshop: Workshop | undefined;

if (!skipped) {
  Deno.test.beforeAll(async () => {
    workshop = await Workshop.open();
  });
  Deno.test.afterAll(async () => await workshop?.close());
}

/** A test for each artefact. */
function artefactTest(
  behaviour: string,
  fn: (artefact: Artefact) => Promise<void> | void,
): void {
  for (const artefact of ARTEFACTS) {
    const name = `npm artefact (${artefact}) ${behaviour}`;
    Deno.test({
      name: skipped ? `${name} (skipped: npm's registry is not reached)` : name,
      ignore: skipped,
      async fn() {
        assert(workshop, "the workshop must be open");
        await fn(workshop.artefact(artefact));
      },
    });
  }
}

artefactTest("holds the modules of the package and nothing else", async ({
  dual,
  files,
}) => {
  const modules = (await moduleNames()).map((name) => name.slice(0, -3));
  const entries = ENTRY_POINTS.map(({ path }) => path.slice(2, -3));
  const expected = ["LICENSE", "README.md", "package.json"];
  for (const folder of dual ? ["esm/", "script/"] : [""]) {
    if (dual) expected.push(`${folder}package.json`);
    for (const name of modules) {
      expected.push(`${folder}${name}.js`);
      if (dual) expected.push(`${folder}${name}.js.map`);
      // `deno pack` makes declarations only where a declaration needs them.
      const declaration = `${folder}${name}.d.ts`;
      if (dual || entries.includes(name) || files.includes(declaration)) {
        expected.push(declaration);
      }
    }
  }

  assertEquals(files, expected.sort());
});

artefactTest("says what it is and depends on nothing", ({ packageJson }) => {
  const { exports, dependencies, peerDependencies, ...fields } = packageJson;

  for (const [name, value] of Object.entries(NPM_METADATA)) {
    assertEquals(fields[name], value, name);
  }
  assertEquals(
    Object.keys(exports ?? {}),
    ENTRY_POINTS.map(({ name }) => name),
  );
  assertEquals({ ...dependencies ?? {}, ...peerDependencies ?? {} }, {});
});

for (const runtime of RUNTIMES) {
  for (const kind of ["import", "require"] as const) {
    const extension = kind === "import" ? "mjs" : "cjs";

    artefactTest(
      `gives ${kind} on ${runtime} the names of the sources`,
      async (artefact) => {
        const expected: Record<string, string[]> = {};
        for (const { name, path } of ENTRY_POINTS) {
          const module = await import(new URL(path, ROOT).href);
          expected[name] = Object.keys(module).sort();
        }

        const printed = await artefact.execute(
          runtime,
          `names.${extension}`,
          `(async () => {
            const names = Object.entries(${MODULES[kind]}).map(
              ([name, module]) => [name, Object.keys(module).sort()],
            );
            console.log(JSON.stringify(Object.fromEntries(names)));
          })();`,
        );

        assertEquals(JSON.parse(printed), expected);
      },
    );

    artefactTest(
      `works by ${kind} on ${runtime}, each export`,
      async (artefact) => {
        const printed = await artefact.execute(
          runtime,
          `use_all.${extension}`,
          `(async () => {
            const { default: use } = await import("./use.mjs");
            await use(${MODULES[kind]});
            console.log("used");
          })();`,
        );

        assertEquals(printed, "used\n");
      },
    );
  }

  artefactTest(
    `runs the first example of the README on ${runtime}`,
    async (artefact) => {
      const readme = await Deno.readTextFile(new URL("README.md", ROOT));
      const [, example = ""] = readme.match(/^```ts\n([^]*?)^```/m) ?? [];

      const printed = await artefact.execute(runtime, "readme.mjs", example);

      // Each runtime has its own way to print an object.
      const words = printed.replaceAll(/[\s,'"]/g, "");
      assertEquals(words, "{visits:1}{user:ada}");
    },
  );
}

artefactTest(
  "lets a Session of import use a store of require, atomically",
  async (artefact) => {
    const printed = await artefact.execute(
      "node",
      "mixed.mjs",
      `import { createRequire } from "node:module";
      import { MemoryStore, Session } from "${NPM_METADATA.name}";
      const other = createRequire(import.meta.url)("${NPM_METADATA.name}");
      const store = new other.MemoryStore();
      const session = new Session({ store });
      const id = await session.create({ n: 0 });
      await Promise.all(Array.from({ length: 20 }, () =>
        session.update(id, async (data) => {
          const { n } = data;
          await Promise.resolve();
          data.n = n + 1;
        })));
      console.log(other.MemoryStore === MemoryStore, (await session.get(id)).n);`,
    );

    assertEquals(printed, `${!artefact.dual} 20\n`);
  },
);

for (const version of TYPESCRIPTS) {
  artefactTest(
    `type-checks in TypeScript ${version}, import and require`,
    async (artefact) => {
      const lines = SPECIFIERS.map(({ specifier }, i) =>
        `import m${i} = require("${specifier}");
        export const names${i}: string[] = Object.keys(m${i});`
      );
      await artefact.write("types_require.cts", lines.join("\n"));

      const [nodenext, node16 = [], bundler] = await Promise.all(
        RESOLUTIONS.map(({ files, ...options }) =>
          artefact.compile(version, files, options)
        ),
      );

      assertEquals(nodenext, []);
      assertEquals(bundler, []);
      // Node 16 could not `require` ES modules, and TypeScript knows.
      const refused = artefact.dual ? 0 : SPECIFIERS.length;
      assertEquals(node16.length, refused);
      for (const line of node16) {
        assertMatch(line, /^types_require\.cts.* error TS1471: /);
      }
    },
  );
}

artefactTest(
  "type-checks with the types of Node in place of the DOM",
  async (artefact) => {
    const said = await artefact.compile("5.9", ["types_node.ts"], {
      module: "nodenext",
      lib: ["es2022"],
      types: ["node"],
    });

    assertEquals(said, []);
  },
);

artefactTest("has nothing that publint warns of", async (artefact) => {
  const printed = await artefact.inspect("publint/src/cli.js", ["--strict"]);

  assertStringIncludes(printed, "All good!");
});

artefactTest(
  "has the types that each kind of import finds, says attw",
  async (artefact) => {
    const profile = artefact.dual ? "node16" : "esm-only";

    const printed = await artefact.inspect(
      "@arethetypeswrong/cli/dist/index.js",
      ["--profile", profile, "--format", "json"],
    );

    const { analysis } = JSON.parse(printed);
    assertEquals(
      Object.keys(analysis.entrypoints),
      ENTRY_POINTS.map(({ name }) => name),
    );
  },
);
