/**
 * The requirements of SECURITY.md by their numbers: what `session_test.ts` and
 * the other session tests do not show, or not for every call. The jar of a
 * browser is in `session_jar_test.ts`, attacks are in `session_attack_test.ts`.
 */

import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import fc from "fast-check";
import {
  makeGate,
  spied,
  STORES,
  threeMethods,
  untyped,
} from "./_test_util.ts";
import { MemoryStore, Session, type Store, UpdateTimeoutError } from "./mod.ts";

const SEED = 20_251_125;

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;

type Data = Record<string, unknown>;

/** Shaped like ids. */
const live = "L".repeat(32);
const other = "O".repeat(32);
const dead = "D".repeat(32);

function withCookie(cookie: string): { headers: { cookie: string } } {
  return { headers: { cookie } };
}

function withId(id: string): { headers: { cookie: string } } {
  return withCookie(`session_id=${id}`);
}

/** Every call with an id that a client has sent, and what it answers to it. */
async function answersTo(session: Session<Data>, id: string): Promise<unknown> {
  const res = new Headers();
  return [
    await session.get(id),
    await session.expiresAt(id),
    await session.update(id, { admin: true }),
    await session.update(id, () => ({ admin: true })),
    await session.regenerate(id, { admin: true }),
    await session.delete(id, res),
    await session.fromRequest(withId(id)),
    await session.idFromRequest(withId(id)),
  ];
}

const NOTHING = [
  undefined,
  undefined,
  false,
  false,
  undefined,
  undefined,
  undefined,
  undefined,
];

/** Replaces the random numbers of the platform while `fn` runs. */
async function withRandom<T>(
  fill: (bytes: Uint8Array) => void,
  fn: () => Promise<T>,
): Promise<T> {
  // It is the prototype's: an own one hides it until it is deleted.
  Object.defineProperty(crypto, "getRandomValues", {
    configurable: true,
    value: (bytes: Uint8Array) => {
      fill(bytes);
      return bytes;
    },
  });
  try {
    return await fn();
  } finally {
    Reflect.deleteProperty(crypto, "getRandomValues");
  }
}

// R1-R8: ids

Deno.test("R1: Session.create() asks for 24 random bytes an id and uses every bit of them", async () => {
  const asked: number[] = [];
  const ids = new Set<string>();
  const session = new Session<Data>();

  for (let bit = 0; bit < 192; bit++) {
    await withRandom((bytes) => {
      asked.push(bytes.length);
      bytes.fill(0);
      bytes[bit >> 3] = 1 << (bit & 7);
    }, async () => ids.add(await session.create({})));
  }

  assertEquals(new Set(asked), new Set([24]));
  assertEquals(asked.length, 192);
  // One bit other is one id other: 192 bits go in and 192 come out.
  assertEquals(ids.size, 192);
  for (const id of ids) assertMatch(id, /^[A-Za-z0-9_-]{32}$/);
});

Deno.test("R1: Session.create() repeats no id in 100,000, and no place prefers a character", async () => {
  const session = new Session<Data>({
    store: new MemoryStore({ maxEntries: 1 }),
    hashIds: false,
  });
  const count = 100_000;
  const ids = new Set<string>();
  const counts = Array.from({ length: 32 }, () => new Map<string, number>());

  for (let i = 0; i < count; i++) {
    const id = await session.create({});
    ids.add(id);
    for (const [place, map] of counts.entries()) {
      const char = id.charAt(place);
      map.set(char, (map.get(char) ?? 0) + 1);
    }
  }

  assertEquals(ids.size, count);
  for (const map of counts) {
    const expected = count / 64;
    let chiSquared = 0;
    for (const seen of map.values()) {
      chiSquared += (seen - expected) ** 2 / expected;
    }
    assertEquals(map.size, 64);
    // 63 degrees of freedom: chance gets there once in 10^17 runs.
    assertLess(chiSquared, 230);
  }
});

Deno.test("R2: Session.create() makes the id of random bytes alone", async () => {
  const made = new Set<string>();

  for (
    const [data, options] of [
      [{ user: "ada" }, {}],
      [{ user: "eve", admin: true }, { prefix: "other:" }],
      [{}, { cookieName: "__Host-id", idleTimeout: 5 }],
    ] as const
  ) {
    const id = await withRandom(
      (bytes) => bytes.fill(7),
      () => new Session<Data>(options).create(data),
    );
    made.add(id);
  }

  assertEquals([...made], ["BwcH".repeat(8)]);
});

const idLike = fc.array(
  fc.constantFrom(..."ABCXYZabcxyz0189-_"),
  { minLength: 22, maxLength: 128 },
).map((chars) => chars.join(""));

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R3: Session adopts no id that it has not issued, by any call, on ${on}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), idLike), async (id) => {
        const { store, calls } = spied(open());
        const session = new Session<Data>({ store });
        const issued = await session.create({ user: "ada" });
        calls.length = 0;

        assertEquals(await answersTo(session, id), NOTHING);
        session.setCookie(new Headers(), live);

        assertFalse(calls.includes("set"));
        assertEquals(await session.get(issued), { user: "ada" });
        assertEquals(await answersTo(session, id), NOTHING);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
}

Deno.test("R3: Session.update() and regenerate() write nothing under an id that was not issued", async () => {
  const map = new Map<string, unknown>();
  const session = new Session<Data>({ store: threeMethods(map) });

  await answersTo(session, live);

  assertEquals([...map], []);
});

