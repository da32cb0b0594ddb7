/**
 * A process that uses a store as it is told: it reads calls from its input, a
 * line of JSON each, makes them at once, and writes what came of each when it is
 * over. For tests only.
 *
 * @module
 */

import { append } from "./_linearizability.ts";
import { type AtomicStore, StoreError, type StoreOutcome } from "./store.ts";

/** What a process is to do. */
export type WorkerCall =
  | { op: "get" | "has" | "touch" | "delete"; key: string }
  | { op: "set"; key: string; value: string }
  | {
    op: "update";
    key: string;
    /** What to append. */
    id: string;
    /** Whether to make an entry where there is none. */
    creates: boolean;
  };

/** What came of it. */
export interface WorkerAnswer {
  /** What the call resolved to. */
  result?: string | boolean | undefined;
  /** What the call had done when it failed, and why it did. */
  failed?: { outcome: StoreOutcome; message: string };
}

/** What a process writes when it can be called. */
export const READY = "ready";

async function make(
  store: AtomicStore<string>,
  call: WorkerCall,
): Promise<string | boolean | undefined | void> {
  switch (call.op) {
    case "set":
      return await store.set(call.key, call.value);
    case "update":
      return await store.update(call.key, async (list) => {
        await null;
        const isWrite = list !== undefined || call.creates;
        return isWrite ? append(list, call.id) : undefined;
      });
    default:
      return await store[call.op](call.key);
  }
}

async function answer(
  store: AtomicStore<string>,
  call: WorkerCall,
): Promise<WorkerAnswer> {
  try {
    return { result: await make(store, call) ?? undefined };
  } catch (error) {
    const outcome = error instanceof StoreError ? error.outcome : "unknown";
    return { failed: { outcome, message: Deno.inspect(error) } };
  }
}

/**
 * Answers until the input ends.
 *
 * @param ready Resolves when the store can be used, now or again.
 */
export async function serve(
  store: AtomicStore<string>,
  ready: () => Promise<void>,
): Promise<void> {
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
      const { number, call } = JSON.parse(line);
      ready().then(() => answer(store, call)).then((answer) =>
        say(JSON.stringify({ number, answer }))
      );
    }
  }
}
