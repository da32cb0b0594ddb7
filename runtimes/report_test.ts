import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkCount,
  countResults,
  describeFailures,
  formatCell,
  formatCounts,
  makeTable,
} from "./report.ts";
import type { TestResult } from "./run.ts";

const PASSED: TestResult = { name: "a", outcome: "passed" };
const FAILED: TestResult = { name: "b", outcome: "failed", detail: "boom" };
const SKIPPED: TestResult = { name: "c", outcome: "skipped", detail: "why" };

Deno.test("countResults() counts each outcome", () => {
  const counts = countResults([PASSED, PASSED, FAILED, SKIPPED]);

  assertEquals(counts, { passed: 2, failed: 1, skipped: 1 });
});

Deno.test("checkCount() leaves as many results as expected alone", () => {
  assertEquals(checkCount([PASSED, SKIPPED], 2), [PASSED, SKIPPED]);
});

for (const expected of [0, 2]) {
  Deno.test(`checkCount() fails one result of ${expected}`, () => {
    const results = checkCount([PASSED], expected);

    assertEquals(countResults(results), { passed: 1, failed: 1, skipped: 0 });
    assertStringIncludes(describeFailures(results), `Deno has ${expected}`);
  });
}

Deno.test("checkCount() adds nothing to a failure", () => {
  assertEquals(checkCount([FAILED], 2), [FAILED]);
});

Deno.test("describeFailures() tells why each test failed", () => {
  assertEquals(
    describeFailures([PASSED, FAILED, SKIPPED]),
    "not ok: b\nboom\n",
  );
});

Deno.test("formatCounts() names every number", () => {
  const counts = { passed: 2, failed: 0, skipped: 1 };

  assertEquals(formatCounts(counts), "2 passed, 0 failed, 1 skipped");
});

Deno.test("formatCell() names only what is not zero", () => {
  assertEquals(formatCell({ passed: 2, failed: 0, skipped: 0 }), "2");
  assertEquals(
    formatCell({ passed: 2, failed: 1, skipped: 3 }),
    "2, 1 failed, 3 skipped",
  );
});

Deno.test("makeTable() makes a table in Markdown", () => {
  assertEquals(
    makeTable(["File", "Node"], [["a", "1"]]),
    "| File | Node |\n| --- | ---: |\n| a | 1 |",
  );
});
