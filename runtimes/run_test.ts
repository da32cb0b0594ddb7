import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { TestFunction } from "./definition.ts";
import { runTests, type RunTestsOptions, type TestResult } from "./run.ts";

function runAll(
  tests: Record<string, TestFunction>,
  options?: RunTestsOptions,
): Promise<TestResult[]> {
  const definitions = Object.entries(tests)
    .map(([name, fn]) => ({ name, ignore: false, fn }));
  return runTests(definitions, options);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("runTests() awaits a test before it begins the next one", async () => {
  const log: string[] = [];

  const results = await runAll({
    a: async () => {
      log.push("a begins");
      await turn();
      log.push("a ends");
    },
    b: () => {
      log.push("b");
    },
  });

  assertEquals(log, ["a begins", "a ends", "b"]);
  assertEquals(results, [
    { name: "a", outcome: "passed" },
    { name: "b", outcome: "passed" },
  ]);
});

const FAILURES: Record<string, TestFunction> = {
  "a test that throws": () => {
    throw new Error("boom");
  },
  "a test that rejects": async () => {
    await turn();
    throw new Error("boom");
  },
  "a test that throws no error": () => {
    throw "boom";
  },
};
for (const [name, fn] of Object.entries(FAILURES)) {
  Deno.test(`runTests() fails ${name} and runs the others`, async () => {
    const results = await runAll({ a: fn, b: () => {} });

    assertEquals(results.map(({ outcome }) => outcome), ["failed", "passed"]);
    assertStringIncludes(results[0]?.detail ?? "", "boom");
  });
}

Deno.test("runTests() fails a test that does not end", async () => {
  const [result] = await runAll(
    { a: () => new Promise(() => {}) },
    { timeout: 5 },
  );

  assertEquals(result?.outcome, "failed");
  assertStringIncludes(result?.detail ?? "", "within 5 ms");
});

Deno.test("runTests() skips an ignored test", async () => {
  let ran = false;
  const fn = (): void => {
    ran = true;
  };

  const results = await runTests([{ name: "a", ignore: true, fn }]);

  assertEquals(results.map(({ outcome }) => outcome), ["skipped"]);
  assert(!ran);
});

Deno.test("runTests() skips a test that is named, with the reason", async () => {
  const results = await runAll(
    { a: () => {}, b: () => {} },
    { skips: { b: "no clock" } },
  );

  assertEquals(results, [
    { name: "a", outcome: "passed" },
    { name: "b", outcome: "skipped", detail: "no clock" },
  ]);
});

Deno.test("runTests() fails when no test has a name to be skipped", async () => {
  const results = await runAll({ a: () => {} }, { skips: { b: "no clock" } });

  assertEquals(results.map(({ name, outcome }) => `${name} ${outcome}`), [
    "a passed",
    "b failed",
  ]);
});

Deno.test("runTests() fails for a rejection that nobody handles", async () => {
  const results = await runAll({
    a: () => void Promise.reject(new Error("left alone")),
    b: () => {},
  });

  const failures = results.filter(({ outcome }) => outcome === "failed");
  assertEquals(failures.length, 1);
  assertStringIncludes(failures[0]?.detail ?? "", "left alone");
});

Deno.test("runTests() forgives a rejection that is handled late", async () => {
  const results = await runAll({
    // As workerd tells it, which does not wait for the handler.
    a: () => {
      const promise = Promise.resolve();
      for (const type of ["unhandledrejection", "rejectionhandled"]) {
        const event = new Event(type, { cancelable: true });
        dispatchEvent(Object.assign(event, { promise, reason: "late" }));
      }
    },
  });

  assertEquals(results, [{ name: "a", outcome: "passed" }]);
});
