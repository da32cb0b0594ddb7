/**
 * What this project's tests rely on in `@std/*`. The imports go through the
 * import map, so the stand-ins are tested where they are in use, and where JSR
 * answers the real packages are: both have to behave as said here.
 *
 * @module
 */

import {
  assert,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";
import { deadline, delay } from "@std/async";
import { deadline as deadlineAlone } from "@std/async/deadline";
import { delay as delayAlone } from "@std/async/delay";
import {
  assertSpyCall,
  assertSpyCalls,
  MockError,
  spy,
  stub,
} from "@std/testing/mock";
import { FakeTime, TimeError } from "@std/testing/time";
import { assertType } from "@std/testing/types";
import type {
  Has,
  IsAny,
  IsExact,
  IsNever,
  IsNullable,
  IsUnknown,
  NotHas,
} from "@std/testing/types";
import { deadline as ownDeadline } from "./async.ts";
import { equal as ownEqual } from "./equal.ts";
import standIns from "./import_map.json" with { type: "json" };
import project from "../deno.json" with { type: "json" };

/**
 * The message an assertion fails with. Checked by hand, since an assertion
 * cannot vouch for itself, and by name, since two of the real packages may
 * come with a class each.
 */
async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AssertionError") {
      throw error;
    }
    return error.message;
  }
  throw new Error("Cannot read refusal: the assertion passed");
}

async function assertRefuses(
  run: () => unknown,
  ...parts: string[]
): Promise<void> {
  const message = await refusal(run);
  for (const part of parts) {
    if (!message.includes(part)) {
      throw new Error(`Cannot find ${part} in message: received ${message}`);
    }
  }
}

class Point {
  #x: number;
  constructor(x: number) {
    this.#x = x;
  }
  get x(): number {
    return this.#x;
  }
}

function circle(radius: number): object {
  const shape: Record<string, unknown> = { radius };
  shape.self = shape;
  return shape;
}

const tag = Symbol("tag");

/** Pairs of values made apart: the second one anew for each comparison. */
const EQUAL: Record<string, [() => unknown, () => unknown]> = {
  "NaN": [() => NaN, () => NaN],
  "0 and -0": [() => 0, () => -0],
  "0 and -0 in an array": [() => [0], () => [-0]],
  "a bigint": [() => 1n, () => 1n],
  "nested arrays and objects": [
    () => [1, [{ a: [NaN, null] }]],
    () => [1, [{ a: [NaN, null] }]],
  ],
  "fields in another order": [() => ({ a: 1, b: 2 }), () => ({ b: 2, a: 1 })],
  "symbol keys": [() => ({ [tag]: 1 }), () => ({ [tag]: 1 })],
  "an own __proto__": [
    () => JSON.parse('{"__proto__":1}'),
    () => JSON.parse('{"__proto__":1}'),
  ],
  "a plain object and one without a prototype": [
    () => ({ a: 1 }),
    () => Object.assign(Object.create(null), { a: 1 }),
  ],
  "dates": [() => new Date(1), () => new Date(1)],
  "invalid dates": [() => new Date(NaN), () => new Date("no")],
  "patterns": [() => /a/g, () => /a/g],
  "maps in another order": [
    () => new Map([["a", 1], ["b", 2]]),
    () => new Map([["b", 2], ["a", 1]]),
  ],
  "maps with keys that are objects": [
    () => new Map([[{ a: 1 }, [1]], [{ a: 2 }, [2]]]),
    () => new Map([[{ a: 2 }, [2]], [{ a: 1 }, [1]]]),
  ],
  "maps with a key NaN": [() => new Map([[NaN, 0]]), () => new Map([[NaN, 0]])],
  "sets in another order": [() => new Set([1, "a"]), () => new Set(["a", 1])],
  "sets of objects": [
    () => new Set([{ a: 1 }, { a: 2 }]),
    () => new Set([{ a: 2 }, { a: 1 }]),
  ],
  "typed arrays": [
    () => new Uint8Array([1, 2]),
    () => new Uint8Array([1, 2, 3]).subarray(0, 2),
  ],
  "typed arrays with NaN": [
    () => new Float64Array([NaN]),
    () => new Float64Array([NaN]),
  ],
  "buffers": [() => new ArrayBuffer(2), () => new ArrayBuffer(2)],
  "cycles": [() => circle(1), () => circle(1)],
  "addresses": [() => new URL("a:b"), () => new URL("a:b")],
};

