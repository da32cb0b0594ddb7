/**
 * As much of Harpia as `frameworks/harpia.ts` needs, in the shape of its
 * documentation: `harpiats` is not on npm at present. A request has no more
 * than what its page shows.
 *
 * @see {@link https://harpiats.github.io/core/server/ | Harpia: Server}
 * @see {@link https://harpiats.github.io/core/request/ | Harpia: Request}
 * @see {@link https://harpiats.github.io/core/response/ | Harpia: Response}
 *
 * @module
 */

/** What is used of Bun, whose types only the project of the examples has. */
declare const Bun: {
  serve(options: ListenOptions & { fetch: Fetch }): unknown;
};

type Fetch = (req: globalThis.Request) => Promise<globalThis.Response>;

/** Where an application listens. */
export interface ListenOptions {
  /** The port. */
  port: number;
  /** The name of the host. */
  hostname?: string;
}

/** A request. */
export interface Request {
  /** The cookies that came with it. */
  cookies: { get(name: string): string | undefined };
}

/** A response, which handlers fill. */
export class Response {
  #body = "";
  #status = 200;

  /** Its headers. */
  readonly headers: Headers = new Headers();

  /** Sets the body. */
  send(data: string): this {
    this.#body = data;
    return this;
  }

  /** Sends the client elsewhere. */
  redirect(url: string, statusCode = 302): this {
    this.#status = statusCode;
    this.headers.set("location", url);
    return this;
  }

  /** What goes over the wire. */
  parse(): globalThis.Response {
    const { headers } = this;
    return new globalThis.Response(this.#body, {
      status: this.#status,
      headers,
    });
  }
}

/** What answers a route. */
export type Handler = (req: Request, res: Response) => unknown;

/** An application: its routes, and a server for them. */
export class Application {
  readonly #routes = new Map<string, Handler>();

  /** Adds a route for `GET`. */
  get(path: string, handler: Handler): void {
    this.#routes.set(`GET ${path}`, handler);
  }

  /** Adds a route for `POST`. */
  post(path: string, handler: Handler): void {
    this.#routes.set(`POST ${path}`, handler);
  }

  /** Starts the server. */
  listen(options: ListenOptions, started?: () => void): void {
    Bun.serve({ ...options, fetch: (req) => this.#answer(req) });
    started?.();
  }

  async #answer(req: globalThis.Request): Promise<globalThis.Response> {
    const { pathname } = new URL(req.url);
    const cookies = new Map(
      (req.headers.get("cookie") ?? "").split(";").map((pair) => {
        const [name = "", value = ""] = pair.trim().split("=");
        return [name, value] as const;
      }),
    );
    const res = new Response();
    await this.#routes.get(`${req.method} ${pathname}`)?.({ cookies }, res);
    return res.parse();
  }
}

/** Makes an application. */
export default function harpia(): Application {
  return new Application();
}
