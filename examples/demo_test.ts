/** The demo as an application: by its handler, and as a process by `fetch`. */

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { createApp } from "./demo_app.ts";
import { startDemo } from "./demo_process.ts";
import { TEAS } from "./demo_teas.ts";

const PAGES = ["/", "/cart", "/sign-in", "/account", "/signed-out", "/store"];

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A browser without a window: keeps the one cookie, follows no redirect. */
class Visitor {
  cookie = "";
  readonly #fetch: (req: Request) => Promise<Response>;
  readonly #origin: string;

  constructor(
    fetch: (req: Request) => Promise<Response> = createApp(),
    origin = "http://localhost",
  ) {
    this.#fetch = fetch;
    this.#origin = origin;
  }

  get id(): string {
    return this.cookie.split("=")[1] ?? "";
  }

  get(path: string): Promise<Answer> {
    return this.send(path, {});
  }

  post(path: string, form: Record<string, string> = {}): Promise<Answer> {
    const headers = { origin: this.#origin };
    const body = new URLSearchParams(form);
    return this.send(path, { method: "POST", body, headers });
  }

  add(tea: string): Promise<Answer> {
    return this.post("/add", { tea });
  }

  signIn(name: string): Promise<Answer> {
    return this.post("/sign-in", { name, password: "tea" });
  }

  async send(path: string, init: RequestInit): Promise<Answer> {
    const req = new Request(this.#origin + path, {
      ...init,
      redirect: "manual",
    });
    if (this.cookie !== "") req.headers.set("cookie", this.cookie);
    const res = await this.#fetch(req);
    for (const line of res.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      this.cookie = pair.endsWith("=") ? "" : pair;
    }
    const { status, headers } = res;
    return { status, headers, text: await res.text() };
  }

  /** What the page says of its cart, its header and its labels. */
  async see(path: string, pattern: RegExp): Promise<string | undefined> {
    return pattern.exec((await this.get(path)).text)?.[1];
  }
}

function tinsOf(visitor: Visitor): Promise<string | undefined> {
  return visitor.see("/", /<span class="count">(\d+)</);
}

function labelOf(visitor: Visitor): Promise<string | undefined> {
  return visitor.see("/account", /id="label">([0-9a-f]{8})</);
}

Deno.test("demo keeps a cart, renews the id at sign-in and ends the session at sign-out", async () => {
  await using demo = await startDemo();
  const visitor = new Visitor(fetch, demo.origin);

  const added = await visitor.add("assam");
  await visitor.add("mate");
  const anonymous = visitor.cookie;
  const signedIn = await visitor.signIn("Ada");
  const member = visitor.cookie;

  assertEquals([added.status, added.headers.get("location")], [303, "/#assam"]);
  assertEquals(signedIn.status, 303);
  assertEquals(signedIn.headers.get("location"), "/account");
  assert(anonymous !== member);
  assertEquals(await tinsOf(visitor), "2");
  const { text } = await visitor.get("/account");
  assertStringIncludes(text, "Hello, <bdi>Ada</bdi>");
  const before = /id="label-before">([0-9a-f]{8})</.exec(text)?.[1];
  const now = /id="label">([0-9a-f]{8})</.exec(text)?.[1];
  assert(before !== undefined && now !== undefined && before !== now);

  const signedOut = await visitor.post("/sign-out");

  assertEquals(signedOut.status, 303);
  assertEquals(visitor.cookie, "");
  for (const cookie of [anonymous, member]) {
    visitor.cookie = cookie;
    assertEquals((await visitor.get("/account")).status, 303);
    assertStringIncludes((await visitor.get("/cart")).text, "It is empty");
  }
});

Deno.test("demo adds, changes and removes the tins of a tea", async () => {
  const visitor = new Visitor();
  const change = (change: string): Promise<Answer> =>
    visitor.post("/cart", { tea: "sencha", change });
  const tins: (string | undefined)[] = [];

  await visitor.add("sencha");
  for (const what of ["more", "more", "less", "remove", "less", "more"]) {
    assertEquals((await change(what)).status, 303);
    tins.push(await tinsOf(visitor));
  }

  assertEquals(tins, ["2", "3", "2", "0", "0", "1"]);
});

Deno.test("demo sells at most 99 tins of a tea", async () => {
  const visitor = new Visitor();

  for (let i = 0; i < 101; i++) await visitor.add("oolong");

  assertEquals(await tinsOf(visitor), "99");
  assertEquals((await visitor.get("/cart")).text.split("disabled").length, 2);
});

