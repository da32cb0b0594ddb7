/**
 * Runs the conformance kit on a `RedisStore` over `npm:redis` or `npm:ioredis`,
 * or over the client of Bun, and writes what has failed as JSON. Takes the URL
 * of a server and the name of the client.
 *
 * Bundled by `redis_store_runtimes_integration_test.ts`; the packages lie beside
 * the bundle.
 *
 * @module
 */

import process from "node:process";
import { type RedisClient, RedisStore } from "../redis_store.ts";
import { runKit } from "./kit.ts";

/** Connects a client of a name. */
type Open = (url: string) => Promise<{ client: RedisClient; close(): void }>;

/** What is used to make and to end a client, of each package and of Bun. */
interface Packages {
  redis: {
    createClient(options: { url: string }): {
      connect(): Promise<NodeClient>;
    };
  };
  ioredis: {
    Redis: new (url: string, options: object) => IoClient;
  };
  Bun: { RedisClient: new (url: string) => BunClient };
}

type NodeClient = RedisClient & { destroy(): void };
type IoClient = RedisClient & { disconnect(): void };
type BunClient = RedisClient & { close(): void };

const CLIENTS: Record<string, Open> = {
  redis: async (url) => {
    const { createClient }: Packages["redis"] = await load("redis");
    const client = await createClient({ url }).connect();
    return { client, close: () => client.destroy() };
  },
  ioredis: async (url) => {
    const { Redis }: Packages["ioredis"] = await load("ioredis");
    const client = new Redis(url, { maxRetriesPerRequest: 0 });
    return { client, close: () => client.disconnect() };
  },
  bun: (url) => {
    const { RedisClient } = (globalThis as unknown as Packages).Bun;
    const client = new RedisClient(url);
    return Promise.resolve({ client, close: () => client.close() });
  },
};

/** A bundler does not follow it: the package is found when it runs. */
async function load<T>(name: string): Promise<T> {
  return await import(name) as T; // it is what `Packages` says
}

const [, , url = "", name = ""] = process.argv;
const open = CLIENTS[name];
if (open === undefined) {
  throw new RangeError(
    `Cannot test: client must be one of ${
      Object.keys(CLIENTS)
    }: received ${name}`,
  );
}

await runKit("RedisStore", async () => {
  const { client, close } = await open(url);
  const prefix = crypto.randomUUID();
  return { store: new RedisStore({ client, prefix }), close };
});