const DIFFERENT: Record<string, [() => unknown, () => unknown]> = {
  "a number and a string": [() => 1, () => "1"],
  "a number and a bigint": [() => 1, () => 1n],
  "null and undefined": [() => null, () => undefined],
  "an array and an object": [() => [], () => ({})],
  "a field that is undefined and none": [() => ({ a: undefined }), () => ({})],
  "fields that are undefined, of other names": [
    () => ({ a: undefined }),
    () => ({ b: undefined }),
  ],
  "a field and an inherited one": [
    () => ({ constructor: Object }),
    () => ({ other: Object }),
  ],
  "an own __proto__ and none": [
    () => JSON.parse('{"__proto__":{}}'),
    () => ({}),
  ],
  "symbol keys": [() => ({ [tag]: 1 }), () => ({ [tag]: 2 })],
  "a hole and undefined": [
    () => {
      const list = new Array(2);
      list[1] = 1;
      return list;
    },
    () => [undefined, 1],
  ],
  "dates": [() => new Date(1), () => new Date(2)],
  "a date and an invalid one": [() => new Date(0), () => new Date(NaN)],
  "a date and its number": [() => new Date(0), () => 0],
  "patterns of other flags": [() => /a/g, () => /a/],
  "maps of other values": [
    () => new Map([["a", 1]]),
    () => new Map([["a", 2]]),
  ],
  "maps with keys that are objects": [
    () => new Map([[{ a: 1 }, 1]]),
    () => new Map([[{ a: 2 }, 1]]),
  ],
  "a map and an object": [() => new Map(), () => ({})],
  "a map without its key and with undefined": [
    () => new Map([["a", undefined]]),
    () => new Map([["b", undefined]]),
  ],
  "a map and a set": [() => new Map(), () => new Set()],
  "sets": [() => new Set([1]), () => new Set([2])],
  "sets of objects": [() => new Set([{ a: 1 }]), () => new Set([{ a: 2 }])],
  "typed arrays": [() => new Uint8Array([1]), () => new Uint8Array([2])],
  "typed arrays of other types": [
    () => new Uint8Array([1]),
    () => new Int8Array([1]),
  ],
  "buffers": [() => new ArrayBuffer(1), () => new Uint8Array([1]).buffer],
  "instances that differ in a getter": [() => new Point(1), () => new Point(2)],
  "an instance and a plain object": [
    () => new Point(1),
    () => ({}),
  ],
  "functions": [() => () => 1, () => () => 1],
  "cycles": [() => circle(1), () => circle(2)],
  "search parameters": [
    () => new URLSearchParams("a=1"),
    () => new URLSearchParams("a=2"),
  ],
};

for (const [what, [left, right]] of Object.entries(EQUAL)) {
  Deno.test(`assertEquals() passes for ${what}`, async () => {
    assertEquals(left(), right());
    assertEquals(right(), left());
    await assertRefuses(() => assertNotEquals(left(), right()));
  });
}

for (const [what, [left, right]] of Object.entries(DIFFERENT)) {
  Deno.test(`assertNotEquals() passes for ${what} that differ`, async () => {
    assertNotEquals(left(), right());
    assertNotEquals(right(), left());
    await assertRefuses(() => assertEquals(left(), right()));
    await assertRefuses(() => assertEquals(right(), left()));
  });
}

Deno.test("the stand-in's equal() counts holes", () => {
  assertFalse(ownEqual([], new Array(1)));
});

Deno.test("the stand-in's equal() forgets what it found different", () => {
  function pairs(shared: object, first: number, second: number): unknown {
    return new Set([[shared, first], [shared, second]]);
  }

  assert(ownEqual(pairs({ v: 1 }, 1, 2), pairs({ v: 1 }, 2, 1)));
  assertFalse(ownEqual(pairs({ v: 1 }, 1, 2), pairs({ v: 2 }, 2, 1)));
});

