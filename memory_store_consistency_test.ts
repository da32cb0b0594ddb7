/**
 * Several clients use a store at once, under a schedule and a clock that a seed
 * decides. What they saw has to be linearizable, key by key, and to keep a few
 * rules that follow from it and say better what is wrong. Stores with one fault
 * each show that the faults are found.
 *
 * A failure prints its seed and the history. `SEED=7` runs that one alone;
 * `HISTORIES=1000000` runs more than the usual number.
 *
 * @module
 */
// deno-lint-ignore-file require-await -- `async` turns a throw into a rejection

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import process from "node:process";
import {
  formatEvent,
  type HistoryEvent,
  linearize,
  type Operation,
  type Span,
  splitByKey,
} from "./_linearizability.ts";
import { type AtomicStore, MemoryStore, StoreError } from "./mod.ts";
import type {
  StoreSetOptions,
  StoreUpdateOptions,
  StoreUpdater,
} from "./store.ts";
import { makeRandom } from "./_test_util.ts";

/** A number from the environment, if it is there. */
function readNumber(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  if (!Number.isInteger(number)) {
    throw new TypeError(
      `Cannot test: ${name} must be a whole number: received ${text}`,
    );
  }
  return number;
}

const HISTORIES = readNumber("HISTORIES") ?? 5_000;

/** The one to run, instead of those from 1 to {@linkcode HISTORIES}. */
const SEED = readNumber("SEED");

/** Within how many histories each fault has to be found. */
const MUTANT_HISTORIES = 1_000;

/** Turns of the microtask queue; a history takes about two hundred. */
const MAX_TURNS = 20_000;

/** No store takes as many turns to go on: if nothing did, all wait for timers. */
const IDLE_TURNS = 40;

/** A value tells all of its past: see `_linearizability.ts`. */
type Ids = string[];

type TestedStore = Omit<AtomicStore<Ids>, typeof Symbol.asyncDispose>;

/** What a history decides about its store. */
interface StoreOptions {
  ttl: number;
  updateTimeout: number;
}

type OpenStore = (options: StoreOptions) => TestedStore;

// Random histories

/**
 * A clock that can be set back, and timers that do not mind. Time may pass
 * between any two turns of the microtask queue, but timers wait until it is
 * empty.
 */
class WallClock implements Disposable {
  readonly #time = new FakeTime(0);
  /** How much time has passed since the timers last ran. */
  #ahead = 0;
  #setBack = 0;

  constructor() {
    const now = (): number => this.now;
    Object.assign(globalThis, {
      Date: class extends Date {
        static override now = now;
      },
    });
  }

  /** How much time has passed, whatever the clock says, in milliseconds. */
  get elapsed(): number {
    return this.#time.now + this.#ahead;
  }

  /** What `Date.now()` says. */
  get now(): number {
    return this.elapsed - this.#setBack;
  }

  pass(ms: number): void {
    this.#ahead += ms;
  }

  setBack(ms: number): void {
    this.#setBack += ms;
  }

  /** Runs what is due, else what is due next. Returns whether time passed. */
  runTimers(): boolean {
    const ms = this.#ahead;
    this.#ahead = 0;
    if (ms === 0) return this.#time.next();
    this.#time.tick(ms);
    return true;
  }

  [Symbol.dispose](): void {
    this.#time.restore();
  }
}

/** The same choices for the same seed, everywhere. */
class Random {
  /** A whole number from 0 to below a limit. */
  readonly below: (limit: number) => number;

  constructor(seed: number) {
    this.below = makeRandom(seed);
  }

