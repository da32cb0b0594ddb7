import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { inspect } from "node:util";
import { testSession } from "./_session_suite.ts";
import {
  live,
  other,
  requestWith,
  slowed,
  type Visit,
  withTwoLive,
} from "./_session_suite_util.ts";
import { hang, makeGate, spied, threeMethods, untyped } from "./_test_util.ts";
import { MemoryStore, Session, type Store, StoreError } from "./mod.ts";
import type { CookieAttributes, SessionOptions } from "./session.ts";

const HOUR = 60 * 60 * 1000;

// What makes sense on any store; RedisStore and DenoKvStore are in
// session_engines_integration_test.ts.

const engines = { MemoryStore: () => new MemoryStore(), threeMethods };

for (const [engine, open] of Object.entries(engines)) {
  testSession((name, use) => {
    Deno.test(`${name} (${engine})`, () => use(open));
  });
}

// Lifetimes

Deno.test("Session entries leave a MemoryStore with their session", async () => {
  using time = new FakeTime(0);
  using store = new MemoryStore();
  const session = new Session<Visit>({ store });
  const id = await session.create({ cart: [] });
  await session.regenerate(id);

  assertEquals(store.size, 2);
  time.tick(60_000);
  assertEquals(store.size, 1);
  time.tick(HOUR);

  assertEquals(store.size, 0);
});

// Ids

const unknownIds = {
  "empty": "",
  "short": "a",
  "short by one": "A".repeat(21),
  "long by one": "A".repeat(129),
  "1 MB long": "A".repeat(1e6),
  "a path": "../../../../../../etc/passwd",
  "a key": "user:1234567890123456789012",
  "a pattern": "session:******************",
  "__proto__": "__proto__",
  "SQL": "' OR 1=1 -- AAAAAAAAAAAAAA",
  "NUL": `${"A".repeat(31)}\0`,
  "followed by a space": `${"A".repeat(31)} `,
  "followed by a newline": `${"A".repeat(31)}\n`,
  "fullwidth": "Ａ".repeat(32),
  "Cyrillic": "А".repeat(32),
  "percent-encoded": `%41${"A".repeat(29)}`,
  "padded": `${"A".repeat(31)}=`,
};

for (const [what, id] of Object.entries(unknownIds)) {
  Deno.test(`Session asks the store nothing about an id that is ${what} (R4)`, async () => {
    const { store, calls } = spied();
    const session = new Session<Visit>({ store });

    assertEquals(await session.get(id), undefined);
    assertEquals(await session.update(id, { user: "x" }), false);
    assertEquals(await session.regenerate(id), undefined);
    assertEquals(await session.expiresAt(id), undefined);
    await session.delete(id, new Headers());
    const req = {
      headers: { get: () => `session_id=${id}; session_id=${id}` },
    };
    // Around a value in a header, spaces are not part of it.
    if (id === id.trim()) {
      assertEquals(await session.fromRequest(req), undefined);
    }

    assertEquals(calls, []);
    const error = assertThrows(
      () => session.setCookie(new Headers(), id),
      TypeError,
      "id must be 22 to 128 of",
    );
    if (id.length > 20) assertFalse(error.message.includes(id));
  });
}

Deno.test("Session takes undefined for no session, as Harpia's handlers pass it", async () => {
  const session = new Session<Visit>();
  const res = new Headers();

  assertEquals(await session.get(undefined), undefined);
  assertEquals(await session.update(undefined, { user: "x" }), false);
  assertEquals(await session.regenerate(undefined), undefined);
  await session.delete(undefined, res);

  assertStringIncludes(res.get("set-cookie") ?? "", "session_id=; ");
});

for (const id of [null, 7, {}, Promise.resolve("A".repeat(32))]) {
  Deno.test(`Session refuses an id that is ${inspect(id)}`, async () => {
    const session = new Session<Visit>();
    const rule = id instanceof Promise
      ? "did you forget await?"
      : "id must be a string";

    for (
      const call of [
        () => session.get(untyped(id)),
        () => session.update(untyped(id), {}),
        () => session.regenerate(untyped(id)),
        () => session.expiresAt(untyped(id)),
        () => session.delete(untyped(id), new Headers()),
      ]
    ) await assertRejects(call, TypeError, rule);
    assertThrows(
      () => session.setCookie(new Headers(), untyped(id)),
      TypeError,
      "id must be",
    );
  });
}

Deno.test("Session.create() makes ids of 192 random bits without a pattern (R1, R2)", async () => {
  const session = new Session<Visit>();
  const ids = await Promise.all(
    Array.from({ length: 2000 }, () => session.create({ cart: [] })),
  );

  assertEquals(new Set(ids).size, 2000);
  for (let at = 0; at < 32; at++) {
    assertEquals(new Set(ids.map((id) => id[at])).size, 64);
  }
});

