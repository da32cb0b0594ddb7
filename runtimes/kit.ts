/**
 * Runs the conformance kit on a store on Node or Bun, without a test runner.
 *
 * @module
 */

import process from "node:process";
import type { AtomicStore } from "../store.ts";
import { STORE_FEATURES, testStore } from "../store_conformance.ts";

/** How many rules are checked at a time: most of them wait for a clock. */
const POOL_SIZE = 8;

/** A store, and what ends the connection that it was opened on. */
export interface OpenedStore {
  readonly store: AtomicStore;
  close(): void;
}

/** What {@linkcode runKit} writes, as JSON. */
export interface KitResult {
  /** How many rules there were. */
  rules: number;
  /** What was said of each that was broken. */
  failures: string[];
}

/**
 * Runs all rules in real time, and writes what came of it.
 *
 * @param open Opens a store of its own, which holds nothing.
 */
export async function runKit(
  name: string,
  open: () => Promise<OpenedStore>,
): Promise<void> {
  const rules: [name: string, check: () => Promise<void>][] = [];
  testStore(name, {
    open: async () => {
      const { store, close } = await open();
      return {
        store,
        elapse: (ms: number) => new Promise((done) => setTimeout(done, ms)),
        [Symbol.asyncDispose]: async () => {
          await store[Symbol.asyncDispose]();
          close();
        },
      };
    },
    test: (name, check) => rules.push([name, check]),
    supports: STORE_FEATURES,
  });
  const failures: string[] = [];
  const rest = rules.values();
  await Promise.all(Array.from({ length: POOL_SIZE }, async () => {
    for (const [name, check] of rest) {
      try {
        await check();
      } catch (error) {
        failures.push(`${name}: ${error}`);
      }
    }
  }));
  const result: KitResult = { rules: rules.length, failures };
  process.stdout.write(JSON.stringify(result));
}
