import { assertEquals } from "@std/assert";
import {
  append,
  formatEvent,
  type HistoryEvent,
  linearize,
  type LinearizeOptions,
  type Operation,
  type Span,
  splitByKey,
} from "./_linearizability.ts";

/** Call and return, then the times of the two if they matter. */
type When = [call: number, ret: number, calledAt?: number, returnedAt?: number];

/** An operation on the key `"a"`, by a client of its own. */
function event(
  [call, ret, calledAt = 0, returnedAt = calledAt]: When,
  operation: Operation,
): HistoryEvent {
  const span: Span = { client: call, call, ret, calledAt, returnedAt };
  return { ...operation, ...span };
}

function get(when: When, outcome?: string): HistoryEvent {
  return event(when, { op: "get", key: "a", outcome });
}

function has(when: When, outcome: boolean): HistoryEvent {
  return event(when, { op: "has", key: "a", outcome });
}

function set(when: When, value: string, ttl?: number): HistoryEvent {
  return event(when, { op: "set", key: "a", value, ttl });
}

function touch(when: When, outcome: boolean, ttl?: number): HistoryEvent {
  return event(when, { op: "touch", key: "a", ttl, outcome });
}

function remove(when: When): HistoryEvent {
  return event(when, { op: "delete", key: "a" });
}

function clear(when: When): HistoryEvent {
  return event(when, { op: "clear" });
}

/** Appends to an entry or makes one. */
function update(
  when: When,
  id: string,
  outcome?: string,
  ttl?: number,
): HistoryEvent {
  return event(when, {
    op: "update",
    key: "a",
    id,
    creates: true,
    ttl,
    outcome,
  });
}

/** Appends to an entry, makes none. */
function change(when: When, id: string, outcome?: string): HistoryEvent {
  return event(when, { op: "update", key: "a", id, creates: false, outcome });
}

/** Has not returned. */
const NEVER = Infinity;

/** Of one key, as of processes that were killed. */
function updatesThatNeverReturn(count: number): HistoryEvent[] {
  return Array.from(
    { length: count },
    (_, i) => update([2 + i, NEVER], `u${i}`),
  );
}

interface Case {
  name: string;
  events: HistoryEvent[];
  options?: LinearizeOptions;
}

