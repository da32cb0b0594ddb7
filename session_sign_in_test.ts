/**
 * The requirements of SECURITY.md by their numbers, for the calls that sign in
 * and out, and for what is beside them: `load`, `requestCookie`, `label`, and
 * the grace of `regenerate`.
 */

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { makeGate, STORES, threeMethods, untyped } from "./_test_util.ts";
import { MemoryStore, Session, type Store } from "./mod.ts";

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;

interface Visit {
  user?: string;
  cart: string[];
}

const ADA: Visit = { user: "ada", cart: [] };

/** A request with a cookie for each of these ids. */
function withIds(...ids: (string | undefined)[]): { headers: Headers } {
  const pairs = ids.filter((id) => id !== undefined)
    .map((id) => `session_id=${id}`);
  const headers = new Headers();
  if (pairs.length > 0) headers.set("cookie", pairs.join("; "));
  return { headers };
}

/** The value of the only cookie that a response sets. */
function sentId(res: Headers): string | undefined {
  const lines = res.getSetCookie();
  assertEquals(lines.length, 1);
  return /^session_id=([\w-]*); Path=\/; /.exec(lines[0] ?? "")?.[1];
}

function takeOver(previous: Visit | undefined): Visit {
  return { user: "ada", cart: previous?.cart ?? [] };
}

/** A store, and a call that lets something happen right after its next read. */
function withInterruption(
  store: Store,
): { store: Store; afterNextRead(fn: () => Promise<void>): void } {
  const get = store.get.bind(store);
  const afterNextRead = (fn: () => Promise<void>): void => {
    store.get = async (key) => {
      store.get = get;
      const value = await get(key);
      await fn();
      return value;
    };
  };
  return { store, afterNextRead };
}

