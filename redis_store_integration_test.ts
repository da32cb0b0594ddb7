/**
 * `RedisStore` on a real server: what it holds there, and what happens when the
 * server refuses, hangs or dies, or the way to it breaks.
 */

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { inspect } from "node:util";
import { expectSame } from "./_conformance_check.ts";
import { portableValues } from "./_portable_values.ts";
import { connect } from "./_redis_client.ts";
import {
  openIoRedis,
  openNodeRedis,
  openPatientRedis,
  type OpenRedis,
  openRedisCluster,
} from "./_redis_clients.ts";
import { RedisServer, redisTest, until } from "./_redis_server.ts";
import { MemoryStore } from "./memory_store.ts";
import { RedisStore, type RedisStoreOptions } from "./redis_store.ts";
import { CorruptEntryError, StoreError, StoreTimeoutError } from "./store.ts";
import { TcpProxy } from "./_tcp_proxy.ts";

const SEED = 20_251_126;

const CLIENTS: readonly [name: string, open: OpenRedis][] = [
  ["npm:redis", openNodeRedis],
  ["npm:ioredis", openIoRedis],
];

/** A store, and what it stands on. */
interface Opened extends AsyncDisposable {
  readonly store: RedisStore;
  /** The beginning of its keys in Redis. */
  readonly prefix: string;
  readonly proxy: TcpProxy;
  readonly isReady: () => boolean;
}

