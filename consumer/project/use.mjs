/**
 * What a consumer does with each export, in the JavaScript of every runtime.
 * A new export needs a function here.
 *
 * @module
 */

import assert from "node:assert/strict";

const uses = {
  async "."({ MemoryStore, Session, StoreError }) {
    const store = new MemoryStore();
    await store.set("page:/", { visits: 0 });
    await store.update("page:/", (page) => {
      page.visits += 1;
    });
    assert.deepEqual(await store.get("page:/"), { visits: 1 });

    const session = new Session({ store });
    const id = await session.create({ user: "ada" });
    assert.deepEqual(await session.get(id), { user: "ada" });

    await store[Symbol.asyncDispose]();
    await assert.rejects(store.get("page:/"), StoreError);
  },

  "./store"({ StoreError, UpdateConflictError, UpdateTimeoutError }) {
    const timeout = new UpdateTimeoutError(5);
    assert.ok(timeout instanceof StoreError);
    assert.equal(timeout.outcome, "not applied");
    assert.equal(new UpdateConflictError(3).name, "UpdateConflictError");
  },

  async "./memory-store"({ MemoryStore }) {
    const left = [];
    const store = new MemoryStore({
      maxEntries: 1,
      onEvict: ({ key, reason }) => left.push(`${key}: ${reason}`),
    });
    await store.set("a", new Map([["n", 1n]]), { ttl: 60_000 });
    assert.deepEqual(await store.get("a"), new Map([["n", 1n]]));
    await store.set("b", [new Date(0), new Uint8Array([1, 2])]);
    assert.deepEqual(left, ["a: capacity"]);
    assert.deepEqual([...store], [["b", [
      new Date(0),
      new Uint8Array([1, 2]),
    ]]]);
    await assert.rejects(store.set("c", { f() {} }), TypeError);

    const counts = new MemoryStore();
    const add = async (n = 0) => (await Promise.resolve(), n + 1);
    await Promise.all(
      Array.from({ length: 50 }, () => counts.update("n", add)),
    );
    assert.equal(await counts.get("n"), 50);
  },

  async "./session"({ Session }) {
    const session = new Session({ cookieName: "__Host-id" });
    const id = await session.create({ cart: [] });
    const res = new Response("hi");
    session.setCookie(res, id);
    const [cookie = ""] = res.headers.get("set-cookie").split(";");
    const req = new Request("http://localhost/", { headers: { cookie } });
    assert.equal(await session.idFromRequest(req), id);
    assert.equal(
      await session.update(id, ({ cart }) => void cart.push(1)),
      true,
    );
    assert.deepEqual(await session.fromRequest(req), { cart: [1] });
    await session.delete(id, res);
    assert.equal(await session.fromRequest(req), undefined);
    assert.match(res.headers.get("set-cookie"), /^__Host-id=; .*Max-Age=0/);
  },

  async "./store-conformance"({ STORE_FEATURES, testStore }) {
    const map = new Map();
    const open = () => ({
      store: {
        get: (key) => Promise.resolve(map.get(key)),
        set: (key, value) => Promise.resolve(void map.set(key, value)),
        delete: (key) => Promise.resolve(void map.delete(key)),
      },
      [Symbol.asyncDispose]: () => Promise.resolve(map.clear()),
    });
    const tests = [];
    const test = (_name, fn) => tests.push(fn);
    testStore("MapStore", { test, open });
    for (const fn of tests) await fn();
    assert.ok(tests.length > 10);

    tests.length = 0;
    testStore("MapStore", { test, open, supports: STORE_FEATURES });
    await assert.rejects(tests.at(-1), /^ConformanceError: MapStore/);
  },

  "./redis-store"({ RedisStore }) {
    const open = () => new RedisStore({ client: {} });
    assert.throws(open, /^TypeError: Cannot create RedisStore: client must be/);
  },

  async "./deno-kv-store"({ DenoKvStore }) {
    const entries = new Map();
    let version = 0;
    const kv = {
      get: (key) =>
        Promise.resolve(
          entries.get(`${key}`) ?? { value: null, versionstamp: null },
        ),
      set: (key, value) => {
        const versionstamp = `${++version}`;
        entries.set(`${key}`, { key, value, versionstamp });
        return Promise.resolve();
      },
      delete: (key) => Promise.resolve(void entries.delete(`${key}`)),
      list: () => ({
        cursor: "",
        async *[Symbol.asyncIterator]() {
          yield* [...entries.values()];
        },
      }),
      atomic() {
        const calls = [];
        let ok = true;
        return {
          check({ key, versionstamp }) {
            ok &&=
              versionstamp === (entries.get(`${key}`)?.versionstamp ?? null);
          },
          set: (...args) => calls.push(() => kv.set(...args)),
          delete: (...args) => calls.push(() => kv.delete(...args)),
          async commit() {
            if (ok) { for (const call of calls) await call(); }
            return { ok };
          },
        };
      },
    };
    const store = new DenoKvStore(kv, { prefix: "app", ttl: 60_000 });
    await store.set("a", new Map([["n", 1n]]));
    assert.deepEqual(await store.get("a"), new Map([["n", 1n]]));
    assert.equal(await store.update("b", (n = 0) => n + 1), 1);
    assert.equal(await store.touch("b"), true);
    assert.deepEqual([...entries.keys()], ["app,a", "app,b"]);
    await store.clear();
    assert.equal(await store.has("a"), false);
    assert.throws(() => new DenoKvStore(), TypeError);
  },
};

/** Uses each module, given by the name of its export. */
export default async function use(modules) {
  for (const [name, module] of Object.entries(modules)) {
    assert.ok(name in uses, `consumer/project/use.mjs must use ${name}`);
    await uses[name](module);
  }
}
