/**
 * A promise that is settled from outside.
 *
 * @module
 */

/** What lets go on what waits for it. */
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
