/**
 * Finds the values of a cookie in a `Cookie` header.
 *
 * @module
 */

/**
 * The values of the cookies of exactly this name, in order: split at `;`,
 * stripped of spaces and tabs, nothing decoded, quotes kept. One pass.
 *
 * @see {@link https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/ | RFC 6265bis 5.6}
 */
export function* cookieValues(
  header: string,
  name: string,
): IterableIterator<string> {
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && trim(pair.slice(0, equals)) === name) {
      yield trim(pair.slice(equals + 1));
    }
  }
}

/** Strips spaces and tabs only: `String.trim` would strip a no-break space. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