Deno.test("R4: Session asks the store nothing about what is not shaped like an id, whatever it is", async () => {
  const { store, calls } = spied(new MemoryStore());
  const session = new Session<Data>({ store });
  const shape = /^[A-Za-z0-9_-]{22,128}$/;
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    idLike.chain((id) =>
      fc.constantFrom("\0", "\n", " ", "%", "=", '"', "é", ".", "/", ":")
        .map((char) => id.slice(0, 11) + char + id.slice(11))
    ),
  ).filter((id) => !shape.test(id));

  await fc.assert(
    fc.asyncProperty(hostile, async (id) => {
      assertEquals(await session.get(id), undefined);
      assertEquals(await session.update(id, { admin: true }), false);
      assertEquals(await session.regenerate(id), undefined);
      assertEquals(await session.expiresAt(id), undefined);
      await session.delete(id, new Headers());
      assertThrows(() => session.setCookie(new Headers(), id), TypeError);

      assertEquals(calls, []);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

for (const spelling of ["lower", "upper"] as const) {
  Deno.test(`R4: Session does not know an id in ${spelling} case that it has issued in another`, async () => {
    const id = "aB3_".repeat(8);
    const session = new Session<Data>({ generateId: () => id });
    await session.create({ user: "ada" });
    const variant = spelling === "lower" ? id.toLowerCase() : id.toUpperCase();

    assertEquals(await answersTo(session, variant), NOTHING);
    assertEquals(await session.get(id), { user: "ada" });
  });
}

Deno.test("R5: Session never passes an id to the store, in a key or a value, by any call", async () => {
  const seen: string[] = [];
  const map = new Map<string, unknown>();
  const inner = threeMethods(map);
  const store: Store = {
    get: (key) => {
      seen.push(key);
      return inner.get(key);
    },
    set: (key, value) => {
      seen.push(key, JSON.stringify(value));
      return inner.set(key, value);
    },
    delete: (key) => {
      seen.push(key);
      return inner.delete(key);
    },
  };
  const session = new Session<Data>({ store, regenerateGrace: MINUTE });
  const ids: string[] = [];

  for (let round = 0; round < 5; round++) {
    const first = await session.create({ user: "ada" });
    const res = new Headers();
    const id = await session.signIn(withId(first), res, { user: "ada" });
    const newId = await session.regenerate(id, { admin: true }) ?? "";
    ids.push(first, id, newId);
    for (const one of [first, id, newId]) {
      await session.get(one);
      await session.label(one);
      await session.update(one, { round });
      await session.fromRequest(withId(one));
    }
    if (round % 2) await session.delete(id, new Headers());
    else await session.signOut(withId(newId), new Headers());
  }

  assertGreater(seen.length, 50);
  for (const text of seen) {
    // Not a part of it either, from which one could search for the rest.
    for (const id of ids) assertFalse(text.includes(id.slice(0, 8)));
  }
});

Deno.test("R6: Session asks for keys whose every part depends on every character of the id", async () => {
  const { store, keys } = spied(new MemoryStore());
  const session = new Session<Data>({ store });
  const last =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  for (const char of last) await session.get("A".repeat(31) + char);

  // A look-up that takes longer for a longer common start tells who guesses
  // nothing: he cannot choose the start.
  assertEquals(keys.length, 64);
  const starts = keys.map((key) => key.slice("session:".length).slice(0, 8));
  assertEquals(new Set(starts).size, 64);
});

Deno.test("R7: Session names its cookie session_id and adds no header that tells what it is", async () => {
  const session = new Session<Data>();
  const res = new Headers();

  session.setCookie(res, await session.create({}));

  assertMatch(res.getSetCookie()[0] ?? "", /^session_id=/);
  assertEquals([...res.keys()].sort(), ["cache-control", "set-cookie"]);
});

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R8: Session.regenerate() leaves nothing readable under the old id, and what it adds never was, on ${on}`, async () => {
    const session = new Session<Data>({ store: open() });
    const id = await session.create({ cart: ["tea"] });
    const gate = makeGate();

    const regenerating = session.regenerate(id, async (data) => {
      await gate.opened;
      data.user = "ada";
    });
    const during = await session.get(id);
    gate.open();
    const newId = await regenerating;

    assertEquals(during, { cart: ["tea"] });
    assertEquals(
      await answersTo(session, id).then(() => session.get(id)),
      undefined,
    );
    // The answers above have deleted the old id, and so the new one.
    assertEquals(await session.get(newId), undefined);
  });
}

// R9-R12: lifetimes

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R9: Session ends at its idle timeout to the millisecond after each use, on ${on}`, async () => {
    for (
      const [offset, alive] of [[-1, true], [0, false], [1, false]] as const
    ) {
      using time = new FakeTime(1000);
      const session = new Session<Data>({ store: open() });
      const id = await session.create({ a: 1 });
      time.tick(HOUR / 2 + 1);
      await session.fromRequest(withId(id));

      time.tick(HOUR + offset);

      const data = await session.fromRequest(withId(id));
      assertEquals(data, alive ? { a: 1 } : undefined, `${offset} ms`);
    }
  });

  Deno.test(`R9: Session.fromRequest() writes at most once a half window for 1,000 requests, on ${on}`, async () => {
    using time = new FakeTime(0);
    const { store, calls } = spied(open());
    const session = new Session<Data>({ store, idleTimeout: 10_000 });
    const id = await session.create({ a: 1 });
    calls.length = 0;

    // 20 windows of ten seconds.
    for (let request = 0; request < 1000; request++) {
      time.tick(200);
      assertEquals(await session.fromRequest(withId(id)), { a: 1 });
    }

    const writes = calls.filter((call) => call === "update" || call === "set");
    assertGreater(writes.length, 30);
    assert(writes.length <= 40, `${writes.length} writes`);
  });

  Deno.test(`R10: Session ends at its absolute timeout to the millisecond, used every minute and renewed, on ${on}`, async () => {
    for (
      const [offset, alive] of [[-1, true], [0, false], [1, false]] as const
    ) {
      using time = new FakeTime(1000);
      const session = new Session<Data>({
        store: open(),
        idleTimeout: 10 * MINUTE,
        absoluteTimeout: HOUR,
      });
      let id: string | undefined = await session.create({ a: 1 });
      for (let minute = 1; minute < 60; minute++) {
        time.tick(MINUTE);
        await session.fromRequest(withId(id ?? ""));
        await session.update(id, { a: minute });
        if (minute % 7 === 0) id = await session.regenerate(id);
      }

      time.tick(MINUTE + offset);

      assertEquals(await session.get(id), alive ? { a: 59 } : undefined);
    }
  });
}

Deno.test("R11: Session is over at its deadline in a store that forgets nothing, for every call", async () => {
  using time = new FakeTime(0);
  const map = new Map<string, unknown>();
  const session = new Session<Data>({ store: threeMethods(map) });
  const id = await session.create({ a: 1 });

  // As late as Deno KV is, and much later.
  for (const late of [HOUR, HOUR + 61_000, 48 * HOUR]) {
    time.now = late;
    assertEquals(map.size, 1, "the entry must still be there");
    assertEquals(await session.get(id), undefined);
    assertEquals(await session.expiresAt(id), undefined);
    assertEquals(await session.update(id, { b: 1 }), false);
    assertEquals(await session.regenerate(id), undefined);
    assertEquals(await session.fromRequest(withId(id)), undefined);
    assertEquals(await session.idFromRequest(withId(id)), undefined);
  }
});

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R12: Session.delete() is final for a request that is under way, on ${on}`, async () => {
    const session = new Session<Data>({ store: open() });
    const id = await session.create({ user: "ada" });
    const gate = makeGate();
    const slow = session.update(id, async (data) => {
      await gate.opened;
      data.late = true;
    });
    const slowMove = session.regenerate(id, async (data) => {
      await gate.opened;
      data.late = true;
    });

    const ending = session.delete(id, new Headers());
    gate.open();
    await ending;
    await slow;
    const newId = await slowMove;

    assertEquals(await session.get(id), undefined);
    assertEquals(await session.get(newId), undefined);
    assertEquals(await session.update(id, { back: true }), false);
    assertEquals(await session.get(id), undefined);
  });
}

// R16-R20: the store

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R16: Session.update() applies 1,000 concurrent changes exactly once each, on ${on}`, async () => {
    const session = new Session<Data>({ store: open() });
    const id = await session.create({ count: 0, list: [] });

    const results = await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        session.update(id, (data) => {
          data.count = Number(data.count) + 1;
          (data.list as number[]).push(i);
        })),
    );

    const data = await session.get(id);
    assertEquals(results.filter((found) => found).length, 1000);
    assertEquals(data?.count, 1000);
    assertEquals(new Set(data?.list as number[]).size, 1000);
  });

  Deno.test(`R17: Session stores nothing for who reads, whatever they send, on ${on}`, async () => {
    const { store, calls } = spied(open());
    const session = new Session<Data>({ store });

    for (let i = 0; i < 500; i++) {
      const id = String(i).padStart(32, "-");
      await session.fromRequest(withId(id));
      await session.idFromRequest(withId(id));
      await session.fromRequest({ headers: {} });
      await session.get(id);
      await session.expiresAt(id);
    }

    assertEquals(new Set(calls), new Set(["get"]));
  });
}

