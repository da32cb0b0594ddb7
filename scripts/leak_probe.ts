/**
 * Watches the sessions of a test file from within its process, for
 * `session_leak_e2e_test.ts`, which puts it before the tests:
 *
 * ```sh
 * LEAK_REPORTS=folder deno test --preload=scripts/leak_probe.ts session_test.ts
 * ```
 *
 * It notes every id and all data that a session is given or gives out, and looks
 * for them in every error that leaves a session and in every session that is
 * shown. When the tests are over it writes a {@linkcode LeakReport}, by which
 * its parent looks for them in what the process has printed.
 *
 * @module
 */

import { Session } from "../session.ts";
import { makeSearch } from "./leak_search.ts";

/** What was seen in one test file. */
export interface LeakReport {
  /** Every id that was issued or sent. */
  ids: string[];
  /** Every text in the data of a session that is long enough to tell. */
  data: string[];
  /** How many errors have left a session, and how often one was shown. */
  searched: { errors: number; shown: number };
  /** Each secret that was in one of them, and where. */
  leaks: string[];
}

/** Shorter texts are a part of many words by chance. */
const MIN_TEXT = 6;

const ID = /^[\w-]{22,128}$/;

/** Which argument of a method is data. */
const DATA_AT: Record<string, number> = {
  create: 0,
  requestCookie: 0,
  update: 1,
  regenerate: 1,
  signIn: 2,
};

/** The methods that give an id out. */
const GIVES_ID = /^(create|regenerate|idFromRequest|signIn|requestCookie)$/;

const ids = new Set<string>();
const data = new Set<string>();
const searched = { errors: 0, shown: 0 };
/** What is to be searched, and where it comes from. */
const texts = new Map<string, string>();
const calls = new WeakMap<object, number>();

function noteId(value: unknown): void {
  if (typeof value !== "string") return;
  const id = value.slice(value.indexOf("=") + 1); // requestCookie() has a name
  if (ID.test(id)) ids.add(id);
}

function noteData(value: unknown, depth = 0): void {
  if (typeof value === "string" && value.length >= MIN_TEXT) data.add(value);
  if (typeof value !== "object" || value === null || depth > 5) return;
  try {
    // Not by reading them: a getter may count, or throw.
    const members = Object.getOwnPropertyDescriptors(value);
    for (const { value } of Object.values(members)) noteData(value, depth + 1);
  } catch {
    // A proxy that throws is a part of the test and holds nothing.
  }
}

function noteError(where: string, error: unknown): void {
  searched.errors++;
  let isNew = false;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const text = `${cause.message}\n${cause.stack}`;
    isNew ||= !texts.has(text) || Object.keys(cause).length > 0;
    texts.set(text, where);
  }
  // Showing it takes a hundred times as long, and most are like one before.
  if (isNew) texts.set(Deno.inspect(error, { depth: 9 }), where);
}

/** Shows a session at its fourth, 16th, 64th… call, when there is much in it. */
function noteSession(where: string, session: object): void {
  const count = (calls.get(session) ?? 0) + 1;
  calls.set(session, count);
  if (count === 1 || Math.log2(count) % 2 !== 0) return;
  searched.shown++;
  const text = Deno.inspect(session, { depth: 9, showHidden: true });
  texts.set(text, `a session at ${where}`);
}

function watch(name: string, method: (...args: unknown[]) => unknown): unknown {
  return function (this: object, ...args: unknown[]): unknown {
    noteSession(name, this);
    for (const arg of args) noteId(arg);
    noteData(args[DATA_AT[name] ?? -1]);
    try {
      const result = Reflect.apply(method, this, args);
      if (result instanceof Promise) {
        result.then(
          (value) => GIVES_ID.test(name) && noteId(value),
          (error) => noteError(name, error),
        );
      }
      return result;
    } catch (error) {
      noteError(name, error);
      throw error;
    }
  };
}

const methods = Object.getOwnPropertyDescriptors(Session.prototype);
for (const [name, { value }] of Object.entries(methods)) {
  if (name === "constructor" || typeof value !== "function") continue;
  Object.defineProperty(Session.prototype, name, {
    value: watch(name, value),
    configurable: true,
    writable: true,
  });
}

/** The ids that no method gives out, such as that of a cookie. */
const platform = Object.getPrototypeOf(crypto);
const { getRandomValues } = platform;
platform.getRandomValues = function (bytes: Uint8Array): Uint8Array {
  Reflect.apply(getRandomValues, this, [bytes]);
  if (bytes.length === 24) ids.add(bytes.toBase64({ alphabet: "base64url" }));
  return bytes;
};

addEventListener("unload", () => {
  const search = makeSearch({ ids, data });
  const leaks = [...texts].flatMap(([text, where]) =>
    search(text).map((secret) => `${secret} in ${where}: ${text}`)
  );
  const report: LeakReport = {
    ids: [...ids],
    data: [...data],
    searched,
    leaks,
  };
  Deno.writeTextFileSync(
    `${Deno.env.get("LEAK_REPORTS")}/${crypto.randomUUID()}.json`,
    JSON.stringify(report),
  );
});
