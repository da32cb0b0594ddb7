/**
 * The findings as a page of tables.
 *
 * @module
 */

import type { Memory } from "./memory.ts";
import type { Isolation, Promises } from "./promises.ts";
import type { Load, Results, RuntimeName } from "./results.ts";
import { median } from "./workloads.ts";

const NAMES = { node: "Node", deno: "Deno", bun: "Bun" };

/** The columns of the tables with peers, and the workloads they show. */
const COLUMNS = {
  "get 1k": "get 1k zipf",
  "get 100k": "get 100k zipf",
  "16 shapes": "get 100k 16 shapes",
  "ttl": "get 100k with ttl",
  "miss": "miss 100k",
  "set 1k": "set 1k",
  "set 100k": "set 100k",
  "set, ttl": "set 100k with ttl",
  "churn": "churn 100k",
  "90/10": "mix 90/10 100k",
  "all on": "mix 90/10 100k, ttl and bound",
  "update": "update, object",
  "async": "update, async, 64 callers",
};

const SHORT: Record<Isolation, string> = {
  shared: "no",
  shallow: "one level",
  deep: "yes",
};

/** Writes Markdown. */
export function writeReport(results: Results): string {
  const { machine, date, command } = results;
  const versions = runtimes(results).map((name) =>
    `${NAMES[name]} ${results.runtimes[name]}`
  );
  return `# What a store in memory costs

\`${command}\`, ${date}, ${
    versions.join(", ")
  }, ${machine.count} × ${machine.cpu}, load average ${machine.load} at the start.

![Speed of get, set and update beside a bare Map](results.svg)

Numbers are speeds in proportion to a bare \`Map\` behind \`async get(key) { return map.get(key) }\` and the like: 1 is as fast, 0.1 takes ten times as long. Each store runs in a process of its own, in turns with the \`Map\` in segments of 8 ms of ${
    results.clock === "cpu" ? "processor time" : "time"
  }; the median of nine rounds in three processes is shown. The \`Map\` against itself says how much of a difference means nothing. Keys have 36 characters, values are sessions of 230 bytes as JSON, one object a key.

## Who keeps what

Tried out, not taken from the documentation. *Lost* is how many of 100 concurrent increments are missing afterwards, with \`update\` where there is one, else with \`get\` and \`set\`. A store *expires* late when an entry is still there after its deadline. *Bound* is how many of 1,050 entries a store holds that is limited to 100.

${promises(results)}

${
    runtimes(results).map((name) =>
      `## Speed on ${NAMES[name]} ${results.runtimes[name]}\n\n` +
      speed(results, name)
    ).join("\n\n")
  }

*get* and *90/10* ask for keys by Zipf's law and evenly; *16 shapes* are 16 kinds of values in turns; *ttl* reads entries that have a deadline; *churn* sets a new key and deletes the oldest; *all on* has a default lifetime and a bound; *update* changes one object, *async* by 64 callers at once.

## MemoryStore in full

${details(results)}

## Memory

Bytes an entry at a million, beyond the value itself: a store's own copy of it, or its JSON, is not counted. *Left* is what of the whole remains allocated when all entries are deleted.

${memory(results)}

## Flat under load

A million entries with a lifetime in \`MemoryStore\`; every tick of 1 ms makes ten writes. *p99.9* is the wait that 999 of 1,000 ticks do not exceed. Times are in milliseconds, and only those that the process itself was at work.

${load(results)}

## Hit ratios

100,000 keys, room for 10,000, a million requests. A scan asks for 10,000 other keys once, after every 50,000 requests.

${hits(results)}
`;
}

/** Rows of cells as a Markdown table; `deno fmt` aligns it. */
function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => i === 0 ? "---" : "--:");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

function runtimes(results: Results): RuntimeName[] {
  // Its keys are names of runtimes, as its type says.
  return Object.keys(results.runtimes) as RuntimeName[];
}

function promises(results: Results): string {
  const rows = results.peers.flatMap(({ name, version }) => {
    const found = results.promises[name];
    return found === undefined ? [] : [[
      name,
      version ?? "",
      SHORT[found.copiesOnSet],
      SHORT[found.copiesOnGet],
      `${found.lostUpdates}`,
      expiry(found),
      found.bound === "none" ? "–" : `${found.bound}`,
    ]];
  });
  return table(
    [
      "store",
      "version",
      "copies on set",
      "copies on get",
      "lost",
      "expires",
      "bound",
    ],
    rows,
  );
}

