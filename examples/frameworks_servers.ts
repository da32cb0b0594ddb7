/**
 * Starts the examples in `frameworks/` as their users do, for their tests:
 * those of Deno from the sources, those of Node and Bun in a project of npm
 * that has the packed package.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { npmProgram } from "../runtimes/command.ts";
import { ROOT, run, toFolder, writeJson } from "../scripts/npm_package.ts";
import { packNpm } from "../scripts/pack_npm.ts";

const EXAMPLES = new URL("./frameworks/", import.meta.url);
const BUN = "bun@1.4.5";
const NPM_FLAGS = ["--no-audit", "--no-fund", "--prefer-offline"];

/** How often a port may turn out to be taken. */
const MAX_ATTEMPTS = 3;

/** What runs an example. */
export type Runtime = "deno" | "deno serve" | "node" | "bun";

/** An example, and what runs it. */
export interface Example {
  /** The name of its file, without the extension. */
  name: string;
  /** What runs it. */
  runtime: Runtime;
  /** Whether it cannot listen on port 0 and say which one it has got. */
  needsPort?: boolean;
}

/** A project of npm with the examples, compiled, and what they need. */
export class Project implements AsyncDisposable {
  readonly #folder: URL;
  readonly #bun: string;

  private constructor(folder: URL, bun: string) {
    this.#folder = folder;
    this.#bun = bun;
  }

  /**
   * Installs the packages, packs and installs this one, and compiles.
   *
   * @throws {Error} If npm fails, or an example has an error of types.
   */
  static async open(): Promise<Project> {
    const folder = toFolder(await Deno.makeTempDir({ prefix: "harpia" }));
    try {
      for await (const { name } of Deno.readDir(EXAMPLES)) {
        if (name === "node_modules" || name === "deno.json") continue;
        await Deno.copyFile(new URL(name, EXAMPLES), new URL(name, folder));
      }
      await run("npm", ["ci", ...NPM_FLAGS], { cwd: folder });
      const tarball = fileURLToPath((await packNpm(folder)).path);
      const flags = ["--no-save", "--no-package-lock", ...NPM_FLAGS];
      await run("npm", ["install", ...flags, tarball], { cwd: folder });
      await installHarpia(new URL("node_modules/harpiats/", folder));
      await run("node", ["node_modules/typescript/bin/tsc"], { cwd: folder });
      return new Project(folder, await npmProgram(BUN, "bun"));
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  /** Starts an example. */
  start(example: Example): Promise<Server> {
    const file = `${example.name}.${example.runtime === "bun" ? "ts" : "js"}`;
    const program = example.runtime === "bun" ? this.#bun : "node";
    return startServer(example, [program, file], this.#folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** The stand-in for Harpia, which is not on npm. */
async function installHarpia(folder: URL): Promise<void> {
  await Deno.mkdir(folder);
  const packageJson = {
    name: "harpiats",
    type: "module",
    exports: "./main.ts",
  };
  await writeJson(new URL("package.json", folder), packageJson);
  const source = new URL("harpiats_stand_in.ts", import.meta.url);
  await Deno.copyFile(source, new URL("main.ts", folder));
}

/** Starts an example of Deno from the sources. */
export function startOnDeno(example: Example): Promise<Server> {
  const command = example.runtime === "deno"
    ? ["run", "--check", "--no-prompt", "--allow-net"]
    : ["serve", "--check", "--no-prompt", "--port=0"];
  const file = `examples/frameworks/${example.name}.ts`;
  const config = "--config=examples/frameworks/deno.json";
  return startServer(
    example,
    [Deno.execPath(), ...command, config, file],
    ROOT,
  );
}

/** An example while it runs. Disposing of it ends it. */
export class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<unknown>;

  /** Where it is: `http://localhost:PORT`. */
  readonly origin: string;

  /** Takes charge of a process. */
  constructor(
    child: Deno.ChildProcess,
    ended: Promise<unknown>,
    port: string,
  ) {
    this.#child = child;
    this.#ended = ended;
    this.origin = `http://localhost:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

async function startServer(
  example: Example,
  command: readonly string[],
  cwd: URL,
): Promise<Server> {
  let output = "";
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const [program = "", ...args] = command;
    const PORT = example.needsPort ? String(findFreePort()) : "0";
    const child = new Deno.Command(program, {
      args,
      cwd,
      env: { NO_COLOR: "1", PORT, DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const found = Promise.withResolvers<string>();
    output = "";
    const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
      for await (const bytes of stream) {
        output += new TextDecoder().decode(bytes);
        const port = output.match(/http:\/\/\S+:(\d+)(?=\D)/)?.[1];
        if (port !== undefined) found.resolve(port);
      }
    };
    const reads = [read(child.stdout), read(child.stderr), child.status];
    const ended = Promise.all<unknown>(reads);
    const port = await Promise.race([found.promise, ended]);
    if (typeof port === "string") return new Server(child, ended, port);
    if (!output.includes("EADDRINUSE")) break;
  }
  throw new Error(
    `Cannot start ${example.name}: it must say where it is: received ${output}`,
  );
}

/** A port that was free a moment ago. */
function findFreePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
