/**
 * Sessions with Express 5: sign-in, a page, a counter, sign-out.
 *
 * ```sh
 * npm install @harpia/memory-store express
 * node express.ts # Node 22.18 or later; else compile it, or use Bun
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it is

import process from "node:process";
import { Session } from "@harpia/memory-store";
import express, { type Response } from "express";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

interface Locals {
  found: Awaited<ReturnType<typeof session.load>>;
}

const app = express();

app.use(async (req, res: Response<string, Locals>, next) => {
  res.locals.found = await session.load(req);
  next();
});

app.get("/", (_req, res: Response<string, Locals>) => {
  const { user, count } = res.locals.found?.data ?? {};
  res.send(user ? `${user}: ${count}` : "Please sign in");
});

app.post("/sign-in", async (req, res) => {
  await session.signIn(req, res, { user: "ada", count: 0 });
  res.redirect(303, "/");
});

app.post("/count", async (_req, res: Response<string, Locals>) => {
  await session.update(res.locals.found?.id, (data) => {
    data.count += 1;
  });
  res.redirect(303, "/");
});

app.post("/sign-out", async (req, res) => {
  await session.signOut(req, res);
  res.redirect(303, "/");
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : address;
  console.log(`Listening on http://localhost:${port}/`);
});
