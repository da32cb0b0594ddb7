/**
 * Generators of the values a store can hold, for property tests.
 *
 * @module
 */

import fc from "fast-check";

/** The typed arrays of every runtime; `Float16Array` is on newer ones only. */
export const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
] as const;

/** Names of members that are data like any other, and look like something. */
const NAMES = [
  "__proto__",
  "constructor",
  "toJSON",
  "then",
  "",
  "0",
  "$",
  "$Date",
  "$$Date",
  "$Map",
  "~",
];

const KEY = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary" }));

/** Any UTF-16 code units, lone surrogates included. */
const TEXT = fc.array(fc.nat(0xffff), { maxLength: 6 })
  .map((units) => String.fromCharCode(...units));

const BYTES = fc.uint8Array({ maxLength: 24 });

const PRIMITIVE = fc.oneof(
  fc.constantFrom(null, true, false, 0, -0, NaN, Infinity, -Infinity, "", "~1"),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  TEXT,
  KEY,
);

const LEAF = fc.oneof(
  { arbitrary: PRIMITIVE, weight: 4 },
  fc.date({ noInvalidDate: false }),
  BYTES.map((bytes) => bytes.slice().buffer),
  fc.tuple(fc.constantFrom(...TYPED_ARRAYS), BYTES).map(([Type, bytes]) => {
    const whole = bytes.length - bytes.length % Type.BYTES_PER_ELEMENT;
    return new Type(bytes.slice(0, whole).buffer);
  }),
);

/** Data that JSON gives back as it was. */
export const jsonValues: fc.Arbitrary<unknown> = fc.jsonValue()
  // It makes -0, which JSON turns into 0.
  .map((value) => JSON.parse(JSON.stringify(value)));

/** All values that every store holds, a few levels deep. */
export const portableValues: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    LEAF,
    fc.array(tie("value"), { maxLength: 4 }),
    // `fromEntries` defines members, so that `__proto__` is one.
    fc.array(fc.tuple(KEY, tie("value")), { maxLength: 4 })
      .map((members) => Object.fromEntries(members)),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 })
      .map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => new Set(items)),
  ),
})).value;