for (
  const [what, generateId] of Object.entries<() => unknown>({
    "nothing": () => "",
    "too little": () => "A".repeat(21),
    "what no cookie can hold": () => `${"A".repeat(30)};b`,
    "a promise": () => Promise.resolve("A".repeat(32)),
  })
) {
  Deno.test(`Session.create() refuses a generateId that returns ${what}`, async () => {
    const session = new Session({ generateId: untyped(generateId) });

    await assertRejects(
      () => session.create({}),
      TypeError,
      "generateId must return 22 to 128",
    );
  });
}

Deno.test("Session makes the same keys with and without node:crypto (R5)", async () => {
  using store = new MemoryStore();
  const generateId = (): string => live;
  const id = await new Session({ store, generateId }).create({ user: "ada" });
  const { process }: { process?: { getBuiltinModule?: unknown } } = globalThis;
  const getBuiltinModule = process?.getBuiltinModule;
  try {
    if (process) process.getBuiltinModule = undefined;

    assertEquals(await new Session({ store }).get(id), { user: "ada" });
  } finally {
    if (process) process.getBuiltinModule = getBuiltinModule;
  }
});

// Requests

for (
  const [what, header] of Object.entries({
    "one cookie": `session_id=${"x".repeat(60_000)}`,
    "15,000 cookies": "a=b;".repeat(15_000),
    "separators": ";".repeat(60_000),
    "equals signs": "=".repeat(60_000),
    "spaces": " ".repeat(60_000),
    "names without a value": "session_id;".repeat(5_000),
  })
) {
  Deno.test(`Session.fromRequest() finds nobody in 60 kB of ${what} (R34, R36)`, async () => {
    const { store, calls } = spied();
    const session = new Session<Visit>({ store });

    const data = await session.fromRequest({ headers: { get: () => header } });

    assertEquals(data, undefined);
    assertEquals(calls, []);
  });
}

for (
  const [what, make] of Object.entries({
    "a Request": (cookie: string) =>
      new Request("http://localhost/", { headers: { cookie } }),
    "Headers": requestWith,
    "Node's IncomingMessage": (cookie: string) => ({ headers: { cookie } }),
    "Harpia's request": (cookie: string) => ({
      cookies: {
        get: (name: string) =>
          name === "session_id" ? cookie.split("=")[1] : undefined,
      },
    }),
    "Harpia's request with headers": (cookie: string) => ({
      headers: new Headers(),
      cookies: { get: () => cookie.split("=")[1] },
    }),
  })
) {
  Deno.test(`Session.fromRequest() reads ${what}`, async () => {
    const session = await withTwoLive();

    assertEquals(
      (await session.fromRequest(make(`session_id=${live}`)))?.user,
      "ada",
    );
  });
}

for (
  const [what, req] of Object.entries({
    "an IncomingMessage without a cookie": { headers: {} },
    "Harpia's request without a cookie": { cookies: { get: () => undefined } },
    "Headers without a cookie": new Headers(),
  })
) {
  Deno.test(`Session.fromRequest() finds nobody in ${what}`, async () => {
    assertEquals(await new Session().fromRequest(req), undefined);
  });
}

for (const req of [undefined, null, "x", {}, { headers: 7 }]) {
  Deno.test(`Session.fromRequest() refuses ${inspect(req)} for a request`, async () => {
    await assertRejects(
      () => new Session().fromRequest(untyped(req)),
      TypeError,
      "req must be a Request",
    );
  });
}

Deno.test("Session stores nothing and sets no cookie for visitors without a session (R17)", async () => {
  using store = new MemoryStore();
  const session = new Session<Visit>({ store });

  for (let i = 0; i < 1000; i++) {
    await session.fromRequest(
      requestWith(`session_id=${String(i).padStart(32, "0")}`),
    );
  }

  assertEquals(store.size, 0);
});

// Responses

Deno.test("Session.setCookie() writes a cookie that is safe by default (R21, R22, R23, R30)", () => {
  const res = new Response();

  new Session().setCookie(res, live);

  assertEquals(res.headers.getSetCookie(), [
    `session_id=${live}; Path=/; HttpOnly; Secure; SameSite=Lax`,
  ]);
});

