/**
 * The pages of the shop: what is in them, given what there is to show. Those
 * about the session are in `demo_session_pages.ts`.
 *
 * @module
 */

import { count, type Html, html, type Page } from "./demo_html.ts";
import {
  type Cart,
  type CartLine,
  cartLines,
  countTins,
  MAX_TINS,
  type Tea,
  TEAS,
  totalPrice,
} from "./demo_teas.ts";

/** The sign-in form as it was sent, and what is wrong with it. */
export interface SignInForm {
  /** The name as it was sent. The password is never sent back. */
  readonly name: string;
  /** What to write instead of the name. */
  readonly nameError?: string | undefined;
  /** What to write instead of the password. */
  readonly passwordError?: string | undefined;
}

/** The longest name, in characters. */
export const MAX_NAME = 40;

/** The shop: every tea, and how much of it is in the cart. */
export function shopPage(cart: Cart): Page {
  const cards = TEAS.map((tea) => card(tea, cart[tea.id] ?? 0));
  return {
    title: "Teas",
    main: html`
      <h1>Good tea, one tin at a time</h1>
      <p class="lead">
        A small shop that is there to show sessions. Put a tin into your cart,
        <a href="/sign-in">sign in</a>, look at what the store holds
        <a href="/store">backstage</a>, and sign out again.
      </p>
      <ul class="teas">${cards}</ul>
    `,
  };
}

function card(tea: Tea, tins: number): Html {
  const { id, name, origin, about, price } = tea;
  const full = disabledIf(tins >= MAX_TINS);
  const inCart = tins === 0
    ? undefined
    : html`<a class="in-cart" href="/cart">${tins} in cart</a>`;
  return html`
    <li class="card" id="${id}">
      ${tin(tea)}
      <div class="body">
        <h2>${name}</h2>
        <p class="note">${origin} · $${price} a tin</p>
        <p>${about}</p>
        <form class="row" method="post" action="/add">
          <input type="hidden" name="tea" value="${id}">
          <button ${full}>
            Add to cart <span class="hidden">${name}</span>
          </button>
          ${inCart}
        </form>
      </div>
    </li>
  `;
}

/** The cart, with a way to change each line. */
export function cartPage(cart: Cart): Page {
  const lines = cartLines(cart);
  if (lines.length === 0) {
    return {
      title: "Your cart",
      main: html`
        <h1>Your cart</h1>
        <p class="lead">It is empty.</p>
        <p><a class="button" href="/">See the teas</a></p>
      `,
    };
  }
  return {
    title: `Your cart, ${count(countTins(cart), "tin", "tins")}`,
    main: html`
      <h1>Your cart</h1>
      <ul class="lines">${lines.map(line)}</ul>
      <p class="total">
        <span>Total</span> <strong>$${totalPrice(cart)}</strong>
      </p>
      <p class="note">
        Nothing is sold here, so this is as far as it goes. The cart is in your
        session, on the server: all your browser has of it is its id.
      </p>
      <p><a class="button quiet" href="/">More teas</a></p>
    `,
  };
}

function line({ tea, tins }: CartLine): Html {
  const { id, name, price } = tea;
  const full = disabledIf(tins >= MAX_TINS);
  return html`
    <li class="line" id="${id}">
      ${tin(tea)}
      <div class="what">
        <h2>${name}</h2>
        <p class="note">$${price} a tin</p>
      </div>
      <form class="steps" method="post" action="/cart" aria-label="${name}">
        <input type="hidden" name="tea" value="${id}">
        <button class="quiet" name="change" value="less">
          <span aria-hidden="true">−</span>
          <span class="hidden">One ${name} less</span>
        </button>
        <span class="tins">${tins}</span>
        <button class="quiet" name="change" value="more" ${full}>
          <span aria-hidden="true">+</span>
          <span class="hidden">One ${name} more</span>
        </button>
        <button class="plain" name="change" value="remove">
          Remove <span class="hidden">${name}</span>
        </button>
      </form>
      <p class="price">$${price * tins}</p>
    </li>
  `;
}