  /** True once in `times` times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: List<T>): T {
    return list[this.below(list.length)] ?? list[0];
  }
}

type List<T> = readonly [T, ...T[]];

const KEYS: List<List<string>> = [["a"], ["a", "b"], ["a", "b", "c"]];

/** Some operations come more often than others. */
const OPERATIONS = [
  "get",
  "get",
  "set",
  "set",
  "delete",
  "has",
  "touch",
  "update",
  "update",
  "update",
  "update",
  "clear",
] as const;

const GROWING_OPERATIONS = ["get", "update", "update"] as const;

/** What an update throws that gives up. */
const GIVE_UP = new Error("fn gives up");

interface History {
  seed: number;
  /** The default of the store. */
  ttl: number;
  /** In the order of their calls. Calls that have failed are not among them. */
  events: HistoryEvent[];
  /** What went wrong without a look at the events. */
  problem: string | undefined;
}

interface RecordOptions {
  /**
   * Whether all but updates have to take effect before the call comes back, as
   * the contract of this package wants it, or at any time before their promise
   * resolves, as most stores do.
   */
  prompt: boolean;
  /** Whether somebody sets the clock back now and then. */
  setsBack?: boolean;
}

/** Lets random clients use a new store, and writes down what they see. */
async function record(
  open: OpenStore,
  seed: number,
  options: RecordOptions,
): Promise<History> {
  using clock = new WallClock();
  return await new Recorder(open, seed, options, clock).record();
}

class Recorder {
  readonly #random: Random;
  readonly #prompt: boolean;
  readonly #setsBack: boolean;
  readonly #clock: WallClock;
  /** Grows whenever a client does something. */
  #steps = 0;
  /** All entries only ever grow: nothing is set, deleted or expires. */
  readonly #grows: boolean;
  /** Whether updates of a key have to run one after another. */
  readonly #queues: boolean;
  readonly #keys: List<string>;
  readonly #store: TestedStore;
  readonly #history: History;
  /** The calls that may not have happened yet. */
  readonly #open = new Set<Span>();
  /** The id of the update that was the last to run, of each key. */
  readonly #lastRuns = new Map<string, number>();
  /** The keys of the updates that are running. */
  readonly #running = new Set<string>();
  #lastCount = 0;
  #lastId = 0;

  constructor(
    open: OpenStore,
    seed: number,
    { prompt, setsBack = false }: RecordOptions,
    clock: WallClock,
  ) {
    const random = new Random(seed);
    this.#random = random;
    this.#prompt = prompt;
    this.#setsBack = setsBack;
    this.#clock = clock;
    this.#grows = random.oneIn(4);
    this.#keys = random.pick(KEYS);
    const ttl = this.#grows || !random.oneIn(4) ? Infinity : 15;
    const updateTimeout = random.oneIn(4) ? 5 : Infinity;
    this.#queues = prompt && updateTimeout === Infinity;
    this.#store = open({ ttl, updateTimeout });
    this.#history = { seed, ttl, events: [], problem: undefined };
  }

  async record(): Promise<History> {
    const random = this.#random;
    const clock = this.#clock;
    const clients = 2 + random.below(4);
    const calls = 3 + random.below(8);
    const turnsPerTick = random.pick([Infinity, 30, 10, 5]);
    let running = clients;
    for (let client = 1; client <= clients; client++) {
      this.#runClient(client, calls).then(() => running--);
    }
    let idleTurns = 0;
    for (let turn = 0; running > 0; turn++) {
      const steps = this.#steps;
      if (random.oneIn(turnsPerTick)) clock.pass(1 + random.below(5));
      if (this.#setsBack && random.oneIn(30)) this.#setBack(random.below(20));
      await undefined;
      idleTurns = steps === this.#steps ? idleTurns + 1 : 0;
      const isOver = idleTurns === IDLE_TURNS && !clock.runTimers();
      if (isOver || turn === MAX_TURNS) {
        this.#history.problem ??= "a call has not come back";
        return this.#history;
      }
      if (idleTurns === IDLE_TURNS) idleTurns = 0;
    }
    for (const key of this.#keys) await this.#get(0, key);
    this.#history.events.sort((one, other) => one.call - other.call);
    return this.#history;
  }

  async #runClient(client: number, calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) {
      await this.#pause();
      const key = this.#random.pick(this.#keys);
      const operations = this.#grows ? GROWING_OPERATIONS : OPERATIONS;
      await this.#operate(client, key, this.#random.pick(operations));
    }
  }

  /** Lets others go on, for some turns or some time. */
  async #pause(): Promise<void> {
    this.#steps++;
    if (this.#random.oneIn(8)) {
      const ms = 1 + this.#random.below(10);
      await new Promise((resolve) => setTimeout(resolve, ms));
      this.#steps++;
    }
    for (let turns = this.#random.below(5); turns > 0; turns--) {
      await undefined;
      this.#steps++;
    }
  }

