/**
 * The demo in a real browser: Debian's Chromium, or the one that the variable
 * `CHROMIUM` names.
 */

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type {
  Browser,
  BrowserContext,
  Page,
  // deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
} from "npm:playwright-core@^1.65.0";
import { FLAGS } from "../runtimes/chromium.ts";
import { startDemo } from "./demo_process.ts";

const CHROMIUM = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

const missing = await Deno.stat(CHROMIUM).then(() => false, () => true);
const skipped = missing && Deno.env.get("REQUIRE_INTEGRATION") !== "1";

/** The buttons and links that have to be large enough for a thumb. */
const TARGETS = "header a, button, .button, input:not([type=hidden])";

/** What a thumb needs, in CSS pixels: WCAG 2.2, 2.5.5. */
const TARGET_SIZE = 44;

async function launch(): Promise<Browser> {
  if (missing) throw new Error(`Cannot start browser: no ${CHROMIUM}`);
  const { chromium } = await import(
    // deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
    "npm:playwright-core@^1.65.0"
  );
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [...FLAGS],
    // Users have it, and it is what could bring a page back after a sign-out.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

function browserTest(
  name: string,
  fn: (origin: string, browser: Browser) => Promise<void>,
): void {
  Deno.test({
    name: skipped ? `${name} (skipped: no Chromium at ${CHROMIUM})` : name,
    ignore: skipped,
    fn: async () => {
      await using demo = await startDemo();
      const browser = await launch();
      try {
        await fn(demo.origin, browser);
      } finally {
        await browser.close();
      }
    },
  });
}

async function addTea(page: Page, origin: string, name: string): Promise<void> {
  await page.goto(`${origin}/`);
  await page.getByRole("button", { name: `Add to cart ${name}` }).click();
  await page.waitForURL(/\/#/);
}

async function signIn(page: Page, origin: string, name: string): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("A demo password").fill("tea");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/account");
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/signed-out");
}

/** The teas in the cart, as the page shows them. */
async function cart(page: Page, origin: string): Promise<string[]> {
  await page.goto(`${origin}/cart`);
  return await page.locator(".line h2").allInnerTexts();
}

async function assertAnonymous(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/account`);
  assertEquals(new URL(page.url()).pathname, "/sign-in");
  assertEquals(await cart(page, origin), []);
}

/** Evaluates an expression in the page, whose types Deno does not have. */
async function measure(page: Page, expression: string): Promise<number> {
  return Number(await page.evaluate(expression));
}

browserTest(
  "demo keeps the cart through a reload, a second tab and the sign-in",
  async (origin, browser) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const tab = await context.newPage();

    await addTea(page, origin, "Sencha");
    await page.reload();
    await addTea(tab, origin, "Oolong");
    await signIn(page, origin, "Ada");
    await addTea(tab, origin, "Mate");

    assertEquals(await cart(page, origin), ["Sencha", "Oolong", "Mate"]);
    assertEquals(await tab.locator(".count").innerText(), "3");
  },
);

browserTest(
  "demo renews the id at sign-in, and the old cookie opens nothing",
  async (origin, browser) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await addTea(page, origin, "Sencha");
    const planted = await context.cookies();
    await page.goto(`${origin}/sign-in`);
    const label = await page.locator(".chip").innerText();

    await signIn(page, origin, "Ada");

    assertMatch(label, /^[0-9a-f]{8}$/);
    assertEquals(await page.locator("#label-before").innerText(), label);
    assert(await page.locator("#label").innerText() !== label);
    const thief = await browser.newContext();
    await thief.addCookies(planted);
    await assertAnonymous(await thief.newPage(), origin);
  },
);

browserTest(
  "demo sets a session cookie that is Secure, HttpOnly and Lax on http://localhost",
  async (origin, browser) => {
    const context = await browser.newContext();
    await signIn(await context.newPage(), origin, "Ada");

    const [cookie, ...others] = await context.cookies();

    assertEquals(others, []);
    assertEquals(cookie?.name, "session_id");
    assertEquals(
      [cookie?.secure, cookie?.httpOnly, cookie?.sameSite, cookie?.path],
      [true, true, "Lax", "/"],
    );
    assertEquals(cookie?.expires, -1);
  },
);

browserTest(
  "demo signs out in every tab, and a copy of the cookie opens nothing",
  async (origin, browser) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const tab = await context.newPage();
    await addTea(tab, origin, "Mate");
    await signIn(page, origin, "Ada");
    const stolen = await context.cookies();

    await signOut(page);

    assertEquals(await context.cookies(), []);
    await assertAnonymous(tab, origin);
    const thief = await browser.newContext();
    await thief.addCookies(stolen);
    await assertAnonymous(await thief.newPage(), origin);
  },
);

browserTest(
  "demo does not come back signed in by the back button",
  async (origin, browser) => {
    const page = await browser.newPage();
    await addTea(page, origin, "Mate");
    await cart(page, origin);
    await signIn(page, origin, "Ada");
    await signOut(page);

    // The account, the sign-in form, the cart and the shop, as they were.
    for (const path of ["/sign-in", "/sign-in", "/cart", "/"]) {
      // A page from the browser's memory never says that it has loaded.
      await page.goBack({ waitUntil: "commit" });
      await page.locator("footer").waitFor();
      assertEquals(new URL(page.url()).pathname, path);
      const text = await page.innerText("body");
      assertFalse(text.includes("Ada"), path);
      assertFalse(text.includes("Remove"), path);
      assertEquals(await page.locator(".count").innerText(), "0");
    }
  },
);

browserTest(
  "demo works without JavaScript on a phone, with room for a thumb and no scrolling sideways",
  async (origin, browser) => {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 360, height: 740 },
    });
    const page = await context.newPage();

    for (const tea of ["Assam", "Darjeeling"]) await addTea(page, origin, tea);
    await page.goto(`${origin}/cart`);
    await page.getByRole("button", { name: "One Assam more" }).click();
    await page.getByRole("button", { name: "Remove Darjeeling" }).click();
    assertEquals(await page.locator(".line h2").allInnerTexts(), ["Assam"]);
    assertEquals(await page.locator(".tins").innerText(), "2");
    await page.goto(`${origin}/sign-in`);
    await page.getByRole("button", { name: "Sign in" }).click();
    assertStringIncludes(await page.innerText("form"), "Write a name");
    await signIn(page, origin, "A_name_of_exactly_forty_characters._Yes!");

    for (const path of ["/", "/cart", "/account", "/store", "/nothing"]) {
      await page.goto(origin + path);
      const width = "document.documentElement.scrollWidth";
      assertEquals(await measure(page, width), 360, path);
      for (const target of await page.locator(TARGETS).all()) {
        const box = await target.boundingBox();
        assert(box !== null && box.height >= TARGET_SIZE, path);
        assert(box.width >= TARGET_SIZE, path);
      }
    }
    await page.goto(`${origin}/account`);
    await signOut(page);
    await assertAnonymous(page, origin);
  },
);

browserTest(
  "demo can be used by the keyboard alone, and shows where it is",
  async (origin, browser) => {
    const page = await browser.newPage();
    await page.goto(`${origin}/sign-in`);

    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to content" });
    const box = await skip.boundingBox();
    assert(box !== null && box.y >= 0);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    const outline = "parseFloat(getComputedStyle(document.activeElement)" +
      ".outlineWidth)";
    assert(await measure(page, outline) >= 2);
    await page.keyboard.type("Ada");
    await page.keyboard.press("Tab");
    await page.keyboard.type("tea");
    await page.keyboard.press("Enter");

    await page.waitForURL("**/account");
    assertEquals(await page.locator("h1").innerText(), "Hello, Ada");
  },
);

browserTest(
  "demo fetches nothing from elsewhere and breaks none of its own rules",
  async (origin, browser) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    const origins = new Set<string>();
    page.on("console", (message) => {
      if (/^(error|warning)$/.test(message.type())) {
        complaints.push(message.text());
      }
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (req) => origins.add(new URL(req.url()).origin));

    await addTea(page, origin, "Lapsang");
    await signIn(page, origin, "<img src=//evil.example onerror=alert(1)>");
    for (const path of ["/", "/cart", "/account", "/store"]) {
      await page.goto(origin + path);
    }
    await page.goto(`${origin}/account`);
    await signOut(page);

    assertEquals(complaints, []);
    assertEquals([...origins], [origin]);
  },
);

browserTest(
  "demo refuses the form of another site, in the browser of who is signed in",
  async (origin, browser) => {
    const context: BrowserContext = await browser.newContext();
    const page = await context.newPage();
    await signIn(page, origin, "Ada");
    const form = `<form method="post" action="${origin}/add">
      <input name="tea" value="mate"><button>Win a prize</button></form>`;
    const evil = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response(form, { headers: { "content-type": "text/html" } }),
    );
    try {
      await page.goto(`http://127.0.0.1:${evil.addr.port}/`);
      await page.getByRole("button").click();
      await page.waitForURL(`${origin}/add`);

      assertStringIncludes(await page.innerText("h1"), "another site");
      assertEquals(await cart(page, origin), []);
      assertStringIncludes(await page.innerText("header"), "Ada");
    } finally {
      await page.close();
      await evil.shutdown();
    }
  },
);
