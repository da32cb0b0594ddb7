/** Sessions on unusual stores, with unusual data and options. */

import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { makeGate, spied, STORES, threeMethods } from "./_test_util.ts";
import { type CookieAttributes, MemoryStore, Session } from "./mod.ts";

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;

/** Shaped like an id, never issued. */
const UNKNOWN = "A".repeat(32);

type Data = Record<string, unknown>;

function withId(id: string): { headers: { cookie: string } } {
  return { headers: { cookie: `session_id=${id}` } };
}

function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "resolved", (reason) => reason);
}

// delete() removes what is not a session

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`Session.delete() leaves a foreign entry in ${on} (R3)`, async () => {
    const store = open();
    const session = new Session({ store, prefix: "", hashIds: false });
    await store.set(UNKNOWN, { user: "ada" });

    await session.delete(UNKNOWN, new Headers());

    assertEquals(await store.get(UNKNOWN), { user: "ada" });
  });
}

// A foreign entry gets a lifetime by a call that has nothing to do there

Deno.test("Session.update(), regenerate() and create() leave a foreign entry its lifetime (R3)", async () => {
  using time = new FakeTime(0);
  const store = new MemoryStore();
  const session = new Session({
    store,
    prefix: "",
    hashIds: false,
    generateId: () => UNKNOWN,
  });
  await store.set(UNKNOWN, { user: "ada" });

  assertFalse(await session.update(UNKNOWN, { user: "eve" }));
  assertEquals(await session.regenerate(UNKNOWN), undefined);
  await assertRejects(() => session.create({}), Error, "in use");
  time.tick(400 * 24 * HOUR);

  assertEquals(await store.get(UNKNOWN), { user: "ada" });
});

// A foreign value that cannot be copied makes a client's request throw

for (
  const [name, value] of Object.entries({
    "an instance of a class": new (class User {
      name = "ada";
    })(),
    "an object with a function": { greet: () => "ada" },
    "a cycle": (() => {
      const value: Data = {};
      value.self = value;
      return value;
    })(),
  })
) {
  Deno.test(`Session takes no foreign entry for a session: ${name} in a three-method store (R3, R34)`, async () => {
    const map = new Map([[UNKNOWN, value as unknown]]);
    const session = new Session<Data>({
      store: threeMethods(map),
      prefix: "",
      hashIds: false,
    });

    assertEquals(await session.fromRequest(withId(UNKNOWN)), undefined);
    assertEquals(await session.get(UNKNOWN), undefined);
    assertFalse(await session.update(UNKNOWN, { admin: true }));
    assertEquals(await session.regenerate(UNKNOWN), undefined);
    assertEquals(map.get(UNKNOWN), value);
  });
}

// regenerate() with data that the store refuses ends the session

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`Session.regenerate() keeps the old id when the data is nested 500 deep, on ${on}`, async () => {
    const session = new Session<Data>({ store: open() });
    const id = await session.create({ a: 1 });
    let nested: unknown = 1;
    for (let depth = 0; depth < 499; depth++) nested = [nested];

    // Either way is fine, but not half of each.
    const result = await reasonOf(session.regenerate(id, { nested }));

    if (result instanceof RangeError) {
      assertEquals(await session.get(id), { a: 1 });
    } else {
      assertEquals(result, "resolved");
      assertEquals(await session.get(id), undefined);
    }
  });
}

// A patch does not remove a member that Object.prototype has too

for (const name of ["constructor", "toString", "hasOwnProperty"]) {
  Deno.test(`Session.update() removes a member named ${name}`, async () => {
    const session = new Session<Data>();
    const id = await session.create({ [name]: "data", cart: [] });

    assert(await session.update(id, { [name]: undefined }));

    assertEquals(Object.keys(await session.get(id) ?? {}), ["cart"]);
  });
}

// Attributes are read from a polluted prototype

