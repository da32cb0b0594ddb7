/**
 * The rules about `update` when others have to do with the same key.
 *
 * @module
 */

import { expectRejection, expectSame } from "./_conformance_check.ts";
import {
  increment,
  incrementLater,
  type Rule,
  type Trial,
} from "./_conformance_run.ts";
import { makeGate } from "./_gate.ts";

/** How many writers write at once. */
const WRITERS = 100;

/** What a test has set to a list of numbers. */
function append(value: unknown, item: number): number[] {
  return [...(value as number[] | undefined ?? []), item];
}

/** What happens while an update is in flight, and what has to come of it. */
interface Intrusion {
  readonly name: string;
  readonly needs: Rule["needs"];
  readonly run: (trial: Trial) => Promise<unknown>;
  /** The values that `fn` has to see, and the one that is stored then. */
  readonly seen: readonly unknown[];
  readonly after: unknown;
}

const INTRUSIONS: readonly Intrusion[] = [
  {
    name: ".update() does not lose a set that lands while fn runs",
    needs: ["update"],
    run: ({ store }) => store.set("a", 10),
    seen: [1, 10],
    after: 11,
  },
  {
    name: ".update() does not bring a deleted entry back",
    needs: ["update"],
    run: ({ store }) => store.delete("a"),
    seen: [1, undefined],
    after: undefined,
  },
  {
    name: ".update() builds on an entry that was deleted and set anew",
    needs: ["update", "order"],
    run: ({ store }) => Promise.all([store.delete("a"), store.set("a", 20)]),
    seen: [1, 20],
    after: 21,
  },
  {
    name: ".update() does not bring an entry back that clear has removed",
    needs: ["update", "clear"],
    run: ({ store }) => store.clear(),
    seen: [1, undefined],
    after: undefined,
  },
];

/**
 * Starts an update that adds 1 to the entry, and changes the entry while its
 * first run waits.
 */
async function intrude(
  { store }: Trial,
  change: () => Promise<unknown>,
): Promise<{ seen: unknown[]; result: unknown }> {
  const started = makeGate();
  const changed = makeGate();
  const seen: unknown[] = [];
  const updated = store.update("a", async (value) => {
    seen.push(value);
    started.open();
    await changed.opened;
    return value === undefined ? undefined : increment(value);
  });
  await Promise.race([started.opened, updated]); // it may fail before
  await change();
  changed.open();
  return { result: await updated, seen };
}

function ruleOf({ name, needs, run, seen, after }: Intrusion): Rule {
  return {
    name,
    needs,
    async run(trial) {
      await trial.store.set("a", 1);

      const outcome = await intrude(trial, () => run(trial));

      expectSame(outcome.seen, seen, "the values that fn has seen");
      expectSame(outcome.result, after, "what update resolved to");
      if (after === undefined) await trial.expectMiss("a", "after update");
      else await trial.expectEntry("a", after, "after update");
    },
  };
}

