/**
 * Sessions with Fastify: sign-in, a page, a counter, sign-out.
 *
 * ```sh
 * npm install @harpia/memory-store fastify
 * node fastify.ts # Node 22.18 or later; else compile it, or use Bun
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it is

import process from "node:process";
import { Session } from "@harpia/memory-store";
import fastify from "fastify";

const session = new Session<{ user: string; count: number }>({
  cookieName: "__Host-session_id",
});

declare module "fastify" {
  interface FastifyRequest {
    found: Awaited<ReturnType<typeof session.load>>;
  }
}

const app = fastify();

app.decorateRequest("found");
app.addHook("onRequest", async (request) => {
  request.found = await session.load(request);
});

app.get("/", (request, reply) => {
  const { user, count } = request.found?.data ?? {};
  reply.send(user ? `${user}: ${count}` : "Please sign in");
});

app.post("/sign-in", async (request, reply) => {
  await session.signIn(request, reply, { user: "ada", count: 0 });
  return reply.redirect("/", 303);
});

app.post("/count", async (request, reply) => {
  await session.update(request.found?.id, (data) => {
    data.count += 1;
  });
  return reply.redirect("/", 303);
});

app.post("/sign-out", async (request, reply) => {
  await session.signOut(request, reply);
  return reply.redirect("/", 303);
});

const address = await app.listen({ port: Number(process.env.PORT ?? 3000) });
console.log(`Listening on ${address}`);
