/**
 * The argument checks that all stores share. Messages name the kind of what was
 * received, never a key or a value.
 *
 * @module
 */

/** Keys are at most this long; Deno KV allows 2,048 bytes with its prefix. */
export const MAX_KEY_BYTES = 1024;

/** The longest that a timer can wait: a longer one fires at once, everywhere. */
const MAX_TIMER = 2 ** 31 - 1;

/** The latest time a `Date` can hold (ECMA-262, Time Values and Time Range). */
const MAX_TIME = 8.64e15;

/** What kind of thing a caller has passed in, for an error message. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (isThenable(value)) return "a promise: did you forget await?";
  if (typeof value === "undefined") return "undefined";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Whether `await` would wait for it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

/** @throws {TypeError} If `value` is of another type. */
export function checkType(
  action: string,
  name: string,
  value: unknown,
  type: "string" | "number" | "boolean" | "function",
): void {
  // deno-lint-ignore valid-typeof -- the type of the parameter allows no other
  if (typeof value !== type) {
    throw new TypeError(
      `Cannot ${action}: ${name} must be a ${type}: received ${kindOf(value)}`,
    );
  }
}

/**
 * @throws {TypeError} If `key` is not a string or holds a lone surrogate.
 * @throws {RangeError} If `key` is longer than {@linkcode MAX_KEY_BYTES}.
 */
export function checkKey(action: string, key: string): void {
  checkType(action, "key", key, "string");
  if (!key.isWellFormed()) {
    throw new TypeError(
      `Cannot ${action}: key must be a well-formed string: received one with a lone surrogate`,
    );
  }
  // A UTF-16 code unit takes at most three bytes.
  if (key.length * 3 <= MAX_KEY_BYTES) return;
  const bytes = new TextEncoder().encode(key).length;
  if (bytes > MAX_KEY_BYTES) {
    throw new RangeError(
      `Cannot ${action}: key must be at most ${MAX_KEY_BYTES} bytes of UTF-8: received ${bytes}`,
    );
  }
}

/**
 * @returns The lifetime in whole milliseconds, rounded up, or `Infinity`.
 *
 * @throws {TypeError} If `duration` is not a number.
 * @throws {RangeError} If `duration` is `NaN`, not above `0`, or ends later
 * than a `Date` can hold.
 */
export function checkDuration(
  action: string,
  name: string,
  duration: number,
): number {
  checkType(action, name, duration, "number");
  if (!(duration > 0)) {
    throw new RangeError(
      `Cannot ${action}: ${name} must be a number of milliseconds above 0, or Infinity: received ${duration}`,
    );
  }
  if (duration === Infinity) return Infinity;
  if (Date.now() + duration > MAX_TIME) {
    throw new RangeError(
      `Cannot ${action}: ${name} must end at a time a Date can hold; write Infinity for ever: received ${duration}`,
    );
  }
  return Math.ceil(duration);
}

/**
 * @returns A duration that a timer can wait, or `Infinity`.
 *
 * @throws {TypeError} If `timeout` is not a number.
 * @throws {RangeError} If `timeout` is `NaN`, not above `0`, or above 2^31 - 1.
 */
export function checkTimeout(
  action: string,
  name: string,
  timeout: number,
): number {
  const duration = checkDuration(action, name, timeout);
  if (duration > MAX_TIMER && duration !== Infinity) {
    throw new RangeError(
      `Cannot ${action}: ${name} must be at most ${MAX_TIMER} milliseconds, or Infinity: received ${timeout}`,
    );
  }
  return duration;
}

/**
 * Reads the own members of an options object; what it inherits does not count.
 *
 * @throws {TypeError} If `options` is not an object or has an unknown member.
 */
export function checkOptions<T extends object>(
  action: string,
  options: T,
  names: readonly (keyof T & string)[],
): T {
  if (
    typeof options !== "object" || options === null ||
    Array.isArray(options) || isThenable(options)
  ) {
    throw new TypeError(
      `Cannot ${action}: options must be an object: received ${
        kindOf(options)
      }`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!(names as readonly string[]).includes(name)) {
      throw new TypeError(
        `Cannot ${action}: unknown option ${
          JSON.stringify(name)
        }: the options are ${names.join(", ")}`,
      );
    }
  }
  return Object.assign(Object.create(null), options);
}
