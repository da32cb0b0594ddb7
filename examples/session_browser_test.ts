/**
 * Sessions in real browsers: Debian's Chromium and Firefox, or those that the
 * variables `CHROMIUM` and `FIREFOX` name. Both are driven by the same calls, so
 * that what holds in one is asked of the other.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import type {
  Browser,
  BrowserContext,
  LaunchOptions,
  Page,
  // deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
} from "npm:puppeteer-core@^25.16.0";
import { FLAGS } from "../runtimes/chromium.ts";
import { Session } from "../mod.ts";
import { FORGET } from "./demo_http.ts";

const BROWSERS: Record<string, LaunchOptions & { executablePath: string }> = {
  Chromium: {
    browser: "chrome",
    executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
    args: [...FLAGS],
  },
  Firefox: {
    browser: "firefox",
    executablePath: Deno.env.get("FIREFOX") ?? "/usr/bin/firefox-esr",
  },
};

const PLAIN = "session_id";
const PREFIXED = "__Host-session_id";

interface Visit {
  user?: string;
  count: number;
}

/** A site, and what its browser has sent. */
interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly session: Session<Visit>;
  /** The Cookie headers of the latest requests, by path. */
  readonly cookies: Map<string, string>;
}

/** A site of a few pages, each as an application would write it. */
async function openSite(cookieName: string): Promise<Site> {
  const session = new Session<Visit>({ cookieName });
  const cookies = new Map<string, string>();

  async function answer(
    path: string,
    req: Request,
    headers: Headers,
  ): Promise<string> {
    const found = await session.load(req);
    switch (path) {
      case "/auth/sign-in":
        await session.signIn(req, headers, { user: "ada", count: 0 });
        headers.set("location", "/account");
        return "";
      case "/elsewhere/bye":
        await session.signOut(req, headers);
        headers.set("location", "/");
        return "";
      case "/count":
        await session.update(found?.id, (visit) => {
          visit.count += 1;
        });
        return "";
      case "/start":
        session.setCookie(headers, await session.create({ count: 0 }));
        return "started";
    }
    // A page with something of the user in it is not for a cache. Chromium may
    // keep it for its back button all the same, until a page makes it forget.
    if (path !== "/careless") headers.set("cache-control", "no-store");
    return found === undefined
      ? "nobody"
      : `${found.data.user ?? "someone"} ${found.data.count}`;
  }

  const server = Deno.serve(
    { port: 0, hostname: "localhost", onListen: () => {} },
    async (req) => {
      const path = new URL(req.url).pathname;
      if (path === "/forget.css") return new Response("", { headers: FORGET });
      cookies.set(path, req.headers.get("cookie") ?? "");
      const headers = new Headers({ "content-type": "text/html" });
      const who = await answer(path, req, headers);
      const status = headers.has("location") ? 303 : 200;
      // Without an icon of its own a page asks for one, and is kept or not kept
      // for the back button by when that comes: here all pages are that can be.
      const body = `<!doctype html><title>Site</title>
        <link rel="icon" href="data:,">
        ${who === "nobody" ? '<link rel="stylesheet" href="/forget.css">' : ""}
        <p id="who">${who}</p>
        <form id="in" method="post" action="/auth/sign-in"><button>In</button></form>
        <form id="out" method="post" action="/elsewhere/bye"><button>Out</button></form>`;
      return new Response(body, { status, headers });
    },
  );
  return await Promise.resolve({
    origin: `http://localhost:${server.addr.port}`,
    session,
    cookies,
    [Symbol.asyncDispose]: () => server.shutdown(),
  });
}

/** What the page says who it is. */
async function who(page: Page): Promise<string> {
  return String(
    await page.evaluate("document.querySelector('#who').innerText"),
  );
}

async function open(page: Page, site: Site, path: string): Promise<string> {
  await page.goto(site.origin + path);
  return await who(page);
}

/** Sends a form of the page, and waits for where it leads. */
async function submit(page: Page, form: "in" | "out"): Promise<string> {
  // Chromium clicks on nothing in a tab behind another.
  await page.bringToFront();
  await Promise.all([
    page.waitForNavigation(),
    page.click(`#${form} button`),
  ]);
  return await who(page);
}

