/**
 * The rules about values: what a store holds, and what it refuses.
 *
 * @module
 */

import { expectRejection, expectSame } from "./_conformance_check.ts";
import type { Rule, Trial } from "./_conformance_run.ts";
import {
  JSON_VALUES,
  makeTrees,
  nest,
  NOT_PORTABLE,
  PORTABLE_VALUES,
  type Sample,
} from "./_conformance_samples.ts";

/** How many random values are tried. */
const TREES = 150;

/** Values come back as they were. */
async function expectRoundTrips(
  trial: Trial,
  samples: Iterable<Sample>,
): Promise<void> {
  for (const [what, make] of samples) {
    await trial.store.set(what, make());
    await trial.expectEntry(what, make(), `of ${what}`);
  }
}

/** A value is refused, and nothing is changed. */
async function expectRefusal(
  trial: Trial,
  value: unknown,
  kind: "TypeError" | "RangeError",
  what: string,
): Promise<Error> {
  await trial.store.set("a", "before");
  const error = await expectRejection(
    () => trial.store.set("a", value),
    kind,
    `set to ${what}`,
  );
  await trial.expectEntry("a", "before", `after a refused set to ${what}`);
  return error;
}

/** Members that do not count. */
function makeUntidy(): object {
  const value = { a: undefined, b: { c: undefined, d: 1 }, [Symbol("e")]: 1 };
  return Object.defineProperty(value, "f", { value: 1, enumerable: false });
}

/** An object that may change the prototype of one that it is copied into. */
function makeHijack(): unknown {
  return JSON.parse('{"__proto__":{"polluted":1},"a":[{"__proto__":null}]}');
}

/** The rules about values. */
export const VALUE_RULES: readonly Rule[] = [
  {
    name: " tells falsy values from a miss",
    needs: [],
    async run(trial) {
      for (const value of [0, "", false]) {
        await trial.store.set("a", value);
        await trial.expectEntry("a", value, "of a falsy value");
      }
    },
  },
  {
    name: " holds what JSON can say",
    needs: [],
    run: (trial) => expectRoundTrips(trial, JSON_VALUES),
  },
  {
    name: " holds random trees of what JSON can say",
    needs: [],
    run: (trial) =>
      expectRoundTrips(trial, makeTrees(JSON_VALUES, true, TREES)),
  },
  ...Object.entries(PORTABLE_VALUES).map(([kind, samples]): Rule => ({
    name: ` holds ${kind}`,
    needs: ["values"],
    run: (trial) => expectRoundTrips(trial, samples),
  })),
  {
    name: " holds random trees of all that is portable",
    needs: ["values"],
    async run(trial) {
      const leaves = [JSON_VALUES, ...Object.values(PORTABLE_VALUES)].flat();
      await expectRoundTrips(trial, makeTrees(leaves, false, TREES));
    },
  },
  {
    name: " holds values that are nested 500 deep",
    needs: ["values"],
    async run(trial) {
      await trial.store.set("a", nest(500));

      const value = await trial.store.get("a");
      expectSame(depthOf(value), 500, "depth of a value nested 500 deep");
    },
  },
  {
    name: " drops members that are undefined, under a symbol or not enumerable",
    needs: ["values"],
    async run(trial) {
      await trial.store.set("a", makeUntidy());

      await trial.expectEntry("a", { b: { d: 1 } }, "of an untidy object");
    },
  },
  {
    name: " holds objects without a prototype as plain ones",
    needs: ["values"],
    async run(trial) {
      const value = Object.assign(Object.create(null), { a: 1 });

      await trial.store.set("a", value);

      await trial.expectEntry("a", { a: 1 }, "of an object without prototype");
    },
  },
  {
    name: " holds typed arrays without the rest of their buffer",
    needs: ["values"],
    async run(trial) {
      const whole = Uint16Array.of(1, 2, 3, 4);

      await trial.store.set("a", whole.subarray(1, 3));

      await trial.expectEntry("a", Uint16Array.of(2, 3), "of a part");
    },
  },
  {
    name: " holds a member named __proto__ as data",
    needs: ["values"],
    async run(trial) {
      await trial.store.set("a", makeHijack());

      await trial.expectEntry("a", makeHijack(), "of an own __proto__");
      expectSame("polluted" in {}, false, "polluted in {}");
    },
  },
  {
    name: " refuses undefined and points to delete",
    needs: ["checks"],
    async run(trial) {
      const { message } = await expectRefusal(
        trial,
        undefined,
        "TypeError",
        "undefined",
      );
      expectSame(message.includes("delete"), true, `delete in "${message}"`);
    },
  },
  {
    name: " refuses values that are not portable",
    needs: ["checks"],
    async run(trial) {
      for (const [what, make] of NOT_PORTABLE) {
        await expectRefusal(trial, make(), "TypeError", what);
        await expectRefusal(
          trial,
          { a: [make()] },
          "TypeError",
          `${what} within`,
        );
      }
    },
  },
  {
    name: " names the path to what it refuses",
    needs: ["checks"],
    async run(trial) {
      const price = (): number => 1;
      const values: [string, unknown][] = [
        ["price", { price }],
        ["cart.items[2].price", { cart: { items: [1, {}, { price }] } }],
        ["[1][0]", [[], [price]]],
        ["when[0]", { when: [new (class Moment {})()] }],
      ];
      for (const [path, value] of values) {
        await trial.store.set("a", 1);
        const { message } = await expectRejection(
          () => trial.store.set("a", value),
          undefined,
          `set to what has a function or an instance at ${path}`,
        );
        expectSame(message.includes(path), true, `${path} in "${message}"`);
      }
    },
  },
  {
    name: " refuses values that are nested deeper than 500",
    needs: ["checks"],
    async run(trial) {
      for (const depth of [501, 5_000, 100_000]) {
        const what = `a value nested ${depth} deep`;
        await expectRefusal(trial, nest(depth), "RangeError", what);
      }
    },
  },
  {
    name: " refuses a value with a getter that throws",
    needs: ["checks"],
    async run(trial) {
      const value = {
        get price(): number {
          throw new Error("no");
        },
      };

      await expectRefusal(trial, value, "TypeError", "one with such a getter");
    },
  },
  {
    name: " reads a getter once",
    needs: ["checks"],
    async run(trial) {
      let reads = 0;
      const value = {
        get n(): number {
          return ++reads;
        },
      };

      await trial.store.set("a", value);

      await trial.expectEntry("a", { n: 1 }, "of an object with a getter");
      expectSame(reads, 1, "reads of the getter");
    },
  },
];

function depthOf(value: unknown): number {
  let depth = 0;
  let rest = value;
  while (typeof rest === "object" && rest !== null) {
    depth++;
    rest = Object.values(rest)[0];
  }
  return depth;
}
