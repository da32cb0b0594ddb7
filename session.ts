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
 * const welcome = new Response("Welcome");
 * await session.signIn(new Request("http://localhost/"), welcome, {
 *   user: "ada",
 * });
 *
 * // A later request brings the cookie back.
 * const [cookie = ""] = welcome.headers.getSetCookie()[0]!.split(";");
 * const req = new Request("http://localhost/", { headers: { cookie } });
 * assertEquals(await session.fromRequest(req), { user: "ada" });
 *
 * // Sign out: the session is gone, and so is the cookie.
 * await session.signOut(req, new Response("Bye"));
 * assertEquals(await session.fromRequest(req), undefined);
 * ```
 *
 * @module
 */

import type { CookieAttributes } from "./_cookie.ts";
import {
  headerLines,
  type RequestLike,
  type ResponseLike,
} from "./_headers.ts";
import { SessionCookie } from "./_session_cookie.ts";
import {
  checkData,
  type SessionChange,
  type SessionStart,
  toChanger,
  toStarter,
} from "./_session_data.ts";
import { checkId, isSessionId, SessionIds } from "./_session_id.ts";
import type { ReadRecord } from "./_session_record.ts";
import { SessionRecords } from "./_session_records.ts";
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
export type {
  SessionChange,
  SessionPatch,
  SessionStart,
} from "./_session_data.ts";
export type { Store } from "./store.ts";

/** How often an id that is in use is made anew. */
const MAX_ATTEMPTS = 3;

/** A session that a request has brought. */
export interface LoadedSession<Data> {
  /**
   * Its id, for {@linkcode Session.update} and {@linkcode Session.regenerate}.
   */
  readonly id: string;
  /** A copy of its data. */
  readonly data: Data;
}

interface Found<Data> {
  readonly id: string;
  readonly key: string;
  readonly record: ReadRecord<Data>;
}

/**
 * Sessions on top of a store: an id in a cookie, the data in the store.
 *
 * - An id exists only once {@linkcode Session.signIn}, {@linkcode Session.create}
 *   or {@linkcode Session.regenerate} has made it. Forged, malformed and unknown
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
  readonly #ids: SessionIds;
  readonly #cookie: SessionCookie;
  readonly #records: SessionRecords<Data>;

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
    const resolved = resolveOptions<Data>(options);
    this.#ids = new SessionIds(resolved);
    this.#cookie = new SessionCookie(resolved);
    this.#records = new SessionRecords(resolved.store, resolved);
  }

  /**
   * Signs someone in: ends the session of the request, makes a new one, and puts
   * its id into the cookie of the response. The old id is dead in the same step,
   * so who planted or saw it never gets in; and a sign-out that comes with it, up
   * to a minute late, ends the new session too.
   *
   * The new session holds nothing of the old one but what you take over, and both
   * its timeouts begin. If the store fails, there is no new one and no cookie.
   *
   * @param req As in {@linkcode Session.load}.
   * @param res Gets the cookie, as in {@linkcode Session.setCookie}.
   * @param start What the new session holds; or a function that makes it of a
   * copy of the data of the old one, `undefined` when there is none. The function
   * may be asynchronous, may run more than once, and must not wait for a change
   * of the same session.
   * @returns The id of the new session.
   *
   * @throws {TypeError} If an argument is of the wrong kind, or the headers of
   * `res` are immutable or sent: nothing is done.
   * @throws {Error} If `generateId` returns an id in use: the old session goes on.
   *
   * @see {@link https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#renew-the-session-id-after-any-privilege-level-change | OWASP: Renew the Session ID}
   *
   * @example Take the cart over
   * ```ts
   * import { Session } from "@harpia/memory-store/session";
   * import { assertEquals } from "@std/assert";
   *
   * const session = new Session<{ user?: string; cart: string[] }>();
   * const cookie = await session.requestCookie({ cart: ["tea"] });
   *
   * const req = new Request("http://localhost/", { headers: { cookie } });
   * const id = await session.signIn(req, new Response(), (previous) => ({
   *   user: "ada",
   *   cart: previous?.cart ?? [],
   * }));
   *
   * assertEquals(await session.get(id), { user: "ada", cart: ["tea"] });
   * assertEquals(await session.fromRequest(req), undefined);
   * ```
   */
  async signIn(
    req: RequestLike,
    res: ResponseLike,
    start: SessionStart<Data>,
  ): Promise<string> {
    const action = "sign in";
    const starter = toStarter(action, start);
    headerLines(action, res).checkMutable();
    const found = await this.#findAll(action, req);
    const [previous, other] = found;
    let id: string | undefined;
    if (previous && !other && previous.record.successor === undefined) {
      const next = await this.#ids.generate(action);
      const { key } = previous;
      if (await this.#records.succeed(key, next.key, starter)) id = next.id;
    }
    if (id === undefined) {
      // Several are none, as in load(), and what an old id reads, or one that
      // has become old meanwhile, is not the newest: nothing is taken over, and
      // nothing goes on beside the new one.
      const data = await starter(undefined);
      await this.#records.endAll(found.map(({ key }) => key), "sign-in");
      id = await this.#create(action, data);
    }
    this.setCookie(res, id);
    return id;
  }

  /**
   * Signs someone out: ends the session of the request, also when its id has
   * changed within the last minute, and removes the cookie from the browser: also
   * when there is no session, and when the store fails.
   *
   * @param req As in {@linkcode Session.load}. When it brings several sessions,
   * all of the first four are ended.
   * @param res Gets the `Set-Cookie` header, when called.
   *
   * @throws {TypeError} If an argument is of the wrong kind: nothing is done.
   * If the headers of `res` are immutable or sent: the session has ended.
   */
  async signOut(req: RequestLike, res: ResponseLike): Promise<void> {
    const action = "sign out";
    const removeCookie = this.#cookie.removal(action, res);
    await this.#end(this.#cookie.ids(action, req), removeCookie);
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
    return await this.#create(action, checkData(action, data));
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
    return (await this.#read(id))?.data;
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
    const record = await this.#read(id);
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
    const key = await this.#ids.keyOf(action, id);
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
    const removeCookie = this.#cookie.removal(action, res, options);
    checkId(action, id);
    await this.#end(isSessionId(id) ? [id] : [], removeCookie);
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
    this.#cookie.write("set cookie", res, id, options);
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
    return this.#cookie.line("set cookie", id, options);
  }

  /**
   * The `Cookie` header of a browser that has a new session: for tests of an
   * application.
   *
   * @param data What the session holds; copied.
   * @returns For example `session_id=…`.
   *
   * @throws {TypeError} As {@linkcode Session.create}.
   *
   * @example A request of someone who is signed in
   * ```ts
   * import { Session } from "@harpia/memory-store/session";
   * import { assertEquals } from "@std/assert";
   *
   * const session = new Session<{ user: string }>();
   *
   * const cookie = await session.requestCookie({ user: "ada" });
   * const req = new Request("http://localhost/", { headers: { cookie } });
   *
   * assertEquals(await session.fromRequest(req), { user: "ada" });
   * ```
   */
  async requestCookie(data: Data): Promise<string> {
    return this.#cookie.pair(await this.create(data));
  }

  /**
   * A name for a session in a log: 10 characters that are always the same for
   * one id, and lead neither to it nor to the key in the store.
   *
   * @param id The id, as far as there is one.
   * @returns `undefined` when `id` is `undefined` or malformed.
   *
   * @throws {TypeError} If `id` is neither a string nor `undefined`.
   */
  async label(id: string | undefined): Promise<string | undefined> {
    checkId("label session", id);
    return isSessionId(id) ? await this.#ids.toLabel(id) : undefined;
  }

  /**
   * Reads the session of a request, and starts its idle timeout anew when more
   * than half is over.
   *
   * Of several cookies of the name, as a neighbouring domain can plant them,
   * the first four are looked up: the one that is a live session is it; two
   * different live ones are none.
   *
   * @param req A `Request`, its `Headers`, Node's `IncomingMessage`, or Harpia's
   * request.
   * @returns Its id and a copy of its data; `undefined` when the request has no
   * session, whatever it sends.
   *
   * @throws {TypeError} If `req` is none of these.
   *
   * @example Read, then change
   * ```ts
   * import { Session } from "@harpia/memory-store/session";
   * import { assertEquals } from "@std/assert";
   *
   * const session = new Session<{ visits: number }>();
   * const cookie = await session.requestCookie({ visits: 1 });
   *
   * const found = await session.load(new Headers({ cookie }));
   * await session.update(found?.id, (data) => {
   *   data.visits += 1;
   * });
   *
   * assertEquals(found?.data, { visits: 1 });
   * assertEquals(await session.get(found?.id), { visits: 2 });
   * ```
   */
  async load(req: RequestLike): Promise<LoadedSession<Data> | undefined> {
    const found = await this.#find("read session", req);
    const data = found && await this.#records.use(found.key, found.record);
    return found && data && { id: found.id, data };
  }

  /**
   * Reads the data of the session of a request: {@linkcode Session.load} without
   * the id.
   *
   * @param req As in {@linkcode Session.load}.
   * @returns A copy of the data; `undefined` when the request has no session,
   * whatever it sends.
   *
   * @throws {TypeError} If `req` is not a request.
   */
  async fromRequest(req: RequestLike): Promise<Data | undefined> {
    return (await this.load(req))?.data;
  }

  /**
   * Finds the id of the session of a request, as {@linkcode Session.load} does,
   * but changes nothing.
   *
   * @param req As in {@linkcode Session.load}.
   * @returns The id of a live session, for {@linkcode Session.update},
   * {@linkcode Session.regenerate} and {@linkcode Session.delete}.
   *
   * @throws {TypeError} If `req` is not a request.
   */
  async idFromRequest(req: RequestLike): Promise<string | undefined> {
    return (await this.#find("read session", req))?.id;
  }

  /**
   * Gives a session a new id, as is due whenever its user gains rights and stays
   * the same; for a sign-in there is {@linkcode Session.signIn}. The old id is
   * dead in the same step, unless `regenerateGrace` lets requests under way read
   * with it what was there before; and a {@linkcode Session.delete} of the old
   * id, even up to a minute later, ends the session under its new id too.
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
   * @throws {Error} If `generateId` returns an id in use: the old one goes on.
   */
  async regenerate(
    id: string | undefined,
    change: SessionChange<Data> = {},
  ): Promise<string | undefined> {
    const action = "regenerate session";
    const changer = toChanger(action, change);
    const key = await this.#ids.keyOf(action, id);
    if (key === undefined) return undefined;
    const next = await this.#ids.generate(action);
    const found = await this.#records.regenerate(key, next.key, changer);
    return found ? next.id : undefined;
  }

  /** The live session of an id that a client may have sent. */
  async #read(id: string | undefined): Promise<ReadRecord<Data> | undefined> {
    const key = await this.#ids.keyOf("read session", id);
    return key === undefined ? undefined : await this.#records.read(key);
  }

  /** Makes a session of data that is checked and copied. */
  async #create(action: string, data: Data): Promise<string> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const { id, key } = await this.#ids.generate(action);
      if (await this.#records.create(key, data)) return id;
    }
    throw new Error(
      `Cannot ${action}: generateId must return a new id each time: received ids in use ${MAX_ATTEMPTS} times`,
    );
  }

  /** Removes the cookie and ends the sessions, whichever of the two fails. */
  async #end(ids: readonly string[], removeCookie: () => void): Promise<void> {
    try {
      removeCookie();
    } finally {
      const keys = await Promise.all(ids.map((id) => this.#ids.toKey(id)));
      await this.#records.endAll(keys, "sign-out");
    }
  }

  /** The live sessions of a request. */
  async #findAll(action: string, req: RequestLike): Promise<Found<Data>[]> {
    const found: Found<Data>[] = [];
    for (const id of this.#cookie.ids(action, req)) {
      const key = await this.#ids.toKey(id);
      const record = await this.#records.read(key);
      if (record !== undefined) found.push({ id, key, record });
    }
    // An old id within its grace is no other session beside its new one.
    return found.filter(({ record }) =>
      !found.some(({ key }) => key === record.successor)
    );
  }

  /** The session of a request: the only live one. */
  async #find(
    action: string,
    req: RequestLike,
  ): Promise<Found<Data> | undefined> {
    const [found, other] = await this.#findAll(action, req);
    return other === undefined ? found : undefined;
  }
}
