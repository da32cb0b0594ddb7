/**
 * Starts other programs.
 *
 * @module
 */

/** The project's folder. */
export const ROOT: URL = new URL("../", import.meta.url);

/** How long a program may run, in milliseconds. */
const TIMEOUT = 180_000;

/** What a program said, and how it ended. */
export interface Output {
  /** Its exit code. */
  code: number;
  /** What it wrote, to both outputs. */
  text: string;
}

/** Runs a program in the project's folder, and waits for its end. */
export async function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Output> {
  const decoder = new TextDecoder();
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", ...env },
    cwd: ROOT,
    stdin: "null",
    signal: AbortSignal.timeout(TIMEOUT),
  }).output();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/**
 * Runs a program that has to succeed. Resolves to what it said.
 *
 * @throws {Error} If it does not succeed, with what it said.
 */
export async function mustRun(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { code, text } = await run(program, args, env);
  if (code === 0) return text;
  throw new Error(
    `Cannot run ${program} ${args.join(" ")}: exit code ${code}: ${text}`,
  );
}

/** Where npm has put a program of a package; fetches the package if needed. */
export async function npmProgram(
  packageName: string,
  program: string,
): Promise<string> {
  const command = ["-y", "-p", packageName, "-c", `command -v ${program}`];
  const lines = (await mustRun("npx", command)).trim().split("\n");
  return lines.find((line) => line.endsWith(program)) ?? program;
}

/**
 * Does the work for each item, this many at a time; results keep the order.
 * When some of it fails, the rest is still waited for: it may have started
 * programs.
 */
export async function mapPool<T, R>(
  items: readonly T[],
  size: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const workers = Array.from({ length: size }, async () => {
    for (const [i, item] of rest) results[i] = await work(item);
  });
  await Promise.allSettled(workers);
  await Promise.all(workers);
  return results;
}