/** The rules about concurrent updates. */
export const RACE_RULES: readonly Rule[] = [
  ...[increment, incrementLater].map((fn): Rule => ({
    name: `.update() loses none of ${WRITERS} writes at once by ${
      fn === increment ? "a synchronous" : "an asynchronous"
    } fn`,
    needs: ["update"],
    async run(trial) {
      const results = await Promise.all(
        Array.from({ length: WRITERS }, () => trial.store.update("a", fn)),
      );

      await trial.expectEntry("a", WRITERS, `after ${WRITERS} updates`);
      const expected = Array.from({ length: WRITERS }, (_, i) => i + 1);
      const sorted = results.map(Number).sort((a, b) => a - b);
      expectSame(sorted, expected, "what the updates resolved to, sorted");
    },
  })),
  {
    name: ".update() loses none of the writes of several keys at once",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      const keys = ["a", "b", "", "__proto__"];
      const items = Array.from({ length: WRITERS }, (_, i) => i);

      await Promise.all(
        items.map((item) =>
          store.update(keys[item % keys.length] ?? "", async (list) => {
            for (let turn = 0; turn < item % 5; turn++) await Promise.resolve();
            return append(list, item);
          })
        ),
      );

      for (const [i, key] of keys.entries()) {
        const list = await store.get(key) as number[]; // as it was stored
        const expected = items.filter((item) => item % keys.length === i);
        const sorted = list.toSorted((a, b) => a - b);
        expectSame(sorted, expected, `what was appended to "${key}", sorted`);
      }
    },
  },
  {
    name: ".update() runs one fn of a key at a time, in the order of the calls",
    needs: ["update"],
    async run({ store }) {
      const log: string[] = [];
      const updates = ["a", "b", "c", "d"].map((name, i) =>
        store.update("a", async () => {
          log.push(`${name} starts`);
          for (let turn = i; turn < 4; turn++) await Promise.resolve();
          log.push(`${name} ends`);
          return i;
        })
      );
      updates.push(store.update("a", () => void log.push("e")));
      await Promise.all(updates);

      const pairs = ["a", "b", "c", "d"].flatMap((
        name,
      ) => [`${name} starts`, `${name} ends`]);
      expectSame(log, [...pairs, "e"], "the runs of five updates");
    },
  },
  {
    name: ".update() refreshes a token once for ten callers",
    needs: ["update"],
    async run({ store }) {
      await store.set("a", { token: "old", fresh: false });
      let refreshes = 0;
      const refresh = async (value: unknown): Promise<unknown> => {
        if ((value as { fresh: boolean }).fresh) return value; // as it was set
        refreshes++;
        await Promise.resolve();
        return { token: "new", fresh: true };
      };

      const tokens = await Promise.all(
        Array.from({ length: 10 }, () => store.update("a", refresh)),
      );

      expectSame(refreshes, 1, "refreshes");
      expectSame(
        tokens,
        Array(10).fill({ token: "new", fresh: true }),
        "tokens",
      );
    },
  },
  ...INTRUSIONS.map(ruleOf),
  {
    name: ".update() gives fn a fresh copy when it runs again",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      await store.set("a", { list: [1] });
      const started = makeGate();
      const changed = makeGate();
      const updated = store.update("a", async (value) => {
        (value as { list: number[] }).list.push(0); // as it was set
        started.open();
        await changed.opened;
      });
      await Promise.race([started.opened, updated]);
      await store.set("a", { list: [2] });
      changed.open();
      await updated;

      await trial.expectEntry("a", { list: [2, 0] }, "after update");
    },
  },
  {
    name: ".update() keeps the deadline of a touch that lands while fn runs",
    needs: ["update", "touch", "ttl"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 9 * unit });

      await intrude(trial, () => store.touch("a", 3 * unit));

      await trial.expectEnd("a", 2, 3 * unit);
    },
  },
  {
    name: ".update() does not bring an entry back that expires while fn runs",
    needs: ["update", "ttl"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 2 * unit });

      const { seen } = await intrude(trial, () => trial.elapsePast(2 * unit));

      expectSame(seen, [1, undefined], "the values that fn has seen");
      await trial.expectMiss("a", "after update of an entry that expired");
    },
  },
  {
    name: " does not wait for an update in flight",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      await store.set("a", 1);

      await intrude(trial, async () => {
        for (const [method, call] of trial.calls("a")) {
          if (method !== "update") await call();
        }
      });
    },
  },
  {
    name: ".update() of one key does not wait for that of another",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      await store.set("a", 1);

      const outcome = await intrude(
        trial,
        () => store.update("b", incrementLater),
      );

      expectSame(outcome.result, 2, "update");
      await trial.expectEntry("b", 1, "of the other key");
    },
  },
  {
    name: ".update() lets fn wait for an update of another key",
    needs: ["update"],
    async run(trial) {
      const { store } = trial;
      await store.update("a", async () => {
        return append([], increment(await store.update("b", increment)));
      });

      await trial.expectEntry("a", [2], "of the outer key");
      await trial.expectEntry("b", 1, "of the inner key");
    },
  },
  {
    name: ".update() lets nobody wait for ever for an fn that never settles",
    needs: ["update"],
    option: "updateTimeout",
    async run(trial) {
      const { store, updateTimeout } = trial;
      const started = makeGate();
      const late = makeGate();
      await store.set("a", 1);
      const hung = store.update("a", async () => {
        started.open();
        await late.opened;
        return 99;
      });
      await Promise.race([started.opened, hung]);
      const waiting = store.update("a", () => 2);
      for (let i = 0; i < 5; i++) await trial.pause();
      if (trial.exactTime) await trial.elapse(updateTimeout);

      for (const update of [hung, waiting]) {
        const { outcome } = await expectRejection(
          () => update,
          "StoreError",
          "update that hangs or waits",
        );
        expectSame(outcome, "not applied", "the outcome of an update given up");
      }
      expectSame(await store.update("a", increment), 2, "update after them");
      late.open();
      for (let i = 0; i < 5; i++) await trial.pause();
      await trial.expectEntry("a", 2, "after fn has settled, too late");
    },
  },
];