for (
  const [name, value] of Object.entries<unknown>({
    domain: "evil.example",
    maxAge: 60,
    expires: new Date(Date.now() + HOUR),
    partitioned: true,
  })
) {
  Deno.test(`Session.setCookie() ignores a polluted Object.prototype.${name} (R37)`, () => {
    let line = "";

    Object.defineProperty(Object.prototype, name, {
      value,
      configurable: true,
      writable: true,
    });
    try {
      line = new Session().cookie(UNKNOWN, {});
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }

    assertEquals(
      line,
      `session_id=${UNKNOWN}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    );
  });
}

// More than one write in a window, when requests read before the first one

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`Session.fromRequest() writes once for requests that have read before the write, on ${on} (R9)`, async () => {
    using time = new FakeTime(0);
    const { store, calls } = spied(open());
    const session = new Session<Data>({ store });
    const id = await session.create({ a: 1 });
    time.tick(HOUR / 2 + 1);
    calls.length = 0;
    const countWrites = () =>
      calls.filter((call) => call === "set" || call === "update").length;
    const get = store.get.bind(store);
    const gate = makeGate();
    store.get = async (key) => {
      const value = await get(key);
      store.get = get;
      await gate.opened;
      return value;
    };
    const late = session.fromRequest(withId(id));
    await time.delay(5);

    await session.fromRequest(withId(id));
    gate.open();

    assertEquals(await late, { a: 1 });
    assertEquals(countWrites(), 1);
  });
}

// On three methods an old id can end the session for ever

for (const [on, open] of Object.entries(STORES)) {
  for (const offset of [0, 1]) {
    Deno.test(`Session.delete() of the old id spares the session a minute and ${offset} ms later, on ${on} (R12)`, async () => {
      using time = new FakeTime(0);
      const session = new Session<Data>({ store: open() });
      const id = await session.create({ a: 1 });
      const newId = await session.regenerate(id);
      time.tick(MINUTE + offset);

      await session.delete(id, new Headers());

      assertEquals(await session.get(newId), { a: 1 });
    });
  }
}

// A three-method store with an `update` of its own is taken for atomic

Deno.test("Session takes a three-method store that has an update of its own kind", async () => {
  const map = new Map<string, unknown>();
  const store = {
    ...threeMethods(map),
    update: (key: string, patch: object) =>
      Promise.resolve(
        void map.set(key, { ...Object(map.get(key)), ...patch }),
      ),
  };
  const session = new Session<Data>({ store });

  const id = await session.create({ a: 1 });
  await session.update(id, { b: 2 });

  assertEquals(await session.get(id), { a: 1, b: 2 });
});

// What is accepted is not what a browser reads

Deno.test("Session.setCookie() refuses a path that ends in a space (R25)", () => {
  assertThrows(
    () => new Session().cookie(UNKNOWN, { path: "/app " }),
    TypeError,
    "path must",
  );
});

Deno.test("new Session() copies the attributes (R25)", () => {
  using _time = new FakeTime(0);
  const cookie: CookieAttributes = { expires: new Date(24 * HOUR) };
  const session = new Session({ cookie });

  cookie.expires?.setTime(NaN);

  assertStringIncludes(session.cookie(UNKNOWN), "; Expires=Fri, 02 Jan 1970");
});

// The message names something else

for (
  const [name, prefix, ErrorClass] of [
    ["a lone surrogate in the prefix", "\ud800", TypeError],
    ["a prefix of 897 bytes", "é".repeat(448) + "a", RangeError],
  ] as const
) {
  Deno.test(`new Session() names the prefix when it refuses ${name}`, () => {
    assertThrows(() => new Session({ prefix }), ErrorClass, "prefix");
  });
}

// Nothing of a session that has ended may be written

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`Session writes nothing for an id that is no session, on ${on} (R3, R12)`, async () => {
    const store = open();
    const session = new Session<Data>({ store });
    const id = await session.create({ a: 1 });
    await session.regenerate(id);
    let writes = 0;
    const set = store.set.bind(store);
    store.set = (key, value) => {
      writes++;
      return set(key, value);
    };

    assertFalse(await session.update(id, { b: 2 }));
    assertEquals(await session.regenerate(id), undefined);

    assertEquals(writes, 0);
  });
}

// An old id within the grace of regenerate()

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`Session.get() reads with an old id what was there before a function changed it, on ${on} (R8)`, async () => {
    const session = new Session<Data>({ store: open(), regenerateGrace: 1000 });
    const id = await session.create({ list: ["a"] });

    const newId = await session.regenerate(id, (data) => {
      data.admin = true;
      (data.list as string[]).push("b"); // as it was created
    });

    assertEquals(await session.get(id), { list: ["a"] });
    assertEquals(await session.get(newId), { admin: true, list: ["a", "b"] });
  });

  Deno.test(`Session.load() writes nothing with an old id, on ${on} (R9)`, async () => {
    using time = new FakeTime(0);
    const store = open();
    const session = new Session<Data>({
      store,
      idleTimeout: 1000,
      regenerateGrace: 1000,
    });
    const id = await session.create({ a: 1 });
    await session.regenerate(id);
    time.tick(501);
    for (const name of ["set", "delete", "update"]) {
      if (name in store) Reflect.set(store, name, () => Promise.reject(name));
    }

    assertEquals(await session.load(withId(id)), { id, data: { a: 1 } });
  });

  Deno.test(`Session.get() reads nothing with an old id when the grace ends during the call, on ${on} (R8)`, async () => {
    using time = new FakeTime(0);
    const store = open();
    const session = new Session<Data>({ store, regenerateGrace: 1000 });
    const id = await session.create({ a: 1 });
    await session.regenerate(id);
    time.tick(999);
    const get = store.get.bind(store);
    let reads = 0;
    store.get = async (key) => {
      const value = await get(key);
      if (++reads === 2) time.tick(1);
      return value;
    };

    assertEquals(await session.get(id), undefined);
    assertEquals(reads, 2);
  });

  Deno.test(`Session.load() finds no session that reaches its absolute timeout while it looks up another cookie, on ${on} (R10)`, async () => {
    using time = new FakeTime(0);
    const store = open();
    const session = new Session<Data>({
      store,
      idleTimeout: Infinity,
      absoluteTimeout: 1000,
    });
    const id = await session.create({ a: 1 });
    const get = store.get.bind(store);
    let reads = 0;
    store.get = async (key) => {
      const value = await get(key);
      if (++reads === 2) time.tick(1000);
      return value;
    };
    const cookie = `session_id=${id}; session_id=${UNKNOWN}`;

    assertEquals(await session.load({ headers: { cookie } }), undefined);
  });
}

// An id that is made again

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`Session goes on under its id when generateId returns that very id, on ${on}`, async () => {
    const session = new Session<Data>({
      store: open(),
      generateId: () => UNKNOWN,
    });
    const id = await session.create({ a: 1 });

    for (
      const reason of [
        await reasonOf(session.regenerate(id)),
        await reasonOf(session.signIn(withId(id), new Headers(), { b: 2 })),
      ]
    ) {
      assert(reason instanceof Error);
      assertStringIncludes(reason.message, "received an id in use");
    }

    assertEquals(await session.get(id), { a: 1 });
  });
}

// The entry changes while its session moves on

Deno.test("Session.signIn() begins anew when the entry of the old session is written anew meanwhile", async () => {
  using store = new MemoryStore();
  const session = new Session<Data>({ store, prefix: "", hashIds: false });
  const id = await session.create({ cart: ["tea"] });
  const update = store.update.bind(store);
  let writes = 0;
  store.update = async (key, ...rest) => {
    const value = await update(key, ...rest);
    if (key !== id && writes++ === 0) await store.set(id, await store.get(id));
    return value;
  };
  let runs = 0;

  const newId = await session.signIn(withId(id), new Headers(), (previous) => {
    runs++;
    return { ...previous, runs };
  });

  assertEquals(await session.get(newId), { cart: ["tea"], runs: 2 });
  assertEquals(await session.get(id), undefined);
  assertEquals(store.size, 2);
});

// A timer of Infinity fires at once

Deno.test("Session waits for ever for a three-method store when storeTimeout is Infinity (R20)", async () => {
  const store = threeMethods();
  const session = new Session<Data>({ store, storeTimeout: Infinity });
  const id = await session.create({ a: 1 });
  const get = store.get;
  store.get = async (key) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return await get(key);
  };

  assertEquals(await session.get(id), { a: 1 });
});
