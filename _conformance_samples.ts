/**
 * The keys and values that the rules of the kit try.
 *
 * @module
 */

/** A name for messages, and how to make the value anew. */
export type Sample = readonly [what: string, make: () => unknown];

/** What the contract takes as a key, by what is odd about it. */
export const KEYS: readonly (readonly [what: string, key: string])[] = [
  ["the empty string", ""],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["prototype", "prototype"],
  ["toString", "toString"],
  ["hasOwnProperty", "hasOwnProperty"],
  ["valueOf", "valueOf"],
  ["a word", "undefined"],
  ["a space", " "],
  ["NUL", "\0"],
  ["NUL in the middle", "a\0b"],
  ["a line break", "a\r\nb"],
  ["DEL", "a\x7f"],
  ["quotes", "'\"`"],
  ["a byte order mark", "\ufeffa"],
  ["U+FFFD", "\ufffd"],
  ["an emoji", "👩‍👩‍👧"],
  ["right to left", "\u202eשלום"],
  ["wildcards", "*?[a-z]\\*"],
  ["braces and colons", "{tag}:a::b:"],
  ["a percent sign", "100%_%00"],
  ["a path", "../../etc/passwd"],
  ["1,024 bytes of one each", "a".repeat(1024)],
  ["1,024 bytes of two each", "é".repeat(512)],
  ["1,023 bytes of three each", "€".repeat(341)],
  ["1,024 bytes of four each", "😀".repeat(256)],
];

/** Pairs of keys that are not the same key. */
export const LOOKALIKES: readonly (readonly [string, string, string])[] = [
  ["composition", "\u00e9", "e\u0301"],
  ["case", "a", "A"],
  ["case outside of ASCII", "\u212a", "k"],
  ["alphabet", "o", "\u043e"],
  ["width", "w", "\uff57"],
  ["a space at the end", "b", "b "],
  ["NUL at the end", "c", "c\0"],
  ["what follows NUL", "d\0a", "d\0b"],
  ["leading zeros", "1", "01"],
  ["the last of 1,024 bytes", `${"e".repeat(1023)}a`, `${"e".repeat(1023)}b`],
  ["percent encoding", "f%2F", "f/"],
  ["slashes", "g//h", "g/h"],
];

/** What is not a key. */
export const NOT_KEYS: readonly Sample[] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["a number", () => 1],
  ["a bigint", () => 1n],
  ["a boolean", () => true],
  ["a symbol", () => Symbol("1")],
  ["an object", () => ({})],
  ["an array", () => ["1"]],
  ["a String", () => new String("1")],
  ["bytes", () => new Uint8Array([49])],
  ["a function", () => () => "1"],
  ["a promise", () => Promise.resolve("1")],
];

const text = "\0\u2028 é e\u0301 \ufffd 👩‍👩‍👧 </script> \\u0041";

/** What JSON can say, without `null` at the top, which may be a miss. */
export const JSON_VALUES: readonly Sample[] = [
  ["a string", () => text],
  ["a long string", () => text.repeat(500)],
  ["true", () => true],
  ["a fraction", () => -0.1],
  ["a large number", () => Number.MAX_VALUE],
  ["a small number", () => Number.MIN_VALUE],
  ["the largest integer", () => Number.MAX_SAFE_INTEGER],
  ["the number 1", () => 1],
  ["a string of digits", () => "1"],
  ["a string that looks like JSON", () => '{"a":1}'],
  ["a string that looks like a date", () => "2020-01-01T00:00:00.000Z"],
  ["an empty array", () => []],
  ["an empty object", () => ({})],
  ["an array of arrays", () => [[], [[null]], [0, false, ""]]],
  ["an object of objects", () => ({ a: { b: { c: [{ d: null }] } } })],
  ["members named as those of Object.prototype", () => ({
    constructor: { prototype: { polluted: true } },
    toString: 1,
    hasOwnProperty: null,
    valueOf: [],
  })],
  ["members named as those of other things", () => ({
    then: 1,
    toJSON: "a",
    length: 2,
    $type: "Date",
    ttl: 1,
    value: null,
  })],
  ["members with odd names", () => ({ "": 1, " ": 2, "0": 3, [text]: 4 })],
];

const bytes = (): ArrayBuffer =>
  new Uint8Array([0, 1, 2, 250, 0, 0, 0, 9]).buffer;

