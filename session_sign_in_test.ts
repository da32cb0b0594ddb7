/** Signing in and out by a request and a response, and what goes with it. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { MemoryStore } from "./memory_store.ts";
import { Session } from "./session.ts";
import type { Store } from "./store.ts";

interface Data {
  user?: string;
  cart?: string[];
}

const HOUR = 60 * 60 * 1000;

/** A store of Harpia's three methods. */
function openThreeMethods(): Store {
  const map = new Map<string, unknown>();
  return {
    get: (key) => Promise.resolve(map.get(key)),
    set: (key, value) => Promise.resolve(void map.set(key, value)),
    delete: (key) => Promise.resolve(void map.delete(key)),
  };
}

function requestWith(...cookies: string[]): Headers {
  return new Headers(
    cookies.length > 0 ? { cookie: cookies.join("; ") } : {},
  );
}

for (
  const [name, openStore] of Object.entries({
    "a MemoryStore": (): Store => new MemoryStore(),
    "three methods": openThreeMethods,
  })
) {
  Deno.test(`Session.signIn() on ${name} makes a session where there was none (R8)`, async () => {
    const session = new Session<Data>({ store: openStore() });
    const res = new Headers();

    const id = await session.signIn(requestWith(), res, { user: "ada" });

    assertEquals(await session.get(id), { user: "ada" });
    assertEquals(res.getSetCookie(), [session.cookie(id)]);
  });

  Deno.test(`Session.signIn() on ${name} ends the session that was there (R8)`, async () => {
    const session = new Session<Data>({ store: openStore() });
    const old = await session.create({ user: "eve", cart: ["x"] });
    const req = requestWith(`session_id=${old}`);

    const id = await session.signIn(req, new Headers(), { user: "ada" });

    assertNotEquals(id, old);
    assertEquals(await session.get(old), undefined);
    assertEquals(await session.get(id), { user: "ada" });
  });

  Deno.test(`Session.signIn() on ${name} carries over what the function takes`, async () => {
    const session = new Session<Data>({ store: openStore() });
    const cookie = await session.requestCookie({ cart: ["tea"] });

    const id = await session.signIn(
      requestWith(cookie),
      new Headers(),
      async (visitor) => ({
        user: await Promise.resolve("ada"),
        cart: visitor?.cart ?? [],
      }),
    );

    assertEquals(await session.get(id), { user: "ada", cart: ["tea"] });
  });

  Deno.test(`Session.signOut() on ${name} with the id before a sign-in ends the session after it (R12)`, async () => {
    const session = new Session<Data>({ store: openStore() });
    const req = requestWith(await session.requestCookie({}));
    const id = await session.signIn(req, new Headers(), { user: "ada" });

    await session.signOut(req, new Headers());

    assertEquals(await session.get(id), undefined);
  });

  Deno.test(`Session.signIn() and signOut() on ${name} at once leave one session or none`, async () => {
    const session = new Session<Data>({ store: openStore() });
    const old = await session.create({});
    const req = requestWith(`session_id=${old}`);

    const [id] = await Promise.all([
      session.signIn(req, new Headers(), { user: "ada" }),
      session.signOut(req, new Headers()),
    ]);

    assertEquals(await session.get(old), undefined);
    const data = await session.get(id);
    assert(data === undefined || data.user === "ada");
  });
}

Deno.test("Session.signIn() starts the absolute timeout anew, for it is a new session", async () => {
  using time = new FakeTime(0);
  const session = new Session<Data>({
    idleTimeout: Infinity,
    absoluteTimeout: HOUR,
  });
  const req = requestWith(await session.requestCookie({}));
  await time.tickAsync(HOUR - 1);

  const id = await session.signIn(req, new Headers(), { user: "ada" });

  assertEquals(await session.expiresAt(id), 2 * HOUR - 1);
});

Deno.test("Session.signIn() does nothing when the headers are immutable", async () => {
  const store = new MemoryStore();
  const session = new Session<Data>({ store });
  const old = await session.create({ user: "eve" });
  const req = requestWith(`session_id=${old}`);
  const res = { headers: immutableHeaders() };

  await assertRejects(
    () => session.signIn(req, res, { user: "ada" }),
    TypeError,
    "Cannot sign in: the headers of this response are immutable",
  );

  assertEquals(await session.get(old), { user: "eve" });
  assertEquals(store.size, 1);
});

