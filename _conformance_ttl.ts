/**
 * The rules about the ttl that a method is given.
 *
 * @module
 */

import { expectRejection } from "./_conformance_check.ts";
import type { StoreFeature } from "./_conformance_options.ts";
import type { Rule, Trial } from "./_conformance_run.ts";

const DAY = 24 * 60 * 60 * 1000;

/** The latest time a `Date` can hold. */
const MAX_TIME = 8.64e15;

/** Where 32 bits end, with a sign and without, and what a cookie may ask for. */
const LONG_TTLS = [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 30 * DAY, 400 * DAY];

const WRONG_TTLS: readonly [ttl: unknown, kind: "RangeError" | "TypeError"][] =
  [
    [0, "RangeError"],
    [-0, "RangeError"],
    [-1, "RangeError"],
    [NaN, "RangeError"],
    [-Infinity, "RangeError"],
    [MAX_TIME + 1, "RangeError"],
    [1e20, "RangeError"],
    ["60", "TypeError"],
    [60n, "TypeError"],
    [null, "TypeError"],
    [true, "TypeError"],
    [{}, "TypeError"],
    [new Date(1), "TypeError"],
  ];

const WRONG_OPTIONS: readonly [what: string, options: unknown][] = [
  ["ttlMs", { ttlMs: 1 }],
  ["TTL", { TTL: 1 }],
  ["ex", { ttl: 1, ex: 1 }],
  ["maxAge", { maxAge: 1 }],
  ["an own __proto__", JSON.parse('{"__proto__":{"ttl":1}}')],
  ["null", null],
  ["a number", 5_000],
  ["a string", "5000"],
  ["an array", []],
  ["a function", () => {}],
];

/** A way to give an entry a ttl. */
interface TtlMethod {
  readonly name: string;
  readonly needs: readonly StoreFeature[];
  readonly call: (trial: Trial, ttl: number) => Promise<unknown>;
}

const TTL_METHODS: readonly TtlMethod[] = [
  {
    name: ".set()",
    needs: ["ttl"],
    call: ({ store }, ttl) => store.set("a", 1, { ttl }),
  },
  {
    name: ".touch()",
    needs: ["ttl", "touch"],
    call: ({ store }, ttl) => store.touch("a", ttl),
  },
  {
    name: ".update()",
    needs: ["ttl", "update"],
    call: ({ store }, ttl) => store.update("a", () => 1, { ttl }),
  },
];

function rulesOf({ name, needs, call }: TtlMethod): Rule[] {
  return [
    {
      name: `${name} lets an entry end when its ttl is over, not before`,
      needs,
      async run(trial) {
        await trial.store.set("a", 1);

        await call(trial, 7 * trial.unit);

        await trial.expectEnd("a", 1, 7 * trial.unit);
      },
    },
    {
      name: `${name} lets an entry end exactly when its ttl is over`,
      needs,
      option: "exactTime",
      async run(trial) {
        for (const ttl of [1, 2, 1_000]) {
          await trial.store.set("a", 1);

          await call(trial, ttl);

          if (ttl > 1) await trial.elapse(ttl - 1);
          await trial.expectEntry("a", 1, `1 ms before the end of ${ttl} ms`);
          await trial.elapse(1);
          await trial.expectMiss("a", `at the end of ${ttl} ms`);
        }
      },
    },
    {
      name: `${name} lets an entry live for 400 days`,
      needs,
      async run(trial) {
        for (const ttl of LONG_TTLS) {
          await trial.store.set("a", 1);

          await call(trial, ttl);

          if (trial.exactTime) await trial.expectEnd("a", 1, ttl);
        }
        if (trial.exactTime) return;
        await trial.elapse(trial.unit);
        await trial.expectEntry("a", 1, "soon after it was given 400 days");
      },
    },
    {
      name: `${name} lets an entry live for ever with a ttl of Infinity`,
      needs,
      async run(trial) {
        const { store, unit, exactTime } = trial;
        await store.set("a", 1, { ttl: 3 * unit });

        await call(trial, Infinity);

        await trial.elapse(exactTime ? 100 * 365 * DAY : 4 * unit);
        await trial.expectEntry("a", 1, "long after it was set");
      },
    },
    {
      name: `${name} takes a fraction of a millisecond`,
      needs,
      async run(trial) {
        const { unit } = trial;
        await trial.store.set("a", 1);

        await call(trial, 3 * unit - 0.5);
        await trial.expectEnd("a", 1, 3 * unit);

        await trial.store.set("a", 1);
        await call(trial, 0.2);
        await trial.elapsePast(1);
        await trial.expectMiss("a", "after 0.2 ms");
      },
    },
    {
      name: `${name} rounds a ttl up to the next millisecond`,
      needs,
      option: "exactTime",
      async run(trial) {
        await trial.store.set("a", 1);
        await call(trial, 0.2);
        await trial.expectEntry("a", 1, "at once, with a ttl of 0.2 ms");

        await trial.store.set("a", 1);
        await call(trial, 1.5);
        await trial.elapse(1);
        await trial.expectEntry("a", 1, "after 1 ms of a ttl of 1.5 ms");
        await trial.elapse(1);
        await trial.expectMiss("a", "after 2 ms of a ttl of 1.5 ms");
      },
    },
    {
      name: `${name} refuses a wrong ttl and changes nothing`,
      needs: [...needs, "checks"],
      async run(trial) {
        const { unit } = trial;
        await trial.store.set("a", 0, { ttl: 3 * unit });

        for (const [ttl, kind] of WRONG_TTLS) {
          await expectRejection(
            () => call(trial, ttl as number), // wrong on purpose
            kind,
            `ttl of ${typeof ttl} ${String(ttl)}`,
          );
        }

        await trial.expectEnd("a", 0, 3 * unit);
      },
    },
  ];
}

type OptionsCall = (trial: Trial, options: unknown) => Promise<unknown>;

/** The rules about the options of a method, which have a ttl and no more. */
function optionRules(
  name: string,
  needs: readonly StoreFeature[],
  call: OptionsCall,
): Rule[] {
  return [
    {
      name: `${name} refuses unknown options and changes nothing`,
      needs: [...needs, "checks"],
      async run(trial) {
        await trial.store.set("a", 0);
        for (const [what, options] of WRONG_OPTIONS) {
          await expectRejection(
            () => call(trial, options),
            "TypeError",
            `options with or of ${what}`,
          );
        }
        await trial.expectEntry("a", 0, "after refused options");
      },
    },
    {
      name: `${name} takes a ttl that is undefined or inherited as left out`,
      needs: [...needs, "checks"],
      async run(trial) {
        const { unit } = trial;
        await call(trial, { ttl: undefined });
        await call(trial, Object.create({ ttl: 2 * unit }));

        await trial.elapsePast(2 * unit);

        await trial.expectEntry("a", 1, "after an inherited ttl");
      },
    },
  ];
}

/** The rules about the ttl and the options of each method. */
export const TTL_RULES: readonly Rule[] = [
  ...TTL_METHODS.flatMap(rulesOf),
  ...optionRules(
    ".set()",
    ["ttl"],
    ({ store }, options) => store.set("a", 1, options as object), // or not
  ),
  ...optionRules(
    ".update()",
    ["ttl", "update"],
    ({ store }, options) => store.update("a", () => 1, options as object), // or not
  ),
];
