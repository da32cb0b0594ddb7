import { assertEquals } from "@std/assert";
import { inspect as inspectOnDeno } from "node:util";
import { inspect, isDeepStrictEqual } from "./util.ts";

class Point {
  constructor(readonly x: number) {}
}

const VALUES: unknown[] = [
  undefined,
  null,
  true,
  0,
  -0,
  NaN,
  1n,
  "text",
  Symbol("s"),
  [1, [2]],
  { a: 1, b: { c: "d" } },
  new Set([1, 2]),
  new Date(0),
  new Date(NaN),
  new Point(1),
  Math.max,
];
for (const value of VALUES) {
  Deno.test(`inspect() of the shim shows ${inspectOnDeno(value)} as Node does`, () => {
    assertEquals(inspect(value), inspectOnDeno(value));
  });
}

Deno.test("inspect() of the shim ends at a cycle", () => {
  const value: Record<string, unknown> = {};
  value.self = value;

  assertEquals(inspect(value), "{ self: [Circular] }");
});

const EQUAL: [a: unknown, b: unknown][] = [
  [NaN, NaN],
  [{ a: { b: 1 } }, { a: { b: 1 } }],
  [new Point(1), new Point(1)],
  [/a/g, /a/g],
];
for (const [a, b] of EQUAL) {
  Deno.test(`isDeepStrictEqual() of the shim finds two ${inspectOnDeno(a)} equal`, () => {
    assertEquals(isDeepStrictEqual(a, b), true);
  });
}

const DIFFERENT: [a: unknown, b: unknown][] = [
  [0, -0],
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { b: 1 }],
  [new Point(1), { x: 1 }],
  [/a/g, /a/],
  [new URL("http://a"), new URL("http://b")],
  [null, {}],
];
for (const [a, b] of DIFFERENT) {
  Deno.test(`isDeepStrictEqual() of the shim tells ${inspectOnDeno(a)} from ${inspectOnDeno(b)}`, () => {
    assertEquals(isDeepStrictEqual(a, b), false);
  });
}