Deno.test("Session.cookie() returns the header with all attributes", () => {
  using _time = new FakeTime(0);
  const session = new Session({ cookie: { domain: ".example.com" } });

  assertEquals(
    session.cookie(live, {
      path: "/app",
      maxAge: 60,
      expires: new Date(60_000),
      httpOnly: false,
      sameSite: "none",
      partitioned: true,
    }),
    `session_id=${live}; Path=/app; Domain=example.com; Max-Age=60; Expires=Thu, 01 Jan 1970 00:01:00 GMT; Secure; SameSite=None; Partitioned`,
  );
});

for (
  const [what, attributes] of Object.entries<CookieAttributes>({
    "the defaults": {},
    "a path": { path: "/app" },
    "a domain": { domain: "example.com" },
    "no TLS": { secure: false },
    "SameSite=None and Partitioned": { sameSite: "None", partitioned: true },
    "a lifetime": { maxAge: 60 },
  })
) {
  Deno.test(`Session.delete() removes a cookie with ${what} by the same attributes (R13)`, async () => {
    const byOption = new Session({ cookie: attributes });
    const byCall = new Session();
    const removal = new Headers();
    const removal2 = new Headers();
    const set = new Headers();

    byOption.setCookie(set, live);
    await byOption.delete(live, removal);
    byCall.setCookie(new Headers(), live, attributes);
    await byCall.delete(live, removal2);

    const scope = (set.get("set-cookie") ?? "").replace("; Max-Age=60", "")
      .split("; ").slice(1);
    for (const headers of [removal, removal2]) {
      const line = headers.get("set-cookie") ?? "";
      assertStringIncludes(line, "session_id=; ");
      assertStringIncludes(line, "; Max-Age=0; Expires=Thu, 01 Jan 1970");
      for (const attribute of scope) assertStringIncludes(line, attribute);
    }
  });
}

Deno.test("Session.delete() removes a cookie by the attributes it is given", async () => {
  const res = new Headers();

  await new Session().delete(live, res, { path: "/app" });

  assertStringIncludes(res.get("set-cookie") ?? "", "Path=/app");
});

Deno.test("Session sends one cookie of its name and keeps the others in order (R26)", async () => {
  const session = new Session();
  const res = new Response();
  res.headers.append("set-cookie", "a=1");
  session.setCookie(res, live);
  res.headers.append("set-cookie", "session_id2=x");

  session.setCookie(res, other);
  assertEquals(
    res.headers.getSetCookie().map((line) => line.split(";")[0]),
    ["a=1", "session_id2=x", `session_id=${other}`],
  );
  await session.delete(other, res);

  assertEquals(
    res.headers.getSetCookie().map((line) => line.split(";")[0]),
    ["a=1", "session_id2=x", "session_id="],
  );
});

for (
  const [before, after] of [
    [undefined, "no-store"],
    ["public, max-age=600", "no-store"],
    ["no-cache", "no-store"],
    ['private="set-cookie"', "no-store"],
    ["private", "private"],
    ["max-age=0, Private", "max-age=0, Private"],
    ["no-store", "no-store"],
  ] as const
) {
  Deno.test(`Session.setCookie() makes Cache-Control ${after} of ${before} (R31)`, () => {
    const res = new Headers(before && { "cache-control": before });

    new Session().setCookie(res, live);

    assertEquals(res.get("cache-control"), after);
  });
}

Deno.test("Session.setCookie() leaves Cache-Control alone when noStore is false", () => {
  const res = new Headers({ "cache-control": "max-age=5" });

  new Session({ noStore: false }).setCookie(res, live);

  assertEquals(res.get("cache-control"), "max-age=5");
});

/** As much of Node's ServerResponse as there is. */
function nodeResponse(headersSent = false): {
  headersSent: boolean;
  headers: Map<string, number | string | readonly string[]>;
  getHeader(name: string): number | string | readonly string[] | undefined;
  setHeader(name: string, value: string | readonly string[]): void;
} {
  const headers = new Map<string, number | string | readonly string[]>();
  return {
    headersSent,
    headers,
    getHeader: (name) => headers.get(name.toLowerCase()),
    setHeader: (name, value) => void headers.set(name.toLowerCase(), value),
  };
}

Deno.test("Session.setCookie() writes to Node's ServerResponse", () => {
  const session = new Session();
  const res = nodeResponse();
  res.setHeader("Set-Cookie", "a=1");

  session.setCookie(res, other);
  session.setCookie(res, live);

  assertEquals(res.getHeader("set-cookie"), ["a=1", session.cookie(live)]);
  assertEquals(res.getHeader("cache-control"), "no-store");
});

