/**
 * Looks for session ids and data in texts, for `session_leak_e2e_test.ts`.
 *
 * @module
 */

/** What must not be found. */
export interface Secrets {
  /** Ids: 22 to 128 of the characters `A-Z a-z 0-9 - _`. */
  readonly ids: ReadonlySet<string>;
  /** Texts in the data of sessions. */
  readonly data: ReadonlySet<string>;
}

/**
 * Makes the function that lists the secrets a text holds. There may be 100,000
 * ids: they are not looked for one by one, but what looks like an id is looked
 * up among them.
 */
export function makeSearch(
  { ids, data }: Secrets,
): (text: string) => string[] {
  const lengths = new Set([...ids].map((id) => id.length));
  return (text) => {
    const found = new Set<string>();
    for (const [run] of text.matchAll(/[\w-]{22,}/g)) {
      for (const length of lengths) {
        for (let start = 0; start + length <= run.length; start++) {
          const part = run.slice(start, start + length);
          if (ids.has(part)) found.add(part);
        }
      }
    }
    for (const value of data) if (text.includes(value)) found.add(value);
    return [...found];
  };
}