Deno.test("R18: Session keeps to maxEntries in a flood of new sessions, and keeps the one that is used", async () => {
  using store = new MemoryStore({ maxEntries: 100 });
  const session = new Session<Data>({ store });
  const id = await session.create({ user: "ada" });

  for (let i = 0; i < 20_000; i++) {
    await session.create({ flood: i });
    assert(store.size <= 100);
    if (i % 25 === 0) {
      assertEquals(await session.fromRequest(withId(id)), { user: "ada" });
    }
  }

  assertEquals(await session.fromRequest(withId(id)), { user: "ada" });
});

Deno.test("R19: Session names neither id nor data in any error", async () => {
  const secret = "correct horse battery staple";
  const fails = (): never => {
    throw new TypeError("no");
  };
  const id = "secretid".repeat(4);
  const session = new Session<Data>({ generateId: () => id });
  await session.create({ secret });
  const sent = { headersSent: true, getHeader: () => 1, setHeader: fails };
  const errors: unknown[] = [];
  const attempt = async (fn: () => unknown): Promise<void> => {
    try {
      await fn();
    } catch (error) {
      errors.push(error);
    }
  };

  await attempt(() => session.create({ secret }));
  await attempt(() => session.create(untyped([secret])));
  await attempt(() =>
    session.create({ a: { [secret]: 1 }, secret: () => secret })
  );
  await attempt(() => session.update(id, { secret: Symbol(secret) }));
  await attempt(() => session.update(id, untyped(secret)));
  await attempt(() =>
    session.regenerate(id, { a: JSON.parse(`{"__proto__":"${secret}"}`) })
  );
  await attempt(() => session.regenerate(id, {}));
  await attempt(() => session.setCookie(new Headers(), `${id};`));
  await attempt(() => session.setCookie(sent, id));
  await attempt(() => session.get(untyped([id])));
  await attempt(() => session.delete(id, untyped({ id, secret })));
  await attempt(() => session.fromRequest(untyped({ id, secret })));

  await attempt(() => session.signIn(withId(id), new Headers(), { secret }));
  await attempt(() =>
    session.signIn(withId(id), new Headers(), untyped([secret]))
  );
  await attempt(() => session.signIn(withId(id), untyped(sent), { secret }));
  await attempt(() => session.signOut(withId(id), untyped(sent)));
  await attempt(() => session.requestCookie(untyped(new Map([[id, secret]]))));
  await attempt(() => session.load(untyped([id, secret])));
  await attempt(() => session.label(untyped({ id })));

  assertEquals(errors.length, 19);
  for (const error of errors) {
    assert(error instanceof Error);
    for (const text of [error.message, String(error.cause), `${error.stack}`]) {
      assertFalse(text.includes(id), error.message);
      assertFalse(text.includes(secret), error.message);
    }
  }
});

for (
  const [how, fail] of Object.entries({
    rejects: () => Promise.reject(new Error("store down")),
    throws: () => {
      throw new Error("store down");
    },
  })
) {
  for (const method of ["get", "set"] as const) {
    Deno.test(`R20: Session.fromRequest() fails when the ${method}() of the store ${how}: that is not "no session"`, async () => {
      using time = new FakeTime(0);
      const store = threeMethods();
      const session = new Session<Data>({ store });
      const id = await session.create({ user: "ada" });
      const works = store[method];
      store[method] = fail;
      // It writes, too, when more than half of the idle timeout is over.
      time.tick(HOUR / 2 + 1);

      await assertRejects(
        () => session.fromRequest(withId(id)),
        Error,
        "store down",
      );

      store[method] = untyped(works);
      assertEquals(await session.fromRequest(withId(id)), { user: "ada" });
    });
  }
}

Deno.test("R20: Session.delete() takes the cookie away and says what failed", async () => {
  for (const method of ["get", "delete"] as const) {
    const store = threeMethods();
    const session = new Session<Data>({ store });
    const id = await session.create({ user: "ada" });
    store[method] = () => Promise.reject(new Error("store down"));
    const res = new Headers();

    await assertRejects(() => session.delete(id, res), Error, "store down");

    assertMatch(res.getSetCookie()[0] ?? "", /^session_id=; .*Max-Age=0/);
  }
});

