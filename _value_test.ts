import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { runInNewContext } from "node:vm";
import { TYPED_ARRAYS } from "./_portable_values.ts";
import { untyped } from "./_test_util.ts";
import { MemoryStore } from "./mod.ts";

/** A value inside `depth` containers. */
function nest(
  depth: number,
  wrap: (inner: unknown, depth: number) => unknown,
): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = wrap(value, i);
  return value;
}

function bytesOf(value: ArrayBuffer | ArrayBufferView): number[] {
  return value instanceof ArrayBuffer
    ? [...new Uint8Array(value)]
    : [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
}

/** Copies of a value: what is stored by `set` and by `update`, as `get` has it. */
async function roundTrips<T>(value: T): Promise<T[]> {
  using store = new MemoryStore<T>();
  await store.set("set", value);
  const updated = await store.update("update", () => value);
  const copies = [await store.get("set"), await store.get("update"), updated];
  return copies.map((copy) => copy as T); // all three have just been stored
}

/** What is copied both ways, so that nobody reaches what is stored. */
function testCopies<T>(
  name: string,
  make: () => T,
  change: (value: T) => void,
  look: (value: T | undefined) => unknown = (value) => value,
): void {
  Deno.test(`MemoryStore.set() stores ${name} as it is`, async () => {
    for (const copy of await roundTrips(make())) {
      assertEquals(look(copy), look(make()));
    }
  });

  Deno.test(`MemoryStore.set() copies ${name}`, async () => {
    using store = new MemoryStore<T>();
    const passed = make();

    const promise = store.set("a", passed);
    change(passed);
    await promise;

    assertEquals(look(await store.get("a")), look(make()));
  });

  Deno.test(`MemoryStore.get() copies ${name}`, async () => {
    using store = new MemoryStore<T>();
    await store.set("a", make());

    const got = await store.get("a");
    assert(got !== undefined);
    change(got);

    assertEquals(look(await store.get("a")), look(make()));
  });

  Deno.test(`MemoryStore.update() copies ${name}`, async () => {
    using store = new MemoryStore<T>();
    await store.set("a", make());
    const returned = make();

    let received: T | undefined;
    const resolved = await store.update("a", (value) => {
      received = value;
      return returned;
    });
    assert(received !== undefined && resolved !== undefined);
    for (const value of [received, returned, resolved]) change(value);

    assertEquals(look(await store.get("a")), look(make()));
  });

  Deno.test(`MemoryStore.update() changes no ${name} when fn changes it and throws`, async () => {
    using store = new MemoryStore<T>();
    await store.set("a", make());

    await assertRejects(() =>
      store.update("a", (value) => {
        assert(value !== undefined);
        change(value);
        throw new Error("no");
      })
    );

    assertEquals(look(await store.get("a")), look(make()));
  });

  Deno.test(`MemoryStore[Symbol.iterator]() copies ${name}`, async () => {
    using store = new MemoryStore<T>();
    await store.set("a", make());

    for (const [, value] of store) change(value);

    assertEquals(look(await store.get("a")), look(make()));
  });
}

testCopies(
  "an object",
  () => ({ n: 1, s: "x", nothing: null, yes: true } as Record<string, unknown>),
  (value) => value.n = 9,
);
testCopies(
  "a nested object",
  () => ({ user: { address: { city: "Recife" } } }),
  (value) => value.user.address.city = "Olinda",
);
testCopies("an array", () => [1, "x", null, [2]], (value) => value.push(9));
testCopies(
  "an array of objects",
  () => [{ n: 1 }, { n: 2 }],
  (value) => value.forEach((item) => item.n = 9),
);
testCopies("an empty array", (): number[] => [], (value) => value.push(9));
testCopies("a Date", () => new Date(86_400_000), (value) => value.setTime(9));
testCopies("an invalid Date", () => new Date(NaN), (value) => value.setTime(9));
testCopies(
  "a Date in an object",
  () => ({ at: new Date(0) }),
  (value) => value.at.setTime(9),
);
testCopies(
  "a Map",
  () => new Map<unknown, unknown>([["a", 1], [2, "b"], [null, NaN]]),
  (value) => value.set("a", 9),
);
testCopies(
  "a Map of objects",
  () => new Map([["a", { n: 1 }]]),
  (value) => value.forEach((item) => item.n = 9),
);
testCopies(
  "a Map with objects as keys",
  () => new Map([[{ n: 1 }, 1], [{ n: 2 }, 2]]),
  (value) => {
    for (const key of value.keys()) key.n = 9;
  },
  (value) => value && [...value],
);
testCopies(
  "a Set",
  () => new Set<unknown>(["a", 1, null, NaN]),
  (value) => value.add(9),
);
testCopies(
  "a Set of objects",
  () => new Set([{ n: 1 }]),
  (value) => value.forEach((item) => item.n = 9),
  (value) => value && [...value],
);
testCopies(
  "an ArrayBuffer",
  () => new Uint8Array([1, 2, 3]).buffer,
  (value) => new Uint8Array(value).fill(9),
  (value) => value && bytesOf(value),
);
testCopies(
  "a mix of all kinds",
  () => ({
    list: [new Map([["set", new Set([[new Date(5)]])]])],
    bytes: { deep: [new Uint8Array([1, 2])] },
    big: 2n ** 70n,
  }),
  (value) => {
    value.list[0]?.get("set")?.forEach(([date]) => date?.setTime(9));
    value.bytes.deep[0]?.fill(9);
    value.big = 0n;
  },
  (value) =>
    value && [
      [...value.list[0]?.get("set") ?? []],
      bytesOf(value.bytes.deep[0] ?? new Uint8Array()),
      value.big,
    ],
);

for (const TypedArray of TYPED_ARRAYS) {
  const { name } = TypedArray;
  const buffer = () =>
    Uint8Array.from({ length: 32 }, (_, i) => i % 7 + 1).buffer;

  testCopies<ArrayBufferView>(
    `a whole ${name}`,
    () => new TypedArray(buffer()),
    (value) => new Uint8Array(value.buffer).fill(9),
    (value) => value && bytesOf(value),
  );
  testCopies<ArrayBufferView>(
    `a ${name} that is a view with an offset`,
    () => new TypedArray(buffer(), 8, 1),
    (value) => new Uint8Array(value.buffer).fill(9),
    (value) => value && bytesOf(value),
  );

  Deno.test(`MemoryStore.set() stores of a ${name} what it shows, not what lies beside it`, async () => {
    const view = new TypedArray(buffer(), 8, 1);

    for (const copy of await roundTrips<unknown>(view)) {
      assertInstanceOf(copy, TypedArray);
      assertStrictEquals(Object.getPrototypeOf(copy), TypedArray.prototype);
      assertEquals(copy.length, 1);
      assertEquals(copy.byteOffset, 0);
      assertEquals(copy.buffer.byteLength, TypedArray.BYTES_PER_ELEMENT);
    }
  });
}

const PRIMITIVES = [
  null,
  true,
  false,
  "",
  "text",
  "\0",
  "\ud800",
  0,
  -0,
  1.5,
  NaN,
  Infinity,
  -Infinity,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  0n,
  -(2n ** 64n),
];

for (const value of PRIMITIVES) {
  const name = typeof value === "bigint"
    ? `${value}n`
    : Object.is(value, -0)
    ? "-0"
    : JSON.stringify(value) === "null"
    ? `${value}`
    : JSON.stringify(value);

  Deno.test(`MemoryStore.set() stores ${name} as it is, alone and inside others`, async () => {
    for (const copy of await roundTrips<unknown>(value)) {
      assert(Object.is(copy, value));
    }
    for (const copy of await roundTrips({ member: value })) {
      assert(Object.is(copy.member, value));
    }
    for (const copy of await roundTrips([value])) {
      assert(Object.is(copy[0], value));
    }
    for (const copy of await roundTrips(new Map([["a", value]]))) {
      assert(Object.is(copy.get("a"), value));
    }
    for (const copy of await roundTrips(new Set([value]))) {
      assertEquals(copy.size, 1);
      assert(copy.has(value));
    }
  });
}

Deno.test("MemoryStore.set() keeps the order of members, items and entries", async () => {
  for (const copy of await roundTrips({ b: 1, a: 2, c: 3 })) {
    assertEquals(Object.keys(copy), ["b", "a", "c"]);
  }
  for (const copy of await roundTrips(new Map([["b", 1], ["a", 2]]))) {
    assertEquals([...copy.keys()], ["b", "a"]);
  }
  for (const copy of await roundTrips(new Set(["b", "a"]))) {
    assertEquals([...copy], ["b", "a"]);
  }
});

Deno.test("MemoryStore.set() drops members that are undefined", async () => {
  const value = { a: undefined, b: 1, c: { d: undefined } };

  for (const copy of await roundTrips<object>(value)) {
    assertEquals(Object.keys(copy), ["b", "c"]);
    assertEquals(copy, { b: 1, c: {} });
  }
});

Deno.test("MemoryStore.update() drops members that fn sets to undefined", async () => {
  using store = new MemoryStore<{ a?: number | undefined; b: number }>();
  await store.set("a", { a: 1, b: 2 });

  const stored = await store.update("a", (value) => {
    if (value) value.a = undefined;
  });

  assertEquals(Object.keys(stored ?? {}), ["b"]);
});

Deno.test("MemoryStore.set() drops members that are inherited, hidden or under a symbol", async () => {
  const value = Object.defineProperty(
    { a: 1, [Symbol("symbol")]: 2 },
    "hidden",
    { value: 3, enumerable: false },
  );

  for (const copy of await roundTrips(value)) {
    assertEquals(Reflect.ownKeys(copy), ["a"]);
  }
});

Deno.test("MemoryStore.set() takes an object without a prototype for a plain one", async () => {
  const value: { a: number } = Object.assign(Object.create(null), { a: 1 });

  for (const copy of await roundTrips(value)) {
    assertStrictEquals(Object.getPrototypeOf(copy), Object.prototype);
    assertEquals(Object.entries(copy), [["a", 1]]);
  }
});

Deno.test("MemoryStore.set() takes plain objects and arrays of another realm for its own", async () => {
  const value = runInNewContext("({ list: [1, { n: 2 }] })");

  for (const copy of await roundTrips(value)) {
    assertStrictEquals(Object.getPrototypeOf(copy), Object.prototype);
    assertStrictEquals(Object.getPrototypeOf(copy.list), Array.prototype);
    assertEquals(copy, { list: [1, { n: 2 }] });
  }
});

Deno.test("MemoryStore.set() takes frozen values, and get() returns ones that are not", async () => {
  const value = Object.freeze({ list: Object.freeze([1]) });

  for (const copy of await roundTrips(value)) {
    assertEquals(copy, { list: [1] });
    assertFalse(Object.isFrozen(copy));
    assertFalse(Object.isFrozen(copy.list));
  }
});

Deno.test("MemoryStore.set() stores what a getter returns, and reads it once", async () => {
  let reads = 0;
  const value = {
    get n() {
      return ++reads;
    },
  };
  using store = new MemoryStore<{ n: number }>();

  await store.set("a", value);

  assertEquals(reads, 1);
  const got = await store.get("a");
  assertEquals(got, { n: 1 });
  assertEquals(Object.getOwnPropertyDescriptor(got, "n"), {
    value: 1,
    writable: true,
    enumerable: true,
    configurable: true,
  });
});

Deno.test("MemoryStore.set() stores two references to one object as two objects", async () => {
  const shared = { n: 1 };

  for (const copy of await roundTrips({ a: shared, b: shared })) {
    copy.a.n = 2;
    assertEquals(copy, { a: { n: 2 }, b: { n: 1 } });
  }
});

Deno.test("MemoryStore.set() stores a proxy of a plain object as what it shows", async () => {
  const value = new Proxy({ n: 1 }, { get: () => 2 });

  for (const copy of await roundTrips(value)) assertEquals(copy, { n: 2 });
});

Deno.test("MemoryStore.set() stores an empty ArrayBuffer and an empty view", async () => {
  const value = { buffer: new ArrayBuffer(0), view: new Uint8Array() };

  for (const copy of await roundTrips(value)) {
    assertEquals(copy.buffer.byteLength, 0);
    assertEquals(copy.view.length, 0);
  }
});

// Prototypes

Deno.test("MemoryStore.set() stores an own __proto__ as data", async () => {
  for (
    const copy of await roundTrips(
      JSON.parse(
        '{"deep":[{"__proto__":{"polluted":true}}],"__proto__":{"polluted":true}}',
      ),
    )
  ) {
    for (const object of [copy, copy.deep[0]]) {
      assertStrictEquals(Object.getPrototypeOf(object), Object.prototype);
      assertStrictEquals(object.polluted, undefined);
      assert(Object.hasOwn(object, "__proto__"));
      const member = Object.getOwnPropertyDescriptor(object, "__proto__");
      assertEquals(member?.value, { polluted: true });
      assertEquals(member?.enumerable, true);
      assertEquals(member?.writable, true);
      assertEquals(member?.configurable, true);
    }
  }
  assertFalse("polluted" in {});
});

Deno.test("MemoryStore.set() copies an own __proto__", async () => {
  using store = new MemoryStore();
  const passed = JSON.parse('{"__proto__":{"list":[1]}}');
  await store.set("a", passed);

  for (const value of [passed, await store.get("a")]) {
    const member = Object.getOwnPropertyDescriptor(value, "__proto__");
    member?.value.list.push(9);
  }

  const member = Object.getOwnPropertyDescriptor(
    await store.get("a"),
    "__proto__",
  );
  assertEquals(member?.value, { list: [1] });
});

for (
  const name of [
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "isPrototypeOf",
    "toJSON",
    "then",
    "length",
    "",
  ]
) {
  Deno.test(`MemoryStore.set() stores a member named ${JSON.stringify(name)} as data`, async () => {
    const before = Reflect.ownKeys(Object.prototype);

    for (const copy of await roundTrips({ [name]: { prototype: { x: 1 } } })) {
      assertEquals(Object.entries(copy), [[name, { prototype: { x: 1 } }]]);
      assertStrictEquals(Object.getPrototypeOf(copy), Object.prototype);
    }

    assertEquals(Reflect.ownKeys(Object.prototype), before);
    assertFalse("x" in {});
  });
}

Deno.test("MemoryStore.set() passes no member to a setter of Object.prototype", async () => {
  const caught: unknown[] = [];
  Object.defineProperty(Object.prototype, "trap", {
    set: (value) => caught.push(value),
    configurable: true,
  });
  try {
    using store = new MemoryStore();

    await store.set("a", JSON.parse('{"trap":"secret"}'));

    const got = await store.get("a");
    assertEquals(Object.getOwnPropertyDescriptor(got, "trap")?.value, "secret");
    assertEquals(caught, []);
  } finally {
    Reflect.deleteProperty(Object.prototype, "trap");
  }
});

Deno.test("MemoryStore.set() stores a member that a frozen Object.prototype has too", async () => {
  Object.defineProperty(Object.prototype, "frozen", {
    value: 1,
    writable: false,
    configurable: true,
  });
  try {
    using store = new MemoryStore();

    await store.set("a", JSON.parse('{"frozen":2}'));

    const got = await store.get("a");
    assertEquals(Object.getOwnPropertyDescriptor(got, "frozen")?.value, 2);
  } finally {
    Reflect.deleteProperty(Object.prototype, "frozen");
  }
});

// Refusals

class Point {
  x = 1;
}

class Cart extends Array {}

class Cache extends Map {}

class Bytes extends Uint8Array {}

class Orphan {
  static make(): object {
    return Object.create(
      Object.create(null, { constructor: { value: undefined } }),
    );
  }
}

function detach<T extends ArrayBuffer | ArrayBufferView>(value: T): T {
  const buffer = value instanceof ArrayBuffer ? value : value.buffer;
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }); // not shared: made by the caller
  return value;
}

