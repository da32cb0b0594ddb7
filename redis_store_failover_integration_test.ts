/**
 * A replica takes the place of a Redis that has died. What had not reached it is
 * gone, as the README says; beyond that nothing is lost, doubled or revived, and
 * the store goes on.
 *
 * `FAILOVERS=100` counts more of them than the usual number, and `REPORT=1`
 * writes what was counted to the error output.
 *
 * @module
 */

import { assert, assertEquals, assertFalse } from "@std/assert";
import { openPatientRedis } from "./_redis_clients.ts";
import { RedisServer, redisTest, until } from "./_redis_server.ts";
import { TcpProxy } from "./_tcp_proxy.ts";
import { RedisStore } from "./redis_store.ts";
import { StoreError } from "./store.ts";

const FAILOVERS = Number(Deno.env.get("FAILOVERS") ?? 3);

const CLIENTS = 8;

/** How many calls are acknowledged before the primary dies. */
const CALLS = 400;

const PREFIX = "shop";

/** A replica gets what there is at once, not after five seconds. */
const FLAGS = ["--repl-diskless-sync-delay", "0"];

/** Two servers, and a store that is led to the one or the other. */
class Pair implements AsyncDisposable {
  readonly store: RedisStore<string>;
  readonly #stack: AsyncDisposableStack;
  readonly #way: TcpProxy;
  #primary: RedisServer;
  #replica: RedisServer;
  /** The way of what is replicated. */
  #link: TcpProxy;