/** As much of Fastify's Reply as there is: `header` adds to `Set-Cookie`. */
function fastifyReply(sent = false): {
  sent: boolean;
  getHeader(name: string): string | string[] | undefined;
  removeHeader(name: string): void;
  header(name: string, value: string | readonly string[]): void;
} {
  const headers = new Map<string, string | string[]>();
  return {
    sent,
    getHeader: (name) => headers.get(name.toLowerCase()),
    removeHeader: (name) => void headers.delete(name.toLowerCase()),
    header(name, value) {
      const key = name.toLowerCase();
      const before = key === "set-cookie" ? headers.get(key) ?? [] : [];
      const lines = [before, value].flat(2);
      headers.set(
        key,
        typeof value === "string" && !before.length ? value : lines,
      );
    },
  };
}

Deno.test("Session.signIn() and signOut() write to Fastify's Reply", async () => {
  const session = new Session<Visit>();
  const res = fastifyReply();
  res.header("set-cookie", "a=1");
  res.header("cache-control", "max-age=5");

  const id = await session.signIn(new Headers(), res, { cart: [] });
  assertEquals(res.getHeader("set-cookie"), ["a=1", session.cookie(id)]);
  assertEquals(res.getHeader("cache-control"), "no-store");
  await session.signOut(requestWith(`session_id=${id}`), res);

  const [first, second = "", third] = res.getHeader("set-cookie") ?? [];
  assertEquals([first, third], ["a=1", undefined]);
  assertStringIncludes(second, "session_id=; ");
  assertEquals(await session.get(id), undefined);
});

Deno.test("Session.setCookie() writes to Headers that are not the platform's", () => {
  /** As those of another implementation: the methods, not the class. */
  const inner = new Headers();
  const headers = {
    append: (name: string, value: string) => inner.append(name, value),
    delete: (name: string) => inner.delete(name),
    get: (name: string) => inner.get(name),
    getSetCookie: () => inner.getSetCookie(),
    set: (name: string, value: string) => inner.set(name, value),
  };
  const session = new Session();

  session.setCookie(headers, other);
  session.setCookie({ headers }, live);

  assertEquals(inner.getSetCookie(), [session.cookie(live)]);
});

for (
  const [what, res, rule] of [
    ["sent by Node", nodeResponse(true), "are already sent"],
    ["sent by Fastify", fastifyReply(true), "are already sent"],
    ["immutable", { headers: immutableHeaders() }, "are immutable"],
  ] as const
) {
  Deno.test(`Session.signIn() does nothing when the headers are ${what} (R8)`, async () => {
    const { store, calls } = spied();
    const session = new Session<Visit>({ store });
    const id = await session.create({ cart: [] });
    calls.length = 0;

    await assertRejects(
      () =>
        session.signIn(requestWith(`session_id=${id}`), res, { cart: ["x"] }),
      TypeError,
      rule,
    );

    assertEquals(calls, []);
    assertEquals(await session.get(id), { cart: [] });
  });

  Deno.test(`Session.signOut() ends the session also when the headers are ${what} (R12)`, async () => {
    const session = new Session<Visit>();
    const id = await session.create({ cart: [] });

    await assertRejects(
      () => session.signOut(requestWith(`session_id=${id}`), res),
      TypeError,
      rule,
    );

    assertEquals(await session.get(id), undefined);
  });
}

Deno.test("Session.signIn() leaves the headers as they are when the store fails (R20)", async () => {
  const down = (): Promise<never> => Promise.reject(new Error("store down"));
  const session = new Session<Visit>({
    store: { get: down, set: down, delete: down },
  });
  const lines = [["cache-control", "max-age=5"], ["set-cookie", "a=1"], [
    "set-cookie",
    "session_id=x",
  ]] as [string, string][];
  const res = new Headers(lines);

  await assertRejects(
    () => session.signIn(new Headers(), res, { cart: [] }),
    Error,
    "store down",
  );

  assertEquals([...res], lines);
});

Deno.test("Session.delete() ends the session also when the headers are sent, and says so", async () => {
  const session = await withTwoLive();

  await assertRejects(
    () => session.delete(live, nodeResponse(true)),
    TypeError,
    "are already sent",
  );

  assertEquals(await session.get(live), undefined);
});

Deno.test("Session.delete() ends the session also when the headers are immutable, and says what to write", async () => {
  const session = await withTwoLive();
  const res = { headers: immutableHeaders() };

  assertThrows(
    () => session.setCookie(res, live),
    TypeError,
    "write new Response(res.body, res)",
  );
  await assertRejects(
    () => session.delete(live, res),
    TypeError,
    "are immutable",
  );

  assertEquals(await session.get(live), undefined);
});

