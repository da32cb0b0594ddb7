/**
 * How the operations of a store fail.
 *
 * @module
 */

/**
 * What a write that failed has done to the store: `"applied"`, `"not applied"`,
 * or `"unknown"` when the answer of the engine was lost.
 */
export type StoreOutcome = "applied" | "not applied" | "unknown";

/**
 * The failure of an operation that was well-formed: the engine could not do it.
 * Messages and properties never hold a key or a value.
 *
 * @example Tell a failure from a miss
 * ```ts
 * import { MemoryStore, StoreError } from "@harpia/memory-store";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const store = new MemoryStore<number>();
 * await store[Symbol.asyncDispose]();
 *
 * const error = await assertRejects(() => store.set("a", 1), StoreError);
 *
 * assertEquals(error.outcome, "not applied");
 * ```
 */
export class StoreError extends Error {
  /** The name of the class, also in a minified build. */
  override name = "StoreError";
  /** What the operation has done to the store. */
  readonly outcome: StoreOutcome;

  /**
   * Describes a failed operation.
   *
   * @param message What could not be done and why.
   * @param outcome What the operation has done to the store.
   * @param options The error of the engine, as `cause`.
   */
  constructor(message: string, outcome: StoreOutcome, options?: ErrorOptions) {
    super(message, options);
    this.outcome = outcome;
  }
}

/**
 * The engine has not answered in time. Whether a write was applied is known only
 * if it was not sent yet.
 */
export class StoreTimeoutError extends StoreError {
  /** The name of the class, also in a minified build. */
  override name = "StoreTimeoutError";

  /**
   * Describes an operation that took too long.
   *
   * @param action What the caller wanted: `"set entry"`.
   * @param timeout The bound that was exceeded, in milliseconds.
   * @param outcome What the operation has done to the store.
   */
  constructor(action: string, timeout: number, outcome: StoreOutcome) {
    super(
      `Cannot ${action}: the engine has not answered within ${timeout} ms`,
      outcome,
    );
  }
}

/**
 * What the engine holds under a key was not written by this package, or not by
 * a version this one knows. It is never taken for a miss and never overwritten
 * by an update; `delete` and `set` end it.
 */
export class CorruptEntryError extends StoreError {
  /** The name of the class, also in a minified build. */
  override name = "CorruptEntryError";

  /**
   * Describes an entry that cannot be read.
   *
   * @param action What the caller wanted: `"get entry"`.
   * @param options The error of the reader, as `cause`.
   */
  constructor(action: string, options?: ErrorOptions) {
    super(
      `Cannot ${action}: the entry is foreign or corrupt: delete it or set it anew`,
      "not applied",
      options,
    );
  }
}

/**
 * An {@linkcode AtomicStore.update} was given up because an asynchronous `fn`
 * of its key did not settle in time. Nothing of it was applied, and nothing
 * will be.
 */
export class UpdateTimeoutError extends StoreError {
  /** The name of the class, also in a minified build. */
  override name = "UpdateTimeoutError";

  /**
   * Describes a run that took too long.
   *
   * @param timeout The bound that was exceeded, in milliseconds.
   */
  constructor(timeout: number) {
    super(
      `Cannot update entry: fn of this update, or of one called before it for the same key, has not settled within ${timeout} ms (it must not wait for another update of its own key)`,
      "not applied",
    );
  }
}

/**
 * An {@linkcode AtomicStore.update} was given up because the entry changed
 * during every run of `fn`. Nothing of it was applied.
 */
export class UpdateConflictError extends StoreError {
  /** The name of the class, also in a minified build. */
  override name = "UpdateConflictError";

  /**
   * Describes an entry that kept changing.
   *
   * @param attempts How many times `fn` has run.
   */
  constructor(attempts: number) {
    super(
      `Cannot update entry: it was changed by others during each of ${attempts} runs of fn (fn must not set or delete its own key)`,
      "not applied",
    );
  }
}
