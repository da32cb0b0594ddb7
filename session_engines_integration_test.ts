/** What a session promises, on each engine. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { threeMethods } from "./_test_util.ts";
import { openIoRedis, openNodeRedis } from "./_redis_clients.ts";
import { redisTest } from "./_redis_server.ts";
import { DenoKvStore } from "./deno_kv_store.ts";
import { MemoryStore } from "./memory_store.ts";
import { RedisStore } from "./redis_store.ts";
import { Session } from "./session.ts";
import type { Store } from "./store.ts";

interface Data {
  user: string;
  n: number;
  seen?: Map<string, Date>;
}

type Use = (store: Store) => Promise<void>;

const rules: Record<string, Use> = {
  async "keeps what it is given, whatever it is"(store) {
    const session = new Session<Data>({ store });
    const data = { user: "ada", n: -0, seen: new Map([["a", new Date(5)]]) };

    const id = await session.create(data);

    assertEquals(await session.get(id), data);
  },

  async "loses none of 50 updates at once"(store) {
    const session = new Session<Data>({ store });
    const id = await session.create({ user: "ada", n: 0 });

    await Promise.all(
      Array.from(
        { length: 50 },
        () =>
          session.update(id, async (data) => {
            await null;
            data.n += 1;
          }),
      ),
    );

    assertEquals((await session.get(id))?.n, 50);
  },

  async "regenerates: the old id is dead, the new one has the data"(store) {
    const session = new Session<Data>({ store });
    const id = await session.create({ user: "ada", n: 1 });

    const newId = await session.regenerate(id, { n: 2 });

    assertNotEquals(newId, id);
    assertEquals(await session.get(id), undefined);
    assertEquals(await session.update(id, { n: 3 }), false);
    assertEquals(await session.get(newId), { user: "ada", n: 2 });
  },

  async "leaves nothing alive when a sign-out races a regenerate"(store) {
    const session = new Session<Data>({ store });
    for (let i = 0; i < 20; i++) {
      const id = await session.create({ user: "ada", n: i });

      const [newId] = await Promise.all([
        session.regenerate(id),
        session.delete(id, new Headers()),
      ]);

      assertEquals(await session.get(id), undefined);
      assertEquals(await session.get(newId), undefined);
    }
  },

  async "leaves nothing alive when updates race a sign-out"(store) {
    const session = new Session<Data>({ store });
    const id = await session.create({ user: "ada", n: 0 });

    await Promise.all([
      ...Array.from({ length: 10 }, (_, n) => session.update(id, { n })),
      session.delete(id, new Headers()),
      ...Array.from({ length: 10 }, (_, n) => session.update(id, { n })),
    ]);

    assertEquals(await session.get(id), undefined);
  },

  async "signs in and out by a request"(store) {
    const session = new Session<Data>({ store });
    const cookie = await session.requestCookie({ user: "eve", n: 0 });
    const req = new Headers({ cookie });

    const id = await session.signIn(req, new Headers(), { user: "ada", n: 1 });

    assertEquals(await session.fromRequest(req), undefined);
    assertEquals(await session.get(id), { user: "ada", n: 1 });
    await session.signOut(req, new Headers()); // the old id leads on
    assertEquals(await session.get(id), undefined);
  },

  async "is ended by its own time, whatever the store does"(store) {
    const session = new Session<Data>({ store, idleTimeout: 1 });
    const id = await session.create({ user: "ada", n: 0 });
    const since = Date.now();

    while (Date.now() <= since + 1) await null;

    assertEquals(await session.get(id), undefined);
  },
};

for (const [rule, use] of Object.entries(rules)) {
  Deno.test(`Session on MemoryStore ${rule}`, () => use(new MemoryStore()));

  Deno.test(`Session on three methods ${rule}`, () => use(threeMethods()));

  Deno.test(`Session on DenoKvStore ${rule}`, async () => {
    const kv = await Deno.openKv(":memory:");
    try {
      await using store = new DenoKvStore(kv);
      await use(store);
    } finally {
      kv.close();
    }
  });

  for (
    const [name, open] of Object.entries({
      "npm:redis": openNodeRedis,
      "npm:ioredis": openIoRedis,
    })
  ) {
    redisTest(`Session on RedisStore, ${name}, ${rule}`, async ({ url }) => {
      await using opened = await open(url);
      const prefix = crypto.randomUUID();
      await using store = new RedisStore({ client: opened.client, prefix });
      assert(opened.isReady);
      await use(store);
    });
  }
}