function fail(): never {
  throw new Error("secret");
}

function cycle(close: (root: Record<string, unknown>) => void): object {
  const root: Record<string, unknown> = { n: 1 };
  close(root);
  return root;
}

const CYCLE = "is a cycle: it refers back to what holds it";
const UNREADABLE =
  "cannot be read: it is detached, or a getter or a proxy threw";

/** A name, what is refused, and what the message says of it. */
const REFUSALS: [string, () => unknown, string][] = [
  ["a function", () => () => {}, "value is a function: store data only"],
  ["a class", () => Point, "value is a function: store data only"],
  ["a symbol", () => Symbol("secret"), "value is a symbol: store data only"],
  [
    "a promise",
    () => Promise.resolve(1),
    "value is a promise: await it first",
  ],
  ["a WeakMap", () => new WeakMap(), "value is an instance of WeakMap"],
  ["a WeakSet", () => new WeakSet(), "value is an instance of WeakSet"],
  ["a WeakRef", () => new WeakRef({}), "value is an instance of WeakRef"],
  ["a RegExp", () => /x/, "value is an instance of RegExp"],
  ["an Error", () => new Error("secret"), "value is an instance of Error"],
  ["a String object", () => new String("a"), "value is an instance of String"],
  ["a Number object", () => new Number(1), "value is an instance of Number"],
  [
    "a URL",
    () => new URL("https://secret.example"),
    "value is an instance of URL: store a plain object with its data",
  ],
  [
    "a Request",
    () => new Request("https://secret.example"),
    "value is an instance of Request",
  ],
  ["a Response", () => new Response("x"), "value is an instance of Response"],
  ["Headers", () => new Headers(), "value is an instance of Headers"],
  ["a Blob", () => new Blob([]), "value is an instance of Blob"],
  [
    "an AbortSignal",
    () => new AbortController().signal,
    "value is an instance of AbortSignal",
  ],
  ["crypto", () => crypto, "value is an instance of Crypto"],
  ["a generator", () => (function* () {})(), "value is an instance of"],
  ["an iterator", () => [1].values(), "value is an instance of"],
  [
    "an instance of a class",
    () => new Point(),
    "value is an instance of Point: store a plain object with its data",
  ],
  [
    "an instance of a class without a name",
    () => Orphan.make(),
    "value is an instance of a class",
  ],
  [
    "an object that inherits from another",
    () => Object.create({ a: 1 }),
    "value is an instance of",
  ],
  ["an instance of a subclass of Array", () => new Cart(), "instance of Cart"],
  ["an instance of a subclass of Map", () => new Cache(), "instance of Cache"],
  [
    "an instance of a subclass of Uint8Array",
    () => new Bytes(1),
    "value is an instance of Bytes: store a Uint8Array with its bytes",
  ],
  [
    "a Buffer of Node",
    () => Buffer.from("secret"),
    "value is an instance of Buffer: store a Uint8Array with its bytes",
  ],
  [
    "a DataView",
    () => new DataView(new ArrayBuffer(1)),
    "value is an instance of DataView: store a Uint8Array with its bytes",
  ],
  [
    "a SharedArrayBuffer",
    () => new SharedArrayBuffer(1),
    "value is shared memory: store a copy of it",
  ],
  [
    "a view of shared memory",
    () => new Uint8Array(new SharedArrayBuffer(1)),
    "value is shared memory: store a copy of it",
  ],
  [
    "a DataView of shared memory",
    () => ({ view: new DataView(new SharedArrayBuffer(1)) }),
    "view is shared memory: store a copy of it",
  ],
  [
    "a detached ArrayBuffer",
    () => ({ a: detach(new ArrayBuffer(1)) }),
    `a ${UNREADABLE}`,
  ],
  [
    "a detached view",
    () => ({ a: detach(new Uint8Array(1)) }),
    `a ${UNREADABLE}`,
  ],
  [
    "an object that only looks like a Date",
    () => ({ at: Object.create(Date.prototype) }),
    `at ${UNREADABLE}`,
  ],
  [
    "an object that only looks like a Map",
    () => [Object.create(Map.prototype)],
    UNREADABLE,
  ],
  [
    "an object that only looks like a Uint8Array",
    () => [Object.create(Uint8Array.prototype)],
    `[0] ${UNREADABLE}`,
  ],
  ["a hole", () => [1, , 3], "[1] is a hole in an array: use null"],
  ["a hole at the end", () => Array(2), "[0] is a hole in an array: use null"],
  [
    "undefined in an array",
    () => [1, undefined],
    "[1] is undefined: use null or leave it out",
  ],
  [
    "undefined in a Map",
    () => ({ m: new Map([["secret", undefined]]) }),
    "m.values()[0] is undefined: use null or leave it out",
  ],
  [
    "undefined as a key of a Map",
    () => ({ m: new Map([[undefined, 1]]) }),
    "m.keys()[0] is undefined",
  ],
  [
    "undefined in a Set",
    () => ({ s: new Set([1, undefined]) }),
    "s.values()[1] is undefined",
  ],
  [
    "a getter that throws",
    () => ({
      user: {
        get name() {
          return fail();
        },
      },
    }),
    `user.name ${UNREADABLE}`,
  ],
  [
    "a getter that throws every other time",
    () => {
      let reads = 0;
      return {
        user: {
          get name() {
            return reads++ % 2 === 0 ? fail() : "secret";
          },
        },
      };
    },
    `user ${UNREADABLE}`,
  ],
  [
    "a getter of an array that throws",
    () => ({ list: Object.defineProperty([1, 2], 1, { get: fail }) }),
    `list[1] ${UNREADABLE}`,
  ],
  [
    "a proxy that throws when it is read",
    () => ({ p: new Proxy({ a: 1 }, { get: fail }) }),
    `p.a ${UNREADABLE}`,
  ],
  [
    "a proxy that throws when its members are listed",
    () => ({ p: new Proxy({}, { ownKeys: fail }) }),
    `Cannot set entry: p ${UNREADABLE}`,
  ],
  [
    "a proxy that throws when its prototype is read",
    () => ({ p: new Proxy({}, { getPrototypeOf: fail }) }),
    `p ${UNREADABLE}`,
  ],
  [
    "a revoked proxy",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return { p: proxy };
    },
    `p ${UNREADABLE}`,
  ],
  [
    "a proxy of a Date",
    () => ({ at: new Proxy(new Date(), {}) }),
    `at ${UNREADABLE}`,
  ],
  [
    "a proxy of a Map",
    () => ({ m: new Proxy(new Map(), {}) }),
    UNREADABLE,
  ],
  ["a cycle", () => cycle((root) => root.self = root), `self ${CYCLE}`],
  [
    "a cycle further down",
    () => ({ a: [cycle((root) => root.b = { c: root })] }),
    `a[0].b.c ${CYCLE}`,
  ],
  [
    "a cycle through an array",
    () => cycle((root) => root.list = [1, root]),
    `list[1] ${CYCLE}`,
  ],
  [
    "a cycle through a Map",
    () => cycle((root) => root.m = new Map([["secret", root]])),
    `m.values()[0] ${CYCLE}`,
  ],
  [
    "a cycle through a key of a Map",
    () => cycle((root) => root.m = new Map([[root, 1]])),
    `m.keys()[0] ${CYCLE}`,
  ],
  [
    "a cycle through a Set",
    () => cycle((root) => root.s = new Set([root])),
    `s.values()[0] ${CYCLE}`,
  ],
  [
    "a function deep inside",
    () => ({ cart: { items: [1, 2, { price: () => "secret" }] } }),
    "Cannot set entry: cart.items[2].price is a function: store data only",
  ],
  [
    "a promise deep inside",
    () => ({ user: [Promise.resolve("secret")] }),
    "user[0] is a promise: await it first",
  ],
  [
    "a function in a Map",
    () => ({ m: new Map<unknown, unknown>([["secret", 1], [2, () => {}]]) }),
    "m.values()[1] is a function",
  ],
  [
    "a function as a key of a Map",
    () => ({ m: new Map([[() => {}, 1]]) }),
    "m.keys()[0] is a function",
  ],
  [
    "a function in a Map that is the value",
    () => new Map([["secret", () => {}]]),
    "Cannot set entry: values()[0] is a function",
  ],
  [
    "a function in a Set",
    () => ({ s: new Set([1, () => {}]) }),
    "s.values()[1] is a function",
  ],
  [
    "a function in an array that is the value",
    () => [[() => {}]],
    "Cannot set entry: [0][0] is a function",
  ],
  [
    "a function under a name that is no identifier",
    () => ({ "first name": { "": () => {} } }),
    `Cannot set entry: ["first name"][""] is a function`,
  ],
  [
    "a function under __proto__",
    () =>
      Object.defineProperty({}, "__proto__", { value: fail, enumerable: true }),
    "__proto__ is a function",
  ],
  [
    "a method named toJSON",
    () => ({ toJSON: () => 1 }),
    "toJSON is a function",
  ],
  [
    "a method named then",
    () => ({ then: () => 1 }),
    "then is a function",
  ],
];

