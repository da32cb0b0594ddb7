/**
 * Sessions against a model that is too simple to be wrong, and small races at
 * every interleaving there is. A failure prints the seed or the schedule.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import fc from "fast-check";
import { STORES } from "./_test_util.ts";
import {
  type CookieAttributes,
  Session,
  type SessionOptions,
  type Store,
} from "./mod.ts";

const SEED = 20_251_124;

const MINUTE = 60 * 1000;
const IDLE_TIMEOUT = 40 * 1000;
const ABSOLUTE_TIMEOUT = 70 * 1000;

/** What a session holds here. */
type Data = Record<string, number>;

/** A store the calls of which wait until the test lets them through. */
class GatedStore {
  /** What lets each call through that waits, or fails it. */
  readonly waiting: ((failure?: Error) => void)[] = [];
  readonly store: Store;
  #open = true;

  constructor(store: Store) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) =>
          this.pass(() => Reflect.apply(member, target, args));
      },
    });
  }

  /** Calls a function when the test lets it through. */
  pass(fn: () => unknown): unknown {
    if (this.#open) return fn();
    return new Promise((resolve, reject) =>
      this.waiting.push((failure) =>
        failure === undefined ? resolve(fn()) : reject(failure)
      )
    );
  }

  /** From now on calls wait. */
  close(): void {
    this.#open = false;
  }

  /** From now on no call waits; those that do are forgotten, as in a crash. */
  reopen(): void {
    this.#open = true;
    this.waiting.length = 0;
  }
}

/** Lets everything happen that waits for promises alone. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 60; turns++) await null;
}

/** What a race starts from. */
interface Arena {
  readonly session: Session<Data>;
  /** A session with the data `{ a: 1 }`. */
  readonly id: string;
  readonly time: FakeTime;
  /** Every id made so far, `id` included. */
  readonly issued: string[];
  /** The ids to be made next; then new ones. */
  readonly next: string[];
}

interface Race {
  /** There are too many interleavings to run them all. */
  readonly large?: true;
  readonly options?: SessionOptions;
  /** Brings the arena to where the race starts. */
  prepare?(arena: Arena): void;
  /** The calls that race: when each starts is a part of the race. */
  calls(arena: Arena): (() => Promise<unknown>)[];
  /** What must hold when all calls have settled. */
  check(
    arena: Arena,
    results: PromiseSettledResult<unknown>[],
    live: Record<string, Data>,
  ): void;
}

async function openArena(
  store: Store,
  time: FakeTime,
  options: SessionOptions = {},
): Promise<Arena> {
  const issued: string[] = [];
  const next: string[] = [];
  const session = new Session<Data>({
    ...options,
    store,
    hashIds: false,
    generateId: () => {
      const id = next.shift() ?? `id-${issued.length}-`.padEnd(32, "x");
      issued.push(id);
      return id;
    },
  });
  const id = await session.create({ a: 1 });
  return { session, id, time, issued, next };
}

async function readLive(
  { session, issued }: Pick<Arena, "session" | "issued">,
): Promise<Record<string, Data>> {
  const live: Record<string, Data> = {};
  for (const id of issued) {
    const data = await session.get(id);
    if (data !== undefined) live[id] = data;
  }
  return live;
}

/**
 * Runs a race once; of the calls that wait, the choices say which goes first.
 *
 * @returns How many there were to choose from, at each step.
 */
async function runRace(
  open: () => Store,
  race: Race,
  choices: number[],
): Promise<number[]> {
  using time = new FakeTime(0);
  const gated = new GatedStore(open());
  const arena = await openArena(gated.store, time, race.options);
  race.prepare?.(arena);
  gated.close();
  const running = Promise.allSettled(
    race.calls(arena).map((call) => gated.pass(call)),
  );
  const branches: number[] = [];
  for (
    await settle();
    gated.waiting.length > 0;
    await settle()
  ) {
    const choice = choices[branches.length] ?? 0;
    branches.push(gated.waiting.length);
    const [next] = gated.waiting.splice(choice % gated.waiting.length, 1);
    next?.();
  }
  const results = await running;
  gated.reopen();
  race.check(arena, results, await readLive(arena));
  return branches;
}