  async #operate(
    client: number,
    key: string,
    op: Operation["op"],
  ): Promise<void> {
    const store = this.#store;
    switch (op) {
      case "get":
        return await this.#get(client, key);
      case "has":
        return await this.#observe(
          client,
          this.#prompt,
          () => store.has(key),
          (outcome) => ({ op, key, outcome }),
        );
      case "set": {
        const value = `${++this.#lastId}`;
        const ids = [value];
        const ttl = this.#pickTtl();
        return await this.#observe(
          client,
          this.#prompt,
          () => {
            const done = store.set(key, ids, { ttl });
            spoil(ids);
            return done;
          },
          () => ({ op, key, value, ttl }),
        );
      }
      case "touch": {
        const ttl = this.#pickTtl();
        return await this.#observe(
          client,
          this.#prompt,
          () => store.touch(key, ttl),
          (outcome) => ({ op, key, ttl, outcome }),
        );
      }
      case "delete":
        return await this.#observe(
          client,
          this.#prompt,
          () => store.delete(key),
          () => ({ op, key }),
        );
      case "clear":
        return await this.#observe(
          client,
          this.#prompt,
          () => store.clear(),
          () => ({ op }),
        );
      case "update":
        return await this.#update(client, key);
    }
  }

  async #get(client: number, key: string): Promise<void> {
    await this.#observe(
      client,
      this.#prompt,
      () => this.#store.get(key),
      (ids) => {
        const outcome = ids?.join();
        spoil(ids);
        return { op: "get", key, outcome };
      },
    );
  }

  async #update(client: number, key: string): Promise<void> {
    const id = `${++this.#lastId}`;
    const creates = this.#grows || this.#random.oneIn(2);
    const ttl = this.#pickTtl();
    const givesUp = this.#random.oneIn(8);
    const drafts: (Ids | undefined)[] = [];
    const change = (ids: Ids | undefined): Ids | undefined => {
      drafts.push(ids);
      ids?.push(id);
      if (givesUp) throw GIVE_UP;
      // Nothing returned stores the draft, if there is one.
      return creates ? ids ?? [id] : undefined;
    };
    const changeNow = (ids: Ids | undefined): Ids | undefined => {
      this.#watchRun(key, id);
      return change(ids);
    };
    const changeLater = async (
      ids: Ids | undefined,
    ): Promise<Ids | undefined> => {
      this.#watchRun(key, id);
      this.#running.add(key);
      try {
        await this.#pause();
        const changed = change(ids);
        await this.#pause();
        return changed;
      } finally {
        this.#running.delete(key);
      }
    };
    const fn = this.#random.oneIn(3) ? changeNow : changeLater;
    await this.#observe(
      client,
      false,
      () => this.#store.update(key, fn, { ttl }),
      (ids) => {
        const outcome = ids?.join();
        for (const list of [ids, ...drafts]) spoil(list);
        return { op: "update", key, id, creates, ttl, outcome };
      },
    );
  }

  /** Updates of one key run one after another, in the order of their calls. */
  #watchRun(key: string, id: string): void {
    if (!this.#queues) return;
    if (this.#running.has(key)) {
      this.#history.problem ??= `update ${id} runs while another one does`;
    }
    if (Number(id) < (this.#lastRuns.get(key) ?? 0)) {
      this.#history.problem ??= `update ${id} runs after a later one`;
    }
    this.#lastRuns.set(key, Number(id));
  }

  /** Writes a call down, unless it says that it has done nothing. */
  async #observe<T>(
    client: number,
    isPrompt: boolean,
    start: () => Promise<T>,
    describe: (outcome: T) => Operation,
  ): Promise<void> {
    const clock = this.#clock;
    const span: Span = {
      client,
      call: ++this.#lastCount,
      ret: Infinity,
      calledAt: clock.now,
      returnedAt: Infinity,
    };
    const end = (): void => {
      this.#open.delete(span);
      span.ret = ++this.#lastCount;
      span.returnedAt = clock.elapsed;
    };
    this.#steps++;
    this.#open.add(span);
    try {
      const promise = start();
      if (isPrompt) end();
      const outcome = await promise;
      this.#steps++;
      if (!isPrompt) end();
      this.#history.events.push({ ...span, ...describe(outcome) });
    } catch (error) {
      this.#open.delete(span);
      if (error === GIVE_UP) return;
      if (error instanceof StoreError && error.outcome === "not applied") {
        return;
      }
      this.#history.problem ??= `client ${client} got ${error}`;
    }
  }

  /**
   * Sets the clock back. A store may go by what the clock says, or let time run
   * on: a call happens after the earliest time that was shown meanwhile, and
   * before all the time that has passed.
   */
  #setBack(ms: number): void {
    this.#clock.setBack(ms);
    const { now } = this.#clock;
    for (const span of this.#open) span.calledAt = Math.min(span.calledAt, now);
  }

  #pickTtl(): number | undefined {
    if (this.#grows || this.#random.oneIn(2)) return undefined;
    return this.#random.oneIn(8) ? Infinity : 1 + this.#random.below(20);
  }
}