Deno.test("demo loses no tin when tabs add at the same time", async () => {
  const visitor = new Visitor();
  await visitor.add("assam");

  await Promise.all(TEAS.flatMap(({ id }) => [
    visitor.add(id),
    visitor.add(id),
    visitor.add(id),
  ]));

  assertEquals(await tinsOf(visitor), String(1 + 3 * TEAS.length));
});

Deno.test("demo makes no session for who only looks", async () => {
  const visitor = new Visitor();

  for (const path of [...PAGES, "/nothing"]) await visitor.get(path);
  await visitor.post("/cart", { tea: "mate", change: "less" });

  assertEquals(visitor.cookie, "");
  const { text } = await visitor.get("/store");
  assertStringIncludes(text, '<strong id="size">1 live entry</strong>');
  assertStringIncludes(text, "None is yours");
});

Deno.test("demo counts the pages of a session and of the shop", async () => {
  const app = createApp();
  const ada = new Visitor(app);
  await ada.add("mate");
  await new Visitor(app).get("/");

  for (let i = 0; i < 3; i++) await ada.get("/");

  const { text } = await ada.get("/store");
  assertStringIncludes(text, "Pages opened in this session: 4<");
  assertStringIncludes(text, "The counter is at 5:");
});

Deno.test("demo shows nothing of one visitor to another, and no id or key at all", async () => {
  const app = createApp();
  const ada = new Visitor(app);
  await ada.add("mate");
  await ada.signIn("Ada Lovelace");
  const bytes = new TextEncoder().encode(ada.id);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const secrets = [
    ada.id,
    hash.toHex(),
    hash.toBase64({ alphabet: "base64url", omitPadding: true }),
  ];
  const other = new Visitor(app);
  await other.add("oolong");
  await other.signIn("Grace");

  for (const path of PAGES) {
    const own = (await ada.get(path)).text;
    const others = (await other.get(path)).text;
    for (const secret of secrets) {
      assertFalse(own.includes(secret), path);
      assertFalse(others.includes(secret), path);
    }
    assertFalse(others.includes("Ada"), path);
    assertFalse(others.includes(await labelOf(ada) ?? "none"), path);
    if (path !== "/sign-in" && path !== "/signed-out") {
      assertStringIncludes(others, '<span class="count">1</span>', path);
    }
  }
  const store = (await other.get("/store")).text;
  const main = store.slice(store.indexOf("<main"), store.indexOf("</main"));
  const kinds = [...main.matchAll(/<td>([^<]*)</g)].map(([, kind]) => kind);
  assertEquals(kinds.toSorted(), [
    "Counter",
    "Renewed id",
    "Renewed id",
    "Session",
    "Session",
  ]);
});

Deno.test("demo lists the 50 newest entries of its store and counts the others", async () => {
  const app = createApp();
  await new Visitor(app).get("/");
  for (let i = 0; i < 60; i++) await new Visitor(app).add("mate");

  const { text } = await new Visitor(app).get("/store");

  assertStringIncludes(text, "61 live entries");
  assertStringIncludes(text, "And 11 older.");
});

for (
  const [name, escaped] of [
    [`<script>alert(1)</script>`, "&lt;script&gt;alert(1)&lt;/script&gt;"],
    [`"'&</title>`, "&quot;&#39;&amp;&lt;/title&gt;"],
    ["&amp;", "&amp;amp;"],
  ] as const
) {
  Deno.test(`demo escapes the name ${name}`, async () => {
    const visitor = new Visitor();
    const refused = await visitor.post("/sign-in", { name, password: "" });
    await visitor.signIn(name);

    const { text } = await visitor.get("/account");

    assertStringIncludes(refused.text, `value="${escaped}"`);
    assertStringIncludes(text, `Hello, <bdi>${escaped}</bdi>`);
    for (const page of [refused.text, text]) {
      assertFalse(page.includes("<script"));
      assertEquals(page.split("</title>").length, 2);
    }
  });
}

for (
  const [what, form, message] of [
    ["no name", { name: " \t\n", password: "tea" }, "Write a name"],
    [
      "a name of spaces that join",
      { name: "\u200d", password: "tea" },
      "Write a name",
    ],
    ["a long name", { name: "x".repeat(41), password: "tea" }, "at most 40"],
    ["no password", { name: "Ada", password: "" }, "Write any password"],
    ["neither field", {}, "Write any password"],
  ] as const
) {
  Deno.test(`demo says what to write to who signs in with ${what}`, async () => {
    const visitor = new Visitor();

    const { status, text } = await visitor.post("/sign-in", { ...form });

    assertEquals(status, 422);
    assertStringIncludes(text, message);
    assertStringIncludes(text, 'aria-invalid="true"');
    assertStringIncludes(text, "<title>Please check: Sign in");
    assertEquals(text.split("autofocus").length, 2);
    assertEquals(visitor.cookie, "");
  });
}

