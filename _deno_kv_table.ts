/**
 * The part of a database that belongs to one store: bytes by key.
 *
 * @module
 */

import { KvCalls } from "./_deno_kv_calls.ts";
import {
  hasToken,
  isKeyPart,
  type KvAnswer,
  type KvPath,
  toPath,
} from "./_deno_kv_entry.ts";
import type { DenoKv } from "./_deno_kv_options.ts";

/** How many entries `clear` reads, and deletes, at a time. */
const PAGE_SIZE = 100;

/** Deno KV refuses much longer lives, and deletes no entry in 3,000 years. */
const MAX_EXPIRE_IN = 1e14;

/** Whether a commit took place; what is there instead if it did not. */
export type Committed = { ok: true } | { ok: false; found: KvAnswer };

/** What {@linkcode KvTable.commit} is to do. */
export interface Change {
  before: KvAnswer;
  /** With the token. Left out: nothing is stored. */
  bytes: Uint8Array | undefined;
  token: Uint8Array;
  life: number;
}

/** Some keys, and where the next ones begin, if there may be more. */
interface Page {
  paths: KvPath[];
  cursor: string | undefined;
}

/** Lives are in whole milliseconds, or `Infinity`. */
export class KvTable {
  readonly #kv: DenoKv;
  readonly #prefix: string[];
  readonly #calls: KvCalls;

  constructor(kv: DenoKv, prefix: string[], timeout: number) {
    this.#kv = kv;
    this.#prefix = prefix;
    this.#calls = new KvCalls(timeout);
  }

  async get(action: string, key: string): Promise<KvAnswer> {
    const path = toPath(this.#prefix, key);
    return await this.#calls.read(
      action,
      key,
      (call) => call.read(() => this.#kv.get(path)),
    );
  }

  async set(
    action: string,
    key: string,
    bytes: Uint8Array,
    life: number,
  ): Promise<void> {
    const path = toPath(this.#prefix, key);
    await this.#calls.write(
      action,
      key,
      (call) => call.write(() => this.#kv.set(path, bytes, toExpiry(life))),
    );
  }

  async delete(action: string, key: string): Promise<void> {
    const path = toPath(this.#prefix, key);
    await this.#calls.write(
      action,
      key,
      (call) => call.write(() => this.#kv.delete(path)),
    );
  }

  /**
   * Stores what `change` makes of an entry, until it is stored on top of what
   * `change` was given. May be applied twice, and so has to be harmless then.
   *
   * @returns Whether it was stored: not when `change` returns nothing.
   */
  async rewrite(
    action: string,
    key: string,
    change: (answer: KvAnswer) => Uint8Array | undefined,
    life: number,
  ): Promise<boolean> {
    const path = toPath(this.#prefix, key);
    return await this.#calls.write(action, key, async (call) => {
      for (;;) {
        const answer = await call.read(() => this.#kv.get(path));
        const bytes = change(answer);
        if (bytes === undefined) return false;
        const { ok } = await call.write(() =>
          this.#commit(path, answer, bytes, life)
        );
        if (ok) return true;
      }
    });
  }

  /**
   * Stores bytes where an entry is as it was. What was stored once is found by
   * its token, and not stored again.
   */
  async commit(
    action: string,
    key: string,
    { before, bytes, token, life }: Change,
  ): Promise<Committed> {
    const path = toPath(this.#prefix, key);
    return await this.#calls.write(action, key, async (call) => {
      const lookUp = async (): Promise<Committed> => {
        const found = await call.read(() => this.#kv.get(path));
        return hasToken(found, token) ? { ok: true } : { ok: false, found };
      };
      try {
        const { ok } = await call.write(() =>
          this.#commit(path, before, bytes, life)
        );
        if (ok) return { ok };
      } catch (error) {
        // The answer is lost. That it was applied, the token can show.
        const { ok } = await lookUp().catch(() => ({ ok: false }));
        if (ok) return { ok };
        throw error;
      }
      // A client of a remote database sends a request again when its answer is
      // lost: then the check fails because of what the first one has done.
      return await lookUp();
    });
  }

  async clear(action: string): Promise<void> {
    await this.#calls.writeAll(action, async (call) => {
      let cursor: string | undefined;
      do {
        const page = await call.read(() => this.#list(cursor));
        if (page.paths.length > 0) {
          await call.write(() => this.#deleteAll(page.paths));
        }
        call.renew();
        cursor = page.cursor;
      } while (cursor !== undefined);
    });
  }

  /** Resolves when all calls so far are over. */
  async settled(): Promise<void> {
    await this.#calls.settled();
  }

  async #commit(
    path: KvPath,
    { versionstamp }: KvAnswer,
    bytes: Uint8Array | undefined,
    life: number,
  ): Promise<{ ok: boolean }> {
    const atomic = this.#kv.atomic();
    atomic.check({ key: path, versionstamp });
    if (bytes !== undefined) atomic.set(path, bytes, toExpiry(life));
    return await atomic.commit();
  }

  async #list(cursor: string | undefined): Promise<Page> {
    const prefix = this.#prefix;
    const options = { limit: PAGE_SIZE, batchSize: PAGE_SIZE };
    const entries = this.#kv.list(
      { prefix },
      cursor === undefined ? options : { ...options, cursor },
    );
    const paths: KvPath[] = [];
    let count = 0;
    for await (const { key } of entries) {
      count++;
      const part = key[prefix.length];
      // What lies deeper belongs to a store with a longer prefix.
      if (key.length === prefix.length + 1 && isKeyPart(part)) {
        paths.push([...prefix, part]);
      }
    }
    return { paths, cursor: count < PAGE_SIZE ? undefined : entries.cursor };
  }

  async #deleteAll(paths: readonly KvPath[]): Promise<void> {
    const atomic = this.#kv.atomic();
    for (const path of paths) atomic.delete(path);
    await atomic.commit();
  }
}

function toExpiry(life: number): { expireIn?: number } {
  return life > MAX_EXPIRE_IN ? {} : { expireIn: Math.max(life, 1) };
}