/** Runs a race at random interleavings. */
async function runSome(
  open: () => Store,
  race: Race,
  numRuns: number,
): Promise<void> {
  const choices = fc.array(fc.nat({ max: 2 }), { minLength: 30 });
  await fc.assert(
    fc.asyncProperty(choices, async (choices) => {
      await runRace(open, race, choices);
    }),
    { seed: SEED, numRuns },
  );
}

/** Runs a race at each interleaving of its calls; how many there are. */
async function runAll(open: () => Store, race: Race): Promise<number> {
  let runs = 0;
  for (let choices: number[] | undefined = []; choices !== undefined;) {
    const schedule: number[] = choices;
    const branches: number[] = await runRace(open, race, schedule)
      .catch((cause) => {
        throw new Error(`Failed at the schedule ${schedule}`, { cause });
      });
    runs++;
    // The next schedule differs at the last step that has a choice left.
    const taken = branches.map((_, step) => schedule[step] ?? 0);
    let step = branches.length - 1;
    while (step >= 0 && taken[step]! + 1 >= branches[step]!) step--;
    choices = step < 0
      ? undefined
      : [...taken.slice(0, step), taken[step]! + 1];
  }
  return runs;
}

function requestWith(
  ids: string[],
): { ids: string[]; req: { headers: { cookie: string } } } {
  const cookie = ids.map((id) => `session_id=${id}`).join("; ");
  return { ids, req: { headers: { cookie } } };
}

function request(id: string): { headers: { cookie: string } } {
  return { headers: { cookie: `session_id=${id}` } };
}

function takeOver(previous: Data | undefined): Data {
  return { ...previous, b: 2 };
}

function pastHalf({ time }: Arena): void {
  time.tick(31 * MINUTE);
}

function assertAllFulfilled(results: PromiseSettledResult<unknown>[]): void {
  for (const result of results) {
    if (result.status === "rejected") throw result.reason;
  }
}

