/**
 * The demo's web application: a small tea shop with a cart, sign-in and
 * sign-out on a `Session`. Plain HTML, no script.
 *
 * @module
 */

import { MemoryStore, Session } from "@harpia/memory-store";
import { type Html, html, ICON, page, STYLE } from "./demo_html.ts";

/** What a visitor's session holds. */
interface Visit {
  name?: string;
  /** How many of each tea. */
  cart: Record<string, number>;
}

/** A request, and the session that came with it. */
interface Visitor {
  req: Request;
  url: URL;
  id: string | undefined;
  visit: Visit | undefined;
}

const TEAS = [
  {
    id: "assam",
    name: "Assam",
    price: 7,
    about: "Malty and dark. Takes milk.",
  },
  {
    id: "sencha",
    name: "Sencha",
    price: 9,
    about: "Green, bright, of the sea.",
  },
  {
    id: "oolong",
    name: "Oolong",
    price: 12,
    about: "Between the two, at length.",
  },
  { id: "mate", name: "Mate", price: 6, about: "Not a tea. Ask anyone." },
] as const;

const MAX_OF_A_KIND = 99;
const MAX_NAME = 40;
const MAX_FORM = 4096;

/** No script, and nothing from elsewhere. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/** Makes the handler of all requests. Each one has a store of its own. */
export function createApp(): (req: Request) => Promise<Response> {
  const store = new MemoryStore({ maxEntries: 10_000 });
  const session = new Session<Visit>({ store });

  const routes: Record<
    string,
    (visitor: Visitor) => Promise<Response> | Response
  > = {
    "GET /": showShop,
    "GET /cart": showCart,
    "POST /cart": changeCart,
    "GET /sign-in": (visitor) => showSignIn(visitor),
    "POST /sign-in": signIn,
    "GET /account": showAccount,
    "POST /sign-out": signOut,
    "GET /store": showStore,
  };

  return async function handle(req: Request): Promise<Response> {
    const url = new URL(req.url);
    const asset = serveAsset(url.pathname);
    if (asset !== undefined) return asset;
    const id = await session.idFromRequest(req);
    const visit = await session.fromRequest(req);
    const visitor = { req, url, id, visit };
    const method = req.method === "HEAD" ? "GET" : req.method;
    const route = routes[`${method} ${url.pathname}`];
    if (route === undefined) {
      const known = Object.keys(routes).some((name) =>
        name.endsWith(` ${url.pathname}`)
      );
      return known
        ? problem(visitor, 405, "That does not work here")
        : problem(visitor, 404, "There is no such page");
    }
    if (method === "POST" && !isSameOrigin(req, url)) {
      return problem(visitor, 403, "That form came from another site");
    }
    return await route(visitor);
  };

  function showShop(visitor: Visitor): Response {
    const teas = TEAS.map(({ id, name, price, about }) =>
      html`
        <li class="card">
          <h2>${name}</h2>
          <p>${about}</p>
          <form class="row" method="post"
            action="/cart"><span>$${price} a tin</span><input type="hidden" name="tea" value="${id}"><button name="change" value="1" aria-label="Add ${name} to the cart">Add</button></form>
        </li>
      `
    );
    return show(
      visitor,
      "Good tea, one tin at a time",
      html`<ul class="teas">
${teas}</ul>`,
    );
  }

  function showCart(visitor: Visitor): Response {
    const cart = visitor.visit?.cart ?? {};
    const lines = TEAS.filter(({ id }) => cart[id] !== undefined);
    if (lines.length === 0) {
      return show(
        visitor,
        "Your cart",
        html`<p>It is empty. <a href="/">See the teas</a>.</p>`,
      );
    }
    const total = lines.reduce(
      (sum, { id, price }) => sum + price * (cart[id] ?? 0),
      0,
    );
    const rows = lines.map(({ id, name, price }) => {
      const count = cart[id] ?? 0;
      return html`
        <tr>
          <td>${name}</td>
          <td class="number">${count}</td>
          <td class="number">$${price * count}</td>
          <td>
            <form class="row" method="post"
              action="/cart"><input type="hidden" name="tea" value="${id}"><button class="quiet" name="change" value="-1" aria-label="One ${name} less">−</button><button class="quiet" name="change" value="1" aria-label="One ${name} more">+</button></form>
          </td>
        </tr>
      `;
    });
    return show(
      visitor,
      "Your cart",
      html`
        <table>
          <thead>
            <tr>
              <th>Tea</th>
              <th class="number">Tins</th>
              <th class="number">Price</th>
              <th>Change</th>
            </tr>
          </thead>
          <tbody>
        ${rows}</tbody>
          <tfoot>
            <tr>
              <th>Total</th>
              <td></td>
              <td class="number">$${total}</td>
              <td></td>
            </tr>
          </tfoot>
        </table>
      `,
    );
  }

  async function changeCart(visitor: Visitor): Promise<Response> {
    const form = await readForm(visitor.req);
    const tea = TEAS.find(({ id }) => id === form?.get("tea"));
    const change = Number(form?.get("change"));
    if (tea === undefined || Math.abs(change) !== 1) {
      return problem(visitor, 400, "That form was not one of ours");
    }
    const add = ({ cart }: Visit): void => {
      const count = Math.min((cart[tea.id] ?? 0) + change, MAX_OF_A_KIND);
      if (count > 0) cart[tea.id] = count;
      else delete cart[tea.id];
    };
    const res = redirect("/cart");
    // Atomic: of two tabs that add at the same time, neither loses its tin.
    if (!await session.update(visitor.id, add)) {
      const visit: Visit = { cart: {} };
      add(visit);
      session.setCookie(res, await session.create(visit));
    }
    return res;
  }

  function showSignIn(visitor: Visitor, error = "", name = ""): Response {
    const message = error &&
      html`<p class="error" id="error" role="alert">${error}</p>`;
    return show(
      visitor,
      "Sign in",
      html`
        <p>This is a demo: any name will do, and there is no password.</p>
        ${message}<form class="stack" method="post" action="/sign-in">
          <div><label for="name">Your name</label><input id="name" name="name" value="${name}" required maxlength="${MAX_NAME}" autocomplete="username"></div>
          <button>Sign in</button>
        </form>
      `,
      error ? 422 : 200,
    );
  }

  async function signIn(visitor: Visitor): Promise<Response> {
    const name = (await readForm(visitor.req))?.get("name");
    if (typeof name !== "string" || name.trim() === "") {
      return showSignIn(visitor, "Please write a name.");
    }
    if (name.length > MAX_NAME) {
      return showSignIn(
        visitor,
        `Please write at most ${MAX_NAME} characters.`,
        name,
      );
    }
    const res = redirect("/account");
    // A new id for who gains rights: the one from before is worth nothing now.
    const id = await session.regenerate(visitor.id, { name: name.trim() }) ??
      await session.create({ name: name.trim(), cart: {} });
    session.setCookie(res, id);
    return res;
  }

  async function showAccount(visitor: Visitor): Promise<Response> {
    const { id, visit } = visitor;
    if (id === undefined || visit?.name === undefined) {
      return redirect("/sign-in");
    }
    const expiresAt = await session.expiresAt(id) ?? 0;
    return show(
      visitor,
      `Hello, ${visit.name}`,
      html`
        <dl>
          <dt>Session</dt>
          <dd>ends in ${duration(
            expiresAt - Date.now(),
          )} unless you come back</dd>
          <dt>Fingerprint</dt>
          <dd><code id="fingerprint">${await fingerprint(
            id,
          )}</code> <span class="note">of its id, which is new since you signed in</span></dd>
          <dt>Cart</dt>
          <dd>${countItems(visit)} tins</dd>
        </dl>
        <form method="post" action="/sign-out"><button>Sign out</button></form>
      `,
    );
  }

  async function signOut({ id }: Visitor): Promise<Response> {
    const res = redirect("/");
    await session.delete(id, res);
    return res;
  }

  async function showStore(visitor: Visitor): Promise<Response> {
    const mine = await session.expiresAt(visitor.id);
    const rows = [...store].map(([, record], i) =>
      html`
        <tr>
          <td class="number">${i + 1}</td>
          <td>${"data" in record
            ? "session"
            : "tombstone of a renewed one"}</td>
          <td class="number">${JSON.stringify(record).length}</td>
        </tr>
      `
    );
    const own = mine === undefined
      ? html`You have no session: none is made before you need one.`
      : html`Yours ends in ${
        duration(mine - Date.now())
      } unless you come back.`;
    return show(
      visitor,
      "What the store holds",
      html`
        <p>${store.size} entries. ${own}</p>
        <p
          class="note">Keys and data are not shown here. The key of a session is the SHA-256 of its id, so even who reads the store cannot take one over.</p>
        <table>
          <thead>
            <tr>
              <th class="number">Entry</th>
              <th>Kind</th>
              <th class="number">Characters as JSON</th>
            </tr>
          </thead>
          <tbody>
        ${rows}</tbody>
        </table>
      `,
    );
  }
}

