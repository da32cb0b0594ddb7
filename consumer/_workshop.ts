/**
 * Where the consumer tests work: a folder with the tools, and a project for
 * each artefact that has nothing but the package installed.
 *
 * @module
 */

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import {
  readJson,
  ROOT,
  run,
  toFile,
  toFolder,
  writeJson,
} from "../scripts/npm_package.ts";
import { packFolder, packNpm } from "../scripts/pack_npm.ts";

/** What the tests need besides the package, and never in its project. */
const TOOLS = [
  "typescript-5@npm:typescript@~5.9",
  "typescript-6@npm:typescript@^6",
  "typescript-7@npm:typescript@^7",
  "@types/node@^20",
  "@arethetypeswrong/cli@^0.18",
  "publint@^0.3",
  "bun@1.4.5",
];

/** The dnt of the tests, where `scripts/build_npm.ts` looks for the real one. */
const DNT_MAP = `data:application/json,${
  JSON.stringify({
    imports: { "@deno/dnt": new URL("_dnt.ts", import.meta.url).href },
  })
}`;

/** What is copied into each project. */
const FIXTURES = ["types.ts", "types_node.ts", "use.mjs"];

/** A project that asks the most of declarations. */
const COMPILER_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
  target: "es2022",
  lib: ["es2022", "dom"],
  types: [],
};

/** Where an artefact comes from, by the name it has in the tests. */
export type ArtefactName = "given" | "tarball" | "dnt layout";

/** What runs the programs of a consumer. */
export type Runtime = "node" | "bun";

/** What checks the types of a consumer. */
export type TypeScript = "5.9" | "6" | "7";

/** The artefact that the variable `NPM_ARTIFACT` names, else two built here. */
export const ARTEFACTS: ArtefactName[] = Deno.env.has("NPM_ARTIFACT")
  ? ["given"]
  : ["tarball", "dnt layout"];

/** Whether npm's registry answers; every test needs it. */
export async function npmAnswers(): Promise<boolean> {
  try {
    await run("npm", ["ping", "--fetch-retries=0"], { cwd: ROOT });
    return true;
  } catch {
    // Whatever is in the way, there is nothing to install from.
    return false;
  }
}

/** A tarball, and a project in which it is installed. */
export class Artefact {
  readonly #project: URL;
  readonly #tools: URL;
  readonly #tarball: URL;

  /** Its files, sorted. */
  readonly files: string[];
  /** Its `package.json`. */
  readonly packageJson: Record<string, unknown>;
  /** Whether `require` gets CommonJS, not the same modules as `import`. */
  readonly dual: boolean;

  private constructor(
    tarball: URL,
    project: URL,
    tools: URL,
    files: string[],
    packageJson: Record<string, unknown>,
  ) {
    this.#tarball = tarball;
    this.#project = project;
    this.#tools = tools;
    this.files = files;
    this.packageJson = packageJson;
    this.dual = JSON.stringify(packageJson.exports).includes('"require"');
  }

  /** Installs a tarball in a new project. */
  static async install(
    tarball: URL,
    project: URL,
    tools: URL,
  ): Promise<Artefact> {
    await install(project, [fileURLToPath(tarball)]);
    for (const fixture of FIXTURES) {
      const source = new URL(`project/${fixture}`, import.meta.url);
      await Deno.copyFile(source, new URL(fixture, project));
    }
    return new Artefact(
      tarball,
      project,
      tools,
      await listTarball(tarball),
      await readJson(
        new URL("node_modules/@harpia/memory-store/package.json", project),
      ),
    );
  }

