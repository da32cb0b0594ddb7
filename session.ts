/**
 * {@linkcode Session}: ids, cookies and lifetimes on top of any store.
 *
 * @example Sign in, read, sign out
 * ```ts
 * import { Session } from "@harpia/memory-store/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ user: string }>();
 *
 * // Sign in: a new session, its id in a cookie.
 * const signedIn = new Response("Welcome");
 * const id = await session.create({ user: "ada" });
 * session.setCookie(signedIn, id);
 *
 * // A later request brings the cookie back.
 * const [cookie = ""] = signedIn.headers.getSetCookie()[0]!.split(";");
 * const req = new Request("http://localhost/", { headers: { cookie } });
 * assertEquals(await session.fromRequest(req), { user: "ada" });
 *
 * // Sign out: the session is gone, and so is the cookie.
 * await session.delete(id, new Response("Bye"));
 * assertEquals(await session.fromRequest(req), undefined);
 * ```
 *
 * @module
 */

import { checkType, kindOf } from "./_argument.ts";
import {
  checkAttributes,
  type CookieAttributes,
  serializeCookie,
  serializeRemoval,
} from "./_cookie.ts";
import {
  checkResponse,
  checkWritable,
  requestCookies,
  type RequestLike,
  type ResponseLike,
  writeCookie,
} from "./_headers.ts";
import { checkData, type SessionChange, toChanger } from "./_session_data.ts";
import { ID_SHAPE, isSessionId, makeSessionIdHash } from "./_session_id.ts";
import { type SessionRecord, SessionRecords } from "./_session_records.ts";
import { resolveOptions, type SessionOptions } from "./_session_options.ts";

export type { CookieAttributes } from "./_cookie.ts";
export type {
  FastifyReply,
  HeadersLike,
  NodeResponse,
  RequestLike,
  ResponseHeaders,
  ResponseLike,
} from "./_headers.ts";
export type { SessionOptions } from "./_session_options.ts";
export type { SessionChange, SessionPatch } from "./_session_data.ts";
export type { Store } from "./store.ts";

/** How many cookies of the name are looked at: RFC 6265bis gives no order. */
const MAX_CANDIDATES = 4;

/** How often an id that is in use is made anew. */
const MAX_ATTEMPTS = 3;

/** How many characters of a hash tell sessions apart in a log. */
const LABEL_LENGTH = 10;

/** A session that came with a request. */
export interface LoadedSession<Data> {
  /** Its id, for {@linkcode Session.update} and the like. */
  readonly id: string;
  /** A copy of what it holds. */
  readonly data: Data;
}

interface Found<Data> {
  readonly id: string;
  readonly key: string;
  readonly record: SessionRecord<Data>;
}

/** Missing is what a client may send; another kind is a developer's mistake. */
function checkId(action: string, id: string | undefined): void {
  if (id !== undefined) checkType(action, "id", id, "string");
}

function checkIdShape(action: string, id: string): void {
  if (isSessionId(id)) return;
  const received = typeof id === "string" ? "another string" : kindOf(id);
  throw new TypeError(
    `Cannot ${action}: id must be ${ID_SHAPE}: received ${received}`,
  );
}

/**
 * Sessions on top of a store: an id in a cookie, the data in the store.
 *
 * - An id exists only once {@linkcode Session.create} or
 *   {@linkcode Session.regenerate} has made it. Forged, malformed and unknown
 *   ids are "no session", never an exception; what is not shaped like an id
 *   never reaches the store.
 * - Both timeouts are enforced here, whatever the store and the browser do.
 * - When the store fails, so does the call: that is never "no session".
 *
 * @typeParam Data What a session holds: a plain object of the values that
 * {@linkcode Store.set} takes, without an own `__proto__`.
 *
 * @see {@link https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html | OWASP Session Management Cheat Sheet}
 * @see {@link https://harpiats.github.io/core/session/ | Harpia: Session}
 */
