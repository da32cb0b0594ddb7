/**
 * How tests are written for Deno, read for other runtimes.
 *
 * @module
 */

/** What a test does. */
export type TestFunction = () => void | Promise<void>;

/** A test, as `Deno.test({ … })` takes it. */
export interface TestDefinition {
  /** What it is called. */
  name: string;
  /** Whether it is skipped. */
  ignore?: boolean;
  /** What it does. Takes no argument: steps are not used in this project. */
  fn: TestFunction;
}

/** As much of `Deno` as the tests and their assertions use. */
export interface DenoForTests {
  /** Notes a test. */
  test(name: string, fn: TestFunction): void;
  /** Notes a test. */
  test(definition: TestDefinition): void;
  /** Shows a value in a message. */
  inspect(value: unknown): string;
  /** Lets the process end before the timer fires, where that can be said. */
  unrefTimer(timer: unknown): void;
}

/** No runtime but Deno looks for leaks, so these change nothing elsewhere. */
const WITHOUT_EFFECT = ["sanitizeExit", "sanitizeOps", "sanitizeResources"];

const KEYS = ["name", "ignore", "fn", ...WITHOUT_EFFECT];

/**
 * Reads the arguments of `Deno.test()`. What other runtimes could not do the
 * same way is refused, so that no test quietly means something else there.
 *
 * @throws {TypeError} If it is called in another way than the two above.
 */
export function readDefinition(
  first: string | TestDefinition,
  second?: TestFunction,
): Required<TestDefinition> {
  // Callers are checked by the types in Deno, and by nothing elsewhere.
  const definition: Partial<TestDefinition> = typeof first === "string"
    ? { name: first, ...(second && { fn: second }) }
    : { ...first };
  const unknown = Object.keys(definition).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw refusal(`${unknown} is not known here`);
  const { name, ignore = false, fn } = definition;
  if (typeof name !== "string" || name === "") {
    throw refusal("name must be a text");
  }
  if (typeof fn !== "function" || fn.length > 0) {
    throw refusal("fn must be a function without parameters", name);
  }
  if (typeof ignore !== "boolean") {
    throw refusal("ignore must be a boolean", name);
  }
  return { name, ignore, fn };
}

/** Puts a register of tests in the place of `Deno`. */
export function makeDeno(
  register: (definition: Required<TestDefinition>) => void,
  inspect: (value: unknown) => string,
): DenoForTests {
  return {
    test: (first: string | TestDefinition, second?: TestFunction) =>
      register(readDefinition(first, second)),
    inspect,
    unrefTimer: unref,
  };
}

function unref(timer: unknown): void {
  if (
    typeof timer === "object" && timer !== null && "unref" in timer &&
    typeof timer.unref === "function"
  ) timer.unref();
}

function refusal(rule: string, name = "unnamed"): TypeError {
  return new TypeError(`Cannot register test: ${rule}: received ${name}`);
}
