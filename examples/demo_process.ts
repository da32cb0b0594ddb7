/**
 * Runs the demo in a process of its own, for its tests.
 *
 * @module
 */

/** How a process has ended. */
export interface Ending {
  /** Its exit code. */
  readonly code: number;
  /** What it has printed. */
  readonly stdout: string;
}

/** The demo while it runs. Disposing of it ends it. */
export interface DemoProcess extends AsyncDisposable {
  /** Where it is: `http://localhost:PORT`. */
  readonly origin: string;
  /** Where it is, as a number. */
  readonly port: number;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Resolves when it has printed this. */
  printed(text: string): Promise<void>;
  /** Resolves when it has ended. */
  ended(): Promise<Ending>;
}

/** The demo as `deno task demo` starts it, less the lock file. */
export function demoCommand(...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-lock",
      "--allow-net=localhost",
      "examples/demo.ts",
      ...args,
    ],
    cwd: new URL("../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Starts the demo on a free port, and waits until it says where it is. */
export async function startDemo(): Promise<DemoProcess> {
  const child = demoCommand("--port", "0").spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let stdout = "";

  async function readUntil(pattern: RegExp): Promise<string | undefined> {
    for (;;) {
      const found = pattern.exec(stdout)?.[0];
      if (found !== undefined) return found;
      const { value, done } = await reader.read();
      if (done) return undefined;
      stdout += value;
    }
  }

  async function waitFor(pattern: RegExp): Promise<string> {
    const found = await readUntil(pattern);
    if (found !== undefined) return found;
    throw new Error(`Cannot run demo: it has ended: ${await stderr}`);
  }

  async function ended(): Promise<Ending> {
    await readUntil(/$^/);
    await stderr;
    return { code: (await child.status).code, stdout };
  }

  const origin = await waitFor(/http:\/\/localhost:\d+(?=\/\n)/);
  return {
    origin,
    port: Number(new URL(origin).port),
    kill: (signal) => child.kill(signal),
    printed: async (text) =>
      void await waitFor(new RegExp(RegExp.escape(text))),
    ended,
    [Symbol.asyncDispose]: async () => {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has ended by itself, which is what most tests are about.
        if (!(error instanceof TypeError)) throw error;
      }
      await ended();
    },
  };
}