Deno.test("demo does not send a password back", async () => {
  const visitor = new Visitor();

  const { text } = await visitor.post("/sign-in", {
    name: "",
    password: "hunter2",
  });

  assertFalse(text.includes("hunter2"));
});

Deno.test("demo takes a name of 40 characters of two code units each", async () => {
  const visitor = new Visitor();

  const { status } = await visitor.signIn("🫖".repeat(40));

  assertEquals(status, 303);
});

const forms: [string, Record<string, string>, boolean][] = [
  ["of its own", { origin: "http://localhost" }, true],
  ["of its own, as browsers say", { "sec-fetch-site": "same-origin" }, true],
  ["that the browser sends again", { "sec-fetch-site": "none" }, true],
  ["of no browser", {}, true],
  ["of another site", { origin: "https://evil.example" }, false],
  ["of another port", { origin: "http://localhost:81" }, false],
  ["of no origin", { origin: "null" }, false],
  ["of a broken origin", { origin: "localhost" }, false],
  [
    "of another site, as browsers say",
    { "sec-fetch-site": "cross-site" },
    false,
  ],
  ["of a sibling, as browsers say", { "sec-fetch-site": "same-site" }, false],
  [
    "of another site, though its origin is right",
    { "sec-fetch-site": "cross-site", origin: "http://localhost" },
    false,
  ],
];

for (const [what, headers, accepted] of forms) {
  Deno.test(`demo ${accepted ? "accepts" : "refuses"} a form ${what}`, async () => {
    const visitor = new Visitor();

    const { status, text } = await visitor.send("/add", {
      method: "POST",
      body: new URLSearchParams({ tea: "mate" }),
      headers,
    });

    assertEquals(status, accepted ? 303 : 403);
    assertEquals(visitor.cookie !== "", accepted);
    assertEquals(text.includes("came from another site"), !accepted);
  });
}

const urlencoded = { "content-type": "application/x-www-form-urlencoded" };

const requests: [string, number, string, RequestInit][] = [
  ["an address that is not there", 404, "/nothing", {}],
  ["an address of a prototype", 404, "/__proto__", {}],
  ["two slashes", 404, "//", {}],
  ["a GET of /sign-out", 405, "/sign-out", {}],
  ["a POST to /account", 405, "/account", { method: "POST" }],
  ["a DELETE of /cart", 405, "/cart", { method: "DELETE" }],
  ["a method of a prototype", 405, "/cart", { method: "toString" }],
  ["a HEAD of /cart", 200, "/cart", { method: "HEAD" }],
  ["no form", 415, "/add", { method: "POST" }],
  ["a form as JSON", 415, "/add", { method: "POST", body: '{"tea":"mate"}' }],
  ["a form with files", 415, "/add", { method: "POST", body: new FormData() }],
  ["an empty form", 400, "/add", { method: "POST", headers: urlencoded }],
  ["a form that is no text", 400, "/add", {
    method: "POST",
    headers: urlencoded,
    body: Uint8Array.of(0x74, 0xff, 0xfe),
  }],
  ["a form that breaks off", 400, "/add", {
    method: "POST",
    headers: urlencoded,
    body: new ReadableStream({ pull: (it) => it.error(new Error("gone")) }),
  }],
  ["a form that never ends", 413, "/add", {
    method: "POST",
    headers: urlencoded,
    body: new ReadableStream({
      pull: (it) => it.enqueue(new Uint8Array(1000).fill(0x61)),
    }),
  }],
  ["a form that says it is large", 413, "/add", {
    method: "POST",
    headers: { ...urlencoded, "content-length": "4097" },
    body: "tea=mate",
  }],
];

for (const [what, status, path, init] of requests) {
  Deno.test(`demo answers ${status} to ${what}`, async () => {
    const visitor = new Visitor();

    const answer = await visitor.send(path, init);

    assertEquals(answer.status, status);
    assertEquals(answer.headers.has("allow"), status === 405);
    assertEquals(visitor.cookie, "");
  });
}