/** Changes what is no more the store's; a store must not notice. */
function spoil(ids: Ids | undefined): void {
  ids?.push("spoilt");
}

// Rules

/** Says what is wrong with the history of one key. */
type Rule = (events: HistoryEvent[], ttl: number) => Iterable<string>;

type Events<Op extends Operation["op"]> = Extract<HistoryEvent, { op: Op }>;

/** A value that a client has seen. */
interface Sight {
  event: Events<"get" | "update">;
  list: string;
  ids: Ids;
}

function listSights(events: HistoryEvent[]): Sight[] {
  const sights: Sight[] = [];
  for (const event of events) {
    if (event.op !== "get" && event.op !== "update") continue;
    const list = event.outcome;
    if (list !== undefined) sights.push({ event, list, ids: list.split(",") });
  }
  return sights;
}

function findWriter(
  events: HistoryEvent[],
  id: string | undefined,
): Events<"set" | "update"> | undefined {
  for (const event of events) {
    if (event.op === "set" && event.value === id) return event;
    if (event.op === "update" && event.id === id) return event;
  }
  return undefined;
}

/** Only what was written is read, and nothing of a call that has failed. */
function* findPhantom(events: HistoryEvent[]): Iterable<string> {
  for (const { event, ids } of listSights(events)) {
    for (const id of ids) {
      const writer = findWriter(events, id);
      if (writer !== undefined && writer.call < event.ret) continue;
      yield `phantom: call ${event.call} saw ${id}, which nobody had written`;
    }
  }
}

/** An update is applied once, to the end of what it has found. */
function* findDoubleUpdate(events: HistoryEvent[]): Iterable<string> {
  for (const { event, ids } of listSights(events)) {
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice === undefined) continue;
    yield `double update: call ${event.call} saw ${twice} twice`;
  }
}

/** A list only grows, at its end, until another one takes its place. */
function* findLostUpdate(
  events: HistoryEvent[],
  ttl: number,
): Iterable<string> {
  const sights = listSights(events);
  for (const { event, list, ids } of sights) {
    for (const other of sights) {
      if (other.ids[0] !== ids[0]) continue;
      const isEarlier = other.event.ret < event.call;
      if (!isEarlier && other.ids.length > ids.length) continue;
      if (`${list},`.startsWith(`${other.list},`)) continue;
      yield `lost update: call ${event.call} saw ${list}, call ${other.event.call} saw ${other.list}`;
    }
  }
  const isGrowing = ttl === Infinity && events.every((event) => {
    if (event.op === "get" || event.op === "has") return true;
    return event.op === "update" && event.ttl === undefined;
  });
  if (!isGrowing) return;
  const last = sights.at(-1);
  for (const { event, ids } of sights) {
    if (event.op !== "update") continue;
    if (ids.includes(event.id) && last?.ids.includes(event.id)) continue;
    yield `lost update: ${event.id} of call ${event.call} is not there in the end`;
  }
}

/** What was deleted or replaced does not come back. */
function* findResurrection(events: HistoryEvent[]): Iterable<string> {
  for (const { event, ids } of listSights(events)) {
    const writer = findWriter(events, ids[0]);
    if (writer === undefined) continue;
    for (const end of events) {
      if (end.op !== "delete" && end.op !== "clear" && end.op !== "set") {
        continue;
      }
      if (writer.ret < end.call && end.ret < event.call) {
        yield `resurrection: call ${event.call} saw ${ids}, gone since call ${end.call}`;
      }
    }
  }
}

