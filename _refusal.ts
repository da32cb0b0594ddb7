/**
 * Why a value is refused, and where in it the reason is.
 *
 * @module
 */

/** Objects, arrays, maps and sets are nested at most this deep. */
export const MAX_DEPTH = 500;

export const TOO_DEEP = "is nested too deep";

export const CYCLE = "is a cycle: it refers back to what holds it";

/** Why a value is refused. Collects the way to it as it travels up the walk. */
export class Refusal {
  /** The steps to it, and what they start from, from the inside out. */
  readonly steps: string[] = [];
  readonly holders: object[] = [];

  readonly reason: string;
  readonly cause: unknown;

  constructor(reason: string, cause?: unknown) {
    this.reason = reason;
    this.cause = cause;
  }
}

/** The error for a value that threw this when it was read or checked. */
export function refusalError(action: string, error: unknown): Error {
  const { steps, holders, reason, cause } = toRefusal(error);
  if (reason === TOO_DEEP) {
    return new RangeError(
      `Cannot ${action}: value must be nested at most ${MAX_DEPTH} deep`,
    );
  }
  steps.reverse();
  if (reason === CYCLE) { // the walk has gone round some times
    holders.reverse();
    steps.length = holders.findIndex((held, i) => holders.indexOf(held) < i);
  }
  const path = steps.join("").replace(/^\./, "");
  return new TypeError(
    `Cannot ${action}: ${path || "value"} ${reason}`,
    cause === undefined ? undefined : { cause },
  );
}

/** Notes one more step on the way to what is refused. */
export function within(holder: object, step: string, error: unknown): Refusal {
  const refusal = toRefusal(error);
  refusal.holders.push(holder);
  refusal.steps.push(step);
  return refusal;
}

/**
 * What to throw in place of an error that reading an object threw: with the step
 * to the getter it came from, if it is one that throws again.
 */
export function unreadable(holder: object, cause: unknown): unknown {
  for (const key of Object.keys(holder)) {
    try {
      void (holder as Record<string, unknown>)[key];
    } catch {
      const step = Array.isArray(holder) ? `[${key}]` : toStep(key);
      return within(holder, step, cause);
    }
  }
  return cause;
}

/** A member, as it is written behind what holds it. */
export function toStep(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key)
    ? `.${key}`
    : `[${JSON.stringify(key)}]`;
}

function toRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal(
    "cannot be read: it is detached, or a getter or a proxy threw",
    error,
  );
}
