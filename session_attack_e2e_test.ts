/** Attacks on sessions that need a wire: real servers, and bytes of any kind. */

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request, send, SERVERS, type TestServer } from "./_test_server.ts";
import { MemoryStore, Session } from "./mod.ts";

const COOKIE_NAME = "__Host-session_id";

interface Visit {
  user?: string;
}

/** Sign-in, sign-out and one page, as an application would write them. */
async function answer(
  session: Session<Visit>,
  path: string,
  req: Request | IncomingMessage,
  res: Headers | ServerResponse,
): Promise<string> {
  if (path === "/start") {
    session.setCookie(res, await session.create({}));
    return "started";
  }
  if (path === "/sign-in") {
    await session.signIn(req, res, { user: "ada" });
    return "signed in";
  }
  if (path === "/sign-out") {
    await session.signOut(req, res);
    return "signed out";
  }
  const visit = await session.fromRequest(req);
  return visit === undefined ? "nobody" : `it is ${visit.user ?? "someone"}`;
}

/** The application on a server. */
async function start(
  serve: typeof SERVERS[keyof typeof SERVERS],
): Promise<TestServer & { store: MemoryStore; session: Session<Visit> }> {
  const store = new MemoryStore();
  const session = new Session<Visit>({ store, cookieName: COOKIE_NAME });
  const server = await serve((...request) => answer(session, ...request));
  return { ...server, store, session };
}

/** Asks for a page with a cookie; what it says, and the cookie it sets. */
async function visit(
  { port }: TestServer,
  path: string,
  id?: string,
): Promise<{ body: string; id: string | undefined }> {
  const headers: HeadersInit = id === undefined
    ? {}
    : { cookie: `${COOKIE_NAME}=${id}` };
  const res = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  const body = await res.text();
  const lines = res.headers.getSetCookie();
  if (lines.length === 0) return { body, id: undefined };
  assertEquals(lines.length, 1);
  assertMatch(
    lines[0] ?? "",
    /^__Host-session_id=[\w-]*; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/,
  );
  assertEquals(res.headers.get("cache-control"), "no-store");
  return { body, id: /=([\w-]*);/.exec(lines[0] ?? "")?.[1] };
}

/** What an attacker with a live id of his own may try to be taken for it. */
const FORGERIES: Record<string, (id: string) => string> = {
  "another case": (id) => `Cookie: __host-Session_ID=${id}`,
  "no prefix": (id) => `Cookie: session_id=${id}`,
  "an encoded prefix": (id) => `Cookie: __%48ost-session_id=${id}`,
  "a no-break space before": (id) => `Cookie: \xa0${COOKIE_NAME}=${id}`,
  "a no-break space after": (id) => `Cookie: ${COOKIE_NAME}\xa0=${id}`,
  "a no-break space in UTF-8": (id) => `Cookie: \xc2\xa0${COOKIE_NAME}=${id}`,
  "a byte order mark": (id) => `Cookie: \xef\xbb\xbf${COOKIE_NAME}=${id}`,
  "an en quad in UTF-8": (id) => `Cookie: \xe2\x80\x80${COOKIE_NAME}=${id}`,
  "an overlong underscore": (id) => `Cookie: \xc1\x9f_Host-session_id=${id}`,
  "a next line": (id) => `Cookie: \x85${COOKIE_NAME}=${id}`,
  "a vertical tab": (id) => `Cookie: \x0b${COOKIE_NAME}=${id}`,
  "a form feed": (id) => `Cookie: \x0c${COOKIE_NAME}=${id}`,
  "a NUL": (id) => `Cookie: \x00${COOKIE_NAME}=${id}`,
  "a control byte": (id) => `Cookie: \x01${COOKIE_NAME}=${id}`,
  "a DEL": (id) => `Cookie: ${COOKIE_NAME}\x7f=${id}`,
  "a bare carriage return": (id) => `Cookie: a=1;\r${COOKIE_NAME}=${id}`,
  "a comma": (id) => `Cookie: a=1,${COOKIE_NAME}=${id}`,
  "a quoted value": (id) => `Cookie: ${COOKIE_NAME}="${id}"`,
  "a byte after the value": (id) => `Cookie: ${COOKIE_NAME}=${id}\xa0`,
  "an encoded value": (id) =>
    `Cookie: ${COOKIE_NAME}=%${id.charCodeAt(0).toString(16)}${id.slice(1)}`,
  "another header": (id) => `Cookie2: ${COOKIE_NAME}=${id}`,
  "a header with a space": (id) => `Cookie : ${COOKIE_NAME}=${id}`,
  "an underscore for a hyphen": (id) => `Set_Cookie: ${COOKIE_NAME}=${id}`,
  "the answer's header": (id) => `Set-Cookie: ${COOKIE_NAME}=${id}`,
  "the id in the path's place": (id) => `X-Cookie: ${COOKIE_NAME}=${id}`,
  "nothing but the id": (id) => `Cookie: ${id}`,
};

