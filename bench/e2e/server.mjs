/**
 * One of the servers that `run.ts` measures: a framework, and what keeps its
 * sessions. It says its port, and at `/cpu` how many microseconds of processor
 * time it has used.
 *
 * ```sh
 * node server.mjs express express-session
 * ```
 *
 * Each library is used as its own documentation shows, over its own store in
 * memory, and without what it can do without: `hono-sessions` has no key to
 * encrypt ids with, which would cost it most of its speed.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it says where it is

import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { Session } from "./.build/memory_store.mjs";

/** A session as an application has it: 235 bytes as JSON. */
const VISITOR = {
  user: "7f9c24e5-2f2b-4d4f-9d3b-0c6f2f1f7c11",
  name: "Ada Lovelace",
  count: 0,
  signedInAt: 1_790_000_000_000,
  preferences: { theme: "dark", language: "en", timeZone: "Europe/London" },
  roles: ["reader", "writer", "editor", "auditor", "admin"],
};

/** What the slow page waits for: a database, say. */
const QUERY_MS = 2;

const IDLE_MS = 60 * 60 * 1000;

const cpuTime = () => {
  const { user, system } = process.cpuUsage();
  return String(user + system);
};

const setUps = {
  express: {
    async none() {
      const { app, listen } = await makeExpress();
      app.get("/read", (_req, res) => res.send("0"));
      app.post("/update", (_req, res) => res.send("0"));
      listen();
    },

    async "@harpia/memory-store"() {
      const { app, listen } = await makeExpress();
      const session = new Session({ idleTimeout: IDLE_MS });
      const update = async (req) => {
        let count;
        await session.update(await session.idFromRequest(req), (visitor) => {
          count = visitor.count += 1;
        });
        return String(count);
      };
      app.post("/sign-in", async (req, res) => {
        await session.signIn(req, res, VISITOR);
        res.send("0");
      });
      app.get("/read", async (req, res) => {
        const visitor = await session.fromRequest(req);
        res.send(String(visitor.count));
      });
      app.post("/update", async (req, res) => {
        res.send(await update(req));
      });
      app.post("/slow-update", async (req, res) => {
        await setTimeout(QUERY_MS);
        res.send(await update(req));
      });
      listen();
    },

    async "express-session"() {
      const { app, listen } = await makeExpress();
      const { default: session } = await import("express-session");
      app.use(session({
        secret: "a secret of some length",
        resave: false,
        saveUninitialized: false,
        store: new session.MemoryStore(),
      }));
      const update = (req) => String(req.session.visitor.count += 1);
      app.post("/sign-in", (req, res) => {
        req.session.visitor = VISITOR;
        res.send("0");
      });
      app.get("/read", (req, res) => {
        res.send(String(req.session.visitor.count));
      });
      app.post("/update", (req, res) => {
        res.send(update(req));
      });
      app.post("/slow-update", async (req, res) => {
        await setTimeout(QUERY_MS);
        res.send(update(req));
      });
      listen();
    },
  },

  hono: {
    async none() {
      const { app, listen } = await makeHono();
      app.get("/read", (c) => c.text("0"));
      app.post("/update", (c) => c.text("0"));
      listen();
    },

    async "@harpia/memory-store"() {
      const { app, listen } = await makeHono();
      const session = new Session({ idleTimeout: IDLE_MS });
      const update = async (c) => {
        let count;
        const id = await session.idFromRequest(c.req.raw);
        await session.update(id, (visitor) => {
          count = visitor.count += 1;
        });
        return String(count);
      };
      app.post("/sign-in", async (c) => {
        await session.signIn(c.req.raw, c.res, VISITOR);
        return c.text("0");
      });
      app.get("/read", async (c) => {
        const visitor = await session.fromRequest(c.req.raw);
        return c.text(String(visitor.count));
      });
      app.post("/update", async (c) => c.text(await update(c)));
      app.post("/slow-update", async (c) => {
        await setTimeout(QUERY_MS);
        return c.text(await update(c));
      });
      listen();
    },

    async "hono-sessions"() {
      const { app, listen } = await makeHono();
      const { MemoryStore, sessionMiddleware } = await import("hono-sessions");
      app.use(sessionMiddleware({
        store: new MemoryStore(),
        expireAfterSeconds: IDLE_MS / 1000,
        cookieOptions: { path: "/", httpOnly: true, sameSite: "Lax" },
      }));
      const update = (c) => {
        const session = c.get("session");
        const visitor = session.get("visitor");
        const count = visitor.count + 1;
        session.set("visitor", { ...visitor, count });
        return String(count);
      };
      app.post("/sign-in", (c) => {
        c.get("session").set("visitor", VISITOR);
        return c.text("0");
      });
      app.get("/read", (c) => {
        return c.text(String(c.get("session").get("visitor").count));
      });
      app.post("/update", (c) => c.text(update(c)));
      app.post("/slow-update", async (c) => {
        await setTimeout(QUERY_MS);
        return c.text(update(c));
      });
      listen();
    },
  },
};

async function makeExpress() {
  const { default: express } = await import("express");
  const app = express();
  app.get("/cpu", (_req, res) => res.send(cpuTime()));
  const listen = () => {
    const server = app.listen(0, "127.0.0.1", () => {
      console.log(server.address().port);
    });
  };
  return { app, listen };
}

async function makeHono() {
  const { serve } = await import("@hono/node-server");
  const { Hono } = await import("hono");
  const app = new Hono();
  app.get("/cpu", (c) => c.text(cpuTime()));
  const listen = () => {
    const { fetch } = app;
    serve({ fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
      console.log(port);
    });
  };
  return { app, listen };
}

const [framework, sessions] = process.argv.slice(2);
await setUps[framework][sessions]();