/** As those of `Response.redirect()`, which Bun lets one change. */
function immutableHeaders(): Headers {
  const headers = new Headers();
  headers.delete = () => {
    throw new TypeError("immutable");
  };
  return headers;
}

for (
  const [what, res] of Object.entries({
    "nothing": undefined,
    "null": null,
    "an empty object": {},
    "a Request": new Request("http://localhost/"),
    "a promise": Promise.resolve(new Response()),
  })
) {
  Deno.test(`Session refuses ${what} for a response and does nothing`, async () => {
    const session = await withTwoLive();

    assertThrows(
      () => session.setCookie(untyped(res), live),
      TypeError,
      "res must be a Response",
    );
    await assertRejects(
      () => session.delete(live, untyped(res)),
      TypeError,
      "res must be a Response",
    );

    assertEquals((await session.get(live))?.user, "ada");
  });
}

// Failure

Deno.test("Session rejects when the store fails, and removes the cookie all the same (R20)", async () => {
  const down = (): Promise<never> => Promise.reject(new Error("store down"));
  const session = new Session<Visit>({
    store: { get: down, set: down, delete: down },
  });
  const res = new Headers();

  for (
    const call of [
      () => session.create({ cart: [] }),
      () => session.get(live),
      () => session.update(live, {}),
      () => session.regenerate(live),
      () => session.expiresAt(live),
      () => session.fromRequest(requestWith(`session_id=${live}`)),
      () => session.load(requestWith(`session_id=${live}`)),
      () => session.requestCookie({ cart: [] }),
      () => session.signIn(new Headers(), new Headers(), { cart: [] }),
      () => session.delete(live, res),
      () => session.signOut(requestWith(`session_id=${live}`), res),
    ]
  ) await assertRejects(call, Error, "store down");

  assertStringIncludes(res.get("set-cookie") ?? "", "session_id=; ");
});

/** Lets time pass, and before and after it all that waits for promises alone. */
async function elapse(time: FakeTime, ms: number): Promise<void> {
  for (let turns = 0; turns < 60; turns++) await null;
  time.tick(ms);
  for (let turns = 0; turns < 60; turns++) await null;
}

/** A store of three methods of which one never answers. */
function silent(method: keyof Store): Store {
  const store = threeMethods();
  store[method] = hang;
  return store;
}

for (
  const [method, outcome] of [
    ["get", "not applied"],
    ["set", "unknown"],
    ["delete", "unknown"],
  ] as const
) {
  Deno.test(`Session rejects when ${method} of a three-method store does not answer in time (R20)`, async () => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({
      store: silent(method),
      storeTimeout: 1000,
    });
    const res = new Headers();
    let result: unknown = "pending";
    const req = requestWith(`session_id=${live}`);
    const call = method === "get"
      ? session.load(req)
      : method === "set"
      ? session.create({ cart: [] })
      : session.signOut(req, res);
    call.then(() => result = "resolved", (error) => result = error);

    await elapse(time, 999);
    assertEquals(result, "pending");
    await elapse(time, 1);

    assert(result instanceof StoreError);
    assertEquals(result.outcome, outcome);
    assertStringIncludes(result.message, "must answer within 1000 ms");
    assertFalse(result.message.includes(live));
    if (method === "delete") {
      assertStringIncludes(res.get("set-cookie") ?? "", "session_id=; ");
    }
  });
}

Deno.test("Session waits 30 seconds for a three-method store, unless told otherwise", async () => {
  using time = new FakeTime(0);
  const store = silent("get");
  const answers: string[] = [];
  for (
    const [name, options] of Object.entries({
      default: {},
      never: { storeTimeout: Infinity },
    })
  ) {
    new Session({ store, ...options }).get(live)
      .then(() => {}, () => answers.push(name));
  }

  await elapse(time, 29_999);
  assertEquals(answers, []);
  await elapse(time, 1);
  assertEquals(answers, ["default"]);
  await elapse(time, HOUR);

  assertEquals(answers, ["default"]);
});

Deno.test("Session goes on with a three-method store that answers too late", async () => {
  using time = new FakeTime(0);
  const store = threeMethods();
  const session = new Session<Visit>({ store, storeTimeout: 1000 });
  const id = await session.create({ cart: [] });
  const set = store.set;
  const gate = makeGate();
  store.set = async (key, value) => {
    await gate.opened;
    await set(key, value);
  };

  const late = session.update(id, { user: "ada" })
    .then(() => undefined, (error) => error);
  await elapse(time, 1000);

  const error = await late;
  assert(error instanceof StoreError);
  assertEquals(error.outcome, "unknown");
  const next = session.update(id, { cart: ["tea"] });
  gate.open();
  assertEquals(await next, true);
  assertEquals((await session.get(id))?.cart, ["tea"]);
});

