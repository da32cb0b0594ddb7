/**
 * Runs the conformance kit on a `DenoKvStore` over `npm:@deno/kv`, on Node or
 * Bun, and writes what has failed as JSON. Takes the path of a database.
 *
 * Bundled by `deno_kv_store_integration_test.ts`; `@deno/kv` lies beside the
 * bundle.
 *
 * @module
 */

import process from "node:process";
import { type DenoKv, DenoKvStore } from "../deno_kv_store.ts";
import { STORE_FEATURES, testStore } from "../store_conformance.ts";

/** The part of `npm:@deno/kv` that is used. */
interface DenoKvPackage {
  openKv(
    path: string | undefined,
    options: Record<"encodeV8" | "decodeV8", () => never>,
  ): Promise<DenoKv & { close(): void }>;
}

/** How many rules are checked at a time: most of them wait for a clock. */
const POOL_SIZE = 8;

/** The package asks for a serializer on Bun. Bytes need none. */
function refuse(): never {
  throw new Error("Cannot serialize: entries must be bytes");
}

// Not a name in the source, so that only Node and Bun look for it.
const name = "@deno/kv";
const { openKv } = await import(name) as DenoKvPackage;
const path = process.argv[2];

const rules: [name: string, check: () => Promise<void>][] = [];
let opened = 0;

testStore("DenoKvStore", {
  open: async () => {
    const options = { encodeV8: refuse, decodeV8: refuse };
    const kv = await openKv(path, options);
    const store = new DenoKvStore(kv, { prefix: `${++opened}` });
    return {
      store,
      elapse: (ms: number) => new Promise((done) => setTimeout(done, ms)),
      [Symbol.asyncDispose]: async () => {
        await store[Symbol.asyncDispose]();
        kv.close();
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
process.stdout.write(JSON.stringify({ rules: rules.length, failures }));
