/**
 * What `RedisStore` sends, and what it makes of the replies, without a server.
 * What a server does with it is in `redis_store_integration_test.ts`.
 */

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { inspect } from "node:util";
import { hang, makeGate, untyped } from "./_test_util.ts";
import {
  type RedisClient,
  RedisStore,
  type RedisStoreOptions,
} from "./redis_store.ts";
import {
  CorruptEntryError,
  StoreError,
  StoreTimeoutError,
  UpdateTimeoutError,
} from "./store.ts";

const STAMP = "h1 01234567-89ab-cdef-0123-456789abcdef";
const NEVER = "9999999999999999";

/** An entry as another process would have written it. */
function entry(text: string, deadline = NEVER): string {
  return `${STAMP} ${deadline} ${text}\n`;
}

type Reply = (command: string[]) => unknown;

/** A client that keeps what it is told to send, and replies as a test says. */
class Wire {
  readonly sent: string[][] = [];
  reply: Reply;

  constructor(reply: Reply = () => null) {
    this.reply = reply;
  }

  sendCommand(command: string[]): Promise<unknown> {
    this.sent.push(command);
    return Promise.resolve(command).then(this.reply);
  }

  /** A store on it. */
  open<V = unknown>(options: Partial<RedisStoreOptions> = {}): RedisStore<V> {
    return new RedisStore<V>({ client: this, ...options });
  }
}

type Call = (store: RedisStore, key: string) => Promise<unknown>;

const READS: Record<string, Call> = {
  get: (store, key) => store.get(key),
  has: (store, key) => store.has(key),
};

const WRITES: Record<string, Call> = {
  set: (store, key) => store.set(key, "secret-value"),
  delete: (store, key) => store.delete(key),
  touch: (store, key) => store.touch(key),
};

const CALLS: Record<string, Call> = {
  ...READS,
  ...WRITES,
  update: (store, key) => store.update(key, () => "secret-value"),
  clear: (store) => store.clear(),
  check: (store) => store.check(),
};

// Clients and options

Deno.test("new RedisStore() sends what npm:redis takes", async () => {
  const wire = new Wire(() => "OK");

  await wire.open().delete("a");

  assertEquals(wire.sent, [["UNLINK", "harpia/a"]]);
});

Deno.test("new RedisStore() sends what npm:ioredis takes", async () => {
  const sent: unknown[] = [];
  const client = {
    options: { maxRetriesPerRequest: 0 },
    call(...command: string[]) {
      sent.push(command);
      assertStrictEquals(this, client);
      return Promise.resolve(1);
    },
    sendCommand: hang, // that of ioredis takes something else
  };

  await new RedisStore({ client }).delete("a");

  assertEquals(sent, [["UNLINK", "harpia/a"]]);
});

Deno.test("new RedisStore() sends what the client of Bun takes", async () => {
  const sent: unknown[] = [];
  const client = {
    send(...args: unknown[]) {
      sent.push(args);
      assertStrictEquals(this, client);
      return Promise.resolve(1);
    },
  };

  await new RedisStore({ client }).delete("a");

  assertEquals(sent, [["UNLINK", ["harpia/a"]]]);
});

Deno.test("new RedisStore() sends what a cluster of npm:redis takes", async () => {
  const sent: unknown[] = [];
  const wire = new Wire(() => ["0", []]);
  const client = {
    masters: [1, 2],
    nodeClient: () => Promise.resolve(wire),
    sendCommand(...args: unknown[]) {
      sent.push(args);
      return Promise.resolve(1);
    },
  };
  const store = new RedisStore({ client });

  await store.delete("a");
  await store.clear();

  assertEquals(sent, [["harpia/a", false, ["UNLINK", "harpia/a"]]]);
  assertEquals(wire.sent.map(([name]) => name), ["SCAN", "SCAN"]);
});

