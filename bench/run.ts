/**
 * Which store in memory is how fast, and which promises does it keep? All of
 * them side by side, each in a process of its own that also times the floor: a
 * bare `Map` behind `async`.
 *
 * ```sh
 * deno run -A --no-lock bench/run.ts                      # everything, 12 min
 * deno run -A --no-lock bench/run.ts --quick              # a first look
 * deno run -A --no-lock bench/run.ts --only get --peers none --runtime deno
 * ```
 *
 * - `--only X`: only workloads with X in their names, and only speed
 * - `--runtime node,deno,bun`: which ones, else Node and Deno with all stores
 *   and Bun with `MemoryStore` and the limits
 * - `--peers keyv,lru-cache` or `none`: which ones beside `MemoryStore`
 * - `--part speed,promises,memory,load,hits`: which findings
 * - `--store FILE`: a `memory_store` other than that of the sources
 * - `--clock cpu`: counts processor time, for a machine that has other work
 * - `--quick`: fewer rounds, at most 100,000 entries
 * - `--redraw`: writes the files again from the last full run
 *
 * A run of everything writes `results.md` and `results.svg`; each prints its
 * numbers as it gets them. The peers are installed with `npm ci`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command prints its findings

import { drawChart } from "./chart.ts";
import { measureHitRatios } from "./hit_ratio.ts";
import type { Line, Task } from "./measure.ts";
import { listPeers, type Peer } from "./peers.ts";
import { writeReport } from "./report.ts";
import type { Load, Results, RuntimeName } from "./results.ts";
import type { StallLine, StallTask } from "./stall.ts";
import { median } from "./workloads.ts";

const HERE = new URL("./", import.meta.url);
const BUILD = new URL(".build/", HERE);
const RESULTS = new URL("results.json", BUILD);
const PARTS = ["speed", "promises", "memory", "load", "hits"];
const RUNTIMES: readonly RuntimeName[] = ["node", "deno", "bun"];
/** The stores that are no peers and always measured. */
const CONTROL = "Map (the limit again)";
const OWN = ["MemoryStore", "Map + literal copy", CONTROL];
const HEAP = "--max-old-space-size=8192";

interface Options {
  clock: Task["clock"];
  quick: boolean;
  redraw: boolean;
  only: string;
  runtimes: RuntimeName[] | undefined;
  peers: string[] | undefined;
  parts: string[];
  store: string | undefined;
}

await main(readOptions(Deno.args));

async function main(options: Options): Promise<void> {
  if (options.redraw) {
    await write(JSON.parse(await Deno.readTextFile(RESULTS)));
    return;
  }
  await install();
  const memoryStore = await build(options.store);
  const peers = listPeers({ memoryStore }).filter(({ name }) =>
    OWN.includes(name) || (options.peers?.includes(name) ?? true)
  );
  const runtimes = options.runtimes ?? [...RUNTIMES];
  const commands = new Map<RuntimeName, string[]>();
  for (const name of runtimes) commands.set(name, await findRuntime(name));
  const results = await describe(options, runtimes, commands, peers);
  console.log(
    `${results.machine.count} x ${results.machine.cpu}, load ${results.machine.load}, ` +
      Object.entries(results.runtimes).map((pair) => pair.join(" ")).join(", "),
  );

  const [first] = runtimes;
  for (const [runtime, command] of commands) {
    const measurePeer = (peer: Peer, part: Task["part"]): Promise<void> => {
      const task = planTask(peer, part, memoryStore, options);
      return measure(command, task, runtime, results);
    };
    // Without being asked, Bun is measured with what is at stake only.
    const isBrief = runtime === "bun" && options.runtimes === undefined;
    const measured = isBrief
      ? peers.filter(({ name }) => name === OWN[0] || name === OWN[1])
      : peers;
    if (options.parts.includes("speed")) {
      for (const peer of measured) {
        const runs = options.quick ? 1 : 3;
        for (let run = 0; run < runs; run++) await measurePeer(peer, "speed");
        print(runtime, peer.name, results);
      }
    }
    if (options.parts.includes("promises") && runtime === first) {
      await Promise.all(peers.map((peer) => measurePeer(peer, "promises")));
      console.log(results.promises);
    }
    if (options.parts.includes("memory") && runtime !== "bun") {
      const queue = peers.filter(({ name }) =>
        runtime === first || OWN.includes(name)
      );
      // It takes no skill to count bytes on two processors at once.
      const work = async (): Promise<void> => {
        for (let peer = queue.shift(); peer; peer = queue.shift()) {
          await measurePeer(peer, "memory");
        }
      };
      await Promise.all([work(), work()]);
      console.log(results.memory[runtime]);
    }
    if (options.parts.includes("load") && runtime !== "bun") {
      const size = options.quick ? 200_000 : 1_000_000;
      results.load[runtime] = await measureLoad(command, { memoryStore, size });
      console.log(results.load[runtime]);
    }
  }
  if (options.parts.includes("hits")) {
    results.hits = await measureHitRatios();
    console.log(results.hits);
  }

  const isFull = !options.quick && options.only === "" &&
    options.parts.length === PARTS.length && options.peers === undefined &&
    options.runtimes === undefined && options.store === undefined;
  if (isFull) {
    await Deno.writeTextFile(RESULTS, JSON.stringify(results));
    await write(results);
  }
}

