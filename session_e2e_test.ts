/** Sessions on real servers, by `fetch` and by bytes that `fetch` cannot send. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { once } from "node:events";
import { request, send, SERVERS, type TestServer } from "./_test_server.ts";
import { Session } from "./session.ts";

interface Visit {
  user?: string;
  count: number;
}

/** One application, whatever the server's request and response are. */
async function answer(
  session: Session<Visit>,
  path: string,
  req: Request | IncomingMessage,
  res: Headers | ServerResponse,
): Promise<string> {
  const id = await session.idFromRequest(req);
  switch (path) {
    case "/start":
      session.setCookie(res, await session.create({ count: 0 }));
      return "started";
    case "/sign-in": {
      const newId = await session.regenerate(id, { user: "ada" });
      if (newId !== undefined) session.setCookie(res, newId);
      return newId === undefined ? "nobody" : "signed in";
    }
    case "/count":
      return String(
        await session.update(id, (visit) => {
          visit.count += 1;
        }),
      );
    case "/sign-out":
      await session.delete(id, res);
      return "signed out";
  }
  const visit = await session.fromRequest(req);
  return visit ? `${visit.user ?? "someone"} ${visit.count}` : "nobody";
}

/** The application on a server. */
async function start(
  serve: typeof SERVERS[keyof typeof SERVERS],
): Promise<TestServer & { session: Session<Visit> }> {
  const session = new Session<Visit>();
  const server = await serve((...request) => answer(session, ...request));
  return { ...server, session };
}

/** A client that keeps the one cookie. */
class Client {
  cookie: string | undefined;
  readonly #origin: string;

  constructor({ port }: TestServer) {
    this.#origin = `http://127.0.0.1:${port}`;
  }

  async get(path: string, cookie = this.cookie): Promise<string> {
    const headers: HeadersInit = cookie === undefined ? {} : { cookie };
    const res = await fetch(this.#origin + path, { headers });
    for (const line of res.headers.getSetCookie()) {
      assertMatch(line, /; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/);
      assertEquals(res.headers.get("cache-control"), "no-store");
      const [pair = ""] = line.split(";");
      this.cookie = pair.endsWith("=") ? undefined : pair;
    }
    return await res.text();
  }
}

for (const [name, serve] of Object.entries(SERVERS)) {
  Deno.test(`Session signs in, counts and signs out on ${name}`, async () => {
    await using server = await start(serve);
    const client = new Client(server);

    assertEquals(await client.get("/"), "nobody");
    assertEquals(await client.get("/sign-in"), "nobody");
    assertEquals(await client.get("/start"), "started");
    const anonymous = client.cookie;
    assertEquals(await client.get("/sign-in"), "signed in");
    const member = client.cookie;
    assertEquals(await client.get("/"), "ada 0");
    assertEquals(await client.get("/", anonymous), "nobody");
    await Promise.all(Array.from({ length: 50 }, () => client.get("/count")));
    assertEquals(await client.get("/"), "ada 50");
    assertEquals(await client.get("/sign-out"), "signed out");

    assertEquals(client.cookie, undefined);
    assertEquals(await client.get("/", member), "nobody");
    assertEquals(await client.get("/count", member), "false");
  });

  Deno.test(`Session tells who it is by the bytes of a header on ${name} (R32, R34, R35)`, async () => {
    await using server = await start(serve);
    const id = await server.session.create({ user: "ada", count: 0 });
    const other = await server.session.create({ user: "eve", count: 0 });

    for (
      const [lines, body] of [
        [[`Cookie: session_id=${id}`], "ada 0"],
        [[`cOOKIE:session_id=${id}`], "ada 0"],
        [["Cookie: a=1", `Cookie: session_id=${id}`], "ada 0"],
        [[`Cookie: session_id=${id}`, `Cookie: session_id=${other}`], "nobody"],
        [[`Cookie: \xa0session_id=${id}`], "nobody"],
        [[`Cookie: a=1;\xa0session_id=${id}`], "nobody"],
        [[`Cookie: a=\xff\xfe; session_id=${id}`], "ada 0"],
        [[`Cookie: ${"session_id=x; ".repeat(1000)}session_id=${id}`], "ada 0"],
        [[`Cookie: ${";".repeat(10_000)}session_id=${id}`], "ada 0"],
      ] as const
    ) {
      const response = await send(server.port, request(...lines));
      assertStringIncludes(response, body);
    }
  });

  Deno.test(`Session survives a control byte in a header on ${name}`, async () => {
    await using server = await start(serve);
    const id = await server.session.create({ user: "ada", count: 0 });

    const response = await send(
      server.port,
      request(`Cookie: \x01session_id=${id}`),
    );

    assertEquals(response.includes("ada"), false);
  });
}

Deno.test("Session reads a header of 60 kB on Deno.serve (R36)", async () => {
  await using server = await start(SERVERS["Deno.serve"]);
  const id = await server.session.create({ user: "ada", count: 0 });

  const response = await send(
    server.port,
    request(
      `Cookie: ${"a=b;".repeat(15_000)}session_id=${id}`,
    ),
  );

  assertStringIncludes(response, "ada 0");
});

Deno.test("Session.delete() says on node:http that the headers are sent, and ends the session", async () => {
  const session = new Session<Visit>();
  const id = await session.create({ user: "ada", count: 0 });
  let message = "";
  const server = createServer((_req, res) => {
    res.write("first ");
    session.delete(id, res).catch((error) => message = error.message).then(() =>
      res.end("last")
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;

    const body = await (await fetch(`http://127.0.0.1:${port}/`)).text();

    assertEquals(body, "first last");
    assertStringIncludes(message, "are already sent");
    assertEquals(await session.get(id), undefined);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

for (
  const [what, make] of Object.entries({
    "Response.redirect()": () => Response.redirect("http://localhost/", 303),
    "Response.error()": () => Response.error(),
  })
) {
  Deno.test(`Session.setCookie() says what to write instead of ${what}`, () => {
    let message = "";
    try {
      new Session().setCookie(make(), "A".repeat(32));
    } catch (error) {
      message = error instanceof TypeError ? error.message : "";
    }

    assertStringIncludes(message, "write new Response(res.body, res)");
  });
}
