/**
 * Reads the `Cookie` header of whatever a framework calls a request, and writes
 * the `Set-Cookie` header of whatever it calls a response.
 *
 * @module
 */

import { kindOf } from "./_argument.ts";
import { cookieValues } from "./_cookie.ts";

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
  | Headers
  | { readonly headers: Headers }
  | NodeResponse;

/** The methods of Node's `ServerResponse` that a session needs. */
export interface NodeResponse {
  /** Whether it is too late to add a header. */
  readonly headersSent: boolean;
  /** The value of a header. */
  getHeader(name: string): number | string | readonly string[] | undefined;
  /** Sets a header, in place of what it was. */
  setHeader(name: string, value: string | readonly string[]): unknown;
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
  const headers = isObject(req) && "headers" in req ? req.headers : req;
  let header: unknown;
  if (canGet(headers)) header = headers.get("cookie");
  else if (isObject(headers) && "cookie" in headers) header = headers.cookie;
  if (typeof header === "string") return cookieValues(header, name);
  if (isObject(req) && "cookies" in req && canGet(req.cookies)) {
    const value = req.cookies.get(name);
    return typeof value === "string" ? [value] : [];
  }
  if (!isObject(headers) || (headers === req && !canGet(req))) {
    throw new TypeError(
      `Cannot ${action}: req must be a Request, Headers or an object with headers or cookies.get(): received ${
        kindOf(req)
      }`,
    );
  }
  return [];
}

/** @throws {TypeError} If it is not a response. */
export function checkResponse(action: string, res: ResponseLike): void {
  if (!isNodeResponse(res) && webHeaders(res) === undefined) {
    throw new TypeError(
      `Cannot ${action}: res must be a Response, Headers, { headers: Headers } or Node's ServerResponse: received ${
        res instanceof Request ? "a Request" : kindOf(res)
      }`,
    );
  }
}

/**
 * Adds a `Set-Cookie` line in place of those of the same cookie, and forbids
 * caches to keep the response unless it says so itself: RFC 9111 7.3 lets them
 * store a response with a cookie.
 *
 * @param res What {@linkcode checkResponse} has let through.
 *
 * @throws {TypeError} If its headers are immutable or already sent. They are as
 * they were.
 */
export function writeCookie(
  action: string,
  res: ResponseLike,
  line: string,
  noStore: boolean,
): void {
  const name = line.slice(0, line.indexOf("=") + 1);
  const replace = (lines: readonly string[]): string[] => [
    ...lines.filter((other) => !other.startsWith(name)),
    line,
  ];
  if (isNodeResponse(res)) {
    if (res.headersSent) {
      throw new TypeError(
        `Cannot ${action}: the headers of this response are already sent: do it before the first write`,
      );
    }
    const lines = res.getHeader("set-cookie") ?? [];
    res.setHeader(
      "Set-Cookie",
      replace(typeof lines === "object" ? lines : [String(lines)]),
    );
    const cacheControl = String(res.getHeader("cache-control"));
    if (noStore && !UNCACHED.test(cacheControl)) {
      res.setHeader("Cache-Control", "no-store");
    }
    return;
  }
  const headers = webHeaders(res) as Headers; // checkResponse() has seen them
  const lines = replace(headers.getSetCookie());
  try {
    headers.delete("set-cookie");
  } catch (cause) {
    throw new TypeError(
      `Cannot ${action}: the headers of this response are immutable, as those of Response.redirect() and fetch() are: write new Response(res.body, res) and pass that`,
      { cause },
    );
  }
  for (const line of lines) headers.append("set-cookie", line);
  if (noStore && !UNCACHED.test(headers.get("cache-control") ?? "")) {
    headers.set("cache-control", "no-store");
  }
}

function webHeaders(res: ResponseLike): Headers | undefined {
  if (!isObject(res) || res instanceof Request) return undefined;
  const headers = "headers" in res ? res.headers : res;
  return isHeaders(headers) ? headers : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function canGet(value: unknown): value is HeadersLike {
  return isObject(value) && "get" in value && typeof value.get === "function";
}

function isHeaders(value: unknown): value is Headers {
  return canGet(value) && "getSetCookie" in value && "append" in value;
}

function isNodeResponse(res: ResponseLike): res is NodeResponse {
  return isObject(res) && "getHeader" in res && "setHeader" in res;
}
