/**
 * Runs a bundled test file in a page. The page is served on the loopback, and
 * posts its results there, so nothing has to speak to the browser.
 *
 * @module
 */

import type { Bundle } from "./bundle.ts";
import type { TestResult } from "./run.ts";
import type { Skips } from "./skips.ts";

/** The program: the one on the path, unless the environment names another. */
export const CHROMIUM: string = Deno.env.get("CHROMIUM") ?? "chromium";

/** How long a page may take, in milliseconds. */
const TIMEOUT = 120_000;

/** Starts it for itself alone, asking nobody for anything. */
export const FLAGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-extensions",
];

/** With these the page has `SharedArrayBuffer`, which some tests refuse. */
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** Runs the tests in a page of a browser started for it. */
export async function runInChromium(
  bundle: Bundle,
  skips: Skips,
): Promise<TestResult[]> {
  const { promise, resolve } = Promise.withResolvers<TestResult[]>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (request.method === "POST") {
        resolve(await request.json());
        return new Response(null, { status: 204 });
      }
      return await serve(new URL(request.url).pathname, bundle, skips);
    },
  );
  const profile = await Deno.makeTempDir({ prefix: "harpia_chromium" });
  const timer = setTimeout(
    () => resolve(fail(`The page has not ended within ${TIMEOUT} ms`)),
    TIMEOUT,
  );
  const browser = new Deno.Command(CHROMIUM, {
    args: [
      "--headless",
      ...FLAGS,
      `--user-data-dir=${profile}`,
      `http://127.0.0.1:${server.addr.port}/`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const ended = browser.status;
  try {
    return await Promise.race([
      promise,
      ended.then(({ code }) => fail(`Chromium ended with ${code}`)),
    ]);
  } finally {
    clearTimeout(timer);
    browser.kill();
    await ended;
    await removeFolder(profile);
  }
}

async function serve(
  pathname: string,
  { name, path }: Bundle,
  skips: Skips,
): Promise<Response> {
  if (pathname === "/") {
    const headers = { ...ISOLATED, "content-type": "text/html" };
    return new Response(makePage(name, skips), { headers });
  }
  if (pathname !== `/${name}`) return new Response(null, { status: 404 });
  const headers = { ...ISOLATED, "content-type": "text/javascript" };
  return new Response(await Deno.readFile(path), { headers });
}

function makePage(name: string, skips: Skips): string {
  return `<!doctype html>
<meta charset="utf-8">
<body>
<script type="module">
  async function runTests() {
    try {
      const { run } = await import("/${name}");
      return await run(${JSON.stringify(skips)});
    } catch (error) {
      return [{ name: "${name}", outcome: "failed", detail: error.stack }];
    }
  }
  const body = JSON.stringify(await runTests());
  await fetch("/", { method: "POST", body });
</script>
`;
}

/** The browser's own processes end a little later than it does. */
async function removeFolder(path: string): Promise<void> {
  for (let attempt = 1; attempt <= 50; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await Deno.remove(path, { recursive: true });
}

function fail(detail: string): TestResult[] {
  return [{ name: "chromium", outcome: "failed", detail }];
}
