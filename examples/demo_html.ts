/**
 * A template tag that escapes, and the frame of every page.
 *
 * @module
 */

/** Text that is HTML already. */
export class Html {
  /** The HTML. */
  readonly text: string;

  /** Takes HTML that is safe to show. */
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: HTML as it is, all else as text. */
export type HtmlValue = Html | readonly Html[] | string | number | undefined;

/** A page without its frame. */
export interface Page {
  /** What the window is called. */
  readonly title: string;
  /** What is in it, with an `h1`. */
  readonly main: Html;
  /** Its style sheet, if not the usual one. */
  readonly style?: string;
}

/** What the frame of a page says about its visitor. */
export interface Frame {
  /** The path of the page. */
  readonly path: string;
  /** The name of who is signed in. */
  readonly name: string | undefined;
  /** How many tins are in the cart. */
  readonly tins: number;
  /** How many pages the session has seen; `undefined` without a session. */
  readonly pages: number | undefined;
}

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const LEAF =
  `<path d="M8 24C7 13 14 7 25 7c1 11-5 18-14 17M8 25c3-6 7-9 12-12" fill="none" stroke="STROKE" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>`;

const ICON = `data:image/svg+xml,${
  encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2c5e43"/>${
      LEAF.replace("STROKE", "#f7f3ea")
    }</svg>`,
  )
}`;

const LOGO = new Html(
  `<svg class="logo" viewBox="6 5 21 21" aria-hidden="true">${
    LEAF.replace("STROKE", "currentColor")
  }</svg>`,
);

/** Fills a template: whatever is not {@linkcode Html} is escaped. */
export function html(
  parts: TemplateStringsArray,
  ...values: HtmlValue[]
): Html {
  return new Html(String.raw({ raw: parts }, ...values.map(toText)));
}

function toText(value: HtmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(toText).join("");
  return String(value).replace(/[&<>"']/g, (char) => ESCAPES[char] ?? "");
}

/** A number and what it counts. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** The document: a page in its frame. */
export function render({ title, main, style }: Page, frame: Frame): string {
  const { name, tins, pages } = frame;
  const link = (path: string, label: HtmlValue): Html =>
    path === frame.path
      ? html`<a href="${path}" aria-current="page">${label}</a>`
      : html`<a href="${path}">${label}</a>`;
  const account = name === undefined ? link("/sign-in", "Sign in") : link(
    "/account",
    html`<span class="hidden">Account of </span><bdi>${name}</bdi>`,
  );
  const cart = html`
    Cart <span class="count">${tins}</span>
    <span class="hidden">${tins === 1 ? "tin" : "tins"}</span>
  `;
  const seen = pages === undefined
    ? undefined
    : html`<p>Pages opened in this session: ${pages}</p>`;
  return `<!doctype html>\n${
    html`
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="theme-color" content="#f7f3ea"
            media="(prefers-color-scheme: light)">
          <meta name="theme-color" content="#131713"
            media="(prefers-color-scheme: dark)">
          <title>${title} · Leaf &amp; Kettle</title>
          <link rel="icon" href="${ICON}">
          <link rel="stylesheet" href="${style ?? "/style.css"}">
        </head>
        <body>
          <a class="skip" href="#main">Skip to content</a>
          <header class="bar">
            <a class="brand" href="/">${LOGO}Leaf &amp; Kettle</a>
            <nav aria-label="Shop">
              ${link("/", "Teas")}
              ${link("/store", "Backstage")}
              ${account}
              ${link("/cart", cart)}
            </nav>
          </header>
          <main id="main">${main}</main>
          <footer>
            <p>
              A demo of <code>@harpia/memory-store</code>. Nothing is sold, and
              all is forgotten when it stops.
            </p>
            ${seen}
          </footer>
        </body>
      </html>
    `.text
  }`;
}
