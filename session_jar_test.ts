/**
 * The session cookie in the jar of a browser: tough-cookie, which knows nothing
 * of this package, keeps what it is sent and sends what it keeps.
 */

import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import fc from "fast-check";
// deno-lint-ignore no-import-prefix -- in deno.json, every task would fetch it
import { type Cookie, CookieJar } from "npm:tough-cookie@^6.1.0";
import { untyped } from "./_test_util.ts";
import { type CookieAttributes, MemoryStore, Session } from "./mod.ts";

const SEED = 20_251_126;

/** Where the user signs in, goes on, and signs out. */
const HOST = "shop.example.com";
const SIGN_IN = `https://${HOST}/auth/sign-in`;
const PAGE = `https://${HOST}/app/cart`;
const SIGN_OUT = `https://${HOST}/elsewhere/bye`;

type Data = Record<string, string>;

function openJar(): CookieJar {
  return new CookieJar(undefined, {
    prefixSecurity: "strict",
    // Which suffixes are public is a list of the browser's, not a rule.
    rejectPublicSuffixes: false,
  });
}

/** Does with the headers of an answer what a browser does. */
async function receive(
  jar: CookieJar,
  headers: Headers,
  url: string,
): Promise<void> {
  for (const line of headers.getSetCookie()) await jar.setCookie(line, url);
}

/** All that is in the jar, what is over left out. */
async function contents(jar: CookieJar, url = PAGE): Promise<Cookie[]> {
  return await jar.getCookies(url, { allPaths: true });
}

/** The request that a browser with this jar makes. */
async function request(
  jar: CookieJar,
  url: string,
): Promise<{ headers: { cookie: string } }> {
  return { headers: { cookie: await jar.getCookieString(url) } };
}

// Every combination of attributes

/** A name, and whether its prefix asks for Secure, HttpOnly, and one host. */
const NAMES: Record<string, [boolean, boolean, boolean]> = {
  "session_id": [false, false, false],
  "__Secure-id": [true, false, false],
  "__Host-id": [true, false, true],
  "__Http-id": [true, true, false],
  "__Host-Http-id": [true, true, true],
  "__host-id": [true, false, true],
  "__SECURE-id": [true, false, false],
};

/** Every combination of the values of each member. */
function combine<T extends object>(
  values: { [Key in keyof T]: readonly T[Key][] },
): T[] {
  let all: object[] = [{}];
  for (const [key, options] of Object.entries<readonly unknown[]>(values)) {
    all = all.flatMap((one) =>
      options.map((value) => ({ ...one, [key]: value }))
    );
  }
  return all as T[]; // each has got every member
}

const COMBINATIONS = combine<CookieAttributes>({
  secure: [true, false],
  domain: [undefined, "example.com", `.${HOST}`],
  path: ["/", "/app"],
  httpOnly: [true, false],
  sameSite: ["Strict", "Lax", "None"],
  partitioned: [undefined, false, true],
  maxAge: [undefined, 1, 34_560_000],
});

/** RFC 6265bis 4.1.3 and 5.7, and CHIPS: whether a browser may take it. */
function isAllowed(name: string, attributes: CookieAttributes): boolean {
  const [needsSecure, needsHttpOnly, needsHost] = NAMES[name] ?? [];
  const { secure, domain, path, httpOnly, sameSite, partitioned } = attributes;
  if (!secure) {
    if (needsSecure || sameSite === "None" || partitioned) return false;
  }
  if (needsHttpOnly && !httpOnly) return false;
  return !(needsHost && (domain !== undefined || path !== "/"));
}

/** What the jar must hold then. */
function expected(
  name: string,
  value: string,
  given: CookieAttributes,
): object {
  return {
    name,
    value,
    domain: given.domain?.replace(/^\./, "") ?? HOST,
    hostOnly: given.domain === undefined,
    path: given.path,
    pathIsDefault: false,
    secure: given.secure,
    httpOnly: given.httpOnly,
    sameSite: given.sameSite?.toLowerCase(),
    maxAge: given.maxAge ?? null,
    expires: "Infinity",
    extensions: given.partitioned ? ["Partitioned"] : [],
  };
}

function fields(cookie: Cookie | undefined): object | undefined {
  if (cookie === undefined) return undefined;
  const { expires } = cookie;
  return {
    name: cookie.key,
    value: cookie.value,
    domain: cookie.domain,
    hostOnly: cookie.hostOnly,
    path: cookie.path,
    pathIsDefault: cookie.pathIsDefault ?? false,
    secure: cookie.secure,
    httpOnly: cookie.httpOnly,
    sameSite: cookie.sameSite,
    maxAge: cookie.maxAge,
    expires: expires instanceof Date ? expires.toUTCString() : expires,
    extensions: cookie.extensions ?? [],
  };
}