// signIn()

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R8: Session.signIn() kills the id of the request and gives a new one, with what is taken over, on ${on}`, async () => {
    const session = new Session<Visit>({ store: open() });
    const old = await session.create({ cart: ["tea"] });
    const res = new Headers();

    const id = await session.signIn(withIds(old), res, takeOver);

    assertNotEquals(id, old);
    assertEquals(sentId(res), id);
    assertEquals(res.get("cache-control"), "no-store");
    assertEquals(await session.get(id), { user: "ada", cart: ["tea"] });
    assertEquals(await session.get(old), undefined);
    assertEquals(await session.update(old, { user: "eve" }), false);
    assertEquals(await session.regenerate(old), undefined);
    assertEquals(await session.load(withIds(old)), undefined);
  });

  Deno.test(`R8: Session.signIn() carries over nothing of the old session unless told, on ${on}`, async () => {
    const session = new Session<Record<string, unknown>>({ store: open() });
    const old = await session.create({ admin: true, cart: ["bait"] });

    const id = await session.signIn(withIds(old), new Headers(), {
      user: "ada",
    });

    assertEquals(await session.get(id), { user: "ada" });
  });

  Deno.test(`R3: Session.signIn() adopts no id it has not issued, nor one whose session has ended, on ${on}`, async () => {
    const session = new Session<Visit>({ store: open() });
    const ended = await session.create({ cart: ["old"] });
    await session.delete(ended, new Headers());
    const madeUp = "attacker-knows-this-one-already_";

    for (const planted of [madeUp, ended, "x", "", "' OR 1=1 --", undefined]) {
      const id = await session.signIn(
        withIds(planted),
        new Headers(),
        takeOver,
      );

      assertNotEquals(id, planted);
      assertEquals(await session.get(id), ADA);
      assertEquals(await session.get(planted), undefined);
    }
  });

  Deno.test(`R8: Session.signIn() shows the new data under the old id at no time, on ${on}`, async () => {
    const session = new Session<Visit>({ store: open() });
    const old = await session.create({ cart: [] });
    const gate = makeGate();
    const seen: unknown[] = [];

    let done = false;
    const signingIn = session.signIn(withIds(old), new Headers(), async () => {
      await gate.opened;
      return ADA;
    }).then(() => done = true);
    seen.push(await session.get(old));
    gate.open();
    while (!done) seen.push(await session.get(old));
    await signingIn;
    seen.push(await session.get(old));

    assertEquals(seen[0], { cart: [] });
    assertEquals(seen.at(-1), undefined);
    for (const data of seen) assertNotEquals(data, ADA);
  });

  Deno.test(`R10: Session.signIn() starts both timeouts anew, and no call after it extends the absolute one, on ${on}`, async () => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({
      store: open(),
      idleTimeout: HOUR,
      absoluteTimeout: HOUR,
    });
    const old = await session.create({ cart: [] });
    time.tick(HOUR - 1);

    const id = await session.signIn(withIds(old), new Headers(), ADA);

    assertEquals(await session.expiresAt(id), 2 * HOUR - 1);
    time.tick(HOUR / 2 + 1);
    await session.load(withIds(id));
    const newId = await session.regenerate(id);
    time.tick(HOUR / 2 - 2);
    assertEquals(await session.get(newId), ADA);
    time.tick(1);
    assertEquals(await session.get(newId), undefined);
  });

  Deno.test(`R12: Session.signOut() with the id from before a sign-in ends the session that came of it, on ${on}`, async () => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({ store: open() });
    const old = await session.create({ cart: [] });
    const id = await session.signIn(withIds(old), new Headers(), ADA);
    time.tick(MINUTE - 1);

    await session.signOut(withIds(old), new Headers());

    assertEquals(await session.get(id), undefined);
  });

  Deno.test(`R12: Session.signOut() leaves nothing alive, however it races signIn(), on ${on}`, async () => {
    for (let turns = 0; turns < 40; turns++) {
      const session = new Session<Visit>({ store: open() });
      const old = await session.create({ cart: [] });

      const signingIn = session.signIn(withIds(old), new Headers(), ADA);
      for (let turn = 0; turn < turns; turn++) await null;
      await session.signOut(withIds(old), new Headers());
      const id = await signingIn;

      // Either it was signed out before, and then this is another visitor's
      // session, made of nothing; or after, and then it is gone.
      const data = await session.get(id);
      assertEquals(await session.get(old), undefined);
      if (data !== undefined) assertEquals(data, ADA, `${turns} turns`);
      await session.signOut(withIds(old, id), new Headers());
      assertEquals(await session.get(id), undefined);
    }
  });

  Deno.test(`R8: Session.signIn() twice at once with one planted id leaves the planted one dead, on ${on}`, async () => {
    const session = new Session<Visit>({ store: open() });
    const planted = await session.create({ cart: ["bait"] });
    const req = withIds(planted);

    const ids = await Promise.all(
      [1, 2, 3].map(() => session.signIn(req, new Headers(), takeOver)),
    );

    assertEquals(new Set(ids).size, 3);
    assertEquals(await session.get(planted), undefined);
    const carts = await Promise.all(ids.map((id) => session.get(id)));
    // Three have signed in, each by a password, and one has taken over the cart.
    assertEquals(carts.filter((data) => data?.user === "ada").length, 3);
    assertEquals(carts.filter((data) => data?.cart.length === 1).length, 1);
  });

  for (const regenerateGrace of [0, MINUTE]) {
    for (const [often, times] of [["once", 1], ["twice", 2]] as const) {
      Deno.test(`R8: Session.signIn() ends the session of the request where it has got another id ${often} meanwhile, with a grace of ${regenerateGrace}, on ${on}`, async () => {
        const { store, afterNextRead } = withInterruption(open());
        const session = new Session<Visit>({ store, regenerateGrace });
        const old = await session.create({ cart: ["tea"] });
        const renewed: (string | undefined)[] = [old];
        afterNextRead(async () => {
          for (let i = 0; i < times; i++) {
            renewed.push(await session.regenerate(renewed.at(-1)));
          }
        });

        const id = await session.signIn(withIds(old), new Headers(), takeOver);

        assertEquals(new Set([...renewed, id]).size, times + 2);
        for (const ended of renewed) {
          assertEquals(await session.get(ended), undefined);
        }
        assertEquals(await session.get(id), ADA);
      });
    }
  }

  Deno.test(`R8, R12: Session.signIn() leaves the session of a sign-in that came meanwhile, and a sign-out by the old id ends that, on ${on}`, async () => {
    const { store, afterNextRead } = withInterruption(open());
    const session = new Session<Visit>({ store });
    const old = await session.create({ cart: ["tea"] });
    let first: string | undefined;
    afterNextRead(async () => {
      first = await session.signIn(withIds(old), new Headers(), takeOver);
    });

    const id = await session.signIn(withIds(old), new Headers(), takeOver);

    assertNotEquals(first, id);
    assertEquals(await session.get(id), ADA);
    assertEquals(await session.get(first), { user: "ada", cart: ["tea"] });
    await session.signOut(withIds(old), new Headers());
    assertEquals(await session.get(first), undefined);
  });

  Deno.test(`R33: Session.signIn() ends each of several sessions of a request and takes over none, on ${on}`, async () => {
    const session = new Session<Visit>({ store: open() });
    const hers = await session.create({ cart: ["hers"] });
    const planted = await session.create({ user: "eve", cart: ["bait"] });
    const res = new Headers();

    const id = await session.signIn(withIds(planted, hers), res, takeOver);

    assertEquals(await session.get(id), ADA);
    assertEquals(await session.get(hers), undefined);
    assertEquals(await session.get(planted), undefined);
    // The planted cookie goes on coming: it is no obstacle any more.
    assertEquals(await session.load(withIds(planted, id)), { id, data: ADA });
  });

  Deno.test(`R20: Session.signIn() sets no cookie when any call of ${on} fails, and leaves no rights under the old id`, async () => {
    let failed = 0;
    for (let step = 0; step < 12; step++) {
      let calls = -Infinity;
      const store = open();
      const flaky = new Proxy(store, {
        get(target, name) {
          const member = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return (...args: unknown[]) =>
            calls++ === step
              ? Promise.reject(new Error("store down"))
              : Reflect.apply(member, target, args);
        },
      });
      const issued: string[] = [];
      const session = new Session<Visit>({
        store: flaky,
        generateId: () => {
          const id = `id-${issued.length}-`.padEnd(32, "x");
          issued.push(id);
          return id;
        },
      });
      const old = await session.create({ cart: [] });
      const res = new Headers({
        "set-cookie": "a=1",
        "cache-control": "public",
      });
      const before = [...res];
      calls = 0;

      const result = await session.signIn(withIds(old), res, ADA)
        .then(() => "signed in", (error: unknown) => error);

      calls = Infinity;
      const live = [];
      for (const id of issued) {
        const data = await session.get(id);
        if (data !== undefined) live.push([id, data]);
      }
      if (result === "signed in") {
        // That step was not needed.
        assertEquals(live.length, 1);
        continue;
      }
      failed++;
      assert(result instanceof Error && result.message === "store down");
      assertEquals([...res], before, `step ${step}`);
      // The old one at most, and as it was: she is not signed in.
      for (const [id, data] of live) {
        assertEquals([id, data], [old, { cart: [] }], `step ${step}`);
      }
    }
    assert(failed >= 3, `${failed} steps failed`);
  });
}

for (const wrong of [undefined, null, [], "x", 7, new Map(), { f: () => 1 }]) {
  Deno.test(`R3: Session.signIn() with ${typeof wrong === "object" ? JSON.stringify(wrong) : String(wrong)} for data does nothing`, async () => {
    const session = new Session<Visit>();
    const old = await session.create({ cart: [] });
    const res = new Headers({ "set-cookie": "a=1" });
    const before = [...res];

    await assertRejects(
      () => session.signIn(withIds(old), res, untyped(wrong)),
      TypeError,
    );
    if (wrong !== undefined) {
      await assertRejects(
        () => session.signIn(withIds(old), res, () => untyped(wrong)),
        TypeError,
      );
    }

    assertEquals([...res], before);
    assertEquals(await session.get(old), { cart: [] });
  });
}

Deno.test("R20: Session.signIn() does nothing when its function throws", async () => {
  const session = new Session<Visit>();
  const old = await session.create({ cart: [] });
  const other = await session.create({ cart: ["tea"] });
  const res = new Headers();
  const wrong = new Error("wrong password");

  for (
    const start of [
      () => {
        throw wrong;
      },
      () => Promise.reject(wrong),
    ]
  ) {
    for (const req of [withIds(old), withIds(), withIds(old, other)]) {
      const error = await session.signIn(req, res, start).catch((error) =>
        error
      );
      assertEquals(error, wrong);
    }
  }

  assertEquals([...res], []);
  assertEquals(await session.get(old), { cart: [] });
  assertEquals(await session.get(other), { cart: ["tea"] });
});

for (
  const [what, res] of Object.entries({
    "nothing": undefined,
    "a Request": new Request("http://localhost/"),
    "an empty object": {},
    "a response that is sent": {
      headersSent: true,
      getHeader: () => undefined,
      setHeader: () => {},
    },
    "immutable headers": {
      headers: Object.assign(new Headers(), {
        delete: () => {
          throw new TypeError("immutable");
        },
      }),
    },
  })
) {
  Deno.test(`2.5: Session.signIn() with ${what} for a response leaves the old session as it was`, async () => {
    const store = new MemoryStore();
    const session = new Session<Visit>({ store });
    const old = await session.create({ cart: [] });

    await assertRejects(
      () => session.signIn(withIds(old), untyped(res), ADA),
      TypeError,
      "Cannot sign in: ",
    );

    assertEquals(await session.get(old), { cart: [] });
    assertEquals(store.size, 1);
  });
}

for (const req of [undefined, null, "session_id=x", 7, {}]) {
  Deno.test(`2.4: Session.signIn(), signOut() and load() refuse ${JSON.stringify(req)} for a request and touch no header`, async () => {
    const session = new Session<Visit>();
    const res = new Headers();

    for (
      const call of [
        () => session.signIn(untyped(req), res, ADA),
        () => session.load(untyped(req)),
        () => session.signOut(untyped(req), res),
      ]
    ) await assertRejects(call, TypeError, "req must be");

    assertEquals([...res], []);
  });
}

Deno.test("R26: Session sends one line after signIn(), signIn() and signOut() in one response", async () => {
  const session = new Session<Visit>();
  const res = new Headers({ "set-cookie": "a=1" });

  await session.signIn(withIds(), res, ADA);
  const id = await session.signIn(withIds(), res, ADA);
  assertEquals(res.getSetCookie(), ["a=1", session.cookie(id)]);
  await session.signOut(withIds(id), res);

  const [first, second, ...more] = res.getSetCookie();
  assertEquals([first, more], ["a=1", []]);
  assertMatch(second ?? "", /^session_id=; .*Max-Age=0/);
});

// signOut()

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R12, R33: Session.signOut() ends every session that a request brings and removes the cookie, on ${on}`, async () => {
    const session = new Session<Visit>({ store: open() });
    const ids = await Promise.all([1, 2, 3, 4].map(() => session.create(ADA)));
    const other = await session.create(ADA);
    const res = new Headers();

    await session.signOut(withIds(...ids), res);

    for (const id of ids) assertEquals(await session.get(id), undefined);
    assertEquals(await session.get(other), ADA);
    assertEquals(sentId(res), "");
  });

  Deno.test(`R20: Session.signOut() removes the cookie when ${on} fails, says so, and ends the sessions it can`, async () => {
    const store = open();
    const session = new Session<Visit>({ store });
    const ids = await Promise.all([1, 2, 3].map(() => session.create(ADA)));
    const res = new Headers();
    const remove = store.delete.bind(store);
    let calls = 0;
    store.delete = (key) =>
      calls++ === 0 ? Promise.reject(new Error("store down")) : remove(key);

    await assertRejects(
      () => session.signOut(withIds(...ids), res),
      Error,
      "store down",
    );

    assertEquals(sentId(res), "");
    for (const id of ids) assertEquals(await session.get(id), undefined);
  });
}

