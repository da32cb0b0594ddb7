/**
 * The rules about keys, and about an entry coming and going.
 *
 * @module
 */

import {
  ConformanceError,
  type ErrorKind,
  expectRejection,
  expectSame,
  settle,
} from "./_conformance_check.ts";
import type { Rule, Trial } from "./_conformance_run.ts";
import { KEYS, LOOKALIKES, NOT_KEYS } from "./_conformance_samples.ts";

/** Each method refuses a key, and nothing is changed. */
async function expectRefusal(
  trial: Trial,
  key: unknown,
  kind: ErrorKind,
  what: string,
): Promise<void> {
  // Wrong on purpose: the store has to notice.
  for (const [method, call] of trial.calls(key as string)) {
    await expectRejection(call, kind, `${method} of ${what}`);
  }
}

/** The rules about keys. */
export const KEY_RULES: readonly Rule[] = [
  {
    name: ".get() finds nothing under a key that was never set",
    needs: [],
    async run(trial) {
      for (const key of ["a", "", "__proto__", "constructor", "toString"]) {
        await trial.expectMiss(key, `of "${key}"`);
      }
    },
  },
  {
    name: ".get() resolves to what .set() has stored",
    needs: [],
    async run(trial) {
      const { store } = trial;

      await store.set("a", { n: 1 });
      await store.set("b", "two");

      await trial.expectEntry("a", { n: 1 }, "of one key");
      await trial.expectEntry("b", "two", "of another key");
      await trial.expectEntry("a", { n: 1 }, "of one key again");
    },
  },
  {
    name: ".set() replaces a value",
    needs: [],
    async run(trial) {
      const { store } = trial;
      await store.set("a", { n: 1, m: 1 });

      await store.set("a", { n: 2 });

      await trial.expectEntry("a", { n: 2 }, "after the second set");
    },
  },
  {
    name: ".delete() removes an entry",
    needs: [],
    async run(trial) {
      const { store } = trial;
      await store.set("a", 1);

      await store.delete("a");

      await trial.expectMiss("a", "after delete");
      await store.set("a", 2);
      await trial.expectEntry("a", 2, "after a set that follows delete");
    },
  },
  {
    name: ".delete() does nothing when there is no entry",
    needs: [],
    async run(trial) {
      await trial.store.delete("a");

      await trial.expectMiss("a", "after delete");
    },
  },
  {
    name: ".delete() removes no other entry",
    needs: [],
    async run(trial) {
      const { store } = trial;
      await store.set("a:b", 1);

      for (const key of ["*", "a*", "?:b", "[a]:b", "a", "a:", "%", "a%", ""]) {
        await store.delete(key);
        await trial.expectEntry("a:b", 1, `of "a:b" after delete of "${key}"`);
      }
    },
  },
  {
    name: ".set() and .delete() resolve to nothing",
    needs: [],
    async run({ store }) {
      expectSame(await store.set("a", 1), undefined, "set");
      expectSame(await store.delete("a"), undefined, "delete of an entry");
      expectSame(await store.delete("a"), undefined, "delete of none");
    },
  },
  {
    name: " returns a promise from each method",
    needs: [],
    async run(trial) {
      for (const [method, call] of trial.calls("a")) {
        const returned: unknown = call();
        if (returned instanceof Promise) {
          await returned;
          continue;
        }
        throw new ConformanceError(
          `${method}: expected a promise: received none`,
        );
      }
    },
  },
  {
    name: ".has() tells whether there is an entry",
    needs: ["has"],
    async run({ store }) {
      expectSame(await store.has("a"), false, "has before set");
      for (const value of [1, 0, "", false]) {
        await store.set("a", value);
        expectSame(await store.has("a"), true, `has after set to ${value}`);
      }
      await store.delete("a");
      expectSame(await store.has("a"), false, "has after delete");
    },
  },
  {
    name: " takes any well-formed key",
    needs: [],
    async run(trial) {
      const { store } = trial;
      for (const [what, key] of KEYS) {
        await store.set(key, what);
        await trial.expectEntry(key, what, `of the key ${what}`);
        await store.delete(key);
        await trial.expectMiss(key, `of the key ${what} after delete`);
      }
    },
  },
  {
    name: " keeps keys apart that look alike",
    needs: [],
    async run(trial) {
      const { store } = trial;
      for (const [what, one, other] of LOOKALIKES) {
        await store.set(one, `one of ${what}`);
        await store.set(other, `other of ${what}`);
        const when = `of a key after set of one that differs by ${what}`;
        await trial.expectEntry(one, `one of ${what}`, when);
        await store.delete(one);
        await store.delete(other);
      }
    },
  },
  {
    name: " refuses keys that are not strings",
    needs: ["checks"],
    async run(trial) {
      for (const [what, make] of NOT_KEYS) {
        await expectRefusal(
          trial,
          make(),
          "TypeError",
          `a key that is ${what}`,
        );
      }
      await trial.expectMiss("1", "of what the refused keys look like");
    },
  },
  {
    name: " never asks a key for its text",
    needs: ["checks"],
    async run(trial) {
      let asked = 0;
      const ask = (): string => `a${asked++}`;
      const key = { toString: ask, valueOf: ask, [Symbol.toPrimitive]: ask };

      for (const [, call] of trial.calls(key as never)) { // wrong on purpose
        await settle(call);
      }

      expectSame(asked, 0, "calls of toString of a key");
    },
  },
  {
    name: " refuses keys with a lone surrogate",
    needs: ["checks"],
    async run(trial) {
      for (const key of ["\ud800", "a\udfff", "\udc00\ud800", "\ud800b"]) {
        const what = `the key ${JSON.stringify(key)}`;
        await expectRefusal(trial, key, "TypeError", what);
      }
      await trial.expectMiss("\ufffd", "of U+FFFD");
    },
  },
  {
    name: " refuses keys of more than 1,024 bytes",
    needs: ["checks"],
    async run(trial) {
      const keys: [string, string][] = [
        ["1,025 bytes of one each", "a".repeat(1025)],
        ["1,026 bytes of two each", "é".repeat(513)],
        ["1,026 bytes of three each", "€".repeat(342)],
        ["1,028 bytes of four each", "😀".repeat(257)],
        ["a million bytes", "a".repeat(1_000_000)],
      ];
      for (const [what, key] of keys) {
        await expectRefusal(trial, key, "RangeError", `a key of ${what}`);
      }
    },
  },
  {
    name: " rejects and never throws",
    needs: ["checks"],
    async run(trial) {
      for (const key of [1, "\ud800", "a".repeat(1025)]) {
        for (const [method, call] of trial.calls(key as string)) { // on purpose
          let returned: unknown;
          try {
            returned = call();
          } catch {
            throw new ConformanceError(
              `${method} of a key that is refused: expected a rejection: it threw`,
            );
          }
          await settle(() => returned);
        }
      }
    },
  },
  {
    name: " names neither keys nor values in its messages",
    needs: ["checks"],
    async run({ store }) {
      const key = "secret-key";
      const value = { token: "secret-value", list: [() => "secret-value"] };
      const calls: [string, () => Promise<unknown>][] = [
        ["a long key", () => store.get(key.repeat(200))],
        ["a key with a lone surrogate", () => store.get(`${key}\ud800`)],
        ["a key that is an array", () => store.get([key] as never)], // on purpose
        ["a value that is not portable", () => store.set(key, value)],
        ["undefined", () => store.set(key, undefined)],
      ];
      for (const [what, call] of calls) {
        const { message } = await expectRejection(call, undefined, what);
        expectSame(message.includes("secret"), false, `data in "${message}"`);
      }
    },
  },
];