// deno-lint-ignore no-explicit-any -- Harpia's type; takes interfaces too
export class Session<Data extends Record<string, any> = Record<string, any>> {
  readonly #records: SessionRecords<Data>;
  readonly #cookieName: string;
  readonly #cookie: CookieAttributes;
  readonly #prefix: string;
  readonly #hash: (id: string) => string | Promise<string>;
  readonly #generateId: () => string;
  readonly #noStore: boolean;
  /** The attributes last sent: a browser removes a cookie only by the same. */
  #sent: CookieAttributes;

  /**
   * Sets up sessions on a store.
   *
   * @param options The options.
   *
   * @throws {TypeError} If an option is unknown or of the wrong kind, or the
   * attributes of the cookie contradict each other or its name.
   * @throws {RangeError} If a number or a length is out of its range.
   */
  constructor(options: SessionOptions = {}) {
    const {
      store,
      idleTimeout,
      absoluteTimeout,
      cookieName,
      cookie,
      prefix,
      hashIds,
      generateId,
      noStore,
    } = resolveOptions<Data>(options);
    this.#records = new SessionRecords(store, { idleTimeout, absoluteTimeout });
    this.#cookieName = cookieName;
    this.#cookie = cookie;
    this.#sent = cookie;
    this.#prefix = prefix;
    this.#hash = hashIds ? makeSessionIdHash() : (id) => id;
    this.#generateId = generateId;
    this.#noStore = noStore;
  }

  /**
   * Creates a session.
   *
   * @param data What it holds at first; copied.
   * @returns Its id, for {@linkcode Session.setCookie}.
   *
   * @throws {TypeError} If `data` is not a plain object of portable values, or
   * `generateId` returns what is not an id.
   * @throws {Error} If `generateId` returns ids in use, three times in a row.
   */
  async create(data: Data): Promise<string> {
    const action = "create session";
    const copy = checkData(action, data);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const id = this.#newId(action);
      if (await this.#records.create(await this.#toKey(id), copy)) return id;
    }
    throw new Error(
      `Cannot ${action}: generateId must return a new id each time: received ids in use ${MAX_ATTEMPTS} times`,
    );
  }

  /**
   * Signs a user in, in the way that is safe from fixation: ends the session of
   * the request, if there is one, and gives the response the cookie of a new
   * one. Nobody who knew the old id gets in, and both timeouts start anew.
   *
   * @param req As in {@linkcode Session.fromRequest}.
   * @param res As in {@linkcode Session.setCookie}.
   * @param data What the new session holds: nothing of the old one. Or a
   * function that makes it out of a copy of the data of the old one, which is
   * `undefined` when there is none; it may be asynchronous and run more than
   * once. What the old session held may be another user's.
   * @returns The id of the new session.
   *
   * @throws {TypeError} If `req` is not a request, `res` not a response or its
   * headers immutable or sent, or the data not a plain object of portable
   * values: nothing is done.
   * @throws {Error} If `generateId` returns ids in use.
   *
   * @example Keep the cart of a visitor who signs in
   * ```ts
   * import { Session } from "@harpia/memory-store/session";
   * import { assertEquals } from "@std/assert";
   *
   * const session = new Session<{ user?: string; cart: string[] }>();
   * const cookie = await session.requestCookie({ cart: ["tea"] });
   * const req = new Request("http://localhost/", { headers: { cookie } });
   *
   * const id = await session.signIn(req, new Headers(), (visitor) => ({
   *   user: "ada",
   *   cart: visitor?.cart ?? [],
   * }));
   *
   * assertEquals(await session.get(id), { user: "ada", cart: ["tea"] });
   * assertEquals(await session.fromRequest(req), undefined);
   * ```
   */
  async signIn(
    req: RequestLike,
    res: ResponseLike,
    data: Data | ((previous: Data | undefined) => Data | Promise<Data>),
  ): Promise<string> {
    const action = "sign in";
    checkWritable(action, res);
    const change = typeof data === "function" ? data : () => data;
    if (typeof data !== "function") checkData(action, data);
    const found = await this.#find(action, req);
    let id: string | undefined;
    if (found !== undefined) {
      const newId = this.#newId(action);
      const newKey = await this.#toKey(newId);
      const now = Date.now();
      const changer = toChanger<Data>(action, change);
      const moved = await this.#records.move(found.key, newKey, changer, now);
      if (moved) id = newId;
    }
    id ??= await this.create(await change(undefined));
    this.setCookie(res, id);
    return id;
  }