const LINEARIZABLE: Case[] = [
  { name: "nothing at all", events: [] },
  {
    name: "operations one after another",
    events: [
      get([0, 1]),
      has([2, 3], false),
      set([4, 5], "1"),
      get([6, 7], "1"),
      update([8, 9], "2", "1,2"),
      has([10, 11], true),
      remove([12, 13]),
      get([14, 15]),
    ],
  },
  {
    name: "a read during a write that sees it, then one that sees it too",
    events: [set([0, 9], "1"), get([1, 2], "1"), get([3, 4], "1")],
  },
  {
    name: "a read during a write that does not see it yet",
    events: [set([0, 9], "1"), get([1, 2]), get([3, 4], "1")],
  },
  {
    name: "writes that overlap, seen in the order of neither call nor return",
    events: [
      set([0, 7], "1"),
      set([1, 6], "2"),
      set([2, 5], "3"),
      get([8, 9], "2"),
    ],
  },
  {
    name: "updates that overlap, each on the outcome of another",
    events: [
      update([0, 9], "1", "3,2,1"),
      update([1, 8], "2", "3,2"),
      update([2, 7], "3", "3"),
    ],
  },
  {
    name: "an update during a delete, before or after it",
    events: [
      set([0, 1], "1"),
      remove([2, 7]),
      update([3, 6], "2", "2"),
      get([8, 9], "2"),
    ],
  },
  {
    name: "an update that finds nothing and makes nothing",
    events: [change([0, 1], "1", undefined), get([2, 3])],
  },
  {
    name: "a clear",
    events: [set([0, 1], "1"), clear([2, 3]), get([4, 5])],
  },
  {
    name: "a set of unknown outcome that is seen",
    events: [set([0, NEVER], "1"), get([1, 2]), get([3, 4], "1")],
  },
  {
    name: "a set of unknown outcome that is never seen",
    events: [set([0, NEVER], "1"), get([1, 2]), get([3, 4])],
  },
  {
    name: "an update of unknown outcome between two others",
    events: [
      update([0, 1], "1", "1"),
      update([2, NEVER], "2"),
      update([3, 4], "3", "1,2,3"),
    ],
  },
  {
    name: "one update of many of unknown outcome, between two others",
    events: [
      update([0, 1], "1", "1"),
      ...updatesThatNeverReturn(12),
      update([20, 21], "2", "1,u7,2"),
      get([22, 23], "1,u7,2"),
    ],
  },
  {
    name: "many sets of unknown outcome, none of which is seen",
    events: [
      set([0, 1], "1"),
      ...Array.from({ length: 12 }, (_, i) => set([2 + i, NEVER], `u${i}`)),
      get([20, 21], "1"),
      remove([22, 23]),
      has([24, 25], true),
    ],
  },
  {
    name: "a delete of unknown outcome long after its call",
    events: [
      set([0, 1], "1"),
      remove([2, NEVER]),
      get([3, 4], "1"),
      get([5, 6]),
    ],
  },
  {
    name: "a read just before the deadline and one at it",
    events: [
      set([0, 1, 0], "1", 10),
      get([2, 3, 9], "1"),
      get([4, 5, 10]),
    ],
  },
  {
    name: "either outcome when the clock goes past the deadline meanwhile",
    events: [
      set([0, 1, 0], "1", 10),
      get([2, 5, 9, 11]),
      get([3, 4, 9, 9], "1"),
    ],
  },
  {
    name: "a set that takes a while, with a deadline counted from its end",
    events: [set([0, 1, 0, 5], "1", 10), get([2, 3, 14], "1")],
  },
  {
    name: "a set that takes a while, with a deadline counted from its call",
    events: [set([0, 1, 0, 5], "1", 10), get([2, 3, 10])],
  },
  {
    name: "an update that keeps the deadline",
    events: [
      set([0, 1, 0], "1", 10),
      update([2, 3, 5], "2", "1,2"),
      get([4, 5, 10]),
    ],
  },
  {
    name: "an update with a ttl of its own",
    events: [
      set([0, 1, 0], "1", 10),
      update([2, 3, 5], "2", "1,2", 10),
      get([4, 5, 14], "1,2"),
      get([6, 7, 15]),
    ],
  },
  {
    name: "a touch that prolongs a life, one that ends it, one of nothing",
    events: [
      set([0, 1, 0], "1", 10),
      touch([2, 3, 9], true, 10),
      get([4, 5, 18], "1"),
      touch([6, 7, 18], true, Infinity),
      get([8, 9, 99], "1"),
      touch([10, 11, 100], true, 1),
      get([12, 13, 101]),
      touch([14, 15, 101], false, 10),
      get([16, 17, 101]),
    ],
  },
  {
    name: "touches that overlap, the first of which counts",
    events: [
      set([0, 1, 0], "1"),
      touch([2, 5, 0], true, 20),
      touch([3, 4, 0], true, 10),
      get([6, 7, 15], "1"),
    ],
  },
  {
    name: "an entry made by update after the old one has expired",
    events: [
      set([0, 1, 0], "1", 10),
      update([2, 3, 10], "2", "2"),
      get([4, 5, 999], "2"),
    ],
  },
  {
    name: "a default ttl",
    events: [
      update([0, 1, 0], "1", "1"),
      update([2, 3, 9], "2", "1,2"),
      get([4, 5, 10]),
      set([6, 7, 10], "3"),
      get([8, 9, 19], "3"),
      touch([10, 11, 19], true),
      get([12, 13, 28], "3"),
      get([14, 15, 29]),
    ],
    options: { ttl: 10 },
  },
];

