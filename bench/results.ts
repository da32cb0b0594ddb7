/**
 * What a run of the benchmark has found out.
 *
 * @module
 */

import type { HitRatios } from "./hit_ratio.ts";
import type { Memory } from "./memory.ts";
import type { Promises } from "./promises.ts";
import type { Growth, Stall, Sweep } from "./stall.ts";

/** A runtime that was measured on. */
export type RuntimeName = "node" | "deno" | "bun";

/** How `MemoryStore` behaves with a million entries. */
export interface Load {
  growth?: Growth;
  stalls: Stall[];
  sweep?: Sweep;
}

/** All findings; what was not asked for is empty. */
export interface Results {
  /** The command that made them. */
  command: string;
  /** Which time was counted for speed. */
  clock: "wall" | "cpu";
  /** The day, as `2026-11-24`. */
  date: string;
  /** The processor, how many of it, and how busy they were at the start. */
  machine: { cpu: string; count: number; load: number };
  /** The versions of the runtimes, in the order of measuring. */
  runtimes: Partial<Record<RuntimeName, string>>;
  /** The stores in the order of the tables, with their versions. */
  peers: { name: string; version: string | undefined }[];
  /** All ratios, by runtime, store and workload. */
  speed: Partial<
    Record<RuntimeName, Record<string, Record<string, number[]>>>
  >;
  /** What each store was seen to do. */
  promises: Record<string, Promises>;
  /** Bytes an entry, by runtime and store. */
  memory: Partial<Record<RuntimeName, Record<string, Memory>>>;
  /** Waits, by runtime. */
  load: Partial<Record<RuntimeName, Load>>;
  /** Hit ratios of a full store. */
  hits: HitRatios[];
}