  /**
   * Signs a user out: ends every session that the request has a cookie of, and
   * removes the cookie, also when the store fails or there is no session.
   *
   * @param req As in {@linkcode Session.fromRequest}.
   * @param res As in {@linkcode Session.delete}.
   *
   * @throws {TypeError} If `req` is not a request or `res` not a response:
   * nothing is done. If the headers of `res` are immutable or sent: the session
   * has ended.
   */
  async signOut(req: RequestLike, res: ResponseLike): Promise<void> {
    const action = "sign out";
    checkResponse(action, res);
    const ids = this.#idsOf(action, req);
    const refusal = this.#removeCookie(action, res, this.#sent);
    for (const id of ids) await this.#records.end(await this.#toKey(id));
    if (refusal !== undefined) throw refusal.reason;
  }

  /**
   * Reads the data of a session. Changes nothing: the idle timeout goes on.
   *
   * @param id The id, as far as there is one.
   * @returns A copy of the data; `undefined` when there is no such session, its
   * time is over, or `id` is `undefined` or malformed.
   *
   * @throws {TypeError} If `id` is neither a string nor `undefined`.
   */
  async get(id: string | undefined): Promise<Data | undefined> {
    const key = await this.#keyOf("read session", id);
    return key === undefined ? key : (await this.#records.read(key))?.data;
  }

  /**
   * When a session ends, if no further request comes. Changes nothing.
   *
   * @param id The id, as far as there is one.
   * @returns Epoch milliseconds, or `Infinity`; `undefined` when there is no
   * such session, its time is over, or `id` is `undefined` or malformed.
   *
   * @throws {TypeError} If `id` is neither a string nor `undefined`.
   */
  async expiresAt(id: string | undefined): Promise<number | undefined> {
    const key = await this.#keyOf("read session", id);
    const record = key === undefined ? key : await this.#records.read(key);
    return record && this.#records.expiresAt(record);
  }

  /**
   * Changes the data of a session, as one atomic step. Never makes a session
   * exist, and extends no timeout.
   *
   * @param id The id, as far as there is one.
   * @param change Members to set, in place of those of the same name, where
   * `undefined` removes one; or a function that gets a copy of the data and
   * changes it or returns it anew. The function may be asynchronous, may run
   * more than once, and must not wait for a change of the same session.
   * @returns Whether there was such a session.
   *
   * @throws {TypeError} If `id` is neither a string nor `undefined`, or the
   * data afterwards is not a plain object of portable values.
   *
   * @example Add to a list, whatever other requests do
   * ```ts
   * import { Session } from "@harpia/memory-store/session";
   * import { assertEquals } from "@std/assert";
   *
   * const session = new Session<{ cart: string[] }>();
   * const id = await session.create({ cart: [] });
   *
   * await Promise.all(["tea", "milk"].map((item) =>
   *   session.update(id, ({ cart }) => {
   *     cart.push(item);
   *   })
   * ));
   *
   * assertEquals((await session.get(id))?.cart.toSorted(), ["milk", "tea"]);
   * ```
   */
  async update(
    id: string | undefined,
    change: SessionChange<Data>,
  ): Promise<boolean> {
    const action = "update session";
    const changer = toChanger(action, change);
    const key = await this.#keyOf(action, id);
    return key !== undefined && await this.#records.update(key, changer);
  }

  /**
   * Ends a session and removes the cookie from the browser: also when the store
   * fails, and when there is no such session.
   *
   * @param id The id, as far as there is one.
   * @param res Gets the `Set-Cookie` header, when called.
   * @param options Attributes of the cookie, when they differ from those of the
   * constructor and of the last {@linkcode Session.setCookie} of this object.
   *
   * @throws {TypeError} If an argument is of the wrong kind: nothing is done.
   * If the headers of `res` are immutable or sent: the session has ended.
   */
  async delete(
    id: string | undefined,
    res: ResponseLike,
    options?: CookieAttributes,
  ): Promise<void> {
    const action = "delete session";
    const attributes = options === undefined
      ? this.#sent
      : checkAttributes(action, this.#cookieName, options, this.#cookie);
    checkResponse(action, res);
    checkId(action, id);
    const refusal = this.#removeCookie(action, res, attributes);
    const key = await this.#keyOf(action, id);
    if (key !== undefined) await this.#records.end(key);
    if (refusal !== undefined) throw refusal.reason;
  }

  /**
   * Puts the id into the cookie of a response, in place of an earlier one in
   * the same response.
   *
   * @param res Gets the `Set-Cookie` header, and `Cache-Control: no-store`.
   * @param id The id of a session.
   * @param options Attributes of the cookie that differ from those of the
   * constructor. {@linkcode Session.delete} uses the last ones given; where
   * several processes answer, give them to the constructor.
   *
   * @throws {TypeError} If `res` is not a response, its headers are immutable
   * or sent, `id` is not shaped like an id, or an attribute is wrong.
   * @throws {RangeError} If an attribute is out of its range.
   */
  setCookie(
    res: ResponseLike,
    id: string,
    options?: CookieAttributes,
  ): void {
    checkResponse("set cookie", res);
    writeCookie("set cookie", res, this.cookie(id, options), this.#noStore);
  }

  /**
   * The value of a `Set-Cookie` header, for where {@linkcode Session.setCookie}
   * does not reach.
   *
   * @param id The id of a session.
   * @param options As in {@linkcode Session.setCookie}.
   * @returns For example `session_id=…; Path=/; HttpOnly; Secure; SameSite=Lax`.
   *
   * @throws {TypeError} If `id` is not shaped like an id, or an attribute is
   * wrong.
   * @throws {RangeError} If an attribute is out of its range.
   */
  cookie(id: string, options?: CookieAttributes): string {
    const action = "set cookie";
    checkIdShape(action, id);
    this.#sent = options === undefined
      ? this.#cookie
      : checkAttributes(action, this.#cookieName, options, this.#cookie);
    return serializeCookie(this.#cookieName, id, this.#sent);
  }

  /**
   * Reads the data of the session of a request, and starts its idle timeout
   * anew when more than half is over.
   *
   * Of several cookies of the name, as a neighbouring domain can plant them,
   * the first four are looked up: the one that is a live session is it; two
   * different live ones are none.
   *
   * @param req A `Request`, its `Headers`, Node's `IncomingMessage`, or Harpia's
   * request.
   * @returns A copy of the data; `undefined` when the request has no session,
   * whatever it sends.
   *
   * @throws {TypeError} If `req` is none of these.
   */
  async fromRequest(req: RequestLike): Promise<Data | undefined> {
    return (await this.load(req))?.data;
  }

  /**
   * Reads the session of a request as {@linkcode Session.fromRequest} does, and
   * says its id, too.
   *
   * @param req As in {@linkcode Session.fromRequest}.
   * @returns The id and the data; `undefined` when the request has no session.
   *
   * @throws {TypeError} If `req` is not a request.
   */
  async load(req: RequestLike): Promise<LoadedSession<Data> | undefined> {
    const found = await this.#find("read session", req);
    const data = found && await this.#records.use(found.key, found.record);
    return found && data && { id: found.id, data };
  }

  /**
   * Finds the id of the session of a request, as {@linkcode Session.fromRequest}
   * does, but changes nothing.
   *
   * @param req As in {@linkcode Session.fromRequest}.
   * @returns The id of a live session, for {@linkcode Session.update},
   * {@linkcode Session.regenerate} and {@linkcode Session.delete}.
   *
   * @throws {TypeError} If `req` is not a request.
   */
  async idFromRequest(req: RequestLike): Promise<string | undefined> {
    return (await this.#find("read session", req))?.id;
  }

  /**
   * Gives a session a new id, as is due whenever its user gains rights: at
   * sign-in above all. The old id is dead in the same step, so who knew it
   * before never gets in; and a {@linkcode Session.delete} of the old id, even
   * up to a minute later, ends the session under its new id too.
   *
   * Starts the idle timeout anew; the absolute one goes on.
   *
   * @param id The id, as far as there is one.
   * @param change What else is to change, as in {@linkcode Session.update}. It
   * is never readable under the old id.
   * @returns The new id, for {@linkcode Session.setCookie}; `undefined` when
   * there is no such session.
   *
   * @throws {TypeError} As {@linkcode Session.update}; if `generateId` returns
   * what is not an id.
   * @throws {Error} If `generateId` returns an id in use: the session has ended.
   *
   * @see {@link https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#renew-the-session-id-after-any-privilege-level-change | OWASP: Renew the Session ID}
   */
  async regenerate(
    id: string | undefined,
    change: SessionChange<Data> = {},
  ): Promise<string | undefined> {
    const action = "regenerate session";
    const changer = toChanger(action, change);
    const key = await this.#keyOf(action, id);
    if (key === undefined) return undefined;
    const newId = this.#newId(action);
    const moved = await this.#records.move(
      key,
      await this.#toKey(newId),
      changer,
    );
    return moved ? newId : undefined;
  }

  /**
   * What tells a session apart in a log, and lets nobody in: ten characters of
   * the SHA-256 of `log:` and the id. It does not lead to the key in the store.
   *
   * @param id The id of a session.
   *
   * @throws {TypeError} If `id` is not shaped like an id.
   *
   * @see {@link https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#logging-sessions-life-cycle | OWASP: Logging Sessions Life Cycle}
   */
  async label(id: string): Promise<string> {
    checkIdShape("label session", id);
    return (await makeSessionIdHash()(`log:${id}`)).slice(0, LABEL_LENGTH);
  }

  /**
   * Creates a session, and gives the `Cookie` header that a browser would send
   * for it: for the tests of an application.
   *
   * @param data As in {@linkcode Session.create}.
   * @returns For example `session_id=…`.
   *
   * @throws {TypeError} As {@linkcode Session.create}.
   *
   * @example Test what a signed-in user sees
   * ```ts
   * import { Session } from "@harpia/memory-store/session";
   * import { assertEquals } from "@std/assert";
   *
   * const session = new Session<{ user: string }>();
   * const cookie = await session.requestCookie({ user: "ada" });
   *
   * const req = new Request("http://localhost/", { headers: { cookie } });
   *
   * assertEquals(await session.fromRequest(req), { user: "ada" });
   * ```
   */
  async requestCookie(data: Data): Promise<string> {
    return `${this.#cookieName}=${await this.create(data)}`;
  }

  /** The ids that a request may mean, each once. */
  #idsOf(action: string, req: RequestLike): Set<string> {
    const ids = new Set<string>();
    for (const value of requestCookies(action, req, this.#cookieName)) {
      if (isSessionId(value)) ids.add(value);
      if (ids.size === MAX_CANDIDATES) break;
    }
    return ids;
  }

  /** Removes the cookie, or says why that cannot be. */
  #removeCookie(
    action: string,
    res: ResponseLike,
    attributes: CookieAttributes,
  ): { reason: unknown } | undefined {
    try {
      const line = serializeRemoval(this.#cookieName, attributes);
      writeCookie(action, res, line, this.#noStore);
      return undefined;
    } catch (reason) {
      return { reason };
    }
  }

  async #find(
    action: string,
    req: RequestLike,
  ): Promise<Found<Data> | undefined> {
    let found: Found<Data> | undefined;
    for (const id of this.#idsOf(action, req)) {
      const key = await this.#toKey(id);
      const record = await this.#records.read(key);
      if (record === undefined) continue;
      if (found !== undefined) return undefined;
      found = { id, key, record };
    }
    return found;
  }

  #newId(action: string): string {
    const id = this.#generateId();
    if (!isSessionId(id)) {
      const received = typeof id === "string" ? "another string" : kindOf(id);
      throw new TypeError(
        `Cannot ${action}: generateId must return ${ID_SHAPE}: received ${received}`,
      );
    }
    return id;
  }

  /** The key of an id; `undefined` for what cannot be one. */
  async #keyOf(
    action: string,
    id: string | undefined,
  ): Promise<string | undefined> {
    checkId(action, id);
    return isSessionId(id) ? await this.#toKey(id) : undefined;
  }

  async #toKey(id: string): Promise<string> {
    return this.#prefix + await this.#hash(id);
  }
}
