/**
 * Reads the `Cookie` header of whatever a framework calls a request, and writes
 * the `Set-Cookie` header of whatever it calls a response.
 *
 * @module
 */

import { hasMethods, kindOf, typeError } from "./_argument.ts";
import { cookieValues } from "./_cookie_header.ts";

/** RFC 9111 5.2.2: not kept by shared caches; `private="x"` keeps all but x. */
const UNCACHED = /(?:^|,)[ \t]*(?:no-store|private)[ \t]*(?:,|$)/i;

/** A request, in as much as a session needs it. */
export type RequestLike =
  | HeadersLike
  | { readonly headers: HeadersLike | { readonly cookie?: string | undefined } }
  | {
    readonly cookies: { get(name: string): string | null | undefined };
  };

/** What reads like the `Headers` of a request. */
export interface HeadersLike {
  /** The value of a header, in any case; `null` or `undefined` for none. */
  get(name: string): string | null | undefined;
}

/** A response, in as much as a session needs it. */
export type ResponseLike =
  | ResponseHeaders
  | { readonly headers: ResponseHeaders }
  | NodeResponse
  | FastifyReply;

/** What writes like the `Headers` of a response, whichever library made it. */
export interface ResponseHeaders {
  /** Adds a header. */
  append(name: string, value: string): void;
  /** Removes a header. */
  delete(name: string): void;
  /** The value of a header; `null` for none. */
  get(name: string): string | null;
  /** The values of `Set-Cookie`. */
  getSetCookie(): string[];
  /** Sets a header, in place of what it was. */
  set(name: string, value: string): void;
}

/** The methods of Node's `ServerResponse` that a session needs. */
export interface NodeResponse {
  /** Whether it is too late to add a header. */
  readonly headersSent: boolean;
  /** The value of a header. */
  getHeader(name: string): number | string | readonly string[] | undefined;
  /** Sets a header, in place of what it was. */
  setHeader(name: string, value: string | readonly string[]): unknown;
}

/** The methods of Fastify's `Reply` that a session needs. */
export interface FastifyReply {
  /** Whether it is too late to add a header. */
  readonly sent: boolean;
  /** The value of a header. */
  getHeader(name: string): number | string | readonly string[] | undefined;
  /** Removes a header. */
  removeHeader(name: string): unknown;
  /** Sets a header; adds to it when it is `Set-Cookie`. */
  header(name: string, value: string | readonly string[]): unknown;
}

/**
 * The values of the cookies of this name that a request carries, in order.
 *
 * @throws {TypeError} If it is not a request. What the client has sent never
 * throws.
 */
export function requestCookies(
  action: string,
  req: RequestLike,
  name: string,
): Iterable<string> {
  const { headers = req } = Object(req) as { headers?: unknown };
  const header = canGet(headers)
    ? headers.get("cookie")
    : Object(headers).cookie;
  if (typeof header === "string") return cookieValues(header, name);
  const { cookies } = Object(req) as { cookies?: unknown };
  if (canGet(cookies)) {
    const value = cookies.get(name);
    return typeof value === "string" ? [value] : [];
  }
  if (canGet(headers) || (headers !== req && isObject(headers))) return [];
  throw typeError(
    action,
    "req must be a Request, Headers or an object with headers or cookies.get()",
    kindOf(req),
  );
}

/** The headers of any response: the lines of each name. */
export interface HeaderLines {
  /** The lines there are. */
  get(name: string): readonly string[];
  /** Takes the place of the lines there are. */
  set(name: string, lines: string | readonly string[]): void;
  /**
   * Leaves the headers as they are.
   *
   * @throws {TypeError} If they are immutable or already sent.
   */
  checkMutable(): void;
}

/**
 * Adds a `Set-Cookie` line in place of those of the same cookie, and forbids
 * caches to keep the response unless it says so itself: RFC 9111 7.3 lets them
 * store a response with a cookie.
 *
 * @throws {TypeError} If the headers are immutable or already sent. They are as
 * they were.
 */
export function writeCookie(
  headers: HeaderLines,
  line: string,
  noStore: boolean,
): void {
  const name = line.slice(0, line.indexOf("=") + 1);
  const others = headers.get("set-cookie")
    .filter((other) => !other.startsWith(name));
  headers.set("Set-Cookie", [...others, line]);
  if (
    noStore &&
    !headers.get("cache-control").some((line) => UNCACHED.test(line))
  ) headers.set("Cache-Control", "no-store");
}

/**
 * The headers of whatever a framework calls a response.
 *
 * @throws {TypeError} If it is not a response.
 */
export function headerLines(action: string, res: ResponseLike): HeaderLines {
  if (isNodeResponse(res) || isFastifyReply(res)) return nodeLines(action, res);
  const isRequest = res instanceof Request;
  const { headers = res } = Object(res) as { headers?: unknown };
  if (!isRequest && isHeaders(headers)) return webLines(action, headers);
  throw typeError(
    action,
    "res must be a Response, Headers, { headers: Headers }, Node's ServerResponse or Fastify's Reply",
    isRequest ? "a Request" : kindOf(res),
  );
}

function nodeLines(
  action: string,
  res: NodeResponse | FastifyReply,
): HeaderLines {
  return {
    get: (name) => [res.getHeader(name) ?? []].flat().map(String),
    set(name, lines) {
      this.checkMutable();
      if (isNodeResponse(res)) return void res.setHeader(name, lines);
      res.removeHeader(name); // header() would add to Set-Cookie
      res.header(name, lines);
    },
    checkMutable() {
      if (isNodeResponse(res) ? !res.headersSent : !res.sent) return;
      throw new TypeError(
        `Cannot ${action}: the headers of this response are already sent: do it before the first write`,
      );
    },
  };
}

function webLines(action: string, headers: ResponseHeaders): HeaderLines {
  return {
    get: (name) =>
      name === "set-cookie"
        ? headers.getSetCookie()
        : [headers.get(name) ?? []].flat(),
    set(name, lines) {
      try {
        headers.delete(name);
      } catch (cause) {
        throw new TypeError(
          `Cannot ${action}: the headers of this response are immutable, as those of Response.redirect() and fetch() are: write new Response(res.body, res) and pass that`,
          { cause },
        );
      }
      for (const line of [lines].flat()) headers.append(name, line);
    },
    checkMutable() {
      // Nothing else tells, and an absent header is not refused everywhere.
      this.set("set-cookie", this.get("set-cookie"));
    },
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function canGet(value: unknown): value is HeadersLike {
  return hasMethods(value, "get");
}

function isHeaders(value: unknown): value is ResponseHeaders {
  return hasMethods(value, "get", "getSetCookie", "append");
}

function isNodeResponse(res: ResponseLike): res is NodeResponse {
  return hasMethods(res, "getHeader", "setHeader");
}

function isFastifyReply(res: ResponseLike): res is FastifyReply {
  return hasMethods(res, "getHeader", "header");
}
