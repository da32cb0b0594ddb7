/**
 * What a session promises on any store, on those that need an engine. Those in
 * memory are in `session_test.ts`.
 */

import { openIoRedis, openNodeRedis, prolong } from "./_redis_clients.ts";
import { redisTest } from "./_redis_server.ts";
import { testSession } from "./_session_suite.ts";
import { DenoKvStore } from "./deno_kv_store.ts";
import { RedisStore } from "./redis_store.ts";

testSession((name, use) => {
  Deno.test(`${name} (DenoKvStore)`, async () => {
    const kv = await Deno.openKv(":memory:");
    try {
      await use(() => new DenoKvStore(kv, { prefix: [crypto.randomUUID()] }));
    } finally {
      kv.close();
    }
  });
});

const clients = { "npm:redis": openNodeRedis, "npm:ioredis": openIoRedis };

for (const [client, openRedis] of Object.entries(clients)) {
  testSession((name, use) => {
    redisTest(`${name} (RedisStore on ${client})`, async ({ url }) => {
      await using redis = await openRedis(url);
      const client = prolong(redis.client);
      await use(() => new RedisStore({ client, prefix: crypto.randomUUID() }));
    });
  });
}
