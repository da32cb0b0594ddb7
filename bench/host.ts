/**
 * What the runtimes have in common, without the types of any of them: those of
 * Node would have to be installed for `deno check`.
 *
 * @module
 */

interface Host {
  process: {
    argv: string[];
    cpuUsage(): { user: number; system: number };
    exit(): never;
    memoryUsage(): { heapUsed: number; external: number };
  };
  gc?: () => void;
}

// Node, Deno and Bun have all of it; `gc` needs a flag.
const host = globalThis as unknown as Host;

/** The arguments of the process. */
export function args(): string[] {
  return host.process.argv.slice(2);
}

/** Ends the process, also when timers would keep it alive. */
export function exit(): never {
  return host.process.exit();
}

/** Milliseconds of processor time, those of all threads of the process. */
export function cpuTime(): number {
  const { user, system } = host.process.cpuUsage();
  return (user + system) / 1_000;
}

/**
 * Bytes in use after a collection, buffers outside of the heap included. Needs
 * a runtime that was started with `--expose-gc`.
 */
export async function readHeap(): Promise<number> {
  if (host.gc === undefined) throw new Error("Start me with --expose-gc");
  for (let i = 0; i < 4; i++) {
    host.gc();
    // Between two collections, what finalizers and promises hold is let go.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = host.process.memoryUsage();
  return heapUsed + external;
}
