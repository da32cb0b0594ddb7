/**
 * A key-value store in memory that keeps its promises under concurrency, and a
 * session helper on top of any store.
 *
 * @example
 * ```ts
 * import { MemoryStore, Session } from "@harpia/memory-store";
 *
 * const store = new MemoryStore();
 * await store.set("page:/", { visits: 0 });
 * await store.update("page:/", (page) => {
 *   page.visits += 1;
 * });
 * console.log(await store.get("page:/")); // { visits: 1 }
 *
 * const session = new Session({ store });
 * const id = await session.create({ user: "ada" });
 * console.log(await session.get(id)); // { user: "ada" }
 * ```
 *
 * @module
 */

export {
  type Eviction,
  MemoryStore,
  type MemoryStoreOptions,
} from "./memory_store.ts";
export {
  type CookieAttributes,
  type FastifyReply,
  type HeadersLike,
  type LoadedSession,
  type NodeResponse,
  type RequestLike,
  type ResponseHeaders,
  type ResponseLike,
  Session,
  type SessionChange,
  type SessionOptions,
  type SessionPatch,
  type SessionStart,
} from "./session.ts";
export {
  type AtomicStore,
  CorruptEntryError,
  type Store,
  StoreError,
  type StoreOutcome,
  type StoreSetOptions,
  StoreTimeoutError,
  type StoreUpdateOptions,
  type StoreUpdater,
  UpdateConflictError,
  UpdateTimeoutError,
} from "./store.ts";