const { sendCommand } = Wire.prototype;
const call = hang;
const CLIENTS: Record<string, [client: unknown, message: string]> = {
  "undefined": [undefined, "received undefined"],
  "null": [null, "received null"],
  "a URL": ["redis://localhost", "received a string"],
  "a promise of a client": [Promise.resolve(), "did you forget await?"],
  "an object": [{ get: hang, set: hang }, "received an object"],
  "a pool": [{ sendCommand, tasksQueueLength: 0 }, "a pool"],
  "a sentinel": [{ sendCommand, getSentinelNode: hang }, "a sentinel"],
  "a cluster of ioredis": [{ call, startupNodes: [] }, "a cluster of ioredis"],
  "ioredis as it is by default": [
    {
      call,
      options: {
        autoResendUnfulfilledCommands: true,
        maxRetriesPerRequest: 20,
      },
    },
    "maxRetriesPerRequest: 0",
  ],
  "a client with a keyPrefix": [
    { call, options: { keyPrefix: "a", maxRetriesPerRequest: 0 } },
    "use the prefix of the store",
  ],
};
for (const [name, [client, message]] of Object.entries(CLIENTS)) {
  Deno.test(`new RedisStore() refuses ${name} for a client`, () => {
    assertThrows(
      () => new RedisStore({ client: untyped(client) }),
      TypeError,
      message,
    );
  });
}

Deno.test("new RedisStore() takes an ioredis that does not send again", () => {
  const options = { autoResendUnfulfilledCommands: false };

  new RedisStore({ client: { call, options } as RedisClient });
});

const OPTIONS: [options: object, error: ErrorConstructor, message: string][] = [
  [{ ttlMs: 1 }, TypeError, "client, prefix, ttl, timeout, updateTimeout"],
  [{ prefix: 1 }, TypeError, "prefix must be a string"],
  [{ prefix: "a/b" }, TypeError, 'prefix must not hold a "/"'],
  [{ prefix: "\ud800" }, TypeError, "prefix must be a well-formed string"],
  [{ ttl: "60" }, TypeError, "ttl must be a number"],
  [{ ttl: 0 }, RangeError, "ttl must be a number of milliseconds above 0"],
  [{ timeout: 0 }, RangeError, "timeout must be"],
  [{ timeout: 2 ** 31 }, RangeError, "timeout must be at most 2147483647"],
  [{ updateTimeout: NaN }, RangeError, "updateTimeout must be"],
];
for (const [options, error, message] of OPTIONS) {
  Deno.test(`new RedisStore() refuses the options ${inspect(options)}`, () => {
    assertThrows(() => new Wire().open(options), error, message);
  });
}

Deno.test("new RedisStore() without options says what it needs", () => {
  assertThrows(
    () => new RedisStore(untyped(undefined)),
    TypeError,
    "Cannot create RedisStore: options must be an object: received undefined",
  );
});

// Commands

Deno.test("RedisStore.set() sends one command, with a ttl in it", async () => {
  using _time = new FakeTime(1_000);
  const wire = new Wire(() => "OK");
  const store = wire.open({ prefix: "app", ttl: 500 });

  await store.set("a", { n: 1 });
  await store.set("a", 1n, { ttl: 0.2 });
  await store.set("a", 1, { ttl: Infinity });

  const stamp = /^h1 [0-9a-f-]{36} /;
  const sent = wire.sent.map((command) =>
    command.map((part) => part.replace(stamp, "STAMP "))
  );
  assertEquals(sent, [
    ["SET", "app/a", 'STAMP 0000000000001500 {"n":1}\n', "PX", "500"],
    ["SET", "app/a", 'STAMP 0000000000001001 ~{"$BigInt":"1"}\n', "PX", "1"],
    ["SET", "app/a", `STAMP ${NEVER} 1\n`],
  ]);
  const stamps = wire.sent.map((command) => command[2]?.slice(0, 39));
  assertEquals(new Set(stamps).size, 3);
});

Deno.test("RedisStore sends at the call, in call order", async () => {
  const wire = new Wire();
  const store = wire.open();

  const calls = Object.values({ ...READS, ...WRITES })
    .map((call) => call(store, "a"));
  const sent = wire.sent.map(([name]) => name);

  assertEquals(sent, ["GET", "GETRANGE", "SET", "UNLINK", "EVALSHA"]);
  await Promise.allSettled(calls);
});

const NOSCRIPT = "NOSCRIPT No matching script. Please use EVAL.";

async function sha1(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-1", bytes);
  const hex = Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  );
  return hex.join("");
}

