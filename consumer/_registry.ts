/**
 * A JSR registry on the loopback that takes one package from `deno publish` and
 * serves it to whoever imports it, as the real one does.
 *
 * @see {@link https://jsr.io/docs/api | JSR: Registry API}
 *
 * @module
 */

import { assert } from "@std/assert";

/** A published package. */
interface Package {
  /** The scope and the name, such as `@harpia/memory-store`. */
  name: string;
  version: string;
  exports: Record<string, string>;
  /** The bytes of each file, by its path, which begins with a slash. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
}

/** A registry, until it is disposed of. */
export class Registry implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #package: Package | undefined;

  /** Starts to listen, on a port of the system's choice. */
  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (req) => this.#answer(req),
    );
  }

  /** What to set `JSR_URL` to. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** The paths of the files that were published, sorted. */
  get files(): string[] {
    return [...this.#package?.files.keys() ?? []]
      .map((path) => path.slice(1)).sort();
  }

  /** The checksum that a lock file has for the version. */
  async integrity(): Promise<string> {
    assert(this.#package, "there must be a package");
    return await sha256(await versionMeta(this.#package));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(req: Request): Promise<Response> {
    const { pathname } = new URL(req.url);
    const api = pathname.match(
      /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/([^/]+))?$/,
    );
    if (api === null) return await this.#serve(pathname);
    const [, scope, name, version] = api;
    if (version === undefined) return Response.json({});
    if (req.method === "POST") {
      const files = await readTar(req);
      const config = new TextDecoder().decode(files.get("/deno.json"));
      const { exports } = JSON.parse(config);
      this.#package = { name: `@${scope}/${name}`, version, exports, files };
      return Response.json({ id: crypto.randomUUID(), status: "success" });
    }
    const code = "packageVersionNotFound";
    return Response.json({ code, message: "not found" }, { status: 404 });
  }

  /** The files of the package, and the two that list them. */
  async #serve(pathname: string): Promise<Response> {
    const found = this.#package;
    if (found !== undefined && pathname.startsWith(`/${found.name}/`)) {
      const path = pathname.slice(found.name.length + 1);
      const { version } = found;
      if (path === "/meta.json") {
        return Response.json({ latest: version, versions: { [version]: {} } });
      }
      if (path === `/${version}_meta.json`) {
        return new Response(await versionMeta(found));
      }
      if (path.startsWith(`/${version}/`)) {
        const file = found.files.get(path.slice(version.length + 1));
        const type = path.endsWith(".ts") ? "text/typescript" : "text/plain";
        const headers = { "content-type": type };
        if (file !== undefined) return new Response(file, { headers });
      }
    }
    return new Response("not found", { status: 404 });
  }
}

async function versionMeta(
  { exports, files }: Package,
): Promise<Uint8Array<ArrayBuffer>> {
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const [path, bytes] of files) {
    const checksum = `sha256-${await sha256(bytes)}`;
    manifest[path] = { size: bytes.length, checksum };
  }
  return new TextEncoder().encode(JSON.stringify({ manifest, exports }));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * The files of a gzip tar: blocks of 512 bytes, a header and then the content.
 *
 * @see {@link https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 | POSIX: ustar interchange format}
 */
async function readTar(req: Request): Promise<Package["files"]> {
  assert(req.body, "the request must have a body");
  const unzipped = req.body.pipeThrough(new DecompressionStream("gzip"));
  const tar = new Uint8Array(await new Response(unzipped).arrayBuffer());
  const field = (start: number, length: number): string =>
    new TextDecoder().decode(tar.subarray(start, start + length))
      .split("\0", 1)[0] ?? "";

  const files: Package["files"] = new Map();
  let at = 0;
  while (at < tar.length && field(at, 100) !== "") {
    const size = parseInt(field(at + 124, 12), 8);
    const start = at + 512;
    files.set(`/${field(at, 100)}`, tar.slice(start, start + size));
    at = start + Math.ceil(size / 512) * 512;
  }
  return files;
}