Deno.test("equal() refuses to guess what weak collections hold", () => {
  const weak = new WeakMap();

  assert(equal(weak, weak));
  assertThrows(() => equal(weak, new WeakMap()), TypeError);
});

Deno.test("assertEquals() tells what differs and why it matters", async () => {
  await assertRefuses(
    () => assertEquals({ a: [1, 4711] }, { a: [1, 4712] }, "the reason"),
    "4711",
    "4712",
    "the reason",
  );
});

Deno.test("assert() passes for truthy values alone", async () => {
  for (const value of [true, 1, "0", [], {}]) assert(value);
  for (const value of [false, 0, -0, NaN, 0n, "", null, undefined]) {
    await assertRefuses(() => assert(value, "the reason"), "the reason");
  }
});

Deno.test("assertFalse() passes for falsy values alone", async () => {
  for (const value of [false, 0, -0, NaN, 0n, "", null, undefined]) {
    assertFalse(value);
  }
  for (const value of [true, 1, "0", [], {}]) {
    await assertRefuses(() => assertFalse(value, "the reason"), "the reason");
  }
});

Deno.test("assertStrictEquals() passes for the same value alone", async () => {
  const object = { a: 1 };

  assertStrictEquals(object, object);
  assertStrictEquals(NaN, NaN);
  await assertRefuses(() => assertStrictEquals(0, -0));
  await assertRefuses(() => assertStrictEquals(4711, 4712), "4711", "4712");
  await assertRefuses(
    () => assertStrictEquals(object, { a: 1 }, "the reason"),
    "the reason",
    "a: 1",
  );
});

Deno.test("assertExists() passes unless there is nothing", async () => {
  for (const value of [false, 0, NaN, ""]) assertExists(value);
  await assertRefuses(() => assertExists(null, "the reason"), "the reason");
  await assertRefuses(() => assertExists(undefined), "undefined");
});

Deno.test("assertInstanceOf() looks at the class", async () => {
  assertInstanceOf(new TypeError(), TypeError);
  assertInstanceOf(new TypeError(), Error);
  await assertRefuses(() => assertInstanceOf(new Error(), TypeError));
  await assertRefuses(
    () => assertInstanceOf(1, TypeError, "the reason"),
    "TypeError",
    "the reason",
  );
});

Deno.test("assertMatch() and assertNotMatch() read a pattern", async () => {
  assertMatch("harpia", /^har/);
  assertNotMatch("harpia", /^pia/);
  await assertRefuses(
    () => assertMatch("harpia", /^pia/, "the reason"),
    "harpia",
    "/^pia/",
    "the reason",
  );
  await assertRefuses(
    () => assertNotMatch("harpia", /^har/, "the reason"),
    "harpia",
    "/^har/",
    "the reason",
  );
});

Deno.test("assertStringIncludes() looks for a part", async () => {
  assertStringIncludes("harpia", "pia");
  assertStringIncludes("harpia", "");
  await assertRefuses(
    () => assertStringIncludes("harpia", "pio", "the reason"),
    "harpia",
    "pio",
    "the reason",
  );
});

Deno.test("assertArrayIncludes() looks for equal items", async () => {
  assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]);
  assertArrayIncludes([1], []);
  await assertRefuses(
    () => assertArrayIncludes([1, 2], [2, 4711], "the reason"),
    "4711",
    "the reason",
  );
});

Deno.test("assertGreater() and the like compare in order", async () => {
  assertGreater(2, 1);
  assertGreaterOrEqual(2, 2);
  assertLess(1n, 2n);
  assertLessOrEqual("a", "a");
  await assertRefuses(() => assertGreater(7, 7), "7");
  await assertRefuses(() => assertGreaterOrEqual(7, 8), "7", "8");
  await assertRefuses(() => assertLess(7, 7), "7");
  await assertRefuses(() => assertLessOrEqual(8, 7, "the reason"), "reason");
});

Deno.test("assertGreater() and the like refuse NaN", async () => {
  for (
    const compare of [
      assertGreater,
      assertGreaterOrEqual,
      assertLess,
      assertLessOrEqual,
    ]
  ) {
    await assertRefuses(() => compare(NaN, NaN), "NaN");
  }
});

