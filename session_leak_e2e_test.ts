/**
 * R19: runs the session tests again, in a process that is watched, and looks for
 * every id and all data they have used in what the process prints, in the errors
 * that leave a session, and in sessions that are shown.
 *
 * The last tests plant leaks, to see that they are found.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { LeakReport } from "./scripts/leak_probe.ts";
import { makeSearch } from "./scripts/leak_search.ts";

const ROOT = new URL("./", import.meta.url);

/** They may hold what a test uses, such as the word "secret". */
const TEST_NAMES = /^.* \.\.\.( ok \(.*\))?$/gm;

/** All that was seen in the test files of one run. */
interface Watched {
  /** How many files have reported. */
  files: number;
  ids: Set<string>;
  data: Set<string>;
  errors: number;
  shown: number;
  leaks: string[];
  /** Whether all tests have passed. */
  success: boolean;
  /** What the process has printed, less the names of the tests. */
  output: string;
}

/** Runs test files with the probe before them. */
async function watch(files: string[]): Promise<Watched> {
  const folder = await Deno.makeTempDir({ prefix: "harpia_leak" });
  try {
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          ...["run", "-A", "scripts/deno.ts", "test", "-A", "--no-check"],
          ...["--parallel", "--preload=scripts/leak_probe.ts", ...files],
        ],
        cwd: ROOT,
        env: { LEAK_REPORTS: folder, NO_COLOR: "1" },
        stdin: "null",
      },
    ).output();
    const text = new TextDecoder();
    const watched: Watched = {
      files: 0,
      ids: new Set(),
      data: new Set(),
      errors: 0,
      shown: 0,
      leaks: [],
      success,
      output: (text.decode(stdout) + text.decode(stderr))
        .replace(TEST_NAMES, ""),
    };
    for await (const { name } of Deno.readDir(folder)) {
      const json = await Deno.readTextFile(`${folder}/${name}`);
      const report: LeakReport = JSON.parse(json);
      watched.files++;
      for (const id of report.ids) watched.ids.add(id);
      for (const value of report.data) watched.data.add(value);
      watched.errors += report.searched.errors;
      watched.shown += report.searched.shown;
      watched.leaks.push(...report.leaks);
    }
    return watched;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The session tests, this one left out. */
async function findSessionTests(): Promise<string[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(ROOT)) {
    if (/^session_.*test\.ts$/.test(name) && !/leak/.test(name)) {
      files.push(name);
    }
  }
  return files.sort();
}

Deno.test("R19: the session tests print no id and no data, and no error and no session shows any", async () => {
  const files = await findSessionTests();

  const watched = await watch(files);

  assert(watched.success, watched.output);
  // That there was something to be found.
  assertEquals(watched.files, files.length);
  assertGreater(watched.ids.size, 10_000);
  assertGreater(watched.data.size, 10);
  assertGreater(watched.errors, 1_000);
  assertGreater(watched.shown, 1_000);
  assertEquals(watched.leaks, []);
  assertEquals(makeSearch(watched)(watched.output), []);
});

const SECRET = "correct horse battery staple";

/** Ways to leak, each as the body of a test; `session` has the session `id`. */
const PLANTS: Record<string, { code: string; secret: "id" | "data" }> = {
  "an id on the console": {
    code: "console.log(`new session ${id}`);",
    secret: "id",
  },
  "an id within another word": {
    code: "console.error(`x${id}x`);",
    secret: "id",
  },
  "data on the console": {
    code: "console.warn(await session.get(id));",
    secret: "data",
  },
  "an id written to stderr": {
    code: "await Deno.stderr.write(new TextEncoder().encode(id));",
    secret: "id",
  },
  "an id in the message of an error": {
    code: `
      const fail = (key) => Promise.reject(new Error(\`no \${key}\`));
      const store = { get: fail, set: fail, delete: fail };
      await new Session({ store, hashIds: false }).get(id).catch(() => {});`,
    secret: "id",
  },
  "an id in the cause of an error": {
    code: `
      const cause = new Error(id);
      const fail = () => Promise.reject(new Error("no", { cause }));
      const store = { get: fail, set: fail, delete: fail };
      await new Session({ store }).get(id).catch(() => {});`,
    secret: "id",
  },
  "data in a member of an error": {
    code: `
      const fail = (data) => { throw Object.assign(new Error("no"), { data }); };
      await session.update(id, fail).catch(() => {});`,
    secret: "data",
  },
  "an id thrown where a call does not wait": {
    code: `
      const { headers } = new Response();
      headers.append = () => { throw new Error(id); };
      try { session.setCookie(headers, id); } catch {}`,
    secret: "id",
  },
  "data in a session that is shown": {
    code: `
      session.last = await session.get(id);
      for (let i = 0; i < 8; i++) await session.get(id);`,
    secret: "data",
  },
};

for (const [what, { code, secret }] of Object.entries(PLANTS)) {
  Deno.test(`R19: the watch finds ${what}`, async () => {
    const file = await Deno.makeTempFile({ suffix: "_test.ts" });
    await Deno.writeTextFile(
      file,
      `import { Session } from ${
        JSON.stringify(new URL("session.ts", ROOT).href)
      };
      Deno.test("planted", async () => {
        const session = new Session();
        const id = await session.create({ note: ${JSON.stringify(SECRET)} });
        ${code}
      });`,
    );
    try {
      const watched = await watch([file]);

      assert(watched.success, watched.output);
      const found = [
        ...watched.leaks.map((leak) => leak.split(" in ")[0] ?? ""),
        ...makeSearch(watched)(watched.output),
      ];
      assertGreater(found.length, 0);
      for (const text of found) {
        if (secret === "data") assertEquals(text, SECRET);
        else assert(watched.ids.has(text));
      }
    } finally {
      await Deno.remove(file);
    }
  });
}

Deno.test("R19: the watch finds nothing where nothing leaks", async () => {
  const watched = await watch(["session_edge_test.ts"]);

  assert(watched.success, watched.output);
  assertEquals([watched.leaks, makeSearch(watched)(watched.output)], [[], []]);
});
