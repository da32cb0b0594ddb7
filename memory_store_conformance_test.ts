/** The kit on `MemoryStore`; its own behaviours are in `memory_store_test.ts`. */

import { FakeTime } from "@std/testing/time";
import { MemoryStore } from "./memory_store.ts";
import { STORE_FEATURES, testStore } from "./store_conformance.ts";

/** How long an update may keep others waiting, in milliseconds. */
const UPDATE_TIMEOUT = 5_000;

testStore("MemoryStore", {
  test: Deno.test,
  open() {
    const time = new FakeTime(0);
    const store = new MemoryStore({ updateTimeout: UPDATE_TIMEOUT });
    return {
      store,
      elapse: (ms) => time.tick(ms),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        time.restore();
      },
    };
  },
  supports: STORE_FEATURES,
  exactTime: true,
  updateTimeout: UPDATE_TIMEOUT,
});
