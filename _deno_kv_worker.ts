/**
 * A process with a `DenoKvStore` on a file, for tests: `_deno_kv_worker.ts FILE`.
 *
 * @module
 */

import { serve } from "./_store_worker.ts";
import { DenoKvStore } from "./deno_kv_store.ts";

if (import.meta.main) {
  const [path] = Deno.args;
  const store = new DenoKvStore<string>(await Deno.openKv(path));
  await serve(store, () => Promise.resolve());
}
