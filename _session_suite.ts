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
import { lifetimeTests } from "./_session_lifetime_suite.ts";
import {
  makeSuite,
  requestWith,
  type Use,
  type Visit,
} from "./_session_suite_util.ts";
import { spied, untyped } from "./_test_util.ts";
import { Session } from "./session.ts";
import type { Store } from "./store.ts";

const { tests, test } = makeSuite();

/** Registers each of the tests. */
export function testSession(register: (name: string, use: Use) => void): void {
  for (const [name, use] of [...tests, ...lifetimeTests]) register(name, use);
}

/** A store each call of which takes a few turns, as the seed has it. */
export function slowed(store: Store, seed: number): Store {
  let state = seed + 1;
  const wait = async (): Promise<void> => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    for (let turns = (state >> 16) % 8; turns > 0; turns--) await null;
  };
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        await wait();
        const result = await Reflect.apply(member, target, args);
        await wait();
        return result;
      };
    },
  });
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

// Data

for (
  const [what, data] of Object.entries({
    "undefined": undefined,
    "null": null,
    "an array": [],
    "text": "x",
    "a Map": new Map(),
    "a Date": new Date(0),
    "a URL": new URL("http://localhost/"),
    "a promise": Promise.resolve({}),
    "a function in it": { cart: [() => 1] },
    "an own __proto__": JSON.parse('{"__proto__":{"admin":true}}'),
    "an own __proto__ deep in it": {
      list: [new Map([[1, JSON.parse('{"__proto__":1}')]])],
    },
  })
) {
  test(`Session refuses data with ${what} (R37)`, async (open) => {
    const { store, calls } = spied(open());
    const session = new Session({ store });
    const id = await session.create({ user: "ada" });
    calls.length = 0;

    await assertRejects(() => session.create(untyped(data)), TypeError);
    await assertRejects(() => session.update(id, untyped(data)), TypeError);
    await assertRejects(
      () => session.regenerate(id, untyped(data ?? null)),
      TypeError,
    );
    assertEquals(calls, []);
    if (data !== undefined && !(data instanceof Promise)) {
      await assertRejects(
        () => session.update(id, () => untyped(data)),
        TypeError,
      );
    }

    assertEquals(await session.get(id), { user: "ada" });
  });
}

test("Session stores typed arrays and dates in the data", async (open) => {
  const session = new Session({ store: open() });
  const data = {
    n: -0,
    seen: new Map([["a", new Date(5)]]),
    key: new Uint8Array([1, 2]),
    set: new Set([1]),
  };

  const id = await session.create(data);

  assertEquals(await session.get(id), data);
});

// Requests

export const live = "L".repeat(32);
export const other = "O".repeat(32);
const dead = "D".repeat(32);

/** Sessions of which two are alive: ada's, and eve's under the other id. */
export async function withTwoLive(store?: Store): Promise<Session<Visit>> {
  const ids = [live, other];
  const session = new Session<Visit>({
    store,
    generateId: () => ids.shift() ?? "",
  });
  await session.create({ user: "ada", cart: [] });
  await session.create({ user: "eve", cart: [] });
  return session;
}

for (
  const [what, cookie, user] of [
    ["nothing", "", undefined],
    ["separators only", ";;;", undefined],
    ["= only", "=", undefined],
    ["no name", `=${live}`, undefined],
    ["a name only", "session_id", undefined],
    ["no value", "session_id=", undefined],
    ["the session", `session_id=${live}`, "ada"],
    ["others around it", `a=1; session_id=${live}; b=2`, "ada"],
    ["no space between", `a=1;session_id=${live};b=2`, "ada"],
    [
      "spaces and tabs around name and value",
      `a=1;\t session_id \t= ${live}\t `,
      "ada",
    ],
    [
      "broken percent signs beside it",
      `x=100%; y=%E0%A4%A; z=%00; session_id=${live}`,
      "ada",
    ],
    ["a quoted value", `session_id="${live}"`, undefined],
    ["an encoded value", `session_id=%4c${live.slice(1)}`, undefined],
    [
      "a quoted value of another that hides it",
      `q="; session_id=${live}; "`,
      "ada",
    ],
    ["another case", `Session_ID=${live}`, undefined],
    ["an encoded name", `session%5Fid=${live}`, undefined],
    ["a longer name", `xsession_id=${live}; session_idx=${live}`, undefined],
    ["a no-break space before the name", `\u00a0session_id=${live}`, undefined],
    ["a no-break space after the value", `session_id=${live}\u00a0`, undefined],
    ["a form feed before the name", `\fsession_id=${live}`, undefined],
    ["an RFC 2965 version", `$Version=1; session_id=${live}`, "ada"],
    ["a comma for a separator", `a=1, session_id=${live}`, undefined],
    ["one live and one dead", `session_id=${dead}; session_id=${live}`, "ada"],
    ["one live twice", `session_id=${live}; session_id=${live}`, "ada"],
    ["two live ones", `session_id=${live}; session_id=${other}`, undefined],
    [
      "two dead ones",
      `session_id=${dead}; session_id=${dead.toLowerCase()}`,
      undefined,
    ],
    [
      "one live after a malformed one",
      `session_id=x; session_id=${live}`,
      "ada",
    ],
  ] as const
) {
  test(`Session.fromRequest() finds ${user ?? "nobody"} in a header with ${what} (R32, R33)`, async (open) => {
    const session = await withTwoLive(open());
    const req = { headers: { get: () => cookie } };

    assertEquals((await session.fromRequest(req))?.user, user);
    assertEquals(await session.idFromRequest(req), user && live);
  });
}

test("Session.fromRequest() looks four ids up at most (R33)", async (open) => {
  const { store, calls } = spied(open());
  const session = new Session<Visit>({ store });
  const cookies = Array.from(
    { length: 1000 },
    (_, i) => `session_id=${String(i).padStart(32, "0")}`,
  );

  await session.fromRequest(requestWith(cookies.join("; ")));

  assertEquals(calls, ["get", "get", "get", "get"]);
});
