/**
 * The text form of the values a store can hold.
 *
 * A value that JSON can tell is plain JSON, which anybody can read. Any other
 * begins with `~` and is JSON in which an object with one member, its name
 * beginning with `$`, stands for what JSON has no word for:
 *
 * ```text
 * ~{"seen":{"$Date":0},"tags":{"$Set":["a",{"$BigInt":"1"}]}}
 * ```
 *
 * An object of the user that looks like that gets a second `$`.
 *
 * @module
 */

/** What a text begins with that is more than JSON. */
const TAGGED = "~";

/** How many arguments a call can have on every runtime. */
const MAX_ARGUMENTS = 8192;

const TYPED_ARRAYS: ReadonlySet<string> = new Set([
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array", // not on every runtime
  "Float32Array",
  "Float64Array",
]);

/**
 * Writes a value as text.
 *
 * @param value What `copyValue` of `_value.ts` has returned.
 */
export function encodeValue(value: unknown): string {
  return isJson(value)
    ? JSON.stringify(value)
    : TAGGED + JSON.stringify(toTagged(value));
}

/**
 * Reads what {@linkcode encodeValue} has written.
 *
 * @returns The value, which belongs to the caller.
 *
 * @throws {SyntaxError} If it has not written it. Plain JSON is the exception:
 * that of others is read as well, however it is spaced and nested.
 */
export function decodeValue(text: string): unknown {
  try {
    if (!text.startsWith(TAGGED)) return JSON.parse(text);
    const value = fromTagged(JSON.parse(text.slice(TAGGED.length)));
    // A value has one text, so one comparison finds whatever is not ours.
    if (encodeValue(value) === text) return value;
  } catch {
    // The error of a parser quotes the text.
  }
  throw new SyntaxError("Cannot read value: its text is foreign or corrupt");
}

/** Whether JSON gives back the same. */
function isJson(value: unknown): boolean {
  if (typeof value === "string") return true; // most are
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0);
  }
  if (typeof value !== "object" || value === null) {
    return typeof value !== "bigint";
  }
  if (Array.isArray(value)) return value.every(isJson);
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    // A copy has own members only, but a prototype may have been polluted.
    if (!isJson(value[key as never]) && Object.hasOwn(value, key)) return false;
  }
  return true;
}

function toTagged(value: unknown): unknown {
  if (typeof value === "bigint") return { $BigInt: `${value}` };
  if (typeof value === "number" && !isJson(value)) {
    return { $Number: Object.is(value, -0) ? "-0" : `${value}` };
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(toTagged);
  if (value instanceof Date) return { $Date: value.getTime() }; // NaN is null
  if (value instanceof Map) {
    return { $Map: Array.from(value, (entry) => entry.map(toTagged)) };
  }
  if (value instanceof Set) return { $Set: Array.from(value, toTagged) };
  if (value instanceof ArrayBuffer) return { $ArrayBuffer: toBase64(value) };
  if (ArrayBuffer.isView(value)) {
    const { buffer, [Symbol.toStringTag]: name } = value as Uint8Array;
    // It is a copy, so the buffer is its own, and no shared one.
    return { [`$${name}`]: toBase64(buffer as ArrayBuffer) };
  }
  const members = Object.entries(value)
    .map(([key, member]) => [key, toTagged(member)] as const);
  const [first] = members;
  return members.length === 1 && first?.[0].startsWith("$")
    ? { [`$${first[0]}`]: first[1] }
    : Object.fromEntries(members);
}

/** From the inside out, in place. */
function fromTagged(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value);
  const members = value as Record<string, unknown>;
  // The members are own ones, `__proto__` too: no setter is called.
  for (const key of keys) members[key] = fromTagged(members[key]);
  const [name] = keys;
  return keys.length === 1 && name?.startsWith("$")
    ? fromTag(name.slice(1), members[name])
    : value;
}

/** What it is given is checked by writing what it returns. */
function fromTag(name: string, content: unknown): unknown {
  switch (name) {
    case "BigInt":
      return BigInt(content as string);
    case "Number":
      return Number(content);
    case "Date":
      return new Date(content as number ?? NaN);
    case "Map":
      return new Map(content as [unknown, unknown][]);
    case "Set":
      return new Set(content as unknown[]);
    case "ArrayBuffer":
      return fromBase64(content as string);
  }
  if (TYPED_ARRAYS.has(name)) {
    const types = globalThis as unknown as Record<
      string,
      Uint8ArrayConstructor
    >;
    const TypedArray = types[name]; // they differ in what an item is
    if (TypedArray) return new TypedArray(fromBase64(content as string));
  }
  if (name.startsWith("$")) return { [name]: content };
  throw new SyntaxError(`Cannot read value: unknown tag`);
}

function toBase64(buffer: ArrayBuffer): string {
  const bytes = new Uint8Array(buffer);
  let binary = "";
  for (let i = 0; i < bytes.length; i += MAX_ARGUMENTS) {
    binary += String.fromCharCode(...bytes.subarray(i, i + MAX_ARGUMENTS));
  }
  return btoa(binary);
}

function fromBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0)).buffer;
}
