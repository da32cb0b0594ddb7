import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import standIns from "../offline/import_map.json" with { type: "json" };
import project from "../deno.json" with { type: "json" };
import { askJsr, chooseStd, denoArgs } from "./deno.ts";
import type { StdChoice } from "./deno.ts";

const RUNNER = new URL("./deno.ts", import.meta.url).href;
const ROOT = new URL("../", import.meta.url);
const STD = Object.keys(standIns.imports).filter((name) =>
  name.startsWith("@std/")
);

async function makeTempDir(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "harpia" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A registry on the loopback, and the paths it was asked for. */
function serveJsr(
  handler: (request: Request) => Response | Promise<Response>,
): AsyncDisposable & { url: string; paths: string[] } {
  const paths: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      paths.push(new URL(request.url).pathname);
      return handler(request);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    paths,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A registry whose packages are all empty, in the layout of JSR. */
async function serveEmptyPackages(request: Request): Promise<Response> {
  const [, scope, name, file] = new URL(request.url).pathname.split("/");
  const id = `${scope}/${name}`;
  const [, wanted] = Object.entries(project.imports)
    .find(([key]) => key === id) ?? [];
  const version = wanted?.split("^")[1] ?? "0.0.0";
  if (file === "meta.json") {
    return Response.json({ versions: { [version]: {} }, latest: version });
  }
  const code = new TextEncoder().encode("export {};\n");
  if (file === version) return new Response(code);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", code));
  return Response.json({
    manifest: {
      "/mod.ts": { size: code.length, checksum: `sha256-${digest.toHex()}` },
    },
    exports: Object.fromEntries(
      STD.filter((key) => key === id || key.startsWith(`${id}/`))
        .map((key) => [`.${key.slice(id.length)}`, "./mod.ts"]),
    ),
  });
}

function neverAsk(): never {
  throw new Error("Cannot choose @std: JSR was asked against the setting");
}

for (const setting of ["jsr", "offline"] as const) {
  Deno.test(`chooseStd() obeys ${setting} without asking`, async () => {
    const choice = await chooseStd(setting, neverAsk);

    assertEquals(choice, { source: setting, why: `HARPIA_STD=${setting}` });
  });
}

Deno.test("chooseStd() asks when nothing is set", async () => {
  const answer: StdChoice = { source: "jsr", why: "it answers" };

  assertEquals(
    await chooseStd(undefined, () => Promise.resolve(answer)),
    answer,
  );
});

for (const setting of ["", "JSR", "1", "offline "]) {
  Deno.test(`chooseStd() rejects the setting "${setting}"`, async () => {
    await assertRejects(
      () => chooseStd(setting, neverAsk),
      RangeError,
      `must be "jsr" or "offline": received "${setting}"`,
    );
  });
}

Deno.test("denoArgs() leaves the command alone when JSR is in reach", () => {
  assertEquals(denoArgs("jsr", ["test", "--doc"]), ["test", "--doc"]);
});

Deno.test("denoArgs() gives the stand-ins' flags to the command", () => {
  assertEquals(denoArgs("offline", ["test", "--doc", "a_test.ts"]), [
    "test",
    "--import-map=offline/import_map.json",
    "--lock=offline/deno.lock",
    "--doc",
    "a_test.ts",
  ]);
});

Deno.test("denoArgs() throws without a command", () => {
  assertThrows(() => denoArgs("jsr", []), TypeError, "command");
});

Deno.test("askJsr() chooses JSR when it answers", async () => {
  await using dir = await makeTempDir();
  await using jsr = serveJsr(() => Response.json({}));

  const choice = await askJsr({
    env: { DENO_DIR: dir.path, JSR_URL: jsr.url },
  });

  assertEquals(choice, { source: "jsr", why: "it answers" });
  assertEquals(jsr.paths.length, 1);
  assertStringIncludes(jsr.paths.join(), "/meta.json");
});

Deno.test("askJsr() chooses the stand-ins when JSR has no packages", async () => {
  await using dir = await makeTempDir();
  await using jsr = serveJsr(() => new Response(null, { status: 404 }));

  const choice = await askJsr({
    env: { DENO_DIR: dir.path, JSR_URL: jsr.url },
  });

  assertEquals(choice.source, "offline");
  assertStringIncludes(choice.why, "JSR answers 404");
  assertStringIncludes(choice.why, "HARPIA_STD=jsr");
});

Deno.test("askJsr() chooses the stand-ins when JSR hangs", async () => {
  await using dir = await makeTempDir();
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using jsr = serveJsr(() => promise);
  const env = { DENO_DIR: dir.path, JSR_URL: jsr.url };

  const choice = await askJsr({ env, timeout: 50 });
  resolve(new Response());

  assertEquals(choice.source, "offline");
  assertStringIncludes(choice.why, "JSR does not answer");
  assertEquals(jsr.paths.length, 1);
});

Deno.test("askJsr() chooses the stand-ins when nobody listens", async () => {
  await using dir = await makeTempDir();
  const { url } = await (async () => {
    await using jsr = serveJsr(() => new Response());
    return jsr;
  })();

  const choice = await askJsr({ env: { DENO_DIR: dir.path, JSR_URL: url } });

  assertEquals(choice.source, "offline");
  assertStringIncludes(choice.why, "JSR does not answer");
});

Deno.test("askJsr() chooses JSR when all of it is in the cache", async () => {
  await using dir = await makeTempDir();
  await using jsr = serveJsr(serveEmptyPackages);
  const env = { DENO_DIR: dir.path, JSR_URL: jsr.url };
  const file = `${dir.path}/std.ts`;
  await Deno.writeTextFile(file, STD.map((n) => `import "${n}";`).join(""));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--no-npm", "--config=deno.json", file],
    cwd: ROOT,
    env,
    stderr: "null",
  }).output();
  assert(success, "the loopback registry must be one that deno can read");
  const asked = jsr.paths.length;

  const choice = await askJsr({ env });

  assertEquals(choice, { source: "jsr", why: "it is in the cache" });
  assertEquals(jsr.paths.length, asked);
});