for (const cookieName of Object.keys(NAMES)) {
  Deno.test(`R13, R24, R25: ${cookieName} goes into the jar as it was meant and leaves it at sign-out, with all attributes that are taken`, async () => {
    let taken = 0;
    for (const attributes of COMBINATIONS) {
      if (!isAllowed(cookieName, attributes)) continue;
      taken++;
      const jar = openJar();
      const store = new MemoryStore();
      const options = { store, cookieName, cookie: attributes };
      const session = new Session<Data>(options);

      const signedIn = new Headers();
      const id = await session.signIn(
        await request(jar, SIGN_IN),
        signedIn,
        { user: "ada" },
      );
      await receive(jar, signedIn, SIGN_IN);

      const what = JSON.stringify(attributes);
      const [cookie, ...others] = await contents(jar);
      assertEquals(fields(cookie), expected(cookieName, id, attributes), what);
      assertEquals(others, []);
      assertEquals(await session.load(await request(jar, PAGE)), {
        id,
        data: { user: "ada" },
      });
      await assertSentOnlyWhereAllowed(jar, attributes);

      // Another process, which has never set a cookie, answers the sign-out.
      const signedOut = new Headers();
      await new Session<Data>(options)
        .signOut(await request(jar, SIGN_OUT), signedOut);
      await receive(jar, signedOut, SIGN_OUT);

      assertEquals(await contents(jar), [], what);
      // A cookie for a path of its own was not sent there.
      assertEquals(store.size, attributes.path === "/" ? 0 : 1);
    }
    assertGreater(taken, 20);
  });

  Deno.test(`R13, R26: ${cookieName} is one cookie in the jar after a renewal elsewhere, and none after sign-out, with attributes given to the call`, async () => {
    for (const attributes of COMBINATIONS) {
      const withDefaults: CookieAttributes = {
        secure: true,
        httpOnly: true,
        path: "/",
      };
      const given = { ...withDefaults, ...attributes };
      if (!isAllowed(cookieName, given)) continue;
      const jar = openJar();
      const session = new Session<Data>({ cookieName });
      const id = await session.create({ user: "ada" });

      const signedIn = new Headers();
      session.setCookie(signedIn, id, given);
      await receive(jar, signedIn, SIGN_IN);
      const renewed = new Headers();
      const newId = await session.regenerate(id);
      session.setCookie(renewed, newId ?? "", given);
      await receive(jar, renewed, SIGN_OUT);

      const what = JSON.stringify(given);
      assertEquals(
        (await contents(jar)).map(({ value }) => value),
        [newId],
        what,
      );
      const signedOut = new Headers();
      await session.delete(newId, signedOut);
      await receive(jar, signedOut, PAGE);
      assertEquals(await contents(jar), [], what);
    }
  });

  Deno.test(`R24, R25, R29: Session refuses for ${cookieName} all attributes that a browser refuses, and touches no header`, async () => {
    let refused = 0;
    for (const attributes of COMBINATIONS) {
      if (isAllowed(cookieName, attributes)) continue;
      refused++;
      const session = new Session({ cookieName });
      const headers = new Headers({
        "set-cookie": "a=1",
        "cache-control": "public",
      });
      const before = [...headers];

      assertThrows(
        () => new Session({ cookieName, cookie: attributes }),
        TypeError,
      );
      assertThrows(() => session.setCookie(headers, ID, attributes), TypeError);
      await assertRejects(
        () => session.delete(ID, headers, attributes),
        TypeError,
      );

      assertEquals([...headers], before);
    }
    assertGreater(refused, 20);
  });
}

const ID = "I".repeat(32);

/** Where a browser may send it, by Path, Domain, Secure, HttpOnly, SameSite. */
async function assertSentOnlyWhereAllowed(
  jar: CookieJar,
  { path, domain, secure, httpOnly, sameSite }: CookieAttributes,
): Promise<void> {
  const isSent = async (url: string, options: object = {}): Promise<boolean> =>
    (await jar.getCookies(url, options)).length > 0;

  assertEquals(await isSent(SIGN_OUT), path === "/");
  assertEquals(await isSent(`https://${HOST}/application`), path === "/");
  assertEquals(
    await isSent("https://other.example.com/app"),
    domain === "example.com",
  );
  assertEquals(await isSent(`https://a.${HOST}/app`), domain !== undefined);
  assertFalse(await isSent("https://example.org/app"));
  assertFalse(await isSent(`https://${HOST}.evil.example/app`));
  assertEquals(await isSent(PAGE.replace("https", "http")), !secure);
  assertEquals(await isSent(PAGE, { http: false }), !httpOnly);
  assertEquals(
    await isSent(PAGE, { sameSiteContext: "none" }),
    sameSite === "None",
  );
  assertEquals(
    await isSent(PAGE, { sameSiteContext: "lax" }),
    sameSite !== "Strict",
  );
  assert(await isSent(PAGE, { sameSiteContext: "strict" }));
}

// Whatever else a developer may pass in

const label = fc.constantFrom("a", "shop", "xn--bcher-kva", "a-1", "1a", "COM");
const host = fc.array(label, { minLength: 1, maxLength: 4 })
  .map((labels) => `${labels.join(".")}.example`);
