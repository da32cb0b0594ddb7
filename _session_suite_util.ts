/**
 * How the tests of a session on any store are listed, and what they share.
 *
 * @module
 */

import type { Store } from "./store.ts";

/** What a test does with stores that are empty and its own. */
export type Use = (open: () => Store) => Promise<void>;

/** Tests that are still to be registered, and how one is added. */
export interface Suite {
  readonly tests: [name: string, use: Use][];
  test(name: string, use: Use): void;
}

/** What the sessions hold. */
export interface Visit {
  user?: string;
  cart: string[];
}

export function makeSuite(): Suite {
  const tests: Suite["tests"] = [];
  return { tests, test: (name, use) => void tests.push([name, use]) };
}

/** A request as far as a session reads it. */
export function requestWith(cookie: string): Headers {
  return new Headers({ cookie });
}