for (const name of ["touch", "update"]) {
  Deno.test(`RedisStore.${name}() sends a script by its digest, and by its text when the server does not know it`, async () => {
    const wire = new Wire(([name]) => {
      if (name === "EVALSHA") throw new Error(NOSCRIPT);
      return name === "GET" ? null : 1;
    });

    await CALLS[name]?.(wire.open(), "a");

    const [byDigest = [], byText = []] = wire.sent.slice(-2);
    assertEquals([byDigest[0], byText[0]], ["EVALSHA", "EVAL"]);
    assertEquals(byDigest[1], await sha1(byText[1] ?? ""));
    assertEquals(byDigest.slice(2), byText.slice(2));
  });
}

for (const reply of [1, NOSCRIPT, "Socket closed unexpectedly"]) {
  Deno.test(`RedisStore keeps the order of calls for the key of a touch that gets the reply ${reply}`, async () => {
    const gate = makeGate();
    const wire = new Wire(async ([name]) => {
      if (name !== "EVALSHA") return name === "GET" ? null : 1;
      await gate.opened;
      if (reply === 1) return 1;
      throw new Error(`${reply}`);
    });
    const store = wire.open();
    const sent = () => wire.sent.map(([name]) => name);

    const touched = store.touch("a").catch(() => "rejected");
    const others = [
      store.set("a", 1),
      store.touch("a"),
      store.get("a"),
      store.delete("b"), // of another key
    ];
    assertEquals(sent(), ["EVALSHA", "UNLINK"]);
    gate.open();
    await Promise.all(others);

    const again = reply === NOSCRIPT ? ["EVAL"] : [];
    const expected = ["EVALSHA", "UNLINK", ...again, "SET", "EVAL", "GET"];
    assertEquals(sent(), expected);
    const isLost = reply !== 1 && reply !== NOSCRIPT;
    assertEquals(await touched, isLost ? "rejected" : true);
    const next = store.touch("a").catch(() => {});
    assertEquals(sent(), [...expected, "EVALSHA"]);
    await next;
  });
}

Deno.test("RedisStore.clear() looks for its prefix only, taken literally", async () => {
  const wire = new Wire(() => ["0", []]);

  await wire.open({ prefix: "*?[a]\\{b}" }).clear();

  const pattern = "\\*\\?\\[a\\]\\\\{b}/*";
  assertEquals(wire.sent, [
    ["SCAN", "0", "MATCH", pattern, "COUNT", "1000"],
  ]);
});

Deno.test("RedisStore.clear() removes an entry first that is used meanwhile, and once", async () => {
  const gate = makeGate();
  const wire = new Wire(async ([name]) => {
    if (name !== "SCAN") return 1;
    await gate.opened;
    return ["0", ["harpia/a", "harpia/b", "harpia/a"]];
  });
  const store = wire.open();

  const cleared = store.clear();
  await store.set("a", 1);
  await store.delete("a");
  gate.open();
  await cleared;
  await store.delete("a");

  const sent = wire.sent.filter(([name]) => name !== "SCAN")
    .map(([name, key]) => `${name} ${key}`);
  assertEquals(sent, [
    "UNLINK harpia/a",
    "SET harpia/a",
    "UNLINK harpia/a",
    "UNLINK harpia/b",
    "UNLINK harpia/a",
  ]);
});

Deno.test("RedisStore.clear() says unknown when it has begun to remove", async () => {
  const wire = new Wire(([name]) => {
    if (name === "SCAN") return ["7", ["harpia/a"]];
    throw new Error("READONLY You can't write against a read only replica.");
  });

  const error = await assertRejects(() => wire.open().clear(), StoreError);

  assertEquals(error.outcome, "unknown");
  assertStringIncludes(error.message, "READONLY");
});

for (const [name, call] of Object.entries(CALLS)) {
  if (name === "clear" || name === "check") continue;
  Deno.test(`RedisStore.${name}() sends nothing for a key that is none`, async () => {
    const wire = new Wire();
    const store = wire.open();

    await assertRejects(() => call(store, untyped(1)), TypeError, "key");
    await assertRejects(() => call(store, "\ud800"), TypeError, "key");
    await assertRejects(() => call(store, "a".repeat(1025)), RangeError, "key");
    assertEquals(wire.sent, []);
  });
}

