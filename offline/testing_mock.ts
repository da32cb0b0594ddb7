/**
 * Stands in for `@std/testing/mock` where JSR does not answer: spies, stubs
 * and the assertions about their calls.
 *
 * @module
 */

import { assertEquals, AssertionError, assertThrows } from "./assert.ts";
import type { AnyConstructor } from "./assert.ts";

/** Thrown when something cannot be spied on or restored. */
export class MockError extends Error {
  /** Makes an error with this message. */
  constructor(message: string) {
    super(message);
    this.name = "MockError";
  }
}

/** What a spy noted of one call. */
export interface SpyCall<
  Self = unknown,
  Args extends unknown[] = unknown[],
  Return = unknown,
> {
  /** What it was called with. */
  args: Args;
  /** What it returned. */
  returned?: Return;
  /** What it threw. */
  error?: Error;
  /** What it was called on. */
  self?: Self;
}

/** A function that notes each call. */
export interface Spy<
  Self = unknown,
  Args extends unknown[] = unknown[],
  Return = unknown,
> {
  (this: Self, ...args: Args): Return;
  /** The function spied on. */
  original: (this: Self, ...args: Args) => Return;
  /** The calls so far, the first one first. */
  calls: SpyCall<Self, Args, Return>[];
  /** Whether the method is what it was before. */
  restored: boolean;
  /** Makes the method what it was before. */
  restore(): void;
}

/** A method that notes each call, until it is restored. */
export interface MethodSpy<
  Self = unknown,
  Args extends unknown[] = unknown[],
  Return = unknown,
> extends Spy<Self, Args, Return>, Disposable {}

/** A method replaced by another function, until it is restored. */
export interface Stub<
  Self = unknown,
  Args extends unknown[] = unknown[],
  Return = unknown,
> extends MethodSpy<Self, Args, Return> {
  /** The function that runs instead. */
  fake: (this: Self, ...args: Args) => Return;
}

/** What {@linkcode assertSpyCall} expects of a call; all of it is optional. */
export interface ExpectedSpyCall<
  Self = unknown,
  Args extends unknown[] = unknown[],
  Return = unknown,
> {
  /** What it was called with. */
  args?: [...Args, ...unknown[]];
  /** What it returned. */
  returned?: Return;
  /** What it was called on. */
  self?: Self;
  /** The class of what it threw, and a part of the message. */
  error?: { Class?: AnyConstructor<Error>; msgIncludes?: string };
}

/** The parameters of a method. */
export type GetParametersFromProp<Self, Prop extends keyof Self> =
  Self[Prop] extends (...args: infer Args) => unknown ? Args : unknown[];

/** What a method returns. */
export type GetReturnFromProp<Self, Prop extends keyof Self> =
  Self[Prop] extends (...args: never[]) => infer Return ? Return : unknown;

type Method<Self, Args extends unknown[], Return> = (
  this: Self,
  ...args: Args
) => Return;

/** Makes a function that notes its calls and hands them to another one. */
function record<Self, Args extends unknown[], Return>(
  run: Method<Self, Args, Return>,
  original: Method<Self, Args, Return>,
  putBack: () => void,
): MethodSpy<Self, Args, Return> {
  const calls: SpyCall<Self, Args, Return>[] = [];

  function recorder(this: Self, ...args: Args): Return {
    const call: SpyCall<Self, Args, Return> = { args };
    if (this) call.self = this;
    try {
      call.returned = run.apply(this, args);
      return call.returned;
    } catch (error) {
      // What is thrown is nearly always an error, and the real one says so.
      call.error = error as Error;
      throw error;
    } finally {
      calls.push(call);
    }
  }

  const spy = Object.assign(recorder, {
    original,
    calls,
    restored: false,
    restore(): void {
      if (spy.restored) {
        throw new MockError("Cannot restore method: it is restored already");
      }
      putBack();
      spy.restored = true;
    },
    [Symbol.dispose](): void {
      spy.restore();
    },
  });
  return spy;
}

/** TypeScript cannot tell one function from another; the caller can. */
function isMethod<Self, Args extends unknown[], Return>(
  value: unknown,
): value is Method<Self, Args, Return> {
  return typeof value === "function";
}

