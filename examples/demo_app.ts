/**
 * The demo's web application: a small tea shop with a cart, sign-in and
 * sign-out on a `Session`. Plain HTML, no script.
 *
 * @module
 */

import { MemoryStore, Session } from "@harpia/memory-store";
import style from "./demo.css" with { type: "text" };
import { type Page, render } from "./demo_html.ts";
import {
  checkSameOrigin,
  FORGET,
  notOurs,
  pageResponse,
  Problem,
  readForm,
  requestUrl,
  seeOther,
  styleResponse,
} from "./demo_http.ts";
import {
  cartPage,
  problemPage,
  readSignIn,
  shopPage,
  signedOutPage,
  signInPage,
} from "./demo_pages.ts";
import {
  accountPage,
  duration,
  storePage,
  type StoreRow,
} from "./demo_session_pages.ts";
import {
  addTins,
  type Cart,
  countTins,
  findTea,
  MAX_TINS,
  type Tea,
} from "./demo_teas.ts";
import { labelId, newVisit, type Visit } from "./demo_visit.ts";

/** A request, and the session that came with it. */
interface Visitor {
  readonly req: Request;
  readonly path: string;
  readonly id: string | undefined;
  readonly visit: Visit | undefined;
}

type Route = (visitor: Visitor) => Response | Promise<Response>;

/** The defaults of `Session`, named because the pages show them. */
const IDLE_TIMEOUT = 60 * 60 * 1000;
const ABSOLUTE_TIMEOUT = 24 * 60 * 60 * 1000;

/** The key of the counter of all pages served. */
const PAGES = "shop:pages";

/** What the buttons in the cart do, in tins. */
const CHANGES = new Map<string | null, number>([
  ["less", -1],
  ["more", 1],
  ["remove", -MAX_TINS],
]);

/** How many entries of the store are listed. */
const MAX_ROWS = 50;

/** Makes the handler of all requests, with a store of its own. */
export function createApp(): (req: Request) => Promise<Response> {
  const shop = new TeaShop();
  return (req) => shop.handle(req);
}

class TeaShop {
  readonly #store = new MemoryStore({ maxEntries: 10_000 });
  readonly #session = new Session<Visit>({
    store: this.#store,
    idleTimeout: IDLE_TIMEOUT,
    absoluteTimeout: ABSOLUTE_TIMEOUT,
  });
  readonly #routes = new Map<string, Route>([
    ["GET /", (visitor) => show(visitor, shopPage(cartOf(visitor)))],
    ["POST /add", (visitor) => this.#addTin(visitor)],
    ["GET /cart", (visitor) => show(visitor, cartPage(cartOf(visitor)))],
    ["POST /cart", (visitor) => this.#changeCart(visitor)],
    ["GET /sign-in", (visitor) => this.#showSignIn(visitor)],
    ["POST /sign-in", (visitor) => this.#signIn(visitor)],
    ["GET /account", (visitor) => this.#showAccount(visitor)],
    ["POST /sign-out", (visitor) => this.#signOut(visitor)],
    ["GET /signed-out", (visitor) => this.#showSignedOut(visitor)],
    ["GET /store", (visitor) => this.#showStore(visitor)],
  ]);

  async handle(req: Request): Promise<Response> {
    let visitor: Visitor | undefined;
    try {
      const url = requestUrl(req);
      if (url.pathname === "/style.css") return styleResponse(style);
      if (url.pathname === "/signed-out.css") {
        return styleResponse(style, FORGET);
      }
      visitor = await this.#meet(req, url.pathname);
      const route = this.#findRoute(visitor);
      if (req.method === "POST") checkSameOrigin(req, url);
      return await route(visitor);
    } catch (error) {
      return explain(visitor, error);
    }
  }

  async #meet(req: Request, path: string): Promise<Visitor> {
    const id = await this.#session.idFromRequest(req);
    if (req.method === "GET") {
      await this.#store.update(PAGES, (pages: number = 0) => pages + 1);
      await this.#session.update(id, (visit) => {
        visit.pages += 1;
      });
    }
    // Starts the idle timeout anew when more than half of it is over.
    const visit = await this.#session.fromRequest(req);
    return { req, path, id, visit };
  }

  #findRoute({ req, path }: Visitor): Route {
    const method = req.method === "HEAD" ? "GET" : req.method;
    const route = this.#routes.get(`${method} ${path}`);
    if (route !== undefined) return route;
    const allow = ["GET", "POST"]
      .filter((method) => this.#routes.has(`${method} ${path}`)).join(", ");
    if (allow === "") {
      const message = "The address is mistyped, or the link is old.";
      throw new Problem(404, "There is no such page", message);
    }
    const message = `This address answers to ${allow} only.`;
    throw new Problem(405, "That does not work here", message, { allow });
  }

  async #addTin(visitor: Visitor): Promise<Response> {
    const tea = readTea(await readForm(visitor.req));
    const res = seeOther(`/#${tea.id}`);
    await this.#putTins(visitor, res, tea, 1);
    return res;
  }

  async #changeCart(visitor: Visitor): Promise<Response> {
    const form = await readForm(visitor.req);
    const tea = readTea(form);
    const tins = CHANGES.get(form.get("change"));
    if (tins === undefined) throw notOurs(400, "It says nothing to do.");
    const res = seeOther("/cart");
    await this.#putTins(visitor, res, tea, tins);
    return res;
  }

  /** Changes the cart; the first tin is what a session is created for. */
  async #putTins(
    { id }: Visitor,
    res: Response,
    tea: Tea,
    tins: number,
  ): Promise<void> {
    // Atomic: of two tabs that add at the same time, neither loses its tin.
    const found = await this.#session.update(id, ({ cart }) => {
      addTins(cart, tea, tins);
    });
    if (found || tins < 0) return;
    const visit = newVisit();
    addTins(visit.cart, tea, tins);
    this.#session.setCookie(res, await this.#session.create(visit));
  }

  async #showSignIn(visitor: Visitor): Promise<Response> {
    if (visitor.visit?.user) return seeOther("/account");
    return show(visitor, signInPage(await labelOf(visitor)));
  }

  async #signIn(visitor: Visitor): Promise<Response> {
    const form = readSignIn(await readForm(visitor.req));
    const label = await labelOf(visitor);
    const { name, nameError, passwordError } = form;
    if (nameError !== undefined || passwordError !== undefined) {
      return show(visitor, signInPage(label, form), 422);
    }
    // A new id for who gains rights: the one from before is worth nothing now.
    const id = await this.#session.regenerate(visitor.id, {
      user: { name, labelBefore: label },
    }) ?? await this.#session.create({ ...newVisit(), user: { name } });
    const res = seeOther("/account");
    this.#session.setCookie(res, id);
    return res;
  }

  async #showAccount(visitor: Visitor): Promise<Response> {
    const { id, visit } = visitor;
    const label = await labelOf(visitor);
    const expiresAt = await this.#session.expiresAt(id);
    if (!visit?.user || label === undefined || expiresAt === undefined) {
      return seeOther("/sign-in");
    }
    const now = Date.now();
    const end = visit.startedAt.getTime() + ABSOLUTE_TIMEOUT;
    const page = accountPage({
      name: visit.user.name,
      startedAt: visit.startedAt,
      tins: countTins(visit.cart),
      pages: visit.pages,
      idle: { left: expiresAt - now, of: IDLE_TIMEOUT },
      absolute: { left: end - now, of: ABSOLUTE_TIMEOUT },
      labelBefore: visit.user.labelBefore,
      label,
    });
    return show(visitor, page);
  }

  async #signOut({ id }: Visitor): Promise<Response> {
    const res = seeOther("/signed-out");
    await this.#session.delete(id, res);
    return res;
  }

  #showSignedOut(visitor: Visitor): Response {
    if (visitor.visit?.user) return seeOther("/account");
    return show(visitor, signedOutPage());
  }

  async #showStore(visitor: Visitor): Promise<Response> {
    const now = Date.now();
    const expiresAt = await this.#session.expiresAt(visitor.id);
    const page = storePage({
      size: this.#store.size,
      rows: [...this.#store].slice(-MAX_ROWS).reverse()
        .map(([key, value]) => describeEntry(key, value, now)),
      pages: await this.#store.get(PAGES),
      own: expiresAt === undefined ? undefined : expiresAt - now,
    });
    return show(visitor, page);
  }
}