Deno.test("assertObjectMatch() reads only what is expected", async () => {
  const actual = { a: 1, b: { c: 2, d: [1, { e: 3, f: 4 }] }, g: null };

  assertObjectMatch(actual, {});
  assertObjectMatch(actual, { b: { d: [1, { f: 4 }] } });
  assertObjectMatch(actual, { g: null });
  await assertRefuses(() => assertObjectMatch(actual, { z: undefined }));
  await assertRefuses(() => assertObjectMatch(actual, { b: { d: [2] } }));
  await assertRefuses(() => assertObjectMatch(actual, { b: { c: null } }));
  await assertRefuses(
    () => assertObjectMatch({ a: 4711 }, { a: 4712 }, "the reason"),
    "4711",
    "4712",
    "the reason",
  );
});

Deno.test("assertObjectMatch() does not look at classes", () => {
  class Named {
    name = "harpia";
    size = 1;
  }

  assertObjectMatch(new Named(), { name: "harpia" });
});

Deno.test("assertThrows() returns what was thrown", () => {
  const error = new RangeError("ttl must be above 0");
  function run(): never {
    throw error;
  }

  assertStrictEquals(assertThrows(run), error);
  assertStrictEquals(assertThrows(run, "the reason"), error);
  assertStrictEquals(assertThrows(run, RangeError), error);
  assertStrictEquals(assertThrows(run, Error, "ttl"), error);
});

Deno.test("assertThrows() refuses a function that returns", async () => {
  await assertRefuses(() => assertThrows(() => 1, "the reason"), "the reason");
  await assertRefuses(
    () => assertThrows(() => 1, Error, "", "the reason"),
    "the reason",
  );
});

Deno.test("assertThrows() refuses another class or message", async () => {
  function run(): never {
    throw new RangeError("ttl must be above 0");
  }

  await assertRefuses(
    () => assertThrows(run, TypeError, "", "the reason"),
    "TypeError",
    "RangeError",
    "the reason",
  );
  await assertRefuses(
    () => assertThrows(run, RangeError, "maxEntries", "the reason"),
    "maxEntries",
    "ttl must be above 0",
    "the reason",
  );
});

Deno.test("assertThrows() refuses what is no error when asked for one", async () => {
  function run(): never {
    throw "text";
  }

  assertStrictEquals(assertThrows(run), "text");
  await assertRefuses(() => assertThrows(run, Error));
});

Deno.test("assertRejects() resolves to the reason", async () => {
  const error = new RangeError("ttl must be above 0");
  const run = () => Promise.reject(error);

  assertStrictEquals(await assertRejects(run), error);
  assertStrictEquals(await assertRejects(run, "the reason"), error);
  assertStrictEquals(await assertRejects(run, RangeError), error);
  assertStrictEquals(await assertRejects(run, Error, "ttl"), error);
});

Deno.test("assertRejects() refuses a promise that resolves", async () => {
  await assertRefuses(
    () => assertRejects(() => Promise.resolve(1), "the reason"),
    "the reason",
  );
  await assertRefuses(
    () => assertRejects(() => Promise.resolve(1), Error, "", "the reason"),
    "the reason",
  );
});

Deno.test("assertRejects() refuses a function that throws", async () => {
  await assertRefuses(
    () =>
      assertRejects(
        () => {
          throw new RangeError("ttl must be above 0");
        },
        RangeError,
        "ttl",
        "the reason",
      ),
    "the reason",
  );
});

Deno.test("assertRejects() refuses another class or message", async () => {
  const run = () => Promise.reject(new RangeError("ttl must be above 0"));

  await assertRefuses(
    () => assertRejects(run, TypeError, "", "the reason"),
    "TypeError",
    "RangeError",
    "the reason",
  );
  await assertRefuses(
    () => assertRejects(run, RangeError, "maxEntries", "the reason"),
    "maxEntries",
    "ttl must be above 0",
    "the reason",
  );
  await assertRefuses(() => assertRejects(() => Promise.reject("text"), Error));
});

