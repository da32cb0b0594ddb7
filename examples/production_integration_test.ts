/** Two processes of `production.ts` on one engine are one application. */

import { assert, assertEquals } from "@std/assert";
import { redisTest } from "../_redis_server.ts";

/** A process of the example. It ends with the test. */
async function startServer(
  sessions: string,
): Promise<{ origin: string } & AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-prompt", "examples/production.ts"],
    cwd: new URL("../", import.meta.url),
    env: { SESSIONS: sessions, PORT: "0", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  while (!printed.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("Cannot test: production.ts has ended");
    printed += value;
  }
  return {
    origin: printed.trim().replace(/\/$/, ""),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

async function call(
  url: string,
  cookie: string,
  method = "GET",
): Promise<{ status: number; text: string; cookie: string }> {
  const res = await fetch(url, { method, headers: { cookie } });
  const text = await res.text();
  const [sent = ""] = res.headers.getSetCookie()[0]?.split(";") ?? [];
  return { status: res.status, text, cookie: sent };
}

async function assertShared(sessions: string): Promise<void> {
  await using first = await startServer(sessions);
  await using second = await startServer(sessions);

  const { cookie } = await call(`${first.origin}/sign-in`, "", "POST");
  assert(cookie.startsWith("__Host-session_id="));

  // Ten visits to each at once: none is lost.
  const visits = [first, second].flatMap(({ origin }) =>
    Array.from({ length: 10 }, () => call(`${origin}/`, cookie))
  );
  for (const { status } of await Promise.all(visits)) assertEquals(status, 200);
  assertEquals((await call(`${second.origin}/`, cookie)).text, "ada: 21");

  await call(`${second.origin}/sign-out`, cookie, "POST");
  assertEquals((await call(`${first.origin}/`, cookie)).status, 401);
}

redisTest(
  "examples/production.ts shares sessions between processes by Redis",
  async ({ url }) => {
    await assertShared(url);
  },
);

Deno.test("examples/production.ts shares sessions between processes by a file of Deno KV", async () => {
  const folder = await Deno.makeTempDir({ prefix: "harpia_production" });
  try {
    await assertShared(`kv:${folder}/sessions.sqlite`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
