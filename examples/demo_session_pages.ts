/**
 * The pages of the demo that look into the session and the store.
 *
 * @module
 */

import { count, type Html, html, type Page } from "./demo_html.ts";

/** What the account page tells of a session. */
export interface Account {
  /** Who is signed in. */
  readonly name: string;
  /** When the session was created. */
  readonly startedAt: Date;
  /** How many tins are in its cart. */
  readonly tins: number;
  /** How many of its pages were opened. */
  readonly pages: number;
  /** What is left if nothing is done. */
  readonly idle: Lifetime;
  /** What is left at most. */
  readonly absolute: Lifetime;
  /** The label of the id before the sign-in, if there was one. */
  readonly labelBefore: string | undefined;
  /** The label of the id now. */
  readonly label: string;
}

/** A time that runs out, in milliseconds. */
export interface Lifetime {
  /** How much is left. */
  readonly left: number;
  /** How much there was. */
  readonly of: number;
}

/** What the page about the store tells. */
export interface StoreView {
  /** How many live entries there are. */
  readonly size: number;
  /** Some of them. */
  readonly rows: readonly StoreRow[];
  /** How many pages were served to everybody. */
  readonly pages: number;
  /** What is left of the visitor's own session, in milliseconds. */
  readonly own: number | undefined;
}

/** An entry of the store, without its key and its data. */
export interface StoreRow {
  /** What it is. */
  readonly kind: string;
  /** Since when it is there, in milliseconds, as far as is known. */
  readonly age?: number;
  /** How long it stays, for the reader. */
  readonly left: string;
}

/** What there is to know of one's own session. */
export function accountPage(account: Account): Page {
  const { name, startedAt, tins, pages, idle, absolute } = account;
  const started = startedAt.toISOString();
  return {
    title: "Your account",
    main: html`
      <h1>Hello, <bdi>${name}</bdi></h1>
      <div class="panels">
        <section class="panel" aria-labelledby="ends">
          <h2 id="ends">Your session ends</h2>
          ${meter("when idle, in", idle)}
          ${meter("at the latest, in", absolute)}
          <p class="note">
            The first starts anew when you open a page after half of it is
            over; nothing extends the second. Both are kept on the server:
            reload this page to see them run.
          </p>
        </section>
        ${renewal(account)}
        <section class="panel" aria-labelledby="holds">
          <h2 id="holds">It holds</h2>
          <dl>
            <dt>Created</dt>
            <dd>
              <time datetime="${started}">${started.slice(11, 19)} UTC</time>
            </dd>
            <dt>Pages opened</dt>
            <dd>${pages}</dd>
            <dt>In the cart</dt>
            <dd><a href="/cart">${count(tins, "tin", "tins")}</a></dd>
          </dl>
          <form method="post" action="/sign-out">
            <p class="note">Signing out ends it at once, the cart with it.</p>
            <button>Sign out</button>
          </form>
        </section>
      </div>
    `,
  };
}

function renewal({ labelBefore, label }: Account): Html {
  const before = labelBefore === undefined
    ? html`<span class="note">no session</span>`
    : html`<code class="chip old" id="label-before">${labelBefore}</code>`;
  const meaning = labelBefore === undefined
    ? "It came into being when you signed in."
    : "Your cart came along. Whoever knew the old id has nothing.";
  return html`
    <section class="panel" aria-labelledby="id">
      <h2 id="id">Its id is new</h2>
      <dl>
        <dt>Before sign-in</dt>
        <dd>${before}</dd>
        <dt>Now</dt>
        <dd><code class="chip" id="label">${label}</code></dd>
      </dl>
      <p>${meaning}</p>
      <p class="note">
        These are labels: the start of a SHA-256 of the id, enough to tell two
        apart. The id itself is in your cookie and nowhere else.
      </p>
    </section>
  `;
}

/** What is in the store, without anything that belongs to anyone. */
export function storePage({ size, rows, pages, own }: StoreView): Page {
  const mine = own === undefined
    ? "None is yours: no session is made before you need one."
    : `One is your session, and has ${duration(own)} left.`;
  const others = size - rows.length;
  const more = others > 0
    ? html`<p class="note">And ${others} older.</p>`
    : undefined;
  return {
    title: "Backstage",
    main: html`
      <h1>What the store holds</h1>
      <p class="lead">
        <strong id="size">${count(size, "live entry", "live entries")}</strong>,
        the newest first. ${mine}
      </p>
      <div class="panel">
        <table>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col" class="number">Age</th>
              <th scope="col" class="number">Left</th>
            </tr>
          </thead>
          <tbody>${rows.map(row)}</tbody>
        </table>
        ${more}
      </div>
      <p class="note">
        The counter is at ${pages}: every page the shop has served, counted by
        <code>store.update()</code>, so that none is lost. A renewed id stays a
        minute, to lead a late sign-out to the session it became.
      </p>
      <p class="note">
        Keys and data are not shown here. The key of a session has the SHA-256
        of its id in it: even someone who reads the whole store cannot take a
        session over.
      </p>
    `,
  };
}

function row({ kind, age, left }: StoreRow): Html {
  const since = age === undefined ? "–" : duration(age);
  return html`
    <tr>
      <td>${kind}</td>
      <td class="number">${since}</td>
      <td class="number">${left}</td>
    </tr>
  `;
}

/** A time such as `23 h 59 min` or `59 min 58 s`, with no-break spaces. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  // The idle timeout, an hour at first, is to be seen running.
  const text = hours > 1
    ? `${hours} h ${minutes % 60} min`
    : minutes > 0
    ? `${minutes} min ${seconds % 60} s`
    : `${seconds} s`;
  return text.replaceAll(" ", "\u00a0");
}

/** A bar that gets shorter. No `style` attribute: the policy forbids it. */
function meter(label: string, { left, of }: Lifetime): Html {
  const width = Math.round(100 * left / of);
  return html`
    <p class="life">
      <span>${label}</span> <strong>${duration(left)}</strong>
    </p>
    <svg class="meter" viewBox="0 0 100 1" preserveAspectRatio="none"
      aria-hidden="true">
      <rect class="whole" width="100" height="1" />
      <rect class="left" width="${width}" height="1" />
    </svg>
  `;
}