Deno.test("fail() and unreachable() never pass", async () => {
  await assertRefuses(() => fail("the reason"), "the reason");
  await assertRefuses(() => fail());
  await assertRefuses(() => unreachable("the reason"), "the reason");
  await assertRefuses(() => unreachable());
});

Deno.test("AssertionError names itself and its cause", () => {
  const error = new AssertionError("the reason", { cause: 1 });

  assertInstanceOf(error, Error);
  assertEquals([error.name, error.cause], ["AssertionError", 1]);
});

Deno.test("delay() resolves when the time is up, not before", async () => {
  using time = new FakeTime(0);
  const done = spy();
  const waiting = delay(100).then(done);

  await time.tickAsync(99);
  await time.runMicrotasks();
  assertSpyCalls(done, 0);
  time.tick(1);

  await waiting;
  assertSpyCalls(done, 1);
});

Deno.test("delay() waits longer than a timer can", async () => {
  using time = new FakeTime(0);
  const done = spy();
  const waiting = delay(2 ** 32).then(done);

  await time.tickAsync(2 ** 32 - 1);
  await time.runMicrotasks();
  assertSpyCalls(done, 0);
  time.tick(1);

  await waiting;
});

Deno.test("delay() rejects with the signal's reason", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const waiting = delay(60_000, { signal: controller.signal });

  controller.abort(reason);

  assertStrictEquals(await assertRejects(() => waiting), reason);
  const { signal } = controller;
  assertStrictEquals(await assertRejects(() => delay(1, { signal })), reason);
});

Deno.test("deadline() settles as the promise does in time", async () => {
  using _time = new FakeTime(0);
  const error = new Error("no");

  assertEquals(await deadline(Promise.resolve(1), 1_000), 1);
  assertStrictEquals(
    await assertRejects(() => deadline(Promise.reject(error), 1_000)),
    error,
  );
});

Deno.test("deadline() rejects when the time is up", async () => {
  using time = new FakeTime(0);
  const never = new Promise<void>(() => {});
  const waiting = assertRejects(() => deadline(never, 50), DOMException);

  await time.tickAsync(50);

  assertEquals((await waiting).name, "TimeoutError");
});

Deno.test("deadline() rejects with the signal's reason", async () => {
  using _time = new FakeTime(0);
  const reason = new Error("enough");
  const controller = new AbortController();
  const { signal } = controller;
  const never = new Promise<void>(() => {});
  const waiting = assertRejects(() => deadline(never, 50, { signal }));

  controller.abort(reason);

  assertStrictEquals(await waiting, reason);
});

Deno.test("the stand-in's deadline() leaves no timer behind", async () => {
  using time = new FakeTime(0);

  await ownDeadline(Promise.resolve(), 1_000);

  assertFalse(time.next());
});

Deno.test("async functions are the same at their own paths", () => {
  assertStrictEquals(delayAlone, delay);
  assertStrictEquals(deadlineAlone, deadline);
});

for (const start of [1_000, "1970-01-01T00:00:01.000Z", new Date(1_000)]) {
  Deno.test(`FakeTime() stops the clock at ${typeof start} ${start}`, () => {
    using time = new FakeTime(start);

    assertEquals(time.start, 1_000);
    assertEquals(time.now, 1_000);
    assertEquals(Date.now(), 1_000);
    assertEquals(new Date().getTime(), 1_000);
  });
}

Deno.test("FakeTime() stops the clock at the present time by default", () => {
  const before = Date.now();
  const time = new FakeTime();
  const { now } = time;
  time.restore();

  assertGreaterOrEqual(now, before);
  assertLessOrEqual(now, Date.now());
});

Deno.test("FakeTime() rejects a start that is no time", () => {
  const real = Date;

  assertThrows(() => new FakeTime(NaN), TypeError);
  assertThrows(() => new FakeTime("no"), TypeError);
  assertStrictEquals(Date, real);
});

Deno.test("FakeTime() cannot be nested or restored twice", () => {
  const time = new FakeTime(0);
  assertThrows(() => new FakeTime(0), TimeError);

  time.restore();

  assertThrows(() => time.restore(), TimeError);
  assertThrows(() => FakeTime.restore(), TimeError);
});

