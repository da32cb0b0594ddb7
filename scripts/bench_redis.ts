/**
 * What does an operation of `RedisStore` cost beside one of connect-redis, on
 * the same server, through the same client?
 *
 * ```sh
 * deno run -A scripts/deno.ts run -A scripts/bench_redis.ts
 * ```
 *
 * Rounds of each take turns, and the median of the ratios of neighbours counts,
 * so that what slows the machine down slows both. connect-redis has no update;
 * the floor for it is a read and a write.
 *
 * @module
 */
// deno-lint-ignore-file no-console no-import-prefix -- prints its findings; in deno.json, every task would fetch them

import { RedisStore as ConnectRedis } from "npm:connect-redis@^9.0.0";
import { createClient } from "npm:redis@^6.3.1";
import { makeVisitor, type Visitor } from "../bench/data.ts";
import { RedisServer } from "../_redis_server.ts";
import { RedisStore } from "../redis_store.ts";

type Operation = (key: string, i: number) => Promise<unknown>;

const KEYS = Array.from({ length: 1_000 }, (_, i) => `visitor-${i}`);
const HOUR = 60 * 60 * 1_000;
const ROUNDS = Number(Deno.args[0] ?? 15);

/** How many calls are in flight at a time, and how many a round has. */
const LOADS = [[1, 3_000], [50, 15_000]] as const;

/** Operations a second. */
async function measure(
  operation: Operation,
  inFlight: number,
  count: number,
): Promise<number> {
  let i = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (i < count) {
      const turn = i++;
      await operation(KEYS[turn % KEYS.length] ?? "", turn);
    }
  }));
  return count / (performance.now() - started) * 1_000;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

await using server = await RedisServer.start();
const client = await createClient({ url: server.url }).connect();
const ours = new RedisStore<Visitor>({ client, ttl: HOUR });
const theirs = new ConnectRedis({ client, ttl: HOUR / 1_000 });
const visitors = KEYS.map((_, i) => makeVisitor(i));
const visitor = (i: number) => visitors[i % visitors.length] ?? makeVisitor(i);
// It takes what express-session has, which adds a cookie to the data.
const session = (i: number) => visitor(i) as never;

const PAIRS: Record<string, [Operation, Operation]> = {
  set: [
    (key, i) => ours.set(key, visitor(i)),
    (key, i) => theirs.set(key, session(i)),
  ],
  get: [(key) => ours.get(key), (key) => theirs.get(key)],
  "get, miss": [(key) => ours.get(`${key}-`), (key) => theirs.get(`${key}-`)],
  touch: [(key) => ours.touch(key), (key, i) => theirs.touch(key, session(i))],
  "update, beside get and set": [
    (key) => ours.update(key, (value) => void value!.id++), // all are there
    async (key) => {
      const value = await theirs.get(key) as unknown as Visitor;
      value.id++;
      await theirs.set(key, value as never);
    },
  ],
  delete: [(key) => ours.delete(key), (key) => theirs.destroy(key)],
};

console.log(`Deno ${Deno.version.deno}, ${ROUNDS} rounds\n`);
console.log("| Operation | In flight | RedisStore | connect-redis | Ratio |");
console.log("| --- | --: | --: | --: | --: |");
for (const [name, [operation, floor]] of Object.entries(PAIRS)) {
  for (const [inFlight, count] of LOADS) {
    const results: [number, number][] = [];
    for (let round = -3; round < ROUNDS; round++) {
      const first = round % 2 === 0 ? operation : floor;
      const second = first === floor ? operation : floor;
      const a = await measure(first, inFlight, count);
      const b = await measure(second, inFlight, count);
      if (round >= 0) results.push(first === operation ? [a, b] : [b, a]);
    }
    const ratio = median(results.map(([a, b]) => a / b)).toFixed(2);
    const [mine, other] = [0, 1].map((side) =>
      Math.round(median(results.map((pair) => pair[side] ?? NaN)))
        .toLocaleString("en")
    );
    console.log(`| ${name} | ${inFlight} | ${mine} | ${other} | ${ratio} |`);
  }
}
client.destroy();