Deno.test("Session.signIn() does nothing when the data is not portable", async () => {
  const store = new MemoryStore();
  const session = new Session({ store });
  const old = await session.create({ user: "eve" });
  const res = new Headers();

  await assertRejects(
    () => session.signIn(requestWith(`session_id=${old}`), res, { f() {} }),
    TypeError,
    "f is a function",
  );

  assertEquals(await session.get(old), { user: "eve" });
  assertEquals([...res], []);
});

Deno.test("Session.signOut() ends each session that the request has a cookie of", async () => {
  const session = new Session<Data>();
  const cookies = [
    await session.requestCookie({ user: "ada" }),
    await session.requestCookie({ user: "eve" }),
  ];
  const res = new Headers();

  await session.signOut(requestWith(...cookies), res);

  for (const cookie of cookies) {
    assertEquals(await session.fromRequest(requestWith(cookie)), undefined);
  }
  assertMatch(res.getSetCookie().join(), /^session_id=; .*Max-Age=0/);
});

Deno.test("Session.signOut() removes the cookie when there is no session", async () => {
  const session = new Session<Data>();
  const res = new Headers();

  await session.signOut(requestWith(), res);

  assertMatch(res.getSetCookie().join(), /^session_id=; .*Max-Age=0/);
});

Deno.test("Session.signOut() removes the cookie when the store fails, and rejects (R20)", async () => {
  const fail = () => Promise.reject(new Error("down"));
  const session = new Session<Data>({
    store: { get: fail, set: fail, delete: fail },
  });
  const res = new Headers();
  const req = requestWith(`session_id=${"a".repeat(32)}`);

  await assertRejects(() => session.signOut(req, res), Error, "down");

  assertMatch(res.getSetCookie().join(), /^session_id=; .*Max-Age=0/);
});

Deno.test("Session.load() gives the id and the data in one look-up", async () => {
  const store = new MemoryStore();
  let reads = 0;
  const session = new Session<Data>({
    store: {
      get: (key: string) => (reads++, store.get(key)),
      set: (key: string, value: unknown) => store.set(key, value),
      delete: (key: string) => store.delete(key),
    },
  });
  const id = await session.create({ user: "ada" });
  reads = 0;

  const loaded = await session.load(requestWith(`session_id=${id}`));

  assertEquals(loaded, { id, data: { user: "ada" } });
  assertEquals(reads, 1);
  assertEquals(await session.load(requestWith()), undefined);
});

Deno.test("Session.load() starts the idle timeout anew as fromRequest() does", async () => {
  using time = new FakeTime(0);
  const session = new Session<Data>({ idleTimeout: 1_000 });
  const req = requestWith(await session.requestCookie({}));
  await time.tickAsync(600);

  const loaded = await session.load(req);

  assertEquals(await session.expiresAt(loaded?.id), 1_600);
});

Deno.test("Session.label() tells sessions apart and leads to neither id nor key (R19)", async () => {
  const store = new MemoryStore();
  const session = new Session<Data>({ store });
  const [a, b] = [await session.create({}), await session.create({})];

  const [first, second] = [await session.label(a), await session.label(b)];

  assertMatch(first, /^[\w-]{10}$/);
  assertNotEquals(first, second);
  assertEquals(await session.label(a), first);
  for (const [key] of store) assert(!key.includes(first));
  assert(!a.includes(first));
});

for (const id of ["", "short", "a".repeat(129), "ä".repeat(32)]) {
  Deno.test(`Session.label() refuses an id of ${id.length} characters that is none`, async () => {
    const error = await assertRejects(
      () => new Session().label(id),
      TypeError,
      "Cannot label session: id must be 22 to 128",
    );

    assert(id === "" || !error.message.includes(id));
  });
}

/** As those of `Response.redirect()` are, but for Bun. */
function immutableHeaders(): Headers {
  const headers = new Headers();
  const refuse = (): never => {
    throw new TypeError("immutable");
  };
  return Object.assign(headers, {
    append: refuse,
    delete: refuse,
    set: refuse,
  });
}