for (
  const [path, form] of [
    ["/add", { tea: "earl-grey" }],
    ["/add", { tea: "__proto__" }],
    ["/cart", { tea: "mate" }],
    ["/cart", { tea: "mate", change: "constructor" }],
    ["/cart", { change: "more" }],
  ] as const
) {
  Deno.test(`demo answers 400 to ${path} with ${JSON.stringify(form)}`, async () => {
    const visitor = new Visitor();

    const { status, text } = await visitor.post(path, { ...form });

    assertEquals(status, 400);
    assertStringIncludes(text, "was not one of ours");
    assertEquals(visitor.cookie, "");
  });
}

Deno.test("demo knows its visitor on a page that explains a problem", async () => {
  const visitor = new Visitor();
  await visitor.signIn("Ada");

  const { status, text } = await visitor.get("/nothing");

  assertEquals(status, 404);
  assertStringIncludes(text, "<bdi>Ada</bdi>");
});

for (const path of [...PAGES, "/nothing"]) {
  Deno.test(`demo forbids scripts, frames, foreign content and caches on ${path}`, async () => {
    const visitor = new Visitor();
    await visitor.add("mate");
    if (path === "/account") await visitor.signIn("Ada");

    const { headers, text } = await visitor.get(path);

    const policy = headers.get("content-security-policy") ?? "";
    assertMatch(policy, /default-src 'none'.*frame-ancestors 'none'/);
    assertFalse(policy.includes("unsafe"));
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "same-origin");
    assertFalse(/<script|<iframe|\sstyle=|\son\w+=|https?:/.test(
      text.replaceAll("http%3A%2F%2Fwww.w3.org%2F2000%2Fsvg", ""),
    ));
    assertMatch(text, /^<!doctype html>\n\s*<html lang="en">/);
    assertEquals(text.match(/<h1/g)?.length, 1);
    assertEquals(text.match(/<main id="main">/g)?.length, 1);
  });
}

Deno.test("demo gives each page its own title", async () => {
  const visitor = new Visitor();
  const titles = new Set<string | undefined>();

  for (const path of PAGES.filter((path) => path !== "/account")) {
    titles.add(await visitor.see(path, /<title>(.+)<\/title>/));
  }
  await visitor.signIn("Ada");
  titles.add(await visitor.see("/account", /<title>(.+)<\/title>/));

  assertEquals(titles.size, PAGES.length);
});

Deno.test("demo serves its style sheet, which fetches nothing", async () => {
  const { status, headers, text } = await new Visitor().get("/style.css");

  assertEquals(status, 200);
  assertEquals(headers.get("content-type"), "text/css; charset=utf-8");
  assertFalse(/url\(|@import|@font-face/.test(text));
});

Deno.test("demo makes the browser forget its pages after a sign-out", async () => {
  const visitor = new Visitor();

  const href = await visitor.see("/signed-out", /stylesheet" href="([^"]+)"/);
  const { headers } = await visitor.get(href ?? "");

  assertEquals(headers.get("clear-site-data"), '"cache"');
  assertEquals(headers.get("cache-control"), "no-store");
});

Deno.test("demo ends a session after an hour without a request", async () => {
  using time = new FakeTime(0);
  const visitor = new Visitor();
  await visitor.signIn("Ada");

  time.tick(HOUR - 1);
  const store = (await new Visitor().get("/store")).status;
  assertEquals(store, 200);
  time.tick(1);

  assertEquals((await visitor.get("/account")).status, 303);
});

Deno.test("demo shows what is left of a session, and starts its idle time anew after half", async () => {
  using time = new FakeTime(0);
  const visitor = new Visitor();
  await visitor.signIn("Ada");
  const left = async (): Promise<string[]> => {
    const { text } = await visitor.get("/account");
    return [...text.matchAll(/<strong>([^<]+)<\/strong>/g)]
      .map(([, time = ""]) => time.replaceAll("\u00a0", " "));
  };

  assertEquals(await left(), ["60 min 0 s", "24 h 0 min"]);
  time.tick(30 * MINUTE);
  assertEquals(await left(), ["30 min 0 s", "23 h 30 min"]);
  time.tick(1000);
  assertEquals(await left(), ["60 min 0 s", "23 h 29 min"]);
});

Deno.test("demo ends a session after a day, however busy", async () => {
  using time = new FakeTime(0);
  const visitor = new Visitor();
  await visitor.signIn("Ada");

  for (let minutes = 40; minutes < 24 * 60; minutes += 40) {
    time.tick(40 * MINUTE);
    assertEquals((await visitor.get("/account")).status, 200);
  }
  const last = (await visitor.get("/account")).text;
  assertStringIncludes(last, "<strong>40\u00a0min\u00a00\u00a0s</strong>");
  time.tick(40 * MINUTE);

  assertEquals((await visitor.get("/account")).status, 303);
});