for (const ttl of [0, -1, NaN, -Infinity, 2 ** 53, 1e20, untyped("60")]) {
  Deno.test(`RedisStore sends nothing with a ttl of ${inspect(ttl)}`, async () => {
    const wire = new Wire();
    const store = wire.open();

    await assertRejects(() => store.set("a", 1, { ttl }), Error, "ttl must");
    await assertRejects(() => store.touch("a", ttl), Error, "ttl must");
    await assertRejects(
      () => store.update("a", () => 1, { ttl }),
      Error,
      "ttl must",
    );
    assertEquals(wire.sent, []);
  });
}

Deno.test("RedisStore.set() sends nothing that is not portable", async () => {
  const wire = new Wire();
  const store = wire.open();

  await assertRejects(
    () => store.set("a", undefined),
    TypeError,
    "delete(key)",
  );
  await assertRejects(
    () => store.set("a", { cart: [{ price: () => 1 }] }),
    TypeError,
    "cart[0].price is a function",
  );
  assertEquals(wire.sent, []);
});

// Replies

Deno.test("RedisStore.get() reads an entry until its deadline, by the clock here", async () => {
  using time = new FakeTime(1_000);
  const store = new Wire(() => entry("1", "0000000000001500")).open();

  assertEquals(await store.get("a"), 1);
  time.tick(499);
  assertEquals(await store.get("a"), 1);
  time.tick(1);
  assertEquals(await store.get("a"), undefined);
});

Deno.test("RedisStore.get() does not revive an entry when the clock is set back", async () => {
  const store = new Wire(() => entry("1", "0000000000001500")).open();
  {
    using _time = new FakeTime(1_500);
    assertEquals(await store.get("a"), undefined);
  }
  using _time = new FakeTime(1_000);

  assertEquals(await store.get("a"), undefined);
});

Deno.test("RedisStore.has() reads no value", async () => {
  using time = new FakeTime(1_000);
  const wire = new Wire(() => `${STAMP} 0000000000001500 `);
  const store = wire.open();

  assert(await store.has("a"));
  time.tick(500);
  assertFalse(await store.has("a"));
  wire.reply = () => "";
  assertFalse(await store.has("a"));
  assertEquals(wire.sent[0], ["GETRANGE", "harpia/a", "0", "56"]);
});

/** What others may have stored where an entry is looked for. */
const FOREIGN: Record<string, string> = {
  "nothing": "",
  "a number": "1",
  "JSON": '{"user":"ada"}',
  "a session of connect-redis": '{"cookie":{"path":"/"},"user":"ada"}',
  "a head without a value": `${STAMP} ${NEVER} `,
  "half a head": STAMP,
  "a head without an end": `${STAMP} ${NEVER} 1`,
  "an entry that was cut": entry('{"a":1,"b":2}').slice(0, -5),
  "an entry with more behind it": `${entry("1")}1\n`,
  "a later format": entry("1").replace("h1", "h2"),
  "a stamp that is too long": entry("1").replace("h1 ", "h1 0"),
  "a deadline in words": entry("1", "0000000000000NaN"),
  "a deadline that is negative": entry("1", "-000000000000001"),
  "a deadline that is too short": entry("1", "1500"),
  "a value that is not there": entry(""),
  "a value that is not JSON": entry("{user:'ada'}"),
  "an unknown tag": entry('~{"$Function":"alert(1)"}'),
  "bytes": "\0\x01\ufffd\ufffd",
  "serialized PHP": 'O:8:"stdClass":0:{}',
};
for (const [name, string] of Object.entries(FOREIGN)) {
  Deno.test(`RedisStore.get() rejects when it finds ${name}`, async () => {
    const store = new Wire(() => string).open();

    const error = await assertRejects(
      () => store.get("secret-key"),
      CorruptEntryError,
    );

    assertEquals(error.outcome, "not applied");
    assertFalse(/ada|secret|alert/.test(inspect(error)));
  });

  Deno.test(`RedisStore.update() neither runs fn nor writes when it finds ${name}`, async () => {
    const wire = new Wire(() => string);
    let runs = 0;

    await assertRejects(
      () => wire.open().update("a", () => ++runs),
      CorruptEntryError,
    );

    assertEquals([runs, wire.sent.length], [0, 1]);
  });
}

Deno.test("RedisStore.has() and touch() reject when they find something foreign", async () => {
  const has = new Wire(() => '{"user":"ada"}').open();
  const touch = new Wire(() => -1).open();

  await assertRejects(() => has.has("a"), CorruptEntryError);
  await assertRejects(() => touch.touch("a"), CorruptEntryError);
});

