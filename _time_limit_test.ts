import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { hang, makeGate } from "./_test_util.ts";
import { LATE, TimeLimit } from "./_time_limit.ts";

function toError(cause: unknown): Error {
  return cause === LATE ? new RangeError("too late") : new Error("", { cause });
}

/** Lets the fake time be that of `performance.now()` as well. */
function fakeClock(time: FakeTime): Disposable {
  return stub(performance, "now", () => time.now);
}

Deno.test("TimeLimit.run() settles as the call does", async () => {
  const limit = new TimeLimit();
  const error = new Error("no");

  const value = await limit.run(1_000, Promise.resolve(1), toError);
  const reason = await limit.run(1_000, Promise.reject(error), toError)
    .catch((reason) => reason);

  assertEquals(value, 1);
  assertStrictEquals(reason.cause, error);
});

Deno.test("TimeLimit.run() gives each call its own time", async () => {
  using time = new FakeTime(0);
  using _clock = fakeClock(time);
  const limit = new TimeLimit();
  const ends: string[] = [];

  for (const [ms, at] of [[1_000, 0], [1_000, 400], [100, 800], [300, 801]]) {
    await time.tickAsync(at! - time.now); // all have both
    limit.run(ms!, hang(), toError).catch(() => ends.push(`${at}-${time.now}`));
  }
  while (await time.nextAsync()) await time.runMicrotasks();

  assertEquals(ends, ["800-900", "0-1000", "801-1101", "400-1400"]);
});

Deno.test("TimeLimit.run() does not end a call early for a fraction", async () => {
  using time = new FakeTime(0);
  using _clock = fakeClock(time);
  const limit = new TimeLimit();
  let isOver = false;
  limit.run(10.5, hang(), toError).catch(() => isOver = true);

  await time.tickAsync(10);
  await time.runMicrotasks();
  assertEquals(isOver, false);
  await time.tickAsync(1);
  await time.runMicrotasks();

  assertEquals(isOver, true);
});

Deno.test("TimeLimit.run() keeps one timer for calls that follow each other", async () => {
  using time = new FakeTime(0);
  using _clock = fakeClock(time);
  using timers = stub(globalThis, "setTimeout", globalThis.setTimeout);
  const limit = new TimeLimit();

  for (let i = 0; i < 100; i++) {
    await limit.run(1_000, Promise.resolve(), toError);
  }

  assertEquals(timers.calls.length, 1);
  await time.runMicrotasks();
  assertEquals(time.next(), false); // it is gone
});

Deno.test("TimeLimit.run() ignores what comes too late", async () => {
  using time = new FakeTime(0);
  const gate = makeGate();
  const limit = new TimeLimit();
  const late = assertRejects(
    () => limit.run(10, gate.opened, toError),
    RangeError,
  );
  await time.tickAsync(10);
  await late;

  gate.open();

  assertEquals(await limit.run(10, Promise.resolve(1), toError), 1);
  await time.runMicrotasks(); // it stops its timer of the fake clock
});

Deno.test("TimeLimit.run() has no timer left when late calls end in any order", async () => {
  using time = new FakeTime(0);
  using _clock = fakeClock(time);
  const limit = new TimeLimit();
  const gates = Array.from({ length: 4 }, makeGate);
  const outcomes = gates.map(({ opened }, i) =>
    limit.run(i === 1 ? 10 : 100, opened, toError).catch(() => "late")
  );
  await time.tickAsync(10);

  for (const i of [2, 1, 0, 3]) gates[i]?.open();

  assertEquals(await Promise.all(outcomes), [
    undefined,
    "late",
    undefined,
    undefined,
  ]);
  await time.runMicrotasks();
  assertEquals(time.next(), false);
});
