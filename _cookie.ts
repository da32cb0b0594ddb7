/**
 * The session cookie: its attributes checked, and its `Set-Cookie` line written.
 *
 * Written here and not left to a library because what is accepted has to come
 * back from every browser as it was meant: the checks are most of the work, and
 * joining what they let through is the rest.
 *
 * @see {@link https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/ | RFC 6265bis}
 *
 * @module
 */

import {
  checkType,
  kindOf,
  mergeOptions,
  quote,
  rangeError,
  typeError,
} from "./_argument.ts";
import { MAX_ID_LENGTH } from "./_session_id.ts";

/** Attributes of the session cookie. */
export interface CookieAttributes {
  /**
   * The path below which the browser sends the cookie. Starts with `/`; at most
   * 1,024 printable ASCII characters, no `;`.
   *
   * @default {"/"}
   */
  path?: string | undefined;
  /**
   * The domain that gets the cookie, with all below it: a host name in ASCII,
   * no port, no IP address. A leading dot is dropped, as browsers do.
   *
   * @default {undefined} Only the host that set it
   */
  domain?: string | undefined;
  /**
   * How long the browser keeps the cookie, in seconds: a whole number from `1`
   * to 34,560,000 (400 days). This does not lengthen the session, which ends by
   * its own timeouts.
   *
   * @default {undefined} Until the browser is closed
   */
  maxAge?: number | undefined;
  /**
   * When the browser drops the cookie: within the next 400 days. Prefer
   * `maxAge`; when both are given they must agree to a minute.
   *
   * @default {undefined} Until the browser is closed
   */
  expires?: Date | undefined;
  /**
   * Hides the cookie from scripts in the page.
   *
   * @default {true}
   */
  httpOnly?: boolean | undefined;
  /**
   * The browser sends the cookie over HTTPS only; to `localhost` also over
   * HTTP. `false` is for development on another host without TLS.
   *
   * @default {true}
   */
  secure?: boolean | undefined;
  /**
   * Whether requests from other sites carry the cookie. Any case is accepted.
   * `"None"` needs `secure`.
   *
   * @default {"Lax"}
   */
  sameSite?:
    | "Strict"
    | "Lax"
    | "None"
    | "strict"
    | "lax"
    | "none"
    | undefined;
  /**
   * A jar of its own under each top-level site (CHIPS). Needs `secure`.
   *
   * @default {false}
   *
   * @see {@link https://datatracker.ietf.org/doc/draft-cutler-httpbis-partitioned-cookies/ | CHIPS}
   */
  partitioned?: boolean | undefined;
}

/** RFC 6265bis 5.5: browsers cut a longer life. In seconds. */
const MAX_AGE = 400 * 24 * 60 * 60;

/** RFC 6265bis 5.6: browsers drop what is longer. In bytes. */
const MAX_PAIR = 4096;
const MAX_ATTRIBUTE = 1024;

/** RFC 9110 5.6.2: token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 6265bis 4.1.3: what a name can start with, in any case. */
const PREFIX = /^__(?:Secure|Host-Http|Host|Http)-/i;

/** RFC 6265bis 4.1.1: path-value, absolute; a final space would be stripped. */
const PATH = /^\/(?:[\x20-\x3a\x3c-\x7e]*[\x21-\x3a\x3c-\x7e])?$/;

/** RFC 1034 3.5 and RFC 1123 2.1: labels of letters, digits and hyphens. */
const DOMAIN =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

const SAME_SITES = ["Strict", "Lax", "None"] as const;

/** All that there are, and what they are when they are left out. */
const DEFAULTS: CookieAttributes = {
  path: "/",
  domain: undefined,
  maxAge: undefined,
  expires: undefined,
  httpOnly: true,
  secure: true,
  sameSite: "Lax",
  partitioned: undefined,
};

/**
 * Checks the name of the cookie.
 *
 * @throws {TypeError} If it is not a token (RFC 9110 5.6.2) or only a prefix.
 * @throws {RangeError} If it leaves no room for an id within 4,096 bytes.
 */
export function checkCookieName(action: string, name: string): void {
  checkType(action, "cookieName", name, "string");
  if (!TOKEN.test(name)) {
    throw typeError(
      action,
      "cookieName must be one or more of the characters A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~",
      quote(name),
    );
  }
  if (PREFIX.exec(name)?.[0] === name) {
    throw typeError(
      action,
      `cookieName must go on after its prefix, as in "${name}session_id"`,
      quote(name),
    );
  }
  const maxLength = MAX_PAIR - MAX_ID_LENGTH;
  if (name.length > maxLength) {
    throw rangeError(
      action,
      `cookieName must be at most ${maxLength} characters`,
      name.length,
    );
  }
}

/**
 * Adds attributes to those of a base, else to the defaults, and checks them all.
 *
 * @throws {TypeError} If one is unknown or of the wrong shape, or they
 * contradict each other or the prefix of the name.
 * @throws {RangeError} If one is out of its range.
 */
