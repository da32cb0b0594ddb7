/**
 * The keys, values and orders of access that every store is measured with.
 *
 * @module
 */

/** A session as sites keep them: about 230 bytes as JSON. */
export interface Visitor {
  id: number;
  name: string;
  email: string;
  roles: string[];
  address: { city: string; zip: string };
  createdAt: number;
}

/** Numbers above or equal to 0 and below 1, the same ones in each run. */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    // mulberry32: one 32-bit word of state, good enough to draw keys with.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A key of 36 characters, in the shape of a UUID. */
export function makeKey(i: number): string {
  const hex = i.toString(16).padStart(12, "0");
  return flat("6d1f0b2e-8c3a-4f57-9b21-", hex);
}

/** As {@linkcode makeKey}, and not among its results. */
export function makeOtherKey(i: number): string {
  const hex = i.toString(16).padStart(12, "0");
  return flat("f00d0b2e-8c3a-4f57-9b21-", hex);
}

/** A value of its own for each `i`. */
export function makeVisitor(i: number): Visitor {
  return {
    id: i,
    name: flat("Visitor number ", i),
    email: flat("visitor", i, "@shop.example"),
    // Copies of a literal of constants share its items (V8): a request's do not.
    roles: ["reader", "buyer", "writer", "editor", "admin"].map((role) => role),
    address: { city: "Recife", zip: "50030-230" },
    createdAt: 1_795_000_000_000 + i,
  };
}

/** The members of a {@linkcode Visitor} under other names: 16 shapes. */
export function makeShaped(i: number): Record<string, unknown> {
  const shape = i % 16;
  const members = Object.entries(makeVisitor(i));
  return Object.fromEntries(
    members.map(([name, member]) => [`${name}${shape}`, member]),
  );
}

/** The copy a user would write by hand for this very type. */
export function copyVisitor(visitor: Visitor): Visitor {
  return {
    id: visitor.id,
    name: visitor.name,
    email: visitor.email,
    roles: visitor.roles.slice(),
    address: { city: visitor.address.city, zip: visitor.address.zip },
    createdAt: visitor.createdAt,
  };
}

/** Draws indices from `0` to `size - 1`, all equally often. */
export function uniform(size: number, random: () => number): () => number {
  return () => Math.floor(random() * size);
}

/**
 * Draws indices from `0` to `size - 1` by Zipf's law: the key of rank r is
 * drawn in proportion to 1 / r^`exponent`. Ranks are spread over the indices,
 * so that frequent keys do not lie side by side in memory.
 */
export function zipf(
  size: number,
  exponent: number,
  random: () => number,
): () => number {
  const sums = new Float64Array(size);
  let total = 0;
  for (let rank = 1; rank <= size; rank++) {
    sums[rank - 1] = total += 1 / rank ** exponent;
  }
  return () => {
    const drawn = random() * total;
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < drawn) low = middle + 1;
      else high = middle;
    }
    return (low * 7_919) % size; // 7,919 is prime and divides no size in use
  };
}

/** A template makes a rope on V8; the strings of a server are flat. */
function flat(...parts: (string | number)[]): string {
  return parts.join("");
}