/** What JSON cannot say, by kind. */
export const PORTABLE_VALUES: Readonly<Record<string, readonly Sample[]>> = {
  "null": [["null", () => null]],
  "numbers that JSON cannot say": [
    ["NaN", () => NaN],
    ["Infinity", () => Infinity],
    ["-Infinity", () => -Infinity],
    ["-0", () => -0],
    ["numbers in an object", () => ({ a: NaN, b: [-0, 0], c: -Infinity })],
  ],
  "strings with a lone surrogate": [
    ["a lone surrogate", () => "a\ud800b"],
    ["lone surrogates in an object", () => ({ "\udfff": ["\udc00\ud800"] })],
  ],
  "bigints": [
    ["0n", () => 0n],
    ["a large bigint", () => -(2n ** 200n)],
    ["bigints in an object", () => ({ a: 1n, b: [1, "1n"] })],
  ],
  "dates": [
    ["a date", () => new Date(1)],
    ["an invalid date", () => new Date(NaN)],
    ["the latest date", () => new Date(8.64e15)],
    ["dates in an object", () => ({ a: new Date(0), b: [new Date(NaN)] })],
  ],
  "maps and sets": [
    ["an empty map", () => new Map()],
    ["an empty set", () => new Set()],
    ["a map in its order", () => new Map([["b", 1], ["a", 2]])],
    ["a set in its order", () => new Set(["b", "a", null, NaN])],
    [
      "a map with keys of all kinds",
      () =>
        new Map<unknown, unknown>([
          [1, "a"],
          ["1", "b"],
          [null, {}],
          [NaN, []],
          [{
            a: 1,
          }, 2],
          [["a"], new Map([[new Set([1]), 1]])],
        ]),
    ],
    [
      "maps and sets in an object",
      () => ({ a: [new Map([["a", new Set()]])] }),
    ],
  ],
  "binary data": [
    ["an ArrayBuffer", bytes],
    ["an empty ArrayBuffer", () => new ArrayBuffer(0)],
    ["a Uint8Array of every byte", () => Uint8Array.from(Array(256).keys())],
    ["an Int8Array", () => new Int8Array(bytes())],
    ["a Uint8ClampedArray", () => new Uint8ClampedArray(bytes())],
    ["an Int16Array", () => new Int16Array(bytes())],
    ["a Uint16Array", () => new Uint16Array(bytes())],
    ["an Int32Array", () => new Int32Array(bytes())],
    ["a Uint32Array", () => new Uint32Array(bytes())],
    ["a Float32Array", () => new Float32Array([NaN, -0, 0.5])],
    ["a Float64Array", () => new Float64Array([NaN, -0, 0.1])],
    ["a BigInt64Array", () => new BigInt64Array([-1n, 2n ** 62n])],
    ["a BigUint64Array", () => new BigUint64Array([0n, 2n ** 64n - 1n])],
    ["an empty Uint8Array", () => new Uint8Array()],
    ...float16(),
    ["binary data in an object", () => ({ a: [new Uint8Array(2), bytes()] })],
  ],
};

class Model {
  id = 1;
}

function* generate(): Generator<number> {
  yield 1;
}

/** What no store takes. Without a name in `where`, wherever it is. */
export const NOT_PORTABLE: readonly Sample[] = [
  ["a function", () => () => 1],
  ["a class", () => Model],
  ["a symbol", () => Symbol("secret")],
  ["a promise", () => Promise.resolve(1)],
  ["an instance of a class", () => new Model()],
  ["an instance without members", () => new (class Empty {})()],
  ["an object made of another", () => Object.create({ a: 1 })],
  ["an error", () => new Error("secret")],
  ["a regular expression", () => /secret/],
  ["a URL", () => new URL("http://secret.test")],
  ["a Headers", () => new Headers()],
  ["a Request", () => new Request("http://secret.test")],
  ["a Response", () => new Response("secret")],
  ["an AbortSignal", () => new AbortController().signal],
  ["a WeakMap", () => new WeakMap()],
  ["a generator", () => generate()],
  ["a boxed number", () => new Number(1)],
  ["a boxed string", () => new String("secret")],
  ["a DataView", () => new DataView(bytes())],
  ["an array of a class", () => new (class List extends Array {})()],
  ["a map of a class", () => new (class Dict extends Map {})()],
  ["a hole in an array", () => Array(2)],
  ["undefined in an array", () => [undefined]],
  ["undefined in a set", () => new Set([undefined])],
  ["undefined in a map", () => new Map([["a", undefined]])],
  ["a function in a map", () => new Map([["a", () => 1]])],
  ["a function as a key of a map", () => new Map([[() => 1, 1]])],
  ["a symbol in a set", () => new Set([Symbol("secret")])],
  ["a cycle", () => {
    const value: Record<string, unknown> = {};
    value["a"] = [value];
    return value;
  }],
  ["a cycle of a map", () => {
    const value = new Map();
    return value.set("a", { value });
  }],
  ...sharedMemory(),
];

/** It is on newer runtimes only. */
function float16(): Sample[] {
  const type: (new (items: number[]) => unknown) | undefined = Reflect.get(
    globalThis,
    "Float16Array",
  ); // made as the other ones are
  return type ? [["a Float16Array", () => new type([NaN, -0, 0.5])]] : [];
}

/** There is none in a page that is not isolated. */
function sharedMemory(): Sample[] {
  if (typeof SharedArrayBuffer !== "function") return [];
  return [
    ["shared memory", () => new SharedArrayBuffer(2)],
    ["a view of shared memory", () => new Uint8Array(new SharedArrayBuffer(2))],
  ];
}

/** Nests a value in objects and arrays, so that they are `depth` in all. */
export function nest(depth: number): unknown {
  let value: unknown = depth % 2 === 0 ? [] : {};
  for (let i = 1; i < depth; i++) {
    value = Array.isArray(value) ? { a: value } : [value];
  }
  return value;
}

/**
 * Makes values of the portable kinds at random, the same ones each time.
 *
 * @param leaves What there is in them.
 * @param isJson Whether there are only arrays and objects around it.
 */
export function* makeTrees(
  leaves: readonly Sample[],
  isJson: boolean,
  count: number,
): Generator<Sample> {
  const random = makeRandom(1);
  const pick = <T>(items: readonly T[]): T | undefined =>
    items[Math.floor(random() * items.length)];
  const makeItems = (depth: number): unknown[] =>
    Array.from({ length: Math.floor(random() * 4) }, () => makeTree(depth - 1));
  const makeTree = (depth: number): unknown => {
    if (depth === 0) return pick(leaves)?.[1]();
    const items = makeItems(depth);
    const entries = items.map((item, i) =>
      [`${pick(KEYS)?.[1]} ${i}`, item] as const
    );
    switch (Math.floor(random() * (isJson ? 2 : 4))) {
      case 0:
        return items;
      case 1:
        return Object.fromEntries(entries);
      case 2:
        return new Map(entries);
      default:
        return new Set(items);
    }
  };
  for (let i = 0; i < count; i++) {
    const tree = makeTree(1 + i % 4);
    yield [`random value ${i}`, () => tree];
  }
}

/** Numbers from 0 up to 1, by a linear congruence. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