Deno.test("R4: Session.signOut() and signIn() ask the store nothing about what is not shaped like an id", async () => {
  let calls = 0;
  const count = (): Promise<undefined> => {
    calls++;
    return Promise.resolve(undefined);
  };
  const store = { get: count, set: count, delete: count };
  const session = new Session<Visit>({ store });

  for (
    const id of ["", "x", "../etc/passwd", "A".repeat(129), "é".repeat(30)]
  ) {
    const req = { headers: { cookie: `session_id=${id}` } };
    assertEquals(await session.load(req), undefined);
    await session.signOut(req, new Headers());
  }

  assertEquals(calls, 0);
});

for (
  const [what, cookie] of Object.entries(
    {
      "the defaults": {},
      "a domain and a path": { domain: "example.com", path: "/app" },
      "SameSite=None and Partitioned": {
        sameSite: "None",
        partitioned: true,
      },
      "a lifetime": { maxAge: 60 },
    } as const,
  )
) {
  Deno.test(`R13: Session.signOut() removes the cookie by the scope that signIn() gave it, with ${what}`, async () => {
    const [signedIn, signedOut] = [new Headers(), new Headers()];
    const store = new MemoryStore();
    const id = await new Session<Visit>({ store, cookie })
      .signIn(withIds(), signedIn, ADA);

    // Another process.
    await new Session<Visit>({ store, cookie })
      .signOut(withIds(id), signedOut);

    const scope = (line: string | undefined): string[] =>
      (line ?? "").split("; ").slice(1)
        .filter((part) => !/^(Max-Age|Expires)=/.test(part));
    assertEquals(
      scope(signedOut.getSetCookie()[0]),
      scope(signedIn.getSetCookie()[0]),
    );
    assertMatch(
      signedOut.getSetCookie()[0] ?? "",
      /Max-Age=0; Expires=Thu, 01/,
    );
  });
}