// R21-R31: the cookie

for (
  const [row, attribute, off] of [
    ["R21", /; Secure(;|$)/, { secure: false }],
    ["R22", /; HttpOnly(;|$)/, { httpOnly: false }],
    ["R23", /; SameSite=Lax(;|$)/, { sameSite: "Strict" }],
  ] as const
) {
  Deno.test(`${row}: Session writes ${attribute} unless told otherwise by that option`, async () => {
    const session = new Session();
    const relaxed = new Session({ cookie: off });
    const [set, removal] = [new Headers(), new Headers()];

    session.setCookie(set, live);
    await session.delete(live, removal);

    assertMatch(set.getSetCookie()[0] ?? "", attribute);
    assertMatch(removal.getSetCookie()[0] ?? "", attribute);
    assertFalse(attribute.test(relaxed.cookie(live)));
    assertMatch(relaxed.cookie(live), /; SameSite=(Lax|Strict)/);
  });
}

Deno.test("R21: Session does not guess Secure from the request", async () => {
  const session = new Session<Data>();
  for (const scheme of ["http", "https"]) {
    const req = new Request(`${scheme}://example.com/`);
    await session.fromRequest(req);

    assertStringIncludes(session.cookie(live), "; Secure");
  }
});

for (const path of ["/", "/app"]) {
  Deno.test(`R24: Session.delete() keeps to the rules of the prefix that setCookie() keeps to, for the path ${path}`, async () => {
    const session = new Session({ cookieName: "__Host-session_id" });
    const res = new Headers();
    const removing = session.delete(live, res, { path });

    if (path === "/") {
      await removing;
      assertMatch(
        res.getSetCookie()[0] ?? "",
        /^__Host-session_id=; Path=\/; .*Secure/,
      );
    } else {
      await assertRejects(() => removing, TypeError, "the prefix __Host-");
      assertEquals([...res], []);
    }
  });
}

// deno-lint-ignore no-control-regex -- none of them may be sent
const CONTROL = /[\x00-\x1f\x7f-\uffff]/;