const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.array(
    fc.constantFrom(
      ...["/", "app", ";", " Domain=evil.example", "=", ",", '"', "\r\n", "\0"],
      ...["\t", " ", "%2F", "?", "#", "é", "\x7f"],
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join("")),
);
const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}$/);
const prefixed = fc.tuple(
  fc.constantFrom(
    "",
    "__Secure-",
    "__Host-",
    "__HOST-",
    "__Http-",
    "__Host-Http-",
  ),
  token,
).map(([prefix, rest]) => prefix + rest);
const id = fc.stringMatching(/^[A-Za-z0-9_-]{22,128}$/);

/** Mostly right, so that much of it is written. */
const attributes: fc.Arbitrary<CookieAttributes> = fc.record({
  path: fc.oneof(
    { arbitrary: anyText, weight: 1 },
    {
      arbitrary: fc.string({ maxLength: 12 }).map((rest) => `/${rest}`),
      weight: 3,
    },
    { arbitrary: fc.constant("/"), weight: 3 },
  ),
  domain: fc.oneof(
    { arbitrary: anyText, weight: 1 },
    { arbitrary: host, weight: 4 },
    { arbitrary: host.map((name) => `.${name}`), weight: 1 },
  ),
  maxAge: fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: 34_560_000 }), weight: 4 },
    { arbitrary: fc.double(), weight: 1 },
  ),
  expires: fc.date({
    min: new Date(-100_000_000),
    max: new Date(35_000_000_000),
    noInvalidDate: false,
    // A header has whole seconds.
  }).map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000)),
  httpOnly: fc.boolean(),
  secure: fc.boolean(),
  sameSite: fc.oneof(
    {
      arbitrary: fc.constantFrom<CookieAttributes["sameSite"]>(
        "Strict",
        "lax",
        "None",
      ),
      weight: 4,
    },
    { arbitrary: anyText.map(untyped), weight: 1 },
  ),
  partitioned: fc.boolean(),
}, { requiredKeys: [] });

Deno.test("R25: whatever Session takes comes out of the jar as exactly that, and what it refuses touches no header", async () => {
  using _time = new FakeTime(0);
  let written = 0;
  let refused = 0;

  await fc.assert(
    fc.asyncProperty(
      fc.oneof(prefixed, token, token, anyText),
      id,
      attributes,
      async (name, id, given) => {
        const headers = new Headers({
          "set-cookie": "a=1",
          "cache-control": "public",
        });
        const before = [...headers];
        try {
          new Session({ cookieName: name }).setCookie(headers, id, given);
        } catch (error) {
          assert(error instanceof TypeError || error instanceof RangeError);
          assertEquals([...headers], before);
          refused++;
          return;
        }
        written++;
        const [, line = ""] = headers.getSetCookie();
        const domain = given.domain?.replace(/^\./, "").toLowerCase();
        const jar = openJar();
        const url = `https://${domain ?? HOST}/`;

        await jar.setCookie(line, url);

        const [cookie] = await contents(jar, url);
        assertEquals(fields(cookie), {
          ...expected(name, id, {
            path: "/",
            secure: true,
            httpOnly: true,
            sameSite: "Lax",
            ...given,
            domain,
          }),
          expires: given.expires?.toUTCString() ?? "Infinity",
        });
      },
    ),
    { seed: SEED, numRuns: 6000 },
  );

  assertGreater(written, 400);
  assertGreater(refused, 400);
});

for (const cookieName of ["session_id", "__Host-session_id"]) {
  Deno.test(`R13, R21: ${cookieName} works in the jar on http://localhost, where browsers take Secure`, async () => {
    const jar = openJar();
    const session = new Session<Data>({ cookieName });
    const id = await session.create({ user: "ada" });
    const [signedIn, signedOut] = [new Headers(), new Headers()];

    session.setCookie(signedIn, id);
    await receive(jar, signedIn, "http://localhost:8000/auth/sign-in");
    const found = await session.fromRequest(
      await request(jar, "http://localhost:8000/"),
    );
    await session.delete(id, signedOut);
    await receive(jar, signedOut, "http://localhost:8000/x/y/bye");

    assertEquals(found, { user: "ada" });
    assertEquals(await contents(jar, "http://localhost:8000/"), []);
  });
}

Deno.test("the jar keeps a cookie that is removed by other attributes, so that an empty jar says something", async () => {
  for (const wrong of [{ path: "/app" }, { domain: "example.com" }]) {
    const jar = openJar();
    const session = new Session<Data>();
    const [signedIn, signedOut] = [new Headers(), new Headers()];

    session.setCookie(signedIn, ID);
    await receive(jar, signedIn, SIGN_IN);
    await session.delete(ID, signedOut, wrong);
    await receive(jar, signedOut, SIGN_OUT);

    assertEquals((await contents(jar)).length, 1);
  }
});

Deno.test("the jar refuses what breaks the rule of a prefix, so that what it takes says something", async () => {
  for (
    const line of [
      "__Secure-a=1; Path=/",
      "__Host-a=1; Path=/",
      "__Host-a=1; Secure; Path=/app",
      "__Host-a=1; Secure",
      "__Host-a=1; Secure; Path=/; Domain=shop.example.com",
    ]
  ) {
    await assertRejects(
      () => openJar().setCookie(line, SIGN_IN),
      Error,
      "prefix",
    );
  }
});