function expiry({ expiry, expiryError }: Promises): string {
  if (expiry === "none") return "–";
  return expiry === "exact" ? "exactly" : `${expiryError} ms ${expiry}`;
}

function speed(results: Results, runtime: RuntimeName): string {
  const rows = results.peers.flatMap(({ name }) => {
    const workloads = results.speed[runtime]?.[name];
    return workloads === undefined ? [] : [[
      name,
      ...Object.values(COLUMNS).map((workload) => ratio(workloads[workload])),
    ]];
  });
  return table(["store", ...Object.keys(COLUMNS)], rows);
}

function ratio(ratios: readonly number[] | undefined): string {
  if (ratios === undefined) return "–";
  const value = median(ratios);
  return value < 0.095 ? value.toFixed(3) : value.toFixed(2);
}

/** All workloads, beside the copy by hand. */
function details(results: Results): string {
  const names = runtimes(results);
  const workloads = new Set(
    names.flatMap((name) =>
      Object.keys(results.speed[name]?.["MemoryStore"] ?? {})
    ),
  );
  const cells = (store: string, workload: string): string[] =>
    names.map((name) => ratio(results.speed[name]?.[store]?.[workload]));
  return table(
    [
      "workload",
      ...names.map((name) => NAMES[name]),
      ...names.map((name) => `copy by hand, ${NAMES[name]}`),
    ],
    [...workloads].map((workload) => [
      workload,
      ...cells("MemoryStore", workload),
      ...cells("Map + literal copy", workload),
    ]),
  );
}

function memory(results: Results): string {
  const rows = runtimes(results).flatMap((runtime) =>
    results.peers.flatMap(({ name }) => {
      const found = results.memory[runtime]?.[name];
      return found === undefined
        ? []
        : [[`${name} (${NAMES[runtime]})`, ...bytes(found)]];
    })
  );
  return table(
    ["store", "without ttl", "with ttl", "own copy of the value", "left"],
    rows,
  );
}

function bytes(found: Memory): string[] {
  const { overhead, overheadWithTtl, value, leftAfterDeletes } = found;
  return [
    overhead.toFixed(0),
    overheadWithTtl?.toFixed(0) ?? "–",
    value === 0 ? "–" : value.toFixed(0),
    `${(100 * leftAfterDeletes).toFixed(1)} %`,
  ];
}

function load(results: Results): string {
  const names = runtimes(results).filter((name) => results.load[name]);
  const row = (title: string, read: (load: Load) => string): string[] => [
    title,
    ...names.map((name) => read(results.load[name] ?? { stalls: [] })),
  ];
  const titles = {
    "none": "no deadline",
    "over six seconds": "deadlines over six seconds",
    "all at once": "all deadlines at once",
  };
  const stalls = (["none", "over six seconds", "all at once"] as const).map(
    (deadlines) =>
      row(`${titles[deadlines]}: longest stall, p99.9`, ({ stalls }) => {
        const stall = stalls.find((it) => it.deadlines === deadlines);
        return stall === undefined
          ? "–"
          : `${stall.longest.toFixed(1)}, ${stall.p999.toFixed(1)}`;
      }),
  );
  return table(["", ...names.map((name) => NAMES[name])], [
    ...stalls,
    row("most expired entries held, over the live ones", ({ stalls }) => {
      const found = stalls.find((it) => it.deadlines === "over six seconds");
      return `${(100 * (found?.heldExpired ?? NaN)).toFixed(1)} %`;
    }),
    row("all at once: gone after", ({ stalls }) => {
      const found = stalls.find((it) => it.deadlines === "all at once");
      return `${found?.untilGone ?? "not at the end"}`;
    }),
    row("after a pause: longest write, p99.9", ({ sweep }) => {
      return `${sweep?.longest.toFixed(1)}, ${sweep?.p999.toFixed(2)}`;
    }),
    row("after a pause: writes until all are gone", ({ sweep }) => {
      return `${sweep?.writes.toLocaleString("en")}`;
    }),
    row("0 to a million: longest set, bare Map", ({ growth }) => {
      return `${growth?.memoryStore.toFixed(0)}, ${growth?.map.toFixed(0)}`;
    }),
  ]);
}

function hits(results: Results): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return table(
    ["requests", "FIFO", "LRU", "MemoryStore (SIEVE)"],
    results.hits.map(({ requests, fifo, lru, memoryStore }) => [
      requests,
      percent(fifo),
      percent(lru),
      percent(memoryStore),
    ]),
  );
}