/** The form to sign in with; `label` is that of the session so far. */
export function signInPage(
  label: string | undefined,
  { name, nameError, passwordError }: SignInForm = { name: "" },
): Page {
  const correct = nameError === undefined && passwordError === undefined;
  const nameMarks = marks("name", nameError);
  const passwordMarks = marks("password", passwordError);
  // The cursor goes to the first field that is wrong.
  const nameFocus = nameError && html`autofocus`;
  const passwordFocus = correct || nameError ? undefined : html`autofocus`;
  const session = label === undefined
    ? html`
      You have no session yet: the shop makes none before it needs one.
    `
    : html`
      Your session has the label <code class="chip">${label}</code>. Signing in
      keeps your cart and renews the id, so the label will change.
    `;
  return {
    title: correct ? "Sign in" : "Please check: Sign in",
    main: html`
      <h1>Sign in</h1>
      <p class="lead">
        This is a demo: any name and any password will do. Do not use a real
        password; whatever you write is looked at once and not kept.
      </p>
      <form class="stack panel" method="post" action="/sign-in" novalidate>
        <div>
          <label for="name">Your name</label>
          <input id="name" name="name" value="${name}" required
            maxlength="${MAX_NAME}" autocomplete="username" spellcheck="false"
            ${nameMarks} ${nameFocus}>
          ${complaint("name", nameError)}
        </div>
        <div>
          <label for="password">A demo password</label>
          <input id="password" name="password" type="password" required
            maxlength="100" autocomplete="off" ${passwordMarks}
            ${passwordFocus}>
          ${complaint("password", passwordError)}
        </div>
        <button>Sign in</button>
      </form>
      <p class="note">${session}</p>
    `,
  };
}

/** Reads the sign-in form, and says what is wrong with it. */
export function readSignIn(form: URLSearchParams): SignInForm {
  const name = (form.get("name") ?? "").replace(/[\s\p{Cc}]+/gu, " ").trim();
  const nameError = !/[\p{L}\p{N}\p{P}\p{S}]/u.test(name)
    ? "Write a name, for example Ada."
    : [...name].length > MAX_NAME
    ? `Write a shorter name: at most ${MAX_NAME} characters.`
    : undefined;
  const passwordError = form.get("password")
    ? undefined
    : "Write any password, for example tea.";
  return { name, nameError, passwordError };
}

function marks(field: string, error: string | undefined): Html | undefined {
  return error === undefined
    ? undefined
    : html`aria-invalid="true" aria-describedby="${field}-error"`;
}

function complaint(field: string, error: string | undefined): Html | undefined {
  return error === undefined
    ? undefined
    : html`<p class="error" id="${field}-error">${error}</p>`;
}

/** The end of a session. */
export function signedOutPage(): Page {
  return {
    title: "Signed out",
    style: "/signed-out.css",
    main: html`
      <h1>You are signed out</h1>
      <p class="lead">
        The session is gone from the store with its cart, and its cookie from
        your browser. The back button brings neither back, and a copy of the
        cookie opens nothing.
      </p>
      <p class="row">
        <a class="button" href="/">See the teas</a>
        <a class="button quiet" href="/sign-in">Sign in again</a>
      </p>
    `,
  };
}

/** An explanation, and the way back. */
export function problemPage(title: string, message: string): Page {
  return {
    title,
    main: html`
      <h1>${title}</h1>
      <p class="lead">${message}</p>
      <p><a class="button" href="/">Back to the shop</a></p>
    `,
  };
}

function disabledIf(condition: boolean): Html | undefined {
  return condition ? html`disabled` : undefined;
}

/** A tea tin in the colour of its tea. */
function tin({ colour }: Tea): Html {
  return html`
    <svg class="tin" viewBox="0 0 80 96" aria-hidden="true">
      <rect x="15" y="4" width="50" height="18" rx="5" fill="${colour}" />
      <rect x="15" y="16" width="50" height="6" opacity=".18" />
      <rect x="10" y="22" width="60" height="70" rx="7" fill="${colour}" />
      <rect x="10" y="40" width="60" height="34" fill="#fdf9ef" />
      <path d="M31 66c-1-10 5-16 17-16 1 10-5 17-16 16m0 1c3-5 6-8 10-10"
        fill="none" stroke="${colour}" stroke-width="2.5" stroke-linecap="round"
        stroke-linejoin="round" />
      <rect x="16" y="22" width="5" height="70" fill="#fff" opacity=".16" />
    </svg>
  `;
}
