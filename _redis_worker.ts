/**
 * A process with a `RedisStore`, for tests: `_redis_worker.ts URL CLIENT`.
 *
 * @module
 */

import { openIoRedis, openPatientRedis } from "./_redis_clients.ts";
import { until } from "./_redis_server.ts";
import { serve } from "./_store_worker.ts";
import { RedisStore } from "./redis_store.ts";

if (import.meta.main) {
  const [url = "", client] = Deno.args;
  const open = client === "npm:ioredis" ? openIoRedis : openPatientRedis;
  await using redis = await open(url);
  await using store = new RedisStore<string>({ client: redis.client });
  await serve(store, () => until("a connection", () => redis.isReady));
}