async function open(
  server: RedisServer,
  options: Partial<RedisStoreOptions> = {},
  openRedis: OpenRedis = openNodeRedis,
): Promise<Opened> {
  await using stack = new AsyncDisposableStack();
  const proxy = stack.use(new TcpProxy(server.port));
  const redis = stack.use(await openRedis(proxy.url));
  const prefix = options.prefix ?? crypto.randomUUID();
  const { client } = redis;
  const store = stack.use(new RedisStore({ client, ...options, prefix }));
  const opened = stack.move();
  return {
    store,
    prefix: `${prefix}/`,
    proxy,
    isReady: () => redis.isReady,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Whether the server can be reached. */
function isAnswered(store: RedisStore): Promise<boolean> {
  return store.get("").then(() => true, () => false);
}

type Call = (
  store: RedisStore | MemoryStore,
  key: string,
) => Promise<unknown>;

const READS: Record<string, Call> = {
  get: (store, key) => store.get(key),
  has: (store, key) => store.has(key),
};

const WRITES: Record<string, Call> = {
  set: (store, key) => store.set(key, "new", { ttl: 60_000 }),
  delete: (store, key) => store.delete(key),
  touch: (store, key) => store.touch(key, 60_000),
  update: (store, key) => store.update(key, () => "new"),
};

const CALLS = { ...READS, ...WRITES };

// What lies in Redis

redisTest(
  "RedisStore keeps plain data as JSON that anybody can read",
  async (server) => {
    await using opened = await open(server);

    await opened.store.set("a", { user: "ada", cart: [1, null] });

    const text = await server.ask("GET", `${opened.prefix}a`);
    assertMatch(
      text,
      /^h1 [0-9a-f-]{36} 9{16} \{"user":"ada","cart":\[1,null\]\}\n$/,
    );
  },
);

redisTest(
  "RedisStore gives back what MemoryStore gives back",
  async (server) => {
    await using opened = await open(server);
    const memory = new MemoryStore();
    await fc.assert(
      fc.asyncProperty(portableValues, async (value) => {
        await Promise.all([
          opened.store.set("a", value),
          memory.set("a", value),
        ]);

        const [copy, expected] = await Promise.all([
          opened.store.get("a"),
          memory.get("a"),
        ]);
        expectSame(copy, expected, "get");
        expectSame(
          await opened.store.update("a", () => {}),
          expected,
          "update",
        );
      }),
      { seed: SEED, numRuns: 300 },
    );
  },
);

redisTest("RedisStore lets Redis end what has a ttl", async (server) => {
  await using opened = await open(server, { ttl: 10_000 });
  const { store, prefix } = opened;
  const ttl = async (key: string): Promise<number> =>
    Number((await server.ask("PTTL", prefix + key)).slice(1));
  await Promise.all([
    store.set("default", 1),
    store.set("own", 1, { ttl: 90_000 }),
    store.set("touched", 1),
    store.set("kept", 1),
    store.set("changed", 1),
    store.set("for ever", 1),
  ]);
  await Promise.all([
    store.touch("touched", 90_000),
    store.update("kept", () => 2),
    store.update("changed", () => 2, { ttl: 90_000 }),
    store.update("made", () => 2),
    store.touch("for ever", Infinity),
  ]);

  for (const key of ["default", "kept", "made"]) {
    const left = await ttl(key);
    assert(left > 0 && left <= 10_000, `${key}: ${left}`);
  }
  for (const key of ["own", "touched", "changed"]) {
    const left = await ttl(key);
    assert(left > 10_000 && left <= 90_000, `${key}: ${left}`);
  }
  assertEquals(await ttl("for ever"), -1);
});

redisTest(
  "RedisStore ends what an operator wanted to keep (R11)",
  async (server) => {
    await using opened = await open(server);
    const { store, prefix } = opened;
    await store.set("a", 1, { ttl: 500 });
    await server.ask("PERSIST", `${prefix}a`);

    await until("the deadline", async () => await store.get("a") === undefined);

    assertEquals(await server.ask("EXISTS", `${prefix}a`), ":1");
    assertFalse(await store.has("a"));
    assertFalse(await store.touch("a", 60_000));
    assertEquals(await store.update("a", (value) => value), undefined);
    assertEquals(await store.update("a", (value) => value ?? 2), 2);
  },
);

redisTest(
  "RedisStore misses what an operator has flushed or expired",
  async (server) => {
    await using opened = await open(server);
    const { store, prefix } = opened;
    await store.set("a", 1);
    await store.set("b", 1);
    await server.ask("PEXPIRE", `${prefix}a`, "1");
    await server.ask("UNLINK", `${prefix}b`);

    await until("the end", async () => await store.get("a") === undefined);

    assertEquals(await store.get("b"), undefined);
    assertFalse(await store.has("b"));
    assertFalse(await store.touch("b"));
  },
);

redisTest(
  "RedisStore.update() notices that the deadline passed while fn ran",
  async (server) => {
    await using opened = await open(server);
    const { store } = opened;
    await store.set("a", 1, { ttl: 500 });
    const seen: unknown[] = [];

    const value = await store.update("a", async (value) => {
      seen.push(value);
      if (seen.length === 1) {
        await until("the end", async () => await store.get("a") === undefined);
      }
      return 2;
    });

    assertEquals([value, seen], [2, [1, undefined]]);
  },
);

redisTest(
  "RedisStore keeps prefixes apart, also when one begins with the other",
  async (server) => {
    await using a = await open(server, { prefix: "a" });
    await using b = await open(server, { prefix: "a:" });
    await using star = await open(server, { prefix: "*" });
    await a.store.set(":b", 1);
    await b.store.set("b", 2);
    await star.store.set("b", 3);

    await star.store.clear();
    await b.store.clear();

    assertEquals(await a.store.get(":b"), 1);
    assertEquals(await b.store.get("b"), undefined);
    assertEquals(await star.store.get("b"), undefined);
    await a.store.clear();
    assertEquals(await server.ask("EXISTS", "a/:b"), ":0");
  },
);

redisTest(
  "RedisStore.clear() removes what was there at the call, and nothing later",
  async (server) => {
    // So many commands at once take a while on a machine that is busy.
    await using opened = await open(server, { timeout: 60_000 });
    const { store } = opened;
    const keys = Array.from({ length: 5_000 }, (_, i) => `${i}`);
    await Promise.all(keys.map((key) => store.set(key, "old")));

    const cleared = store.clear();
    const seen = await Promise.all(keys.map(async (key, i) => {
      if (i % 2 === 1) return await store.get(key);
      const [before] = await Promise.all([
        store.get(key),
        store.set(key, "new"),
      ]);
      return before;
    }));
    await cleared;

    assertEquals(new Set(seen), new Set([undefined]));
    const left = await Promise.all(keys.map((key) => store.get(key)));
    assertEquals(left.filter((value) => value === "new").length, 2_500);
    assertFalse(left.includes("old"));
  },
);

redisTest(
  "RedisStore.update() runs again when the store was cleared meanwhile",
  async (server) => {
    await using opened = await open(server);
    const { store } = opened;
    await store.set("a", 1);
    const seen: unknown[] = [];

    const value = await store.update("a", async (value) => {
      seen.push(value);
      if (seen.length === 1) await store.clear();
      return 2;
    });

    assertEquals([value, seen], [2, [1, undefined]]);
  },
);

// What the server refuses

redisTest(
  "RedisStore rejects an entry of others, and lets it be replaced and deleted",
  async (server) => {
    await using opened = await open(server);
    const { store, prefix } = opened;
    const foreign = [
      "",
      "1",
      '{"user":"ada"}',
      "h2 01234567-89ab-cdef-0123-456789abcdef 9999999999999999 1\n",
      'h1 01234567-89ab-cdef-0123-456789abcdef 9999999999999999 {"a":\n',
      "h1 01234567-89ab-cdef-0123-456789abcdef 9999999999999999 1",
      "h1 01234567-89ab-cdef-0123-456789abcdef 999999999999999x 1\n",
      "\ufffd\0\x80",
    ];
    for (const string of foreign) {
      for (const name of ["get", "update"]) {
        await server.ask("SET", `${prefix}a`, string);
        const call = () => CALLS[name]!(store, "a"); // both are there
        const error = await assertRejects(call, CorruptEntryError);
        assertEquals(error.outcome, "not applied");
        assertEquals(await server.ask("GET", `${prefix}a`), string);
      }
      await store.set("a", 1);
      assertEquals(await store.get("a"), 1);
      await server.ask("SET", `${prefix}a`, string);
      await store.delete("a");
      assertEquals(await server.ask("EXISTS", `${prefix}a`), ":0");
    }
  },
);

redisTest(
  "RedisStore.has() and touch() reject an entry of others",
  async (server) => {
    await using opened = await open(server);
    const { store, prefix } = opened;
    await server.ask("SET", `${prefix}a`, '{"user":"ada"}', "PX", "60000");

    await assertRejects(() => store.has("a"), CorruptEntryError);
    await assertRejects(() => store.touch("a", Infinity), CorruptEntryError);

    assertEquals(await server.ask("GET", `${prefix}a`), '{"user":"ada"}');
    assertFalse(await server.ask("PTTL", `${prefix}a`) === ":-1");
  },
);

redisTest(
  "RedisStore rejects a list, and lets it be replaced and deleted (WRONGTYPE)",
  async (server) => {
    await using opened = await open(server);
    const { store, prefix } = opened;
    await server.ask("RPUSH", `${prefix}a`, "1");

    for (const name of ["get", "has", "touch", "update"] as const) {
      const call = () => CALLS[name]!(store, "a"); // it is there
      const error = await assertRejects(call, StoreError, "WRONGTYPE");
      assertEquals(error.outcome, "not applied");
    }
    await store.set("a", 1);
    assertEquals(await store.get("a"), 1);
    await server.ask("DEL", `${prefix}a`);
    await server.ask("RPUSH", `${prefix}a`, "1");
    await store.delete("a");
    assertEquals(await store.get("a"), undefined);
  },
);

/** How to make a server refuse some calls, and how to end that. */
interface Refusal {
  begin: string[];
  end: string[];
  /** The calls that are refused; the others work. */
  refused: string[];
}

const CHANGES = ["set", "delete", "touch", "update", "clear"];

const REFUSALS: Record<string, Refusal> = {
  OOM: {
    begin: ["CONFIG", "SET", "maxmemory", "1"],
    end: ["CONFIG", "SET", "maxmemory", "0"],
    refused: ["set", "update"],
  },
  READONLY: {
    begin: ["REPLICAOF", "127.0.0.1", "1"],
    end: ["REPLICAOF", "NO", "ONE"],
    refused: CHANGES,
  },
  NOREPLICAS: {
    begin: ["CONFIG", "SET", "min-replicas-to-write", "1"],
    end: ["CONFIG", "SET", "min-replicas-to-write", "0"],
    refused: CHANGES,
  },
  NOPERM: {
    begin: ["ACL", "SETUSER", "default", "-@write", "-@scripting"],
    end: ["ACL", "SETUSER", "default", "+@all"],
    refused: CHANGES,
  },
};
for (const [name, openRedis] of CLIENTS) {
  for (const [code, { begin, end, refused }] of Object.entries(REFUSALS)) {
    redisTest(
      `RedisStore on ${name} says not applied when Redis replies ${code}, and works again`,
      async () => {
        await using server = await RedisServer.start();
        await using opened = await open(server, {}, openRedis);
        const { store } = opened;
        await store.set("secret-key", "secret-value", { ttl: 60_000 });
        const calls: Record<string, Call> = {
          ...READS,
          set: WRITES["set"]!,
          update: WRITES["update"]!,
          touch: WRITES["touch"]!,
          "touch, for ever": (store, key) => store.touch(key, Infinity),
          delete: WRITES["delete"]!,
          clear: (store) => store.clear(),
        };

        assertEquals(await server.ask(...begin), "+OK");
        for (const [name, call] of Object.entries(calls)) {
          if (!refused.includes(name.split(",")[0]!)) {
            await call(store, "secret-key");
            continue;
          }
          const error = await assertRejects(
            () => call(store, "secret-key"),
            StoreError,
            `: ${code}`,
          );
          const outcome = name === "clear" ? "unknown" : "not applied";
          assertEquals([name, error.outcome], [name, outcome]);
          assertInstanceOf(error.cause, Error);
          assertFalse(inspect(error).includes("secret"), inspect(error));
        }
        assertEquals(await server.ask(...end), "+OK");

        const isKept = refused.includes("delete");
        assertEquals(
          await store.get("secret-key"),
          isKept ? "secret-value" : undefined,
        );
        for (const call of Object.values(calls)) {
          await call(store, "secret-key");
        }
      },
    );
  }
}

redisTest("RedisStore.touch() moves deadlines of a full Redis", async () => {
  await using server = await RedisServer.start();
  await using opened = await open(server);
  const { store, prefix } = opened;
  await store.set("a", 1, { ttl: 60_000 });
  await store.set("b", 1);
  await server.ask("CONFIG", "SET", "maxmemory", "1");

  assert(await store.touch("a", Infinity));
  assert(await store.touch("b", 60_000));

  assertEquals(await server.ask("PTTL", `${prefix}a`), ":-1");
  assertFalse(await server.ask("PTTL", `${prefix}b`) === ":-1");
  assertMatch(await server.ask("GET", `${prefix}a`), / 9{16} 1\n$/);
  assertMatch(await server.ask("GET", `${prefix}b`), / 000\d{13} 1\n$/);
});

redisTest(
  "RedisStore says not applied when Redis runs a script for too long (BUSY)",
  async () => {
    await using server = await RedisServer.start("--lua-time-limit", "1");
    await using opened = await open(server, { timeout: 20_000 });
    const { store } = opened;
    await store.set("a", 1);
    const script = assertRejects(
      () =>
        server.ask("EVAL", "while true do end", "0").then((reply) => {
          throw new Error(reply);
        }),
      Error,
      "",
    );
    await until(
      "a busy server",
      async () => (await server.ask("PING")).startsWith("-BUSY"),
    );

    for (const [name, call] of Object.entries(CALLS)) {
      const error = await assertRejects(
        () => call(store, "a"),
        StoreError,
        "BUSY",
      );
      assertEquals([name, error.outcome], [name, "not applied"]);
    }
    assertEquals(await server.ask("SCRIPT", "KILL"), "+OK");
    await script;

    assertEquals(await store.get("a"), 1);
  },
);

redisTest(
  "RedisStore says not applied when Redis is loading (LOADING)",
  async () => {
    await using server = await RedisServer.start(
      ...["--key-load-delay", "2000"],
      ...["--loading-process-events-interval-bytes", "1024"],
      ...["--dbfilename", "dump.rdb"],
    );
    {
      await using opened = await open(server);
      const keys = Array.from({ length: 2_000 }, (_, i) => `${i}`);
      await Promise.all(keys.map((key) => opened.store.set(key, 1)));
      assertEquals(await server.ask("SAVE"), "+OK");
    }
    await server.kill();
    await server.launch();
    await until(
      "a loading server",
      async () =>
        (await server.ask("PING").catch(() => "")).startsWith("-LOADING"),
    );
    await using opened = await open(server);

    for (const [name, call] of Object.entries(CALLS)) {
      const error = await assertRejects(
        () => call(opened.store, "a"),
        StoreError,
        "LOADING",
      );
      assertEquals([name, error.outcome], [name, "not applied"]);
    }
  },
);

redisTest(
  "RedisStore.check() tells whether Redis may evict entries",
  async () => {
    await using server = await RedisServer.start();
    await using opened = await open(server);
    await opened.store.check();

    await server.ask("CONFIG", "SET", "maxmemory-policy", "volatile-lru");

    await assertRejects(
      () => opened.store.check(),
      StoreError,
      "received volatile-lru",
    );
  },
);

// Scripts

redisTest("RedisStore sends the text of a script once", async () => {
  await using server = await RedisServer.start();
  await using opened = await open(server);
  const { store } = opened;

  for (let i = 0; i < 10; i++) {
    await store.update("a", (n = 0) => n + 1);
    await store.touch("a");
  }

  const stats = await server.ask("INFO", "commandstats");
  assertMatch(stats, /^cmdstat_eval:calls=2,/m);
  assertMatch(stats, /^cmdstat_evalsha:calls=20,.*failed_calls=2\r$/m);
});

redisTest(
  "RedisStore applies 100 calls at once, each once, when scripts were flushed",
  async (server) => {
    await using opened = await open(server);
    const { store, prefix } = opened;
    const count = Array.from({ length: 100 }, (_, i) => i);
    await store.set("a", 0);

    await server.ask("SCRIPT", "FLUSH");
    await Promise.all(
      count.map(() => store.update("a", (n: number) => n + 1)),
    );
    await server.ask("SCRIPT", "FLUSH");
    const touched = await Promise.all(
      count.map((i) => store.touch("a", 60_000 * (i + 1))),
    );

    assertEquals(await store.get("a"), 100);
    assertEquals(new Set(touched), new Set([true]));
    const ttl = Number((await server.ask("PTTL", `${prefix}a`)).slice(1));
    assert(ttl > 99 * 60_000, `${ttl}`); // that of the last
  },
);

redisTest(
  "RedisStore does what MemoryStore does with calls at once for one key when scripts were flushed",
  async (server) => {
    await using opened = await open(server);
    const { store, prefix } = opened;
    const calls: Record<string, Call> = {
      ...READS,
      set: (store, key) => store.set(key, "set", { ttl: 60_000 }),
      delete: (store, key) => store.delete(key),
      touch: (store, key) => store.touch(key, 600_000),
    };
    const ttls: Record<string, number> = { set: 60_000, touch: 600_000 };
    const names = fc.array(fc.constantFrom(...Object.keys(calls)), {
      minLength: 2,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(names, async (names) => {
        const callAll = (store: RedisStore | MemoryStore) =>
          Promise.all(names.map((name) => calls[name]?.(store, "a")));
        await Promise.all([store.clear(), server.ask("SCRIPT", "FLUSH")]);

        const outcome = await callAll(store);

        using memory = new MemoryStore();
        assertEquals(outcome, await callAll(memory));
        if (!await memory.has("a")) return;
        // Without an entry, a touch is none.
        const [, last = ""] = /.*(set|touch)/.exec(names.join(" ")) ?? [];
        const ttl = Number((await server.ask("PTTL", `${prefix}a`)).slice(1));
        assert(Math.abs(ttl - (ttls[last] ?? 0)) < 30_000, `${last}: ${ttl}`);
      }),
      { seed: SEED, numRuns: 200 },
    );
  },
);

redisTest(
  "RedisStore loses no update while scripts are flushed",
  async (server) => {
    await using opened = await open(server);
    let isOver = false;
    let flushes = 0;
    const flushing = (async () => {
      for (; !isOver; flushes++) await server.ask("SCRIPT", "FLUSH");
    })();

    for (let i = 0; i < 200; i++) {
      await opened.store.update("a", (n = 0) => n + 1);
      await opened.store.touch("a");
    }
    isOver = true;
    await flushing;

    assertEquals(await opened.store.get("a"), 200);
    assert(flushes > 10, `${flushes}`);
  },
);

// The way to the server

/** Where a connection is cut: before a command arrives, or after it was done. */
type Place = "command" | "reply";

/** Cuts the connection once, at the first command of this name. */
function cutAt(proxy: TcpProxy, place: Place, command = ""): void {
  let isSent = false;
  proxy.fault = (direction, text) => {
    if (direction === "command" && text.includes(command)) isSent = true;
    if (!isSent || direction !== place) return "pass";
    proxy.fault = () => "pass";
    return "cut";
  };
}

for (const [name, openRedis] of CLIENTS) {
  for (const [method, call] of Object.entries(WRITES)) {
    for (const place of ["command", "reply"] as const) {
      redisTest(
        `RedisStore.${method}() on ${name} does not know what it has done when the ${place} is lost`,
        async (server) => {
          await using opened = await open(server, {}, openRedis);
          const { store, proxy, prefix } = opened;
          await call(store, "b"); // the server knows the script
          await store.set("a", "old");
          const read = () => server.ask("GET", `${prefix}a`).catch(() => "");
          const before = await server.ask("GET", `${prefix}a`);

          cutAt(proxy, place, method === "update" ? "EVALSHA" : "");
          const error = await assertRejects(() => call(store, "a"), StoreError);
          await until("connection", opened.isReady);

          assertEquals(error.outcome, "unknown");
          assertFalse(error instanceof StoreTimeoutError);
          const isThere = await server.ask("EXISTS", `${prefix}a`) === ":1";
          const after = isThere ? await read() : undefined;
          assertEquals(after !== before, place === "reply");
          // Were it sent again, it would come before this.
          await store.set("a", "later");
          assertEquals(await store.get("a"), "later");
        },
      );
    }
  }

  for (const [method, call] of Object.entries(READS)) {
    redisTest(
      `RedisStore.${method}() on ${name} rejects when the reply is lost`,
      async (server) => {
        await using opened = await open(server, {}, openRedis);
        await opened.store.set("a", 1);

        cutAt(opened.proxy, "reply");
        const error = await assertRejects(
          () => call(opened.store, "a"),
          StoreError,
        );

        assertEquals(error.outcome, "not applied");
        await until("connection", opened.isReady);
        assert(await call(opened.store, "a"));
      },
    );
  }
}

for (const place of ["command", "reply"] as const) {
  redisTest(
    `RedisStore.update() is applied once when the ${place} of its write is lost and the client connects again`,
    async (server) => {
      await using opened = await open(server, {}, openPatientRedis);
      const { store, proxy } = opened;
      await store.update("a", () => 0); // the server knows the script
      let runs = 0;

      for (let i = 1; i <= 20; i++) {
        cutAt(proxy, place, "EVALSHA");
        const value = await store.update("a", (n: number) => {
          runs++;
          return n + 1;
        });
        assertEquals(value, i);
      }

      assertEquals([await store.get("a"), runs], [20, 20]);
    },
  );
}

redisTest(
  "RedisStore.update() is applied once when its write arrives twice",
  async (server) => {
    await using redis = await openNodeRedis(server.url);
    const connection = connect("test", redis.client);
    const client = {
      async sendCommand([name = "", ...args]: string[]): Promise<unknown> {
        if (name.startsWith("EVAL")) await connection.send("", [name, ...args]);
        return await connection.send("", [name, ...args]);
      },
    };
    await using store = new RedisStore({ client, prefix: crypto.randomUUID() });
    let runs = 0;

    for (let i = 1; i <= 10; i++) {
      const value = await store.update("a", (n = 0) => {
        runs++;
        return n + 1;
      });
      assertEquals(value, i);
    }

    assertEquals([await store.get("a"), runs], [10, 10]);
  },
);

redisTest(
  "RedisStore.update() says unknown when it may have made an entry, and makes it once",
  async (server) => {
    await using opened = await open(server, {}, openPatientRedis);
    const { store, proxy } = opened;
    await store.update("b", () => 1); // the server knows the script

    cutAt(proxy, "command", "EVALSHA");
    const error = await assertRejects(
      () => store.update("a", () => 1),
      StoreError,
    );
    assertEquals(error.outcome, "unknown");
    assertEquals(await store.get("a"), undefined);

    cutAt(proxy, "reply", "EVALSHA");
    assertEquals(await store.update("a", () => 2), 2);
    assertEquals(await store.get("a"), 2);
  },
);

for (const [name, openRedis] of CLIENTS) {
  for (const [method, call] of Object.entries(CALLS)) {
    redisTest(
      `RedisStore.${method}() on ${name} rejects in time when the network is a black hole`,
      async (server) => {
        await using opened = await open(server, { timeout: 250 }, openRedis);
        const { store, proxy } = opened;
        await store.set("a", "old");

        const started = performance.now();
        proxy.fault = () => "lose";
        const error = await assertRejects(
          () => call(store, "a"),
          StoreTimeoutError,
        );

        assert(performance.now() - started >= 250);
        const isKnown = method in READS || method === "update";
        assertEquals(error.outcome, isKnown ? "not applied" : "unknown");
        proxy.fault = () => "pass";
        proxy.cut();
        await until("a reply", () => isAnswered(store));
        assertEquals(await store.get("a"), "old");
      },
    );
  }
}

for (const [name, openRedis] of CLIENTS) {
  redisTest(
    `RedisStore on ${name} takes no late reply for another after 10,000 timeouts`,
    async () => {
      await using server = await RedisServer.start();
      await using opened = await open(server, { timeout: 1_000 }, openRedis);
      const { store } = opened;
      const keys = Array.from({ length: 100 }, (_, i) => `${i}`);
      await Promise.all(keys.map((key) => store.set(key, key)));

      server.signal("SIGSTOP");
      const calls = Array.from(
        { length: 10_000 },
        (_, i) =>
          store.get(`${i % 100}`).then(() => "reply", (error) => error.name),
      );
      const outcomes = await Promise.all(calls);
      server.signal("SIGCONT");

      assertEquals(new Set(outcomes), new Set(["StoreTimeoutError"]));
      await until("a reply", () => isAnswered(store));
      const values = await Promise.all(keys.map((key) => store.get(key)));
      assertEquals(values, keys);
    },
  );
}

redisTest(
  "RedisStore rejects writes in time while the server pauses them",
  async () => {
    await using server = await RedisServer.start();
    await using opened = await open(server, { timeout: 250 });
    const { store } = opened;
    await store.set("a", "old");
    assertEquals(await server.ask("CLIENT", "PAUSE", "60000", "WRITE"), "+OK");

    for (const [name, call] of Object.entries(WRITES)) {
      const error = await assertRejects(
        () => call(store, name),
        StoreTimeoutError,
      );
      // The read of the update waits behind the writes before it.
      const outcome = name === "update" ? "not applied" : "unknown";
      assertEquals([name, error.outcome], [name, outcome]);
    }
    assertEquals(await server.ask("CLIENT", "UNPAUSE"), "+OK");
    await until("a reply", () => isAnswered(store));

    // The server has got it, and does it when it goes on.
    assertEquals(await store.get("set"), "new");
    assertEquals(await store.get("a"), "old");
  },
);

redisTest(
  "RedisStore on a cluster keeps entries on all of its servers",
  async () => {
    const flags = ["--cluster-enabled", "yes"];
    await using a = await RedisServer.start(...flags);
    await using b = await RedisServer.start(...flags);
    await a.ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
    await b.ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
    await a.ask("CLUSTER", "MEET", "127.0.0.1", `${b.port}`);
    for (const server of [a, b]) {
      await until(
        "a cluster",
        async () =>
          (await server.ask("CLUSTER", "INFO")).includes("cluster_state:ok"),
      );
    }
    const keys = Array.from({ length: 200 }, (_, i) => `${i}`);
    await using redis = await openRedisCluster([a.url]);
    await using store = new RedisStore({ client: redis.client });

    await store.check();
    await Promise.all(keys.map((key) => store.set(key, 1)));
    await Promise.all(keys.map((key) => store.update(key, (n = 0) => n + 1)));
    await Promise.all(keys.map((key) => store.touch(key, 60_000)));
    assertEquals(
      await Promise.all(keys.map((key) => store.get(key))),
      keys.map(() => 2),
    );
    for (const server of [a, b]) {
      const size = Number((await server.ask("DBSIZE")).slice(1));
      assert(size > 50, `${size}`);
    }

    // A client that knows one server only is told to go elsewhere.
    await using single = await open(a, { prefix: "harpia" });
    const outcomes = await Promise.all(
      keys.map((key) => single.store.set(key, 3).catch((error) => error)),
    );
    const errors = outcomes.filter((error) => error !== undefined);
    assert(errors.length > 50);
    for (const error of errors) {
      assertEquals(error.outcome, "not applied");
      assertStringIncludes(error.message, "MOVED");
    }

    await store.clear();
    for (const server of [a, b]) assertEquals(await server.ask("DBSIZE"), ":0");
  },
);
