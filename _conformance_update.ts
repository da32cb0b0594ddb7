/**
 * The rules about `update` when it has a key for itself: what it gives to `fn`,
 * and what it makes of what it gets.
 *
 * @module
 */

import { expectRejection, expectSame } from "./_conformance_check.ts";
import { increment, incrementLater, type Rule } from "./_conformance_run.ts";

/** The rules about `update`. */
export const UPDATE_RULES: readonly Rule[] = [
  {
    name: ".update() stores what fn returns and resolves to it",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      await store.set("a", 1);

      const result = await store.update("a", increment);
      expectSame(result, 2, "update by a synchronous fn");
      await trial.expectEntry("a", 2, "after update by a synchronous fn");

      const later = await store.update("a", incrementLater);
      expectSame(later, 3, "update by an asynchronous fn");
      await trial.expectEntry("a", 3, "after update by an asynchronous fn");
    },
  },
  {
    name: ".update() gives fn undefined when there is no entry, and creates it",
    needs: ["update"],
    async run(trial) {
      const seen: unknown[] = [];

      await trial.store.update("a", (...args) => {
        seen.push(...args);
        return 1;
      });

      expectSame(seen, [undefined], "what fn was given");
      await trial.expectEntry("a", 1, "after update");
    },
  },
  {
    name: ".update() stores the copy as fn left it when fn returns nothing",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      const push = (value: unknown): void => {
        (value as { list: number[] }).list.push(2); // as it is set below
      };
      for (const fn of [push, async (value: unknown) => await push(value)]) {
        await store.set("a", { list: [1] });

        const result = await store.update("a", fn);

        expectSame(result, { list: [1, 2] }, "update");
        await trial.expectEntry("a", { list: [1, 2] }, "after update");
      }
    },
  },
  {
    name: ".update() keeps a number when fn returns nothing",
    needs: ["update"],
    async run(trial) {
      await trial.store.set("a", 1);

      const result = await trial.store.update("a", () => {});

      expectSame(result, 1, "update");
      await trial.expectEntry("a", 1, "after update");
    },
  },
  {
    name: ".update() leaves an absent entry absent when fn returns nothing",
    needs: ["update"],
    async run(trial) {
      for (const fn of [() => {}, async () => await Promise.resolve()]) {
        const result = await trial.store.update("a", fn);

        expectSame(result, undefined, "update");
        await trial.expectMiss("a", "after update");
      }
    },
  },
  {
    name: ".update() stores falsy values that fn returns",
    needs: ["update"],
    async run(trial) {
      for (const value of [0, "", false]) {
        await trial.store.set("a", 1);

        const result = await trial.store.update("a", () => value);

        expectSame(result, value, "update to a falsy value");
        await trial.expectEntry("a", value, "after update to a falsy value");
      }
    },
  },
  {
    name: ".update() rejects with what fn throws and changes nothing",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      for (const thrown of [new Error("no"), "no", undefined, null]) {
        for (const how of ["throws", "rejects"]) {
          await store.set("a", { n: 1 });
          const outcomes = await Promise.allSettled([
            store.update("a", (value) => {
              (value as { n: number }).n = 2; // as it was set
              if (how === "throws") throw thrown;
              return Promise.reject(thrown);
            }),
          ]);

          const [outcome] = outcomes;
          const received = outcome.status === "rejected"
            ? outcome.reason === thrown
            : outcome.value;
          expectSame(received, true, `rejection by what fn ${how}`);
          await trial.expectEntry("a", { n: 1 }, `after fn ${how}`);
        }
      }
    },
  },
  {
    name: ".update() goes on with the next one when one has failed",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      const fail = (): never => {
        throw new Error("no");
      };
      const outcomes = await Promise.allSettled([
        store.update("a", incrementLater),
        store.update("a", () => Promise.reject(new Error("no"))),
        store.update("a", incrementLater),
        store.update("a", fail),
        store.update("a", increment),
      ]);

      const expected = [
        "fulfilled",
        "rejected",
        "fulfilled",
        "rejected",
        "fulfilled",
      ];
      const statuses = outcomes.map(({ status }) => status);
      expectSame(statuses, expected, "five updates");
      await trial.expectEntry("a", 3, "after three of five updates");
      expectSame(await store.update("a", increment), 4, "update after them");
    },
  },
  {
    name: ".update() refuses an fn that is not a function",
    needs: ["update", "checks"],
    async run(trial) {
      await trial.store.set("a", 1);
      for (
        const fn of [
          undefined,
          null,
          1,
          "fn",
          {},
          { n: 1 },
          [],
          Promise.resolve(),
        ]
      ) {
        await expectRejection(
          () => trial.store.update("a", fn as never), // wrong on purpose
          "TypeError",
          "update by what is not a function",
        );
      }
      await trial.expectEntry("a", 1, "after refused updates");
    },
  },
  {
    name:
      ".update() refuses an outcome that is not portable and changes nothing",
    needs: ["update", "checks"],
    async run(trial) {
      const { store } = trial;
      await store.set("a", { n: 1 });
      const outcome = { cart: [{ price: () => 1 }] };
      const fns: [string, (value: unknown) => unknown][] = [
        ["what fn returns", () => outcome],
        ["what fn resolves to", () => Promise.resolve(outcome)],
        [
          "the copy as fn left it",
          (value) => void Object.assign(value as object, outcome),
        ],
      ];
      for (const [what, fn] of fns) {
        const { message } = await expectRejection(
          () => store.update("a", fn),
          "TypeError",
          `update with a function in ${what}`,
        );
        expectSame(
          message.includes("cart[0].price"),
          true,
          `path in "${message}"`,
        );
        await trial.expectEntry("a", { n: 1 }, "after a refused update");
      }
      await store.update("a", () => ({ n: 2 }));
      await trial.expectEntry("a", { n: 2 }, "after an update that follows");
    },
  },
  {
    name: ".update() checks its arguments before fn runs",
    needs: ["update", "checks", "ttl"],
    async run({ store }) {
      let runs = 0;
      const fn = (): number => ++runs;
      const calls = [
        () => store.update("\ud800", fn),
        () => store.update("a".repeat(1025), fn),
        () => store.update("a", fn, { ttl: 0 }),
        () => store.update("a", fn, { ttlMs: 1 } as object), // wrong on purpose
      ];
      for (const call of calls) {
        await expectRejection(call, undefined, "update with a wrong argument");
      }
      expectSame(runs, 0, "runs of fn");
    },
  },
];
