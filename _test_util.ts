/**
 * What several test files share.
 *
 * @module
 */

/** A promise that the test settles when it wants to. */
export interface Gate {
  /** Resolves when the gate is opened. */
  readonly opened: Promise<void>;
  /** Resolves {@linkcode Gate.opened}. */
  open(): void;
}

/** Makes a closed gate. `Promise.withResolvers()` is not on Node 20. */
export function makeGate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { opened, open };
}

/** A promise that never settles. */
export function hang(): Promise<never> {
  return new Promise(() => {});
}

/** Passes a value where its type does not fit, as callers in JavaScript do. */
export function untyped(value: unknown): never {
  return value as never; // wrong on purpose: the callee has to notice
}