Deno.test("FakeTime.restore() puts every global back", () => {
  function globals(): unknown[] {
    return [
      Date,
      setTimeout,
      clearTimeout,
      setInterval,
      clearInterval,
      AbortSignal.timeout,
    ];
  }
  const real = globals();
  {
    using _time = new FakeTime(0);
    for (const [i, fake] of globals().entries()) assert(fake !== real[i]);
  }

  for (const [i, value] of globals().entries()) {
    assertStrictEquals(value, real[i]);
  }
});

Deno.test("FakeTime makes dates like any other", () => {
  const real = new Date(5);
  using _time = new FakeTime(5);
  const fake = new Date();

  assertEquals(Object.getPrototypeOf(fake), Object.getPrototypeOf(real));
  assertEquals(Reflect.ownKeys(fake), []);
  assertInstanceOf(fake, Date);
  assertInstanceOf(real, Date);
  assertInstanceOf(structuredClone(fake), Date);
  assertEquals(structuredClone(fake), fake);
  assertEquals(new Date(2000, 1, 2).getFullYear(), 2000);
  assertEquals(new Date("1970-01-01T00:00:00Z").getTime(), 0);
  assertEquals(Date.UTC(1970, 0), 0);
});

Deno.test("FakeTime.tick() fires timers in order, each at its time", () => {
  using time = new FakeTime(0);
  const log: string[] = [];
  setTimeout(() => log.push(`c ${Date.now()}`), 20);
  setTimeout(() => log.push(`a ${Date.now()}`), 10);
  setTimeout(() => log.push(`b ${Date.now()}`), 10);

  time.tick(9);
  assertEquals(log, []);
  time.tick(1);
  assertEquals(log, ["a 10", "b 10"]);
  time.tick(100);

  assertEquals(log, ["a 10", "b 10", "c 20"]);
  assertEquals(time.now, 110);
});

Deno.test("FakeTime.tick() passes a timer its arguments", () => {
  using time = new FakeTime(0);
  const done = spy();
  setTimeout(done, 1, "a", 2);

  time.tick(1);

  assertSpyCall(done, 0, { args: ["a", 2] });
});

Deno.test("FakeTime.tick() fires a timer set by another one", () => {
  using time = new FakeTime(0);
  const log: number[] = [];
  setTimeout(() => setTimeout(() => log.push(Date.now()), 0), 0);
  setTimeout(() => setTimeout(() => log.push(Date.now()), 5), 5);

  time.tick(10);

  assertEquals(log, [0, 10]);
});

Deno.test("FakeTime.tick() fires a timer of 30 days after 30 days", () => {
  using time = new FakeTime(0);
  const done = spy();
  const days = 30 * 86_400_000;
  setTimeout(done, days);

  time.tick(days - 1);
  assertSpyCalls(done, 0);
  time.tick(1);

  assertSpyCalls(done, 1);
});

Deno.test("FakeTime.tick() fires an interval until it is cleared", () => {
  using time = new FakeTime(0);
  const log: number[] = [];
  const id = setInterval(() => log.push(Date.now()), 10);

  time.tick(35);
  assertEquals(log, [10, 20, 30]);
  clearInterval(id);
  time.tick(100);

  assertEquals(log, [10, 20, 30]);
});

Deno.test("FakeTime.tick() does not fire a timer that was cleared", () => {
  using time = new FakeTime(0);
  const done = spy();
  clearTimeout(setTimeout(done, 1));
  clearTimeout(undefined);

  time.tick(10);

  assertSpyCalls(done, 0);
});

Deno.test("FakeTime.tick() stops at a callback that throws", () => {
  using time = new FakeTime(0);
  const done = spy();
  setTimeout(() => {
    throw new Error("no");
  }, 10);
  setTimeout(done, 20);

  assertThrows(() => time.tick(30), Error, "no");
  assertEquals(time.now, 10);
  assertSpyCalls(done, 0);
  time.tick(10);

  assertSpyCalls(done, 1);
});

