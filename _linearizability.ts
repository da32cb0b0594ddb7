/**
 * Decides whether what several clients saw of one key could have been seen if
 * each operation had happened at one instant between its call and its return:
 * whether the history is linearizable. For tests only.
 *
 * A search by Wing and Gong: of the operations that were called before the
 * first outstanding return, one has to be next; try each, and go back when none
 * fits. Lowe's cache leaves out what was tried before: the same operations done
 * with the same state left. An operation that never returned and changes
 * nothing that anybody saw is not tried either: the orders of a dozen of them
 * would use up any budget.
 *
 * Values are lists of unique ids, and an update appends one, so that a value
 * tells its whole past. Keys are checked alone: a history is linearizable when
 * the history of each of its keys is.
 *
 * @see {@link https://doi.org/10.1006/jpdc.1993.1015 | Wing and Gong, Testing and Verifying Concurrent Objects}
 * @see {@link https://doi.org/10.1002/cpe.3928 | Lowe, Testing for linearizability}
 *
 * @module
 */

/** What was asked and answered. `ttl` left out: the default of the store. */
export type Operation =
  | { op: "get"; key: string; outcome: string | undefined }
  | { op: "has"; key: string; outcome: boolean }
  | { op: "set"; key: string; value: string; ttl?: number | undefined }
  | { op: "touch"; key: string; ttl?: number | undefined; outcome: boolean }
  | { op: "delete"; key: string }
  | { op: "clear"; key?: undefined }
  | {
    op: "update";
    key: string;
    /** What it appends. */
    id: string;
    /** Whether it makes an entry where there is none. */
    creates: boolean;
    /** Left out: the deadline stays. */
    ttl?: number | undefined;
    outcome: string | undefined;
  };

/** Who did it and when. */
export interface Span {
  client: number;
  /** When it was called, on a counter that all events of a history share. */
  call: number;
  /** When it returned; `Infinity` if never: its effect, if any, is not known. */
  ret: number;
  /** The time at the call, in whole milliseconds. */
  calledAt: number;
  /** The time at the return. */
  returnedAt: number;
}

/** One operation of a history. */
export type HistoryEvent = Operation & Span;

/** Options for {@linkcode linearize}. */
export interface LinearizeOptions {
  /** The store's default for the life of an entry. @default {Infinity} */
  ttl?: number;
  /** How many steps to search before giving up. @default {100_000} */
  budget?: number;
}

/** What {@linkcode linearize} found. */
export interface Linearization {
  /** `"undecided"`: the budget is used up. No proof, so a failure. */
  verdict: "linearizable" | "not linearizable" | "undecided";
  /** The order that explains the history; else the longest that was found. */
  order: HistoryEvent[];
}

/** No entry, or one that expires at some time between two bounds. */
type State = { value: string; from: number; to: number } | undefined;

/** The events of each key, those of all keys included in every list. */
export function splitByKey(
  events: readonly HistoryEvent[],
): Map<string, HistoryEvent[]> {
  const keys = new Set(events.map(({ key }) => key));
  const split = new Map<string, HistoryEvent[]>();
  for (const key of keys) {
    if (key === undefined) continue;
    split.set(
      key,
      events.filter((event) => event.key === key || event.op === "clear"),
    );
  }
  return split;
}

/** What an id appended to a list gives. */
export function append(list: string | undefined, id: string): string {
  return list === undefined || list === "" ? id : `${list},${id}`;
}

/** One line on an event, for a message. */
export function formatEvent(event: HistoryEvent): string {
  const { client, call, ret, calledAt, returnedAt, op, key, ...rest } = event;
  const details = Object.entries(rest)
    .filter(([name, value]) => name !== "ttl" || value !== undefined)
    .map(([name, value]) => ` ${name}: ${value}`);
  const span = `${call}-${ret}`.padStart(9);
  const times = `${calledAt}-${returnedAt} ms`.padStart(10);
  return `${span} ${times}  client ${client}  ${op}(${key ?? ""})${
    details.join(",")
  }`;
}

/**
 * Looks for an order of the events of one key that explains their outcomes.
 * Operations that are known to have failed must not be among them.
 */
