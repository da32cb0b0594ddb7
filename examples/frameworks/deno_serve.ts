/**
 * Sessions with `Deno.serve`: sign-in, a page, a counter, sign-out.
 *
 * ```sh
 * deno run --allow-net examples/frameworks/deno_serve.ts
 * ```
 *
 * @module
 */

import { Session } from "@harpia/memory-store";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

Deno.serve(async (req) => {
  const found = await session.load(req);
  switch (`${req.method} ${new URL(req.url).pathname}`) {
    case "POST /sign-in": {
      const res = redirectHome(req);
      await session.signIn(req, res, { user: "ada", count: 0 });
      return res;
    }
    case "POST /count":
      await session.update(found?.id, (data) => {
        data.count += 1;
      });
      return redirectHome(req);
    case "POST /sign-out": {
      const res = redirectHome(req);
      await session.signOut(req, res);
      return res;
    }
    case "GET /":
    case "HEAD /": {
      const { user, count } = found?.data ?? {};
      return new Response(user ? `${user}: ${count}` : "Please sign in");
    }
  }
  return new Response("Not found", { status: 404 });
});

function redirectHome(req: Request): Response {
  const res = Response.redirect(new URL("/", req.url), 303);
  return new Response(null, res); // the headers of the former are immutable
}
