/**
 * The findings as one picture, for the README.
 *
 * @module
 */

import type { Results, RuntimeName } from "./results.ts";
import { median } from "./workloads.ts";

const NAMES = { node: "Node", deno: "Deno", bun: "Bun" };

/** The bars of a store, from top to bottom. */
const BARS = [
  { label: "get", workload: "get 100k zipf" },
  { label: "set", workload: "set 100k" },
  { label: "update", workload: "update, object" },
];

const WIDTH = 800;
const MARGIN = 20;
const BAR = 10;
const ROW = 3 * (BAR + 1) + 13;
const HEAD = 104;
/** Where the bars of each of two runtimes begin. */
const PANELS = [190, 500];
/** How long a bar is that reaches the limit. */
const SCALE = 230;

const STYLE = `
  svg { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif }
  .card { fill: #ffffff; stroke: #d0d7de }
  text { fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .head { font-size: 13px; font-weight: 600; paint-order: stroke;
    stroke: #ffffff; stroke-width: 4px }
  .soft { fill: #59636e }
  .tiny { font-size: 10px }
  .own { font-weight: 700 }
  .grid { stroke: #d8dee4 }
  .limit { stroke: #59636e; stroke-dasharray: 3 3 }
  .band { fill: #0969da; opacity: 0.07 }
  .get { fill: #0969da } .set { fill: #1a7f37 } .update { fill: #bc4c00 }
  .shared { opacity: 0.4 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #3d444d }
    text { fill: #f0f6fc }
    .head { stroke: #0d1117 }
    .soft { fill: #9198a1 }
    .grid { stroke: #2a313c }
    .limit { stroke: #9198a1 }
    .band { fill: #4493f8; opacity: 0.13 }
    .get { fill: #4493f8 } .set { fill: #3fb950 } .update { fill: #f0883e }
  }
`;

/** Draws an SVG for light and dark backgrounds. */
export function drawChart(results: Results): string {
  const runtimes = (["node", "deno"] as const).filter((name) =>
    results.speed[name] !== undefined
  );
  const isDeep = (name: string): boolean =>
    results.promises[name]?.copiesOnSet === "deep" &&
    results.promises[name]?.copiesOnGet === "deep";
  const names = results.peers.map(({ name }) => name)
    .filter((name) => name !== "Map (the limit again)");
  const copying = names.filter(isDeep);
  const sharing = names.filter((name) => !isDeep(name));
  const parts: string[] = [];
  let y = HEAD;
  for (
    const [title, group] of [
      ["Copies in and out: nobody else can change what is stored", copying],
      ["Shares references, or copies only in part", sharing],
    ] as const
  ) {
    parts.push(text(MARGIN, y + 17, title, "head"));
    y += 28;
    for (const name of group) {
      parts.push(...drawStore(results, name, runtimes, y, !isDeep(name)));
      y += ROW;
    }
    y += 12;
  }
  const bottom = y - 8;
  const height = bottom + 50;
  const { machine, date } = results;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Speed of get, set and update of stores in memory, beside a bare Map">`,
    `<style>${STYLE}</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${
      height - 1
    }" rx="8"/>`,
    text(MARGIN, 34, "How close to a bare Map?", "title"),
    text(
      MARGIN,
      54,
      "Speed in proportion to a bare Map behind async, the dashed line. 100,000 sessions of 230 bytes.",
      "soft",
    ),
    ...drawLegend(),
    ...runtimes.flatMap((name, panel) =>
      drawPanel(
        `${NAMES[name]} ${results.runtimes[name]}`,
        PANELS[panel] ?? 0,
        bottom,
      )
    ),
    ...parts,
    text(
      MARGIN,
      height - 16,
      `${machine.count} × ${machine.cpu}, ${date}, deno task bench. Updates lost: of 100 concurrent increments of one key.`,
      "soft tiny",
    ),
    "</svg>\n",
  ].join("\n");
}

function drawLegend(): string[] {
  return BARS.flatMap(({ label }, i) => {
    const x = 590 + 62 * i;
    return [
      `<rect class="${label}" x="${x}" y="24" width="11" height="11" rx="2"/>`,
      text(x + 16, 34, label),
    ];
  });
}

function drawPanel(title: string, x: number, bottom: number): string[] {
  const top = HEAD - 8;
  return [
    text(x, top - 16, title, "head"),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((value) => {
      const at = x + value * SCALE;
      const style = value === 1 ? "limit" : "grid";
      return [
        `<line class="${style}" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/>`,
        text(at, bottom + 13, `${value}`, "soft tiny", "middle"),
      ];
    }),
  ];
}

function drawStore(
  results: Results,
  name: string,
  runtimes: readonly RuntimeName[],
  y: number,
  isShared: boolean,
): string[] {
  const isOwn = name === "MemoryStore";
  const lost = results.promises[name]?.lostUpdates;
  return [
    ...(isOwn
      ? [
        `<rect class="band" x="8" y="${y - 5}" width="${
          WIDTH - 16
        }" height="${ROW}" rx="6"/>`,
      ]
      : []),
    text(
      MARGIN,
      y + 14,
      isOwn ? "@harpia/memory-store" : name,
      isOwn ? "own" : "",
    ),
    text(
      MARGIN,
      y + 28,
      lost === 0 ? "no update lost" : `${lost} of 100 updates lost`,
      "soft tiny",
    ),
    ...runtimes.flatMap((runtime, panel) =>
      BARS.flatMap(({ label, workload }, i) => {
        const ratios = results.speed[runtime]?.[name]?.[workload];
        if (ratios === undefined) return [];
        const value = median(ratios);
        const x = PANELS[panel] ?? 0;
        const top = y + i * (BAR + 1);
        const length = Math.max(1.5, Math.min(1.15, value) * SCALE);
        return [
          `<rect class="${label}${
            isShared ? " shared" : ""
          }" x="${x}" y="${top}" width="${
            length.toFixed(1)
          }" height="${BAR}" rx="1.5"/>`,
          text(x + length + 4, top + 9, format(value), "soft tiny"),
        ];
      })
    ),
  ];
}

function format(value: number): string {
  return value < 0.095 ? value.toFixed(3) : value.toFixed(2);
}

function text(
  x: number,
  y: number,
  content: string,
  style = "",
  anchor = "start",
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${
    y.toFixed(1)
  }" class="${style}" text-anchor="${anchor}">${escaped}</text>`;
}