function planTask(
  peer: Peer,
  part: Task["part"],
  memoryStore: string,
  { quick, only, clock }: Options,
): Task {
  const isOwn = OWN.includes(peer.name) && peer.name !== CONTROL;
  return {
    peer: peer.name,
    memoryStore,
    part,
    only,
    rounds: 3,
    segmentMs: 8,
    clock,
    maxSize: quick || (part === "speed" && !isOwn) ? 100_000 : 1_000_000,
    all: isOwn,
  };
}

function readOptions(args: readonly string[]): Options {
  const options: Options = {
    clock: "wall",
    quick: false,
    redraw: false,
    only: "",
    runtimes: undefined,
    peers: undefined,
    parts: PARTS,
    store: undefined,
  };
  const rest = [...args];
  const take = (): string => rest.shift() ?? "";
  const list = (): string[] => take().split(",");
  while (rest.length > 0) {
    const flag = take();
    switch (flag) {
      case "--quick":
        options.quick = true;
        break;
      case "--redraw":
        options.redraw = true;
        break;
      case "--clock":
        options.clock = take() === "cpu" ? "cpu" : "wall";
        break;
      case "--only":
        options.only = take();
        options.parts = ["speed"];
        break;
      case "--runtime":
        options.runtimes = RUNTIMES.filter(
          ((names) => (name) => names.includes(name))(list()),
        );
        break;
      case "--peers":
        options.peers = list();
        break;
      case "--part":
        options.parts = list();
        break;
      case "--store":
        options.store = take();
        break;
      default:
        throw new RangeError(`Cannot run: no such option: received ${flag}`);
    }
  }
  return options;
}

/** Installs the peers, once, at the versions of the lock file. */
async function install(): Promise<void> {
  try {
    await Deno.stat(new URL("node_modules/keyv", HERE));
  } catch {
    await run(["npm", "ci", "--no-audit", "--no-fund"], HERE);
  }
}

/** Makes bundles that every runtime can start; returns that of the store. */
async function build(store: string | undefined): Promise<string> {
  const bundle = async (source: string, target: string): Promise<void> => {
    const output = new URL(target, BUILD).pathname;
    await run(
      [Deno.execPath(), "bundle", "--quiet", "--no-lock", "--packages"]
        .concat("external", source, "--output", output),
      HERE,
    );
  };
  await Deno.mkdir(BUILD, { recursive: true });
  await bundle("measure.ts", "measure.mjs");
  await bundle("stall.ts", "stall.mjs");
  if (store !== undefined) return new URL(store, `file://${Deno.cwd()}/`).href;
  await bundle("../memory_store.ts", "memory_store.mjs");
  return new URL("memory_store.mjs", BUILD).href;
}