const NOT_LINEARIZABLE: Case[] = [
  {
    name: "a value that nobody has written",
    events: [set([0, 1], "1"), get([2, 3], "2")],
  },
  {
    name: "a value read before it was written",
    events: [get([0, 1], "1"), set([2, 3], "1")],
  },
  {
    name: "a stale read",
    events: [set([0, 1], "1"), set([2, 3], "2"), get([4, 5], "1")],
  },
  {
    name: "a write that is not there",
    events: [set([0, 1], "1"), get([2, 3])],
  },
  {
    name: "a new value and then the old one, during one write",
    events: [
      set([0, 1], "1"),
      set([2, 9], "2"),
      get([3, 4], "2"),
      get([5, 6], "1"),
    ],
  },
  {
    name: "two readers that see two writes in different orders",
    events: [
      set([0, 1], "1"),
      set([0, 2], "2"),
      get([3, 4], "1"),
      get([3, 5], "2"),
    ],
  },
  {
    name: "a lost update",
    events: [
      update([0, 3], "1", "1"),
      update([1, 2], "2", "2"),
      get([4, 5], "1"),
    ],
  },
  {
    name: "an update applied twice",
    events: [update([0, 1], "1", "1"), get([2, 3], "1,1")],
  },
  {
    name: "an update of unknown outcome applied twice",
    events: [
      update([0, NEVER], "1"),
      update([1, 2], "2", "1,2"),
      get([3, 4], "1,2,1"),
    ],
  },
  {
    name: "a lost update among many of unknown outcome",
    events: [
      update([0, 1], "1", "1"),
      ...updatesThatNeverReturn(12),
      update([20, 21], "2", "1,u7,2"),
      get([22, 23], "1,u7"),
    ],
  },
  {
    name: "an update that loses a set which landed meanwhile",
    events: [
      set([0, 1], "1"),
      update([2, 5], "2", "1,2"),
      set([3, 4], "3"),
      get([6, 7], "1,2"),
    ],
  },
  {
    name: "an entry that is back after its delete",
    events: [
      set([0, 1], "1"),
      update([2, 5], "2", "1,2"),
      remove([3, 4]),
      get([6, 7], "1,2"),
    ],
  },
  {
    name: "an entry that is back after a read found it deleted",
    events: [
      set([0, 1], "1"),
      remove([2, NEVER]),
      get([3, 4]),
      get([5, 6], "1"),
    ],
  },
  {
    name: "an entry that survives a clear",
    events: [set([0, 1], "1"), clear([2, 3]), has([4, 5], true)],
  },
  {
    name: "an update of nothing that makes an entry",
    events: [change([0, 1], "1", "1"), get([2, 3], "1")],
  },
  {
    name: "an update of nothing that makes an entry and does not say so",
    events: [change([0, 1], "1", undefined), get([2, 3], "1")],
  },
  {
    name: "an update that finds nothing where there is an entry",
    events: [set([0, 1], "1"), change([2, 3], "2", undefined)],
  },
  {
    name: "an update that says nothing of the entry it makes",
    events: [update([0, 1], "1", undefined)],
  },
  {
    name: "a touch of nothing that says there was something",
    events: [remove([0, 1]), touch([2, 3], true, 10)],
  },
  {
    name: "a touch that finds nothing where there is an entry",
    events: [set([0, 1], "1"), touch([2, 3], false, 10)],
  },
  {
    name: "a read at the deadline",
    events: [set([0, 1, 0], "1", 10), get([2, 3, 10], "1")],
  },
  {
    name: "a read that misses before the deadline",
    events: [set([0, 1, 0], "1", 10), get([2, 3, 9])],
  },
  {
    name: "a read at the latest deadline that is possible",
    events: [set([0, 1, 0, 5], "1", 10), get([2, 3, 15], "1")],
  },
  {
    name: "a miss that comes before a hit, both before the latest deadline",
    events: [
      set([0, 1, 0, 5], "1", 10),
      get([2, 3, 12]),
      get([4, 5, 13], "1"),
    ],
  },
  {
    name: "a hit that proves a later deadline than a miss at the same time",
    events: [
      set([0, 1, 0, 5], "1", 10),
      get([2, 3, 12], "1"),
      get([4, 5, 12]),
    ],
  },
  {
    name: "an update that forgets the deadline",
    events: [
      set([0, 1, 0], "1", 10),
      update([2, 3, 5], "2", "1,2"),
      get([4, 5, 10], "1,2"),
    ],
  },
  {
    name: "a deadline counted from before what the update has seen",
    events: [
      set([0, 1, 0], "1"),
      update([2, 9, 5, 20], "3", "1,2,3", 10),
      update([4, 5, 12], "2", "1,2"),
      get([10, 11, 21]),
    ],
  },
  {
    name: "a set that keeps the old deadline",
    events: [
      set([0, 1, 0], "1", 10),
      set([2, 3, 5], "2", 10),
      get([4, 5, 10]),
    ],
  },
  {
    name: "a touch that revives what has expired",
    events: [
      set([0, 1, 0], "1", 10),
      touch([2, 3, 10], true, 10),
      get([4, 5, 11], "1"),
    ],
  },
  {
    name: "a default ttl that is not kept",
    events: [update([0, 1, 0], "1", "1"), get([2, 3, 10], "1")],
    options: { ttl: 10 },
  },
];

