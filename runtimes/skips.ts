/**
 * The tests that cannot run on a runtime, and why. Whoever adds one says what
 * is missing there; a name that no test has fails the run.
 *
 * @module
 */

/** The runtimes the tests run on besides Deno. */
export const RUNTIMES = [
  "node",
  "bun",
  "workerd",
  "workerd-node",
  "chromium",
] as const;

/** One of {@linkcode RUNTIMES}. */
export type RuntimeName = typeof RUNTIMES[number];

/** Test files that need what only Deno has, and where else that is tested. */
export const DENO_ONLY: Readonly<Record<string, string>> = {
  "deno_kv_store_test.ts":
    "Deno.openKv: deno_kv_store_integration_test.ts has the kit on Node and Bun",
};

/** Names of tests, and why they cannot run. */
export type Skips = Readonly<Record<string, string>>;

/** A test that cannot run on some runtimes. */
interface Skip {
  on: readonly RuntimeName[];
  file: string;
  test: string;
  reason: string;
}

const WORKERD: readonly RuntimeName[] = ["workerd", "workerd-node"];
const COOKIES = "a page may neither send Cookie nor receive Set-Cookie";

const SKIPS: readonly Skip[] = [
  {
    on: WORKERD,
    file: "_value_test.ts",
    test:
      "MemoryStore.set() takes plain objects and arrays of another realm for its own",
    reason: "there is one realm only",
  },
  {
    on: ["chromium"],
    file: "session_test.ts",
    test: "Session.fromRequest() reads a Request",
    reason: COOKIES,
  },
  {
    on: ["chromium"],
    file: "session_test.ts",
    test:
      "Session.setCookie() writes a cookie that is safe by default (R21, R22, R23, R30)",
    reason: COOKIES,
  },
  {
    on: ["chromium"],
    file: "session_test.ts",
    test:
      "Session sends one cookie of its name and keeps the others in order (R26)",
    reason: COOKIES,
  },
];

/** The tests of a file that are skipped on a runtime. */
export function skipsFor(runtime: RuntimeName, file: string): Skips {
  const skips = SKIPS.filter((skip) =>
    skip.file === file && skip.on.some((name) => name === runtime)
  );
  return Object.fromEntries(skips.map(({ test, reason }) => [test, reason]));
}