/** Nothing is read at its deadline or later. */
function* findLateExpiry(
  events: HistoryEvent[],
  defaultTtl: number,
): Iterable<string> {
  for (const { event, ids } of listSights(events)) {
    const writer = findWriter(events, ids[0]);
    if (writer === undefined || event.op === "update") continue;
    let deadline = writer.returnedAt + (writer.ttl ?? defaultTtl);
    for (const other of events) {
      const { op, ret, returnedAt } = other;
      const mayProlong = op === "touch" && other.outcome ||
        op === "update" && other.ttl !== undefined;
      if (!mayProlong || ret < writer.call || other.call > event.ret) continue;
      deadline = Math.max(deadline, returnedAt + (other.ttl ?? defaultTtl));
    }
    if (event.calledAt < deadline) continue;
    yield `late expiry: call ${event.call} saw ${ids} at ${event.calledAt} ms, over since ${deadline} ms`;
  }
}

const RULES = {
  "phantom": findPhantom,
  "double update": findDoubleUpdate,
  "lost update": findLostUpdate,
  "resurrection": findResurrection,
  "late expiry": findLateExpiry,
} satisfies Record<string, Rule>;

/** The checker itself, which finds what the rules find, and more. */
function* findDisorder(events: HistoryEvent[], ttl: number): Iterable<string> {
  const { verdict, order } = linearize(events, { ttl });
  if (verdict === "linearizable") return;
  const calls = order.map(({ call }) => call).join(", ");
  yield `${verdict}: no order explains more than the calls ${calls}`;
}

/** What is wrong with a history, by the first rule that finds something. */
function judge(
  { events, ttl, problem }: History,
  rules: Rule[],
): string | undefined {
  if (problem !== undefined) return problem;
  for (const [key, its] of splitByKey(events)) {
    for (const rule of rules) {
      for (const finding of rule(its, ttl)) return `key ${key}: ${finding}`;
    }
  }
  return undefined;
}

function describe({ seed, ttl, events }: History, finding: string): string {
  return [
    `SEED=${seed} ${finding}`,
    `Default ttl ${ttl}; calls and returns, times, and what was seen:`,
    ...events.map(formatEvent),
  ].join("\n");
}

interface ExploreOptions extends RecordOptions {
  seeds: Iterable<number>;
  rules: Rule[];
}

/** The first history that breaks a rule, with all that helps to repair it. */
async function explore(
  open: OpenStore,
  { seeds, rules, ...options }: ExploreOptions,
): Promise<string | undefined> {
  for (const seed of seeds) {
    const history = await record(open, seed, options);
    const finding = judge(history, rules);
    if (finding !== undefined) return describe(history, finding);
  }
  return undefined;
}

/** The whole numbers from 1 to `last`. */
function* countTo(last: number): Iterable<number> {
  for (let number = 1; number <= last; number++) yield number;
}

// Stores that are simple enough to be right, or wrong in one way

interface TinyEntry {
  ids: Ids;
  expiresAt: number;
}

/** Keeps the contract as far as it is tested here, in the plainest way. */
class TinyStore implements TestedStore {
  protected readonly entries = new Map<string, TinyEntry>();
  protected readonly ttl: number;
  readonly #tails = new Map<string, Promise<unknown>>();
  #now = 0;

  constructor({ ttl }: StoreOptions) {
    this.ttl = ttl;
  }

  async get(key: string): Promise<Ids | undefined> {
    return copy(this.find(key)?.ids);
  }

  async set(key: string, ids: Ids, options?: StoreSetOptions): Promise<void> {
    this.put(key, [...ids], options?.ttl ?? this.ttl);
  }

  async delete(key: string): Promise<void> {
    this.entries.delete(key);
  }

  async has(key: string): Promise<boolean> {
    return this.find(key) !== undefined;
  }

  async touch(key: string, ttl = this.ttl): Promise<boolean> {
    const entry = this.find(key);
    if (entry !== undefined) this.put(key, entry.ids, ttl);
    return entry !== undefined;
  }

  async update(
    key: string,
    fn: StoreUpdater<Ids>,
    options?: StoreUpdateOptions,
  ): Promise<Ids | undefined> {
    return await this.queue(key, async () => {
      for (;;) {
        const before = this.find(key)?.ids;
        const draft = copy(before);
        const after = (await fn(draft)) ?? draft;
        if (this.isConflict(before, this.find(key)?.ids)) continue;
        if (after !== undefined) this.put(key, [...after], options?.ttl);
        return copy(after);
      }
    });
  }

  async clear(): Promise<void> {
    this.entries.clear();
  }

  protected find(key: string): TinyEntry | undefined {
    const entry = this.entries.get(key);
    return entry && this.isLive(entry) ? entry : undefined;
  }

