/**
 * Runs tests where the platform has no runner of its own.
 *
 * @module
 */

import type { TestDefinition } from "./definition.ts";

/** What became of a test. */
export interface TestResult {
  /** What the test is called. */
  name: string;
  /** Whether it did what it says. */
  outcome: "passed" | "failed" | "skipped";
  /** Why it failed, with the stack, or why it was skipped. */
  detail?: string;
}

/** Options for {@linkcode runTests}. */
export interface RunTestsOptions {
  /**
   * The names of tests that cannot run here, and why.
   *
   * @default {{}}
   */
  skips?: Readonly<Record<string, string>>;
  /**
   * How long a test may take, in milliseconds.
   *
   * @default {60000}
   */
  timeout?: number;
}

/** What an event says about an error that nobody has caught. */
interface UncaughtEvent extends Event {
  promise?: unknown;
  reason?: unknown;
  error?: unknown;
}

/** As much of Node's `process` as is used. */
interface NodeProcess {
  on?(type: string, listener: (error: unknown, key: unknown) => void): void;
  off?(type: string, listener: (error: unknown, key: unknown) => void): void;
}

/** The real ones: tests may put others in their place. */
const { setTimeout, clearTimeout } = globalThis;

/**
 * Runs the tests one after another. An error that nobody catches, in a test or
 * after it, is a failure too.
 */
export async function runTests(
  tests: readonly Required<TestDefinition>[],
  options: RunTestsOptions = {},
): Promise<TestResult[]> {
  const { skips = {}, timeout = 60_000 } = options;
  const results: TestResult[] = [];
  const uncaught = new Map<unknown, TestResult>();
  let running = "no test";

  function note(error: unknown, key: unknown): void {
    uncaught.set(key, {
      name: `uncaught error during ${running}`,
      outcome: "failed",
      detail: describe(error),
    });
  }

  using _listening = listen(note, (key) => uncaught.delete(key));
  for (const { name, ignore, fn } of tests) {
    running = name;
    const reason = Object.hasOwn(skips, name) ? skips[name] : undefined;
    if (reason !== undefined || ignore) {
      const detail = reason ?? "ignored by the test itself";
      results.push({ name, outcome: "skipped", detail });
      continue;
    }
    try {
      await within(timeout, fn);
      results.push({ name, outcome: "passed" });
    } catch (error) {
      results.push({ name, outcome: "failed", detail: describe(error) });
    }
  }
  for (const name of Object.keys(skips)) {
    if (tests.some((test) => test.name === name)) continue;
    const detail = "It is to be skipped, but there is no such test";
    results.push({ name, outcome: "failed", detail });
  }
  // A rejection is reported a turn after it was left alone.
  await new Promise((resolve) => setTimeout(resolve, 10));
  return [...results, ...uncaught.values()];
}

/**
 * Listens for errors that nobody catches, in the ways of the web and of Node.
 * Late handlers are forgiven on the web alone: workerd does not wait for them
 * before it complains, and Node would have ended the process.
 */
function listen(
  note: (error: unknown, key: unknown) => void,
  forget: (key: unknown) => void,
): Disposable {
  function noteEvent(event: UncaughtEvent): void {
    event.preventDefault();
    const { promise = event, reason, error = reason } = event;
    note(error, promise);
  }

  const events = {
    error: noteEvent,
    unhandledrejection: noteEvent,
    rejectionhandled: ({ promise }: UncaughtEvent) => forget(promise),
  };
  const nodeEvents = {
    uncaughtException: (error: unknown) => note(error, error),
    unhandledRejection: note,
  };
  const { process } = globalThis as { process?: NodeProcess }; // on most
  for (const [type, listener] of Object.entries(events)) {
    globalThis.addEventListener?.(type, listener);
  }
  for (const [type, listener] of Object.entries(nodeEvents)) {
    process?.on?.(type, listener);
  }
  return {
    [Symbol.dispose]: () => {
      for (const [type, listener] of Object.entries(events)) {
        globalThis.removeEventListener?.(type, listener);
      }
      for (const [type, listener] of Object.entries(nodeEvents)) {
        process?.off?.(type, listener);
      }
    },
  };
}

async function within(
  timeout: number,
  fn: () => void | Promise<void>,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`The test has not ended within ${timeout} ms`);
    timer = setTimeout(() => reject(error), timeout);
  });
  try {
    await Promise.race([fn(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const title = `${error.name}: ${error.message}`;
  const stack = error.stack ?? "";
  return stack.includes(error.message) ? stack : `${title}\n${stack}`;
}