Deno.test("Session says that a write is unknown, and not that it is not applied, when the others of its key have waited too long for the store", async () => {
  using time = new FakeTime(0);
  const store = threeMethods();
  const session = new Session<Visit>({ store, storeTimeout: Infinity });
  const id = await session.create({ cart: [] });
  store.set = hang;

  const errors = Promise.all(
    [1, 2].map(() =>
      session.update(id, { user: "ada" }).then(
        () => undefined,
        (error) => error,
      )
    ),
  );
  await elapse(time, 30_000);

  assertEquals((await errors).map((error) => error?.outcome), [
    "unknown",
    "not applied",
  ]);
});

Deno.test("Session takes a store whose methods are not asynchronous", async () => {
  const map = new Map<string, unknown>();
  const store = untyped(map);
  const session = new Session<Visit>({ store });

  const id = await session.create({ cart: [] });
  await session.update(id, { user: "ada" });

  assertEquals((await session.get(id))?.user, "ada");
});

Deno.test("Sessions on one store of three methods share its queue", async () => {
  const store = slowed(threeMethods(), 7);
  const [a, b] = [new Session<Visit>({ store }), new Session<Visit>({ store })];
  const id = await a.create({ cart: [] });

  await Promise.all(
    Array.from(
      { length: 20 },
      (_, i) =>
        (i % 2 ? a : b).update(id, ({ cart }) => void cart.push(`${i}`)),
    ),
  );

  assertEquals((await a.get(id))?.cart.length, 20);
});

// Options