function show(
  { visit }: Visitor,
  title: string,
  main: Html,
  status = 200,
): Response {
  const body = page(
    { title, name: visit?.name, items: countItems(visit) },
    main,
  );
  return new Response(body, {
    status,
    headers: {
      ...HEADERS,
      "content-type": "text/html; charset=utf-8",
      // The back button must not show what was there before a sign-out.
      "cache-control": "no-store",
    },
  });
}

function problem(visitor: Visitor, status: number, title: string): Response {
  return show(
    visitor,
    title,
    html`<p><a href="/">Back to the shop</a></p>`,
    status,
  );
}

/** Not `Response.redirect()`, whose headers cannot take a cookie. */
function redirect(location: string): Response {
  return new Response(null, { status: 303, headers: { ...HEADERS, location } });
}

function serveAsset(path: string): Response | undefined {
  if (path === "/style.css") return asset(STYLE, "text/css; charset=utf-8");
  if (path === "/icon.svg") return asset(ICON, "image/svg+xml");
  return undefined;
}

function asset(text: string, type: string): Response {
  return new Response(text, {
    headers: {
      ...HEADERS,
      "content-type": type,
      "cache-control": "max-age=60",
    },
  });
}

/** SameSite=Lax keeps the cookie from other sites; this is the second lock. */
function isSameOrigin(req: Request, url: URL): boolean {
  const site = req.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = req.headers.get("origin");
  return origin === null || origin === url.origin;
}

async function readForm(req: Request): Promise<URLSearchParams | undefined> {
  const type = req.headers.get("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return undefined;
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of req.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_FORM) return undefined;
  }
  return new URLSearchParams(text);
}

function countItems(visit: Visit | undefined): number {
  return Object.values(visit?.cart ?? {}).reduce(
    (sum, count) => sum + count,
    0,
  );
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** Tells ids apart without giving one away. */
async function fingerprint(id: string): Promise<string> {
  const bytes = new TextEncoder().encode(`demo:${id}`);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash.slice(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
