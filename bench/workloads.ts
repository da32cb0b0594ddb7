/**
 * What is done with a store, and how two stores are timed side by side.
 *
 * @module
 */

import {
  makeKey,
  makeOtherKey,
  makeRandom,
  makeShaped,
  makeVisitor,
  uniform,
  type Visitor,
  zipf,
} from "./data.ts";
import { cpuTime } from "./host.ts";
import {
  type Adapter,
  openChainedLimit,
  openLimit,
  type OpenOptions,
  type Peer,
} from "./peers.ts";

const HOUR = 60 * 60 * 1000;

/** Runs a number of operations, a multiple of 64, one after another. */
export type Segment = (operations: number) => Promise<void>;

/** One row of the table. */
export interface Workload {
  /** What `--only` looks in, such as `"get 100k zipf"`. */
  name: string;
  /** How many entries the stores hold. */
  size: number;
  /** How many shapes the values have. */
  shapes: 1 | 16;
  /**
   * What the store is compared with: a bare `Map`, one whose updates take
   * turns, or the same store without options.
   */
  base: "limit" | "chained limit" | "plain";
  /** Whether peers are measured with it, too. */
  forPeers: boolean;
  /** What a store must be able to do to be measured with it. */
  needs: readonly ("expires" | "bounds")[];
  /** Makes the segments of the base and of the store. */
  prepare(stage: Stage): Promise<[base: Segment, subject: Segment]>;
}

/** How a pair of segments is timed. */
export interface TimingOptions {
  /** How many ratios the median is taken of. */
  rounds: number;
  /** How long a segment takes, in milliseconds. */
  segmentMs: number;
  /**
   * What is counted. Processor time is that of the process alone, and so means
   * something on a machine that has other work; it also counts what the
   * threads of the collector do meanwhile.
   */
  clock: "wall" | "cpu";
}

/** The outcome of {@linkcode compare}. */
export interface Comparison {
  /** The speed in proportion to the base, one a round: `1` is as fast. */
  ratios: number[];
  /**
   * Nanoseconds an operation takes with the base and with the store. They mean
   * little, since the machine's speed drifts.
   */
  nanoseconds: [base: number, subject: number];
}

/** Pairs of segments a round. */
const PAIRS = 2;

/** For how long each of two segments runs before it counts, in milliseconds. */
const WARM_UP = 60;

/**
 * Times two segments in turns: what slows the machine down slows both down.
 */