for (const [name, make, rule] of REFUSALS) {
  Deno.test(`MemoryStore.set() refuses ${name} and changes nothing`, async () => {
    using store = new MemoryStore<unknown>();
    await store.set("there", { n: 1 });

    for (const key of ["there", "absent"]) {
      const value = make();
      const error = await assertRejects(
        () => store.set(key, value),
        TypeError,
        rule,
      );
      assert(error.message.startsWith("Cannot set entry: "));
      assertFalse(error.message.includes("secret"));
    }

    assertEquals([...store], [["there", { n: 1 }]]);
  });

  // What has a method named then is a thenable, so that update waits for it.
  if (["a promise", "a method named then"].includes(name)) continue;

  Deno.test(`MemoryStore.update() refuses ${name} and changes nothing`, async () => {
    using store = new MemoryStore<unknown>();
    await store.set("there", { n: 1 });
    const ruleOfUpdate = rule.replace("set entry", "update entry");

    for (const key of ["there", "absent"]) {
      const value = make();
      for (
        const fn of [
          () => value,
          async () => await Promise.resolve([value]).then(([item]) => item),
        ]
      ) {
        const error = await assertRejects(
          () => store.update(key, fn),
          TypeError,
          ruleOfUpdate,
        );
        assert(error.message.startsWith("Cannot update entry: "));
        assertFalse(error.message.includes("secret"));
      }
    }

    assertEquals([...store], [["there", { n: 1 }]]);
    assertEquals(await store.update("there", () => 2), 2);
    assertEquals(await store.update("absent", () => 3), 3);
  });
}