Deno.test("RedisStore.get() rejects when the client replies with bytes", async () => {
  const store = new Wire(() => new Uint8Array([49])).open();

  await assertRejects(
    () => store.get("a"),
    StoreError,
    "Cannot get entry: client must reply with strings: received an object",
  );
});

// Failures

/** What Redis 7 replies when it refuses a command. */
const REFUSALS = [
  "OOM command not allowed when used memory > 'maxmemory'.",
  "READONLY You can't write against a read only replica.",
  "LOADING Redis is loading the dataset in memory",
  "BUSY Redis is busy running a script. You can only call SCRIPT KILL.",
  "NOREPLICAS Not enough good replicas to write.",
  "NOAUTH Authentication required.",
  "NOPERM this user has no permissions to run the 'set' command",
  "MOVED 866 127.0.0.1:7001",
  "CROSSSLOT Keys in request don't hash to the same slot",
  "CLUSTERDOWN Hash slot not served",
  "MISCONF Redis is configured to save RDB snapshots, but cannot persist",
  "WRONGTYPE Operation against a key holding the wrong kind of value",
  "ERR unknown command 'EVAL', with args beginning with: 'secret-key' 'secret-value' ",
];
for (const refusal of REFUSALS) {
  const code = refusal.split(" ")[0] ?? "";
  Deno.test(`RedisStore says not applied when Redis replies ${code}`, async () => {
    for (const [name, call] of Object.entries(CALLS)) {
      // What ioredis rejects with holds the whole command.
      const reply = (args: string[]) => {
        throw Object.assign(new Error(refusal), { command: { args } });
      };

      const error = await assertRejects(
        () => call(new Wire(reply).open(), "secret-key"),
        StoreError,
        code,
      );

      assertEquals([name, error.outcome], [name, "not applied"]);
      assertInstanceOf(error.cause, Error);
      assertStringIncludes(error.cause.message, refusal.split(", with")[0]!);
      assertFalse(inspect(error).includes("secret"), name);
    }
  });
}

for (const message of ["Socket closed unexpectedly", "read ECONNRESET", ""]) {
  Deno.test(`RedisStore does not know what a write has done when the client says "${message}"`, async () => {
    for (const [name, call] of Object.entries(CALLS)) {
      const cause = new Error(message);
      const wire = new Wire(() => {
        throw cause;
      });

      const error = await assertRejects(
        () => call(wire.open(), "a"),
        StoreError,
        "the connection to Redis has failed",
      );

      const outcome = name in WRITES ? "unknown" : "not applied";
      assertEquals([name, error.outcome], [name, outcome]);
      assertStrictEquals(error.cause, cause);
      assertEquals(wire.sent.length, 1, "sent again");
    }
  });
}

Deno.test("RedisStore rejects when a client throws at once", async () => {
  const client: RedisClient = {
    sendCommand() {
      throw new Error("not connected");
    },
  };

  await assertRejects(() => new RedisStore({ client }).get("a"), StoreError);
});

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`RedisStore.${name}() rejects when no reply comes in time`, async () => {
    using time = new FakeTime();
    using _clock = stub(performance, "now", () => time.now);
    const store = new Wire(hang).open({ timeout: 1_000 });
    let error: unknown;
    call(store, "secret-key").catch((reason) => error = reason);

    await time.tickAsync(999);
    await time.runMicrotasks();
    assertEquals(error, undefined);
    await time.tickAsync(1);
    await time.runMicrotasks();

    assertInstanceOf(error, StoreTimeoutError);
    assertStringIncludes(error.message, "within 1000 ms");
    assertEquals(error.outcome, name in WRITES ? "unknown" : "not applied");
    assertFalse(inspect(error).includes("secret"));
  });
}

Deno.test("RedisStore rejects in time what waits for a touch of its key", async () => {
  using time = new FakeTime();
  using _clock = stub(performance, "now", () => time.now);
  const wire = new Wire(hang);
  const store = wire.open({ timeout: 1_000 });
  const outcomes: unknown[] = [];
  for (const call of [store.touch("a"), store.set("a", 1), store.get("a")]) {
    call.catch((error) => outcomes.push([error.name, error.outcome]));
  }

  await time.tickAsync(1_000);
  await time.runMicrotasks();

  assertEquals(outcomes, [
    ["StoreTimeoutError", "unknown"],
    ["StoreTimeoutError", "unknown"],
    ["StoreTimeoutError", "not applied"],
  ]);
  assertEquals(wire.sent.length, 1);
});