export async function compare(
  base: Segment,
  subject: Segment,
  { rounds, segmentMs, clock }: TimingOptions,
): Promise<Comparison> {
  const now = clock === "cpu" ? cpuTime : () => performance.now();
  const baseSize = await calibrate(base, segmentMs, now);
  const subjectSize = await calibrate(subject, segmentMs, now);
  const ratios: number[] = [];
  const times: [base: number[], subject: number[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    let baseTime = 0;
    let subjectTime = 0;
    for (let pair = 0; pair < PAIRS; pair++) {
      baseTime += await time(base, baseSize, now) / PAIRS;
      subjectTime += await time(subject, subjectSize, now) / PAIRS;
    }
    if (round < 0) continue; // a last one to warm up, in turns
    ratios.push(baseTime / subjectTime);
    times[0].push(baseTime * 1e6);
    times[1].push(subjectTime * 1e6);
  }
  return { ratios, nanoseconds: [median(times[0]), median(times[1])] };
}

/** The middle of a list of numbers, which must not be empty. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Milliseconds an operation. */
async function time(
  segment: Segment,
  operations: number,
  now: () => number,
): Promise<number> {
  const start = now();
  await segment(operations);
  return (now() - start) / operations;
}

/** Warms a segment up and says how many operations fill its time. */
async function calibrate(
  segment: Segment,
  segmentMs: number,
  now: () => number,
): Promise<number> {
  const end = now() + WARM_UP;
  let operations = 64;
  let cost = 0;
  do {
    cost = await time(segment, operations, now);
    if (cost * operations < segmentMs / 2) operations *= 2;
  } while (now() < end);
  return Math.max(64, Math.round(segmentMs / cost / 64) * 64);
}

/** Keys and values of one size, and the stores that are filled with them. */
export class Stage {
  readonly size: number;
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
  readonly #peer: Peer;
  readonly #opened = new Map<string, Adapter>();
  readonly #sequences = new Map<string, readonly number[]>();

  constructor(peer: Peer, size: number, shapes: 1 | 16) {
    const make = shapes === 1 ? makeVisitor : makeShaped;
    this.size = size;
    this.#peer = peer;
    this.keys = Array.from({ length: size }, (_, i) => makeKey(i));
    this.values = Array.from({ length: size }, (_, i) => make(i));
  }

  /** A filled bare `Map`. */
  limit(): Promise<Adapter> {
    return this.#keep("limit", () => this.#fill(openLimit()));
  }

  /** A filled store; the same one for the same options. */
  subject(options: Omit<OpenOptions, "capacity"> = {}): Promise<Adapter> {
    return this.#keep(
      JSON.stringify(options),
      async () => this.#fill(await this.open(options)),
    );
  }

  /** An empty store. */
  open(options: Omit<OpenOptions, "capacity"> = {}): Promise<Adapter> {
    // Twice the size: a bound where none is asked for must not be felt.
    const capacity = options.bounded ? this.size : 2 * this.size;
    return this.#peer.open({ capacity, ...options });
  }

  /** Indices of keys: 2^14 to 2^20 of them, about five for each key. */
  indices(distribution: "uniform" | "zipf"): readonly number[] {
    let indices = this.#sequences.get(distribution);
    if (indices === undefined) {
      const random = makeRandom(this.size);
      const next = distribution === "uniform"
        ? uniform(this.size, random)
        : zipf(this.size, 1, random);
      const bits = Math.ceil(Math.log2(this.size * 5));
      const length = 2 ** Math.min(20, Math.max(14, bits));
      indices = Array.from({ length }, next);
      this.#sequences.set(distribution, indices);
    }
    return indices;
  }

  async #keep(name: string, open: () => Promise<Adapter>): Promise<Adapter> {
    const adapter = this.#opened.get(name) ?? await open();
    this.#opened.set(name, adapter);
    return adapter;
  }

  async #fill(adapter: Adapter): Promise<Adapter> {
    for (let i = 0; i < this.size; i++) {
      await adapter.set(this.keys[i]!, this.values[i]); // of the same length
    }
    // What a store does at the first read of an entry is not what a read costs.
    for (const key of this.keys) await adapter.get(key);
    return adapter;
  }
}

