/**
 * The rules about deadlines: what moves them, and what is left when one is over.
 *
 * @module
 */

import { expectSame } from "./_conformance_check.ts";
import type { Rule } from "./_conformance_run.ts";

/** A time that is longer than any ttl, in milliseconds. */
const CENTURY = 100 * 365 * 24 * 60 * 60 * 1000;

/** The rules about deadlines. */
export const TIME_RULES: readonly Rule[] = [
  {
    name: ".set() without a ttl lets an entry live for ever",
    needs: ["ttl"],
    async run(trial) {
      await trial.store.set("a", 1);

      await trial.elapse(trial.exactTime ? CENTURY : trial.unit);

      await trial.expectEntry("a", 1, "long after it was set without a ttl");
    },
  },
  {
    name: ".set() replaces a deadline, too",
    needs: ["ttl"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 3 * unit });
      await store.set("b", 1, { ttl: 3 * unit });
      await store.set("c", 1, { ttl: 9 * unit });
      await trial.elapse(unit);

      await store.set("a", 2);
      await store.set("b", 2, { ttl: 9 * unit });
      await store.set("c", 2, { ttl: 2 * unit });

      await trial.elapsePast(2 * unit);
      await trial.expectEntry("a", 2, "after the ttl of an earlier set");
      await trial.expectEntry(
        "b",
        2,
        "after the shorter ttl of an earlier set",
      );
      await trial.expectMiss("c", "after the ttl of the last set");
    },
  },
  {
    name: ".delete() takes the deadline away with the entry",
    needs: ["ttl"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 2 * unit });
      await store.delete("a");
      await store.set("a", 2);

      await trial.elapsePast(2 * unit);

      await trial.expectEntry("a", 2, "after the ttl of a deleted entry");
    },
  },
  {
    name: ".has() is false when an entry has expired",
    needs: ["ttl", "has"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 3 * unit });

      await trial.elapse(2 * unit);
      expectSame(await store.has("a"), true, "has before the deadline");
      await trial.elapsePast(unit);
      expectSame(await store.has("a"), false, "has after the deadline");
    },
  },
  {
    name: ".touch() is false for an expired entry and does not revive it",
    needs: ["ttl", "touch"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: unit });
      await trial.elapsePast(unit);

      expectSame(await store.touch("a"), false, "touch after the deadline");
      await trial.expectMiss("a", "after touch of an expired entry");
    },
  },
  {
    name: ".touch() without a ttl takes the deadline away",
    needs: ["ttl", "touch"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 3 * unit });

      await store.touch("a");

      await trial.elapsePast(3 * unit);
      await trial.expectEntry("a", 1, "after the deadline before touch");
    },
  },
  {
    name: ".touch() makes a life longer or shorter, from the call on",
    needs: ["ttl", "touch"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 3 * unit });
      await store.set("b", 1, { ttl: 9 * unit });
      await trial.elapse(unit);

      await store.touch("a", 4 * unit);
      await store.touch("b", 2 * unit);

      await trial.elapsePast(2 * unit);
      await trial.expectEntry("a", 1, "after the deadline before touch");
      await trial.expectMiss("b", "after a shorter ttl by touch");
      await trial.elapsePast(2 * unit);
      await trial.expectMiss("a", "after a longer ttl by touch");
    },
  },
  {
    name: ".update() keeps the deadline",
    needs: ["ttl", "update"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 5 * unit });
      await trial.elapse(2 * unit);

      await store.update("a", () => 2);

      await trial.expectEnd("a", 2, 3 * unit);
    },
  },
  {
    name: ".update() gives an entry a new ttl, also when the value stays",
    needs: ["ttl", "update"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: 3 * unit });
      await store.set("b", 1, { ttl: 3 * unit });
      await trial.elapse(unit);

      await store.update("a", () => 2, { ttl: 9 * unit });
      await store.update("b", () => {}, { ttl: 9 * unit });

      await trial.elapsePast(2 * unit);
      await trial.expectEntry("a", 2, "after the deadline before update");
      await trial.expectEntry("b", 1, "after the deadline before update");
    },
  },
  {
    name: ".update() gives an entry that it creates no deadline but its ttl",
    needs: ["ttl", "update"],
    async run(trial) {
      const { store, unit } = trial;
      await store.update("a", () => 1, { ttl: 3 * unit });
      await store.update("b", () => 1);

      await trial.expectEnd("a", 1, 3 * unit);
      await trial.expectEntry("b", 1, "of an entry that was given no ttl");
    },
  },
  {
    name: ".update() finds nothing when an entry has expired",
    needs: ["ttl", "update"],
    async run(trial) {
      const { store, unit } = trial;
      await store.set("a", 1, { ttl: unit });
      await trial.elapsePast(unit);
      const seen: unknown[] = [];

      const result = await store.update("a", (value) => void seen.push(value));

      expectSame(seen, [undefined], "what fn was given");
      expectSame(result, undefined, "update of an expired entry");
      await trial.expectMiss("a", "after update of an expired entry");
    },
  },
];
