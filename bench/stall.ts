/**
 * Is `MemoryStore` flat under load? A million entries expire while the event
 * loop is watched, a million more come in, and the longest wait is what counts.
 *
 * ```sh
 * deno run -A --no-lock bench/stall.ts
 * ```
 *
 * A wait counts only as far as this process has used the processor meanwhile:
 * what others on the machine do is no stall.
 *
 * Started by `run.ts`, too, on each runtime from a bundle; its lines are JSON.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- standard output is what the parent reads

import type { MemoryStore as MemoryStoreClass } from "../memory_store.ts";
import { makeKey, makeVisitor, type Visitor } from "./data.ts";
import { args, cpuTime, exit, readHeap } from "./host.ts";
import { openLimit } from "./peers.ts";

type Store = MemoryStoreClass<Visitor>;

/** A part of the report. */
export type StallLine =
  | { stall: Stall }
  | { growth: Growth }
  | { sweep: Sweep };

/** What the event loop did while entries expired. */
export interface Stall {
  /** When the deadlines were. */
  deadlines: "none" | "over six seconds" | "all at once";
  /** The longest time between two ticks beyond their distance, in ms. */
  longest: number;
  /** The time that 999 of 1,000 ticks did not wait longer than. */
  p999: number;
  /**
   * The largest number of entries held beyond their time, over the live ones,
   * as long as a tenth of all is alive: later, a few of few are many.
   */
  heldExpired: number;
  /** Milliseconds from the last deadline until none of them was held. */
  untilGone: number | undefined;
  /** Writes each tick. */
  writes: number;
}

/** The longest single `set` on the way from 0 to a million entries, in ms. */
export interface Growth {
  map: number;
  memoryStore: number;
}

/** What the first writes after a pause cost, when a million has expired. */
export interface Sweep {
  /** The longest write, in ms. */
  longest: number;
  /** The time that 999 of 1,000 writes did not take longer than. */
  p999: number;
  /** How many writes it took until no expired entry was held. */
  writes: number;
  /** Bytes an entry that the heap grew by while nothing was written. */
  idleGrowth: number;
}

/** How the process is told what to do, as JSON. */
export interface StallTask {
  /** The URL of the module that exports `MemoryStore`. */
  memoryStore: string;
  /** How many entries there are. */
  size: number;
}

const SPREAD = 6_000;
/** How long a store is filled at most, in milliseconds; set by the first. */
let lead = 0;
const TICK = 1;
const WRITES_A_TICK = 10;
const HOUR = 60 * 60 * 1000;

/** Tells how long this process was at work. */
class Stopwatch {
  #wall = performance.now();
  #cpu = cpuTime();

