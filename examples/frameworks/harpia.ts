/**
 * Sessions with Harpia: sign-in, a page, a counter, sign-out.
 *
 * ```sh
 * bun harpia.ts
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it is

import process from "node:process";
import { Session } from "@harpia/memory-store";
import harpia from "harpiats";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

const app = harpia();

app.get("/", async (req, res) => {
  const { user, count } = await session.fromRequest(req) ?? {};
  res.send(user ? `${user}: ${count}` : "Please sign in");
});

app.post("/sign-in", async (req, res) => {
  await session.signIn(req, res, { user: "ada", count: 0 });
  res.redirect("/", 303);
});

app.post("/count", async (req, res) => {
  await session.update(await session.idFromRequest(req), (data) => {
    data.count += 1;
  });
  res.redirect("/", 303);
});

app.post("/sign-out", async (req, res) => {
  await session.signOut(req, res);
  res.redirect("/", 303);
});

const port = Number(process.env.PORT ?? 3000);
app.listen({ port, hostname: "localhost" }, () => {
  console.log(`Listening on http://localhost:${port}/`);
});
