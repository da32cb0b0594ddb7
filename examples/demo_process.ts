/**
 * Runs the demo in a process of its own, for its tests.
 *
 * @module
 */

/** The demo while it runs. */
export interface DemoProcess extends AsyncDisposable {
  /** Where it is: `http://localhost:PORT`. */
  readonly origin: string;
  /** Ends it by a signal; resolves to its exit code and what it printed. */
  stop(signal: Deno.Signal): Promise<{ code: number; stdout: string }>;
}

/** The arguments of `deno` that start the demo. */
export const DEMO_ARGS: readonly string[] = [
  "run",
  "--no-prompt",
  "--no-lock",
  "--allow-net",
  "examples/demo.ts",
];

const ROOT = new URL("../", import.meta.url);

/** Starts a command of the demo and collects what it prints. */
export function demoCommand(...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [...DEMO_ARGS, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts the demo on a free port and waits until it says where it is. */
export async function startDemo(): Promise<DemoProcess> {
  const child = demoCommand("--port", "0").spawn();
  const errors = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let stdout = "";
  let origin: string | undefined;
  while (origin === undefined) {
    const { value, done } = await reader.read();
    if (done) {
      throw new Error(`Cannot start demo: it has ended: ${await errors}`);
    }
    stdout += value;
    origin = /http:\/\/localhost:\d+(?=\/\n)/.exec(stdout)?.[0];
  }
  let ended: Promise<{ code: number; stdout: string }> | undefined;
  const stop = (signal: Deno.Signal): NonNullable<typeof ended> =>
    ended ??= (async () => {
      child.kill(signal);
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        stdout += value;
      }
      await errors;
      return { code: (await child.status).code, stdout };
    })();
  return {
    origin,
    stop,
    [Symbol.asyncDispose]: async () => void await stop("SIGTERM"),
  };
}