  /**
   * Milliseconds since the last call or the start, less those that were asked
   * for, and not more than were spent on the processor.
   */
  lap(asked = 0): number {
    const wall = performance.now();
    const cpu = cpuTime();
    const time = Math.min(wall - this.#wall - asked, cpu - this.#cpu);
    this.#wall = wall;
    this.#cpu = cpu;
    return time;
  }
}

const task: StallTask = JSON.parse(args()[0] ?? "null") ?? {
  memoryStore: import.meta.resolve("../memory_store.ts"),
  size: 1_000_000,
};
const { MemoryStore } = await load(task.memoryStore);
const keys = Array.from({ length: task.size }, (_, i) => makeKey(i));
const visitors = keys.map((_, i) => makeVisitor(i));

report({ growth: await measureGrowth() });
// What the collector has to look at from now on is the store, not this module.
visitors.length = 1_000;
for (const deadlines of ["none", "over six seconds", "all at once"] as const) {
  report({ stall: await measureStall(deadlines) });
}
report({ sweep: await measureSweep() });
exit();

function report(line: StallLine): void {
  console.log(JSON.stringify(line));
}

async function load(
  name: string,
): Promise<{ MemoryStore: typeof MemoryStoreClass }> {
  return await import(name);
}

async function measureStall(deadlines: Stall["deadlines"]): Promise<Stall> {
  // `size` would drop all that have expired; to count them changes nothing.
  let evicted = 0;
  const store = new MemoryStore<Visitor>({ onEvict: () => evicted++ });
  const first = Date.now() + lead; // filled by then
  const deadline = (i: number): number => {
    if (deadlines === "none") return first + HOUR;
    if (deadlines === "all at once") return first + SPREAD / 2;
    return first + Math.floor(SPREAD * i / task.size);
  };
  await fill(store, deadline);
  const others = Array.from({ length: 1_000 }, (_, i) => `trickle ${i}`);
  for (const key of others) await store.set(key, visitorOf(0), { ttl: HOUR });
  if (Date.now() >= first) throw new Error(`Not filled in ${lead} ms`);
  await readHeap(); // the garbage of filling is not what is measured
  await sleep(first - Date.now());

  const waits: number[] = [];
  const end = first + SPREAD + 1_500;
  const lastDeadline = deadline(task.size - 1);
  let heldExpired = 0;
  let untilGone: number | undefined;
  let turn = 0;
  const watch = new Stopwatch();
  while (Date.now() < end) {
    await sleep(TICK);
    waits.push(Math.max(0, watch.lap(TICK)));
    for (let write = 0; write < WRITES_A_TICK; write++) {
      const i = turn++ % others.length;
      await store.set(others[i]!, visitorOf(i)); // in range
    }
    const now = Date.now();
    const live = countLive(deadline, now);
    const expired = task.size - evicted - live;
    if (live >= task.size / 10) {
      heldExpired = Math.max(heldExpired, expired / live);
    } else if (now >= lastDeadline && expired <= 0) {
      untilGone ??= now - lastDeadline;
    }
  }
  waits.sort((a, b) => a - b);
  return {
    deadlines,
    longest: waits.at(-1) ?? NaN,
    p999: waits[Math.floor(waits.length * 0.999)] ?? NaN,
    heldExpired,
    untilGone: deadlines === "none" ? undefined : untilGone,
    writes: WRITES_A_TICK,
  };
}

/** How many entries have their deadline after `now`; deadlines ascend. */
function countLive(deadline: (i: number) => number, now: number): number {
  let low = 0;
  let high = task.size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (deadline(middle) > now) high = middle;
    else low = middle + 1;
  }
  return task.size - low;
}

async function measureSweep(): Promise<Sweep> {
  let evicted = 0;
  const store = new MemoryStore<Visitor>({ onEvict: () => evicted++ });
  const deadline = Date.now() + lead;
  await fill(store, () => deadline);
  const before = await readHeap();
  await sleep(deadline - Date.now() + 100);
  const idleGrowth = await readHeap() - before;
  const times: number[] = [];
  while (evicted < task.size && times.length < task.size) {
    const watch = new Stopwatch();
    const done = store.set("one more", visitorOf(0));
    times.push(watch.lap());
    await done;
  }
  const writes = times.length;
  times.sort((a, b) => a - b);
  return {
    longest: times.at(-1) ?? NaN,
    p999: times[Math.floor(writes * 0.999)] ?? NaN,
    writes,
    idleGrowth: idleGrowth / task.size,
  };
}

async function fill(
  store: Store,
  deadline: (i: number) => number,
): Promise<void> {
  for (let i = 0; i < task.size; i++) {
    const ttl = deadline(i) - Date.now();
    await store.set(keys[i]!, visitorOf(i), { ttl }); // in range
  }
}

/** The middle of three runs each, in turns. */
async function measureGrowth(): Promise<Growth> {
  const map: number[] = [];
  const memoryStore: number[] = [];
  for (let run = 0; run < 3; run++) {
    await readHeap();
    map.push(await longestSet(openLimit()));
    await readHeap();
    memoryStore.push(await longestSet(new MemoryStore<Visitor>()));
  }
  const middle = (times: number[]): number =>
    times.sort((a, b) => a - b)[1] ?? NaN;
  return { map: middle(map), memoryStore: middle(memoryStore) };
}

async function longestSet(
  store: { set(key: string, value: Visitor): Promise<unknown> },
): Promise<number> {
  let longest = 0;
  const begin = Date.now();
  let watch = new Stopwatch();
  for (let i = 0; i < task.size; i++) {
    // To read the processor time is expensive: it is that of up to 64 writes.
    if (i % 64 === 0) watch = new Stopwatch();
    const start = performance.now();
    const done = store.set(keys[i]!, visitorOf(i)); // in range
    const time = performance.now() - start;
    if (time > longest) {
      longest = Math.max(longest, Math.min(time, watch.lap()));
    }
    await done;
  }
  lead = Math.max(lead, 3 * (Date.now() - begin) + 1_000);
  return longest;
}

function visitorOf(i: number): Visitor {
  return visitors[i % visitors.length]!; // in range
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
