/**
 * What a session holds, and how it is changed.
 *
 * @module
 */

import { chain, kindOf, typeError } from "./_argument.ts";
import { copyValue } from "./_value.ts";

/** A change of a session's data: a patch, or a function. */
export type SessionChange<Data> =
  | SessionPatch<Data>
  | ((
    data: Data,
  ) => Data | undefined | void | Promise<Data | undefined | void>);

/**
 * What a new session holds; or a function that makes it of a copy of the data of
 * the session before, `undefined` when there was none.
 */
export type SessionStart<Data> =
  | Data
  | ((previous: Data | undefined) => Data | Promise<Data>);

/** Members to set; those that are `undefined` are removed. */
export type SessionPatch<Data> = {
  [Key in keyof Data]?: Data[Key] | undefined;
};

/**
 * @returns A copy of the data.
 *
 * @throws {TypeError} If it is not a plain object, holds what is not portable,
 * or has an own `__proto__` at any depth: a later `Object.assign` would change
 * a prototype with it.
 */
export function checkData<Data>(action: string, data: Data): Data {
  const kind = kindOf(data);
  // In the store it is one level deeper: what fits here has to fit there.
  const copy = kind === "an object"
    ? copyValue(action, { data }).data
    : undefined;
  if (
    copy === undefined || Object.getPrototypeOf(copy) !== Object.prototype
  ) {
    throw typeError(action, "data must be a plain object", kind);
  }
  if (hasOwnProto(copy)) {
    throw new TypeError(
      `Cannot ${action}: data must not have a member "__proto__"`,
    );
  }
  return copy;
}

function hasOwnProto(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (ArrayBuffer.isView(value)) return false;
  if (value instanceof Map || value instanceof Set) {
    return [...value].some(hasOwnProto);
  }
  return Object.hasOwn(value, "__proto__") ||
    Object.values(value).some(hasOwnProto);
}

/**
 * Makes a function of a change, which is copied as it is now.
 *
 * @throws {TypeError} If it is neither a function nor a patch.
 */
export function toChanger<Data extends object>(
  action: string,
  change: SessionChange<Data>,
): (data: Data) => Data | Promise<Data> {
  if (typeof change === "function") {
    // A function that returns nothing has changed its argument.
    return (data) =>
      chain(
        change(data),
        (after) => checkData(action, after === undefined ? data : after),
      );
  }
  const members = checkData(action, change);
  const removed = Object.keys(change).filter((key) =>
    !Object.hasOwn(members, key)
  );
  return (data) => {
    const patched: Record<string, unknown> = { ...data, ...members };
    for (const key of removed) delete patched[key];
    return patched as Data; // a patch has members of Data only
  };
}

/**
 * Makes a function of what a session starts with, which is copied as it is now.
 *
 * @throws {TypeError} If it is neither a function nor data.
 */
export function toStarter<Data extends object>(
  action: string,
  start: SessionStart<Data>,
): (previous: Data | undefined) => Promise<Data> {
  if (typeof start === "function") {
    return async (previous) => checkData(action, await start(previous));
  }
  const data = checkData(action, start);
  return () => Promise.resolve(data);
}
