/**
 * The clients of Redis that a `RedisStore` takes, and what it needs of them: to
 * send a command as it is.
 *
 * @module
 */

import { kindOf } from "./_argument.ts";

/** The part of `createClient()` of `npm:redis` that is used. */
export interface NodeRedisClient {
  /** Sends a command, and resolves to the reply. */
  sendCommand(args: string[]): Promise<unknown>;
}

/** The part of `createCluster()` of `npm:redis` that is used. */
export interface NodeRedisCluster {
  /** The servers that hold the entries. */
  readonly masters: unknown[];
  /** The client of one of them. */
  nodeClient(master: never): Promise<NodeRedisClient>;
  /** Sends a command to where a key lies, and resolves to the reply. */
  sendCommand(
    key: string,
    isReadonly: boolean,
    args: string[],
  ): Promise<unknown>;
}

/** The part of `new Redis()` of `npm:ioredis` that is used. */
export interface IoRedisClient {
  /** Sends a command, and resolves to the reply. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** The part of `new RedisClient()` of Bun that is used. */
export interface BunRedisClient {
  /** Sends a command, and resolves to the reply. */
  send(command: string, args: string[]): Promise<unknown>;
}

/** A client that a {@linkcode RedisStore} can use. */
export type RedisClient =
  | NodeRedisClient
  | NodeRedisCluster
  | IoRedisClient
  | BunRedisClient;

/** A command of Redis as it is sent. */
export type Command = [name: string, ...args: string[]];

/** Sends a command, and resolves to the reply. */
export type Send = (command: Command) => Promise<unknown>;

/** A client, whichever it is. */
export interface Connection {
  /** Sends a command to where a key lies. */
  send(key: string, command: Command): Promise<unknown>;
  /** The way to each of the servers. */
  servers(): Promise<Send[]>;
}

/** What a client cannot be, by a member that gives it away. */
const REFUSED: Readonly<Record<string, string>> = {
  tasksQueueLength: "a pool, which keeps no order: pass a client",
  getSentinelNode: "a sentinel of npm:redis, which keeps no order",
  startupNodes: "a cluster of ioredis, which sends writes again",
};

/**
 * Tells what a client is, and how to use it.
 *
 * @throws {TypeError} If it is none that is known, or breaks the contract.
 */
export function connect(action: string, client: RedisClient): Connection {
  checkClient(action, client);
  if ("nodeClient" in client) {
    return {
      send: (key, command) => client.sendCommand(key, false, command),
      servers: () =>
        Promise.all(client.masters.map(async (master) =>
          // `masters` are what `nodeClient` takes; their type is the client's.
          toSend(await client.nodeClient(master as never))
        )),
    };
  }
  const send = toSend(client);
  return {
    send: (_key, command) => send(command),
    servers: () => Promise.resolve([send]),
  };
}

function toSend(
  client: NodeRedisClient | IoRedisClient | BunRedisClient,
): Send {
  if ("call" in client) return (command) => client.call(...command);
  if ("sendCommand" in client) return (command) => client.sendCommand(command);
  return ([name, ...args]) => client.send(name, args);
}

function checkClient(action: string, client: RedisClient): void {
  const reason = findReason(client);
  if (reason === undefined) return;
  throw new TypeError(
    `Cannot ${action}: client must be one of npm:redis, npm:ioredis or Bun: received ${reason}`,
  );
}

function findReason(client: RedisClient): string | undefined {
  // From JavaScript, it may be anything.
  const members = client as unknown as Record<string, unknown> | undefined;
  const isClient = (["call", "sendCommand", "send"] as const).some((method) =>
    typeof members?.[method] === "function"
  );
  if (!isClient) return kindOf(client);
  for (const [member, reason] of Object.entries(REFUSED)) {
    if (member in client) return reason;
  }
  const { options } = client as { options?: Record<string, unknown> };
  if (options?.keyPrefix) {
    return "one with a keyPrefix: use the prefix of the store";
  }
  // ioredis sends again what was not answered when a connection was lost, so
  // that a write could be applied twice, unless one of these is set.
  if (
    "call" in client && options?.maxRetriesPerRequest !== 0 &&
    options?.autoResendUnfulfilledCommands !== false
  ) {
    return "one of ioredis that sends writes again: create it with { maxRetriesPerRequest: 0 }";
  }
  return undefined;
}