Deno.test("MemoryStore.update() refuses what fn has put into its argument and changes nothing", async () => {
  using store = new MemoryStore<Record<string, unknown>>();
  await store.set("a", { n: 1 });

  await assertRejects(
    () =>
      store.update("a", (value) => {
        if (value) value.list = [() => {}];
      }),
    TypeError,
    "Cannot update entry: list[0] is a function",
  );
  await assertRejects(
    () =>
      store.update("a", async (value) => {
        await Promise.resolve();
        if (value) value.self = value;
      }),
    TypeError,
    `self ${CYCLE}`,
  );

  assertEquals(await store.get("a"), { n: 1 });
});

Deno.test("MemoryStore.set() names as cause what a getter has thrown", async () => {
  using store = new MemoryStore<unknown>();
  const failure = new Error("secret");
  const value = {
    get n() {
      throw failure;
    },
  };

  const error = await assertRejects(
    () => store.set("a", value),
    TypeError,
    `n ${UNREADABLE}`,
  );

  assertStrictEquals(error.cause, failure);
});

for (const failure of [undefined, null, "secret", 1]) {
  Deno.test(`MemoryStore.set() refuses a getter that throws ${failure}`, async () => {
    using store = new MemoryStore<unknown>();
    const value = {
      get n() {
        throw failure;
      },
    };

    const error = await assertRejects(
      () => store.set("a", value),
      TypeError,
      `n ${UNREADABLE}`,
    );

    assertFalse(error.message.includes("secret"));
  });
}