export function checkAttributes(
  action: string,
  name: string,
  attributes: CookieAttributes,
  base: CookieAttributes = DEFAULTS,
): CookieAttributes {
  const merged = mergeOptions(action, attributes, base);
  for (const flag of ["httpOnly", "secure", "partitioned"] as const) {
    const value = merged[flag];
    if (value !== undefined) checkType(action, flag, value, "boolean");
  }
  checkPath(action, merged.path);
  merged.domain = checkDomain(action, merged.domain);
  merged.sameSite = checkSameSite(action, merged.sameSite);
  checkLifetime(action, merged);
  if (merged.expires !== undefined) merged.expires = new Date(merged.expires);
  checkTogether(action, name, merged);
  return merged;
}

function checkPath(action: string, path: string | undefined): void {
  if (typeof path !== "string" || !PATH.test(path)) {
    throw typeError(
      action,
      'path must start with "/" and hold printable ASCII other than ";", no space at the end',
      quote(path),
    );
  }
  if (path.length > MAX_ATTRIBUTE) {
    throw rangeError(
      action,
      `path must be at most ${MAX_ATTRIBUTE} characters`,
      path.length,
    );
  }
}

function checkDomain(
  action: string,
  domain: string | undefined,
): string | undefined {
  if (domain === undefined) return undefined;
  checkType(action, "domain", domain, "string");
  const host = domain.replace(/^\./, "");
  if (!DOMAIN.test(host)) {
    throw typeError(
      action,
      'domain must be a host name in ASCII such as "example.com", without scheme, port, final dot or IP address',
      quote(domain.slice(0, 300)),
    );
  }
  return host;
}

function checkSameSite(
  action: string,
  sameSite: CookieAttributes["sameSite"],
): "Strict" | "Lax" | "None" {
  const given = typeof sameSite === "string" ? sameSite.toLowerCase() : "";
  const site = SAME_SITES.find((site) => site.toLowerCase() === given);
  if (site !== undefined) return site;
  throw typeError(
    action,
    'sameSite must be "Strict", "Lax" or "None"',
    quote(sameSite),
  );
}

function checkLifetime(
  action: string,
  { maxAge, expires }: CookieAttributes,
): void {
  if (maxAge !== undefined) {
    checkType(action, "maxAge", maxAge, "number");
    if (!Number.isInteger(maxAge) || maxAge < 1 || maxAge > MAX_AGE) {
      throw rangeError(
        action,
        `maxAge must be a whole number of seconds (not milliseconds) from 1 to ${MAX_AGE}, which is 400 days; to remove the cookie write delete(id, res)`,
        maxAge,
      );
    }
  }
  if (expires === undefined) return;
  if (!(expires instanceof Date)) {
    throw typeError(action, "expires must be a Date", kindOf(expires));
  }
  const seconds = (expires.getTime() - Date.now()) / 1000;
  if (!(seconds > 0 && seconds <= MAX_AGE)) {
    throw rangeError(
      action,
      "expires must be a valid time within the next 400 days; to remove the cookie write delete(id, res)",
      expires,
    );
  }
  if (maxAge !== undefined && Math.abs(seconds - maxAge) > 60) {
    throw new TypeError(
      `Cannot ${action}: maxAge and expires must agree: write maxAge alone`,
    );
  }
}

/** RFC 6265bis 4.1.3 and 5.7: what browsers refuse, by name and by attribute. */
function checkTogether(
  action: string,
  name: string,
  { path, domain, secure, httpOnly, sameSite, partitioned }: CookieAttributes,
): void {
  const prefix = PREFIX.exec(name)?.[0] ?? "";
  const isHttp = /http-/i.test(prefix);
  const isHost = /host-/i.test(prefix);
  const rules: [kept: boolean | undefined, rule: string][] = [
    [secure || sameSite !== "None", 'sameSite "None" needs secure: true'],
    [secure || !partitioned, "partitioned needs secure: true"],
    [secure || prefix === "", `the prefix ${prefix} needs secure: true`],
    [httpOnly || !isHttp, `the prefix ${prefix} needs httpOnly: true`],
    [
      !isHost || (domain === undefined && path === "/"),
      `the prefix ${prefix} needs path: "/" and no domain`,
    ],
  ];
  const broken = rules.find(([kept]) => !kept);
  if (broken) throw new TypeError(`Cannot ${action}: ${broken[1]}`);
}

/**
 * The value of a `Set-Cookie` header field.
 *
 * @param attributes As {@linkcode checkAttributes} has returned them.
 */
export function serializeCookie(
  name: string,
  value: string,
  attributes: CookieAttributes,
): string {
  const { path, domain, maxAge, expires, httpOnly, secure, sameSite } =
    attributes;
  let line = `${name}=${value}; Path=${path}`;
  if (domain !== undefined) line += `; Domain=${domain}`;
  if (maxAge !== undefined) line += `; Max-Age=${maxAge}`;
  if (expires !== undefined) line += `; Expires=${expires.toUTCString()}`;
  if (httpOnly) line += "; HttpOnly";
  if (secure) line += "; Secure";
  line += `; SameSite=${sameSite}`;
  if (attributes.partitioned) line += "; Partitioned";
  return line;
}

/** The `Set-Cookie` line that makes a browser drop the cookie. */
export function serializeRemoval(
  name: string,
  attributes: CookieAttributes,
): string {
  return serializeCookie(name, "", {
    ...attributes,
    maxAge: 0,
    expires: new Date(0),
  });
}
