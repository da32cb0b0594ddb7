/**
 * The clients of Redis that the tests use, ready and connected.
 *
 * @module
 */
// deno-lint-ignore-file no-import-prefix -- in deno.json, every task would fetch them

import { Redis } from "npm:ioredis@^6.0.0";
import { createClient } from "npm:redis@^6.3.1";
import type { RedisClient } from "./redis_store.ts";

/** A client that a test has opened. */
export interface OpenClient extends Disposable {
  readonly client: RedisClient;
  /** Whether it is connected. */
  readonly isReady: boolean;
}

/** Makes a client and connects it; it connects again, and again. */
export type OpenRedis = (url: string) => Promise<OpenClient>;

/** How long a client waits before it connects again, in milliseconds. */
const PAUSE = 10;

/** That of `npm:redis`. What cannot be sent at once is refused. */
export async function openNodeRedis(url: string): Promise<OpenClient> {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { reconnectStrategy: () => PAUSE },
  });
  client.on("error", () => {}); // tests cut connections
  await client.connect();
  return {
    client,
    get isReady() {
      return client.isReady;
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

/** That of `npm:ioredis`. What cannot be sent at once is refused. */
export async function openIoRedis(url: string): Promise<OpenClient> {
  const client = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => PAUSE,
  });
  client.on("error", () => {}); // tests cut connections
  await client.connect();
  return {
    client,
    get isReady() {
      return client.status === "ready";
    },
    [Symbol.dispose]: () => client.disconnect(),
  };
}