const RACES: Record<string, Race> = {
  "delete() of the old id leaves nothing alive of regenerate()": {
    calls: ({ session, id }) => [
      () => session.regenerate(id, { b: 2 }),
      () => session.delete(id, new Headers()),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, {});
    },
  },
  "delete() of the old id leaves nothing alive of two regenerate() in a row": {
    large: true,
    calls: ({ session, id }) => [
      () => session.regenerate(id).then((newId) => session.regenerate(newId)),
      () => session.delete(id, new Headers()),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, {});
    },
  },
  "delete() of the old id leaves nothing alive of two regenerate() at once": {
    large: true,
    calls: ({ session, id }) => [
      () => session.regenerate(id),
      () => session.regenerate(id),
      () => session.delete(id, new Headers()),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, {});
    },
  },
  "delete() twice of the old id leaves nothing alive of regenerate()": {
    large: true,
    calls: ({ session, id }) => [
      () => session.regenerate(id),
      () => session.delete(id, new Headers()),
      () => session.delete(id, new Headers()),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, {});
    },
  },
  "regenerate() gives one of two calls the only live id": {
    calls: ({ session, id }) => [
      () => session.regenerate(id),
      () => session.regenerate(id),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      const ids = results.map((result) =>
        result.status === "fulfilled" && result.value
      ).filter((id) => typeof id === "string");
      assertEquals(ids.length, 1);
      assertEquals(live, { [ids[0]!]: { a: 1 } });
    },
  },
  "regenerate() loses no acknowledged update()": {
    calls: ({ session, id }) => [
      () =>
        session.update(id, (data) => {
          data.b = 2;
        }),
      () => session.regenerate(id, { c: 3 }),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      const [updated] = results;
      const found = updated?.status === "fulfilled" && updated.value;
      assertEquals(Object.values(live), [
        found ? { a: 1, b: 2, c: 3 } : { a: 1, c: 3 },
      ]);
    },
  },
  "signIn() takes nothing over from a session that signOut() has ended": {
    calls: ({ session, id }) => [
      () => session.signIn(request(id), new Headers(), takeOver),
      () => session.signOut(request(id), new Headers()),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      // Signed out after it, or before it.
      const [data, other] = Object.values(live);
      if (data !== undefined) assertEquals(data, { b: 2 });
      assertEquals(other, undefined);
    },
  },
  "delete() of the old id ends what signIn() has made of it": {
    calls: ({ session, id }) => [
      () => session.signIn(request(id), new Headers(), takeOver),
      () => session.delete(id, new Headers()),
    ],
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      for (const [newId, data] of Object.entries(live)) {
        assert(newId !== id);
        assertEquals(data, { b: 2 });
      }
    },
  },
  "signIn() takes a session over once of two calls": {
    large: true,
    calls: ({ session, id }) => [
      () => session.signIn(request(id), new Headers(), takeOver),
      () => session.signIn(request(id), new Headers(), takeOver),
    ],
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      assert(!(id in live));
      assertEquals(
        Object.values(live).map((data) => Object.keys(data).length).toSorted(),
        [1, 2],
      );
    },
  },
  "signIn() loses no acknowledged update()": {
    calls: ({ session, id }) => [
      () => session.update(id, { c: 3 }),
      () => session.signIn(request(id), new Headers(), takeOver),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      const [updated] = results;
      const found = updated?.status === "fulfilled" && updated.value;
      assertEquals(Object.values(live), [
        found ? { a: 1, b: 2, c: 3 } : { a: 1, b: 2 },
      ]);
    },
  },
  "signIn() gives what regenerate() adds to no one with the old id": {
    large: true,
    calls: ({ session, id }) => [
      () => session.regenerate(id, { secret: 1 }),
      () => session.signIn(request(id), new Headers(), takeOver),
    ],
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      assert(!(id in live));
      const [, signedIn] = results;
      assert(signedIn?.status === "fulfilled");
      assertEquals(live[String(signedIn.value)]?.secret, undefined);
      assertEquals(live[String(signedIn.value)]?.b, 2);
    },
  },
  "load() with the old id never fails during the grace of regenerate()": {
    options: { regenerateGrace: MINUTE },
    calls: ({ session, id }) => [
      () => session.regenerate(id, { b: 2 }),
      () => session.load(request(id)),
    ],
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      const [regenerated, read] = results;
      assert(regenerated?.status === "fulfilled");
      assertEquals(live, {
        [id]: { a: 1 },
        [String(regenerated.value)]: { a: 1, b: 2 },
      });
      assert(read?.status === "fulfilled");
      assertEquals(read.value, { id, data: { a: 1 } });
    },
  },
  "load() that starts the timeout anew never fails during the grace": {
    options: { regenerateGrace: MINUTE },
    prepare: pastHalf,
    calls: ({ session, id }) => [
      () => session.regenerate(id, { b: 2 }),
      () => session.load(request(id)),
    ],
    check: ({ id }, results) => {
      assertAllFulfilled(results);
      const [, read] = results;
      assert(read?.status === "fulfilled");
      assertEquals(read.value, { id, data: { a: 1 } });
    },
  },
  "delete() of the old id leaves nothing alive, grace or not": {
    options: { regenerateGrace: MINUTE },
    calls: ({ session, id }) => [
      () => session.regenerate(id, { b: 2 }),
      () => session.delete(id, new Headers()),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, {});
    },
  },
  "delete() is final for update()": {
    calls: ({ session, id }) => [
      () =>
        session.update(id, (data) => {
          data.b = 2;
        }),
      () => session.delete(id, new Headers()),
      () =>
        session.update(id, async (data) => {
          data.c = await 3;
        }),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, {});
    },
  },
  "delete() is final for fromRequest() that starts the timeout anew": {
    prepare: pastHalf,
    calls: ({ session, id }) => [
      () => session.fromRequest(request(id)),
      () => session.delete(id, new Headers()),
      () => session.fromRequest(request(id)),
    ],
    check: (_, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, {});
    },
  },
  "fromRequest() that starts the timeout anew loses no update()": {
    prepare: pastHalf,
    calls: ({ session, id }) => [
      () => session.fromRequest(request(id)),
      () => session.update(id, { b: 2 }),
    ],
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, { [id]: { a: 1, b: 2 } });
    },
  },
  "fromRequest() that starts the timeout anew leaves regenerate() one id": {
    prepare: pastHalf,
    calls: ({ session, id }) => [
      () => session.regenerate(id, { b: 2 }),
      () => session.fromRequest(request(id)),
    ],
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      const [regenerated, read] = results;
      assert(regenerated?.status === "fulfilled");
      assertEquals(live, { [String(regenerated.value)]: { a: 1, b: 2 } });
      assert(read?.status === "fulfilled");
      // What regenerate() adds is never read under the old id.
      if (read.value !== undefined) assertEquals(read.value, { a: 1 });
      assert(!(id in live));
    },
  },
  "update() loses no other update()": {
    calls: ({ session, id }) =>
      [1, 2, 3].map(() => () =>
        session.update(id, (data) => {
          data.a! += 1;
        })
      ),
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      assertEquals(live, { [id]: { a: 4 } });
    },
  },
  "create() gives an id in use to one of two calls": {
    prepare: ({ next }) => {
      next.push("same".padEnd(32, "-"), "same".padEnd(32, "-"));
    },
    calls: ({ session }) => [
      () => session.create({ b: 1 }),
      () => session.create({ c: 1 }),
    ],
    check: ({ id }, results, live) => {
      assertAllFulfilled(results);
      const others = Object.entries(live).filter(([other]) => other !== id);
      assertEquals(
        new Set(others.map(([, data]) => JSON.stringify(data))),
        new Set(['{"b":1}', '{"c":1}']),
      );
    },
  },
};
for (const [on, open] of Object.entries(STORES)) {
  for (const [name, race] of Object.entries(RACES)) {
    const when = race.large ? "300 interleavings" : "every interleaving";
    Deno.test(`Session.${name}, at ${when}, on ${on} (R8, R12, R16)`, async () => {
      if (race.large) return await runSome(open, race, 300);

      const runs = await runAll(open, race);

      assert(runs > 1, "nothing has raced");
    });
  }
}