Deno.test("FakeTime.tickAsync() runs microtasks before it ticks", async () => {
  using time = new FakeTime(0);
  const done = spy();
  Promise.resolve().then(() => setTimeout(done, 10));

  await time.tickAsync(10);

  assertSpyCalls(done, 1);
});

Deno.test("FakeTime.runMicrotasks() leaves the clock alone", async () => {
  using time = new FakeTime(7);
  const done = spy();
  Promise.resolve().then(() => Promise.resolve()).then(done);

  await time.runMicrotasks();

  assertSpyCalls(done, 1);
  assertEquals(time.now, 7);
});

Deno.test("FakeTime.now moves the clock when set, never back", () => {
  using time = new FakeTime(10);
  const done = spy();
  setTimeout(done, 5);

  time.now = 15;

  assertSpyCalls(done, 1);
  assertEquals(Date.now(), 15);
  assertThrows(() => time.now = 14, RangeError);
});

Deno.test("FakeTime.next() goes to the next timer", async () => {
  using time = new FakeTime(0);
  setTimeout(() => {}, 10);
  setTimeout(() => {}, 30);
  setTimeout(() => {}, 60);

  assertEquals([time.next(), time.now], [true, 10]);
  assertEquals([await time.nextAsync(), time.now], [true, 30]);
  time.runAll();
  assertEquals([time.next(), time.now], [false, 60]);
  setTimeout(() => {}, 10);
  await time.runAllAsync();

  assertEquals(time.now, 70);
});

Deno.test("FakeTime.delay() waits in real time", async () => {
  using time = new FakeTime(3);

  await time.delay(0);

  assertEquals(time.now, 3);
  await assertRejects(
    () => time.delay(60_000, { signal: AbortSignal.abort() }),
    DOMException,
  );
});

Deno.test("FakeTime moves AbortSignal.timeout() too", () => {
  using time = new FakeTime(0);
  const signal = AbortSignal.timeout(10);

  time.tick(9);
  assertFalse(signal.aborted);
  time.tick(1);

  assert(signal.aborted);
  assertEquals(signal.reason.name, "TimeoutError");
});

Deno.test("FakeTime forgets the timers of the one before", () => {
  const done = spy();
  {
    using _time = new FakeTime(0);
    setTimeout(done, 1);
  }
  using time = new FakeTime(0);

  time.tick(10);

  assertSpyCalls(done, 0);
});

Deno.test("spy() notes what a function was called with and did", async () => {
  const add = spy((a: number, b: number) => a + b);

  assertEquals(add(1, 2), 3);

  assertSpyCalls(add, 1);
  assertSpyCall(add, 0, { args: [1, 2], returned: 3 });
  await assertRefuses(() => assertSpyCalls(add, 2), "1", "2");
  await assertRefuses(() => assertSpyCall(add, 0, { args: [1, 4711] }), "4711");
  await assertRefuses(() => assertSpyCall(add, 0, { returned: 4711 }), "4711");
  await assertRefuses(() => assertSpyCall(add, 1));
});

Deno.test("spy() notes what a function threw", async () => {
  const failing = spy((): void => {
    throw new RangeError("too much");
  });

  assertThrows(failing, RangeError);

  assertSpyCall(failing, 0, {
    error: { Class: RangeError, msgIncludes: "too" },
  });
  await assertRefuses(() =>
    assertSpyCall(failing, 0, { error: { Class: TypeError } })
  );
  await assertRefuses(() =>
    assertSpyCall(failing, 0, { error: { msgIncludes: "few" } })
  );
});

Deno.test("spy() serves as a callback of any kind", () => {
  const done = spy();
  function call(callback: (text: string, size: number) => void): void {
    callback("a", 1);
  }

  call(done);
  done();

  assertEquals(done.calls.map(({ args }) => args), [["a", 1], []]);
});

Deno.test("spy() lets a method do what it did", () => {
  const account = {
    balance: 1,
    add(amount: number): number {
      return this.balance += amount;
    },
  };
  const { add } = account;
  {
    using added = spy(account, "add");

    assertEquals(account.add(2), 3);
    assertSpyCall(added, 0, { args: [2], returned: 3, self: account });
    assertFalse(added.restored);
    assertEquals(added.original, add);
  }

  assertStrictEquals(account.add, add);
});

