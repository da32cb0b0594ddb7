/**
 * A process that uses a `DenoKvStore` on a file as it is told: it reads calls
 * from its input, a line of JSON each, makes them at once, and writes what came
 * of each when it is over. For tests only.
 *
 * @module
 */

import { append } from "./_linearizability.ts";
import { DenoKvStore } from "./deno_kv_store.ts";
import { StoreError, type StoreOutcome } from "./store.ts";

/** What the process is to do. */
export type WorkerCall =
  & { /** Comes back with the answer. */ id: number }
  & (
    | { op: "get" | "has" | "touch" | "delete"; key: string }
    | { op: "set"; key: string; value: string }
    | {
      op: "update";
      key: string;
      /** What to append. */
      item: string;
      /** Whether to make an entry where there is none. */
      creates: boolean;
    }
    | { op: "clear" }
  );

/** What came of it. */
export interface WorkerAnswer {
  /** That of the call. */
  id: number;
  /** What the call resolved to. */
  result?: string | boolean | undefined;
  /** What the call had done when it failed, and why it did. */
  failed?: { outcome: StoreOutcome; message: string };
}

/** What the process writes when it can be called. */
export const READY = "ready";

async function call(
  store: DenoKvStore<string>,
  call: WorkerCall,
): Promise<string | boolean | undefined | void> {
  switch (call.op) {
    case "get":
    case "has":
    case "touch":
    case "delete":
      return await store[call.op](call.key);
    case "set":
      return await store.set(call.key, call.value);
    case "clear":
      return await store.clear();
    case "update":
      return await store.update(call.key, async (list) => {
        await null;
        const isWrite = list !== undefined || call.creates;
        return isWrite ? append(list, call.item) : undefined;
      });
  }
}

async function answer(
  store: DenoKvStore<string>,
  request: WorkerCall,
): Promise<WorkerAnswer> {
  const { id } = request;
  try {
    return { id, result: await call(store, request) ?? undefined };
  } catch (error) {
    const outcome = error instanceof StoreError ? error.outcome : "unknown";
    return { id, failed: { outcome, message: Deno.inspect(error) } };
  }
}

async function main(path: string): Promise<void> {
  const store = new DenoKvStore<string>(await Deno.openKv(path));
  const encoder = new TextEncoder();
  const say = (text: string): void => {
    // Whole lines, in one go: what was written is not torn by a kill.
    Deno.stdout.writeSync(encoder.encode(`${text}\n`));
  };
  say(READY);
  let rest = "";
  for await (
    const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      answer(store, JSON.parse(line)).then((done) => say(JSON.stringify(done)));
    }
  }
}

if (import.meta.main) await main(Deno.args[0] ?? "");