  protected isLive({ expiresAt }: TinyEntry): boolean {
    return expiresAt > this.readClock();
  }

  protected readClock(): number {
    this.#now = Math.max(this.#now, Date.now());
    return this.#now;
  }

  /** Stores a list; `ttl` left out keeps a deadline. */
  protected put(key: string, ids: Ids, ttl: number | undefined): void {
    const keeps = ttl === undefined ? this.find(key)?.expiresAt : undefined;
    const expiresAt = keeps ?? this.readClock() + (ttl ?? this.ttl);
    this.entries.set(key, { ids, expiresAt });
  }

  /** Runs the updates of a key one after another. */
  protected async queue<T>(key: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#tails.get(key) ?? Promise.resolve()).then(task);
    this.#tails.set(key, turn.catch(() => {}));
    return await turn;
  }

  /** Whether an update has to run again. */
  protected isConflict(before: Ids | undefined, now: Ids | undefined): boolean {
    return before !== now;
  }
}

function copy(ids: Ids | undefined): Ids | undefined {
  return ids && [...ids];
}

/** A fault, and the rule that names it, if one does. */
interface Mutant {
  fault: string;
  rule?: keyof typeof RULES;
  /** Whether it can only be found where calls have to take effect at once. */
  prompt?: boolean;
  /** Whether it can only be found where the clock is set back. */
  setsBack?: boolean;
  Store: new (options: StoreOptions) => TestedStore;
}

