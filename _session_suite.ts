/**
 * The tests of a session that make sense on any store, to be run on each.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { dataTests } from "./_session_data_suite.ts";
import { lifetimeTests } from "./_session_lifetime_suite.ts";
import { requestTests } from "./_session_request_suite.ts";
import {
  makeSuite,
  requestWith,
  slowed,
  type Use,
  type Visit,
} from "./_session_suite_util.ts";
import { Session } from "./session.ts";
import type { Store } from "./store.ts";

const { tests, test } = makeSuite();

/** Registers each of the tests. */
export function testSession(register: (name: string, use: Use) => void): void {
  for (
    const [name, use] of [
      ...tests,
      ...dataTests,
      ...requestTests,
      ...lifetimeTests,
    ]
  ) register(name, use);
}

test("Session.create() makes a session that get() reads", async (open) => {
  const session = new Session<Visit>({ store: open() });

  const id = await session.create({ cart: ["tea"] });

  assertEquals(await session.get(id), { cart: ["tea"] });
  assertMatch(id, /^[A-Za-z0-9_-]{32}$/);
});

test("Session.get() hands out copies", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const data: Visit = { cart: [] };
  const id = await session.create(data);

  data.cart.push("passed in");
  (await session.get(id))?.cart.push("got out");

  assertEquals(await session.get(id), { cart: [] });
});

test("Session.update() sets members and removes those that are undefined", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const id = await session.create({ user: "ada", cart: [] });

  assertEquals(await session.update(id, { cart: ["tea"] }), true);
  assertEquals(await session.get(id), { user: "ada", cart: ["tea"] });
  assertEquals(await session.update(id, { user: undefined }), true);

  assertEquals(await session.get(id), { cart: ["tea"] });
});

test("Session.update() takes a function that changes or returns the data", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const id = await session.create({ cart: [] });

  await session.update(id, ({ cart }) => void cart.push("a"));
  await session.update(id, async ({ cart }) => {
    await Promise.resolve();
    return { user: "ada", cart: [...cart, "b"] };
  });

  assertEquals(await session.get(id), { user: "ada", cart: ["a", "b"] });
});

test("Session.update() loses none of 100 concurrent changes, sync and async (R16)", async (open) => {
  const session = new Session<Visit>({ store: slowed(open(), 1) });
  const id = await session.create({ cart: [] });

  await Promise.all(Array.from({ length: 100 }, (_, i) =>
    session.update(
      id,
      i % 2 ? ({ cart }) => void cart.push(`${i}`) : async ({ cart }) => {
        await Promise.resolve();
        cart.push(`${i}`);
      },
    )));

  assertEquals(new Set((await session.get(id))?.cart).size, 100);
});

test("Session.update() leaves the session as it was when the function throws", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const id = await session.create({ cart: ["tea"] });

  await assertRejects(
    () =>
      session.update(id, ({ cart }) => {
        cart.length = 0;
        throw new Error("no tea");
      }),
    Error,
    "no tea",
  );

  assertEquals(await session.get(id), { cart: ["tea"] });
  assertEquals(await session.update(id, { user: "ada" }), true);
});

test("Session.update() makes no session exist (R3)", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const unknown = "A".repeat(32);

  assertEquals(await session.update(unknown, { user: "eve" }), false);
  assertEquals(await session.get(unknown), undefined);
  assertEquals(await session.regenerate(unknown), undefined);
});

test("Session.delete() is final for updates in flight (R12)", async (open) => {
  for (let seed = 0; seed < 30; seed++) {
    const session = new Session<Visit>({ store: slowed(open(), seed) });
    const id = await session.create({ cart: [] });

    await Promise.all([
      session.update(id, ({ cart }) => void cart.push("late")),
      session.update(id, async ({ cart }) => {
        for (let i = 0; i < 9; i++) await null;
        cart.push("later");
      }),
      session.delete(id, new Headers()),
      session.fromRequest(requestWith(`session_id=${id}`)),
    ]);

    assertEquals(await session.get(id), undefined, `seed ${seed}`);
  }
});

test("Session.regenerate() keeps the data and kills the old id (R8)", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const id = await session.create({ cart: ["tea"] });

  const newId = await session.regenerate(id, { user: "ada" });

  assertNotEquals(newId, id);
  assertEquals(await session.get(newId), { user: "ada", cart: ["tea"] });
  assertEquals(await session.get(id), undefined);
  assertEquals(await session.update(id, { user: "eve" }), false);
});

test("Session.regenerate() gives one new id to two that race", async (open) => {
  for (let seed = 0; seed < 30; seed++) {
    const session = new Session<Visit>({ store: slowed(open(), seed) });
    const id = await session.create({ cart: [] });

    const ids = await Promise.all([
      session.regenerate(id),
      session.regenerate(id, async () => await Promise.resolve(undefined)),
    ]);

    assertEquals(ids.filter((id) => id !== undefined).length, 1);
  }
});