Deno.test("MemoryStore.set() takes a value whose getter writes the same key", async () => {
  using store = new MemoryStore<{ n: number }>();
  const inner: Promise<unknown>[] = [];
  const value = {
    get n() {
      inner.push(store.set("a", { n: 1 }), store.delete("a"));
      return 2;
    },
  };

  await store.set("a", value);
  await Promise.all(inner);

  assertEquals(await store.get("a"), { n: 2 });
});

Deno.test("MemoryStore.update() loses no write of a getter of what fn returns", async () => {
  using store = new MemoryStore<{ n: number }>();
  await store.set("a", { n: 1 });
  const inner: Promise<unknown>[] = [];
  let runs = 0;

  const result = await store.update("a", (value) => ({
    get n() {
      if (runs++ === 0) inner.push(store.set("a", { n: 10 }));
      return (value?.n ?? 0) + 1;
    },
  }));
  await Promise.all(inner);

  assertEquals(result, { n: 11 });
});

// Depth

const WRAPS: [string, (inner: unknown, depth: number) => unknown][] = [
  ["objects", (inner) => ({ inner })],
  ["arrays", (inner) => [inner]],
  ["maps", (inner) => new Map([["inner", inner]])],
  ["keys of maps", (inner) => new Map([[inner, 1]])],
  ["sets", (inner) => new Set([inner])],
  ["a mix", (inner, depth) => depth % 2 ? [inner] : { inner }],
];

