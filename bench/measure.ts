/**
 * Measures one store in a process of its own. Started by `run.ts`, on each
 * runtime from a bundle; reports one JSON object a line.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- standard output is what the parent reads

import { args, exit } from "./host.ts";
import { measureMemory, type Memory } from "./memory.ts";
import { listPeers, type Peer } from "./peers.ts";
import { type Promises, tryPromises } from "./promises.ts";
import {
  compare,
  type Comparison,
  Stage,
  type TimingOptions,
  WORKLOADS,
} from "./workloads.ts";

/** What to measure; the only argument of the process, as JSON. */
export interface Task extends TimingOptions {
  /** The name of the store. */
  peer: string;
  /** The URL of the module that exports `MemoryStore`. */
  memoryStore: string;
  /** What to find out. */
  part: "speed" | "promises" | "memory";
  /** Only workloads with this in their names. */
  only: string;
  /** Only workloads up to this size; the size itself for memory. */
  maxSize: number;
  /** Also those that are not for peers. */
  all: boolean;
}

/** A line of the report. */
export type Line =
  | ({ workload: string } & Comparison)
  | { promises: Promises }
  | { memory: Memory };

const task: Task = JSON.parse(args()[0] ?? "{}");
const peer = listPeers(task).find(({ name }) => name === task.peer);
if (peer === undefined) throw new RangeError(`No such store: ${task.peer}`);

switch (task.part) {
  case "speed":
    await measureSpeed(task, peer);
    break;
  case "promises":
    report({ promises: await tryPromises(peer) });
    break;
  case "memory":
    report({ memory: await measureMemory(peer, task.maxSize) });
}
exit(); // some stores have timers that would go on

async function measureSpeed(task: Task, peer: Peer): Promise<void> {
  let stage: Stage | undefined;
  let stageName = "";
  // Workloads of one stage after another, so that each is filled only once.
  for (const shapes of [1, 16] as const) {
    for (const size of [1_000, 100_000, 1_000_000]) {
      for (const workload of WORKLOADS) {
        if (
          workload.size !== size || workload.shapes !== shapes ||
          size > task.maxSize || !workload.name.includes(task.only) ||
          !(workload.forPeers || task.all) ||
          !workload.needs.every((ability) => peer[ability]) ||
          (shapes !== 1 && !peer.anyShape)
        ) continue;
        if (stageName !== `${size} ${shapes}`) {
          stage = new Stage(peer, size, shapes);
          stageName = `${size} ${shapes}`;
        }
        const [base, subject] = await workload.prepare(stage!); // set above
        const comparison = await compare(base, subject, task);
        report({ workload: workload.name, ...comparison });
      }
    }
  }
}

function report(line: Line): void {
  console.log(JSON.stringify(line));
}
