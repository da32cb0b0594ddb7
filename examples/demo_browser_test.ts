/**
 * The demo in a real browser: Debian's Chromium, or the one that the variable
 * `CHROMIUM` names.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type {
  Browser,
  Page,
  // deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
} from "npm:playwright-core@^1.65.0";
import { startDemo } from "./demo_process.ts";

const CHROMIUM = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

const missing = await Deno.stat(CHROMIUM).then(() => false, () => true);
const required = Deno.env.get("REQUIRE_INTEGRATION") === "1";

async function launch(): Promise<Browser> {
  if (missing) throw new Error(`Cannot start browser: no ${CHROMIUM}`);
  const { chromium } = await import(
    // deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
    "npm:playwright-core@^1.65.0"
  );
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

function browserTest(
  name: string,
  fn: (origin: string, browser: Browser) => Promise<void>,
): void {
  Deno.test({
    name: missing ? `${name} (skipped: no Chromium at ${CHROMIUM})` : name,
    ignore: missing && !required,
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
  await page.getByRole("button", { name: `Add ${name} to the cart` }).click();
  await page.waitForURL("**/cart");
}

async function signIn(page: Page, origin: string, name: string): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/account");
}

async function sessionId(page: Page): Promise<string | undefined> {
  const cookies = await page.context().cookies();
  return cookies.find(({ name }) => name === "session_id")?.value;
}

browserTest(
  "demo keeps the cart through a reload, a second tab and the sign-in",
  async (origin, browser) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await addTea(page, origin, "Sencha");

    await page.reload();
    assertStringIncludes(await page.innerText("tbody"), "Sencha");

    const tab = await context.newPage();
    await addTea(tab, origin, "Oolong");
    await page.reload();
    assertStringIncludes(await page.innerText("tbody"), "Oolong");

    const before = await sessionId(page);
    await signIn(page, origin, "Ada");
    const after = await sessionId(page);

    assert(before !== undefined && after !== undefined && before !== after);
    await tab.reload();
    assertStringIncludes(await tab.innerText("tbody"), "Sencha");
    assertEquals(await tab.innerText("header .count"), "2");
  },
);

browserTest(
  "demo sets a cookie that is Secure, HttpOnly and Lax on http://localhost",
  async (origin, browser) => {
    const page = await browser.newPage();
    await signIn(page, origin, "Ada");

    const [cookie] = await page.context().cookies();

    assertEquals(
      [cookie?.secure, cookie?.httpOnly, cookie?.sameSite, cookie?.path],
      [true, true, "Lax", "/"],
    );
    assertEquals(cookie?.expires, -1);
  },
);

browserTest(
  "demo signs out for good: no cookie, no way back, no replay",
  async (origin, browser) => {
    const page = await browser.newPage();
    await addTea(page, origin, "Mate");
    await signIn(page, origin, "Ada");
    const cookies = await page.context().cookies();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${origin}/`);

    assertEquals(await sessionId(page), undefined);
    await page.goBack();
    await page.waitForURL("**/sign-in");
    assertEquals((await page.innerText("body")).includes("Ada"), false);

    const thief = await browser.newContext();
    await thief.addCookies(cookies);
    const stolen = await thief.newPage();
    await stolen.goto(`${origin}/account`);
    assertEquals(new URL(stolen.url()).pathname, "/sign-in");
  },
);

browserTest(
  "demo works without JavaScript and on a phone",
  async (origin, browser) => {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 360, height: 740 },
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("console", (message) => errors.push(message.text()));

    for (const tea of ["Assam", "Sencha"]) await addTea(page, origin, tea);
    await page.getByRole("button", { name: "One Assam more" }).click();
    await signIn(page, origin, "A name of exactly forty characters. Yes!");

    for (const path of ["/", "/cart", "/sign-in", "/account", "/store"]) {
      await page.goto(origin + path);
      const { width } = await page.locator("body").boundingBox() ??
        { width: 0 };
      const wide = page.locator("main *").filter({ visible: true });
      for (const element of await wide.all()) {
        const box = await element.boundingBox();
        assert(
          box === null || box.x + box.width <= 360.5,
          `${path} is too wide`,
        );
      }
      assert(width <= 360);
    }
    assertEquals(errors, []);
  },
);
