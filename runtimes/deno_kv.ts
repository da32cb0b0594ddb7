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
import { runKit } from "./kit.ts";

/** The part of `npm:@deno/kv` that is used. */
interface DenoKvPackage {
  openKv(
    path: string | undefined,
    options: Record<"encodeV8" | "decodeV8", () => never>,
  ): Promise<DenoKv & { close(): void }>;
}

/** The package asks for a serializer on Bun. Bytes need none. */
function refuse(): never {
  throw new Error("Cannot serialize: entries must be bytes");
}

// Not a name in the source, so that only Node and Bun look for it.
const name = "@deno/kv";
const { openKv } = await import(name) as DenoKvPackage;
const path = process.argv[2];

let opened = 0;

await runKit("DenoKvStore", async () => {
  const kv = await openKv(path, { encodeV8: refuse, decodeV8: refuse });
  const store = new DenoKvStore(kv, { prefix: `${++opened}` });
  return { store, close: () => kv.close() };
});
