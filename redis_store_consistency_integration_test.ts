/**
 * Four processes use one Redis at once, which is killed and started again, as
 * they are, while connections are cut. What their clients saw has to be
 * linearizable: nothing acknowledged is lost, nothing is applied twice, nothing
 * that was deleted comes back.
 *
 * The calls follow from `SEED`, 1 when it is not set; what the processes make
 * of them does not. `ROUNDS=100` runs more than the usual number, and
 * `REPORT=1` writes what was counted to the error output.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { RedisServer, redisTest } from "./_redis_server.ts";
import { StoreCluster } from "./_store_cluster.ts";
import { makeRandom } from "./_test_util.ts";
import { TcpProxy } from "./_tcp_proxy.ts";

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 6);

const SEED = Number(Deno.env.get("SEED") ?? 1);

const KEYS = 8;

const CLIENTS = 8;

/** How many calls a client makes in a round. */
const CALLS = 40;

/** Writes a line for people, if they want it. */
function report(text: string): void {
  if (!Deno.env.has("REPORT")) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

redisTest(
  "RedisStore loses, doubles and revives nothing when Redis, its users and connections are killed",
  async () => {
    const random = makeRandom(SEED);
    await using server = await RedisServer.start(
      ...["--appendonly", "yes", "--appendfsync", "always"],
    );
    await using proxy = new TcpProxy(server.port);
    await using cluster = new StoreCluster([
      ["_redis_worker.ts", server.url, "npm:redis"],
      ["_redis_worker.ts", server.url, "npm:ioredis"],
      ["_redis_worker.ts", proxy.url, "npm:redis"],
      ["_redis_worker.ts", proxy.url, "npm:ioredis"],
    ]);
    const kills = { server: 0, process: 0, connection: 0 };
    const started = performance.now();

    for (let round = 1; round <= ROUNDS; round++) {
      const killServerAt = 100 + random(100);
      const killProcessAt = 20 + random(50);
      const cutAt = [80, 220, 230, 240, 250, 260].map((at) => at + random(10));
      await cluster.run({
        random,
        name: `${round}`,
        keys: KEYS,
        clients: CLIENTS,
        calls: CALLS,
        async disturb(call) {
          if (call === killServerAt) {
            kills.server++;
            await server.kill();
            await server.start();
          }
          if (call === killProcessAt) {
            kills.process++;
            await cluster.replace(round % 4);
          }
          if (cutAt.includes(call)) {
            kills.connection++;
            proxy.cut();
          }
        },
      });
    }

    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    report(JSON.stringify({ ...cluster.counts, kills, seconds }));
    assert(cluster.counts.acknowledged > 100 * ROUNDS);
    assertEquals(kills.server, ROUNDS);
  },
);
