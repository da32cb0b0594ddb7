/**
 * The rules about whose a value is: nobody reaches what is stored.
 *
 * @module
 */

import { expectSame } from "./_conformance_check.ts";
import type { Rule } from "./_conformance_run.ts";

/** The rules about copies. */
export const COPY_RULES: readonly Rule[] = [
  {
    name: ".set() stores what the value is at the call",
    needs: ["copies"],
    async run(trial) {
      const value = { list: [1] };

      const set = trial.store.set("a", value);
      value.list.push(2);
      await set;
      value.list.push(3);

      await trial.expectEntry(
        "a",
        { list: [1] },
        "after a change of what was set",
      );
    },
  },
  {
    name: ".get() gives each reader a copy",
    needs: ["copies"],
    async run(trial) {
      const { store } = trial;
      await store.set("a", { list: [1] });

      // As it was set.
      const one = await store.get("a") as { list: number[] };
      const other = await store.get("a") as { list: number[] };
      one.list.push(2);

      expectSame(other, { list: [1] }, "what another reader has");
      await trial.expectEntry(
        "a",
        { list: [1] },
        "after a change of what was got",
      );
    },
  },
  {
    name: " gives copies that are not frozen",
    needs: ["copies"],
    async run(trial) {
      await trial.store.set("a", Object.freeze({ a: Object.freeze([1]) }));

      const value = await trial.store.get("a");
      expectSame(value, { a: [1] }, "get of a frozen value");
      expectSame(Object.isFrozen(value), false, "whether the copy is frozen");
    },
  },
  {
    name: ".update() shares nothing with fn or the caller",
    needs: ["copies", "update"],
    async run(trial) {
      const { store } = trial;
      const held: { list: number[] }[] = [];
      const hold = (value: unknown): { list: number[] } => {
        held.push(value as { list: number[] }); // as it was set
        return value as { list: number[] };
      };
      await store.set("a", { list: [1] });

      hold(await store.update("a", (value) => void hold(value)));
      hold(await store.update("a", (value) => hold(value)));
      hold(await store.update("a", () => hold({ list: [1] })));
      for (const { list } of held) list.push(2);

      await trial.expectEntry(
        "a",
        { list: [1] },
        "after a change of what update gave",
      );
    },
  },
];
