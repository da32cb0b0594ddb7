/**
 * The examples in `frameworks/` on real servers, by a client that keeps cookies
 * as a browser does.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { npmAnswers } from "../consumer/_workshop.ts";
import {
  type Example,
  Project,
  type Server,
  startOnDeno,
} from "./frameworks_servers.ts";

const EXAMPLES: Example[] = [
  { name: "deno_serve", runtime: "deno" },
  { name: "hono", runtime: "deno serve" },
  { name: "hono", runtime: "bun" },
  { name: "bun_serve", runtime: "bun" },
  { name: "harpia", runtime: "bun", needsPort: true },
  { name: "node_http", runtime: "node" },
  { name: "node_http", runtime: "bun" },
  { name: "express", runtime: "node" },
  { name: "express", runtime: "bun" },
  { name: "fastify", runtime: "node" },
  { name: "oak", runtime: "node", needsPort: true },
];

/** Cookies that no server has given out. */
const FORGERIES = {
  "an id nobody has": "A".repeat(32),
  "no id": "1",
  nothing: "",
  "a broken escape": "%E0%A4%A",
  "a path": "../../etc/passwd",
  "4,000 characters": "A".repeat(4000),
};

const required = Deno.env.get("REQUIRE_INTEGRATION") === "1";
const skipped = !required && !await npmAnswers();

/** A client that keeps the cookies it is given, and follows nothing. */
class Visitor {
  readonly #origin: string;
  readonly #cookies: Map<string, string>;

  constructor(server: Server, cookies: Iterable<[string, string]> = []) {
    this.#origin = server.origin;
    this.#cookies = new Map(cookies);
  }

  /** What it sends with a request. */
  get cookies(): [string, string][] {
    return [...this.#cookies];
  }

  /** Sends a request, and resolves to the response and its body. */
  async send(
    method: string,
    path: string,
  ): Promise<{ res: Response; body: string }> {
    const cookie = this.cookies.map((pair) => pair.join("=")).join("; ");
    const res = await fetch(this.#origin + path, {
      method,
      redirect: "manual",
      headers: cookie === "" ? {} : { cookie },
    });
    for (const line of res.headers.getSetCookie()) {
      const [, name = "", value = ""] = line.match(/^(.*?)=(.*?)(?:;|$)/) ?? [];
      if (/; Max-Age=0(?:;|$)/.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return { res, body: await res.text() };
  }

  /** What the page says. */
  async read(): Promise<string> {
    return (await this.send("GET", "/")).body;
  }

  /** Submits a form, and checks that it leads back to the page. */
  async submit(path: string): Promise<Response> {
    const { res } = await this.send("POST", path);
    assertEquals(res.status, 303);
    const location = new URL(res.headers.get("location") ?? "", this.#origin);
    assertEquals(location.href, `${this.#origin}/`);
    return res;
  }
}

const servers = new Map<Example, Server>();
let project: Project | undefined;

if (!skipped) {
  Deno.test.beforeAll(async () => {
    project = await Project.open();
    for (const example of EXAMPLES) {
      const server = example.runtime.startsWith("deno")
        ? await startOnDeno(example)
        : await project.start(example);
      servers.set(example, server);
    }
  });
  // It runs also when a server has not started.
  Deno.test.afterAll(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
    await project?.[Symbol.asyncDispose]();
  });
}

/** A test for each of the examples. */
function exampleTest(
  behaviour: string,
  fn: (server: Server) => Promise<void>,
  examples = EXAMPLES,
): void {
  for (const example of examples) {
    const name = `${example.name}.ts on ${example.runtime} ${behaviour}`;
    Deno.test({
      name: skipped ? `${name} (skipped: npm's registry is not reached)` : name,
      ignore: skipped,
      async fn() {
        const server = servers.get(example);
        assert(server, "the server must run");
        await fn(server);
      },
    });
  }
}

exampleTest("gives a visitor who only looks no cookie", async (server) => {
  const { res, body } = await new Visitor(server).send("GET", "/");

  assertEquals(res.status, 200);
  assertEquals(body, "Please sign in");
  assertEquals(res.headers.getSetCookie(), []);
});

exampleTest("signs in with one cookie and a redirect", async (server) => {
  const visitor = new Visitor(server);

  const res = await visitor.submit("/sign-in");
  const page = await visitor.read();

  const [line = "", ...more] = res.headers.getSetCookie();
  assertMatch(
    line,
    /^__Host-session_id=[\w-]{32}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  assertEquals(more, []);
  assertEquals(res.headers.get("cache-control"), "no-store");
  assertEquals(page, "ada: 0");
});

exampleTest("gives a new id at sign-in and kills the old", async (server) => {
  const visitor = new Visitor(server);
  await visitor.submit("/sign-in");
  const before = new Visitor(server, visitor.cookies);

  await visitor.submit("/sign-in");

  assertNotEquals(visitor.cookies, before.cookies);
  assertEquals(await visitor.read(), "ada: 0");
  assertEquals(await before.read(), "Please sign in");
});

exampleTest("loses none of 50 concurrent updates", async (server) => {
  const visitor = new Visitor(server);
  await visitor.submit("/sign-in");

  const submit = (): Promise<Response> => visitor.submit("/count");
  await Promise.all(Array.from({ length: 50 }, submit));

  assertEquals(await visitor.read(), "ada: 50");
});

exampleTest("signs out, and for good", async (server) => {
  const visitor = new Visitor(server);
  await visitor.submit("/sign-in");
  const thief = new Visitor(server, visitor.cookies);

  const res = await visitor.submit("/sign-out");
  await thief.submit("/count");

  assertEquals(res.headers.getSetCookie().length, 1);
  assertEquals(visitor.cookies, []);
  assertEquals(await thief.read(), "Please sign in");
});

exampleTest("takes a forged cookie for no session", async (server) => {
  for (const [what, value] of Object.entries(FORGERIES)) {
    const cookie: [string, string] = ["__Host-session_id", value];
    const visitor = new Visitor(server, [cookie]);

    const { res, body } = await visitor.send("GET", "/");
    await visitor.submit("/count");
    const untouched = visitor.cookies;
    await visitor.submit("/sign-in");

    assertEquals(res.status, 200, what);
    assertEquals(body, "Please sign in", what);
    assertEquals(untouched, [cookie], what);
    assertNotEquals(visitor.cookies, [cookie], what);
    assertEquals(await visitor.read(), "ada: 0", what);
  }
});

exampleTest("answers HEAD without a body", async (server) => {
  const visitor = new Visitor(server);
  await visitor.submit("/sign-in");

  const { res, body } = await visitor.send("HEAD", "/");

  assertEquals(res.status, 200);
  assertEquals(body, "");
  assertEquals(res.headers.getSetCookie(), []);
}, EXAMPLES.filter(({ name }) => name !== "harpia")); // it has app.head()