test("Session.delete() of the old id leaves nothing alive, however it races regenerate()", async (open) => {
  for (let seed = 0; seed < 60; seed++) {
    const session = new Session<Visit>({ store: slowed(open(), seed) });
    const id = await session.create({ cart: [] });

    const [newId] = await Promise.all([
      session.regenerate(id, { user: "ada" }),
      (async () => {
        for (let turns = seed % 20; turns > 0; turns--) await null;
        await session.delete(id, new Headers());
      })(),
    ]);

    assertEquals(await session.get(id), undefined, `seed ${seed}`);
    assertEquals(await session.get(newId), undefined, `seed ${seed}`);
  }
});

test("Session.delete() of an old id ends the session under its newest one", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const first = await session.create({ cart: [] });
  const second = await session.regenerate(first);
  const third = await session.regenerate(second);

  await session.delete(first, new Headers());

  assertEquals(await session.get(third), undefined);
});

test("Session leaves no id in the store (R5)", async (open) => {
  const seen: unknown[] = [];
  const inner = open();
  const store: Store = {
    get: (key) => inner.get(key),
    set: (key, value) => {
      seen.push(key, JSON.stringify(value));
      return inner.set(key, value);
    },
    delete: (key) => inner.delete(key),
  };
  const session = new Session<Visit>({ store });
  const id = await session.create({ cart: [] });
  await session.update(id, { user: "ada" });
  const newId = await session.regenerate(id);
  await session.delete(newId, new Headers());

  assert(seen.length >= 8);
  for (const text of seen) {
    assertFalse(String(text).includes(id));
    assertFalse(String(text).includes(newId ?? ""));
  }
});

test("Session takes no foreign entry for a session", async (open) => {
  const store = open();
  const session = new Session<Visit>({ store, hashIds: false, prefix: "" });
  const id = "A".repeat(32);
  const now = Date.now();

  for (
    const foreign of [
      "text",
      7,
      [],
      {},
      { user: "eve" },
      { data: { user: "eve" }, createdAt: now, usedAt: now },
      { version: 2, data: {}, createdAt: now, usedAt: now },
      { version: 1, data: null, createdAt: now, usedAt: now },
      { version: 1, data: {}, createdAt: `${now}`, usedAt: now },
      { version: 1, data: {}, createdAt: now },
      { version: 1, data: {}, createdAt: NaN, usedAt: NaN },
      { version: 1, movedTo: "" },
    ]
  ) {
    await store.set(id, foreign);
    assertEquals(await session.get(id), undefined);
    assertEquals(await session.update(id, { user: "x" }), false);
    assertEquals(await session.regenerate(id), undefined);
    assertEquals(await store.get(id), foreign);
  }
});

test("Session.signIn() and signOut() leave nothing of what a request brings", async (open) => {
  const session = new Session<Visit>({ store: open() });
  const cookie = await session.requestCookie({ user: "eve", cart: [] });
  const req = requestWith(cookie);

  const id = await session.signIn(req, new Headers(), {
    user: "ada",
    cart: [],
  });

  assertEquals(await session.fromRequest(req), undefined);
  assertEquals((await session.get(id))?.user, "ada");
  await session.signOut(req, new Headers()); // the old id leads on
  assertEquals(await session.get(id), undefined);
});

// Ids

test("Session.create() tries three ids and takes over none in use (R3)", async (open) => {
  const ids = ["a", "a", "a", "b", "a", "a", "a"].map((id) => id.repeat(32));
  const session = new Session<Visit>({
    store: open(),
    generateId: () => ids.shift() ?? "",
  });
  await session.create({ user: "ada", cart: [] });

  assertEquals(await session.create({ cart: [] }), "b".repeat(32));
  await assertRejects(
    () => session.create({ cart: [] }),
    Error,
    "generateId must return a new id each time",
  );

  assertEquals((await session.get("a".repeat(32)))?.user, "ada");
});

test("Session.regenerate() takes over no id in use", async (open) => {
  const ids = ["a", "b", "a"].map((id) => id.repeat(32));
  const session = new Session<Visit>({
    store: open(),
    generateId: () => ids.shift() ?? "",
  });
  const first = await session.create({ user: "ada", cart: [] });
  const second = await session.create({ user: "bob", cart: [] });

  await assertRejects(() => session.regenerate(second), Error, "in use");

  assertEquals((await session.get(first))?.user, "ada");
});

test("Session keeps the ids as keys when hashIds is false", async (open) => {
  const store = open();
  const session = new Session({ store, hashIds: false, prefix: "s/" });

  const id = await session.create({ user: "ada" });

  assert(await store.get(`s/${id}`));
});
