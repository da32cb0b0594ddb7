/**
 * Several processes use one file at once, and some are killed as they do. What
 * their clients saw has to be linearizable, key by key. And the contract on
 * `npm:@deno/kv`, which answers in any order, under Node and Bun.
 *
 * The calls follow from `SEED`, 1 when it is not set; what the processes make
 * of them does not. `ROUNDS=100` runs more than the usual number, and
 * `REPORT=1` writes what was counted to the error output.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { StoreCluster } from "./_store_cluster.ts";
import { makeRandom } from "./_test_util.ts";
import { run } from "./runtimes/command.ts";
import { runKitOn } from "./runtimes/run_kit.ts";

const PROCESSES = 4;

const CLIENTS = 8;

const KEYS = 8;

/** How many calls a client makes in a round. */
const CALLS = 30;

const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 6);

const SEED = Number(Deno.env.get("SEED") ?? 1);

/** Writes a line for people, if they want it. */
function report(text: string): void {
  if (!Deno.env.has("REPORT")) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

Deno.test("DenoKvStore loses, doubles and revives nothing when processes on one file are killed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const random = makeRandom(SEED);
    await using cluster = new StoreCluster(
      Array.from(
        { length: PROCESSES },
        () => ["_deno_kv_worker.ts", `${folder}/kv.sqlite`],
      ),
    );
    let kills = 0;
    const started = performance.now();
    for (let round = 1; round <= ROUNDS; round++) {
      const killAt = [60 + random(30), 140 + random(30)];
      // All die in the last round, in others one and then another one.
      const victims = round === ROUNDS ? [0, 1, 2, 3] : [round % PROCESSES];
      await cluster.run({
        random,
        name: `${round}`,
        keys: KEYS,
        clients: CLIENTS,
        calls: CALLS,
        async disturb(call) {
          if (!killAt.includes(call)) return;
          kills += victims.length;
          await Promise.all(victims.map((victim) => cluster.replace(victim)));
        },
      });
    }
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    report(JSON.stringify({ ...cluster.counts, kills, seconds }));

    assert(cluster.counts.acknowledged > 50 * ROUNDS);
    assertEquals(cluster.counts.refused, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// npm:@deno/kv

const DENO_KV = "@deno/kv@0.14.0";

const mustTest = Deno.env.get("REQUIRE_INTEGRATION") === "1";

/** Whether npm has the package. Where it has to, the tests will say why not. */
const hasPackage = mustTest ||
  (await run("npm", ["view", DENO_KV, "version"]).catch(() => undefined))
      ?.code === 0;

for (const runtime of ["node", "bun"] as const) {
  for (const place of ["memory", "a file"]) {
    Deno.test({
      name:
        `DenoKvStore keeps the contract on npm:@deno/kv in ${place}, on ${runtime}`,
      ignore: !hasPackage,
      fn: async () => {
        const { rules, failures } = await runKitOn({
          runtime,
          program: "deno_kv.ts",
          dependency: DENO_KV,
          args: (folder) => [
            place === "memory" ? ":memory:" : `${folder}/kv.sqlite`,
          ],
        });

        report(`${runtime}, ${place}: ${rules} rules`);
        assertEquals(failures, []);
        assert(rules > 80);
      },
    });
  }
}
