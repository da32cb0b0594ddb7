/**
 * What the demo keeps in a session, and how it tells ids apart.
 *
 * @module
 */

import type { Cart } from "./demo_teas.ts";

/** What a visitor's session holds. */
export interface Visit {
  /** When the session was created. */
  readonly startedAt: Date;
  /** How many tins of each tea. */
  readonly cart: Cart;
  /** How many pages were opened. */
  pages: number;
  /** Who is signed in. */
  user?: User;
}

/** Who is signed in. */
export interface User {
  /** What they call themselves. */
  readonly name: string;
  /** The label of the session's id before the sign-in. */
  readonly labelBefore?: string | undefined;
}

/** What a new session holds. */
export function newVisit(): Visit {
  return { startedAt: new Date(), cart: {}, pages: 0 };
}

/** Tells ids apart and gives none away: 32 bits of a hash of the id. */
export async function labelId(id: string): Promise<string> {
  const bytes = new TextEncoder().encode(`demo:${id}`);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash, 0, 4).toHex();
}