/** Goes to a page before or after this one, also to one the browser has kept. */
async function travel(
  page: Page,
  direction: "back" | "forward",
  path: string,
): Promise<string> {
  await page.evaluate(`history.${direction}()`);
  // The location changes before the page is there: see that it is.
  await page.waitForFunction(
    `location.pathname === ${JSON.stringify(path)} &&
      document.readyState === "complete" && document.querySelector("#who")`,
  );
  return await who(page);
}

interface Arena {
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly site: Site;
}

/** A test in each browser, for each of some names of the cookie. */
function browserTest(
  name: string,
  fn: (arena: Arena) => Promise<void>,
  cookieNames = [PREFIXED],
): void {
  for (const [title, options] of Object.entries(BROWSERS)) {
    for (const cookieName of cookieNames) {
      defineTest(
        `${name}, in ${title} by ${cookieName}`,
        options,
        cookieName,
        fn,
      );
    }
  }
}

function defineTest(
  name: string,
  options: LaunchOptions & { executablePath: string },
  cookieName: string,
  fn: (arena: Arena) => Promise<void>,
): void {
  const { executablePath } = options;
  const missing = !exists(executablePath);
  const ignore = missing && Deno.env.get("REQUIRE_INTEGRATION") !== "1";
  Deno.test({
    name: ignore ? `${name} (skipped: there is no ${executablePath})` : name,
    ignore,
    fn: async () => {
      if (missing) {
        throw new Error(`Cannot start browser: there is no ${executablePath}`);
      }
      const { launch } = await import(
        // deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
        "npm:puppeteer-core@^25.16.0"
      );
      await using site = await openSite(cookieName);
      const browser = await launch(options);
      try {
        const context = await browser.createBrowserContext();
        const page = await context.newPage();
        await fn({ browser, context, page, site });
      } finally {
        await browser.close();
      }
    },
  });
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function idIn(cookie: string | undefined): string {
  return /session_id=([\w-]+)/.exec(cookie ?? "")?.[1] ?? "";
}

browserTest(
  "R13: Session signs in by a redirect, and signs out at another path with nothing left in the jar",
  async ({ context, page, site }) => {
    assertEquals(await open(page, site, "/account"), "nobody");

    assertEquals(await submit(page, "in"), "ada 0");

    assertEquals(new URL(page.url()).pathname, "/account");
    assertEquals((await context.cookies()).length, 1);
    assertEquals(await open(page, site, "/auth/sign-in/x/y"), "ada 0");
    assertEquals(await submit(page, "out"), "nobody");
    assertEquals(await context.cookies(), []);
    assertEquals(await open(page, site, "/account"), "nobody");
    assertEquals(site.cookies.get("/account"), "");
  },
  [PLAIN, PREFIXED],
);

browserTest(
  "R21, R22, R23, R24, R30: Session sets a cookie on http://localhost that is Secure, HttpOnly, Lax, for all paths, and gone with the browser",
  async ({ context, page, site }) => {
    await open(page, site, "/");
    await submit(page, "in");

    const [cookie, ...others] = await context.cookies();

    assertEquals(others, []);
    assertMatch(cookie?.name ?? "", /^(__Host-)?session_id$/);
    assertEquals(cookie?.domain, "localhost");
    assertEquals(
      [cookie?.secure, cookie?.httpOnly, cookie?.sameSite, cookie?.path],
      [true, true, "Lax", "/"],
    );
    assertEquals([cookie?.session, cookie?.expires], [true, -1]);
    assertEquals(await page.evaluate("document.cookie"), "");
  },
  [PLAIN, PREFIXED],
);

browserTest(
  "R8: Session gives a browser a new id at sign-in, and the planted one is dead",
  async ({ context, page, site }) => {
    assertEquals(await open(page, site, "/start"), "started");
    await open(page, site, "/");
    const planted = idIn(site.cookies.get("/"));

    assertEquals(await submit(page, "in"), "ada 0");

    const [cookie] = await context.cookies();
    assertNotEquals(cookie?.value, planted);
    assertEquals(await site.session.get(planted), undefined);
    assertEquals((await site.session.get(cookie?.value))?.user, "ada");
  },
);

browserTest(
  "R33: Session serves nobody to a browser that sends two live sessions, and one to a browser that sends a dead one too",
  async ({ context, page, site }) => {
    await open(page, site, "/");
    await submit(page, "in");
    const planted = await site.session.create({ user: "eve", count: 0 });
    const dead = "D".repeat(32);

    // A cookie for a path comes before one for all: RFC 6265bis 5.8.3.
    for (
      const [value, path, seen] of [
        [dead, "/dead", "ada 0"],
        [planted, "/tossed", "nobody"],
      ] as const
    ) {
      await context.setCookie({
        name: "session_id",
        value,
        domain: "localhost",
        path,
      });

      assertEquals(await open(page, site, path), seen);

      const sent = site.cookies.get(path)?.match(/session_id=/g)?.length;
      assertEquals(sent, 2, site.cookies.get(path));
      assert(site.cookies.get(path)?.startsWith(`session_id=${value}`));
    }

    assertEquals(await open(page, site, "/account"), "ada 0");
    assertEquals((await site.session.get(planted))?.count, 0);
  },
  [PLAIN],
);

browserTest(
  "R24: a browser takes no __Host- cookie that a page of the site plants by script, and no other in place of an HttpOnly one",
  async ({ context, page, site }) => {
    await open(page, site, "/");
    await submit(page, "in");
    const [before] = await context.cookies();
    assert(before !== undefined);

    for (const rest of ["; path=/", "; path=/; secure", "; path=/account"]) {
      await page.evaluate(
        `document.cookie = ${
          JSON.stringify(`${before.name}=${"E".repeat(32)}${rest}`)
        }`,
      );
    }
    const all = (await context.cookies()).filter(({ path }) => path === "/");

    assertEquals(all.map(({ value }) => value), [before.value]);
    assertEquals(await open(page, site, "/account"), "ada 0");
    if (before.name.startsWith("__Host-")) {
      assertEquals((await context.cookies()).length, 1);
    }
  },
  [PLAIN, PREFIXED],
);

browserTest(
  "R12, R31: Session shows nobody behind the back button after sign-out",
  async ({ page, site }) => {
    await open(page, site, "/");
    await submit(page, "in");
    assertEquals(await open(page, site, "/one"), "ada 0");
    assertEquals(await open(page, site, "/two"), "ada 0");

    assertEquals(await submit(page, "out"), "nobody");

    for (const path of ["/two", "/one", "/account", "/"]) {
      assertEquals(await travel(page, "back", path), "nobody", path);
    }
    assertEquals(await travel(page, "forward", "/account"), "nobody");
  },
);

browserTest(
  "a browser keeps a page that may be kept, so that nobody behind the back button says something",
  async ({ page, site }) => {
    await open(page, site, "/");
    await submit(page, "in");
    assertEquals(await open(page, site, "/careless"), "ada 0");
    await site.session.update(idIn(site.cookies.get("/careless")), {
      count: 5,
    });
    assertEquals(await open(page, site, "/other"), "ada 5");

    assertEquals(await travel(page, "back", "/careless"), "ada 0");
  },
  [PLAIN],
);

browserTest(
  "R12, R16: Session counts each of 40 requests of two tabs at once, and signs both out in one",
  async ({ context, page, site }) => {
    const tab = await context.newPage();
    await open(page, site, "/");
    await submit(page, "in");
    assertEquals(await open(tab, site, "/account"), "ada 0");
    const count = `Promise.all(Array.from({ length: 20 }, () =>
      fetch("/count", { method: "POST" }).then((res) => res.status)
    ))`;

    const statuses = await Promise.all([
      page.evaluate(count),
      tab.evaluate(count),
    ]);

    assertEquals(statuses.flat(), Array(40).fill(200));
    assertEquals(await open(tab, site, "/account"), "ada 40");
    // A sign-out in one tab, while the other goes on.
    const [seen] = await Promise.all([
      submit(page, "out"),
      tab.evaluate(count),
    ]);
    assertEquals(seen, "nobody");
    assertEquals(await open(tab, site, "/account"), "nobody");
    assertEquals(await context.cookies(), []);
  },
);

browserTest(
  "R23: a browser sends no session with the form of another site",
  async ({ page, site }) => {
    await open(page, site, "/");
    await submit(page, "in");
    const evil = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () =>
        new Response(
          `<form method="post" action="${site.origin}/forged"><button>Win</button></form>`,
          { headers: { "content-type": "text/html" } },
        ),
    );
    try {
      await page.goto(`http://127.0.0.1:${evil.addr.port}/`);
      await Promise.all([page.waitForNavigation(), page.click("button")]);

      assertEquals(await who(page), "nobody");
      assertEquals(site.cookies.get("/forged"), "");
      assertEquals(await open(page, site, "/account"), "ada 0");
    } finally {
      await page.close();
      await evil.shutdown();
    }
  },
);
