/**
 * Serves the demo: `deno task demo`, or `deno task demo --port 3000`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command talks to its user

import { parseArgs } from "node:util";
import { createApp } from "./demo_app.ts";

const DEFAULT_PORT = 8000;

/** How long open requests may take once the demo is to stop. */
const GRACE = 3_000;

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

const PORT_RULE = "--port must be a whole number from 0 to 65535";

const USAGE = `Usage: deno task demo [--port N]

Serves a small tea shop, with its sessions in the memory of this process.

  --port N  the port to listen on, 0 for any free one (default: ${DEFAULT_PORT})
  --help    this text`;

function fail(message: string): never {
  console.error(`Cannot start demo: ${message}`);
  Deno.exit(1);
}

/** The port to listen on; `undefined` when help is asked for. */
function readArguments(): number | undefined {
  // `deno task demo -- --port 0` is how npm would have it.
  const args = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: "string", default: String(DEFAULT_PORT) },
        help: { type: "boolean", short: "h" },
      },
    });
    return values.help ? undefined : readPort(values.port);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (message.startsWith("Option '--port")) fail(PORT_RULE);
    // Its first sentence says what is wrong, the others how to force it.
    fail(`${message.split(/\.\s/, 1)[0]}\n\n${USAGE}`);
  }
}

function readPort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  fail(`${PORT_RULE}: received "${value}"`);
}

function listen(
  port: number,
  answer: (req: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      port,
      hostname: "localhost",
      onListen: ({ port }) => {
        console.log(`The demo is at http://localhost:${port}/`);
        console.log("Ctrl-C stops it.");
      },
    }, answer);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      const other = port < 65_535 ? port + 1 : DEFAULT_PORT;
      fail(
        `port ${port} is in use: write --port ${other} or stop the other program`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      fail(`port ${port} needs more rights: write --port ${DEFAULT_PORT}`);
    }
    throw error;
  }
}

/**
 * Resolves at the first Ctrl-C. Another signal does nothing: `deno task` passes
 * on the one that the terminal has already sent.
 */
async function interruption(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of SIGNALS) Deno.addSignalListener(signal, resolve);
  });
}

/** Ends when all is answered, or when that has taken too long. */
async function stop(
  server: Deno.HttpServer,
  open: ReadonlySet<Promise<Response>>,
): Promise<void> {
  setTimeout(() => Deno.exit(0), GRACE);
  // The shutdown alone would break off a form that is still being sent.
  await Promise.allSettled(open);
  await server.shutdown();
}

const port = readArguments();
if (port === undefined) {
  console.log(USAGE);
} else {
  const app = createApp();
  const open = new Set<Promise<Response>>();
  // Before it says that it is there: the signal may come at once.
  const interrupted = interruption();
  const server = listen(port, async (req) => {
    const response = app(req);
    open.add(response);
    try {
      return await response;
    } finally {
      open.delete(response);
    }
  });

  await interrupted;
  console.log("\nStopping.");
  await stop(server, open);
  Deno.exit(0);
}