for (const { name, events, options } of LINEARIZABLE) {
  Deno.test(`linearize() finds an order for ${name}`, () => {
    const { verdict, order } = linearize(events, options);

    assertEquals(verdict, "linearizable");
    assertEquals(
      order.filter(({ ret }) => ret < NEVER).length,
      events.filter(({ ret }) => ret < NEVER).length,
    );
  });
}

for (const { name, events, options } of NOT_LINEARIZABLE) {
  Deno.test(`linearize() finds no order for ${name}`, () => {
    assertEquals(linearize(events, options).verdict, "not linearizable");
  });

  Deno.test(`linearize() is not misled by the order of events in ${name}`, () => {
    const { verdict } = linearize(events.toReversed(), options);

    assertEquals(verdict, "not linearizable");
  });
}

Deno.test("linearize() returns the order it has found", () => {
  const first = set([0, 9], "1");
  const second = set([1, 8], "2");
  const third = get([2, 7], "2");

  const { order } = linearize([first, second, third]);

  assertEquals(order, [first, second, third]);
});

Deno.test("linearize() returns the longest order that makes sense when there is none", () => {
  const written = set([0, 1], "1");
  const read = get([2, 3], "1");
  const stray = get([4, 5], "2");

  const { order } = linearize([written, read, stray]);

  assertEquals(order, [written, read]);
});

Deno.test("linearize() is undecided when its budget is used up", () => {
  const writes = Array.from(
    { length: 40 },
    (_, i) => set([i, 100 + i], `${i}`),
  );
  const events = [...writes, get([200, 201], "x")];

  assertEquals(linearize(events, { budget: 1_000 }).verdict, "undecided");
});

Deno.test("linearize() does not try the same place twice", () => {
  const writes = Array.from({ length: 10 }, (_, i) => remove([i, 100 + i]));
  const events = [...writes, get([200, 201], "x")];

  // 10! orders, but only 2^10 sets of events done.
  assertEquals(
    linearize(events, { budget: 6_000 }).verdict,
    "not linearizable",
  );
});

Deno.test("splitByKey() gives each key its own events and those of all keys", () => {
  const first = set([0, 1], "1");
  const other = event([2, 3], { op: "delete", key: "b" });
  const all = clear([4, 5]);

  const split = splitByKey([first, other, all]);

  assertEquals([...split], [["a", [first, all]], ["b", [other, all]]]);
});

Deno.test("append() adds to the end of a list", () => {
  assertEquals(append(undefined, "1"), "1");
  assertEquals(append("", "1"), "1");
  assertEquals(append("1", "2"), "1,2");
});

Deno.test("formatEvent() says who did what when and what came of it", () => {
  assertEquals(
    formatEvent(update([2, 13, 5, 9], "7", "1,7")).replaceAll(/ +/g, " "),
    " 2-13 5-9 ms client 2 update(a) id: 7, creates: true, outcome: 1,7",
  );
});
