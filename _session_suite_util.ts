/**
 * How the tests of a session on any store are listed, and what they share.
 *
 * @module
 */

import { makeRandom } from "./_test_util.ts";
import { Session } from "./session.ts";
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

/** A store each call of which takes a few turns, as the seed has it. */
export function slowed(store: Store, seed: number): Store {
  const random = makeRandom(seed);
  const wait = async (): Promise<void> => {
    for (let turns = random(8); turns > 0; turns--) await null;
  };
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        await wait();
        const result = await Reflect.apply(member, target, args);
        await wait();
        return result;
      };
    },
  });
}

export const live = "L".repeat(32);
export const other = "O".repeat(32);

/** Sessions of which two are alive: ada's, and eve's under the other id. */
export async function withTwoLive(store?: Store): Promise<Session<Visit>> {
  const ids = [live, other];
  const session = new Session<Visit>({
    store,
    generateId: () => ids.shift() ?? "",
  });
  await session.create({ user: "ada", cart: [] });
  await session.create({ user: "eve", cart: [] });
  return session;
}
