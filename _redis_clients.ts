/**
 * The clients of Redis that the tests use, ready and connected.
 *
 * @module
 */
// deno-lint-ignore-file no-import-prefix -- in deno.json, every task would fetch them

import { Redis } from "npm:ioredis@^6.0.0";
import { createClient, createCluster } from "npm:redis@^6.3.1";
import { connect } from "./_redis_client.ts";
import { until } from "./_redis_server.ts";
import type { RedisClient } from "./redis_store.ts";

/** A client that a test has opened. */
export interface OpenClient extends AsyncDisposable {
  readonly client: RedisClient;
  /** Whether it is connected. */
  readonly isReady: boolean;
}

/** Makes a client and connects it; it connects again, and again. */
export type OpenRedis = (url: string) => Promise<OpenClient>;

/** How long a client waits before it connects again, in milliseconds. */
const PAUSE = 10;

/** That of `npm:redis`. What cannot be sent at once is refused. */
export function openNodeRedis(url: string): Promise<OpenClient> {
  return openNode(url, true);
}

/** That of `npm:redis` as it is by default: what cannot be sent at once waits. */
export function openPatientRedis(url: string): Promise<OpenClient> {
  return openNode(url, false);
}

async function openNode(
  url: string,
  disableOfflineQueue: boolean,
): Promise<OpenClient> {
  const client = createClient({
    url,
    disableOfflineQueue,
    socket: { reconnectStrategy: () => PAUSE },
  });
  client.on("error", () => {}); // tests cut connections
  await client.connect();
  return {
    client,
    get isReady() {
      return client.isReady;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(client.destroy()),
  };
}

/** That of `npm:ioredis`. What cannot be sent at once is refused. */
export async function openIoRedis(url: string): Promise<OpenClient> {
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => PAUSE,
  });
  client.on("error", () => {}); // tests cut connections
  await until("client must connect", () => client.status === "ready");
  return {
    client,
    get isReady() {
      return client.status === "ready";
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await until("client must end", () => client.status === "end");
    },
  };
}

/** A cluster of `npm:redis`. */
export async function openRedisCluster(
  urls: readonly string[],
): Promise<OpenClient> {
  const client = createCluster({ rootNodes: urls.map((url) => ({ url })) });
  client.on("error", () => {});
  await client.connect();
  return {
    client,
    get isReady() {
      return client.isOpen;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(client.destroy()),
  };
}

/** Commands of this many parts end with a ttl. */
const TIMED: Readonly<Record<string, readonly number[]>> = {
  SET: [5],
  EVAL: [7, 10],
  EVALSHA: [7, 10],
};

/**
 * Redis has no fake clock, and must not end an entry that the store's says is
 * alive: there, entries live a minute longer than it is told.
 */
export function prolong(client: RedisClient): RedisClient {
  const connection = connect("test", client);
  return {
    sendCommand([name = "", ...args]: string[]) {
      if (TIMED[name]?.includes(1 + args.length)) {
        args.push(`${Number(args.pop()) + 60_000}`);
      }
      return connection.send("", [name, ...args]);
    },
  };
}
