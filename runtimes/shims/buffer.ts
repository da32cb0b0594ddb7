/**
 * Stands in for `node:buffer` where there is no Node.
 *
 * @module
 */

class ForeignBytes extends Uint8Array {}

/** Makes bytes of a class that is not the platform's. */
export const Buffer: { from(text: string): Uint8Array } = {
  from: (text) => new ForeignBytes(new TextEncoder().encode(text)),
};

Object.defineProperty(ForeignBytes, "name", { value: "Buffer" });
