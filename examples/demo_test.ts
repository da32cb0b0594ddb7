import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { createApp } from "./demo_app.ts";
import { demoCommand, startDemo } from "./demo_process.ts";

/** A browser without a window: keeps the one cookie and follows no redirect. */
class Visitor {
  cookie = "";
  readonly #fetch: (req: Request) => Promise<Response>;
  readonly #origin: string;

  constructor(
    fetch: (req: Request) => Promise<Response>,
    origin = "http://localhost",
  ) {
    this.#fetch = fetch;
    this.#origin = origin;
  }

  async get(path: string): Promise<{ status: number; text: string }> {
    const res = await this.#send(
      new Request(this.#origin + path, { redirect: "manual" }),
    );
    return { status: res.status, text: await res.text() };
  }

  async post(
    path: string,
    form: Record<string, string>,
    headers: Record<string, string> = { origin: this.#origin },
  ): Promise<{ status: number; location: string | null; text: string }> {
    const res = await this.#send(
      new Request(this.#origin + path, {
        method: "POST",
        body: new URLSearchParams(form),
        headers,
        redirect: "manual",
      }),
    );
    const location = res.headers.get("location");
    return { status: res.status, location, text: await res.text() };
  }

  async #send(req: Request): Promise<Response> {
    if (this.cookie !== "") req.headers.set("cookie", this.cookie);
    const res = await this.#fetch(req);
    for (const line of res.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      this.cookie = pair.endsWith("=") ? "" : pair;
    }
    return res;
  }
}

function add(visitor: Visitor, tea = "assam"): Promise<{ status: number }> {
  return visitor.post("/cart", { tea, change: "1" });
}

Deno.test("demo keeps a cart, renews the id at sign-in and ends the session at sign-out", async () => {
  await using demo = await startDemo();
  const visitor = new Visitor((req) => fetch(req), demo.origin);

  await add(visitor);
  await add(visitor, "mate");
  const anonymous = visitor.cookie;
  const signedIn = await visitor.post("/sign-in", { name: "Ada" });
  const member = visitor.cookie;

  assertEquals(signedIn, { status: 303, location: "/account", text: "" });
  assert(anonymous !== member);
  const account = (await visitor.get("/account")).text;
  assertStringIncludes(account, "Hello, Ada");
  assertStringIncludes(account, "<dd>2 tins</dd>");
  assertMatch(account, /ends in (60 min 0|59 min \d+) s unless/);

  await visitor.post("/sign-out", {});

  assertEquals(visitor.cookie, "");
  for (const cookie of [anonymous, member]) {
    visitor.cookie = cookie;
    assertEquals((await visitor.get("/account")).status, 303);
    assertStringIncludes((await visitor.get("/cart")).text, "It is empty");
  }
});

Deno.test("demo gives nobody a session who only looks", async () => {
  const app = createApp();
  const visitor = new Visitor(app);

  for (const path of ["/", "/cart", "/sign-in", "/store", "/nothing"]) {
    await visitor.get(path);
  }

  assertEquals(visitor.cookie, "");
  assertStringIncludes((await visitor.get("/store")).text, "<p>0 entries.");
});

Deno.test("demo loses no tin when two tabs add at the same time", async () => {
  const visitor = new Visitor(createApp());
  await add(visitor);

  await Promise.all(Array.from({ length: 20 }, () => add(visitor)));

  assertStringIncludes(
    (await visitor.get("/cart")).text,
    '<td class="number">21</td>',
  );
});

Deno.test("demo shows nothing of one visitor to another", async () => {
  const app = createApp();
  const ada = new Visitor(app);
  await ada.post("/sign-in", { name: "Ada Lovelace" });
  const other = new Visitor(app);
  const [, id = ""] = ada.cookie.split("=");

  for (const path of ["/", "/cart", "/sign-in", "/account", "/store"]) {
    const { text } = await other.get(path);
    assertFalse(text.includes("Ada"), path);
    assertFalse(text.includes(id), path);
  }
  assertFalse((await ada.get("/store")).text.includes(id));
});

Deno.test("demo escapes what a visitor has written", async () => {
  const visitor = new Visitor(createApp());
  await visitor.post("/sign-in", { name: `<script>"'&` });

  const { text } = await visitor.get("/account");

  assertFalse(text.includes("<script>"));
  assertStringIncludes(text, "Hello, &lt;script&gt;&quot;&#39;&amp;");
});

for (
  const [what, headers] of Object.entries({
    "an origin of another site": { origin: "http://evil.example" },
    "a fetch from another site": { "sec-fetch-site": "cross-site" },
    "a fetch from a sibling": { "sec-fetch-site": "same-site" },
  })
) {
  Deno.test(`demo refuses a form with ${what}`, async () => {
    const visitor = new Visitor(createApp());

    const { status } = await visitor.post("/sign-in", { name: "x" }, headers);

    assertEquals(status, 403);
    assertEquals(visitor.cookie, "");
  });
}

for (
  const [what, path, form, status] of [
    ["a tea that is not there", "/cart", { tea: "x", change: "1" }, 400],
    ["a prototype for a tea", "/cart", { tea: "__proto__", change: "1" }, 400],
    ["a change of 1,000", "/cart", { tea: "mate", change: "1000" }, 400],
    ["a change of NaN", "/cart", { tea: "mate", change: "x" }, 400],
    ["a form of 1 MB", "/cart", { tea: "x".repeat(1e6), change: "1" }, 400],
    ["no name", "/sign-in", { name: " " }, 422],
    ["a long name", "/sign-in", { name: "x".repeat(41) }, 422],
    ["a wrong address", "/carts", {}, 404],
    ["a wrong method", "/account", {}, 405],
  ] as const
) {
  Deno.test(`demo answers ${status} to ${what}`, async () => {
    const visitor = new Visitor(createApp());

    assertEquals((await visitor.post(path, { ...form })).status, status);
    assertEquals(visitor.cookie, "");
  });
}

Deno.test("demo forbids scripts, foreign content and caches", async () => {
  const res = await createApp()(new Request("http://localhost/"));

  assertStringIncludes(
    res.headers.get("content-security-policy") ?? "",
    "default-src 'none'",
  );
  assertEquals(res.headers.get("cache-control"), "no-store");
  assertFalse((await res.text()).includes("<script"));
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `demo.ts stops cleanly at ${signal}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using demo = await startDemo();

      const { code, stdout } = await demo.stop(signal);

      assertEquals(code, 0);
      assertStringIncludes(stdout, "Stopped.");
    },
  });
}

Deno.test("demo.ts says that the port is taken, and what to write instead", async () => {
  await using demo = await startDemo();
  const port = Number(new URL(demo.origin).port);

  const { code, stderr } = await demoCommand("--port", `${port}`).output();

  assertEquals(code, 1);
  assertEquals(
    new TextDecoder().decode(stderr),
    `Cannot start demo: port ${port} is in use: write --port ${
      port + 1
    }, or stop what uses it\n`,
  );
});

for (const value of ["x", "-1", "1.5", "65536", ""]) {
  Deno.test(`demo.ts refuses --port=${value}`, async () => {
    const { code, stderr } = await demoCommand(`--port=${value}`).output();

    assertEquals(code, 1);
    assertStringIncludes(
      new TextDecoder().decode(stderr),
      "Cannot start demo: --port must be a whole number from 0 to 65535",
    );
  });
}

Deno.test("demo.ts refuses an option it does not know, and says which there are", async () => {
  const { code, stderr } = await demoCommand("--prot", "1").output();

  assertEquals(code, 1);
  assertStringIncludes(new TextDecoder().decode(stderr), "--port N");
});