// load(), requestCookie()

Deno.test("R17: Session.load() and signOut() store nothing and set no cookie but the removal", async () => {
  using store = new MemoryStore();
  const session = new Session<Visit>({ store });

  for (let i = 0; i < 1000; i++) {
    const req = withIds(String(i).padStart(32, "-"));
    const res = new Headers();
    assertEquals(await session.load(req), undefined);
    await session.signOut(req, res);
    assertEquals(sentId(res), "");
  }

  assertEquals(store.size, 0);
});

Deno.test("R9: Session.load() starts the idle timeout anew as fromRequest() does, at most once a half", async () => {
  using time = new FakeTime(0);
  const session = new Session<Visit>();
  const id = await session.create(ADA);
  const req = withIds(id);

  time.tick(HOUR / 2);
  await session.load(req);
  assertEquals(await session.expiresAt(id), HOUR);
  time.tick(1);
  await session.load(req);
  assertEquals(await session.expiresAt(id), HOUR + HOUR / 2 + 1);
  time.tick(HOUR);

  assertEquals(await session.load(req), undefined);
});

Deno.test("R2, R3: Session.requestCookie() gives a session like any other: an id of its own each time, which signs out", async () => {
  const session = new Session<Visit>({ cookieName: "__Host-session_id" });

  const cookies = await Promise.all(
    [1, 2, 3].map(() => session.requestCookie(ADA)),
  );

  assertEquals(new Set(cookies).size, 3);
  for (const cookie of cookies) {
    assertMatch(cookie, /^__Host-session_id=[\w-]{32}$/);
    const req = { headers: { cookie } };
    assertEquals(await session.fromRequest(req), ADA);
    await session.signOut(req, new Headers());
    assertEquals(await session.fromRequest(req), undefined);
  }
});