for (const [name, wrap] of WRAPS) {
  Deno.test(`MemoryStore.set() stores ${name} nested 500 deep`, async () => {
    using store = new MemoryStore<unknown>();

    await store.set("a", nest(500, wrap));

    assert(await store.get("a") !== undefined);
  });

  for (const depth of [501, 5_000, 100_000]) {
    Deno.test(`MemoryStore.set() refuses ${name} nested ${depth} deep`, async () => {
      using store = new MemoryStore<unknown>();
      const value = nest(depth, wrap);

      const rule = "value must be nested at most 500 deep";
      await assertRejects(() => store.set("a", value), RangeError, rule);
      await assertRejects(
        () => store.update("a", () => value),
        RangeError,
        rule,
      );

      assertEquals(store.size, 0);
      await store.set("a", 1);
      assertEquals(await store.get("a"), 1);
    });
  }
}

for (
  const [name, leaf] of [
    ["a Date", new Date(0)],
    ["a Uint8Array", new Uint8Array(1)],
    ["null", null],
    ["an empty string", ""],
  ] as const
) {
  Deno.test(`MemoryStore.set() stores ${name} inside 500 arrays`, async () => {
    using store = new MemoryStore<unknown>();
    let value: unknown = leaf;
    for (let i = 0; i < 500; i++) value = [value];

    await store.set("a", value);

    let got = await store.get("a");
    while (Array.isArray(got)) got = got[0];
    assertEquals(got, leaf);
  });
}