const MOVES: Record<string, (arena: Arena) => Promise<unknown>> = {
  regenerate: ({ session, id }) => session.regenerate(id, { admin: 1 }),
  signIn: ({ session, id }) =>
    session.signIn(request(id), new Headers(), { admin: 1 }),
};

for (const [on, open] of Object.entries(STORES)) {
  for (const [name, move] of Object.entries(MOVES)) {
    for (const how of ["fails", "never answers"]) {
      Deno.test(`Session.${name}() leaves the old session as it was when any call of ${on} ${how} (R8, R20)`, async () => {
        let failures = 0;
        for (let step = 0; step < 8; step++) {
          using time = new FakeTime(0);
          const gated = new GatedStore(open());
          const arena = await openArena(gated.store, time);
          gated.close();

          const moving = Promise.allSettled([move(arena)]);
          await settle();
          for (let done = 0; done < step && gated.waiting.length > 0; done++) {
            gated.waiting.shift()?.();
            await settle();
          }
          const failing = gated.waiting.shift();
          gated.reopen();
          if (failing === undefined) {
            const [result] = await moving;
            assert(result.status === "fulfilled");
            const newId = String(result.value);
            assertEquals(Object.keys(await readLive(arena)), [newId]);
            continue;
          }
          failures++;
          const live = how === "fails"
            ? await failAndRead(arena, failing, moving)
            : await readElsewhere(gated.store, arena.issued);

          assertEquals(live[arena.id], { a: 1 }, `step ${step}`);
          // The process died before it could tell anyone the new id.
          if (how === "never answers") continue;
          assertEquals(Object.keys(live), [arena.id], `step ${step}`);
        }
        assert(failures >= 2, "nothing has failed");
      });
    }
  }
}

async function failAndRead(
  arena: Arena,
  fail: (failure: Error) => void,
  moving: Promise<PromiseSettledResult<unknown>[]>,
): Promise<Record<string, Data>> {
  fail(new Error("store down"));
  const [result] = await moving;
  assertEquals(result?.status, "rejected");
  return await readLive(arena);
}

/** What another process reads when the first one has died. */
async function readElsewhere(
  store: Store,
  issued: string[],
): Promise<Record<string, Data>> {
  const other: Store = {
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value),
    delete: (key) => store.delete(key),
  };
  const session = new Session<Data>({ store: other, hashIds: false });
  return await readLive({ session, issued });
}

