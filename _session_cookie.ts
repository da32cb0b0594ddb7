/**
 * The cookie that carries the id: written to responses, read from requests.
 *
 * @module
 */

import {
  checkAttributes,
  type CookieAttributes,
  serializeCookie,
  serializeRemoval,
} from "./_cookie.ts";
import {
  headerLines,
  requestCookies,
  type RequestLike,
  type ResponseLike,
  writeCookie,
} from "./_headers.ts";
import { checkShape, isSessionId } from "./_session_id.ts";

/** How many cookies of the name are looked at: RFC 6265bis gives no order. */
const MAX_CANDIDATES = 4;

/** What {@linkcode SessionCookie} is made of, all of it checked. */
export interface SessionCookieOptions {
  /** Its name. */
  cookieName: string;
  /** Its attributes, none left out. */
  cookie: CookieAttributes;
  /** Whether a response that carries it must not be cached. */
  noStore: boolean;
}

/** The cookie of one `Session`. */
export class SessionCookie {
  readonly #name: string;
  readonly #attributes: CookieAttributes;
  readonly #noStore: boolean;
  /** The attributes last sent: a browser removes a cookie only by the same. */
  #sent: CookieAttributes;

  constructor({ cookieName, cookie, noStore }: SessionCookieOptions) {
    this.#name = cookieName;
    this.#attributes = cookie;
    this.#noStore = noStore;
    this.#sent = cookie;
  }

  /** The pair that a browser sends. */
  pair(id: string): string {
    return `${this.#name}=${id}`;
  }

  /** The different ids that a request carries, at most four. */
  ids(action: string, req: RequestLike): string[] {
    const ids = new Set<string>();
    for (const value of requestCookies(action, req, this.#name)) {
      if (isSessionId(value)) ids.add(value);
      if (ids.size === MAX_CANDIDATES) break;
    }
    return [...ids];
  }

  /**
   * The `Set-Cookie` line.
   *
   * @throws {TypeError} If `id` is not shaped like an id, or an attribute is
   * wrong.
   * @throws {RangeError} If an attribute is out of its range.
   */
  line(action: string, id: string, options?: CookieAttributes): string {
    checkShape(action, "id must be", id);
    this.#sent = options === undefined
      ? this.#attributes
      : checkAttributes(action, this.#name, options, this.#attributes);
    return serializeCookie(this.#name, id, this.#sent);
  }

  /** @throws As {@linkcode SessionCookie.line} and {@linkcode writeCookie}. */
  write(
    action: string,
    res: ResponseLike,
    id: string,
    options?: CookieAttributes,
  ): void {
    const headers = headerLines(action, res);
    writeCookie(headers, this.line(action, id, options), this.#noStore);
  }

  /**
   * Prepares the removal of the cookie: what can be wrong by a developer's
   * mistake is checked now.
   *
   * @throws {TypeError} If `res` is not a response or an attribute is wrong.
   * @throws {RangeError} If an attribute is out of its range.
   */
  removal(
    action: string,
    res: ResponseLike,
    options?: CookieAttributes,
  ): () => void {
    const attributes = options === undefined
      ? this.#sent
      : checkAttributes(action, this.#name, options, this.#attributes);
    const headers = headerLines(action, res);
    const line = serializeRemoval(this.#name, attributes);
    return () => writeCookie(headers, line, this.#noStore);
  }
}