function cartOf({ visit }: Visitor): Cart {
  return visit?.cart ?? {};
}

async function labelOf({ id, visit }: Visitor): Promise<string | undefined> {
  return id && visit && await labelId(id);
}

function readTea(form: URLSearchParams): Tea {
  const tea = findTea(form.get("tea"));
  if (tea === undefined) throw notOurs(400, "It names no tea of the shop.");
  return tea;
}

/** What kind of entry it is and how long it lives: not whose, not what. */
function describeEntry(key: string, value: unknown, now: number): StoreRow {
  if (key === PAGES) return { kind: "Counter", left: "no end" };
  if (!isRecord(value)) return { kind: "Renewed id", left: "≤ 1 min" };
  const { createdAt, usedAt } = value;
  const end = Math.min(usedAt + IDLE_TIMEOUT, createdAt + ABSOLUTE_TIMEOUT);
  return { kind: "Session", age: now - createdAt, left: duration(end - now) };
}

/** What `Session` keeps besides the data, which is not for us to read. */
function isRecord(
  value: unknown,
): value is { createdAt: number; usedAt: number } {
  return typeof value === "object" && value !== null &&
    "createdAt" in value && "usedAt" in value;
}

function show(visitor: Visitor, page: Page, status = 200): Response {
  return pageResponse(frame(visitor, page), status);
}

function frame(visitor: Visitor | undefined, page: Page): string {
  const { path = "", visit } = visitor ?? {};
  return render(page, {
    path,
    name: visit?.user?.name,
    tins: countTins(visit?.cart ?? {}),
    pages: visit?.pages,
  });
}

/** The page for what went wrong. */
function explain(visitor: Visitor | undefined, error: unknown): Response {
  const problem = error instanceof Problem
    ? error
    : new Problem(500, "Something went wrong", "It is our fault, not yours.");
  // deno-lint-ignore no-console -- whoever runs the demo has to hear of it
  if (problem !== error) console.error(error);
  const page = problemPage(problem.title, problem.message);
  return pageResponse(frame(visitor, page), problem.status, problem.headers);
}
