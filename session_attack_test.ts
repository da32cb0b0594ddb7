/**
 * Attacks on sessions, as scripts: what the attacker does, step by step, and
 * what it gets him. Those that need bytes on a wire are in
 * `session_attack_e2e_test.ts`.
 *
 * Guessing, on paper. An id has B = 192 random bits. With S = 1,000,000 live
 * sessions and A = 1,000,000 guesses a second, one guess in 2^192 / S hits, so
 * the first hit is to be expected after (2^B + 1) / (2 · A · S) seconds (OWASP,
 * "Session ID Entropy"):
 *
 *     2^192            = 6.3 · 10^57
 *     2 · A · S        = 2.0 · 10^12 a second
 *     the first hit    = 3.1 · 10^45 s = 10^38 years
 *
 * An id of one's own `generateId` with the 128 bits that are asked for gives
 * 3.4 · 10^38 / 2.0 · 10^12 = 1.7 · 10^26 s = 5.4 · 10^18 years. And each guess
 * costs the attacker a request, and the server one hash and one look-up.
 */

import {
  assert,
  assertEquals,
  assertGreater,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
// deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
import { CookieJar } from "npm:tough-cookie@^6.1.0";
import { STORES, threeMethods } from "./_test_util.ts";
import { MemoryStore, Session, type SessionOptions } from "./mod.ts";

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Visit {
  user?: string;
  cart: string[];
}

const HOME = "https://shop.example.com/";
const NEIGHBOUR = "https://evil.example.com/";

/** A browser: a jar, and what the pages have said. */
class Browser {
  readonly jar = new CookieJar(undefined, { prefixSecurity: "strict" });

  /** The value of the Cookie header for a page. */
  async cookie(path = ""): Promise<string> {
    return await this.jar.getCookieString(HOME + path);
  }

  /** Takes a line over from a page of whoever. */
  async take(line: string, from = HOME): Promise<void> {
    await this.jar.setCookie(line, from);
  }

  /** A second browser that has got hold of the same cookies. */
  async clone(): Promise<Browser> {
    const thief = new Browser();
    for (const cookie of await this.jar.getCookies(HOME, { allPaths: true })) {
      await thief.take(cookie.toString());
    }
    return thief;
  }
}

/** A shop of four pages, each as an application would write it. */
class Shop {
  readonly session: Session<Visit>;

  constructor(options: SessionOptions = {}) {
    this.session = new Session<Visit>(options);
  }

  /** Asks for a page; what the page says. */
  async visit(browser: Browser, path: string, item?: string): Promise<string> {
    const req = { headers: { cookie: await browser.cookie(path) } };
    const res = new Headers();
    const body = await this.#answer(path, req, res, item);
    for (const line of res.getSetCookie()) {
      await browser.take(line, HOME + path);
    }
    return body;
  }

  async #answer(
    path: string,
    req: { headers: { cookie: string } },
    res: Headers,
    item = "tea",
  ): Promise<string> {
    const { session } = this;
    const found = await session.load(req);
    switch (path) {
      case "add": {
        const add = ({ cart }: Visit): void => void cart.push(item);
        if (await session.update(found?.id, add)) return "added";
        session.setCookie(res, await session.create({ cart: [item] }));
        return "new";
      }
      case "sign-in":
        await session.signIn(req, res, (previous) => ({
          user: "ada",
          cart: previous?.cart ?? [],
        }));
        return "hello";
      case "renew": {
        const id = await session.regenerate(found?.id);
        if (id !== undefined) session.setCookie(res, id);
        return "renewed";
      }
      case "sign-out":
        await session.signOut(req, res);
        return "bye";
    }
    if (found === undefined) return "nobody";
    return `${found.data.user ?? "someone"}: ${found.data.cart.join()}`;
  }
}

function idIn(cookie: string): string {
  return /session_id=([\w-]+)/.exec(cookie)?.[1] ?? "";
}