Deno.test("R25: Session never writes a byte that is not printable ASCII, for any option in any combination", () => {
  using _time = new FakeTime(0);
  const nasty = fc.constantFrom(
    ...'\0 \t \r \n \x7f é \ud800 ; , = " \\ / . : a %00'.split(" "),
  );
  const text = fc.array(nasty, { maxLength: 5 }).map((parts) => parts.join(""));
  let refused = 0;

  fc.assert(
    fc.property(
      fc.record({
        cookieName: fc.oneof(text, fc.constant("session_id")),
        path: fc.oneof(text, text.map((rest) => `/${rest}`)),
        domain: fc.oneof(text, fc.constant("a.example")),
        sameSite: fc.oneof(text, fc.constant("Lax")),
      }, { requiredKeys: [] }),
      ({ cookieName, ...cookie }) => {
        let line: string;
        try {
          line = new Session(untyped({ cookieName, cookie })).cookie(live);
        } catch (error) {
          assert(error instanceof TypeError || error instanceof RangeError);
          refused++;
          return;
        }
        assertFalse(CONTROL.test(line), line);
        assertEquals(
          line.match(/Domain/g)?.length ?? 0,
          cookie.domain === undefined ? 0 : 1,
        );
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );

  assertGreater(refused, 1000);
});

Deno.test("R26: Session sends one line after create, set, regenerate, set and delete in one response", async () => {
  const session = new Session<Data>();
  const expires = "theme=dark; Expires=Wed, 21 Oct 2026 07:28:00 GMT";
  const res = new Headers([["set-cookie", expires], ["x-a", "1"]]);

  const id = await session.create({});
  session.setCookie(res, id);
  const newId = await session.regenerate(id) ?? "";
  session.setCookie(res, newId);
  await session.delete(newId, res);

  const [first, second, ...more] = res.getSetCookie();
  assertEquals([first, more], [expires, []]);
  assertMatch(second ?? "", /^session_id=; /);
  assertEquals(res.get("x-a"), "1");
});

Deno.test("R26: Session leaves alone the cookies whose names only resemble its own", () => {
  const near = ["session_id2=1", "xsession_id=1", "Session_id=1", "session=1"];
  const res = new Headers(near.map((line) => ["set-cookie", line]));

  new Session().setCookie(res, live);

  assertEquals(res.getSetCookie().slice(0, 4), near);
  assertEquals(res.getSetCookie().length, 5);
});

Deno.test("R27: Session takes a name that leaves room for the longest id in 4,096 bytes, and none longer", () => {
  const longest = "n".repeat(4096 - 128);
  const id = "i".repeat(128);

  const [pair = ""] = new Session({ cookieName: longest }).cookie(id).split(
    ";",
  );

  assertEquals(pair.length - "=".length, 4096);
  assertThrows(
    () => new Session({ cookieName: `${longest}n` }),
    RangeError,
    "at most 3968 characters",
  );
  for (const length of [1024, 1025]) {
    const write = (): string =>
      new Session().cookie(live, { path: "/".padEnd(length, "p") });
    if (length === 1024) assertStringIncludes(write(), "p; HttpOnly");
    else assertThrows(write, RangeError, "at most 1024 characters");
  }
});

Deno.test("R28: Session takes a cookie of 400 days and not a second or a millisecond more", () => {
  using _time = new FakeTime(0);
  const days400 = 400 * 24 * 60 * 60;
  const session = new Session();

  assertStringIncludes(
    session.cookie(live, { maxAge: days400 }),
    "Max-Age=34560000",
  );
  assertStringIncludes(
    session.cookie(live, { expires: new Date(days400 * 1000) }),
    "Expires=Fri, 05 Feb 1971",
  );
  for (const maxAge of [days400 + 1, 8 * HOUR * 2]) {
    assertThrows(
      () => session.cookie(live, { maxAge }),
      RangeError,
      "seconds (not milliseconds)",
    );
  }
  assertThrows(
    () => session.cookie(live, { expires: new Date(days400 * 1000 + 1) }),
    RangeError,
    "within the next 400 days",
  );
});

for (
  const [what, attributes] of Object.entries(
    {
      "SameSite=None": { sameSite: "None" },
      "samesite=none": { sameSite: "none" },
      "Partitioned": { partitioned: true },
    } as const,
  )
) {
  Deno.test(`R29: Session refuses ${what} without Secure wherever the two meet`, async () => {
    const insecure = new Session({ cookie: { secure: false } });
    const secure = new Session({ cookie: attributes });
    const res = new Headers();

    for (
      const call of [
        () => new Session({ cookie: { ...attributes, secure: false } }),
        () => insecure.cookie(live, attributes),
        () => insecure.setCookie(res, live, attributes),
        () => secure.setCookie(res, live, { secure: false }),
      ]
    ) assertThrows(call, TypeError, "needs secure: true");
    await assertRejects(
      () => insecure.delete(live, res, attributes),
      TypeError,
      "needs secure: true",
    );

    assertEquals([...res], []);
  });
}

Deno.test("R30: Session writes no lifetime into the cookie, and again none after a call that did", () => {
  const session = new Session();

  assertStringIncludes(session.cookie(live, { maxAge: 60 }), "Max-Age=60");

  assertFalse(/Max-Age|Expires/i.test(session.cookie(live)));
});

for (
  const [before, after] of [
    [undefined, "no-store"],
    ["public, max-age=31536000, immutable", "no-store"],
    ["private, no-cache", "private, no-cache"],
    ["no-store", "no-store"],
    ["x-private, s-maxage=5", "no-store"],
  ] as const
) {
  Deno.test(`R31: Session.delete() makes Cache-Control ${after} of ${before}`, async () => {
    const res = new Headers(before && { "cache-control": before });

    await new Session().delete(live, res);

    assertEquals(res.get("cache-control"), after);
  });
}

// R32-R36: the request

async function withTwoLive(cookieName = "session_id"): Promise<Session<Data>> {
  const ids = [live, other];
  const session = new Session<Data>({
    cookieName,
    generateId: () => ids.shift() ?? "",
  });
  await session.create({ user: "ada" });
  await session.create({ user: "eve" });
  return session;
}

for (
  const [what, name] of Object.entries({
    "another case of the prefix": "__host-session_id",
    "capitals": "__HOST-SESSION_ID",
    "a percent sign in the prefix": "__%48ost-session_id",
    "no prefix": "session_id",
    "half a prefix": "Host-session_id",
    "a no-break space before it": "\u00a0__Host-session_id",
    "a no-break space after it": "__Host-session_id\u00a0",
    "an en quad before it": "\u2000__Host-session_id",
    "a byte order mark before it": "\ufeff__Host-session_id",
    "a vertical tab before it": "\v__Host-session_id",
    "a form feed after it": "__Host-session_id\f",
    "a NUL after it": "__Host-session_id\0",
    "a carriage return before it": "\r__Host-session_id",
    "quotes": '"__Host-session_id"',
    "a letter after it": "__Host-session_idx",
    "a letter before it": "x__Host-session_id",
    "an = before it": "=__Host-session_id",
    "a comma before it": "a=1,__Host-session_id",
    "$ before it": "$__Host-session_id",
  })
) {
  Deno.test(`R32: Session.fromRequest() does not take a cookie for __Host-session_id that has ${what}`, async () => {
    const session = await withTwoLive("__Host-session_id");

    assertEquals(
      await session.fromRequest(withCookie(`${name}=${live}`)),
      undefined,
    );
    assertEquals(
      await session.fromRequest(
        withCookie(`${name}=${other}; __Host-session_id=${live}`),
      ),
      { user: "ada" },
    );
  });
}

for (
  const [what, value] of Object.entries({
    "padding": `${live}==`,
    "quotes": `"${live}"`,
    "a percent sign": `%4C${live.slice(1)}`,
    "a percent sign at the end": `${live}%00`,
    "a plus": `+${live}`,
    "a comma": `${live},`,
    "a no-break space": `${live}\u00a0`,
    "a line break": `${live}\n`,
    "a NUL": `${live}\0`,
    "an equals sign before it": `=${live}`,
  })
) {
  Deno.test(`R32: Session.fromRequest() decodes and mends nothing: a value with ${what} is another`, async () => {
    const session = await withTwoLive();

    assertEquals(await session.fromRequest(withId(value)), undefined);
  });
}

/** What is in a header, said in the fewest words; slow and easy to check. */
function expectedId(
  header: string,
  alive: readonly string[],
): string | undefined {
  const strip = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");
  const values = header.split(";").flatMap((pair) => {
    const [name = "", ...rest] = pair.split("=");
    const isOurs = rest.length > 0 && strip(name) === "session_id";
    return isOurs ? [strip(rest.join("="))] : [];
  });
  const shaped = values.filter((value) => /^[\w-]{22,128}$/.test(value));
  const found = [...new Set(shaped)].slice(0, 4)
    .filter((value) => alive.includes(value));
  return found.length === 1 ? found[0] : undefined;
}

Deno.test("R33, R34: Session.idFromRequest() throws at no header and finds who the rules say", async () => {
  const session = await withTwoLive();
  const piece = fc.constantFrom(
    ...["session_id", "Session_id", "a", "__proto__", live, other, dead, "x"],
    ...["=", "=", ";", ";", " ", "\t", ",", '"', "%", "\u00a0", "\0", "é"],
    ...["%E0%A4%A", "$Version=1", "\ud800", "session_id=", `; session_id=`],
    ...[`; session_id=${live}`, `session_id=${other};`, "E".repeat(30)],
  );
  const header = fc.array(piece, { minLength: 4, maxLength: 24 }).map((all) =>
    all.join("")
  );
  let found = 0;

  await fc.assert(
    fc.asyncProperty(header, async (cookie) => {
      const expected = expectedId(cookie, [live, other]);

      assertEquals(await session.idFromRequest(withCookie(cookie)), expected);

      if (expected !== undefined) found++;
    }),
    { seed: SEED, numRuns: 5000 },
  );

  assertGreater(found, 300);
});

Deno.test("R34: Session.fromRequest() throws at no header of any characters", async () => {
  const session = await withTwoLive();

  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary", maxLength: 300 }),
      async (cookie) => {
        assertEquals(await session.fromRequest(withCookie(cookie)), undefined);
        assertEquals(
          await session.fromRequest(
            withCookie(
              `${cookie.replaceAll("session_id", "")};session_id=${live}`,
            ),
          ),
          { user: "ada" },
        );
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
});

Deno.test("R35: Session.fromRequest() reads two Cookie headers as the runtime joins them, and splits at no comma", async () => {
  const session = await withTwoLive();
  const headers = new Headers([["cookie", "a=1"], [
    "cookie",
    `session_id=${live}`,
  ]]);
  const joined = headers.get("cookie") ?? "";

  const data = await session.fromRequest(headers);

  assertEquals(data, joined.includes("; ") ? { user: "ada" } : undefined);
  assertEquals(
    await session.fromRequest(withCookie(`a=1, session_id=${live}`)),
    undefined,
  );
});

/**
 * How many characters the methods of strings and regular expressions look at or
 * copy while `fn` runs: work that does not depend on the machine. What a
 * regular expression tries again is not seen, nor is `text[i]`.
 */
async function countSteps(fn: () => unknown): Promise<number> {
  let steps = 0;
  const restore: (() => void)[] = [];
  const count = (
    prototype: object,
    name: string,
    cost: (self: string, result: unknown, args: unknown[]) => number,
  ): void => {
    const original = Reflect.get(prototype, name);
    if (typeof original !== "function") return;
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value: function (this: unknown, ...args: unknown[]): unknown {
        const result = Reflect.apply(original, this, args);
        steps += cost(String(this), result, args);
        return result;
      },
    });
    restore.push(() =>
      Object.defineProperty(prototype, name, {
        configurable: true,
        writable: true,
        value: original,
      })
    );
  };
  const whole = (self: string): number => self.length + 1;
  for (const name of ["charCodeAt", "codePointAt", "charAt", "at"]) {
    count(String.prototype, name, () => 1);
  }
  for (const name of ["slice", "substring", "substr"]) {
    count(String.prototype, name, (_, result) => String(result).length + 1);
  }
  count(String.prototype, "indexOf", (self, result, [, from]) => {
    const start = Number(from ?? 0);
    return (Number(result) < 0 ? self.length : Number(result)) - start + 1;
  });
  for (
    const name of [
      ..."split trim trimStart trimEnd includes startsWith endsWith".split(" "),
      ..."replace replaceAll match matchAll search toLowerCase".split(" "),
      ..."toUpperCase lastIndexOf normalize concat padEnd".split(" "),
    ]
  ) count(String.prototype, name, whole);
  count(RegExp.prototype, "exec", (_, __, [text]) => String(text).length + 1);
  try {
    await fn();
  } finally {
    for (const put of restore) put();
  }
  return steps;
}

const HOSTILE_HEADERS: Record<string, (bytes: number) => string> = {
  "one long value": (bytes) => `session_id=${"x".repeat(bytes)}`,
  "one long name": (bytes) => `${"x".repeat(bytes)}=1`,
  "cookies of four bytes": (bytes) => "a=b;".repeat(bytes / 4),
  "separators": (bytes) => ";".repeat(bytes),
  "equals signs": (bytes) => "=".repeat(bytes),
  "spaces": (bytes) => " ".repeat(bytes),
  "spaces before the name": (bytes) => `${" ".repeat(bytes)}session_id=x`,
  "spaces around nothing": (bytes) => `session_id=${" ".repeat(bytes)};`,
  "spaces within the value": (bytes) => `session_id=a${" ".repeat(bytes)}b`,
  "tabs and spaces in turn": (bytes) => " \t".repeat(bytes / 2),
  "quotes": (bytes) => '"'.repeat(bytes),
  "names without a value": (bytes) => "session_id;".repeat(bytes / 11),
  "empty values": (bytes) => "session_id=;".repeat(bytes / 12),
  "malformed values": (bytes) => "session_id=x; ".repeat(bytes / 14),
  "percent signs": (bytes) => "session_id=%".repeat(bytes / 12),
  "commas": (bytes) => ",session_id=x".repeat(bytes / 13),
  "values too long for an id": (bytes) =>
    `session_id=${"A".repeat(129)};`.repeat(bytes / 141),
  "the same id": (bytes) => `session_id=${dead};`.repeat(bytes / 44),
};

for (const [what, make] of Object.entries(HOSTILE_HEADERS)) {
  Deno.test(`R36: Session.fromRequest() takes twice the steps for twice the bytes of ${what}`, async () => {
    const session = new Session<Data>();
    const stepsFor = (bytes: number): Promise<number> => {
      const req = withCookie(make(bytes));
      return countSteps(() => session.fromRequest(req));
    };

    const [small, large] = [await stepsFor(60_000), await stepsFor(120_000)];

    assertLess(large, small * 2.1 + 1000);
    assertLess(small, 60_000 * 6);
  });
}

Deno.test("R36: the count of steps tells a reader that copies the rest from one that does not", async () => {
  const header = (cookies: number): string => "a=b;".repeat(cookies);
  const readSlowly = (rest: string): void => {
    while (rest.length > 0) rest = rest.slice(rest.indexOf(";") + 1);
  };

  const small = await countSteps(() => readSlowly(header(1000)));
  const large = await countSteps(() => readSlowly(header(2000)));

  assertGreater(large, small * 3.5);
});

// R37, R38: objects and options

for (
  const json of [
    '{"__proto__":{"admin":true}}',
    '{"constructor":{"prototype":{"admin":true}}}',
  ]
) {
  Deno.test(`R37: Session pollutes no prototype with ${json}, by any call`, async () => {
    const session = new Session<Data>();
    const id = await session.create({ user: "ada" });
    const members = JSON.parse(json);

    for (
      const call of [
        () => session.create(members),
        () => session.create({ deep: [{ members }] }),
        () => session.update(id, members),
        () => session.update(id, (data) => ({ ...data, list: [members] })),
        () => session.update(id, (data) => void (data.deep = members)),
        () => session.regenerate(id, members),
      ]
    ) {
      const result = await call().catch((error: unknown) => error);
      if (json.includes("__proto__")) {
        assert(result instanceof TypeError, String(result));
        assertStringIncludes(result.message, "__proto__");
      }
    }

    assertEquals(Reflect.get({}, "admin"), undefined);
    const data = await session.get(id) ?? {};
    assertEquals(Reflect.get(data, "admin"), undefined);
    assertEquals(Reflect.get(Object.assign({}, data), "admin"), undefined);
  });
}

Deno.test("R37: Session reads no option from a polluted prototype", async () => {
  const polluted = {
    domain: "evil.example",
    secure: false,
    httpOnly: false,
    cookieName: "evil",
    prefix: "evil:",
    hashIds: false,
    idleTimeout: Infinity,
    regenerateGrace: 60_000,
    generateId: () => dead,
    maxAge: 60,
  };
  for (const [name, value] of Object.entries(polluted)) {
    Object.defineProperty(Object.prototype, name, {
      value,
      configurable: true,
      writable: true,
    });
  }
  let line = "";
  let keys: string[] = [];
  let ends: number | undefined;
  try {
    const spy = spied(new MemoryStore());
    keys = spy.keys;
    const session = new Session<Data>({ store: spy.store });
    const id = await session.create({});
    line = session.cookie(id, {});
    ends = await session.expiresAt(id);
  } finally {
    for (const name of Object.keys(polluted)) {
      Reflect.deleteProperty(Object.prototype, name);
    }
  }

  assertMatch(
    line,
    /^session_id=.{32}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  assertMatch(keys[0] ?? "", /^session:.{43}$/);
  assertLess(ends ?? Infinity, Date.now() + HOUR + 1);
});

for (
  const [typo, name] of [
    ["httponly", "httpOnly"],
    ["HttpOnly", "httpOnly"],
    ["maxage", "maxAge"],
    ["max-age", "maxAge"],
    ["samesite", "sameSite"],
    ["Secure", "secure"],
    ["Path", "path"],
    ["expire", "expires"],
  ] as const
) {
  Deno.test(`R38: Session names ${name} to who writes ${typo}, in every place where attributes go`, async () => {
    const options = untyped({ [typo]: true });
    const session = new Session<Data>();
    const res = new Headers();
    const said = new RegExp(`unknown option "${typo}".*\\b${name}\\b`);

    for (
      const call of [
        () => new Session({ cookie: options }),
        () => session.cookie(live, options),
        () => session.setCookie(res, live, options),
      ]
    ) assertMatch(assertThrows(call, TypeError).message, said);
    const error = await assertRejects(
      () => session.delete(live, res, options),
      TypeError,
    );

    assertMatch(error.message, said);
    assertEquals([...res], []);
  });
}

for (
  const typo of [
    "cookiename",
    "name",
    "ttl",
    "idletimeout",
    "maxAge",
    "secure",
    "rolling",
    "secret",
  ]
) {
  Deno.test(`R38: new Session() names its options to who writes ${typo}`, () => {
    const { message } = assertThrows(
      () => new Session(untyped({ [typo]: undefined })),
      TypeError,
      `unknown option "${typo}"`,
    );

    for (
      const name of ["cookieName", "cookie", "idleTimeout", "absoluteTimeout"]
    ) {
      assertStringIncludes(message, name);
    }
  });
}

// What else the lists of bad inputs have, 2.5 and 2.6

for (
  const [what, options] of Object.entries({
    "a DEL in the path": { path: "/\x7f" },
    "a NUL in the path": { path: "/\0" },
    "a line break in the domain": { domain: "a.com\r\nSet-Cookie: x=1" },
    "a domain of 254 characters": {
      domain: `${"a".repeat(61)}.`.repeat(4).padEnd(254, "b").slice(0, 254),
    },
    "a domain that ends in a number": { domain: "10.0.0.1" },
    "text for expires": { expires: "Thu, 01 Jan 2099 00:00:00 GMT" },
    "a date of the past": { expires: new Date(Date.now() - 1000) },
    "an invalid date": { expires: new Date(NaN) },
    "0 for maxAge": { maxAge: 0 },
    "a bigint for maxAge": { maxAge: 60n },
    "null for path": { path: null },
    "an array for sameSite": { sameSite: ["Lax"] },
    "1 for secure": { secure: 1 },
    "a promise of attributes": Promise.resolve({}),
    "null": null,
  })
) {
  Deno.test(`2.5: Session refuses ${what} and leaves the response as it was`, async () => {
    const session = new Session<Data>();
    const res = new Headers({ "set-cookie": "a=1", "cache-control": "public" });
    const before = [...res];

    const thrown = catchError(() =>
      session.setCookie(res, live, untyped(options))
    );
    const rejected = await catchRejection(
      session.delete(live, res, untyped(options)),
    );

    for (const error of [thrown, rejected]) {
      assert(
        error instanceof TypeError || error instanceof RangeError,
        String(error),
      );
      assertMatch(error.message, /^Cannot (set cookie|delete session): /);
    }
    assertEquals([...res], before);
  });
}

Deno.test("2.5: Session.setCookie() says to who writes maxAge 0 how a cookie is removed", () => {
  assertThrows(
    () => new Session().cookie(live, { maxAge: 0 }),
    RangeError,
    "write delete(id, res)",
  );
});

for (
  const line of ["\r", "\n", "\0", "\x01", "\x7f", ";", ",", " ", '"', "\\"]
) {
  Deno.test(`2.5: Session.setCookie() refuses an id with ${JSON.stringify(line)} before the headers see it`, () => {
    const res = new Headers();

    assertThrows(
      () => new Session().setCookie(res, `${live}${line}`),
      TypeError,
      "id must be",
    );

    assertEquals([...res], []);
  });
}

for (
  const [what, patch] of Object.entries({
    "null": null,
    "an array": [],
    "text": "x",
    "a number": 7,
    "a Date": new Date(0),
    "a Map": new Map([["a", 1]]),
    "an instance of a class": new (class User {
      name = "ada";
    })(),
    "a promise": Promise.resolve({ a: 1 }),
    "an own __proto__": JSON.parse('{"__proto__":{"admin":true}}'),
    "a getter that throws": {
      get a(): never {
        throw new Error("no");
      },
    },
    "a proxy that throws": new Proxy({}, {
      ownKeys: () => {
        throw new Error("no");
      },
    }),
  })
) {
  Deno.test(`2.6: Session.update() and regenerate() refuse ${what} for a patch and change nothing`, async () => {
    const session = new Session<Data>();
    const id = await session.create({ user: "ada" });

    await assertRejects(() => session.update(id, untyped(patch)), Error);
    await assertRejects(() => session.regenerate(id, untyped(patch)), Error);

    assertEquals(await session.get(id), { user: "ada" });
    assertEquals(await session.update(id, { next: true }), true);
  });
}

for (const [on, open] of Object.entries(STORES)) {
  for (const thrown of [new Error("no"), undefined, null, "text"]) {
    for (const how of ["throws", "rejects with"]) {
      Deno.test(`2.6: Session.update() goes on after a function that ${how} ${thrown}, on ${on}`, async () => {
        const session = new Session<Data>({ store: open() });
        const id = await session.create({ count: 1 });
        const fail = (data: Data): Promise<void> => {
          data.count = 99;
          if (how === "throws") throw thrown;
          return Promise.reject(thrown);
        };
        const add = (data: Data): void => {
          data.count = Number(data.count) + 1;
        };

        const results = await Promise.all([
          session.update(id, fail).then(() => "ok", (reason) => ({ reason })),
          session.update(id, add),
          session.regenerate(id, fail).then(
            () => "ok",
            (reason) => ({ reason }),
          ),
          session.update(id, add),
        ]);

        assertEquals(results, [
          { reason: thrown },
          true,
          { reason: thrown },
          true,
        ]);
        assertEquals(await session.get(id), { count: 3 });
      });
    }
  }

  Deno.test(`2.6: Session.update() queues a change that its function makes of the same session, on ${on}`, async () => {
    const session = new Session<Data>({ store: open() });
    const id = await session.create({ log: [] });
    let inner: Promise<boolean> | undefined;
    const log = (text: string) => (data: Data): void => {
      (data.log as string[]).push(text);
    };

    const outer = await session.update(id, (data) => {
      inner ??= session.update(id, log("inner"));
      log("outer")(data);
    });

    assertEquals([outer, await inner], [true, true]);
    assertEquals(await session.get(id), { log: ["outer", "inner"] });
  });

  Deno.test(`2.6: Session.update() gives up a function that never settles, and other sessions do not wait, on ${on}`, async () => {
    using time = new FakeTime(0);
    const session = new Session<Data>({ store: open() });
    const [id, elsewhere] = [
      await session.create({}),
      await session.create({}),
    ];
    const gate = makeGate();
    const hung = catchRejection(
      session.update(id, async (data) => {
        await gate.opened;
        data.late = true;
      }),
    );
    const waiting = catchRejection(session.update(id, { waiting: true }));

    assertEquals(await session.update(elsewhere, { free: true }), true);
    await time.tickAsync(30_000);
    const errors = [await hung, await waiting];
    gate.open();
    await time.runMicrotasks();

    for (const error of errors) assert(error instanceof UpdateTimeoutError);
    assertEquals(await session.update(id, { next: true }), true);
    assertEquals(await session.get(id), { next: true });
  });

  Deno.test(`2.6: Session.update() of 10,000 sessions at once changes each, on ${on}`, async () => {
    const session = new Session<Data>({ store: open() });
    const ids = await Promise.all(
      Array.from({ length: 10_000 }, () => session.create({ count: 0 })),
    );

    const results = await Promise.all(
      ids.map((id, i) =>
        session.update(id, async (data) => {
          data.count = await Promise.resolve(i);
        })
      ),
    );

    assert(results.every((found) => found));
    for (const i of [0, 1, 5000, 9999]) {
      assertEquals(await session.get(ids[i]), { count: i });
    }
  });

  Deno.test(`2.6: Session.update() writes nothing for a session that ends while its function runs, on ${on}`, async () => {
    for (const ends of ["deleted", "expired", "regenerated"]) {
      using time = new FakeTime(0);
      const session = new Session<Data>({ store: open() });
      const id = await session.create({ a: 1 });
      const gate = makeGate();
      const started = makeGate();
      const updating = session.update(id, async (data) => {
        started.open();
        await gate.opened;
        data.late = true;
      });
      await started.opened;

      let ending: Promise<unknown> | undefined;
      if (ends === "deleted") ending = session.delete(id, new Headers());
      else if (ends === "expired") time.tick(HOUR);
      else ending = session.regenerate(id);
      gate.open();
      const [updated, newId] = await Promise.all([updating, ending]);

      assertEquals(await session.get(id), undefined, ends);
      if (ends === "expired") assertEquals(updated, false);
      // Who came first is open, but nothing that was acknowledged may be lost.
      if (ends === "regenerated") {
        assertEquals(
          await session.get(String(newId)),
          updated ? { a: 1, late: true } : { a: 1 },
        );
      }
    }
  });

  Deno.test(`R12: Session.delete() ends a session whose change never settles, on ${on}`, async () => {
    using time = new FakeTime(0);
    const session = new Session<Data>({ store: open() });
    const id = await session.create({ user: "ada" });
    const res = new Headers();
    const gate = makeGate();
    const hung = catchRejection(
      session.update(id, async (data) => {
        await gate.opened;
        data.late = true;
      }),
    );

    const ending = catchRejection(session.delete(id, res));
    await time.tickAsync(30_000);
    await ending;
    gate.open();
    await hung;
    await time.runMicrotasks();

    assertEquals(await session.get(id), undefined);
    assertMatch(res.getSetCookie()[0] ?? "", /Max-Age=0/);
  });
}

for (
  const [what, value] of Object.entries({
    "a function": () => 1,
    "a symbol": Symbol("s"),
    "text": "x",
    "a number": 7,
    "null": null,
    "an array": [],
  })
) {
  Deno.test(`2.6: Session.update() refuses a function that returns ${what}, and leaves the session as it was`, async () => {
    const session = new Session<Data>();
    const id = await session.create({ a: 1 });

    for (const change of [() => value, () => Promise.resolve(value)]) {
      await assertRejects(() => session.update(id, untyped(change)), TypeError);
    }

    assertEquals(await session.get(id), { a: 1 });
  });
}

Deno.test("2.6: Session.update() keeps no reference to what it was given or has returned", async () => {
  const session = new Session<Data>({ store: threeMethods() });
  const id = await session.create({ list: ["a"] });
  const given = { list: ["b"] };
  let kept: Data = {};

  await session.update(id, given);
  given.list.push("outside");
  await session.update(id, (data) => {
    kept = data;
    return data;
  });
  kept.list = ["outside"];
  (await session.get(id))!.list = ["outside"]; // it is there: just updated

  assertEquals(await session.get(id), { list: ["b"] });
});

function catchError(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    return error;
  }
}

function catchRejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "resolved", (error) => error);
}