Deno.test("RedisStore ignores a reply that comes too late, and goes on", async () => {
  using time = new FakeTime();
  const gate = makeGate();
  const wire = new Wire(() => gate.opened.then(() => entry('"late"')));
  const store = wire.open({ timeout: 1_000 });
  const late = assertRejects(() => store.get("a"), StoreTimeoutError);
  await time.tickAsync(1_000);
  await late;

  wire.reply = () => entry('"next"');
  const next = store.get("a");
  gate.open();

  assertEquals(await next, "next");
});

Deno.test("RedisStore waits for ever with a timeout of Infinity", async () => {
  using time = new FakeTime();
  const gate = makeGate();
  const store = new Wire(() => gate.opened.then(() => entry("1")))
    .open({ timeout: Infinity });
  const value = store.get("a");

  await time.tickAsync(2 ** 31);
  gate.open();

  assertEquals(await value, 1);
});

// Updates

Deno.test("RedisStore.update() reads, and replaces what it has read", async () => {
  using _time = new FakeTime(1_000);
  const wire = new Wire(([name]) => name === "GET" ? entry('{"n":1}') : 1);

  const value = await wire.open({ ttl: 500 }).update("a", (value) => {
    (value as { n: number }).n++; // as it was read
  });

  assertEquals(value, { n: 2 });
  const [get, [command, , keys, key, now, old, stamp, body, ...life] = []] =
    wire.sent;
  assertEquals(get, ["GET", "harpia/a"]);
  assertEquals([command, keys, key], ["EVALSHA", "1", "harpia/a"]);
  assertEquals(now, "0000000000001000");
  assertEquals([old, body, life], [STAMP, '{"n":2}\n', []]);
  assertMatch(stamp ?? "", /^h1 [0-9a-f-]{36}$/);
});

Deno.test("RedisStore.update() makes an entry with the default ttl, or its own", async () => {
  using _time = new FakeTime(1_000);
  const wire = new Wire(([name]) => name === "GET" ? null : 1);
  const store = wire.open({ ttl: 500 });

  await store.update("a", () => 1);
  await store.update("a", () => 1, { ttl: 700 });
  await store.update("a", () => 1, { ttl: Infinity });

  const lives = wire.sent.filter(([name]) => name === "EVALSHA")
    .map((command) => [command[5], ...command.slice(8)]);
  assertEquals(lives, [
    ["", "0000000000001500", "500"],
    ["", "0000000000001700", "700"],
    ["", NEVER],
  ]);
});

Deno.test("RedisStore.update() runs fn again when another process was faster", async () => {
  const texts = ["1", "5", "7"];
  let tries = 0;
  const wire = new Wire(([name]) =>
    name === "GET" ? entry(`${texts[tries]}`) : ++tries === 3 ? 1 : 0
  );
  const seen: unknown[] = [];

  const value = await wire.open<number>().update("a", (n = 0) => {
    seen.push(n);
    return n + 1;
  });

  assertEquals([value, seen], [8, [1, 5, 7]]);
});

/** The commands of an update whose first write is lost; then what is found. */
async function loseWrite(
  before: string | null,
  after: (stamp: string) => string | null,
  second: unknown = 1,
): Promise<{ outcome: unknown; sent: string[]; stamps: Set<unknown> }> {
  let reads = 0;
  let writes = 0;
  let stamp = "";
  const wire = new Wire(([name, ...args]) => {
    if (name === "GET") return reads++ === 0 ? before : after(stamp);
    stamp = args[5] ?? "";
    if (writes++ === 0) throw new Error("Socket closed unexpectedly");
    return second;
  });
  let runs = 0;
  const outcome = await wire.open<number>()
    .update("a", (n = 0) => {
      runs++;
      return n + 1;
    })
    .catch((error) => error.outcome);
  assertEquals(runs, 1);
  const evals = wire.sent.filter(([name]) => name === "EVALSHA");
  return {
    outcome,
    sent: wire.sent.map(([name]) => `${name}`),
    stamps: new Set(evals.map((command) => command[6])),
  };
}

