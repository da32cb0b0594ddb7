/**
 * Stands in for `@std/async` where JSR does not answer: the two functions this
 * project's tests use, with the same signatures.
 *
 * @module
 */

/** The longest wait a timer of the platform keeps, in milliseconds. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Options for {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the wait early: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Whether the wait keeps the process alive.
   *
   * @default {true}
   */
  persistent?: boolean;
}

/** Options for {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Ends the wait early: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Resolves after this many milliseconds, which may be more than `2^31`. */
export function delay(ms: number, options: DelayOptions = {}): Promise<void> {
  const { signal, persistent = true } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout>;

    function wait(left: number): void {
      const step = Math.min(left, MAX_TIMEOUT);
      timer = setTimeout(() => left > step ? wait(left - step) : done(), step);
      if (!persistent) Deno.unrefTimer(timer);
    }

    function done(): void {
      signal?.removeEventListener("abort", abort);
      resolve();
    }

    function abort(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }

    signal?.addEventListener("abort", abort, { once: true });
    wait(ms);
  });
}

/**
 * Settles as the promise does when it settles within this many milliseconds.
 * Leaves no timer behind.
 *
 * @throws {DOMException} If the time is up: a `TimeoutError`
 */
export async function deadline<T>(
  p: Promise<T>,
  ms: number,
  options: DeadlineOptions = {},
): Promise<T> {
  const { signal } = options;
  const end = new AbortController();
  const signals = signal ? [signal, end.signal] : [end.signal];
  const timeout = delay(ms, { signal: AbortSignal.any(signals) }).then(() => {
    throw new DOMException("Signal timed out.", "TimeoutError");
  });
  try {
    return await Promise.race([p, timeout]);
  } finally {
    end.abort();
  }
}