for (const [on, open] of Object.entries(STORES)) {
  Deno.test(`Session.fromRequest() finds no session that ends while it looks up another cookie, on ${on} (R9)`, async () => {
    using time = new FakeTime(0);
    const store = open();
    const session = new Session<Data>({ store });
    const id = await session.create({ a: 1 });
    time.tick(59 * MINUTE);
    const get = store.get.bind(store);
    let reads = 0;
    store.get = async (key) => {
      const value = await get(key);
      if (++reads === 2) time.tick(24 * 60 * MINUTE);
      return value;
    };
    const unknown = "unknown".padEnd(32, "-");
    const cookie = `session_id=${id}; session_id=${unknown}`;

    assertEquals(await session.fromRequest({ headers: { cookie } }), undefined);
  });
}

// Random sequences

/** Which of the ids so far a call is for; one too high is for none. */
type Slot = number;

type Op =
  | { name: "create"; data: Data }
  | { name: "get" | "expiresAt" | "delete"; slot: Slot }
  | { name: "patch" | "regenerate"; slot: Slot; patch: Patch }
  | { name: "add" | "throw"; slot: Slot; member: string; wait: boolean }
  | { name: "load" | "idFromRequest" | "signOut"; slots: Slot[] }
  | { name: "signIn"; slots: Slot[]; data: Data; isTakenOver: boolean }
  | { name: "elapse"; ms: number };

type Patch = Record<string, number | undefined>;

const slot = fc.nat({ max: 3 });
const member = fc.constantFrom("a", "b", "c");
const patch: fc.Arbitrary<Patch> = fc.dictionary(
  member,
  fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined }),
);
const elapse: fc.Arbitrary<Op> = fc.record({
  name: fc.constant("elapse" as const),
  ms: fc.constantFrom(
    1,
    7000,
    IDLE_TIMEOUT / 2,
    IDLE_TIMEOUT / 2 + 1,
    IDLE_TIMEOUT - 1,
    IDLE_TIMEOUT,
  ),
});
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    name: fc.constant("create" as const),
    data: fc.dictionary(member, fc.nat({ max: 9 })),
  }),
  fc.record({
    name: fc.constantFrom("get" as const, "expiresAt" as const, "delete"),
    slot,
  }),
  fc.record({
    name: fc.constantFrom("patch" as const, "regenerate" as const),
    slot,
    patch,
  }),
  fc.record({
    name: fc.constantFrom("add" as const, "throw" as const),
    slot,
    member,
    wait: fc.boolean(),
  }),
  fc.record({
    name: fc.constantFrom("load" as const, "idFromRequest", "signOut"),
    slots: fc.array(fc.nat({ max: 6 }), { maxLength: 6 }),
  }),
  fc.record({
    name: fc.constantFrom("load" as const, "signOut"),
    slots: fc.tuple(slot),
  }),
  fc.record({
    name: fc.constant("signIn" as const),
    slots: fc.array(slot, { maxLength: 2 }),
    data: fc.dictionary(member, fc.nat({ max: 9 })),
    isTakenOver: fc.boolean(),
  }),
  elapse,
  elapse,
) as fc.Arbitrary<Op>; // the names of one record have one shape

interface ModelSession {
  data: Data;
  readonly createdAt: number;
  usedAt: number;
}

interface ModelMove {
  readonly to: string;
  readonly at: number;
  readonly before?: ModelSession & { until: number };
}

/** Sessions as the documentation has them. */
class Model {
  now = 0;
  readonly #grace: number;
  readonly #sessions = new Map<string, ModelSession>();
  readonly #moves = new Map<string, ModelMove>();

  constructor(grace: number) {
    this.#grace = grace;
  }

  live(id: string): ModelSession | undefined {
    const session = this.#sessions.get(id);
    return session && this.expiresAt(session) > this.now ? session : undefined;
  }

  /** What an old id reads while the session lives under its new one. */
  before(id: string): ModelMove["before"] {
    const { to = "", before } = this.#moves.get(id) ?? {};
    return this.live(to) && before && this.expiresAt(before) > this.now
      ? before
      : undefined;
  }

  read(id: string): (ModelSession & { until?: number }) | undefined {
    return this.live(id) ?? this.before(id);
  }

  expiresAt(
    { usedAt, createdAt, until = Infinity }: ModelSession & { until?: number },
  ): number {
    return Math.min(usedAt + IDLE_TIMEOUT, createdAt + ABSOLUTE_TIMEOUT, until);
  }