/** All rows in the order in which they are measured. */
export const WORKLOADS: readonly Workload[] = [
  ...[1_000, 100_000, 1_000_000].flatMap((size) =>
    (["uniform", "zipf"] as const).map((distribution) =>
      workload(`get ${short(size)} ${distribution}`, size, {
        forPeers: size < 1_000_000,
        prepare: async (stage) => [
          reading(await stage.limit(), stage, distribution),
          reading(await stage.subject(), stage, distribution),
        ],
      })
    )
  ),
  workload("get 100k with ttl", 100_000, {
    needs: ["expires"],
    prepare: async (stage) => [
      reading(await stage.limit(), stage, "uniform"),
      reading(await filledFor(stage, HOUR), stage, "uniform"),
    ],
  }),
  ...[1_000, 100_000].flatMap((size) => [
    workload(`get ${short(size)} with ttl, to its own plain get`, size, {
      base: "plain",
      forPeers: false,
      needs: ["expires"],
      prepare: async (stage) => [
        reading(await stage.subject(), stage, "uniform"),
        reading(await stage.subject({ ttl: HOUR }), stage, "uniform"),
      ],
    }),
    ...(["uniform", "zipf"] as const).map((distribution) =>
      workload(
        `get ${short(size)} ${distribution} at capacity, to its own plain get`,
        size,
        {
          base: "plain",
          forPeers: false,
          needs: ["bounds"],
          prepare: async (stage) => [
            reading(await stage.subject(), stage, distribution),
            reading(
              await stage.subject({ bounded: true }),
              stage,
              distribution,
            ),
          ],
        },
      )
    ),
  ]),
  ...[1_000, 100_000].map((size) =>
    workload(`miss ${short(size)}`, size, {
      prepare: async (stage) => {
        const others = stage.keys.map((_, i) => makeOtherKey(i));
        const keys = stage.indices("uniform").map((i) => others[i]!); // in range
        return [
          missing(await stage.limit(), keys),
          missing(await stage.subject(), keys),
        ];
      },
    })
  ),
  ...[1_000, 100_000].map((size) =>
    workload(`get ${short(size)} 16 shapes`, size, {
      shapes: 16,
      forPeers: size > 1_000,
      prepare: async (stage) => [
        reading(await stage.limit(), stage, "uniform"),
        reading(await stage.subject(), stage, "uniform"),
      ],
    })
  ),
  ...[1_000, 100_000].map((size) =>
    workload(`set ${short(size)}`, size, {
      prepare: async (stage) => [
        writing(await stage.limit(), stage),
        writing(await stage.subject(), stage),
      ],
    })
  ),
  workload("set 100k with ttl", 100_000, {
    needs: ["expires"],
    prepare: async (stage) => [
      writing(await stage.limit(), stage, HOUR),
      writing(await filledFor(stage, HOUR), stage, HOUR),
    ],
  }),
  workload("churn 100k", 100_000, {
    prepare: async (stage) => [
      await churning(openLimit(), stage),
      await churning(await stage.open(), stage),
    ],
  }),
  workload("mix 90/10 100k", 100_000, {
    prepare: async (stage) => [
      mixing(await stage.limit(), stage),
      mixing(await stage.subject(), stage),
    ],
  }),
  workload("mix 90/10 100k, ttl and bound", 100_000, {
    needs: ["expires", "bounds"],
    prepare: async (stage) => [
      mixing(await stage.limit(), stage),
      mixing(await stage.subject({ ttl: HOUR, bounded: true }), stage),
    ],
  }),
  workload("set 100k 16 shapes", 100_000, {
    shapes: 16,
    forPeers: false,
    prepare: async (stage) => [
      writing(await stage.limit(), stage),
      writing(await stage.subject(), stage),
    ],
  }),
  workload("update, number", 1_000, {
    prepare: async (stage) => [
      counting(await stage.limit()),
      counting(await stage.subject()),
    ],
  }),
  workload("update, object", 1_000, {
    prepare: async (stage) => [
      updating(await stage.limit(), stage),
      updating(await stage.subject(), stage),
    ],
  }),
  workload("update, async, 64 callers", 1_000, {
    prepare: async (stage) => [
      crowding(await stage.limit(), stage),
      crowding(await stage.subject(), stage),
    ],
  }),
  workload("update, async, 64 callers, to a promise chain", 1_000, {
    base: "chained limit",
    forPeers: false,
    prepare: async (stage) => {
      const chain = openChainedLimit();
      await chain.set(stage.keys[0]!, stage.values[0]);
      return [crowding(chain, stage), crowding(await stage.subject(), stage)];
    },
  }),
];

function workload(
  name: string,
  size: number,
  options: Partial<Workload> & Pick<Workload, "prepare">,
): Workload {
  return {
    name,
    size,
    shapes: 1,
    base: "limit",
    forPeers: true,
    needs: [],
    ...options,
  };
}

function short(size: number): string {
  return size < 1_000_000 ? `${size / 1_000}k` : `${size / 1_000_000}M`;
}

/** A lifetime given with each write. */
async function filledFor(stage: Stage, ttl: number): Promise<Adapter> {
  const store = await stage.open();
  for (const [i, key] of stage.keys.entries()) {
    await store.setFor(key, stage.values[i], ttl);
  }
  return store;
}