// label()

for (const hashIds of [true, false]) {
  Deno.test(`R19: Session.label() names a session by ten characters that are in neither the id nor the key, hashIds ${hashIds}`, async () => {
    const keys: string[] = [];
    const map = new Map<string, unknown>();
    const store: Store = {
      ...threeMethods(map),
      get: (key) => {
        keys.push(key);
        return Promise.resolve(map.get(key) ?? null);
      },
    };
    const session = new Session<Visit>({ store, hashIds });
    const labels = new Set<string | undefined>();
    for (let i = 0; i < 200; i++) {
      const id = await session.create(ADA);
      const label = await session.label(id);

      assertMatch(label ?? "", /^[\w-]{10}$/);
      assertEquals(await session.label(id), label);
      assertFalse(id.includes(label ?? id));
      labels.add(label);
    }

    assertEquals(labels.size, 200);
    for (const key of keys) {
      for (const label of labels) assertFalse(key.includes(label ?? key));
    }
  });
}

Deno.test("R4, R19: Session.label() names nothing that is no id, and asks the store nothing", async () => {
  const fail = (): never => {
    throw new Error("asked");
  };
  const session = new Session({
    store: { get: fail, set: fail, delete: fail },
  });

  for (const id of [undefined, "", "x", "A".repeat(129), "é".repeat(30)]) {
    assertEquals(await session.label(id), undefined);
  }
  assertMatch(await session.label("A".repeat(32)) ?? "", /^[\w-]{10}$/);
  for (const id of [null, 7, Promise.resolve("A".repeat(32))]) {
    await assertRejects(() => session.label(untyped(id)), TypeError);
  }
});