Deno.test("stub() replaces a method until it is restored", () => {
  const dice = { roll: (sides: number): number => sides };
  const rolled = stub(dice, "roll", () => 4);

  assertEquals(dice.roll(6), 4);
  rolled.restore();

  assertEquals(dice.roll(6), 6);
  assertSpyCalls(rolled, 1);
  assert(rolled.restored);
  assertThrows(() => rolled.restore(), MockError);
});

Deno.test("stub() leaves an inherited method inherited", () => {
  class Dice {
    roll(): number {
      return 6;
    }
  }
  const dice = new Dice();
  {
    using _rolled = stub(dice, "roll", () => 4);
    assertEquals(dice.roll(), 4);
  }

  assertEquals(dice.roll(), 6);
  assertFalse(Object.hasOwn(dice, "roll"));
});

Deno.test("stub() replaces a method of the platform by nothing", () => {
  using asked = stub(crypto, "randomUUID");

  assertEquals<unknown>(crypto.randomUUID(), undefined);

  assertSpyCalls(asked, 1);
});

Deno.test("spy() rejects what is not a method", () => {
  assertThrows(() => spy({ a: 1 }, "a"), MockError);
  assertThrows(() => spy(() => 1).restore(), MockError);
});

Deno.test("assertType() is checked with the file", () => {
  interface Entry<V> {
    readonly value: V;
    next?: Entry<V>;
  }

  assertType<IsExact<string, string>>(true);
  assertType<IsExact<string, "a">>(false);
  // @ts-expect-error -- what is not so does not compile
  assertType<IsExact<string, "a">>(true);
  assertType<IsExact<string | undefined, string>>(false);
  // deno-lint-ignore no-explicit-any -- how `any` is told apart is the subject
  assertType<IsExact<any, string>>(false);
  // deno-lint-ignore no-explicit-any -- as above
  assertType<IsExact<{ a: any }, { a: string }>>(false);
  // deno-lint-ignore no-explicit-any -- as above
  assertType<IsAny<any>>(true);
  assertType<IsAny<unknown>>(false);
  assertType<IsExact<{ a: 1 } & { b: 2 }, { a: 1; b: 2 }>>(true);
  assertType<IsExact<{ a?: 1 }, { a: 1 }>>(false);
  assertType<IsExact<Entry<string>, Entry<string>>>(true);
  assertType<IsExact<Entry<string>, Entry<number>>>(false);
  assertType<IsExact<Promise<void>, Promise<void>>>(true);
  assertType<Has<string | number, number>>(true);
  assertType<Has<string | number, Date>>(false);
  assertType<NotHas<string | number, Date>>(true);
  assertType<IsNullable<string | null>>(true);
  assertType<IsNullable<string>>(false);
  assertType<IsNever<never>>(true);
  assertType<IsNever<string>>(false);
  assertType<IsUnknown<unknown>>(true);
  assertType<IsUnknown<string>>(false);
});

/** Where an entry of an import map leads, whatever folder the map is in. */
function target(entry: string, base: string): string {
  return entry.startsWith(".")
    ? new URL(entry, new URL(base, import.meta.url)).href
    : entry;
}

for (const [name, entry] of Object.entries(project.imports)) {
  Deno.test(`import_map.json has what deno.json imports as ${name}`, () => {
    const entries = Object.entries(standIns.imports);
    if (name.startsWith("@std/")) {
      assert(
        entries.some(([key]) => key === name || key.startsWith(`${name}/`)),
        `offline/import_map.json needs a stand-in for ${name}`,
      );
      return;
    }
    const [, other] = entries.find(([key]) => key === name) ?? [];

    assertExists(other, `offline/import_map.json needs an entry ${name}`);
    assertEquals(target(other, "."), target(entry, ".."), `entry ${name}`);
  });
}

for (const name of Object.keys(standIns.imports)) {
  Deno.test(`import_map.json has ${name} for an import of deno.json`, () => {
    const known = Object.keys(project.imports).some((key) =>
      name === key || name.startsWith(`${key}/`)
    );

    assert(known, `deno.json imports nothing that has ${name}`);
  });
}
