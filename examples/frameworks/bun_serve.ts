/**
 * Sessions with `Bun.serve` and its routes: sign-in, a page, a counter,
 * sign-out.
 *
 * ```sh
 * bun bun_serve.ts
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it is

import { Session } from "@harpia/memory-store";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

const server = Bun.serve({
  routes: {
    "/": async (req) => {
      const { user, count } = await session.fromRequest(req) ?? {};
      return new Response(user ? `${user}: ${count}` : "Please sign in");
    },
    "/sign-in": {
      POST: async (req) => {
        const res = Response.redirect("/", 303);
        await session.signIn(req, res, { user: "ada", count: 0 });
        return res;
      },
    },
    "/count": {
      POST: async (req) => {
        await session.update(await session.idFromRequest(req), (data) => {
          data.count += 1;
        });
        return Response.redirect("/", 303);
      },
    },
    "/sign-out": {
      POST: async (req) => {
        const res = Response.redirect("/", 303);
        await session.signOut(req, res);
        return res;
      },
    },
  },
});
console.log(`Listening on ${server.url}`);