// regenerateGrace

const GRACE = 10_000;

for (const [on, open] of Object.entries(STORES)) {
  for (
    const [what, change] of Object.entries({
      "a patch": { user: "ada" },
      "a function": (visit: Visit) => {
        visit.user = "ada";
        visit.cart.push("changed in place");
      },
    })
  ) {
    Deno.test(`R8: Session.regenerate() by ${what} with a grace lets the old id read what was there before, and no more, on ${on}`, async () => {
      using time = new FakeTime(0);
      const session = new Session<Visit>({
        store: open(),
        regenerateGrace: GRACE,
      });
      const old = await session.create({ cart: ["tea"] });
      const id = await session.regenerate(old, change);
      await session.update(id, { cart: ["secret"] });

      time.tick(GRACE - 1);
      assertEquals(await session.get(old), { cart: ["tea"] });
      assertEquals(await session.fromRequest(withIds(old)), { cart: ["tea"] });
      // It changes nothing, makes nothing, and lives no longer by being used.
      assertEquals(await session.update(old, { user: "eve" }), false);
      assertEquals(await session.regenerate(old, { user: "eve" }), undefined);
      assertEquals(await session.expiresAt(old), GRACE);
      assertEquals(await session.get(id), { user: "ada", cart: ["secret"] });
      time.tick(1);

      assertEquals(await session.get(old), undefined);
      assertEquals(await session.load(withIds(old)), undefined);
      assertEquals((await session.get(id))?.user, "ada");
    });
  }

  for (
    const by of [
      "the old id",
      "the new id",
      "signOut() with the old id",
      "the absolute timeout",
    ]
  ) {
    Deno.test(`R12: Session ends for old and new id at once within the grace, by ${by}, on ${on}`, async () => {
      using time = new FakeTime(0);
      const session = new Session<Visit>({
        store: open(),
        regenerateGrace: MINUTE,
        idleTimeout: HOUR,
        absoluteTimeout: HOUR,
      });
      const old = await session.create({ cart: [] });
      time.tick(HOUR - 1000);
      const id = await session.regenerate(old, { user: "ada" });
      assertEquals(await session.get(old), { cart: [] });

      const res = new Headers();
      if (by === "the old id") await session.delete(old, res);
      else if (by === "the new id") await session.delete(id, res);
      else if (by === "the absolute timeout") time.tick(1000);
      else await session.signOut(withIds(old), res);

      assertEquals(await session.get(old), undefined);
      assertEquals(await session.get(id), undefined);
      assertEquals(await session.load(withIds(old, id)), undefined);
    });
  }

  Deno.test(`R8: Session.signIn() gives no grace, whatever regenerate() gives, on ${on}`, async () => {
    const session = new Session<Visit>({
      store: open(),
      regenerateGrace: MINUTE,
    });
    const planted = await session.create({ cart: ["bait"] });

    await session.signIn(withIds(planted), new Headers(), takeOver);

    assertEquals(await session.get(planted), undefined);
    assertEquals(await session.load(withIds(planted)), undefined);
  });

  Deno.test(`R8: Session.signIn() ends the session it comes with by an id within its grace, on ${on}`, async () => {
    const session = new Session<Visit>({
      store: open(),
      regenerateGrace: MINUTE,
    });
    const old = await session.create({ cart: ["tea"] });
    const renewed = await session.regenerate(old);

    const id = await session.signIn(withIds(old), new Headers(), ADA);

    assertEquals(await session.get(old), undefined);
    assertEquals(await session.get(renewed), undefined);
    assertEquals(await session.get(id), ADA);
  });

  Deno.test(`R8: Session.signIn() kills the old id within its grace, too, when both come, on ${on}`, async () => {
    const session = new Session<Visit>({
      store: open(),
      regenerateGrace: MINUTE,
    });
    const old = await session.create({ cart: ["tea"] });
    const renewed = await session.regenerate(old);

    const id = await session.signIn(
      withIds(old, renewed),
      new Headers(),
      takeOver,
    );

    assertEquals(await session.get(old), undefined);
    assertEquals(await session.get(renewed), undefined);
    assertEquals(await session.get(id), { user: "ada", cart: ["tea"] });
  });

  Deno.test(`R33: Session.load() takes the new id where the old one comes beside it within the grace, on ${on}`, async () => {
    const session = new Session<Visit>({
      store: open(),
      regenerateGrace: MINUTE,
    });
    const old = await session.create({ cart: [] });
    const id = await session.regenerate(old, { user: "ada" }) ?? "";
    const eve = await session.create({ user: "eve", cart: [] });

    for (const req of [withIds(old, id), withIds(id, old)]) {
      assertEquals(await session.load(req), { id, data: ADA });
    }
    // And where another's comes beside an old one, it is not served as hers.
    for (const req of [withIds(old, id, eve), withIds(eve, id)]) {
      assertEquals(await session.load(req), undefined);
    }
  });
}

