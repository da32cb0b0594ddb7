/**
 * What the demo sends and accepts over HTTP, as any careful site does.
 *
 * @module
 */

/** The largest form that is read, in bytes. The longest of ours takes 1 kB. */
const MAX_FORM = 4096;

/** No script, no frame, nothing from elsewhere. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  // With "no-referrer", browsers would send forms with `Origin: null`.
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/** A request that gets a page with an explanation instead of what it asks. */
export class Problem extends Error {
  /** The name of the class. */
  override name = "Problem";
  /** The status code of the response. */
  readonly status: number;
  /** The heading of the page. */
  readonly title: string;
  /** Headers that go with the status code. */
  readonly headers: Record<string, string>;

  /** Describes a problem to the visitor: what it is, then what to do. */
  constructor(
    status: number,
    title: string,
    message: string,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.status = status;
    this.title = title;
    this.headers = headers;
  }
}

/** A page, which no cache keeps: after a sign-out nothing brings it back. */
export function pageResponse(
  body: string,
  status: number,
  headers: Record<string, string> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      ...HEADERS,
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      ...headers,
    },
  });
}

/** The style sheet, which is the same for everybody. */
export function styleResponse(
  css: string,
  headers: Record<string, string> = { "cache-control": "max-age=60" },
): Response {
  return new Response(css, {
    headers: {
      ...HEADERS,
      "content-type": "text/css; charset=utf-8",
      ...headers,
    },
  });
}

/**
 * The headers of a style sheet that makes the browser forget the pages it has
 * left. Chromium keeps them for its back button, those that are `no-store` too,
 * and drops them when a cookie changes: all but the one whose form made it
 * change, which it puts there just after. So this has to come with what is
 * loaded next, and not with the sign-out itself.
 */
export const FORGET = {
  "cache-control": "no-store",
  "clear-site-data": '"cache"',
};

/**
 * Sends the browser on with a GET, so that a reload repeats no form. Not
 * `Response.redirect()`: its headers are immutable, and a cookie has to go in.
 */
export function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { ...HEADERS, location } });
}

/**
 * Reads the address of a request.
 *
 * @throws {Problem} If its `Host` header makes it none.
 */
export function requestUrl(req: Request): URL {
  const url = URL.parse(req.url);
  if (url !== null) return url;
  throw new Problem(
    400,
    "That address makes no sense",
    "The request names a host that cannot exist.",
  );
}

/**
 * Checks that a form comes from a page of this site. `SameSite=Lax` keeps the
 * cookie from other sites already; this is the second lock, and the one against
 * a form that signs the visitor in as somebody else.
 *
 * @throws {Problem} If it comes from elsewhere.
 */
export function checkSameOrigin(req: Request, url: URL): void {
  const site = req.headers.get("sec-fetch-site");
  const origin = req.headers.get("origin");
  const own = site === null
    // Browsers send one of the two with every form; curl sends neither.
    ? origin === null || URL.parse(origin)?.host === url.host
    : site === "same-origin" || site === "none";
  if (own) return;
  throw new Problem(
    403,
    "That form came from another site",
    "Nothing was changed. Only the shop's own pages can change your cart or sign you in.",
  );
}

/**
 * Reads a form, and never more of it than a form of this site can be.
 *
 * @throws {Problem} If it is too large, of another kind, or broken.
 */
export async function readForm(req: Request): Promise<URLSearchParams> {
  const [type = ""] = (req.headers.get("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/x-www-form-urlencoded") {
    throw notOurs(415, "It has to be a plain HTML form.");
  }
  if (Number(req.headers.get("content-length")) > MAX_FORM) throw tooLarge();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let size = 0;
  let text = "";
  try {
    for await (const chunk of req.body ?? []) {
      size += chunk.length;
      if (size > MAX_FORM) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
    text += decoder.decode();
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw notOurs(400, "It did not arrive whole.");
  }
  return new URLSearchParams(text);
}

/** A form with fields or values that no page of this site sends. */
export function notOurs(status: number, message: string): Problem {
  return new Problem(
    status,
    "That form was not one of ours",
    `${message} Nothing was changed.`,
  );
}

function tooLarge(): Problem {
  return new Problem(
    413,
    "That form is too large",
    `Forms of this shop have at most ${MAX_FORM} bytes. Nothing was changed.`,
  );
}
