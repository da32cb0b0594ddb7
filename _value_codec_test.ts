import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { expectSame, isSame } from "./_conformance_check.ts";
import { jsonValues, portableValues } from "./_portable_values.ts";
import { copyValue } from "./_value.ts";
import { decodeValue, encodeValue } from "./_value_codec.ts";

const SEED = 20_251_125;

/** One of each kind, and the text it has had since the first version. */
const TEXTS: readonly [value: unknown, text: string][] = [
  [null, "null"],
  ["~", '"~"'],
  ["\ud800\0", '"\\ud800\\u0000"'],
  [
    { user: { name: "Ada", cart: [1, "2", null] } },
    [
      '{"user":{"name":"Ada","cart":[1,"2",null]}}',
    ].join(),
  ],
  [{ $Date: 0 }, '{"$Date":0}'],
  [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
  [NaN, '~{"$Number":"NaN"}'],
  [
    [Infinity, -Infinity],
    [
      '~[{"$Number":"Infinity"},{"$Number":"-Infinity"}]',
    ].join(),
  ],
  [-0, '~{"$Number":"-0"}'],
  [-123n, '~{"$BigInt":"-123"}'],
  [new Date(86_400_000), '~{"$Date":86400000}'],
  [new Date(NaN), '~{"$Date":null}'],
  [
    new Map([[{ a: 1 }, new Set([1n])]]),
    [
      '~{"$Map":[[{"a":1},{"$Set":[{"$BigInt":"1"}]}]]}',
    ].join(),
  ],
  [new Set(["a"]), '~{"$Set":["a"]}'],
  [new Uint8Array([1, 2, 255]).buffer, '~{"$ArrayBuffer":"AQL/"}'],
  [new Uint8Array(0), '~{"$Uint8Array":""}'],
  [new Float64Array([-0, 1]), '~{"$Float64Array":"AAAAAAAAAIAAAAAAAADwPw=="}'],
  [[{ $Date: 0 }, 1n], '~[{"$$Date":0},{"$BigInt":"1"}]'],
  [[{ $$: 0 }, 1n], '~[{"$$$":0},{"$BigInt":"1"}]'],
  [[{ $a: 0, $b: 0 }, 1n], '~[{"$a":0,"$b":0},{"$BigInt":"1"}]'],
  [
    new Map([["m", JSON.parse('{"__proto__":{"a":1}}')]]),
    '~{"$Map":[["m",{"__proto__":{"a":1}}]]}',
  ],
];

for (const [value, text] of TEXTS) {
  Deno.test(`encodeValue() writes ${text}, and decodeValue() reads it`, () => {
    const encoded = encodeValue(value);

    assertEquals(encoded, text);
    expectSame(decodeValue(text), value, "decoded");
  });
}

Deno.test("decodeValue() gives back every portable value", () => {
  fc.assert(
    fc.property(portableValues, (value) => {
      const copy = copyValue("test", value);

      expectSame(decodeValue(encodeValue(copy)), copy, "decoded");
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

Deno.test("encodeValue() writes JSON where JSON gives back the same", () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      assertEquals(encodeValue(value), JSON.stringify(value));
    }),
    { seed: SEED, numRuns: 500 },
  );
});

Deno.test("encodeValue() writes different values as different texts", () => {
  const seen = new Map<string, unknown>();
  fc.assert(
    fc.property(portableValues, (value) => {
      const copy = copyValue("test", value);
      const text = encodeValue(copy);

      const other = seen.get(text);
      assert(!seen.has(text) || isSame(other, copy));
      seen.set(text, copy);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

const NESTS: Record<string, (inner: unknown) => unknown> = {
  "arrays": (inner) => [inner],
  "objects": (inner) => ({ $Date: inner }),
  "keys of maps": (inner) => new Map([[inner, inner === 1n ? 1 : 2]]),
  "values of maps": (inner) => new Map([[1, inner]]),
  "sets": (inner) => new Set([inner]),
};
for (const [name, wrap] of Object.entries(NESTS)) {
  Deno.test(`decodeValue() gives back 500 ${name}, one in another`, () => {
    let value: unknown = 1n;
    for (let i = 0; i < 500; i++) value = wrap(value);

    expectSame(decodeValue(encodeValue(value)), value, "decoded");
  });
}

Deno.test("decodeValue() gives back a million bytes", () => {
  const value = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 7);

  expectSame(decodeValue(encodeValue(value)), value, "decoded");
});

Deno.test("decodeValue() lets no __proto__ reach a prototype", () => {
  const members = '"__proto__":{"polluted":1},"constructor":{"prototype":{}}';
  for (const text of [`{${members}}`, `~[{"$Date":0},{${members}}]`]) {
    const value = JSON.stringify(decodeValue(text));

    assert(value.includes("polluted"));
    assertEquals(Reflect.get({}, "polluted"), undefined);
  }
});

/** Texts that `encodeValue` has not written. */
const FOREIGN = [
  "",
  " ",
  "\0",
  "\ufeff1",
  "~",
  "~ ",
  "~~1",
  "undefined",
  "NaN",
  "-Infinity",
  "[object Object]",
  "{",
  '{"a":1',
  '{"a":1}}',
  '{"a":1,}',
  "{a:1}",
  "{'a':1}",
  '{"a":"\u0001"}',
  '"\\x41"',
  "[1,]",
  "[,1]",
  "01",
  "1.",
  ".5",
  "+1",
  "1e",
  "tru",
  "nul",
  "// 1",
  "1 2",
  '"a',
  "<html>",
  'O:8:"stdClass":0:{}',
  "\x80\x04\x95",
  "[".repeat(100_000),
  "~1",
  "~null",
  '~{"a":1}',
  '~{ "$Date":0}',
  '~{"$Date":0} ',
  '~{"$Date":"0"}',
  '~{"$Date":"2020-01-01"}',
  '~{"$Date":1.5}',
  '~{"$Date":8.65e15}',
  '~{"$Date":{}}',
  '~{"$Date":0,"$Date":0}',
  '~{"$Number":"1"}',
  '~{"$Number":1}',
  '~{"$Number":"nan"}',
  '~{"$Number":{"$BigInt":"1"}}',
  '~{"$BigInt":1}',
  '~{"$BigInt":"0x10"}',
  '~{"$BigInt":" 1"}',
  '~{"$BigInt":""}',
  '~{"$BigInt":"1n"}',
  '~{"$BigInt":true}',
  '~{"$Map":{}}',
  '~{"$Map":null}',
  '~{"$Map":[1]}',
  '~{"$Map":[[1]]}',
  '~{"$Map":[[1,2,3]]}',
  '~{"$Map":[[1,2],[1,3]]}',
  '~{"$Map":{"$Set":[[1,2]]}}',
  '~{"$Set":"ab"}',
  '~{"$Set":[1,1]}',
  '~{"$Set":{"$Map":[]}}',
  '~{"$ArrayBuffer":"A"}',
  '~{"$ArrayBuffer":"AQ"}',
  '~{"$ArrayBuffer":" AQ=="}',
  '~{"$ArrayBuffer":"AR=="}',
  '~{"$ArrayBuffer":"_w=="}',
  '~{"$ArrayBuffer":[1,2]}',
  '~{"$Uint16Array":"AQ=="}',
  '~{"$Uint8Array":8}',
  '~{"$DataView":"AQ=="}',
  '~{"$Function":"alert(1)"}',
  '~{"$globalThis":""}',
  '~{"$constructor":""}',
  '~{"$__proto__":""}',
  '~{"$":1}',
  '~{"$$Date":0}',
  '~[1,{"$RegExp":"a"}]',
  '~{"$Date":0}'.slice(0, -1),
  `~${'{"$Set":['.repeat(50_000)}`,
  `~${'{"$Set":['.repeat(20_000)}${"]}".repeat(20_000)}`,
];
for (const [i, text] of FOREIGN.entries()) {
  const shown = JSON.stringify(text.slice(0, 40));
  Deno.test(`decodeValue() refuses foreign text ${i}, ${shown}`, () => {
    const error = assertThrows(() => decodeValue(text), SyntaxError);

    assertEquals(
      error.message,
      "Cannot read value: its text is foreign or corrupt",
    );
    assertEquals(error.cause, undefined);
  });
}

Deno.test("decodeValue() refuses every text that was cut short", () => {
  fc.assert(
    fc.property(portableValues, fc.nat(), (value, at) => {
      const text = encodeValue(copyValue("test", [value]));

      assertThrows(() => decodeValue(text.slice(0, at % text.length)));
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

Deno.test("decodeValue() reads a text with a changed letter as another value, or not", () => {
  fc.assert(
    fc.property(
      portableValues,
      fc.nat(),
      fc.constantFrom(...'{}[]",:$~0aN\\ '),
      (value, at, letter) => {
        const text = encodeValue(copyValue("test", new Set([value])));
        const i = at % text.length;
        const changed = text.slice(0, i) + letter + text.slice(i + 1);

        let decoded: unknown;
        try {
          decoded = decodeValue(changed);
        } catch (error) {
          assert(error instanceof SyntaxError);
          return;
        }
        if (changed.startsWith("~")) {
          assertEquals(encodeValue(decoded), changed);
        }
      },
    ),
    { seed: SEED, numRuns: 2_000 },
  );
});
