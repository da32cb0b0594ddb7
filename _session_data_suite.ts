/**
 * The tests of what a session can hold, on any store.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { makeSuite } from "./_session_suite_util.ts";
import { spied, untyped } from "./_test_util.ts";
import { Session } from "./session.ts";

const { tests, test } = makeSuite();

export { tests as dataTests };

for (
  const [what, data] of Object.entries({
    "undefined": undefined,
    "null": null,
    "an array": [],
    "text": "x",
    "a Map": new Map(),
    "a Date": new Date(0),
    "a URL": new URL("http://localhost/"),
    "a promise": Promise.resolve({}),
    "a function in it": { cart: [() => 1] },
    "an own __proto__": JSON.parse('{"__proto__":{"admin":true}}'),
    "an own __proto__ deep in it": {
      list: [new Map([[1, JSON.parse('{"__proto__":1}')]])],
    },
  })
) {
  test(`Session refuses data with ${what} (R37)`, async (open) => {
    const { store, calls } = spied(open());
    const session = new Session({ store });
    const id = await session.create({ user: "ada" });
    calls.length = 0;

    await assertRejects(() => session.create(untyped(data)), TypeError);
    await assertRejects(() => session.update(id, untyped(data)), TypeError);
    await assertRejects(
      () => session.regenerate(id, untyped(data ?? null)),
      TypeError,
    );
    assertEquals(calls, []);
    if (data !== undefined && !(data instanceof Promise)) {
      await assertRejects(
        () => session.update(id, () => untyped(data)),
        TypeError,
      );
    }

    assertEquals(await session.get(id), { user: "ada" });
  });
}

test("Session stores typed arrays and dates in the data", async (open) => {
  const session = new Session({ store: open() });
  const data = {
    n: -0,
    seen: new Map([["a", new Date(5)]]),
    key: new Uint8Array([1, 2]),
    set: new Set([1]),
  };

  const id = await session.create(data);

  assertEquals(await session.get(id), data);
});
