/**
 * Several processes use one store at once, and what their clients saw is checked:
 * it has to be linearizable, key by key.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  formatEvent,
  type HistoryEvent,
  linearize,
  type Operation,
  splitByKey,
} from "./_linearizability.ts";
import { READY, type WorkerAnswer, type WorkerCall } from "./_store_worker.ts";
import type { StoreOutcome } from "./store.ts";
import type { Random } from "./_test_util.ts";

/** A process with a store. */
class Worker {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #open = new Map<number, (answer?: WorkerAnswer) => void>();
  readonly #ended: Promise<void>;
  #lastNumber = 0;

  private constructor(
    process: Deno.ChildProcess,
    lines: AsyncIterable<string>,
  ) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#ended = this.#listen(lines);
  }

  /** Runs a script that calls `serve` of `_store_worker.ts`. */
  static async start([script = "", ...args]: string[]): Promise<Worker> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-lock",
        "--unstable-kv",
        "-A",
        path,
        ...args,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = readLines(process.stdout);
    const { value } = await lines.next();
    assertEquals(value, READY);
    return new Worker(process, lines);
  }

  /** Resolves to nothing when the process is dead before it has answered. */
  async call(call: WorkerCall): Promise<WorkerAnswer | undefined> {
    const number = ++this.#lastNumber;
    const answered = new Promise<WorkerAnswer | undefined>((resolve) =>
      this.#open.set(number, resolve)
    );
    const line = `${JSON.stringify({ number, call })}\n`;
    // To write to a process that was killed fails; the answer tells.
    this.#input.write(new TextEncoder().encode(line)).catch(() => {});
    return await answered;
  }

  /** Ends the process as a crash does, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  async stop(): Promise<void> {
    await this.#input.close();
    await this.#ended;
  }

  async #listen(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      const { number, answer } = JSON.parse(line);
      this.#open.get(number)?.(answer);
      this.#open.delete(number);
    }
    await this.#process.status;
    await this.#input.abort().catch(() => {}); // it may be closed
    for (const resolve of this.#open.values()) resolve();
    this.#open.clear();
  }
}

async function* readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Options for {@linkcode StoreCluster.run}. */
export interface RoundOptions {
  random: Random;
  /** What the keys of the round begin with. */
  name: string;
  /** How many keys, besides one that is only appended to. */
  keys: number;
  /** How many clients, each of which makes one call after the other. */
  clients: number;
  /** How many calls each makes. */
  calls: number;
  /** Called with the number of each call, from 1; breaks something, or not. */
  disturb(call: number): Promise<void>;
}

/** Some operations come more often than others. */
const OPERATIONS = [
  ...["get", "get", "has", "set", "touch", "delete", "delete"] as const,
  ...["update", "update", "update", "update", "append", "append"] as const,
];

/** Processes on one store, and what their clients saw. */
export class StoreCluster implements AsyncDisposable {
  readonly #commands: string[][];
  /** Those of processes that were killed are the ones to come. */
  readonly #workers: Promise<Worker>[];
  /** On which all events lie. */
  #clock = 0;
  /** Writes by what their callers were told, and reads that have failed. */
  readonly counts = { acknowledged: 0, unknown: 0, refused: 0, failedReads: 0 };

  /** @param commands Scripts and their arguments, one for each process. */
  constructor(commands: string[][]) {
    this.#commands = commands;
    this.#workers = commands.map(Worker.start);
  }

  /** Ends a process as a crash does, and starts another in its place. */
  async replace(index: number): Promise<void> {
    const worker = this.#workers[index];
    const command = this.#commands[index];
    if (worker === undefined || command === undefined) return;
    const next = worker.then(async (killed) => {
      await killed.kill();
      return await Worker.start(command);
    });
    this.#workers[index] = next;
    await next;
  }

  /**
   * Lets clients loose on keys of their own, and checks what they saw.
   *
   * @throws {AssertionError} If it cannot have been.
   */
  async run(options: RoundOptions): Promise<void> {
    const { name, random, calls, clients, disturb } = options;
    const events: HistoryEvent[] = [];
    const keys = Array.from({ length: options.keys }, (_, i) => `${name}-${i}`);
    const growing = `${name}-growing`;
    let count = 0;

    await Promise.all(Array.from({ length: clients }, async (_, client) => {
      for (let i = 0; i < calls; i++) {
        const id = `${name}.${client}.${i}`;
        const key = keys[random(keys.length)] ?? "";
        const call = pickCall(key, growing, id, random);
        const done = this.#call(events, client, call);
        await disturb(++count);
        await done;
      }
    }));
    for (const key of [...keys, growing]) {
      await this.#call(events, 0, { op: "get", key });
    }

    events.sort((one, other) => one.call - other.call);
    for (const [key, history] of splitByKey(events)) {
      const { verdict } = linearize(history);
      const lines = history.map(formatEvent).join("\n");
      assert(verdict === "linearizable", `${key}: ${verdict}:\n${lines}`);
      if (key === growing) checkGrowth(history);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => {
      await (await worker).stop();
    }));
  }

  /** Makes a call in a process, and notes what came of it. */
  async #call(
    events: HistoryEvent[],
    client: number,
    body: WorkerCall,
  ): Promise<void> {
    const call = ++this.#clock;
    const worker = await this.#workers[client % this.#workers.length];
    const answer = await worker?.call(body);
    const outcome: StoreOutcome | undefined = answer === undefined
      ? "unknown"
      : answer.failed?.outcome;
    const isRead = body.op === "get" || body.op === "has";
    if (isRead && outcome !== undefined) this.counts.failedReads++;
    else if (isRead) void 0;
    else if (outcome === undefined) this.counts.acknowledged++;
    else if (outcome === "unknown") this.counts.unknown++;
    else this.counts.refused++;
    if (outcome === "not applied" || (outcome === "unknown" && isRead)) return;
    events.push({
      // What the call resolves to is the outcome of its operation.
      ...{ ...body, outcome: answer?.result } as Operation,
      client,
      call,
      ret: outcome === "unknown" ? Infinity : ++this.#clock,
      calledAt: 0,
      returnedAt: 0,
    });
  }
}

function pickCall(
  key: string,
  growing: string,
  id: string,
  random: Random,
): WorkerCall {
  const op = OPERATIONS[random(OPERATIONS.length)] ?? "get";
  switch (op) {
    case "append":
      return { op: "update", key: growing, id, creates: true };
    case "update":
      return { op, key, id, creates: random(2) === 0 };
    case "set":
      return { op, key, value: id };
    default:
      return { op, key };
  }
}

/** The same for a key that only grows, in plain words. */
function checkGrowth(history: readonly HistoryEvent[]): void {
  const final = history.at(-1);
  assert(final?.op === "get");
  const ids = final.outcome?.split(",") ?? [];
  assertEquals(ids.length, new Set(ids).size, "an update was done twice");
  const updates = history.filter((event) => event.op === "update");
  const asked = new Map(updates.map(({ id, ret }) => [id, ret]));
  for (const [id, ret] of asked) {
    assert(ret === Infinity || ids.includes(id), "an update was lost");
  }
  assert(ids.every((id) => asked.has(id)), "an update was made up");
}
