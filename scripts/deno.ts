/**
 * Runs `deno` with the tests' `@std/*` within reach: as it is where JSR
 * answers, with the stand-ins in `offline/` where it does not.
 *
 * ```sh
 * deno run -A scripts/deno.ts test --doc
 * ```
 *
 * The command runs in the project's root, like a task, with this process's
 * input and output, and ends it with its exit code. One line on stderr says
 * what was chosen and why; `HARPIA_STD=jsr` or `HARPIA_STD=offline` chooses.
 *
 * @module
 */

import standIns from "../offline/import_map.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** The flags that put the stand-ins in the place of `@std/*`. */
const OFFLINE_FLAGS = [
  "--import-map=offline/import_map.json",
  "--lock=offline/deno.lock",
];

/** How long JSR may take to answer, in milliseconds. */
const JSR_TIMEOUT = 2_000;

/** Where `@std/*` comes from, and why. */
export interface StdChoice {
  /** JSR, or the stand-ins in `offline/`. */
  source: "jsr" | "offline";
  /** The reason, to be put in brackets. */
  why: string;
}

/** Options for {@linkcode askJsr}. */
export interface AskJsrOptions {
  /** Variables for deno on top of this process's, such as `JSR_URL`. */
  env?: Record<string, string>;
  /**
   * How long JSR may take to answer, in milliseconds.
   *
   * @default {2000}
   */
  timeout?: number;
}

/**
 * Chooses where `@std/*` comes from. JSR is asked only when the setting leaves
 * it open.
 *
 * @throws {RangeError} If the setting is neither `"jsr"` nor `"offline"`
 */
export async function chooseStd(
  setting: string | undefined,
  ask: () => Promise<StdChoice>,
): Promise<StdChoice> {
  if (setting === undefined) return await ask();
  if (setting === "jsr" || setting === "offline") {
    return { source: setting, why: `HARPIA_STD=${setting}` };
  }
  throw new RangeError(
    `Cannot choose @std: HARPIA_STD must be "jsr" or "offline": received "${setting}"`,
  );
}

/**
 * What to give to `deno` for this command, with `@std/*` from there.
 *
 * @throws {TypeError} If there is no command
 */
export function denoArgs(
  source: StdChoice["source"],
  args: readonly string[],
): string[] {
  const [command, ...rest] = args;
  if (command === undefined) {
    throw new TypeError(
      "Cannot run deno: a command such as test must be given: received none",
    );
  }
  return source === "jsr"
    ? [command, ...rest]
    : [command, ...OFFLINE_FLAGS, ...rest];
}

/**
 * Asks deno whether all of `@std/*` is in its cache, which takes no network,
 * and if it is not, asks JSR for one small file.
 *
 * Where JSR is, deno alone knows: it has the default built in, and reads
 * `JSR_URL`. Told not to go there, it names the file it would have fetched, in
 * a few milliseconds. To let deno fetch it would be one step less, but deno
 * has no time limit, and a time limit around deno would count the download of
 * a whole package as JSR's silence.
 */
export async function askJsr(options: AskJsrOptions = {}): Promise<StdChoice> {
  const { env = {}, timeout = JSR_TIMEOUT } = options;
  const names = Object.keys(standIns.imports)
    .filter((name) => name.startsWith("@std/"));
  const probe = `data:application/typescript,${
    names.map((name) => `import "${name}";`).join("")
  }`;

  const cached = await output(
    ["run", "--no-lock", "--no-npm", "--cached-only", "--no-prompt"],
    probe,
    env,
  );
  if (cached.success) return { source: "jsr", why: "it is in the cache" };

  const { stdout } = await output(
    ["info", "--no-lock", "--no-npm", "--no-remote", "--json"],
    probe,
    env,
  );
  const address = stdout.match(/https?:[^\s"'\\]+\/meta\.json/)?.[0];
  if (!address) return offline("deno does not say where JSR is");
  try {
    const signal = AbortSignal.timeout(timeout);
    const response = await fetch(address, { signal });
    await response.body?.cancel();
    return response.ok
      ? { source: "jsr", why: "it answers" }
      : offline(`JSR answers ${response.status}`);
  } catch {
    // Whatever went wrong on the way, the tests can run without it.
    return offline("JSR does not answer");
  }
}

function offline(why: string): StdChoice {
  const way = "HARPIA_STD=jsr forces the real ones";
  return { source: "offline", why: `${why}; ${way}` };
}

async function output(
  args: string[],
  specifier: string,
  env: Record<string, string>,
): Promise<{ success: boolean; stdout: string }> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "--config=deno.json", specifier],
    cwd: ROOT,
    env,
    stdin: "null",
    stderr: "null",
  }).output();
  return { success, stdout: new TextDecoder().decode(stdout) };
}

/** Runs the command, hands it the signals, and resolves to its exit code. */
async function run(args: string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).spawn();
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      // Ctrl-C in a terminal reaches the command without help.
      if (signal === "SIGINT" && Deno.stdin.isTerminal()) return;
      child.kill(signal);
    });
  }
  const { code } = await child.status;
  return code;
}

async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

async function main(): Promise<number> {
  let choice: StdChoice;
  let args: string[];
  try {
    choice = await chooseStd(Deno.env.get("HARPIA_STD"), askJsr);
    args = denoArgs(choice.source, Deno.args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    await say(`error: ${error.message}`);
    return 2;
  }
  const name = choice.source === "jsr"
    ? "from JSR"
    : "the stand-ins in offline/";
  await say(`@std/*: ${name} (${choice.why})`);
  return await run(args);
}

if (import.meta.main) Deno.exit(await main());
