/**
 * What a consumer's TypeScript sees. It is compiled, never run: by Deno from
 * the sources, and from the package by every version of TypeScript that the
 * consumer tests know. `Equal` is strict: `any` equals nothing else.
 *
 * @module
 */

import {
  MemoryStore,
  Session,
  type SessionOptions,
  StoreError,
} from "@harpia/memory-store";
import {
  type Eviction,
  MemoryStore as SubPathStore,
  type MemoryStoreOptions,
} from "@harpia/memory-store/memory-store";
import {
  type CookieAttributes,
  Session as SubPathSession,
} from "@harpia/memory-store/session";
import type {
  AtomicStore,
  Store,
  StoreOutcome,
} from "@harpia/memory-store/store";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

function expectType<A>(): <B>(value: B, same: Equal<A, B>) => void {
  return () => {};
}

/** The store type of the Harpia framework, as its users have written it. */
interface HarpiaStore {
  get(key: string): Promise<Record<string, unknown> | undefined>;
  set(key: string, value: Record<string, unknown>): Promise<void>;
  delete(key: string): Promise<void>;
}

interface Data {
  user?: string;
  cart: string[];
}

/** A class of the consumer's that keeps the three methods. */
class OwnStore implements Store<number> {
  get(_key: string): Promise<number | undefined> {
    return Promise.resolve(1);
  }
  set(_key: string, _value: number): Promise<void> {
    return Promise.resolve();
  }
  delete(_key: string): Promise<void> {
    return Promise.resolve();
  }
}

export async function useStore(): Promise<void> {
  using store = new MemoryStore<number>({
    ttl: undefined,
    maxEntries: 10,
    onEvict: (eviction) => {
      expectType<Eviction<number>>()(eviction, true);
      expectType<"expired" | "capacity">()(eviction.reason, true);
    },
  });
  await store.set("a", 1, { ttl: 1_000 });
  await store.set("a", 1, { ttl: undefined });
  const value = await store.get("a");
  expectType<number | undefined>()(value, true);
  expectType<boolean>()(await store.has("a"), true);
  expectType<boolean>()(await store.touch("a"), true);
  const after = await store.update("a", (n = 0) => n + 1);
  expectType<number | undefined>()(after, true);
  await store.update("a", async (n) => await Promise.resolve(n), { ttl: 1 });
  for (const entry of store) expectType<[string, number]>()(entry, true);
  expectType<number>()(store.size, true);

  const carts = new MemoryStore<{ items: string[] }>();
  await carts.update("a", (cart) => {
    cart?.items.push("tea");
  });

  // @ts-expect-error The value has another type.
  await store.set("a", "1");
  // @ts-expect-error There is no such option.
  await store.set("a", 1, { ttlMs: 1 });
  // @ts-expect-error There is no such option.
  new MemoryStore({ max: 1 });
  // @ts-expect-error A miss is `undefined`.
  const _n: number = await store.get("a");
}

export async function useContract(): Promise<void> {
  const options: MemoryStoreOptions<number> = { updateTimeout: 1_000 };
  await using atomic: AtomicStore<number> = new SubPathStore(options);
  const store: Store<number> = atomic;
  const same: MemoryStore<number> = new SubPathStore<number>(5000);
  const harpia: HarpiaStore = new MemoryStore<Record<string, unknown>>();
  const untyped: HarpiaStore = new MemoryStore();
  const unknowns: Store = new MemoryStore();
  await Promise.all([same, harpia, untyped, unknowns, store]);
  try {
    await store.get("a");
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    expectType<StoreOutcome>()(error.outcome, true);
  }
}

export async function useSession(
  req: Request,
  node: {
    req: { headers: { cookie?: string; host?: string } };
    res: {
      headersSent: boolean;
      getHeader(name: string): number | string | string[] | undefined;
      setHeader(name: string, value: number | string | readonly string[]): void;
    };
  },
): Promise<void> {
  const cookie: CookieAttributes = { sameSite: "Strict", maxAge: 60 };
  const options: SessionOptions = { cookieName: "id", cookie };
  const session = new Session<Data>({ ...options, store: new MemoryStore() });
  const same: Session<Data> = new SubPathSession<Data>();
  const three = new Session({
    store: new MemoryStore<Record<string, unknown>>(),
  });

  const id = await session.create({ cart: [] });
  expectType<string>()(id, true);
  expectType<Data | undefined>()(await session.get(id), true);
  expectType<Data | undefined>()(await session.fromRequest(req), true);
  expectType<string | undefined>()(await session.idFromRequest(req), true);
  expectType<string | undefined>()(await session.regenerate(id), true);
  expectType<number | undefined>()(await session.expiresAt(id), true);
  expectType<boolean>()(await session.update(id, { user: "ada" }), true);
  await session.update(id, { user: undefined });
  await session.update(id, ({ cart }) => {
    cart.push("tea");
  });
  await session.update(id, async (data) => await Promise.resolve(data));

  const res = new Response("hi");
  session.setCookie(res, id);
  session.setCookie(res.headers, id, { path: "/" });
  session.setCookie({ headers: res.headers }, id);
  session.setCookie(node.res, id);
  await session.fromRequest(req.headers);
  await session.fromRequest(node.req);
  await session.fromRequest({ cookies: { get: () => undefined } });
  await session.delete(id, res);
  await session.delete(undefined, node.res);
  expectType<string>()(session.cookie(id), true);
  await Promise.all([same, three]);

  // @ts-expect-error A member is missing.
  await session.create({ user: "ada" });
  // @ts-expect-error A member has another type.
  await session.update(id, { user: 1 });
  // @ts-expect-error There is no such attribute.
  session.setCookie(res, id, { httponly: true });
  // @ts-expect-error There is no such option.
  new Session({ cookie: "id" });
}

export const own: Store<number> = new OwnStore();
