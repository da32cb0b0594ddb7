/**
 * Code written for Harpia, with its two imports pointed here. The names, the
 * order of arguments and the shapes of request and response are those of its
 * documentation.
 *
 * @see {@link https://harpiats.github.io/core/memory-storage/ | Harpia: Memory Storage}
 * @see {@link https://harpiats.github.io/core/session/ | Harpia: Session}
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeRedisSample } from "./_test_util.ts";
import { MemoryStore } from "./memory_store.ts";
import { Session } from "./session.ts";

/** Harpia's wrappers, as far as handlers use them. */
interface HarpiaRequest {
  cookies: { get(name: string): string | undefined };
}
interface HarpiaResponse {
  headers: Headers;
  body: unknown;
  json(body: unknown): HarpiaResponse;
}

function makeRequest(cookies: Record<string, string> = {}): HarpiaRequest {
  return { cookies: { get: (name) => cookies[name] } };
}

function makeResponse(): HarpiaResponse {
  return {
    headers: new Headers(),
    body: undefined,
    json(body) {
      this.body = body;
      return this;
    },
  };
}

/** The handlers of an application, and one function that calls them. */
function makeApp(
  session: Session,
  cookieName = "session_id",
): (
  path: string,
  cookies?: Record<string, string>,
) => Promise<HarpiaResponse> {
  type Handler = (req: HarpiaRequest, res: HarpiaResponse) => Promise<void>;
  const handlers: Record<string, Handler> = {
    "/login": async (_req, res) => {
      const sessionId = await session.create({ userId: "123" });
      session.setCookie(res, sessionId, {
        httpOnly: true,
        secure: true,
        maxAge: 3600,
      });
      res.json("created");
    },
    "/profile": async (req, res) => {
      const user = await session.fromRequest(req);
      res.json(user ?? "unauthenticated");
    },
    "/update-role": async (req, res) => {
      const sessionId = req.cookies.get(cookieName);
      const updated = await session.update(sessionId, { role: "admin" });
      res.json(updated ? "updated" : "not found");
    },
    "/logout": async (req, res) => {
      const sessionId = req.cookies.get(cookieName);
      if (sessionId) {
        await session.delete(sessionId, res);
        res.json("deleted");
      } else {
        res.json("nothing to delete");
      }
    },
  };
  return async (path, cookies) => {
    const res = makeResponse();
    await handlers[path]?.(makeRequest(cookies), res);
    return res;
  };
}

function sessionIdOf(res: HarpiaResponse, name: string): string {
  const [line = ""] = res.headers.getSetCookie();
  assertStringIncludes(line, `${name}=`);
  return line.slice(name.length + 1).split(";")[0] ?? "";
}

Deno.test("MemoryStore does what Harpia's page on memory storage says", async () => {
  const store = new MemoryStore();

  await store.set("session123", { userId: 1, username: "Alice" });
  const session = await store.get("session123");
  assertEquals(session, { userId: 1, username: "Alice" });
  assertEquals(session.username, "Alice");

  await store.delete("session123");
  assertEquals(await store.get("session123"), undefined);
});

Deno.test("Session runs on a MemoryStore as Harpia's page says", async () => {
  const memoryStore = new MemoryStore();
  const sessionManager = new Session({ store: memoryStore });
  const res = makeResponse();

  const sessionId = await sessionManager.create({
    userId: 1,
    username: "Alice",
  });
  const session = await sessionManager.get(sessionId);
  await sessionManager.delete(sessionId, res);

  assertEquals(session, { userId: 1, username: "Alice" });
  assertEquals(await sessionManager.get(sessionId), undefined);
});

for (
  const [what, session, name] of [
    ["no options", new Session(), "session_id"],
    [
      "a cookieName",
      new Session({ cookieName: "my_custom_cookie" }),
      "my_custom_cookie",
    ],
    [
      "a MemoryStore",
      new Session({ store: new MemoryStore(5000) }),
      "session_id",
    ],
    [
      "Harpia's store for Redis",
      new Session({ store: makeRedisSample() }),
      "session_id",
    ],
  ] as const
) {
  Deno.test(`an application of Harpia runs unchanged with ${what}`, async () => {
    const get = makeApp(session, name);

    assertEquals((await get("/profile")).body, "unauthenticated");
    assertEquals((await get("/update-role")).body, "not found");
    assertEquals((await get("/logout")).body, "nothing to delete");

    const login = await get("/login");
    const cookies = { [name]: sessionIdOf(login, name) };
    assertEquals(login.body, "created");

    assertEquals((await get("/profile", cookies)).body, { userId: "123" });
    assertEquals((await get("/update-role", cookies)).body, "updated");
    assertEquals((await get("/profile", cookies)).body, {
      userId: "123",
      role: "admin",
    });

    const logout = await get("/logout", cookies);
    assertEquals(logout.body, "deleted");
    assertEquals(sessionIdOf(logout, name), "");
    assertEquals((await get("/profile", cookies)).body, "unauthenticated");
    assertEquals((await get("/update-role", cookies)).body, "not found");
  });
}

Deno.test("Session reads the session of a WebSocket of Harpia by its id", async () => {
  const session = new Session();
  const sessionId = await session.create({ user: "ada" });
  const ws: { data: { cookies?: Record<string, string> } } = {
    data: { cookies: { session_id: sessionId } },
  };

  assertEquals(await session.get(ws.data.cookies?.session_id), { user: "ada" });
});