  create(id: string, data: Data): void {
    this.#sessions.set(id, {
      data,
      createdAt: this.now,
      usedAt: this.now,
    });
  }

  move(id: string, newId: string, data: Data): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#sessions.set(newId, { ...session, data, usedAt: this.now });
    const before = { ...session, until: this.now + this.#grace };
    this.#moves.set(id, { to: newId, at: this.now, before });
  }

  signIn(ids: string[], newId: string, data: Data): void {
    const found = this.findAll(ids);
    if (found.length === 1 && this.live(found[0]!)) {
      this.#sessions.delete(found[0]!);
      this.#moves.set(found[0]!, { to: newId, at: this.now });
    } else for (const id of found) this.delete(id);
    this.create(newId, data);
  }

  /** Whether it is promised what a delete of this id does. */
  isPromised(id: string): boolean {
    const move = this.#moves.get(id);
    return move === undefined || this.now < move.at + MINUTE;
  }

  delete(id: string): void {
    this.#sessions.delete(id);
    const move = this.#moves.get(id);
    this.#moves.delete(id);
    if (move !== undefined) this.delete(move.to);
  }

  /** Among the first four different ids. */
  findAll(ids: string[]): string[] {
    const found = firstFour(ids).filter((id) => this.read(id));
    return found.filter((id) =>
      this.live(id) || !found.includes(this.#moves.get(id)?.to ?? "")
    );
  }

  find(ids: string[]): string | undefined {
    const [found, other] = this.findAll(ids);
    return other === undefined ? found : undefined;
  }

  use(id: string): void {
    const session = this.live(id);
    if (session !== undefined && this.now - session.usedAt > IDLE_TIMEOUT / 2) {
      session.usedAt = this.now;
    }
  }
}

function firstFour(ids: string[]): string[] {
  return [...new Set(ids)].slice(0, 4);
}

function applyPatch(data: Data, patch: Patch): Data {
  const members = Object.entries({ ...data, ...patch });
  return Object.fromEntries(
    members.flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]]
    ),
  );
}

/** Does the same to both, and compares what they answer. */
async function step(
  session: Session<Data>,
  model: Model,
  time: FakeTime,
  issued: string[],
  op: Op,
): Promise<void> {
  const idOf = (slot: Slot): string =>
    issued[slot] ?? "unknown".padEnd(32, "-");
  switch (op.name) {
    case "create": {
      const id = await session.create(op.data);
      issued.push(id);
      model.create(id, op.data);
      return;
    }
    case "get": {
      const id = idOf(op.slot);
      assertEquals(await session.get(id), model.read(id)?.data);
      return;
    }
    case "expiresAt": {
      const id = idOf(op.slot);
      const record = model.read(id);
      assertEquals(
        await session.expiresAt(id),
        record && model.expiresAt(record),
      );
      return;
    }
    case "patch": {
      const id = idOf(op.slot);
      const live = model.live(id);
      const patch: Partial<Data> = op.patch as Partial<Data>;
      assertEquals(await session.update(id, patch), live !== undefined);
      if (live) live.data = applyPatch(live.data, op.patch);
      return;
    }
    case "add": {
      const id = idOf(op.slot);
      const live = model.live(id);
      const add = (data: Data): void => {
        data[op.member] = (data[op.member] ?? 0) + 1;
      };
      const change = op.wait
        ? async (data: Data) => await Promise.resolve(add(data))
        : add;
      assertEquals(await session.update(id, change), live !== undefined);
      if (live) add(live.data = { ...live.data });
      return;
    }
    case "throw": {
      const id = idOf(op.slot);
      const thrown = new Error("no");
      const change = (data: Data): Promise<Data> | Data => {
        data[op.member] = 99;
        if (!op.wait) throw thrown;
        return Promise.reject(thrown);
      };
      const reason = await session.update(id, change).catch((reason) => reason);
      assertEquals(reason, model.live(id) ? thrown : false);
      return;
    }
    case "regenerate": {
      const id = idOf(op.slot);
      const live = model.live(id);
      const patch: Partial<Data> = op.patch as Partial<Data>;
      const newId = await session.regenerate(id, patch);
      assertEquals(newId !== undefined, live !== undefined);
      if (newId === undefined || live === undefined) return;
      issued.push(newId);
      model.move(id, newId, applyPatch(live.data, op.patch));
      return;
    }
    case "delete": {
      const id = idOf(op.slot);
      if (!model.isPromised(id)) return;
      await session.delete(id, new Headers());
      model.delete(id);
      return;
    }
    case "load":
    case "idFromRequest": {
      const { ids, req } = requestWith(op.slots.map(idOf));
      const found = model.find(ids);
      if (op.name === "idFromRequest") {
        assertEquals(await session.idFromRequest(req), found);
        return;
      }
      assertEquals(
        await session.load(req),
        found && { id: found, data: model.read(found)?.data },
      );
      if (found !== undefined) model.use(found);
      return;
    }
    case "signIn": {
      const { ids, req } = requestWith(op.slots.map(idOf));
      if (!ids.every((id) => model.isPromised(id))) return;
      const previous = model.live(model.find(ids) ?? "")?.data;
      const data = op.isTakenOver ? { ...previous, ...op.data } : op.data;
      const res = new Headers();
      const id = await session.signIn(
        req,
        res,
        op.isTakenOver ? (before) => ({ ...before, ...op.data }) : op.data,
      );
      assertEquals(res.getSetCookie(), [session.cookie(id)]);
      model.signIn(ids, id, data);
      issued.push(id);
      return;
    }
    case "signOut": {
      const { ids, req } = requestWith(op.slots.map(idOf));
      if (!ids.every((id) => model.isPromised(id))) return;
      const res = new Headers();
      await session.signOut(req, res);
      assertEquals(res.getSetCookie().length, 1);
      for (const id of firstFour(ids)) model.delete(id);
      return;
    }
    case "elapse":
      time.tick(op.ms);
      model.now += op.ms;
  }
}

