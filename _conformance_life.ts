/**
 * The rules about the order of operations, about `touch` and `clear`, and about
 * the end of a store, its own or that of its engine.
 *
 * @module
 */

import { expectRejection, expectSame, settle } from "./_conformance_check.ts";
import type { Rule, Trial } from "./_conformance_run.ts";

/** More than an engine handles in one go. */
const MANY = 1_100;

/** One call of each method, also of those without a key. */
function allCalls(trial: Trial, key: string): ReturnType<Trial["calls"]> {
  const { store, supports } = trial;
  const calls = trial.calls(key);
  if (supports.has("clear")) calls.push(["clear", () => store.clear()]);
  return calls;
}

/** The rules about order, `touch`, `clear`, disposal and failures. */
export const LIFE_RULES: readonly Rule[] = [
  {
    name: " takes effect in the order of the calls",
    needs: ["order"],
    async run({ store }) {
      const reads: Promise<unknown>[] = [];
      for (let i = 0; i < 20; i++) {
        store.set("a", i);
        reads.push(store.get("a"));
        store.delete("a");
        reads.push(store.get("a"));
        store.set("b", i);
        store.set("b", i + 100);
        reads.push(store.get("b"));
      }

      const expected = Array.from({ length: 20 }, (_, i) => [i, null, i + 100]);
      const received = (await Promise.all(reads)).map((value) => value ?? null);
      expectSame(received, expected.flat(), "reads between writes");
    },
  },
  {
    name: ".has(), .touch() and .clear() take effect in the order of the calls",
    needs: ["order", "has", "touch", "clear"],
    async run({ store }) {
      const answers = await Promise.all([
        store.has("a"),
        store.set("a", 1),
        store.has("a"),
        store.touch("a"),
        store.clear(),
        store.has("a"),
        store.touch("a"),
        store.set("a", 2),
        store.touch("a"),
        store.delete("a"),
        store.has("a"),
      ]);

      const answered = answers.filter((answer) => typeof answer === "boolean");
      const expected = [false, true, true, false, false, true, false];
      expectSame(answered, expected, "has and touch between writes");
    },
  },
  {
    name: ".touch() tells whether there is an entry",
    needs: ["touch"],
    async run({ store }) {
      expectSame(await store.touch("a"), false, "touch of no entry");
      await store.set("a", 0);
      expectSame(await store.touch("a"), true, "touch of an entry");
      await store.delete("a");
      expectSame(await store.touch("a"), false, "touch of a deleted entry");
    },
  },
  {
    name: ".touch() never creates an entry",
    needs: ["touch"],
    async run(trial) {
      await trial.store.touch("a");

      await trial.expectMiss("a", "after touch of no entry");
    },
  },
  {
    name: ".touch() leaves the value as it is",
    needs: ["touch"],
    async run(trial) {
      const { store } = trial;
      await store.set("a", { list: [1] });

      await store.touch("a");

      await trial.expectEntry("a", { list: [1] }, "after touch");
    },
  },
  {
    name: ".clear() removes all entries",
    needs: ["clear"],
    async run(trial) {
      const { store } = trial;
      for (const key of ["", "a", "*", "__proto__", "a:b"]) {
        await store.set(key, 1);
      }

      expectSame(await store.clear(), undefined, "clear");

      for (const key of ["", "a", "*", "__proto__", "a:b"]) {
        await trial.expectMiss(key, `of "${key}" after clear`);
      }
      await store.clear();
      await store.set("a", 2);
      await trial.expectEntry("a", 2, "after a set that follows clear");
    },
  },
  {
    name: ".clear() removes many entries",
    needs: ["clear"],
    async run(trial) {
      const { store } = trial;
      const keys = Array.from({ length: MANY }, (_, i) => `key ${i}`);
      await Promise.all(keys.map((key) => store.set(key, 1)));

      await store.clear();

      const values = await Promise.all(keys.map((key) => store.get(key)));
      const left = values.filter((value) => value === 1).length;
      expectSame(left, 0, `entries left of ${MANY} after clear`);
    },
  },
  {
    name: ".clear() takes deadlines away with the entries",
    needs: ["clear", "ttl"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 2 * unit });
      await store.clear();
      await store.set("a", 2);

      await trial.elapsePast(2 * unit);

      await trial.expectEntry("a", 2, "after the ttl of a cleared entry");
    },
  },
  {
    name: " rejects all calls when it was disposed of",
    needs: ["dispose"],
    async run(trial) {
      await trial.store.set("a", 1);

      await trial.store[Symbol.asyncDispose]();

      for (const [method, call] of allCalls(trial, "a")) {
        const { outcome } = await expectRejection(
          call,
          "StoreError",
          `${method} after disposal`,
        );
        expectSame(
          outcome,
          "not applied",
          `outcome of ${method} after disposal`,
        );
      }
    },
  },
  {
    name: " may be disposed of twice",
    needs: ["dispose"],
    async run({ store }) {
      await store[Symbol.asyncDispose]();

      expectSame(
        await store[Symbol.asyncDispose](),
        undefined,
        "dispose again",
      );
    },
  },
  {
    name: " rejects when its engine fails, and never reports a miss",
    needs: [],
    option: "fail",
    async run(trial) {
      const kind = trial.supports.has("checks") ? "StoreError" : undefined;
      await trial.store.set("a", 1);

      await whileFailing(trial, async () => {
        for (const [method, call] of allCalls(trial, "a")) {
          await expectRejection(call, kind, `${method} while the engine fails`);
        }
      });
    },
  },
  {
    name: " works again when its engine does",
    needs: [],
    option: "fail",
    async run(trial) {
      const { store } = trial;
      await store.set("a", 1);
      await store.set("b", 1);

      await whileFailing(trial, async () => {
        for (const [, call] of trial.calls("a")) await settle(call);
        await settle(() => store.get("b"));
      });

      await trial.expectEntry("b", 1, "of what was there before the failure");
      for (const [, call] of trial.calls("a")) await call();
      await store.set("a", 2);
      await trial.expectEntry("a", 2, "after a set that follows the failure");
    },
  },
  {
    name: " says in its error whether a failed write was applied",
    needs: ["checks"],
    option: "fail",
    async run(trial) {
      const writes: Record<string, () => Promise<unknown>> = {
        set: () => trial.store.set("a", "after"),
        delete: () => trial.store.delete("a"),
      };
      if (trial.supports.has("update")) {
        writes["update"] = () => trial.store.update("a", () => "after");
      }
      for (const [method, write] of Object.entries(writes)) {
        await trial.store.set("a", "before");
        let outcome: unknown;

        await whileFailing(trial, async () => {
          const error = await expectRejection(write, "StoreError", method);
          outcome = error.outcome;
        });

        if (outcome === "unknown") continue;
        const isThere = await trial.store.get("a") === "before";
        const expected = isThere ? "not applied" : "applied";
        expectSame(outcome, expected, `outcome of ${method}`);
      }
    },
  },
  {
    name: " checks arguments before it asks its engine",
    needs: ["checks"],
    option: "fail",
    async run(trial) {
      await whileFailing(trial, async () => {
        for (const [method, call] of trial.calls("a".repeat(1025))) {
          await expectRejection(call, "RangeError", `${method} of a long key`);
        }
        const set = (): Promise<void> => trial.store.set("a", () => {});
        await expectRejection(set, "TypeError", "set to a function");
      });
    },
  },
  {
    name: " names neither keys nor values when its engine fails",
    needs: ["checks"],
    option: "fail",
    async run(trial) {
      const { store } = trial;
      await whileFailing(trial, async () => {
        const calls = trial.calls("secret-key");
        calls.push(["set", () => store.set("a", "secret-value")]);
        for (const [method, call] of calls) {
          const error = await settle(call);
          const data = `${error}`.includes("secret");
          expectSame(data, false, `data in an error of ${method}`);
        }
      });
    },
  },
];

async function whileFailing(
  trial: Trial,
  run: () => Promise<void>,
): Promise<void> {
  const failing = await trial.fail();
  try {
    await run();
  } finally {
    await failing[Symbol.asyncDispose]();
  }
}
