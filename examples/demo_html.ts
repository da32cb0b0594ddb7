/**
 * HTML of the demo: a template tag that escapes, and the frame of every page.
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

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Fills a template: escapes all values that are not {@linkcode Html}. */
export function html(
  parts: TemplateStringsArray,
  ...values: (Html | Html[] | string | number)[]
): Html {
  const texts = values.map((value) => {
    if (value instanceof Html) return value.text;
    if (Array.isArray(value)) return value.map((part) => part.text).join("");
    return String(value).replace(/[&<>"']/g, (char) => ESCAPES[char] ?? "");
  });
  return new Html(String.raw({ raw: parts }, ...texts));
}

/** What the frame of a page shows. */
export interface Frame {
  /** The title of the page. */
  title: string;
  /** The name of who is signed in. */
  name?: string | undefined;
  /** How many items are in the cart. */
  items: number;
}

/** A whole page. */
export function page({ title, name, items }: Frame, main: Html): string {
  const account = name === undefined
    ? html`<a href="/sign-in">Sign in</a>`
    : html`<a href="/account">${name}</a>`;
  return `<!doctype html>\n${
    html`
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>${title} · Leaf &amp; Kettle</title>
          <link rel="icon" href="/icon.svg" type="image/svg+xml">
          <link rel="stylesheet" href="/style.css">
        </head>
        <body>
          <a class="skip" href="#main">Skip to content</a>
          <header>
            <a class="brand" href="/">Leaf &amp; Kettle</a>
            <nav
              aria-label="Main"><a href="/cart">Cart <span class="count">${items}</span></a>${account}<a href="/store">Store</a></nav>
          </header>
          <main id="main">
      <h1>${title}</h1>
      ${main}
          </main>
          <footer>A demo of <code>@harpia/memory-store</code>. Nothing is sold, and all is forgotten when it stops.</footer>
        </body>
      </html>
    `.text
  }`;
}

/** The icon of the demo: a leaf. */
export const ICON =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2f6b4f"/><path d="M8 24C7 13 14 7 25 7c1 11-5 18-14 17M8 25c3-6 7-9 12-12" fill="none" stroke="#f4f1e8" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** The style sheet of the demo. */
export const STYLE = `
:root {
  --paper: #faf8f3; --card: #fff; --ink: #1f2a24; --soft: #5b6760;
  --line: #dfdbd0; --leaf: #2f6b4f; --leaf-ink: #fff; --warn: #a3341f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141a17; --card: #1d2521; --ink: #e9ede9; --soft: #a3afa8;
    --line: #33403a; --leaf: #7cc4a0; --leaf-ink: #10201a; --warn: #ff9d87;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 56rem; padding: 0 1rem 2rem;
  background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 ui-sans-serif, system-ui, sans-serif;
}
header, nav { display: flex; flex-wrap: wrap; align-items: center; }
header { justify-content: space-between; gap: .25rem 1rem; padding: .75rem 0; border-bottom: 1px solid var(--line); }
nav { gap: .25rem; margin: 0 -.75rem; }
nav a, .brand { display: inline-flex; align-items: center; min-height: 2.75rem; color: inherit; text-decoration: none; }
nav a { gap: .4rem; padding: 0 .75rem; border-radius: .5rem; overflow-wrap: anywhere; }
nav a:hover { background: var(--line); }
.brand, h1, h2 { font-family: ui-serif, Georgia, serif; font-weight: 600; }
.brand { font-size: 1.25rem; color: var(--leaf); }
.count { min-width: 1.5rem; padding: 0 .4rem; border-radius: 1rem; background: var(--leaf); color: var(--leaf-ink); font-size: .875rem; text-align: center; }
h1 { margin: 2rem 0 1rem; font-size: clamp(1.75rem, 6vw, 2.5rem); line-height: 1.15; }
h2 { margin: 0; font-size: 1.25rem; }
p { margin: .5rem 0 1rem; max-width: 40rem; }
a { color: var(--leaf); text-underline-offset: .2em; }
ul.teas { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem; padding: 0; list-style: none; }
.card { display: flex; flex-direction: column; padding: 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); }
.card p { flex: 1; color: var(--soft); }
.row { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; }
button, input { min-height: 2.75rem; border-radius: .5rem; font: inherit; }
button { padding: .4rem 1.1rem; border: 1px solid var(--leaf); background: var(--leaf); color: var(--leaf-ink); cursor: pointer; }
button.quiet { min-width: 2.75rem; background: transparent; color: var(--leaf); }
button:hover { filter: brightness(1.08); }
input { width: 100%; max-width: 22rem; padding: .4rem .75rem; border: 1px solid var(--soft); background: var(--card); color: inherit; }
label { display: block; margin-bottom: .25rem; font-weight: 600; }
form.stack { display: grid; justify-items: start; gap: 1rem; }
form.stack > div { width: 100%; }
:focus-visible, .skip:focus { outline: 3px solid var(--leaf); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem; background: var(--card); }
.error { color: var(--warn); font-weight: 600; }
.note { color: var(--soft); font-size: .9375rem; }
td .row { justify-content: flex-start; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .6rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: middle; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: minmax(8rem, auto) 1fr; gap: .5rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
`;