for (
  const [what, options, rule] of [
    ["an unknown option", { cookiename: "x" }, 'unknown option "cookiename"'],
    ["a time in another option", { ttl: 5 }, 'unknown option "ttl"'],
    ["no object", 7, "options must be an object"],
    [
      "a store without delete",
      { store: { get() {}, set() {} } },
      "store must have the methods",
    ],
    ["null for a store", { store: null }, "store must have the methods"],
    [
      "a store that is a promise",
      { store: Promise.resolve() },
      "did you forget await?",
    ],
    ["a number for a prefix", { prefix: 7 }, "prefix must be a string"],
    ["a lone surrogate in the prefix", { prefix: "\ud800" }, "well-formed"],
    ["text for hashIds", { hashIds: "false" }, "hashIds must be a boolean"],
    ["text for noStore", { noStore: "false" }, "noStore must be a boolean"],
    [
      "text for generateId",
      { generateId: "x" },
      "generateId must be a function",
    ],
    [
      "text for idleTimeout",
      { idleTimeout: "60" },
      "idleTimeout must be a number",
    ],
    [
      "text for regenerateGrace",
      { regenerateGrace: "60" },
      "regenerateGrace must be a number",
    ],
    [
      "text for storeTimeout",
      { storeTimeout: "60" },
      "storeTimeout must be a number",
    ],
    [
      "a number for cookieName",
      { cookieName: 7 },
      "cookieName must be a string",
    ],
    [
      "a space in cookieName",
      { cookieName: "a b" },
      "cookieName must be one or more",
    ],
    [
      "a semicolon in cookieName",
      { cookieName: "a;b" },
      "cookieName must be one or more",
    ],
    [
      "a line break in cookieName",
      { cookieName: "a\r\nX" },
      "cookieName must be one or more",
    ],
    [
      "an accent in cookieName",
      { cookieName: "é" },
      "cookieName must be one or more",
    ],
    [
      "an empty cookieName",
      { cookieName: "" },
      "cookieName must be one or more",
    ],
    [
      "a prefix for a cookieName",
      { cookieName: "__Host-" },
      "must go on after its prefix",
    ],
    ["httponly", { cookie: { httponly: true } }, 'unknown option "httponly"'],
    [
      "text for secure",
      { cookie: { secure: "false" } },
      "secure must be a boolean",
    ],
    [
      "a number for httpOnly",
      { cookie: { httpOnly: 0 } },
      "httpOnly must be a boolean",
    ],
    [
      "a relative path",
      { cookie: { path: "foo" } },
      'path must start with "/"',
    ],
    ["an empty path", { cookie: { path: "" } }, 'path must start with "/"'],
    [
      "an attribute in the path",
      { cookie: { path: "/; Domain=e" } },
      'path must start with "/"',
    ],
    [
      "a line break in the path",
      { cookie: { path: "/\r\n" } },
      'path must start with "/"',
    ],
    [
      "an accent in the path",
      { cookie: { path: "/é" } },
      'path must start with "/"',
    ],
    ["a number for path", { cookie: { path: 7 } }, 'path must start with "/"'],
    [
      "an empty domain",
      { cookie: { domain: "" } },
      "domain must be a host name",
    ],
    [
      "a final dot in the domain",
      { cookie: { domain: "a.com." } },
      "domain must be a host name",
    ],
    [
      "a port in the domain",
      { cookie: { domain: "a.com:80" } },
      "domain must be a host name",
    ],
    [
      "a URL for a domain",
      { cookie: { domain: "https://a.com" } },
      "domain must be a host name",
    ],
    [
      "two dots in the domain",
      { cookie: { domain: "a..b" } },
      "domain must be a host name",
    ],
    [
      "a hyphen first in the domain",
      { cookie: { domain: "-a.com" } },
      "domain must be a host name",
    ],
    [
      "an accent in the domain",
      { cookie: { domain: "é.com" } },
      "domain must be a host name",
    ],
    [
      "an IPv4 address",
      { cookie: { domain: "127.0.0.1" } },
      "domain must be a host name",
    ],
    [
      "an IPv6 address",
      { cookie: { domain: "[::1]" } },
      "domain must be a host name",
    ],
    [
      "an attribute in the domain",
      { cookie: { domain: "a.com; Path=/" } },
      "domain must be a host name",
    ],
    [
      "a number for domain",
      { cookie: { domain: 7 } },
      "domain must be a string",
    ],
    [
      "text for maxAge",
      { cookie: { maxAge: "3600" } },
      "maxAge must be a number",
    ],
    [
      "a number for expires",
      { cookie: { expires: 7 } },
      "expires must be a Date",
    ],
    ["a lifetime in two ways", {
      cookie: { maxAge: 5, expires: new Date(Date.now() + HOUR) },
    }, "must agree"],
    [
      "an unknown sameSite",
      { cookie: { sameSite: "maybe" } },
      "sameSite must be",
    ],
    ["true for sameSite", { cookie: { sameSite: true } }, "sameSite must be"],
    [
      "an attribute in sameSite",
      { cookie: { sameSite: "Lax; Domain=e" } },
      "sameSite must be",
    ],
    ["SameSite=None without Secure", {
      cookie: { sameSite: "None", secure: false },
    }, "needs secure: true"],
    ["Partitioned without Secure", {
      cookie: { partitioned: true, secure: false },
    }, "needs secure: true"],
    ["__Secure- without Secure", {
      cookieName: "__Secure-a",
      cookie: { secure: false },
    }, "needs secure: true"],
    ["__http- without HttpOnly", {
      cookieName: "__http-a",
      cookie: { httpOnly: false },
    }, "needs httpOnly: true"],
    [
      "__Host- with a path",
      { cookieName: "__Host-a", cookie: { path: "/a" } },
      'needs path: "/"',
    ],
    ["__host- with a domain", {
      cookieName: "__host-a",
      cookie: { domain: "a.com" },
    }, "no domain"],
    ["__HOST- without Secure", {
      cookieName: "__HOST-a",
      cookie: { secure: false },
    }, "needs secure: true"],
    ["__Host-Http- without HttpOnly", {
      cookieName: "__Host-Http-a",
      cookie: { httpOnly: false },
    }, "needs httpOnly: true"],
    ["__Host-Http- with a path", {
      cookieName: "__Host-Http-a",
      cookie: { path: "/a" },
    }, 'needs path: "/"'],
  ] as const
) {
  Deno.test(`new Session() refuses ${what} (R24, R25, R29, R38)`, () => {
    assertThrows(() => new Session(untyped(options)), TypeError, rule);
  });
}

