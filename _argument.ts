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
  if (value === null || value === undefined) return `${value}`;
  if (Array.isArray(value)) return "an array";
  if (isThenable(value)) return "a promise: did you forget await?";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Whether `await` would wait for it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

/** Goes on at once when there is nothing to wait for, else later. */
export function chain<T, U>(
  value: T | Promise<T>,
  next: (value: T) => U,
): U | Promise<U> {
  return isThenable(value)
    ? Promise.resolve(value as PromiseLike<T>).then(next)
    : next(value);
}

/** A string as it would be written in a program, or else the kind of thing. */
export function quote(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : kindOf(value);
}

/** Whether a value has all of these methods, own or inherited. */
export function hasMethods(value: unknown, ...names: string[]): boolean {
  const members = Object(value) as Record<string, unknown>;
  return names.every((name) => typeof members[name] === "function");
}

/** The error for an argument of the wrong shape. */
export function typeError(
  action: string,
  rule: string,
  received: string,
): TypeError {
  return new TypeError(`Cannot ${action}: ${rule}: received ${received}`);
}

/** The error for an argument of the right shape that is out of its range. */
export function rangeError(
  action: string,
  rule: string,
  received: unknown,
): RangeError {
  return new RangeError(`Cannot ${action}: ${rule}: received ${received}`);
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
    throw typeError(action, `${name} must be a ${type}`, kindOf(value));
  }
}

/**
 * @throws {TypeError} If `key` is not a string or holds a lone surrogate.
 * @throws {RangeError} If `key` is longer than {@linkcode MAX_KEY_BYTES}.
 */
export function checkKey(action: string, key: string): void {
  checkText(action, "key", key, MAX_KEY_BYTES);
}

/**
 * Checks what is to be, or to be part of, the key of an entry.
 *
 * @throws {TypeError} If `text` is not a string or holds a lone surrogate.
 * @throws {RangeError} If `text` is longer than `maxBytes` in UTF-8.
 */
export function checkText(
  action: string,
  name: string,
  text: string,
  maxBytes: number,
): void {
  checkType(action, name, text, "string");
  if (!text.isWellFormed()) {
    const rule = `${name} must be a well-formed string`;
    throw typeError(action, rule, "one with a lone surrogate");
  }
  // A UTF-16 code unit takes at most three bytes.
  if (text.length * 3 <= maxBytes) return;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > maxBytes) {
    const rule = `${name} must be at most ${maxBytes} bytes of UTF-8`;
    throw rangeError(action, rule, bytes);
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
    throw rangeError(
      action,
      `${name} must be a number of milliseconds above 0, or Infinity`,
      duration,
    );
  }
  if (duration === Infinity) return Infinity;
  // Until the year 138,000, the clock need not be read for the first half.
  if (duration > MAX_TIME / 2 && Date.now() + duration > MAX_TIME) {
    throw rangeError(
      action,
      `${name} must end at a time a Date can hold; write Infinity for ever`,
      duration,
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
    throw rangeError(
      action,
      `${name} must be at most ${MAX_TIMER} milliseconds, or Infinity`,
      timeout,
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
  checkNames(action, options, names);
  return Object.assign(Object.create(null), options);
}

/** @throws {TypeError} As {@linkcode checkOptions}. */
export function checkNames<T extends object>(
  action: string,
  options: T,
  names: readonly (keyof T & string)[],
): void {
  const kind = kindOf(options);
  if (kind !== "an object") {
    throw typeError(action, "options must be an object", kind);
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
}

/**
 * Fills in what an options object leaves out; what it inherits does not count.
 *
 * @param base Has every member that there can be, as its own: so none is read
 * from a polluted prototype.
 *
 * @throws {TypeError} As {@linkcode checkOptions}.
 */
export function mergeOptions<T extends object>(
  action: string,
  options: { [Name in keyof T]?: T[Name] | undefined },
  base: T,
): T {
  const names = Object.keys(base) as (keyof T & string)[]; // no others are own
  const given = checkOptions<typeof options>(action, options, names);
  const present = Object.entries(given)
    .filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(present) };
}