export function linearize(
  events: readonly HistoryEvent[],
  { ttl = Infinity, budget = 100_000 }: LinearizeOptions = {},
): Linearization {
  const seen = findSeenValues(events);
  const tried = new Set<string>();
  const order: HistoryEvent[] = [];
  let longest: HistoryEvent[] = [];
  let steps = 0;

  /** `done` has a bit for each event that has its place, the last at `now`. */
  function search(done: bigint, now: number, state: State): boolean {
    if (order.length > longest.length) longest = [...order];
    let firstRet = Infinity;
    let until = Infinity;
    for (const [index, { ret, returnedAt }] of events.entries()) {
      if (ret < firstRet && !(done & (1n << BigInt(index)))) {
        firstRet = ret;
        until = returnedAt;
      }
    }
    // What is left never returned, and so has not been seen to happen.
    if (firstRet === Infinity) return true;
    if (++steps > budget) return false;
    const place = `${done} ${state?.from} ${state?.to} ${state?.value}`;
    if (tried.has(place)) return false;
    tried.add(place);
    for (const [index, event] of events.entries()) {
      const bit = 1n << BigInt(index);
      if (event.call > firstRet || done & bit) continue;
      const since = Math.max(now, event.calledAt);
      order.push(event);
      for (const next of step(state, event, since, until, ttl)) {
        if (event.ret === Infinity && isUnseen(state, next, seen)) continue;
        if (search(done | bit, since, next)) return true;
      }
      order.pop();
    }
    return false;
  }

  const found = search(0n, -Infinity, undefined);
  if (found) return { verdict: "linearizable", order };
  const verdict = steps > budget ? "undecided" : "not linearizable";
  return { verdict, order: longest };
}

/** The values that somebody was given. */
function findSeenValues(events: readonly HistoryEvent[]): string[] {
  return events.flatMap((event) =>
    "outcome" in event && typeof event.outcome === "string"
      ? [event.outcome]
      : []
  );
}

/**
 * Whether a change need not have happened: there is an entry until the same time
 * before and after it, and no seen value has grown from the new one.
 */
function isUnseen(
  before: State,
  after: State,
  seen: readonly string[],
): boolean {
  if (before === undefined || after === undefined) return before === after;
  if (before.from !== after.from || before.to !== after.to) return false;
  return before.value === after.value ||
    !seen.some((value) => `${value},`.startsWith(`${after.value},`));
}

/**
 * The states an event can leave when it happens between two times; none if its
 * outcome is impossible. An entry may have expired when its deadline can be
 * before the later time, and may live when it can be after the earlier one.
 */
function step(
  state: State,
  event: HistoryEvent,
  since: number,
  until: number,
  defaultTtl: number,
): State[] {
  const views: State[] = [];
  if (state !== undefined && state.to > since) {
    views.push({ ...state, from: Math.max(state.from, since + 1) });
  }
  if (state === undefined || state.from <= until) views.push(undefined);

  const live = (value: string, ttl = defaultTtl): State => {
    return { value, from: since + ttl, to: until + ttl };
  };
  switch (event.op) {
    case "get":
      return views.filter((view) => isAnswer(event, view?.value));
    case "has":
      return views.filter((view) => isAnswer(event, view !== undefined));
    case "set":
      return [live(event.value, event.ttl)];
    case "delete":
    case "clear":
      return [undefined];
    case "touch":
      return views.filter((view) => isAnswer(event, view !== undefined))
        .map((view) => view && live(view.value, event.ttl));
    case "update":
      return views.flatMap((view) => {
        const { id, creates, ttl } = event;
        const isWrite = view !== undefined || creates;
        const value = isWrite ? append(view?.value, id) : undefined;
        if (!isAnswer(event, value)) return [];
        if (value === undefined) return [undefined];
        const keepsDeadline = view !== undefined && ttl === undefined;
        return [keepsDeadline ? { ...view, value } : live(value, ttl)];
      });
  }
}

function isAnswer(
  event: Span & { outcome: unknown },
  answer: unknown,
): boolean {
  return event.ret === Infinity || event.outcome === answer;
}
