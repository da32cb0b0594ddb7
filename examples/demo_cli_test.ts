/** The demo as a command: what it prints, how it fails and how it stops. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { demoCommand, startDemo } from "./demo_process.ts";

const UNIX = Deno.build.os !== "windows";

async function run(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await demoCommand(...args).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Sends bytes to the demo and gives what comes back. */
class Connection implements Disposable {
  readonly #tcp: Deno.TcpConn;
  #received = "";

  private constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  static async open(port: number): Promise<Connection> {
    return new Connection(await Deno.connect({ hostname: "localhost", port }));
  }

  async send(text: string): Promise<void> {
    await this.#tcp.write(new TextEncoder().encode(text));
  }

  async receive(text: string): Promise<void> {
    const bytes = new Uint8Array(4096);
    while (!this.#received.includes(text)) {
      const size = await this.#tcp.read(bytes);
      assert(size !== null, `"${text}" has to come, not ${this.#received}`);
      this.#received += new TextDecoder().decode(bytes.subarray(0, size));
    }
  }

  [Symbol.dispose](): void {
    this.#tcp.close();
  }
}

/** A form that is under way: the demo waits for the last 8 bytes of it. */
async function openForm(port: number): Promise<Connection> {
  const connection = await Connection.open(port);
  await connection.send([
    "POST /add HTTP/1.1",
    "Host: localhost",
    "Content-Type: application/x-www-form-urlencoded",
    "Content-Length: 8",
    // The answer to this is the proof that the demo has begun to read.
    "Expect: 100-continue",
    "\r\n",
  ].join("\r\n"));
  await connection.receive("100 Continue");
  return connection;
}

Deno.test("demo.ts says where it is and serves there", async () => {
  await using demo = await startDemo();

  const res = await fetch(demo.origin);

  assertEquals(res.status, 200);
  assertStringIncludes(await res.text(), "Good tea");
});

Deno.test("demo.ts answers 400 to a host that cannot be, and goes on", async () => {
  await using demo = await startDemo();
  using connection = await Connection.open(demo.port);

  await connection.send("GET / HTTP/1.1\r\nHost: [\r\n\r\n");
  await connection.receive("400 Bad Request");

  const res = await fetch(demo.origin);
  await res.body?.cancel();
  assertEquals(res.status, 200);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `demo.ts stops at ${signal} with exit code 0`,
    ignore: !UNIX,
    fn: async () => {
      await using demo = await startDemo();

      demo.kill(signal);

      const { code, stdout } = await demo.ended();
      assertEquals(code, 0);
      assertStringIncludes(stdout, "Stopping.");
    },
  });
}

Deno.test({
  name: "demo.ts stops only when a form that was under way is answered",
  ignore: !UNIX,
  fn: async () => {
    await using demo = await startDemo();
    using form = await openForm(demo.port);

    demo.kill("SIGINT");
    await demo.printed("Stopping.");
    await form.send("tea=mate");

    await form.receive("303 See Other");
    assertEquals((await demo.ended()).code, 0);
  },
});

Deno.test({
  name: "demo.ts stops in the end when the rest of a form does not come",
  ignore: !UNIX,
  fn: async () => {
    await using demo = await startDemo();
    using _form = await openForm(demo.port);

    demo.kill("SIGINT");

    assertEquals((await demo.ended()).code, 0);
  },
});

Deno.test({
  name: "demo.ts stops with exit code 0 when deno task repeats the signal",
  ignore: !UNIX,
  fn: async () => {
    await using demo = await startDemo();
    using form = await openForm(demo.port);

    demo.kill("SIGINT");
    await demo.printed("Stopping.");
    demo.kill("SIGINT");
    await form.send("tea=mate");

    await form.receive("303 See Other");
    assertEquals((await demo.ended()).code, 0);
  },
});

Deno.test("demo.ts says that its port is in use, and what to write instead", async () => {
  await using demo = await startDemo();
  const { port } = demo;

  const { code, stdout, stderr } = await run("--port", `${port}`);

  assertEquals(code, 1);
  assertEquals(stdout, "");
  const other = port < 65_535 ? port + 1 : 8000;
  assertEquals(
    stderr,
    `Cannot start demo: port ${port} is in use: write --port ${other} or stop the other program\n`,
  );
});

for (const value of ["x", "-1", "1.5", "65536", "0x50", "1e3", " 1", ""]) {
  Deno.test(`demo.ts refuses --port="${value}"`, async () => {
    const { code, stderr } = await run(`--port=${value}`);

    assertEquals(code, 1);
    assertEquals(
      stderr,
      `Cannot start demo: --port must be a whole number from 0 to 65535: received "${value}"\n`,
    );
  });
}

for (
  const [args, message] of [
    [["--port"], "--port must be a whole number from 0 to 65535"],
    [["--port", "-1"], "--port must be a whole number from 0 to 65535"],
    [["--prot", "1"], "Unknown option '--prot'\n\nUsage: deno task demo"],
    [["8000"], "Unexpected argument '8000'\n\nUsage: deno task demo"],
  ] as const
) {
  Deno.test(`demo.ts refuses ${args.join(" ")}`, async () => {
    const { code, stderr } = await run(...args);

    assertEquals(code, 1);
    assertStringIncludes(stderr, `Cannot start demo: ${message}`);
  });
}

for (const args of [["--help"], ["-h"], ["--", "--help"]]) {
  Deno.test(`demo.ts explains itself with ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await run(...args);

    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "Usage: deno task demo [--port N]");
  });
}
