/**
 * The tests of how long a session lives, on any store.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { makeSuite, requestWith, type Visit } from "./_session_suite_util.ts";
import { spied } from "./_test_util.ts";
import { Session } from "./session.ts";

const HOUR = 60 * 60 * 1000;

const { tests, test } = makeSuite();

export { tests as lifetimeTests };

for (
  const [what, options, alive] of [
    ["1 ms before its idle timeout", { idleTimeout: 1000 }, 999],
    ["1 ms before its absolute timeout", {
      absoluteTimeout: 1000,
      idleTimeout: Infinity,
    }, 999],
  ] as const
) {
  test(`Session lives until ${what} and not a moment longer (R9, R10, R11)`, async (open) => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({ ...options, store: open() });
    const id = await session.create({ cart: [] });

    time.tick(alive);
    assertEquals(await session.get(id), { cart: [] });
    assertEquals(await session.expiresAt(id), 1000);
    time.tick(1);

    assertEquals(await session.get(id), undefined);
    assertEquals(await session.expiresAt(id), undefined);
    assertEquals(await session.update(id, { user: "late" }), false);
    assertEquals(await session.regenerate(id), undefined);
    assertEquals(
      await session.fromRequest(requestWith(`session_id=${id}`)),
      undefined,
    );
  });
}

for (const timeout of ["idleTimeout", "absoluteTimeout"] as const) {
  for (const offset of [-1, 0, 1]) {
    test(`Session ${offset < 0 ? "lives" : "is over"} ${offset} ms from its ${timeout}, for whatever is done with it (R9, R10, R11)`, async (open) => {
      for (
        const call of [
          (session, id) => session.get(id),
          (session, id) => session.expiresAt(id),
          (session, id) => session.update(id, {}),
          (session, id) => session.regenerate(id),
          (session, id) => session.load(requestWith(`session_id=${id}`)),
          (session, id) =>
            session.idFromRequest(requestWith(`session_id=${id}`)),
          async (session, id) => {
            const req = requestWith(`session_id=${id}`);
            const keep = (previous?: Visit): Visit => previous ?? { cart: [] };
            const newId = await session.signIn(req, new Headers(), keep);
            return (await session.get(newId))?.user;
          },
        ] satisfies ((session: Session<Visit>, id: string) => unknown)[]
      ) {
        using time = new FakeTime(0);
        const session = new Session<Visit>({
          store: open(),
          idleTimeout: Infinity,
          [timeout]: 1000,
        });
        const id = await session.create({ user: "ada", cart: [] });
        time.tick(1000 + offset);

        const answer = await call(session, id);

        assertEquals(Boolean(answer), offset < 0, String(call));
      }
    });
  }
}

test("Session.load() writes at most once a half window, however often it reads (R9)", async (open) => {
  using time = new FakeTime(0);
  const { store, calls } = spied(open());
  const session = new Session<Visit>({ store, idleTimeout: 1000 });
  const id = await session.create({ cart: [] });
  const req = requestWith(`session_id=${id}`);
  calls.length = 0;
  const countWrites = () =>
    calls.filter((call) => call === "set" || call === "update").length;

  const readOften = () =>
    Promise.all(Array.from({ length: 1000 }, () => session.load(req)));

  for (
    const [elapsed, expected] of [
      [0, 0],
      [500, 0],
      [1, 1],
      [500, 1],
      [1, 2],
    ] as const
  ) {
    time.tick(elapsed);
    const reads = await readOften();
    assert(reads.every((found) => found !== undefined));
    for (let read = 0; read < 1000; read++) await session.load(req);
    assertEquals(countWrites(), expected);
  }
});

for (const call of ["load", "update", "regenerate"] as const) {
  test(`Session.${call}() does not extend the absolute timeout (R10)`, async (open) => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({
      store: open(),
      absoluteTimeout: 1000,
      idleTimeout: 1000,
    });
    let id: string | undefined = await session.create({ cart: [] });
    time.tick(999);

    if (call === "load") await session.load(requestWith(`session_id=${id}`));
    else if (call === "update") await session.update(id, { user: "ada" });
    else id = await session.regenerate(id);

    assertEquals(await session.expiresAt(id), 1000);
    time.tick(1);
    assertEquals(await session.get(id), undefined);
  });
}

test("Session.signIn() makes a new session with an absolute timeout of its own (R10)", async (open) => {
  using time = new FakeTime(0);
  const session = new Session<Visit>({
    store: open(),
    absoluteTimeout: 1000,
  });
  const id = await session.create({ cart: ["tea"] });
  time.tick(999);

  const newId = await session.signIn(
    requestWith(`session_id=${id}`),
    new Headers(),
    (previous) => ({ user: "ada", cart: previous?.cart ?? [] }),
  );

  assertEquals(await session.expiresAt(newId), 1999);
  assertEquals((await session.get(newId))?.cart, ["tea"]);
});

test("Session.fromRequest() starts the idle timeout anew when more than half is over (R9)", async (open) => {
  using time = new FakeTime(0);
  const { store, calls } = spied(open());
  const writer = "update" in store ? "update" : "set";
  const session = new Session<Visit>({ store, idleTimeout: 1000 });
  const id = await session.create({ cart: [] });
  const req = requestWith(`session_id=${id}`);
  calls.length = 0;

  time.tick(500);
  await session.fromRequest(req);
  assertEquals(calls, ["get"]);
  time.tick(1);
  const reads = await Promise.all(
    Array.from({ length: 100 }, () => session.fromRequest(req)),
  );

  assertEquals(calls.filter((call) => call === writer).length, 1);
  assertEquals(reads.filter((data) => data === undefined).length, 0);
  assertEquals(await session.expiresAt(id), 1501);
});

for (const call of ["get", "update", "idFromRequest", "expiresAt"] as const) {
  test(`Session.${call}() does not start the idle timeout anew`, async (open) => {
    using time = new FakeTime(0);
    const session = new Session<Visit>({ store: open(), idleTimeout: 1000 });
    const id = await session.create({ cart: [] });
    time.tick(999);

    if (call === "update") await session.update(id, { user: "ada" });
    else if (call === "idFromRequest") {
      await session.idFromRequest(requestWith(`session_id=${id}`));
    } else await session[call](id);
    time.tick(1);

    assertEquals(await session.get(id), undefined);
  });
}

test("Session ends at its absolute timeout whatever is done with it (R10)", async (open) => {
  using time = new FakeTime(0);
  const session = new Session<Visit>({ store: open() });
  let id: string | undefined = await session.create({ cart: [] });

  for (let minute = 1; minute < 24 * 60; minute++) {
    time.tick(60_000);
    await session.fromRequest(requestWith(`session_id=${id}`));
    await session.update(id, { user: `${minute}` });
    if (minute % 100 === 0) id = await session.regenerate(id);
  }
  assertEquals((await session.get(id))?.user, "1439");
  time.tick(60_000);

  assertEquals(await session.get(id), undefined);
});

test("Session lives for ever when both timeouts are Infinity", async (open) => {
  using time = new FakeTime(0);
  const session = new Session<Visit>({
    store: open(),
    idleTimeout: Infinity,
    absoluteTimeout: Infinity,
  });
  const id = await session.create({ cart: [] });

  time.tick(400 * 24 * HOUR);

  assertEquals(await session.get(id), { cart: [] });
  assertEquals(await session.expiresAt(id), Infinity);
});

test("Session.update() does not outlive the timeout while its function runs", async (open) => {
  using time = new FakeTime(0);
  const session = new Session<Visit>({
    store: open(),
    idleTimeout: 1000,
  });
  const id = await session.create({ cart: [] });

  const updated = await session.update(id, async ({ cart }) => {
    await Promise.resolve();
    time.tick(1000);
    cart.push("late");
  });

  assertEquals(updated, false);
});