/** Puts a recorder in the place of a method; `run` is what it then does. */
function replace<Self extends object, Args extends unknown[], Return>(
  self: Self,
  property: keyof Self,
  run?: Method<Self, Args, Return>,
): MethodSpy<Self, Args, Return> {
  const original: unknown = self[property];
  if (!isMethod<Self, Args, Return>(original)) {
    throw new MockError(
      `Cannot spy on property: it must be a method: received ${typeof original}`,
    );
  }
  const before = Object.getOwnPropertyDescriptor(self, property);
  if (before && !before.configurable) {
    throw new MockError("Cannot spy on method: it must be configurable");
  }

  const spy = record<Self, Args, Return>(run ?? original, original, () => {
    if (before) Object.defineProperty(self, property, before);
    else Reflect.deleteProperty(self, property);
  });
  Object.defineProperty(self, property, {
    configurable: true,
    enumerable: before?.enumerable ?? false,
    writable: before?.writable ?? true,
    value: spy,
  });
  return spy;
}

/** Makes a function that notes its calls and does nothing. */
export function spy<
  Self = unknown,
  Args extends unknown[] = unknown[],
>(): Spy<Self, Args, undefined>;
/** Makes a function that notes its calls and does what this one does. */
export function spy<Self, Args extends unknown[], Return>(
  func: (this: Self, ...args: Args) => Return,
): Spy<Self, Args, Return>;
/** Has a method note its calls until the spy is restored. */
export function spy<Self extends object, Prop extends keyof Self>(
  self: Self,
  property: Prop,
): MethodSpy<
  Self,
  GetParametersFromProp<Self, Prop>,
  GetReturnFromProp<Self, Prop>
>;
export function spy<Self extends object, Args extends unknown[], Return>(
  target?: Self | Method<Self, Args, Return>,
  property?: keyof Self,
): Spy<Self, Args, Return> | Spy<Self, Args, undefined> {
  function putBack(): never {
    throw new MockError("Cannot restore function: it replaced no method");
  }
  if (target === undefined) {
    const nothing = () => undefined;
    return record<Self, Args, undefined>(nothing, nothing, putBack);
  }
  if (property !== undefined) {
    // Of the overloads only the one for methods has a property, so the target
    // is the object the property belongs to.
    return replace<Self, Args, Return>(target as Self, property);
  }
  if (typeof target !== "function") {
    throw new MockError("Cannot spy on object: name the method to spy on");
  }
  return record(target, target, putBack);
}

/** Replaces a method until the stub is restored; left out, by nothing. */
export function stub<Self extends object, Prop extends keyof Self>(
  self: Self,
  property: Prop,
  func?: (
    this: Self,
    ...args: GetParametersFromProp<Self, Prop>
  ) => GetReturnFromProp<Self, Prop>,
): Stub<
  Self,
  GetParametersFromProp<Self, Prop>,
  GetReturnFromProp<Self, Prop>
> {
  type Result = GetReturnFromProp<Self, Prop>;
  // A stub without a function returns `undefined` whatever the method's type:
  // whoever leaves it out says that the result is not looked at.
  const fake = func ?? (() => undefined as Result);
  return Object.assign(
    replace<Self, GetParametersFromProp<Self, Prop>, Result>(
      self,
      property,
      fake,
    ),
    { fake },
  );
}

/** Asserts that the spy was called this many times. */
export function assertSpyCalls<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Return>,
  expectedCalls: number,
): void {
  const calls = spy.calls.map(({ args }) => args);
  if (calls.length === expectedCalls) return;
  throw new AssertionError(
    `Expected ${expectedCalls} calls, got ${calls.length}: ${
      Deno.inspect(calls)
    }`,
  );
}

/** Asserts that the spy's call at this index, from 0, was as expected. */
export function assertSpyCall<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Return>,
  callIndex: number,
  expected: ExpectedSpyCall<Self, Args, Return> = {},
): void {
  const call = spy.calls[callIndex];
  if (!call) {
    throw new AssertionError(
      `Expected a call at index ${callIndex}, got ${spy.calls.length} calls`,
    );
  }
  const { args, error } = expected;
  if (args) assertEquals<unknown[]>(call.args, args, "arguments of the call");
  if ("self" in expected) {
    assertEquals(call.self, expected.self, "object of the call");
  }
  if ("returned" in expected) {
    if ("error" in call) {
      throw new AssertionError("Expected call to return, but it threw", {
        cause: call.error,
      });
    }
    assertEquals(call.returned, expected.returned, "result of the call");
  }
  if (error) {
    if (!("error" in call)) {
      throw new AssertionError("Expected call to throw, but it returned");
    }
    assertThrows(
      () => {
        throw call.error;
      },
      error.Class ?? Error,
      error.msgIncludes,
      "error of the call",
    );
  }
}