for (
  const [what, options, rule] of [
    [
      "a prefix of 897 bytes",
      { prefix: "p".repeat(897) },
      "at most 896 bytes",
    ],
    [
      "a cookieName of 4,000",
      { cookieName: "a".repeat(4000) },
      "at most 3968 characters",
    ],
    [
      "a path of 1,025",
      { cookie: { path: `/${"a".repeat(1024)}` } },
      "at most 1024 characters",
    ],
    [
      "maxAge in milliseconds",
      { cookie: { maxAge: 86_400_000 } },
      "seconds (not milliseconds)",
    ],
    ...[NaN, 1.5, -1, 0, Infinity, 34_560_001].map((maxAge) =>
      [
        `a maxAge of ${maxAge}`,
        { cookie: { maxAge } },
        "maxAge must be a whole number",
      ] as const
    ),
    [
      "an invalid expires",
      { cookie: { expires: new Date(NaN) } },
      "expires must be a valid time",
    ],
    [
      "an expires that is over",
      { cookie: { expires: new Date(0) } },
      "expires must be a valid time",
    ],
    [
      "an expires in 275760",
      { cookie: { expires: new Date(8.64e15) } },
      "expires must be a valid time",
    ],
    ...[0, -1, NaN, -Infinity, 2 ** 53].map((idleTimeout) =>
      [
        `an idleTimeout of ${idleTimeout}`,
        { idleTimeout },
        "idleTimeout must",
      ] as const
    ),
    ["an absoluteTimeout of 0", { absoluteTimeout: 0 }, "absoluteTimeout must"],
    ...[-1, NaN, 60_001, Infinity].map((regenerateGrace) =>
      [
        `a regenerateGrace of ${regenerateGrace}`,
        { regenerateGrace },
        "regenerateGrace must be from 0 to 60000 milliseconds",
      ] as const
    ),
    ...[0, -1, NaN, 2 ** 31].map((storeTimeout) =>
      [
        `a storeTimeout of ${storeTimeout}`,
        { storeTimeout },
        "storeTimeout must",
      ] as const
    ),
  ] as const
) {
  Deno.test(`new Session() refuses ${what} (R27, R28)`, () => {
    assertThrows(() => new Session(untyped(options)), RangeError, rule);
  });
}

for (
  const [what, options] of Object.entries<SessionOptions>({
    "undefined for all options": {
      store: undefined,
      cookieName: undefined,
      cookie: { path: undefined, domain: undefined, maxAge: undefined },
      idleTimeout: undefined,
    },
    "the longest lifetime": { cookie: { maxAge: 34_560_000 } },
    "every prefix": { cookieName: "__Host-Http-a" },
    "the longest path": { cookie: { path: `/${"a".repeat(1023)}` } },
    "a domain of one label": { cookie: { domain: "localhost" } },
  })
) {
  Deno.test(`new Session() takes ${what}`, () => {
    const session = new Session(options);

    assertStringIncludes(session.cookie(live), `=${live}; Path=/`);
  });
}

Deno.test("Session options count only when they are own", () => {
  const inherited: CookieAttributes = Object.create({ domain: "evil.example" });

  const session = new Session({ cookie: inherited });

  assertFalse(session.cookie(live).includes("Domain"));
});

Deno.test("Session.setCookie() leaves the headers alone when an attribute is wrong (R25)", () => {
  const session = new Session();
  const res = new Headers({ "cache-control": "max-age=5" });

  assertThrows(() => session.setCookie(res, live, { maxAge: NaN }), RangeError);
  assertThrows(() => session.setCookie(res, live, { path: "x" }), TypeError);

  assertEquals([...res], [["cache-control", "max-age=5"]]);
});

Deno.test("Session shows neither ids nor data when it is inspected (R19)", async () => {
  const session = new Session<Visit>();
  const id = await session.create({ user: "secret", cart: [] });

  for (
    const text of [
      inspect(session, { depth: 9, showHidden: true }),
      JSON.stringify(session),
      String(session),
    ]
  ) {
    assertFalse(text.includes("secret"));
    assertFalse(text.includes(id));
  }
});

// Types: this file would not compile if they were wrong.

Deno.test("Session<Data> is typed through every call", async () => {
  const session = new Session<Visit>();
  const id: string = await session.create({ cart: [] });
  const data: Visit | undefined = await session.get(id);
  const newId: string | undefined = await session.regenerate(id, (visit) => {
    visit.user = "ada";
  });
  const found: Visit | undefined = await session.fromRequest(new Headers());
  const loaded: { id: string; data: Visit } | undefined = await session.load(
    new Headers(),
  );
  await session.signIn(new Headers(), new Headers(), (previous) => {
    const before: Visit | undefined = previous;
    return { user: "ada", cart: before?.cart ?? [] };
  });
  // deno-lint-ignore no-explicit-any -- Harpia's type, which the default is
  const any: any = (await new Session().get(id))?.whatever;

  // @ts-expect-error A member of the wrong type
  await session.update(newId, { user: 7 });
  // @ts-expect-error An unknown member
  await session.update(newId, { role: "admin" });
  // @ts-expect-error A member is missing
  await session.create({ user: "ada" });
  // @ts-expect-error A member is missing
  await session.signIn(new Headers(), new Headers(), { user: "ada" });
  // @ts-expect-error The function returns nothing
  const signIn = () => session.signIn(new Headers(), new Headers(), () => {});
  await assertRejects(signIn, TypeError, "data must be a plain object");

  assertEquals(data, { cart: [] });
  assertEquals([found, loaded, any], [undefined, undefined, undefined]);
});
