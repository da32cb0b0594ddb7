/**
 * A change of the id of a session takes several steps of the engine. Here the
 * process dies at each of them, and another one finds what is left.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { openNodeRedis } from "./_redis_clients.ts";
import { redisTest } from "./_redis_server.ts";
import { hang, makeGate } from "./_test_util.ts";
import { DenoKvStore } from "./deno_kv_store.ts";
import { RedisStore } from "./redis_store.ts";
import { Session } from "./session.ts";
import type { Store } from "./store.ts";

interface Visit {
  user?: string;
  cart: string[];
}

/** What a process has come to when it dies: the step is done, or it is not. */
type LastStep = "done" | "not done";

/** Runs one step of an engine. */
type Run = <T>(take: () => Promise<T>) => Promise<T>;

/** Opens a store on what all stores of a test share. */
type Open = (run: Run) => Store;

const OLD_ID = "A".repeat(32);

const NEW_ID = "B".repeat(32);

/**
 * Changes the id of a session in a process that dies at one of its steps, and
 * has the ids read and signed out by another one.
 *
 * @returns Whether it has come so far as to die.
 */
async function crash(
  open: Open,
  lastStep: number,
  state: LastStep,
): Promise<boolean> {
  const death = makeGate();
  let steps = 0;
  const run: Run = async (take) => {
    const step = ++steps;
    if (step < lastStep) return await take();
    if (step === lastStep && state === "done") await take();
    death.open();
    return hang();
  };
  const other = new Session<Visit>({
    store: open((take) => take()),
    generateId: () => OLD_ID,
  });
  await other.delete(NEW_ID, new Headers());
  await other.delete(OLD_ID, new Headers());
  await other.create({ cart: ["tea"] });
  const dying = new Session<Visit>({
    store: open(run),
    generateId: () => NEW_ID,
  });

  const isDone = await Promise.race([
    dying.regenerate(OLD_ID, { user: "ada" }).then(() => true),
    death.opened.then(() => false),
  ]);
  const old = await other.get(OLD_ID);
  const next = await other.get(NEW_ID);
  await other.delete(OLD_ID, new Headers());
  const ended = await other.get(OLD_ID);
  const nextEnded = await other.get(NEW_ID);

  const at = `died at step ${lastStep}, ${state}`;
  // Either all of it has happened, or none; the old id never has more rights.
  if (old === undefined) assertEquals(next, { cart: ["tea"], user: "ada" }, at);
  else assertEquals(old, { cart: ["tea"] }, at);
  // A sign-out with the old id leaves nothing that anybody has an id of.
  assertEquals(ended, undefined, at);
  if (old === undefined) assertEquals(nextEnded, undefined, at);
  if (isDone) assertEquals(old, undefined, at);
  return !isDone;
}

async function crashAtEachStep(open: Open): Promise<void> {
  for (const state of ["done", "not done"] as const) {
    let step = 1;
    while (await crash(open, step, state)) step++;
    assertGreater(step, 4); // two reads and two writes at least
  }
}

redisTest(
  "Session.regenerate() happens or does not when its process dies (RedisStore)",
  async ({ url }) => {
    await using redis = await openNodeRedis(url);
    const { client } = redis;
    assert("sendCommand" in client && !("nodeClient" in client));
    const prefix = crypto.randomUUID();

    await crashAtEachStep((run) =>
      new RedisStore({
        client: {
          sendCommand: (args: string[]) => run(() => client.sendCommand(args)),
        },
        prefix,
        timeout: Infinity, // for a dead process, no timer goes on
      })
    );
  },
);

Deno.test("Session.regenerate() happens or does not when its process dies (DenoKvStore)", async () => {
  using kv = await Deno.openKv(":memory:");

  await crashAtEachStep((run) => {
    const steps = new Proxy(kv, {
      get(target, name) {
        const member = Reflect.get(target, name).bind(target);
        if (name === "get") {
          return (...args: unknown[]) => run(() => member(...args));
        }
        if (name !== "atomic") return member;
        return () => {
          const atomic: Deno.AtomicOperation = member();
          const commit = atomic.commit.bind(atomic);
          return Object.assign(atomic, { commit: () => run(commit) });
        };
      },
    });
    return new DenoKvStore(steps, { timeout: Infinity });
  });
});
