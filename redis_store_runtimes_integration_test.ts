/**
 * The contract of a store, kept by `RedisStore` on Node with `npm:redis` and
 * `npm:ioredis`, and on Bun with the client it brings along.
 */

import { assert, assertEquals } from "@std/assert";
import { redisTest } from "./_redis_server.ts";
import { runKitOn } from "./runtimes/run_kit.ts";

const RUNS: readonly [
  runtime: "node" | "bun",
  client: string,
  dependency?: string,
][] = [
  ["node", "redis", "redis@6.3.1"],
  ["node", "redis", "redis@5.12.1"],
  ["node", "ioredis", "ioredis@6.0.0"],
  ["node", "ioredis", "ioredis@5.11.1"],
  ["bun", "bun"],
];

for (const [runtime, client, dependency] of RUNS) {
  redisTest(
    `RedisStore keeps the contract on ${runtime} with ${
      dependency ?? "its own client"
    }`,
    async (server) => {
      await server.ask("SCRIPT", "FLUSH"); // what the run before it has sent
      const { rules, failures } = await runKitOn({
        runtime,
        program: "redis.ts",
        dependency,
        args: () => [server.url, client],
      });

      assertEquals(failures, []);
      assert(rules > 80, `${rules}`);
    },
  );
}