  private constructor(
    stack: AsyncDisposableStack,
    servers: [primary: RedisServer, replica: RedisServer],
    way: TcpProxy,
    store: RedisStore<string>,
  ) {
    this.#stack = stack;
    [this.#primary, this.#replica] = servers;
    this.#way = way;
    this.#link = stack.use(new TcpProxy(this.#primary.port));
    this.store = store;
  }

  static async start(): Promise<Pair> {
    await using stack = new AsyncDisposableStack();
    const primary = stack.use(await RedisServer.start(...FLAGS));
    const replica = stack.use(await RedisServer.start(...FLAGS));
    const way = stack.use(new TcpProxy(primary.port));
    const { client } = stack.use(await openPatientRedis(way.url));
    const store = stack.use(new RedisStore<string>({ client, prefix: PREFIX }));
    const pair = new Pair(stack.move(), [primary, replica], way, store);
    await pair.replicate();
    return pair;
  }

  /** Resolves when the replica has all there is, and follows each write. */
  async replicate(): Promise<void> {
    this.#link.isDown = false;
    await this.#replica.follow(this.#link.port);
    const marker = crypto.randomUUID();
    const holds = (count: string) => async (): Promise<boolean> => {
      return await this.#replica.ask("EXISTS", `${PREFIX}/${marker}`) === count;
    };
    await this.store.set(marker, "1");
    await until("what there is", holds(":1"));
    await this.store.delete(marker); // it may still be copying what there is
    await until("a write", holds(":0"));
  }

  /** What is written from now on reaches the primary alone. */
  part(): void {
    this.#link.isDown = true;
    this.#link.cut();
  }

  /** The primary dies, the replica takes its place, an empty one comes. */
  async failOver(): Promise<void> {
    await this.#primary.kill();
    this.part();
    await this.#replica.follow();
    [this.#primary, this.#replica] = [this.#replica, this.#primary];
    this.#way.redirect(this.#primary.port);
    this.#link.redirect(this.#primary.port);
    await this.#replica.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

redisTest(
  "RedisStore goes on after a failover with what the replica had",
  async () => {
    await using pair = await Pair.start();
    const { store } = pair;
    await store.set("kept", "1");
    await store.set("ended", "1");
    await store.set("list", "1");
    await store.set("ended before", "1");
    await store.delete("ended before");
    await pair.replicate();

    pair.part();
    await store.set("new", "1");
    await store.delete("ended");
    await store.update("list", (list) => `${list},2`);
    const seen: (string | undefined)[] = [];
    const across = store.update("list", async (list) => {
      seen.push(list);
      if (seen.length === 1) await pair.failOver();
      return `${list},3`;
    });

    assertEquals(await across, "1,3", "it is made from what the replica had");
    assertEquals(seen, ["1,2", "1"]);
    assertEquals(await store.get("list"), "1,3");
    assertEquals(await store.get("kept"), "1");
    assertEquals(await store.get("ended before"), undefined);
    assertEquals(await store.get("new"), undefined, "it was never replicated");
    assertEquals(await store.get("ended"), "1", "nor was its end");
    await store.delete("ended");
    assertEquals(await store.get("ended"), undefined);
  },
);

/** What became of the writes of a failover. */
interface Counts {
  acknowledged: number;
  unknown: number;
  /** Acknowledged, and not there. */
  lost: number;
  /** Acknowledged deletions of what is there. */
  undone: number;
}

/** Lets clients loose while the primary dies, and counts what is left. */
async function countFailover(pair: Pair, name: string): Promise<Counts> {
  const { store } = pair;
  const growing = `${name} growing`;
  const asked = new Set<string>();
  const appended: string[] = [];
  const appendedSince: string[] = [];
  const deleted: string[] = [];
  const deletedSince: string[] = [];
  let acknowledged = 0;
  let unknown = 0;
  let hasFailedOver = false;
  let isOver = false;
  const make = async (call: Promise<unknown>): Promise<boolean> => {
    try {
      await call;
      acknowledged++;
      return true;
    } catch (error) {
      assert(error instanceof StoreError);
      if (error.outcome === "unknown") unknown++;
      return false;
    }
  };
  const work = async (client: number): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      const id = `${client}.${i}`;
      const key = `${name} ${id}`;
      const isSince = hasFailedOver;
      asked.add(id);
      const isAppended = await make(store.update(growing, (list) => {
        return list === undefined ? id : `${list},${id}`;
      }));
      if (isAppended) (isSince ? appendedSince : appended).push(id);
      await make(store.set(key, id));
      const isDeleted = await make(store.delete(key));
      if (isDeleted) (isSince ? deletedSince : deleted).push(key);
    }
  };

  const clients = Array.from({ length: CLIENTS }, (_, client) => work(client));
  await until("calls before", () => acknowledged >= CALLS);
  await pair.failOver();
  hasFailedOver = true;
  const before = acknowledged;
  await until("calls since", () => acknowledged >= before + CALLS);
  isOver = true;
  await Promise.all(clients);

  const list = (await store.get(growing) ?? "").split(",");
  const found = new Set(list);
  const isThere = (key: string): Promise<boolean> => store.has(key);
  assertEquals(list.length, found.size, "an update was done twice");
  assert(list.every((id) => asked.has(id)), "an update was made up");
  assert(appendedSince.length > 0);
  assert(appendedSince.every((id) => found.has(id)), "an update was lost");
  const revived = await Promise.all(deletedSince.map(isThere));
  assertFalse(revived.includes(true), "an entry has come back");
  const undone = await Promise.all(deleted.map(isThere));
  return {
    acknowledged,
    unknown,
    lost: appended.filter((id) => !found.has(id)).length,
    undone: undone.filter((isUndone) => isUndone).length,
  };
}

redisTest(
  "RedisStore doubles and makes up nothing in failovers under load",
  async () => {
    await using pair = await Pair.start();
    const total: Counts = { acknowledged: 0, unknown: 0, lost: 0, undone: 0 };
    for (let failover = 1; failover <= FAILOVERS; failover++) {
      const counts = await countFailover(pair, `${failover}`);
      total.acknowledged += counts.acknowledged;
      total.unknown += counts.unknown;
      total.lost += counts.lost;
      total.undone += counts.undone;
      await pair.replicate();
    }

    if (Deno.env.has("REPORT")) {
      const text = JSON.stringify({ ...total, failovers: FAILOVERS });
      Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
    }
    assert(total.acknowledged >= 2 * CALLS * FAILOVERS);
  },
);