for (const [name, serve] of Object.entries(SERVERS)) {
  Deno.test(`R8: fixation over the wire on ${name}: the planted id is dead after the sign-in`, async () => {
    await using server = await start(serve);
    const { id: planted } = await visit(server, "/start");

    const signedIn = await visit(server, "/sign-in", planted);

    assertNotEquals(signedIn.id, planted);
    assertEquals((await visit(server, "/", signedIn.id)).body, "it is ada");
    assertEquals((await visit(server, "/", planted)).body, "nobody");
  });

  Deno.test(`R3: fixation over the wire on ${name}: an id that was made up is answered by another`, async () => {
    await using server = await start(serve);
    const madeUp = "attacker-knows-this-one-already_";

    const signedIn = await visit(server, "/sign-in", madeUp);

    assertNotEquals(signedIn.id, madeUp);
    assertEquals((await visit(server, "/", madeUp)).body, "nobody");
  });

  Deno.test(`R12, R13: replay over the wire on ${name}: nothing comes back after the sign-out, also to 20 requests under way`, async () => {
    await using server = await start(serve);
    const { id } = await visit(server, "/sign-in");
    assert(id !== undefined);

    const [signedOut] = await Promise.all([
      visit(server, "/sign-out", id),
      ...Array.from(
        { length: 20 },
        (_, i) => visit(server, i % 2 ? "/" : "/start", id),
      ),
    ]);

    assertEquals(signedOut, { body: "signed out", id: "" });
    for (const path of ["/", "/", "/sign-out", "/"]) {
      assertFalse((await visit(server, path, id)).body.includes("it is"));
    }
  });

  Deno.test(`R24, R32, R34: forged names over the wire on ${name}: no bytes but the right ones are taken for the cookie, and the server lives`, async () => {
    await using server = await start(serve);
    const id = await server.session.create({ user: "eve" });
    const hers = await server.session.create({ user: "ada" });
    const right = `Cookie: ${COOKIE_NAME}=${id}`;
    assertStringIncludes(await send(server.port, request(right)), "it is eve");

    for (const [what, forge] of Object.entries(FORGERIES)) {
      const response = await send(server.port, request(forge(id)));

      assertMatch(response, /^HTTP\/1\.1 (200|400)/, what);
      assertFalse(response.includes("it is"), what);
      assertFalse(/set-cookie/i.test(response), what);
    }

    const good = request(`Cookie: ${COOKIE_NAME}=${hers}`);
    assertStringIncludes(await send(server.port, good), "it is ada");
  });

  Deno.test(`R33, R35: tossing over the wire on ${name}: a second live cookie makes nobody of both, in one header or two`, async () => {
    await using server = await start(serve);
    const eve = `${COOKIE_NAME}=${await server.session.create({
      user: "eve",
    })}`;
    const ada = `${COOKIE_NAME}=${await server.session.create({
      user: "ada",
    })}`;
    const dead = `${COOKIE_NAME}=${"D".repeat(32)}`;

    for (
      const [lines, body] of [
        [[`Cookie: ${ada}; ${eve}`], "nobody"],
        [[`Cookie: ${eve}; ${ada}`], "nobody"],
        [[`Cookie: ${eve}`, `Cookie: ${ada}`], "nobody"],
        [[`Cookie: ${dead}; ${ada}`], "it is ada"],
        [[`Cookie: ${dead}`, `Cookie: ${ada}`], "it is ada"],
        [[`Cookie: ${`${COOKIE_NAME}=x; `.repeat(500)}${ada}`], "it is ada"],
      ] as const
    ) {
      const response = await send(server.port, request(...lines));

      assertStringIncludes(response, body, lines.join().slice(0, 99));
    }
  });

  Deno.test(`R17: flood over the wire on ${name}: visitors without a session get no cookie and leave nothing`, async () => {
    await using server = await start(serve);
    for (let i = 0; i < 300; i++) {
      const forged = i % 2 ? String(i).padStart(32, "-") : undefined;

      const seen = await visit(server, "/", forged);

      assertEquals(seen, { body: "nobody", id: undefined });
    }

    assertEquals(server.store.size, 0);
  });
}

for (
  const [what, make] of Object.entries({
    "Response.redirect()": () =>
      Promise.resolve(Response.redirect("http://localhost/", 303)),
    "fetch()": (port: number) => fetch(`http://127.0.0.1:${port}/`),
  })
) {
  Deno.test(`2.5: Session.delete() ends the session though the headers of ${what} are immutable, and says what to write`, async () => {
    await using server = await start(SERVERS["Deno.serve"]);
    const { session } = server;
    const id = await session.create({ user: "ada" });
    const res = await make(server.port);
    await res.body?.cancel();
    const before = [...res.headers];

    const error = await session.delete(id, res).catch((error) => error);

    assert(error instanceof TypeError);
    assertStringIncludes(error.message, "write new Response(res.body, res)");
    assertEquals(await session.get(id), undefined);
    assertEquals([...res.headers], before);
    // What it says to write works, and so does the header by itself.
    const rewritten = new Response(null, res);
    session.setCookie(rewritten, id);
    assertEquals(rewritten.headers.getSetCookie(), [session.cookie(id)]);
  });
}
