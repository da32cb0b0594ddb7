/**
 * Sessions with Hono, on Deno and on Bun: sign-in, a page, a counter, sign-out.
 *
 * ```sh
 * deno serve examples/frameworks/hono.ts
 * bun hono.ts
 * ```
 *
 * @module
 */

import { Session } from "@harpia/memory-store";
import { Hono } from "hono";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

type Found = Awaited<ReturnType<typeof session.load>>;

const app = new Hono<{ Variables: { found: Found } }>();

app.use(async (c, next) => {
  c.set("found", await session.load(c.req.raw));
  await next();
});

app.get("/", (c) => {
  const { user, count } = c.var.found?.data ?? {};
  return c.text(user ? `${user}: ${count}` : "Please sign in");
});

app.post("/sign-in", async (c) => {
  await session.signIn(c.req.raw, c.res, { user: "ada", count: 0 });
  return c.redirect("/", 303);
});

app.post("/count", async (c) => {
  await session.update(c.var.found?.id, (data) => {
    data.count += 1;
  });
  return c.redirect("/", 303);
});

app.post("/sign-out", async (c) => {
  await session.signOut(c.req.raw, c.res);
  return c.redirect("/", 303);
});

export default app;