/** Starts the runner, in another folder, on a command that runs this code. */
function startRunner(setting: string, ...lines: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", RUNNER, "eval", lines.join("\n")],
    cwd: new URL("./", import.meta.url),
    env: { HARPIA_STD: setting },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function finish(
  child: Deno.ChildProcess,
  input = "",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test("scripts/deno.ts gives a command the stand-ins, in any folder", async () => {
  const child = startRunner(
    "offline",
    `console.log(import.meta.resolve("@std/async"));`,
  );

  const { code, stdout, stderr } = await finish(child);

  assertEquals(code, 0);
  assertEquals(stdout.trim(), new URL("offline/async.ts", ROOT).href);
  assertStringIncludes(
    stderr,
    "@std/*: the stand-ins in offline/ (HARPIA_STD=offline)\n",
  );
});

Deno.test("scripts/deno.ts leaves @std/* to JSR", async () => {
  const child = startRunner("jsr", `console.log(Deno.args);`);

  const { code, stderr } = await finish(child);

  assertEquals(code, 0);
  assertStringIncludes(stderr, "@std/*: from JSR (HARPIA_STD=jsr)\n");
});

Deno.test("scripts/deno.ts hands on the input and the exit code", async () => {
  const child = startRunner(
    "offline",
    `const input = await new Response(Deno.stdin.readable).text();`,
    `Deno.exit(input.length);`,
  );

  const { code } = await finish(child, "seven..");

  assertEquals(code, 7);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `scripts/deno.ts hands on ${signal}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const child = startRunner(
        "offline",
        `Deno.addSignalListener("${signal}", () => Deno.exit(7));`,
        `console.log("ready");`,
        `await new Response(Deno.stdin.readable).text();`,
      );
      const stdout = child.stdout.getReader();
      await stdout.read();

      child.kill(signal);

      // Without the signal the command would wait for ever.
      const limit = setTimeout(() => child.kill("SIGKILL"), 10_000);
      const { code } = await child.status;
      clearTimeout(limit);
      await stdout.cancel();
      await child.stderr.cancel();
      await child.stdin.abort();
      assertEquals(code, 7);
    },
  });
}

Deno.test("scripts/deno.ts runs nothing with a setting it does not know", async () => {
  const child = startRunner("on", `console.log("ran");`);

  const { code, stdout, stderr } = await finish(child);

  assertEquals([code, stdout], [2, ""]);
  assertStringIncludes(stderr, `HARPIA_STD must be "jsr" or "offline"`);
});