function reading(
  store: Adapter,
  stage: Stage,
  distribution: "uniform" | "zipf",
): Segment {
  const keys = stage.indices(distribution).map((i) => stage.keys[i]!); // in range
  const last = keys.length - 1;
  let at = 0;
  return async (operations) => {
    let misses = 0;
    for (let i = 0; i < operations; i++) {
      const value = await store.get(keys[at]!); // at is masked by the length
      if (value === undefined || value === null) misses++;
      at = (at + 1) & last;
    }
    if (misses !== 0) throw new Error(`${misses} of ${operations} gets missed`);
  };
}

function missing(store: Adapter, keys: readonly string[]): Segment {
  const last = keys.length - 1;
  let at = 0;
  return async (operations) => {
    let hits = 0;
    for (let i = 0; i < operations; i++) {
      const value = await store.get(keys[at]!); // at is masked by the length
      if (value !== undefined && value !== null) hits++;
      at = (at + 1) & last;
    }
    if (hits !== 0) throw new Error(`${hits} of ${operations} gets hit`);
  };
}

function writing(store: Adapter, stage: Stage, ttl?: number): Segment {
  const { keys, values } = writes(stage);
  const last = keys.length - 1;
  let at = 0;
  return ttl === undefined
    ? async (operations) => {
      for (let i = 0; i < operations; i++) {
        await store.set(keys[at]!, values[at]); // at is masked by the length
        at = (at + 1) & last;
      }
    }
    : async (operations) => {
      for (let i = 0; i < operations; i++) {
        await store.setFor(keys[at]!, values[at], ttl); // as above
        at = (at + 1) & last;
      }
    };
}

/** Which key gets which value: another one each time, in no order. */
function writes(stage: Stage): { keys: string[]; values: unknown[] } {
  const indices = stage.indices("uniform");
  return {
    keys: indices.map((i) => stage.keys[i]!), // in range
    values: indices.map((i, at) => stage.values[(i * 31 + at) % stage.size]),
  };
}

/** A new key comes, the oldest one goes; an operation is both. */
async function churning(store: Adapter, stage: Stage): Promise<Segment> {
  const { size, values } = stage;
  const keys = [...stage.keys, ...values.map((_, i) => makeOtherKey(i))];
  for (let i = 0; i < size; i++) await store.set(keys[i]!, values[i]);
  let oldest = 0;
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      const newest = oldest < size ? oldest + size : oldest - size;
      await store.set(keys[newest]!, values[oldest % size]);
      await store.delete(keys[oldest]!); // both are less than 2 * size
      oldest = (oldest + 1) % (2 * size);
    }
  };
}

function mixing(store: Adapter, stage: Stage): Segment {
  const { keys, values } = writes(stage);
  const last = keys.length - 1;
  let at = 0;
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      if (i % 10 === 9) await store.set(keys[at]!, values[at]);
      else await store.get(keys[at]!); // at is masked by the length
      at = (at + 1) & last;
    }
  };
}

function counting(store: Adapter): Segment {
  const increment = (count: unknown): unknown =>
    (count as number | undefined ?? 0) + 1; // only numbers are under this key
  return async (operations) => {
    for (let i = 0; i < operations; i++) {
      await store.update("visits", increment);
    }
  };
}

function updating(store: Adapter, stage: Stage): Segment {
  const key = stage.keys[0]!; // a stage has at least one
  const age = (value: unknown): unknown => {
    const visitor = value as Visitor; // as stored
    visitor.createdAt++;
    return visitor;
  };
  return async (operations) => {
    for (let i = 0; i < operations; i++) await store.update(key, age);
  };
}

function crowding(store: Adapter, stage: Stage): Segment {
  const key = stage.keys[0]!; // a stage has at least one
  const age = async (value: unknown): Promise<unknown> => {
    const visitor = value as Visitor; // as stored
    await null;
    visitor.createdAt++;
    return visitor;
  };
  return async (operations) => {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < operations; i += 64) {
      calls.length = 0;
      for (let caller = 0; caller < 64; caller++) {
        calls.push(store.update(key, age));
      }
      await Promise.all(calls);
    }
  };
}