const MUTANTS: Mutant[] = [
  {
    fault: "an update that is a get and then a set",
    rule: "lost update",
    Store: class extends TinyStore {
      override async update(
        key: string,
        fn: StoreUpdater<Ids>,
        options?: StoreUpdateOptions,
      ): Promise<Ids | undefined> {
        const ids = await this.get(key);
        const after = (await fn(ids)) ?? ids;
        if (after !== undefined) this.put(key, [...after], options?.ttl);
        return copy(after);
      }
    },
  },
  {
    fault: "updates of a key that do not wait for each other",
    rule: "lost update",
    Store: class extends TinyStore {
      protected override async queue<T>(
        _key: string,
        task: () => Promise<T>,
      ): Promise<T> {
        return await task();
      }

      protected override isConflict(before?: Ids, now?: Ids): boolean {
        return before !== undefined && now === undefined;
      }
    },
  },
  {
    fault: "an update that overwrites a set which landed meanwhile",
    rule: "resurrection",
    Store: class extends TinyStore {
      protected override isConflict(before?: Ids, now?: Ids): boolean {
        return now === undefined && before !== undefined;
      }
    },
  },
  {
    fault: "an update that writes after a delete",
    rule: "resurrection",
    Store: class extends TinyStore {
      protected override isConflict(before?: Ids, now?: Ids): boolean {
        return now !== undefined && before !== now;
      }
    },
  },
  {
    fault: "an update that writes where there is no entry",
    Store: class extends TinyStore {
      override async update(
        key: string,
        fn: StoreUpdater<Ids>,
        options?: StoreUpdateOptions,
      ): Promise<Ids | undefined> {
        return await super.update(key, (ids = []) => fn(ids) ?? ids, options);
      }
    },
  },
  {
    fault: "an update that forgets the deadline",
    rule: "late expiry",
    Store: class extends TinyStore {
      override async update(
        key: string,
        fn: StoreUpdater<Ids>,
        options?: StoreUpdateOptions,
      ): Promise<Ids | undefined> {
        const ttl = options?.ttl ?? Infinity;
        return await super.update(key, fn, { ttl });
      }
    },
  },
  {
    fault: "an update that is done twice",
    rule: "double update",
    Store: class extends TinyStore {
      override async update(
        key: string,
        fn: StoreUpdater<Ids>,
        options?: StoreUpdateOptions,
      ): Promise<Ids | undefined> {
        await super.update(key, fn, options);
        return await super.update(key, fn, options);
      }
    },
  },
  {
    fault: "an update that is applied although it says that it was not",
    rule: "phantom",
    Store: class extends TinyStore {
      override async update(
        key: string,
        fn: StoreUpdater<Ids>,
        options?: StoreUpdateOptions,
      ): Promise<Ids | undefined> {
        const ids = await super.update(key, fn, options);
        if (ids?.length !== 3) return ids;
        throw new StoreError("Cannot update entry: no answer", "not applied");
      }
    },
  },
  {
    fault: "an update that stores what fn changed before it threw",
    rule: "phantom",
    Store: class extends TinyStore {
      override async update(
        key: string,
        fn: StoreUpdater<Ids>,
        options?: StoreUpdateOptions,
      ): Promise<Ids | undefined> {
        let error: unknown;
        const ids = await super.update(key, async (draft) => {
          try {
            return await fn(draft);
          } catch (caught) {
            error = caught;
            return draft;
          }
        }, options);
        if (error !== undefined) throw error;
        return ids;
      }
    },
  },
  {
    fault: "a set that keeps the old deadline",
    Store: class extends TinyStore {
      override async set(
        key: string,
        ids: Ids,
        options?: StoreSetOptions,
      ): Promise<void> {
        this.put(key, [...ids], options?.ttl);
      }
    },
  },
  {
    fault: "a set that stores after it has resolved",
    Store: class extends TinyStore {
      override async set(
        key: string,
        ids: Ids,
        options?: StoreSetOptions,
      ): Promise<void> {
        const copied = [...ids];
        Promise.resolve().then(() => {}).then(() => {}).then(() => {})
          .then(() => super.set(key, copied, options));
      }
    },
  },
  {
    fault: "a touch that revives what has expired",
    Store: class extends TinyStore {
      override async touch(key: string, ttl = this.ttl): Promise<boolean> {
        const entry = this.entries.get(key);
        if (entry !== undefined) this.put(key, entry.ids, ttl);
        return entry !== undefined;
      }
    },
  },
  {
    fault: "a touch that does not prolong",
    Store: class extends TinyStore {
      override async touch(key: string): Promise<boolean> {
        return await this.has(key);
      }
    },
  },
  {
    fault: "a has that knows of no deadline",
    Store: class extends TinyStore {
      override async has(key: string): Promise<boolean> {
        return this.entries.has(key);
      }
    },
  },
  {
    fault: "entries that expire a millisecond late",
    rule: "late expiry",
    Store: class extends TinyStore {
      protected override isLive({ expiresAt }: TinyEntry): boolean {
        return expiresAt >= this.readClock();
      }
    },
  },
  {
    fault: "entries that expire a millisecond early",
    Store: class extends TinyStore {
      protected override isLive({ expiresAt }: TinyEntry): boolean {
        return expiresAt > this.readClock() + 1;
      }
    },
  },
  {
    fault: "a clear that leaves one entry",
    rule: "resurrection",
    Store: class extends TinyStore {
      override async clear(): Promise<void> {
        for (const key of [...this.entries.keys()].slice(1)) {
          this.entries.delete(key);
        }
      }
    },
  },
  {
    fault: "a get that gives out what is stored",
    rule: "phantom",
    Store: class extends TinyStore {
      override async get(key: string): Promise<Ids | undefined> {
        return this.find(key)?.ids;
      }
    },
  },
  {
    fault: "a set that stores what it was given",
    rule: "phantom",
    Store: class extends TinyStore {
      override async set(
        key: string,
        ids: Ids,
        options?: StoreSetOptions,
      ): Promise<void> {
        this.put(key, ids, options?.ttl ?? this.ttl);
      }
    },
  },
  {
    fault: "time that runs backwards",
    setsBack: true,
    Store: class extends TinyStore {
      protected override readClock(): number {
        return Date.now();
      }
    },
  },
  {
    fault: "a get that waits before it reads",
    prompt: true,
    Store: class extends TinyStore {
      override async get(key: string): Promise<Ids | undefined> {
        await undefined;
        return await super.get(key);
      }
    },
  },
  {
    fault: "a delete that waits before it writes",
    prompt: true,
    Store: class extends TinyStore {
      override async delete(key: string): Promise<void> {
        await undefined;
        return await super.delete(key);
      }
    },
  },
];

/** All of the rules, then the checker. */
const ALL_RULES: Rule[] = [...Object.values(RULES), findDisorder];