const SETTINGS: Record<string, SessionOptions> = {
  "": {},
  " without hashIds": { hashIds: false },
  " with a grace": { regenerateGrace: IDLE_TIMEOUT / 2 },
};

for (const [on, open] of Object.entries(STORES)) {
  for (const [how, options] of Object.entries(SETTINGS)) {
    Deno.test(`Session does what its model does in 500 random sequences on ${on}${how}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(op, { minLength: 10, maxLength: 60 }),
          async (ops) => {
            using time = new FakeTime(0);
            const session = new Session<Data>({
              ...options,
              store: open(),
              idleTimeout: IDLE_TIMEOUT,
              absoluteTimeout: ABSOLUTE_TIMEOUT,
            });
            const model = new Model(options.regenerateGrace ?? 0);
            const issued: string[] = [];

            for (const op of ops) await step(session, model, time, issued, op);

            for (const id of issued) {
              assertEquals(await session.get(id), model.read(id)?.data);
            }
          },
        ),
        { seed: SEED, numRuns: 500 },
      );
    });
  }
}

// The cookie against the grammar

interface ParsedCookie {
  name: string;
  value: string;
  attributes: Record<string, string>;
}

/** What a browser makes of a `Set-Cookie` line: RFC 6265bis 5.6. */
function parseSetCookie(line: string): ParsedCookie | undefined {
  // deno-lint-ignore no-control-regex -- a browser drops such a line
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) return undefined;
  const strip = (text: string): string =>
    text.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
  const split = (text: string): [string, string] => {
    const at = text.indexOf("=");
    return at < 0
      ? [strip(text), ""]
      : [strip(text.slice(0, at)), strip(text.slice(at + 1))];
  };
  const [pair = "", ...rest] = line.split(";");
  const [name, value] = split(pair);
  if (name.length + value.length > 4096) return undefined;
  const attributes: Record<string, string> = {};
  for (const attribute of rest) {
    const [key, value] = split(attribute);
    if (value.length <= 1024) attributes[key.toLowerCase()] = value;
  }
  return { name, value, attributes };
}

/** Pieces of which valid attributes are made, and such that break them. */
const piece = fc.constantFrom(
  ..."/ . - A 1 %2F app com example".split(" "),
  ...[";", " Domain=evil.example", "=", ",", '"', "é", "\r\n", "\0", "\t"],
);
const text = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(""));
const clean = fc.array(fc.constantFrom("/", "app", "%2F", " x", " ", ".", "="))
  .map((parts) => `/${parts.join("")}`);
const label = fc.constantFrom("a", "app", "xn--bcher-kva", "a-1", "1a", "COM");
const host = fc.array(label, { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join("."));
const id = "I".repeat(32);

/** Whatever a developer might pass in: mostly right, so that some is written. */
const attributes: fc.Arbitrary<CookieAttributes> = fc.record({
  path: fc.oneof(text, text.map((rest) => `/${rest}`), clean, clean),
  domain: fc.oneof(text, host, host, host.map((name) => `.${name}`)),
  maxAge: fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: 34_560_000 }), weight: 5 },
    { arbitrary: fc.double(), weight: 1 },
  ),
  expires: fc.date({
    min: new Date(-1_000_000_000),
    max: new Date(35_000_000_000),
    noInvalidDate: false,
  }),
  httpOnly: fc.boolean(),
  secure: fc.boolean(),
  sameSite: fc.constantFrom<CookieAttributes["sameSite"]>(
    "Strict",
    "lax",
    "None",
    "Lax; Path=/" as "Lax", // wrong on purpose
  ),
  partitioned: fc.boolean(),
}, { requiredKeys: [] });

Deno.test("Session.setCookie() writes what a browser reads as it was meant, or nothing (R25)", () => {
  using _time = new FakeTime(0);
  let written = 0;

  fc.assert(
    fc.property(attributes, (given) => {
      const session = new Session();
      const headers = new Headers({ "set-cookie": "a=1" });
      try {
        session.setCookie(headers, id, given);
      } catch (error) {
        assert(error instanceof TypeError || error instanceof RangeError);
        assertEquals([...headers], [["set-cookie", "a=1"]]);
        return;
      }
      written++;
      const expected: Record<string, string> = { path: given.path ?? "/" };
      if (given.domain !== undefined) {
        expected.domain = given.domain.replace(/^\./, "");
      }
      if (given.maxAge !== undefined) expected["max-age"] = `${given.maxAge}`;
      if (given.expires !== undefined) {
        expected.expires = given.expires.toUTCString();
      }
      if (given.httpOnly !== false) expected.httponly = "";
      if (given.secure !== false) expected.secure = "";
      const sameSite = (given.sameSite ?? "Lax").toLowerCase();
      expected.samesite = sameSite[0]!.toUpperCase() + sameSite.slice(1);
      if (given.partitioned) expected.partitioned = "";
      const [, line = ""] = headers.getSetCookie();
      assertEquals(parseSetCookie(line), {
        name: "session_id",
        value: id,
        attributes: expected,
      });
    }),
    { seed: SEED, numRuns: 5000 },
  );

  assert(written > 300, `only ${written} were written`);
});

/** A name, and whether its prefix needs Secure, HttpOnly, and one host. */
const PREFIXES: [string, boolean, boolean, boolean][] = [
  ["session_id", false, false, false],
  ["__session_id", false, false, false],
  ["__Secure-id", true, false, false],
  ["__SECURE-id", true, false, false],
  ["__Host-id", true, false, true],
  ["__host-id", true, false, true],
  ["__Http-id", true, true, false],
  ["__hTTP-id", true, true, false],
  ["__Host-Http-id", true, true, true],
  ["__hosT-httP-id", true, true, true],
];
for (const [cookieName, needsSecure, needsHttpOnly, needsHost] of PREFIXES) {
  Deno.test(`new Session() takes the attributes for ${cookieName} that browsers take (R24)`, () => {
    let taken = 0;
    for (let bits = 0; bits < 16; bits++) {
      const cookie: CookieAttributes = {
        secure: (bits & 1) === 0,
        httpOnly: (bits & 2) === 0,
        path: bits & 4 ? "/app" : "/",
        domain: bits & 8 ? "example.com" : undefined,
      };
      const allowed = (cookie.secure || !needsSecure) &&
        (cookie.httpOnly || !needsHttpOnly) &&
        (!needsHost || (cookie.path === "/" && cookie.domain === undefined));

      const errors = [
        catchError(() => new Session({ cookieName, cookie })),
        catchError(() => new Session({ cookieName }).cookie(id, cookie)),
      ];

      if (allowed) taken++;
      for (const error of errors) {
        assertEquals(
          error instanceof TypeError && error.message.includes("the prefix"),
          !allowed,
          `${JSON.stringify(cookie)}: ${error}`,
        );
      }
    }
    assert(taken > 0);
  });
}

function catchError(fn: () => unknown): unknown {
  try {
    fn();
    return undefined;
  } catch (error) {
    return error;
  }
}
