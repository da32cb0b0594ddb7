/**
 * Sessions with Oak: sign-in, a page, a counter, sign-out.
 *
 * ```sh
 * deno run --allow-net --allow-env oak.ts # with @oak/oak from JSR
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it is

import process from "node:process";
import { Session } from "@harpia/memory-store";
import { Application, Router } from "@oak/oak";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

interface State {
  found: Awaited<ReturnType<typeof session.load>>;
}

const router = new Router<State>();

router.get("/", ({ response, state }) => {
  const { user, count } = state.found?.data ?? {};
  response.body = user ? `${user}: ${count}` : "Please sign in";
});

router.post("/sign-in", async ({ request, response }) => {
  await session.signIn(request, response, { user: "ada", count: 0 });
  response.status = 303;
  response.redirect("/");
});

router.post("/count", async ({ response, state }) => {
  await session.update(state.found?.id, (data) => {
    data.count += 1;
  });
  response.status = 303;
  response.redirect("/");
});

router.post("/sign-out", async ({ request, response }) => {
  await session.signOut(request, response);
  response.status = 303;
  response.redirect("/");
});

const app = new Application<State>();
app.use(async ({ request, state }, next) => {
  state.found = await session.load(request);
  await next();
});
app.use(router.routes());
app.addEventListener("listen", ({ port }) => {
  console.log(`Listening on http://localhost:${port}/`);
});
await app.listen({ port: Number(process.env.PORT ?? 8000) });