/** The command that starts a runtime. */
async function findRuntime(name: RuntimeName): Promise<string[]> {
  switch (name) {
    case "node":
      return ["node", "--expose-gc", HEAP];
    case "deno": {
      const flags = `--v8-flags=--expose-gc,${HEAP}`;
      return [Deno.execPath(), "run", "-A", "--no-lock", flags];
    }
    case "bun":
      try {
        await run(["bun", "--version"], HERE);
        return ["bun", "--expose-gc"];
      } catch {
        const path = await run(
          ["npx", "-y", "-p", "bun@1.4.5", "-c", "command -v bun"],
          HERE,
        );
        return [path.trim(), "--expose-gc"];
      }
  }
}

async function describe(
  { clock }: Options,
  runtimes: readonly RuntimeName[],
  commands: ReadonlyMap<RuntimeName, string[]>,
  peers: readonly Peer[],
): Promise<Results> {
  const versions: Results["runtimes"] = {};
  for (const runtime of runtimes) {
    const [program] = commands.get(runtime) ?? [];
    const text = await run([program ?? runtime, "--version"], HERE);
    versions[runtime] = text.match(/\d+\.\d+\.\d+/)?.[0] ?? "";
  }
  const lock: {
    packages: Record<string, { version: string } | undefined>;
  } = JSON.parse(
    await Deno.readTextFile(new URL("package-lock.json", HERE)),
  );
  // A variable as the name: the types of Node are not at hand.
  const name = "node:os";
  const os: {
    cpus(): { model: string }[];
    loadavg(): number[];
  } = await import(name);
  return {
    command: ["deno run -A --no-lock bench/run.ts", ...Deno.args].join(" "),
    clock,
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: os.cpus()[0]?.model ?? "unknown",
      count: os.cpus().length,
      load: Number(os.loadavg()[0]?.toFixed(1)),
    },
    runtimes: versions,
    peers: peers.map((peer) => ({
      name: peer.name,
      version: lock.packages[`node_modules/${peer.package}`]?.version,
    })),
    speed: {},
    promises: {},
    memory: {},
    load: {},
    hits: [],
  };
}

/** Runs one process and adds what it reports. */
async function measure(
  command: readonly string[],
  task: Task,
  runtime: RuntimeName,
  results: Results,
): Promise<void> {
  for (const line of await report<Line>(command, "measure.mjs", task)) {
    if ("workload" in line) {
      const stores = results.speed[runtime] ??= {};
      const workloads = stores[task.peer] ??= {};
      (workloads[line.workload] ??= []).push(...line.ratios);
    } else if ("promises" in line) {
      results.promises[task.peer] = line.promises;
    } else {
      (results.memory[runtime] ??= {})[task.peer] = line.memory;
    }
  }
}

async function measureLoad(
  command: readonly string[],
  task: StallTask,
): Promise<Load> {
  const load: Load = { stalls: [] };
  for (const line of await report<StallLine>(command, "stall.mjs", task)) {
    if ("growth" in line) load.growth = line.growth;
    else if ("stall" in line) load.stalls.push(line.stall);
    else load.sweep = line.sweep;
  }
  return load;
}

/** The lines of a process; they are what its type says, being of this folder. */
async function report<T>(
  command: readonly string[],
  script: string,
  task: Task | StallTask,
): Promise<T[]> {
  const path = new URL(script, BUILD).pathname;
  const output = await run([...command, path, JSON.stringify(task)], HERE);
  return output.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

async function run(command: readonly string[], cwd: URL): Promise<string> {
  const [program = "", ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`${command.join(" ")}: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}

function print(runtime: RuntimeName, peer: string, results: Results): void {
  const workloads = results.speed[runtime]?.[peer] ?? {};
  for (const [workload, ratios] of Object.entries(workloads)) {
    console.log(
      runtime.padEnd(4),
      peer.padEnd(24),
      workload.padEnd(54),
      median(ratios).toFixed(3),
      `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    );
  }
}

async function write(results: Results): Promise<void> {
  const report = new URL("results.md", HERE);
  await Deno.writeTextFile(report, writeReport(results));
  await Deno.writeTextFile(new URL("results.svg", HERE), drawChart(results));
  await run([Deno.execPath(), "fmt", "--quiet", "results.md"], HERE);
}