Deno.test("RedisStore.update() finds out that a lost write was applied", async () => {
  const { outcome, sent } = await loseWrite(
    entry("1"),
    (stamp) => `${stamp} ${NEVER} 2\n`,
  );

  assertEquals([outcome, sent], [2, ["GET", "EVALSHA", "GET"]]);
});

Deno.test("RedisStore.update() finds out that a lost write has made the entry", async () => {
  const { outcome, sent } = await loseWrite(
    null,
    (stamp) => `${stamp} ${NEVER} 1\n`,
  );

  assertEquals([outcome, sent], [1, ["GET", "EVALSHA", "GET"]]);
});

Deno.test("RedisStore.update() sends a lost write again, with the same stamp", async () => {
  const { outcome, sent, stamps } = await loseWrite(
    entry("1"),
    () => entry("1"),
  );

  assertEquals([outcome, sent], [2, ["GET", "EVALSHA", "GET", "EVALSHA"]]);
  assertEquals(stamps.size, 1);
});

Deno.test("RedisStore.update() does not run fn again when a lost write may have been applied", async () => {
  const { outcome } = await loseWrite(entry("1"), () => entry("1"), 0);

  assertEquals(outcome, "unknown");
});

Deno.test("RedisStore.update() says unknown when the entry has changed after a lost write", async () => {
  const other = entry("9").replace("h1 0", "h1 f");
  const { outcome, sent } = await loseWrite(entry("1"), () => other);

  assertEquals([outcome, sent.length], ["unknown", 3]);
});

Deno.test("RedisStore.update() does not make an entry twice", async () => {
  const { outcome, sent } = await loseWrite(null, () => null);

  assertEquals([outcome, sent.length], ["unknown", 3]);
});

Deno.test("RedisStore.update() resolves when it was given up but its write applied", async () => {
  using time = new FakeTime();
  const gate = makeGate();
  const wire = new Wire(([name]) =>
    name === "GET" ? entry("1") : gate.opened.then(() => 1)
  );
  const store = wire.open<number>({ updateTimeout: 100 });
  const first = store.update("a", (n = 0) => n + 1);
  const second = assertRejects(
    () => store.update("a", () => 9),
    UpdateTimeoutError,
  );
  await time.runMicrotasks();

  await time.tickAsync(100);
  await second;
  gate.open();

  assertEquals(await first, 2);
});

Deno.test("RedisStore.update() resolves when the store was disposed but its write applied", async () => {
  const gate = makeGate();
  const wire = new Wire(([name]) =>
    name === "GET" ? null : gate.opened.then(() => 1)
  );
  const store = wire.open<number>();
  const writes = store.update("a", () => 1);
  while (wire.sent.length < 2) await Promise.resolve();

  await store[Symbol.asyncDispose]();
  gate.open();

  assertEquals(await writes, 1);
});

Deno.test("RedisStore.update() sends nothing when the store was disposed meanwhile", async () => {
  const gate = makeGate();
  const wire = new Wire(() => null);
  const store = wire.open<number>();
  const update = assertRejects(
    () => store.update("a", () => gate.opened.then(() => 1)),
    StoreError,
    "the store was disposed",
  );
  await Promise.resolve();

  await store[Symbol.asyncDispose]();
  gate.open();
  await update;
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();

  assertEquals(wire.sent, [["GET", "harpia/a"]]);
});

// The server

Deno.test("RedisStore.check() resolves when Redis evicts nothing", async () => {
  const wire = new Wire(() =>
    "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
  );

  await wire.open().check();

  assertEquals(wire.sent, [["INFO", "memory"]]);
});

Deno.test("RedisStore.check() rejects when Redis may evict sessions", async () => {
  const wire = new Wire(() => "maxmemory_policy:allkeys-lru\r\n");

  await assertRejects(
    () => wire.open().check(),
    StoreError,
    "maxmemory-policy of Redis must be noeviction: received allkeys-lru",
  );
});

Deno.test("RedisStore shows neither keys nor values when it is inspected", async () => {
  const store = new Wire(() => "OK").open();

  await store.set("secret-key", "secret-value");

  assertFalse(inspect(store, { depth: 9, showHidden: true }).includes("value"));
});