Deno.test("MemoryStore.set() refuses a function 500 deep by its path", async () => {
  using store = new MemoryStore<unknown>();
  let value: unknown = () => {};
  for (let i = 0; i < 500; i++) value = [value];

  await assertRejects(
    () => store.set("a", value),
    TypeError,
    `${"[0]".repeat(500)} is a function`,
  );
});

Deno.test("MemoryStore.set() refuses a long way round that ends where it began", async () => {
  using store = new MemoryStore<unknown>();
  const root: Record<string, unknown> = {};
  let last = root;
  for (let i = 0; i < 300; i++) last = last.next = {} as typeof root; // one more object
  last.next = root;

  await assertRejects(
    () => store.set("a", root),
    TypeError,
    `${Array(301).fill("next").join(".")} ${CYCLE}`,
  );
});

Deno.test("MemoryStore.set() goes round a wide cycle a few times at most", async () => {
  using store = new MemoryStore<unknown>();
  let rounds = 0;
  const root: Record<string, unknown> = {
    get round() {
      return ++rounds;
    },
    wide: Array.from({ length: 1_000 }, (_, i) => ({ i })),
  };
  root.self = root;

  await assertRejects(() => store.set("a", root), TypeError, `self ${CYCLE}`);

  // Each round copies all that is in it: 500 of 100,000 items take 11 seconds.
  assertLess(rounds, 50);
});

Deno.test("MemoryStore.set() stores wide values", async () => {
  const list = Array.from({ length: 100_000 }, (_, i) => ({ i }));
  using store = new MemoryStore<typeof list>();

  await store.set("a", list);

  const got = await store.get("a");
  assertEquals(got?.length, 100_000);
  assertEquals(got?.[99_999], { i: 99_999 });
});

Deno.test("MemoryStore.set() says nothing of a value but its path and its kind", async () => {
  using store = new MemoryStore<unknown>();

  const error = await assertRejects(
    () => store.set("key", { a: { password: untyped(Symbol("secret")) } }),
    TypeError,
  );

  assertStringIncludes(error.message, "a.password is a symbol");
  assertFalse(error.message.includes("secret"));
  assertFalse(error.message.includes("key"));
});
