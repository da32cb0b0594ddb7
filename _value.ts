/**
 * The values a store can hold, and how they are copied.
 *
 * `structuredClone` does not serve: it differs by runtime (Node 20 turns a
 * `Request` into `{}`), it shares memory, and its errors name no path.
 *
 * @module
 */

import { isThenable } from "./_argument.ts";

/** Objects, arrays, maps and sets are nested at most this deep. */
export const MAX_DEPTH = 500;

const TypedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);

const TOO_DEEP = "is nested too deep";

/** Why a value is refused. Collects the way to it as it travels up the walk. */
class Refusal {
  readonly reason: string;
  readonly cause: unknown;
  /** From the inside out. */
  readonly steps: string[] = [];
  readonly containers: object[] = [];

  constructor(reason: string, cause?: unknown) {
    this.reason = reason;
    this.cause = cause;
  }

  /** The way to what is refused, or, from a step further out, to a container. */
  path(from = 0): string {
    const path = this.steps.slice(from).reverse().join("");
    return path.replace(/^\./, "") || "value";
  }

  toError(action: string): TypeError | RangeError {
    const { reason, cause, containers } = this;
    if (reason !== TOO_DEEP) {
      return new TypeError(
        `Cannot ${action}: ${this.path()} ${reason}`,
        cause === undefined ? undefined : { cause },
      );
    }
    const seen = new Set<object>();
    for (const [i, container] of containers.toReversed().entries()) {
      if (seen.has(container)) {
        const path = this.path(containers.length - i);
        return new TypeError(
          `Cannot ${action}: ${path} is a cycle: it refers back to what holds it`,
        );
      }
      seen.add(container);
    }
    return new RangeError(
      `Cannot ${action}: value must be nested at most ${MAX_DEPTH} deep`,
    );
  }
}

/**
 * Copies a value, and checks that it is portable. Each getter is read once.
 *
 * @param action What the caller wants to do, for the message: `"set entry"`.
 *
 * @throws {TypeError} If it holds something that is not portable.
 * @throws {RangeError} If it is nested more than {@linkcode MAX_DEPTH} deep.
 */
export function copyValue<T>(action: string, value: T): T {
  try {
    return copy(value, 0) as T; // a copy has the type of what it is made from
  } catch (error) {
    throw toRefusal(error).toError(action);
  }
}

function copy(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "object":
      return value === null ? null : copyObject(value, depth);
    case "string":
    case "number":
    case "boolean":
    case "bigint":
      return value;
    default:
      throw new Refusal(
        value === undefined
          ? "is undefined: use null or leave it out"
          : `is a ${typeof value}: store data only`,
      );
  }
}

function copyObject(source: object, depth: number): object {
  const prototype = Object.getPrototypeOf(source);
  if (isPlain(prototype)) return copyMembers(source, nested(depth));
  if (
    Array.isArray(source) &&
    (prototype === Array.prototype || isPlain(Object.getPrototypeOf(prototype)))
  ) return copyItems(source, nested(depth));
  switch (prototype) {
    case Date.prototype:
      return new Date(Date.prototype.getTime.call(source));
    case Map.prototype:
      return copyMap(source as Map<unknown, unknown>, nested(depth));
    case Set.prototype:
      return copySet(source as Set<unknown>, nested(depth));
    case ArrayBuffer.prototype:
      return ArrayBuffer.prototype.slice.call(source, 0);
  }
  if (
    Object.getPrototypeOf(prototype) === TypedArrayPrototype &&
    !isShared((source as Uint8Array).buffer)
  ) return new prototype.constructor(source);
  throw new Refusal(describe(source, prototype));
}

function copyMembers(source: object, depth: number): object {
  const target: Record<string, unknown> = {};
  let key = "";
  try {
    for (key of Object.keys(source)) {
      const member = (source as Record<string, unknown>)[key];
      if (member === undefined) continue;
      if (key === "__proto__") {
        // An assignment would call the setter of Object.prototype.
        Object.defineProperty(target, key, {
          value: copy(member, depth),
          writable: true,
          enumerable: true,
          configurable: true,
        });
      } else {
        target[key] = copy(member, depth);
      }
    }
  } catch (error) {
    throw within(source, step(key), error);
  }
  return target;
}

function copyItems(source: unknown[], depth: number): unknown[] {
  const target: unknown[] = [];
  let i = 0;
  try {
    for (; i < source.length; i++) {
      const item = source[i];
      if (item === undefined && !(i in source)) {
        throw new Refusal("is a hole in an array: use null");
      }
      target.push(copy(item, depth));
    }
  } catch (error) {
    throw within(source, `[${i}]`, error);
  }
  return target;
}

function copyMap(
  source: Map<unknown, unknown>,
  depth: number,
): Map<unknown, unknown> {
  const target = new Map<unknown, unknown>();
  let part = "keys";
  try {
    for (const [key, value] of Map.prototype.entries.call(source)) {
      part = "keys";
      const copiedKey = copy(key, depth);
      part = "values";
      target.set(copiedKey, copy(value, depth));
    }
  } catch (error) {
    throw within(source, `.${part}()[${target.size}]`, error);
  }
  return target;
}

function copySet(source: Set<unknown>, depth: number): Set<unknown> {
  const target = new Set<unknown>();
  try {
    for (const item of Set.prototype.values.call(source)) {
      target.add(copy(item, depth));
    }
  } catch (error) {
    throw within(source, `.values()[${target.size}]`, error);
  }
  return target;
}

/** The depth of what a container at `depth` holds. */
function nested(depth: number): number {
  if (depth >= MAX_DEPTH) throw new Refusal(TOO_DEEP);
  return depth + 1;
}

/** `Object.prototype`, also that of another realm (a test runner's), or none. */
function isPlain(prototype: object | null): boolean {
  return prototype === Object.prototype || prototype === null ||
    (Object.getPrototypeOf(prototype) === null &&
      Object.hasOwn(prototype, "isPrototypeOf"));
}

function isShared(buffer: unknown): boolean {
  return typeof SharedArrayBuffer === "function" &&
    buffer instanceof SharedArrayBuffer;
}

function describe(source: object, prototype: object): string {
  if (isShared(source) || isShared((source as Uint8Array).buffer)) {
    return "is shared memory: store a copy of it";
  }
  if (isThenable(source)) return "is a promise: await it first";
  const name = prototype.constructor?.name || "a class";
  const instead = ArrayBuffer.isView(source)
    ? "a Uint8Array with its bytes"
    : "a plain object with its data";
  return `is an instance of ${name}: store ${instead}`;
}

function toRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(
    "cannot be read: it is detached, or a getter or a proxy threw",
    error,
  );
}

function within(container: object, step: string, error: unknown): Refusal {
  const refusal = toRefusal(error);
  refusal.steps.push(step);
  refusal.containers.push(container);
  return refusal;
}

function step(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key)
    ? `.${key}`
    : `[${JSON.stringify(key)}]`;
}