  /** Runs a program in the project, and resolves to what it prints. */
  async execute(
    runtime: Runtime,
    name: string,
    program: string,
  ): Promise<string> {
    await this.write(name, program);
    const command = runtime === "bun" ? tool(this.#tools, ".bin/bun") : runtime;
    return await run(command, [name], { cwd: this.#project });
  }

  /** Runs a tool on the tarball, and resolves to what it prints. */
  async inspect(path: string, args: readonly string[]): Promise<string> {
    return await run(
      "node",
      [tool(this.#tools, path), fileURLToPath(this.#tarball), ...args],
      { cwd: this.#project },
    );
  }

  /** Writes a file of the project. */
  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(new URL(name, this.#project), text);
  }

  /** What TypeScript says of files of the project, a line each. */
  async compile(
    version: TypeScript,
    files: readonly string[],
    options: Record<string, unknown>,
  ): Promise<string[]> {
    const config = `tsconfig.${crypto.randomUUID()}.json`;
    const typeRoots = [tool(this.#tools, "@types")];
    await writeJson(new URL(config, this.#project), {
      compilerOptions: { ...COMPILER_OPTIONS, typeRoots, ...options },
      files,
    });
    const tsc = tool(this.#tools, `typescript-${version[0]}/bin/tsc`);
    try {
      await run("node", [tsc, "-p", config], { cwd: this.#project });
      return [];
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const [, ...lines] = error.message.split("\n");
      return lines;
    }
  }
}

/** A temporary folder with the tools and the artefacts. */
export class Workshop {
  readonly #folder: URL;
  readonly #artefacts = new Map<ArtefactName, Artefact>();

  private constructor(folder: URL) {
    this.#folder = folder;
  }

  /** Installs the tools, builds the artefacts and installs those. */
  static async open(): Promise<Workshop> {
    const path = await Deno.makeTempDir({ prefix: "harpia" });
    const workshop = new Workshop(toFolder(path));
    try {
      const tools = new URL("tools/", workshop.#folder);
      await install(tools, TOOLS);
      for (const name of ARTEFACTS) {
        const folder = new URL(`${name.replace(" ", "_")}/`, workshop.#folder);
        const tarball = await build(name, folder, tools);
        const project = new URL("project/", folder);
        const artefact = await Artefact.install(tarball, project, tools);
        workshop.#artefacts.set(name, artefact);
      }
      return workshop;
    } catch (error) {
      await workshop.close();
      throw error;
    }
  }

  /** The artefact of this name. */
  artefact(name: ArtefactName): Artefact {
    const artefact = this.#artefacts.get(name);
    if (artefact !== undefined) return artefact;
    throw new Error(`Cannot test an artefact: it must be built: ${name}`);
  }

  /** Removes the folder and what is in it. */
  async close(): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Makes the tarball of an artefact, or finds the one that is given. */
async function build(
  name: ArtefactName,
  folder: URL,
  tools: URL,
): Promise<URL> {
  const built = new URL("npm/", folder);
  switch (name) {
    case "tarball":
      return (await packNpm(folder)).path;
    case "dnt layout":
      await run(Deno.execPath(), [
        "run",
        "-A",
        "--no-lock",
        `--import-map=${DNT_MAP}`,
        "scripts/build_npm.ts",
        fileURLToPath(built),
      ], {
        cwd: ROOT,
        env: { HARPIA_TSC: tool(tools, "typescript-5/bin/tsc") },
      });
      return (await packFolder(built, folder)).path;
    case "given": {
      const path = Deno.env.get("NPM_ARTIFACT") ?? "";
      return path.endsWith(".tgz")
        ? toFile(path)
        : (await packFolder(toFolder(path), folder)).path;
    }
  }
}

/** Makes a project and installs packages in it. */
async function install(
  project: URL,
  packages: readonly string[],
): Promise<void> {
  await Deno.mkdir(project, { recursive: true });
  const packageJson = { name: "consumer", private: true, type: "module" };
  await writeJson(new URL("package.json", project), packageJson);
  const flags = ["--no-audit", "--no-fund", "--prefer-offline"];
  await run("npm", ["install", ...flags, ...packages], { cwd: project });
}

async function listTarball(tarball: URL): Promise<string[]> {
  // A relative name: tar takes the drive of an absolute one for a host.
  const name = basename(fileURLToPath(tarball));
  const cwd = new URL("./", tarball);
  const printed = await run("tar", ["-tzf", name], { cwd });
  const lines = printed.trim().split(/\r?\n/);
  return lines.map((line) => line.replace("package/", "")).sort();
}

function tool(tools: URL, path: string): string {
  return fileURLToPath(new URL(`node_modules/${path}`, tools));
}
