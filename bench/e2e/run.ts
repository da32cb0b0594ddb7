/**
 * What do sessions cost a whole request? A page that reads a session and one
 * that updates it, in Express beside express-session and in Hono beside
 * hono-sessions: each with its own store in memory, on Node.
 *
 * ```sh
 * deno run -A --no-lock bench/e2e/run.ts          # 2 min, writes results.md
 * deno run -A --no-lock bench/e2e/run.ts --quick  # a first look
 * ```
 *
 * All servers run at once, and take turns of half a second, in the reverse order
 * every other round. What counts is the processor time that a server needs for
 * a request, which other work on the machine hardly changes; requests a second
 * are shown beside it. The packages are installed with `npm ci`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command prints its findings

import { askAtOnce, drive, makeRequest } from "./load.ts";

const HERE = new URL("./", import.meta.url);
const SESSIONS = 1000;
const AT_ONCE = 50;
const SEGMENT_MS = 500;
const OURS = "@harpia/memory-store";

/** What keeps the sessions in each framework; the last one is the peer. */
const FRAMEWORKS = {
  express: ["none", OURS, "express-session"],
  hono: ["none", OURS, "hono-sessions"],
} as const;

const PAGES = {
  read: ["GET", "/read"],
  update: ["POST", "/update"],
} as const;

type Framework = keyof typeof FRAMEWORKS;
type Page = keyof typeof PAGES;

/** What a segment has shown. */
interface Sample {
  /** Requests a second. */
  speed: number;
  /** Microseconds of the server's processor time for a request. */
  cost: number;
}

/** A server that runs, with sessions in it. */
interface Server extends AsyncDisposable {
  framework: Framework;
  sessions: string;
  port: number;
  /** The cookie of each session. */
  cookies: string[];
  samples: Record<Page, Sample[]>;
  /** How many of the updates at once are missing afterwards. */
  lost: { "/update": number; "/slow-update": number };
}

const quick = Deno.args.includes("--quick");
const rounds = quick ? 3 : 15;

await install();
const servers: Server[] = [];
try {
  for (const framework of ["express", "hono"] as const) {
    for (const sessions of FRAMEWORKS[framework]) {
      servers.push(await start(framework, sessions));
    }
  }
  for (const server of servers) await measureLost(server);
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 === 0 ? servers : servers.toReversed();
    for (const page of ["read", "update"] as const) {
      for (const server of order) {
        const sample = await measure(server, page);
        if (round >= 0) server.samples[page].push(sample); // the first warms up
      }
    }
  }
} finally {
  for (const server of servers) await server[Symbol.asyncDispose]();
}
const report = await describe();
console.log(report);
if (!quick) {
  const path = new URL("results.md", HERE);
  await Deno.writeTextFile(path, report);
  await run([Deno.execPath(), "fmt", "--quiet", "results.md"]);
}

/** Installs the peers, once, at the versions of the lock file, and builds. */
async function install(): Promise<void> {
  try {
    await Deno.stat(new URL("node_modules/express", HERE));
  } catch {
    await run(["npm", "ci", "--no-audit", "--no-fund"]);
  }
  await Deno.mkdir(new URL(".build/", HERE), { recursive: true });
  const target = new URL(".build/memory_store.mjs", HERE).pathname;
  await run(
    [Deno.execPath(), "bundle", "--quiet", "--no-lock", "--packages"]
      .concat("external", "../../mod.ts", "--output", target),
  );
}

async function start(framework: Framework, sessions: string): Promise<Server> {
  const child = new Deno.Command("node", {
    args: ["server.mjs", framework, sessions],
    cwd: HERE,
    env: { NODE_ENV: "production" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await lines.read()).value);
  const server: Server = {
    framework,
    sessions,
    port,
    cookies: [],
    samples: { read: [], update: [] },
    lost: { "/update": 0, "/slow-update": 0 },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await lines.cancel();
      await child.status;
    },
  };
  const signIns = sessions === "none" ? 1 : SESSIONS;
  for (let i = 0; i < signIns; i++) server.cookies.push(await signIn(server));
  return server;
}

