import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { inspect } from "node:util";
import { hang, makeGate, spied, threeMethods, untyped } from "./_test_util.ts";
import { MemoryStore, Session, type Store, StoreError } from "./mod.ts";
import type { CookieAttributes, SessionOptions } from "./session.ts";

interface Visit {
  user?: string;
  cart: string[];
}

const HOUR = 60 * 60 * 1000;

/** A store each call of which takes a few turns, as the seed has it. */
function slowed(store: Store, seed: number): Store {
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

function requestWith(cookie: string): Headers {
  return new Headers({ cookie });
}

const engines = { MemoryStore: () => new MemoryStore(), threeMethods };

for (const [engine, open] of Object.entries(engines)) {
  Deno.test(`Session.create() makes a session that get() reads (${engine})`, async () => {
    const session = new Session<Visit>({ store: open() });

    const id = await session.create({ cart: ["tea"] });

    assertEquals(await session.get(id), { cart: ["tea"] });
    assertMatch(id, /^[A-Za-z0-9_-]{32}$/);
  });

  Deno.test(`Session.get() hands out copies (${engine})`, async () => {
    const session = new Session<Visit>({ store: open() });
    const data: Visit = { cart: [] };
    const id = await session.create(data);

    data.cart.push("passed in");
    (await session.get(id))?.cart.push("got out");

    assertEquals(await session.get(id), { cart: [] });
  });

  Deno.test(`Session.update() sets members and removes those that are undefined (${engine})`, async () => {
    const session = new Session<Visit>({ store: open() });
    const id = await session.create({ user: "ada", cart: [] });

    assertEquals(await session.update(id, { cart: ["tea"] }), true);
    assertEquals(await session.get(id), { user: "ada", cart: ["tea"] });
    assertEquals(await session.update(id, { user: undefined }), true);

    assertEquals(await session.get(id), { cart: ["tea"] });
  });

  Deno.test(`Session.update() takes a function that changes or returns the data (${engine})`, async () => {
    const session = new Session<Visit>({ store: open() });
    const id = await session.create({ cart: [] });

    await session.update(id, ({ cart }) => void cart.push("a"));
    await session.update(id, async ({ cart }) => {
      await Promise.resolve();
      return { user: "ada", cart: [...cart, "b"] };
    });

    assertEquals(await session.get(id), { user: "ada", cart: ["a", "b"] });
  });

  Deno.test(`Session.update() loses none of 100 concurrent changes, sync and async (R16) (${engine})`, async () => {
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

  Deno.test(`Session.update() leaves the session as it was when the function throws (${engine})`, async () => {
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

  Deno.test(`Session.update() makes no session exist (R3) (${engine})`, async () => {
    const session = new Session<Visit>({ store: open() });
    const unknown = "A".repeat(32);

    assertEquals(await session.update(unknown, { user: "eve" }), false);
    assertEquals(await session.get(unknown), undefined);
    assertEquals(await session.regenerate(unknown), undefined);
  });

  Deno.test(`Session.delete() is final for updates in flight (R12) (${engine})`, async () => {
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

  Deno.test(`Session.regenerate() keeps the data and kills the old id (R8) (${engine})`, async () => {
    const session = new Session<Visit>({ store: open() });
    const id = await session.create({ cart: ["tea"] });

    const newId = await session.regenerate(id, { user: "ada" });

    assertNotEquals(newId, id);
    assertEquals(await session.get(newId), { user: "ada", cart: ["tea"] });
    assertEquals(await session.get(id), undefined);
    assertEquals(await session.update(id, { user: "eve" }), false);
  });

  Deno.test(`Session.regenerate() gives one new id to two that race (${engine})`, async () => {
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

  Deno.test(`Session.delete() of the old id leaves nothing alive, however it races regenerate() (${engine})`, async () => {
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

  Deno.test(`Session.delete() of an old id ends the session under its newest one (${engine})`, async () => {
    const session = new Session<Visit>({ store: open() });
    const first = await session.create({ cart: [] });
    const second = await session.regenerate(first);
    const third = await session.regenerate(second);

    await session.delete(first, new Headers());

    assertEquals(await session.get(third), undefined);
  });

  Deno.test(`Session leaves no id in the store (R5) (${engine})`, async () => {
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

  Deno.test(`Session takes no foreign entry for a session (${engine})`, async () => {
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
}

// Lifetimes

for (
  const [what, options, alive] of [
    ["1 ms before its idle timeout", { idleTimeout: 1000 }, 999],
    ["1 ms before its absolute timeout", {
      absoluteTimeout: 1000,
      idleTimeout: Infinity,
    }, 999],
  ] as const
) {
  for (const [engine, open] of Object.entries(engines)) {
    Deno.test(`Session lives until ${what} and not a moment longer (R9, R10, R11) (${engine})`, async () => {
      using time = new FakeTime(0);
      const session = new Session<Visit>({ ...options, store: open() });
      const id = await session.create({ cart: [] });

      time.tick(alive);
      assertEquals(await session.get(id), { cart: [] });
      assertEquals(await session.expiresAt(id), 1000);
      time.tick(1);

      assertEquals(await session.get(id), undefined);
      assertEquals(await session.expiresAt(id), undefined);
      assertEquals(await session.update(id, { user: "late" }), false);
      assertEquals(await session.regenerate(id), undefined);
      assertEquals(
        await session.fromRequest(requestWith(`session_id=${id}`)),
        undefined,
      );
    });
  }
}

for (const [engine, open] of Object.entries(engines)) {
  for (const timeout of ["idleTimeout", "absoluteTimeout"] as const) {
    for (const offset of [-1, 0, 1]) {
      Deno.test(`Session ${offset < 0 ? "lives" : "is over"} ${offset} ms from its ${timeout}, for whatever is done with it (R9, R10, R11) (${engine})`, async () => {
        for (
          const call of [
            (session, id) => session.get(id),
            (session, id) => session.expiresAt(id),
            (session, id) => session.update(id, {}),
            (session, id) => session.regenerate(id),
            (session, id) => session.load(requestWith(`session_id=${id}`)),
            (session, id) =>
              session.idFromRequest(requestWith(`session_id=${id}`)),
            async (session, id) => {
              const req = requestWith(`session_id=${id}`);
              const keep = (previous?: Visit): Visit =>
                previous ?? { cart: [] };
              const newId = await session.signIn(req, new Headers(), keep);
              return (await session.get(newId))?.user;
            },
          ] satisfies ((session: Session<Visit>, id: string) => unknown)[]
        ) {
          using time = new FakeTime(0);
          const session = new Session<Visit>({
            store: open(),
            idleTimeout: Infinity,
            [timeout]: 1000,
          });
          const id = await session.create({ user: "ada", cart: [] });
          time.tick(1000 + offset);

          const answer = await call(session, id);

          assertEquals(Boolean(answer), offset < 0, String(call));
        }
      });
    }
  }

  Deno.test(`Session.load() writes at most once a half window, however often it reads (R9) (${engine})`, async () => {
    using time = new FakeTime(0);
    const store = open();
    const session = new Session<Visit>({ store, idleTimeout: 1000 });
    const id = await session.create({ cart: [] });
    const req = requestWith(`session_id=${id}`);
    const writer = "update" in store ? "update" : "set";
    const write = Reflect.get(store, writer).bind(store);
    let writes = 0;
    Reflect.set(store, writer, (...args: unknown[]) => {
      writes++;
      return write(...args);
    });

    const readOften = () =>
      Promise.all(Array.from({ length: 1000 }, () => session.load(req)));

    for (
      const [elapsed, expected] of [
        [0, 0],
        [500, 0],
        [1, 1],
        [500, 1],
        [1, 2],
      ] as const
    ) {
      time.tick(elapsed);
      const reads = await readOften();
      assert(reads.every((found) => found !== undefined));
      for (let read = 0; read < 1000; read++) await session.load(req);
      assertEquals(writes, expected);
    }
  });

  for (const call of ["load", "update", "regenerate"] as const) {
    Deno.test(`Session.${call}() does not extend the absolute timeout (R10) (${engine})`, async () => {
      using time = new FakeTime(0);
      const session = new Session<Visit>({
        store: open(),
        absoluteTimeout: 1000,
        idleTimeout: 1000,
      });
      let id: string | undefined = await session.create({ cart: [] });
      time.tick(999);

      if (call === "load") await session.load(requestWith(`session_id=${id}`));
      else if (call === "update") await session.update(id, { user: "ada" });
      else id = await session.regenerate(id);

      assertEquals(await session.expiresAt(id), 1000);
      time.tick(1);
      assertEquals(await session.get(id), undefined);
    });
  }

  Deno.test(`Session.signIn() makes a new session with an absolute timeout of its own (R10) (${engine})`, async () => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({
      store: open(),
      absoluteTimeout: 1000,
    });
    const id = await session.create({ cart: ["tea"] });
    time.tick(999);

    const newId = await session.signIn(
      requestWith(`session_id=${id}`),
      new Headers(),
      (previous) => ({ user: "ada", cart: previous?.cart ?? [] }),
    );

    assertEquals(await session.expiresAt(newId), 1999);
    assertEquals((await session.get(newId))?.cart, ["tea"]);
  });
}

Deno.test("Session.fromRequest() starts the idle timeout anew when more than half is over (R9)", async () => {
  using time = new FakeTime(0);
  const { store, calls } = spied();
  const session = new Session<Visit>({ store, idleTimeout: 1000 });
  const id = await session.create({ cart: [] });
  const req = requestWith(`session_id=${id}`);
  calls.length = 0;

  time.tick(500);
  await session.fromRequest(req);
  assertEquals(calls, ["get"]);
  time.tick(1);
  const reads = await Promise.all(
    Array.from({ length: 100 }, () => session.fromRequest(req)),
  );

  assertEquals(calls.filter((call) => call === "update").length, 1);
  assertEquals(reads.filter((data) => data === undefined).length, 0);
  assertEquals(await session.expiresAt(id), 1501);
});

for (const call of ["get", "update", "idFromRequest", "expiresAt"] as const) {
  Deno.test(`Session.${call}() does not start the idle timeout anew`, async () => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({ idleTimeout: 1000 });
    const id = await session.create({ cart: [] });
    time.tick(999);

    if (call === "update") await session.update(id, { user: "ada" });
    else if (call === "idFromRequest") {
      await session.idFromRequest(requestWith(`session_id=${id}`));
    } else await session[call](id);
    time.tick(1);

    assertEquals(await session.get(id), undefined);
  });
}

Deno.test("Session ends at its absolute timeout whatever is done with it (R10)", async () => {
  using time = new FakeTime(0);
  const session = new Session<Visit>();
  let id: string | undefined = await session.create({ cart: [] });

  for (let minute = 1; minute < 24 * 60; minute++) {
    time.tick(60_000);
    await session.fromRequest(requestWith(`session_id=${id}`));
    await session.update(id, { user: `${minute}` });
    if (minute % 100 === 0) id = await session.regenerate(id);
  }
  assertEquals((await session.get(id))?.user, "1439");
  time.tick(60_000);

  assertEquals(await session.get(id), undefined);
});

Deno.test("Session lives for ever when both timeouts are Infinity", async () => {
  using time = new FakeTime(0);
  const session = new Session<Visit>({
    idleTimeout: Infinity,
    absoluteTimeout: Infinity,
  });
  const id = await session.create({ cart: [] });

  time.tick(400 * 24 * HOUR);

  assertEquals(await session.get(id), { cart: [] });
  assertEquals(await session.expiresAt(id), Infinity);
});

Deno.test("Session.update() does not outlive the timeout while its function runs", async () => {
  using time = new FakeTime(0);
  const session = new Session<Visit>({
    store: threeMethods(),
    idleTimeout: 1000,
  });
  const id = await session.create({ cart: [] });

  const updated = await session.update(id, async ({ cart }) => {
    await Promise.resolve();
    time.tick(1000);
    cart.push("late");
  });

  assertEquals(updated, false);
});

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

Deno.test("Session.create() tries three ids and takes over none in use (R3)", async () => {
  const ids = ["a", "a", "a", "b", "a", "a", "a"].map((id) => id.repeat(32));
  const session = new Session<Visit>({ generateId: () => ids.shift() ?? "" });
  await session.create({ user: "ada", cart: [] });

  assertEquals(await session.create({ cart: [] }), "b".repeat(32));
  await assertRejects(
    () => session.create({ cart: [] }),
    Error,
    "generateId must return a new id each time",
  );

  assertEquals((await session.get("a".repeat(32)))?.user, "ada");
});

Deno.test("Session.regenerate() takes over no id in use", async () => {
  const ids = ["a", "b", "a"].map((id) => id.repeat(32));
  const session = new Session<Visit>({ generateId: () => ids.shift() ?? "" });
  const first = await session.create({ user: "ada", cart: [] });
  const second = await session.create({ user: "bob", cart: [] });

  await assertRejects(() => session.regenerate(second), Error, "in use");

  assertEquals((await session.get(first))?.user, "ada");
});

Deno.test("Session keeps the ids as keys when hashIds is false", async () => {
  using store = new MemoryStore();
  const session = new Session({ store, hashIds: false, prefix: "s/" });

  const id = await session.create({ user: "ada" });

  assertEquals(await store.has(`s/${id}`), true);
});

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
  Deno.test(`Session refuses data with ${what} (R37)`, async () => {
    const { store, calls } = spied();
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

Deno.test("Session stores typed arrays and dates in the data", async () => {
  const session = new Session();
  const data = {
    seen: new Date(5),
    key: new Uint8Array([1, 2]),
    set: new Set([1]),
  };

  const id = await session.create(data);

  assertEquals(await session.get(id), data);
});

// Requests

const live = "L".repeat(32);
const other = "O".repeat(32);
const dead = "D".repeat(32);

async function withTwoLive(): Promise<Session<Visit>> {
  const ids = [live, other];
  const session = new Session<Visit>({ generateId: () => ids.shift() ?? "" });
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
  Deno.test(`Session.fromRequest() finds ${user ?? "nobody"} in a header with ${what} (R32, R33)`, async () => {
    const session = await withTwoLive();
    const req = { headers: { get: () => cookie } };

    assertEquals((await session.fromRequest(req))?.user, user);
    assertEquals(await session.idFromRequest(req), user && live);
  });
}

Deno.test("Session.fromRequest() looks four ids up at most (R33)", async () => {
  const { store, calls } = spied();
  const session = new Session<Visit>({ store });
  const cookies = Array.from(
    { length: 1000 },
    (_, i) => `session_id=${String(i).padStart(32, "0")}`,
  );

  await session.fromRequest(requestWith(cookies.join("; ")));

  assertEquals(calls, ["get", "get", "get", "get"]);
});

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
