/**
 * Stands in for `node:util` where there is no Node: what the tests and their
 * assertions use of it.
 *
 * @module
 */

/** Shows a value, by its own members: custom inspection is not known. */
export function inspect(value: unknown): string {
  return show(value, []);
}

function show(value: unknown, holders: readonly object[]): string {
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[Function: ${value.name}]`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  if (holders.includes(value)) return "[Circular]";
  if (holders.length > 20) return "[Object]";
  const within = [...holders, value];
  if (value instanceof Error) return `[${value}]`;
  if (value instanceof Date) return showDate(value);
  const name = Object.getPrototypeOf(value)?.constructor?.name ?? "[null]";
  if (Array.isArray(value)) {
    return `[ ${Array.from(value, (item) => show(item, within)).join(", ")} ]`;
  }
  if (value instanceof Map || value instanceof Set) {
    const items = Array.from(value, (item) => show(item, within));
    return `${name}(${value.size}) { ${items.join(", ")} }`;
  }
  const members = Object.entries(value).map(([key, member]) =>
    `${key}: ${show(member, within)}`
  );
  return `${name === "Object" ? "" : `${name} `}{ ${members.join(", ")} }`;
}

function showDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? "Invalid Date" : date.toISOString();
}

/**
 * Compares two values. Where the one of Node could look inside and this one
 * cannot, it finds fewer values equal.
 */
export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (
    typeof a !== "object" || a === null || typeof b !== "object" ||
    b === null || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)
  ) return false;
  if (a instanceof RegExp || a instanceof Error) {
    if (String(a) !== String(b)) return false;
  } else if (Object.prototype.toString.call(a) !== "[object Object]") {
    return false;
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) =>
      Object.hasOwn(b, key) &&
      isDeepStrictEqual(Reflect.get(a, key), Reflect.get(b, key))
    );
}