/** Resolves to the cookie of a new session. */
async function signIn({ port, sessions }: Server): Promise<string> {
  if (sessions === "none") return "session_id=none";
  const url = `http://127.0.0.1:${port}/sign-in`;
  const res = await fetch(url, { method: "POST" });
  await res.body?.cancel();
  return res.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

/** Lets one session be updated by many requests at once. */
async function measureLost(server: Server): Promise<void> {
  if (server.sessions === "none") return;
  for (const path of ["/update", "/slow-update"] as const) {
    const cookie = await signIn(server);
    await askAtOnce(server.port, makeRequest("POST", path, cookie), AT_ONCE);
    const url = `http://127.0.0.1:${server.port}/read`;
    const res = await fetch(url, { headers: { cookie } });
    server.lost[path] = AT_ONCE - Number(await res.text());
  }
}

async function measure(server: Server, page: Page): Promise<Sample> {
  const { port, cookies } = server;
  const [method, path] = PAGES[page];
  const requests = cookies.map((cookie) => makeRequest(method, path, cookie));
  const startedAt = performance.now();
  const before = await readCpuTime(port);
  const answered = await drive(port, requests, SEGMENT_MS);
  const after = await readCpuTime(port);
  const seconds = (performance.now() - startedAt) / 1000;
  return { speed: answered / seconds, cost: (after - before) / answered };
}

async function readCpuTime(port: number): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}/cpu`)).text());
}

async function describe(): Promise<string> {
  const lock: { packages: Record<string, { version?: string } | undefined> } =
    JSON.parse(await Deno.readTextFile(new URL("package-lock.json", HERE)));
  const version = (name: string): string =>
    lock.packages[`node_modules/${name}`]?.version ?? "";
  const node = (await run(["node", "--version"])).trim().slice(1);
  // A variable as the name: the types of Node are not at hand.
  const name = "node:os";
  const os: { cpus(): { model: string }[] } = await import(name);
  const machine = `${os.cpus().length} × ${os.cpus()[0]?.model}`;
  const command = ["deno run -A --no-lock bench/e2e/run.ts", ...Deno.args];

  const lines = [
    "# What a session costs a whole request",
    "",
    `\`${command.join(" ")}\`, ${new Date().toISOString().slice(0, 10)}, ` +
    `Node ${node}, Express ${version("express")}, ` +
    `express-session ${version("express-session")}, ` +
    `Hono ${version("hono")}, hono-sessions ${version("hono-sessions")}, ` +
    `${machine}, load average ${Deno.loadavg()[0]?.toFixed(1)} at the end.`,
    "",
    "A page that reads a session and one that adds 1 to a counter in it, of " +
    `${SESSIONS} sessions of 235 bytes as JSON, each library with its own ` +
    "store in memory, set up as its documentation does, hono-sessions without a key to " +
    "encrypt ids. 32 kept connections; segments of half a second in turns; " +
    `medians of ${rounds} rounds. The client, on the same processors, stops ` +
    "at some 50,000 requests a second. _Processor time_ is the server's for " +
    "a request, of which _session_ is what is more than without one. _Speed_ " +
    "is how many requests this package answers in the processor time in which " +
    "the peer answers one: the median of the ratios of each round, and their " +
    "range. _Lost_ is how many of " +
    `${AT_ONCE} updates of one session at once are missing afterwards: on ` +
    "that page, and on one that first awaits 2 ms, as for a database.",
    "",
    "| framework | sessions | page | processor time, µs | session, µs | requests a second | speed | lost | lost, awaiting |",
    "| - | - | - | -: | -: | -: | -: | -: | -: |",
  ];
  for (const page of ["read", "update"] as const) {
    for (const server of servers) {
      const { framework, sessions, lost } = server;
      const group = servers.filter((each) => each.framework === framework);
      const [none, , peer] = group.map(({ samples }) => samples[page]);
      const samples = server.samples[page];
      const cost = median(samples.map((sample) => sample.cost));
      const floor = median(none?.map((sample) => sample.cost) ?? []);
      const ratios = samples.map(({ cost }, i) =>
        (peer?.[i]?.cost ?? 0) / cost
      );
      const isNone = sessions === "none";
      const isUpdate = page === "update" && !isNone;
      lines.push(
        `| ${
          [
            framework,
            sessions,
            page,
            cost.toFixed(1),
            isNone ? "" : (cost - floor).toFixed(1),
            median(samples.map(({ speed }) => speed)).toFixed(0),
            sessions === OURS ? formatRatios(ratios) : "",
            isUpdate ? lost["/update"] : "",
            isUpdate ? lost["/slow-update"] : "",
          ].join(" | ")
        } |`,
      );
    }
  }
  return lines.join("\n") + "\n";
}

function formatRatios(ratios: readonly number[]): string {
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return `${median(ratios).toFixed(2)} (${least.toFixed(2)} to ${
    most.toFixed(2)
  })`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

async function run(command: readonly string[]): Promise<string> {
  const [program = "", ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: HERE,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${command.join(" ")}: ${decoder.decode(stderr)}`);
}