Deno.test("R33: Session.load() does not serve someone else's session to who sends an old id within its grace", async () => {
  const session = new Session<Visit>({ regenerateGrace: MINUTE });
  const old = await session.create({ user: "ada", cart: [] });
  await session.regenerate(old);
  const eve = await session.create({ user: "eve", cart: [] });

  // Her browser has not got the new cookie yet, and one of eve's is planted.
  const found = await session.load(withIds(old, eve));

  assertEquals(found, undefined);
});

for (const hashIds of [true, false]) {
  Deno.test(`R3, R34: Session ends looking at foreign entries that lead in a circle, hashIds ${hashIds}`, async () => {
    const map = new Map<string, unknown>();
    let gets = 0;
    const store: Store = {
      ...threeMethods(map),
      get: (key) => {
        // An endless loop of promises would keep this process for ever.
        if (++gets > 100) throw new Error("runs in a circle");
        return Promise.resolve(map.get(key) ?? null);
      },
    };
    const session = new Session<Visit>({
      store,
      hashIds,
      regenerateGrace: MINUTE,
    });
    const [a, b] = [await session.create(ADA), await session.create(ADA)];
    const [keyA = "", keyB = ""] = map.keys();
    const before = map.get(keyA);
    const expiresAt = Date.now() + MINUTE;
    map.set(keyA, { version: 1, movedTo: keyB, expiresAt, before });
    map.set(keyB, { version: 1, movedTo: keyA, expiresAt, before });

    assertEquals(await session.get(a), undefined);
    assertEquals(await session.load(withIds(b)), undefined);
    await session.signOut(withIds(a), new Headers());

    assertEquals(map.size, 0);
  });
}

for (
  const [grace, ErrorClass] of [
    [-1, RangeError],
    [NaN, RangeError],
    [60_001, RangeError],
    [Infinity, RangeError],
    ["10", TypeError],
    [null, TypeError],
    [true, TypeError],
  ] as const
) {
  Deno.test(`R8, R38: new Session() refuses a regenerateGrace of ${JSON.stringify(grace)} (${grace})`, () => {
    assertThrows(
      () => new Session({ regenerateGrace: untyped(grace) }),
      ErrorClass,
      "regenerateGrace must",
    );
  });
}
