/**
 * The contract of a store, kept by `RedisStore` with each client on a real
 * server: with a fake clock to the millisecond, and once in real time.
 */

import { delay } from "@std/async/delay";
import { FakeTime } from "@std/testing/time";
import {
  openIoRedis,
  openNodeRedis,
  type OpenRedis,
  prolong,
} from "./_redis_clients.ts";
import { type RedisServer, redisTest, until } from "./_redis_server.ts";
import { RedisStore } from "./redis_store.ts";
import {
  STORE_FEATURES,
  type StoreFixture,
  testStore,
} from "./store_conformance.ts";
import { TcpProxy } from "./_tcp_proxy.ts";

const UPDATE_TIMEOUT = 5_000;

interface Fixture extends StoreFixture {
  fail(): Promise<AsyncDisposable>;
}

/** Made anew for each rule, but for the server: that has other prefixes. */
async function openFixture(
  server: RedisServer,
  openRedis: OpenRedis,
  hasFakeTime: boolean,
): Promise<Fixture> {
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(new TcpProxy(server.port));
  const redis = stack.use(await openRedis(proxy.url));
  let time = hasFakeTime ? new FakeTime() : undefined;
  const useRealTime = (): void => {
    time?.restore();
    time = undefined;
  };
  stack.defer(useRealTime);
  const store = stack.use(
    new RedisStore({
      client: hasFakeTime ? prolong(redis.client) : redis.client,
      prefix: crypto.randomUUID(),
      updateTimeout: UPDATE_TIMEOUT,
    }),
  );
  const opened = stack.move();
  return {
    store,
    elapse: (ms) => time === undefined ? delay(ms) : time.tick(ms),
    async fail() {
      useRealTime(); // clients wait before they connect again
      proxy.isDown = true;
      proxy.cut();
      await until("client must notice", () => !redis.isReady);
      return {
        async [Symbol.asyncDispose]() {
          proxy.isDown = false;
          await until("client must connect again", () => redis.isReady);
        },
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function testClient(
  name: string,
  openRedis: OpenRedis,
  hasFakeTime: boolean,
): void {
  let server: RedisServer;
  testStore<Fixture>(`RedisStore on ${name}`, {
    test: (rule, fn) =>
      redisTest(rule, async (shared) => {
        server = shared;
        await fn();
      }),
    open: () => openFixture(server, openRedis, hasFakeTime),
    supports: hasFakeTime ? STORE_FEATURES : ["ttl", "touch", "update"],
    exactTime: hasFakeTime,
    ...(hasFakeTime
      ? {
        fail: (fixture) => fixture.fail(),
        updateTimeout: UPDATE_TIMEOUT,
      }
      : {}),
  });
}

testClient("npm:redis", openNodeRedis, true);
testClient("npm:ioredis", openIoRedis, true);
testClient("npm:redis in real time", openNodeRedis, false);