// Fixation

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R8: fixation: who has planted his own session in a browser does not get in by it after the sign-in, on ${on}`, async () => {
    const shop = new Shop({ store: open() });
    const [attacker, victim] = [new Browser(), new Browser()];
    await shop.visit(attacker, "add", "bait");
    const planted = await attacker.cookie();
    await victim.take(`${planted}; Path=/`);

    await shop.visit(victim, "sign-in");
    const seen = await shop.visit(victim, "");

    assertEquals(seen, "ada: bait");
    assertNotEquals(await victim.cookie(), planted);
    assertEquals(await shop.visit(attacker, ""), "nobody");
    // Nor by writing to it, nor by signing in himself with it.
    assertEquals(await shop.visit(await attacker.clone(), "add"), "new");
    assertEquals(await shop.session.regenerate(idIn(planted)), undefined);
    assertEquals(await shop.visit(victim, ""), "ada: bait");
  });

  Deno.test(`R3, R8: fixation: an id that the attacker has made up is never adopted, on ${on}`, async () => {
    const shop = new Shop({ store: open() });
    const madeUp = "attacker-knows-this-one-already_";
    const [attacker, victim] = [new Browser(), new Browser()];
    for (const browser of [attacker, victim]) {
      await browser.take(`session_id=${madeUp}; Path=/`);
    }

    for (const page of ["", "add", "sign-in"]) {
      await shop.visit(victim, page);

      assertEquals(await shop.visit(attacker, ""), "nobody");
    }

    assertEquals(await shop.visit(victim, ""), "ada: tea");
    assertNotEquals(idIn(await victim.cookie()), madeUp);
  });

  Deno.test(`R8: fixation: the planted id is dead after the sign-in also where a renewed one has a grace, on ${on}`, async () => {
    const shop = new Shop({ store: open(), regenerateGrace: MINUTE });
    const [attacker, victim] = [new Browser(), new Browser()];
    await shop.visit(attacker, "add", "bait");
    await victim.take(`${await attacker.cookie()}; Path=/`);

    await shop.visit(victim, "sign-in");

    assertEquals(await shop.visit(attacker, ""), "nobody");
    assertEquals(await shop.visit(victim, ""), "ada: bait");
  });

  Deno.test(`R8: fixation: who asks without pause during the sign-in sees what he knew, then nothing, on ${on}`, async () => {
    const shop = new Shop({ store: open() });
    const [attacker, victim] = [new Browser(), new Browser()];
    await shop.visit(attacker, "add", "bait");
    await victim.take(`${await attacker.cookie()}; Path=/`);
    const seen = new Set<string>();

    let done = false;
    const signingIn = shop.visit(victim, "sign-in").then(() => done = true);
    while (!done) seen.add(await shop.visit(attacker, ""));
    await signingIn;
    seen.add(await shop.visit(attacker, ""));

    for (const text of seen) assert(["someone: bait", "nobody"].includes(text));
    assert(seen.has("nobody"));
  });
}

// Cookie tossing: evil.example.com may set cookies for example.com

for (
  const [what, planted] of Object.entries({
    "for the whole domain": "; Domain=example.com; Path=/",
    "for one page, so that it comes first": "; Domain=example.com; Path=/cart",
    "for another page": "; Domain=example.com; Path=/other",
  })
) {
  Deno.test(`R33: tossing: nobody is served as the attacker by a cookie planted ${what}`, async () => {
    const shop = new Shop();
    const [attacker, victim] = [new Browser(), new Browser()];
    await shop.visit(attacker, "sign-in");
    await shop.visit(attacker, "add", "bait");
    await shop.visit(victim, "sign-in");
    await victim.take((await attacker.cookie()) + planted, NEIGHBOUR);

    const seen = await shop.visit(victim, "cart");

    // Two live sessions are none: not his, and hers not by chance.
    assertEquals(seen, what.endsWith("another page") ? "ada: " : "nobody");
    // What she buys meanwhile does not go into his cart.
    await shop.visit(victim, "add", "hers");
    assertEquals(await shop.visit(attacker, ""), "ada: bait");
  });
}

Deno.test("R8, R33: tossing: a sign-in ends the attacker's session that it comes with, and serves the victim from then on", async () => {
  const shop = new Shop();
  const [attacker, victim] = [new Browser(), new Browser()];
  await shop.visit(attacker, "sign-in");
  await shop.visit(attacker, "add", "bait");
  await shop.visit(victim, "sign-in");
  await victim.take(
    `${await attacker.cookie()}; Domain=example.com; Path=/`,
    NEIGHBOUR,
  );
  assertEquals(await shop.visit(victim, ""), "nobody");

  await shop.visit(victim, "sign-in");

  assertEquals(await shop.visit(victim, ""), "ada: ");
  assertEquals(await shop.visit(attacker, ""), "nobody");
});

Deno.test("R12, R33: tossing: a sign-out under it leaves her signed in nowhere", async () => {
  const shop = new Shop();
  const [attacker, victim] = [new Browser(), new Browser()];
  await shop.visit(attacker, "sign-in");
  await shop.visit(victim, "sign-in");
  const thief = await victim.clone();
  await victim.take(
    `${await attacker.cookie()}; Domain=example.com; Path=/`,
    NEIGHBOUR,
  );

  await shop.visit(victim, "sign-out");

  assertEquals(await shop.visit(thief, ""), "nobody");
});

Deno.test("R33: tossing: cookies that are no session do not lock anyone out, be they a thousand malformed ones", async () => {
  const shop = new Shop();
  const victim = new Browser();
  await shop.visit(victim, "sign-in");
  const hers = await victim.cookie();
  const dead = "D".repeat(32);
  const garbage = "session_id=x; ".repeat(1000);

  for (
    const cookie of [
      `${garbage}${hers}`,
      `${hers}; ${garbage}`,
      `session_id=${dead}; ${hers}`,
      `${hers}; session_id=${dead}`,
      `session_id=${dead}; session_id=${dead}; ${hers}; ${hers}`,
    ]
  ) {
    assertEquals(
      await shop.session.fromRequest({ headers: { cookie } }),
      { user: "ada", cart: [] },
    );
  }
});

Deno.test("R33: tossing: dead ids enough lock out, but let nobody in and cost four look-ups", async () => {
  let gets = 0;
  const store = threeMethods();
  const get = store.get.bind(store);
  store.get = (key) => {
    gets++;
    return get(key);
  };
  const shop = new Shop({ store });
  const victim = new Browser();
  await shop.visit(victim, "sign-in");
  const dead = Array.from(
    { length: 500 },
    (_, i) => `session_id=${String(i).padStart(32, "D")}; `,
  );
  gets = 0;

  const cookie = dead.join("") + await victim.cookie();
  const data = await shop.session.fromRequest({ headers: { cookie } });

  assertEquals(data, undefined);
  assertEquals(gets, 4);
});

Deno.test("R24: tossing: a browser lets nobody plant a cookie with a __Host- name", async () => {
  const cookieName = "__Host-session_id";
  const shop = new Shop({ cookieName });
  const [attacker, victim] = [new Browser(), new Browser()];
  await shop.visit(attacker, "sign-in");
  await shop.visit(victim, "sign-in");
  const stolen = await attacker.cookie();

  for (const rest of ["; Domain=example.com; Path=/; Secure", "; Path=/cart"]) {
    await assertRejects(() => victim.take(stolen + rest, NEIGHBOUR));
  }
  await victim.take(`${stolen}; Path=/; Secure`, NEIGHBOUR);

  assertEquals(await shop.visit(victim, "cart"), "ada: ");
});

// Forged prefixes

for (
  const name of [
    ..."__host-session_id __HOST-session_id __%48ost-session_id".split(" "),
    ...["session_id", "__Secure-session_id", "_Host-session_id"],
    ...["\u00a0__Host-session_id", "\u2028__Host-session_id"],
    ...["\ufeff__Host-session_id", "__Host-session_id\u3000"],
    ...["a=__Host-session_id", "a,__Host-session_id", "__Host-session_id\0"],
  ]
) {
  Deno.test(`R24, R32: forged prefix: ${JSON.stringify(name)} is not taken for __Host-session_id, alone or beside it`, async () => {
    const shop = new Shop({ cookieName: "__Host-session_id" });
    const [attacker, victim] = [new Browser(), new Browser()];
    await shop.visit(attacker, "sign-in");
    await shop.visit(attacker, "add", "bait");
    const forged = `${name}=${idIn(await attacker.cookie())}`;
    const read = (cookie: string): Promise<Visit | undefined> =>
      shop.session.fromRequest({ headers: { cookie } });

    assertEquals(await read(forged), undefined);
    await shop.visit(victim, "sign-in");
    const hers = await victim.cookie();
    for (const cookie of [`${forged}; ${hers}`, `${hers}; ${forged}`]) {
      assertEquals(await read(cookie), { user: "ada", cart: [] });
    }
  });
}

// Replay

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`R12: replay: a copy of the cookie opens nothing after the sign-out, ever, on ${on}`, async () => {
    using time = new FakeTime(0);
    const shop = new Shop({ store: open() });
    const victim = new Browser();
    await shop.visit(victim, "add");
    const early = await victim.clone();
    await shop.visit(victim, "sign-in");
    const late = await victim.clone();

    await shop.visit(victim, "sign-out");

    assertEquals(await victim.cookie(), "");
    for (const wait of [0, 1, MINUTE, HOUR, DAY, 400 * DAY]) {
      time.tick(wait);
      for (const thief of [early, late]) {
        const id = idIn(await thief.cookie());
        const { session } = shop;
        assertEquals(await session.get(id), undefined);
        assertEquals(await session.update(id, { user: "eve" }), false);
        assertEquals(await session.regenerate(id, { user: "eve" }), undefined);
        assertEquals(await session.expiresAt(id), undefined);
        assertEquals(await shop.visit(thief, ""), "nobody");
      }
    }
  });

  Deno.test(`R12: replay: a sign-out with the cookie from before the sign-in ends what came of it, on ${on}`, async () => {
    const shop = new Shop({ store: open() });
    const tab = new Browser();
    await shop.visit(tab, "add");
    const old = await tab.clone();
    await shop.visit(tab, "sign-in");

    const id = idIn(await old.cookie());
    await shop.session.delete(id, new Headers());

    assertEquals(await shop.visit(tab, ""), "nobody");
  });

  Deno.test(`R9, R11: replay: an idle session is over to the millisecond, whatever the browser keeps, on ${on}`, async () => {
    using time = new FakeTime(0);
    const shop = new Shop({
      store: open(),
      cookie: { maxAge: 400 * 24 * 60 * 60 },
    });
    const victim = new Browser();
    await shop.visit(victim, "sign-in");
    const thief = await victim.clone();

    time.tick(HOUR - 1);
    assertEquals(await shop.session.get(idIn(await thief.cookie())), {
      user: "ada",
      cart: [],
    });
    time.tick(1);

    assertNotEquals(await thief.cookie(), "");
    assertEquals(await shop.visit(thief, ""), "nobody");
    assertEquals(await shop.visit(victim, ""), "nobody");
  });

  Deno.test(`R10, R11: replay: a thief who keeps a session busy loses it at its absolute timeout, on ${on}`, async () => {
    using time = new FakeTime(0);
    const shop = new Shop({ store: open() });
    const victim = new Browser();
    await shop.visit(victim, "sign-in");
    const thief = await victim.clone();

    for (let minutes = 10; minutes < 24 * 60; minutes += 10) {
      time.tick(10 * MINUTE);
      // Using, changing and renewing it: none of them buys time.
      await shop.visit(thief, minutes % 60 ? "" : "add");
      if (minutes % 200 === 0) await shop.visit(thief, "renew");
    }
    time.tick(10 * MINUTE - 1);
    assert((await shop.visit(thief, "")).startsWith("ada"));
    time.tick(1);

    assertEquals(await shop.visit(thief, ""), "nobody");
  });
}

// Foreign entries in a shared store

Deno.test("R3, R5: foreign entries: an application that lets users name keys under the prefix makes no session", async () => {
  const store = new MemoryStore();
  const session = new Session<Visit>({ store });
  const chosen = "attacker-knows-this-one-already_";
  const now = Date.now();
  const record = {
    version: 1,
    data: { user: "admin", cart: [] },
    createdAt: now,
    usedAt: now,
  };

  for (
    const key of [chosen, `session:${chosen}`, `session:session:${chosen}`]
  ) {
    await store.set(key, record);
  }

  const req = { headers: { cookie: `session_id=${chosen}` } };
  assertEquals(await session.fromRequest(req), undefined);
  assertEquals(await session.update(chosen, { user: "eve" }), false);
  assertEquals(await session.regenerate(chosen), undefined);
});

Deno.test("R5: foreign entries: who reads the whole store gets into no session", async () => {
  const map = new Map<string, unknown>();
  const session = new Session<Visit>({ store: threeMethods(map) });
  for (let i = 0; i < 20; i++) {
    const id = await session.create({ user: `user ${i}`, cart: [] });
    if (i % 2) await session.regenerate(id);
  }

  // Every word in a key or a value, tried for an id.
  const dump = JSON.stringify([...map]);
  const words = new Set(dump.match(/[\w-]{22,128}/g));

  assertGreater(words.size, 20);
  for (const word of words) {
    for (const id of [word, word.slice(0, 32), word.slice(-32)]) {
      assertEquals(await session.get(id), undefined);
    }
  }
});

Deno.test("R3: foreign entries: a session of one application is none in another on the same store", async () => {
  const store = new MemoryStore();
  const blog = new Session<Visit>({ store, prefix: "blog:" });
  const shop = new Session<Visit>({ store, prefix: "shop:" });

  const id = await blog.create({ user: "ada", cart: [] });

  const req = { headers: { cookie: `session_id=${id}` } };
  assertEquals(await shop.fromRequest(req), undefined);
  await shop.delete(id, new Headers());
  assertEquals(await blog.fromRequest(req), { user: "ada", cart: [] });
});

// Flood

Deno.test("R17: flood: 100,000 anonymous visitors with and without forged cookies leave nothing in the store", async () => {
  using store = new MemoryStore();
  const calls = { get: 0, other: 0 };
  const counted = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        calls[name === "get" ? "get" : "other"]++;
        return Reflect.apply(member, target, args);
      };
    },
  });
  const session = new Session<Visit>({ store: counted });

  for (let i = 0; i < 100_000; i++) {
    const forged = String(i).padStart(32, "-");
    const cookie =
      [undefined, "a=1", "session_id=x", `session_id=${forged}`][i % 4];
    const headers = cookie === undefined ? {} : { cookie };
    assertEquals(await session.fromRequest({ headers }), undefined);
  }

  assertEquals(store.size, 0);
  // One look-up for what is shaped like an id, none for the rest.
  assertEquals(calls, { get: 25_000, other: 0 });
});

// Guessing: see the top of this file

Deno.test("R1, R6: guessing: all ids that differ from a live one in one character are nobody", async () => {
  const session = new Session<Visit>();
  const id = await session.create({ user: "ada", cart: [] });
  const alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let guesses = 0;

  for (let place = 0; place < id.length; place++) {
    for (const char of alphabet) {
      const guess = id.slice(0, place) + char + id.slice(place + 1);
      if (guess === id) continue;
      guesses++;
      assertEquals(await session.get(guess), undefined);
    }
  }
  for (
    const guess of [id.slice(1), `${id}A`, `A${id}`, id.slice(0, -1), id + id]
  ) {
    assertEquals(await session.get(guess), undefined);
  }

  assertEquals(guesses, 32 * 63);
  assertEquals((await session.get(id))?.user, "ada");
});