for (const { fault, rule, Store, ...mutant } of MUTANTS) {
  const open: OpenStore = (options) => new Store(options);
  const options = { prompt: false, setsBack: false, ...mutant };
  const seeds = [...countTo(MUTANT_HISTORIES)];

  Deno.test(`linearize() finds ${fault}`, async () => {
    const rules = [findDisorder];
    const finding = await explore(open, { ...options, seeds, rules });

    assertStringIncludes(finding ?? "nothing", "not linearizable");
  });

  if (rule !== undefined) {
    Deno.test(`The rule on ${rule} names ${fault}`, async () => {
      const rules = [RULES[rule]];
      const finding = await explore(open, { ...options, seeds, rules });

      assertStringIncludes(finding ?? "nothing", rule);
    });
  }

  if (options.prompt || options.setsBack) {
    Deno.test(`linearize() does not find ${fault} where it cannot show`, async () => {
      const rules = ALL_RULES;
      const finding = await explore(open, { prompt: false, seeds, rules });

      assert(finding === undefined, finding);
    });
  }
}

for (const setsBack of [false, true]) {
  const when = setsBack ? " when the clock is set back" : "";

  Deno.test(`A store that is simple enough has no fault${when}`, async () => {
    const finding = await explore((options) => new TinyStore(options), {
      seeds: countTo(MUTANT_HISTORIES),
      rules: ALL_RULES,
      prompt: true,
      setsBack,
    });

    assert(finding === undefined, finding);
  });

  Deno.test(`MemoryStore is linearizable under seeded schedules${when}`, async () => {
    const finding = await explore((options) => new MemoryStore(options), {
      seeds: SEED === undefined ? countTo(HISTORIES) : [SEED],
      rules: ALL_RULES,
      prompt: true,
      setsBack,
    });

    assert(finding === undefined, finding);
  });
}

Deno.test("A seed gives the same history again", async () => {
  const open: OpenStore = (options) => new MemoryStore(options);
  for (const seed of [1, 2, 3, -1, 2 ** 31]) {
    const one = await record(open, seed, { prompt: true, setsBack: true });
    const other = await record(open, seed, { prompt: true, setsBack: true });

    assertEquals(one, other);
  }
});

interface Misbehaviour {
  name: string;
  problem: string;
  Store: new (options: StoreOptions) => TestedStore;
}

const MISBEHAVIOURS: Misbehaviour[] = [
  {
    name: "does not answer",
    problem: "a call has not come back",
    Store: class extends TinyStore {
      override get(): Promise<never> {
        return new Promise(() => {});
      }
    },
  },
  {
    name: "throws an error of its own",
    problem: "got TypeError",
    Store: class extends TinyStore {
      override get(): Promise<never> {
        throw new TypeError("Cannot get entry");
      }
    },
  },
  {
    name: "runs updates of a key at the same time",
    problem: "while another one does",
    Store: class extends TinyStore {
      protected override async queue<T>(
        _key: string,
        task: () => Promise<T>,
      ): Promise<T> {
        return await task();
      }
    },
  },
  {
    name: "runs updates of a key in another order",
    problem: "after a later one",
    Store: class extends TinyStore {
      #updates = 0;

      protected override async queue<T>(
        key: string,
        task: () => Promise<T>,
      ): Promise<T> {
        if (this.#updates++ % 2 === 0) await undefined;
        return await super.queue(key, task);
      }
    },
  },
];

for (const { name, problem, Store } of MISBEHAVIOURS) {
  Deno.test(`A store that ${name} is found out`, async () => {
    const finding = await explore((options) => new Store(options), {
      seeds: countTo(MUTANT_HISTORIES),
      rules: [],
      prompt: true,
    });

    assertStringIncludes(finding ?? "nothing", problem);
  });
}

// The clock

Deno.test("MemoryStore lets no entry outlive its deadline when the clock is set back", async () => {
  using clock = new WallClock();
  using store = new MemoryStore<Ids>();
  await store.set("a", ["1"], { ttl: 100 });
  await store.set("b", ["2"], { ttl: 150 });
  clock.pass(100);
  assertEquals(await store.get("b"), ["2"]);

  clock.setBack(50);
  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.get("b"), ["2"]);
  clock.pass(100);

  assertEquals(await store.get("b"), undefined);
});

Deno.test("MemoryStore lets entries expire when the clock is set forward", async () => {
  using clock = new WallClock();
  using store = new MemoryStore<Ids>();
  await store.set("a", ["1"], { ttl: 3_600_000 });
  await store.set("b", ["2"], { ttl: 3_600_001 });
  await store.set("c", ["3"]);

  clock.setBack(-3_600_000);

  assertEquals(await store.get("a"), undefined);
  assertEquals(await store.get("b"), ["2"]);
  assertEquals(await store.get("c"), ["3"]);
});
