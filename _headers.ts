/**
 * Reads the `Cookie` header of whatever a framework calls a request, and writes
 * the `Set-Cookie` header of whatever it calls a response.
 *
 * @module
 */

import { kindOf } from "./_argument.ts";
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
  toLines(action, res);
}

/**
 * Checks that a cookie can be written, and leaves the headers as they are.
 *
 * @throws {TypeError} If it is not a response, or its headers are immutable or
 * already sent.
 */
export function checkWritable(action: string, res: ResponseLike): void {
  toLines(action, res).checkMutable();
}

/**
 * Adds a `Set-Cookie` line in place of those of the same cookie, and forbids
 * caches to keep the response unless it says so itself: RFC 9111 7.3 lets them
 * store a response with a cookie.
 *
 * @throws {TypeError} If it is not a response, or its headers are immutable or
 * already sent. They are as they were.
 */
export function writeCookie(
  action: string,
  res: ResponseLike,
  line: string,
  noStore: boolean,
): void {
  const headers = toLines(action, res);
  const name = line.slice(0, line.indexOf("=") + 1);
  const others = headers.get("set-cookie")
    .filter((other) => !other.startsWith(name));
  headers.set("Set-Cookie", [...others, line]);
  if (noStore && !headers.get("cache-control").some(isUncached)) {
    headers.set("Cache-Control", "no-store");
  }
}

/** The headers of any response: the lines of each name. */
interface HeaderLines {
  get(name: string): readonly string[];
  /** Takes the place of the lines there are. */
  set(name: string, lines: string | readonly string[]): void;
  /** @throws {TypeError} If they are immutable or already sent. */
  checkMutable(): void;
}

function toLines(action: string, res: ResponseLike): HeaderLines {
  if (isNodeResponse(res) || isFastifyReply(res)) return nodeLines(action, res);
  const headers = webHeaders(res);
  if (headers !== undefined) return webLines(action, headers);
  throw new TypeError(
    `Cannot ${action}: res must be a Response, Headers, { headers: Headers }, Node's ServerResponse or Fastify's Reply: received ${
      res instanceof Request ? "a Request" : kindOf(res)
    }`,
  );
}

function nodeLines(
  action: string,
  res: NodeResponse | FastifyReply,
): HeaderLines {
  return {
    get(name) {
      const value = res.getHeader(name) ?? [];
      return typeof value === "object" ? value : [String(value)];
    },
    checkMutable() {
      if (isNodeResponse(res) ? res.headersSent : res.sent) {
        throw new TypeError(
          `Cannot ${action}: the headers of this response are already sent: do it before the first write`,
        );
      }
    },
    set(name, lines) {
      this.checkMutable();
      if (isNodeResponse(res)) return void res.setHeader(name, lines);
      res.removeHeader(name); // header() would add to Set-Cookie
      res.header(name, lines);
    },
  };
}

function webLines(action: string, headers: ResponseHeaders): HeaderLines {
  return {
    get(name) {
      if (name === "set-cookie") return headers.getSetCookie();
      const value = headers.get(name);
      return value === null ? [] : [value];
    },
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

function isUncached(cacheControl: string): boolean {
  return UNCACHED.test(cacheControl);
}

function webHeaders(res: ResponseLike): ResponseHeaders | undefined {
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

function isHeaders(value: unknown): value is ResponseHeaders {
  return canGet(value) && "getSetCookie" in value && "append" in value;
}

function isNodeResponse(res: ResponseLike): res is NodeResponse {
  return isObject(res) && "getHeader" in res && "setHeader" in res;
}

function isFastifyReply(res: ResponseLike): res is FastifyReply {
  return isObject(res) && "getHeader" in res && "header" in res;
}
