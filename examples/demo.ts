/**
 * Serves the demo: `deno task demo`, or `deno task demo --port 3000`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command talks to its user

import { parseArgs } from "node:util";
import { createApp } from "./demo_app.ts";

const DEFAULT_PORT = 8000;

const USAGE = `Usage: deno task demo [--port N]

  --port N  the port to listen on, 0 for any free one (default: ${DEFAULT_PORT})
  --help    this text`;

function fail(message: string): never {
  console.error(`Cannot start demo: ${message}`);
  Deno.exit(1);
}

function readPort(): number {
  let values: { port?: string | undefined; help?: boolean | undefined };
  try {
    ({ values } = parseArgs({
      args: Deno.args,
      options: { port: { type: "string" }, help: { type: "boolean" } },
    }));
  } catch (error) {
    fail(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
  if (values.help) {
    console.log(USAGE);
    Deno.exit(0);
  }
  const port = values.port ?? String(DEFAULT_PORT);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    fail(`--port must be a whole number from 0 to 65535: received ${port}`);
  }
  return Number(port);
}

const port = readPort();
const stop = new AbortController();
// Before it says that it is there: the signal may come at once.
Deno.addSignalListener("SIGINT", () => stop.abort());
if (Deno.build.os !== "windows") {
  Deno.addSignalListener("SIGTERM", () => stop.abort());
}

let server: Deno.HttpServer<Deno.NetAddr>;
try {
  server = Deno.serve({
    port,
    hostname: "localhost",
    signal: stop.signal,
    onListen: ({ port }) => {
      console.log(`The demo is at http://localhost:${port}/`);
      console.log("Ctrl-C stops it.");
    },
  }, createApp());
} catch (error) {
  if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  fail(
    `port ${port} is in use: write --port ${port + 1}, or stop what uses it`,
  );
}

await server.finished;
console.log("\nStopped.");
Deno.exit(0);
