/**
 * What the demo sells, and what a cart is.
 *
 * @module
 */

/** A tea in the shop. */
export interface Tea {
  /** What forms and carts call it. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** Where it comes from. */
  readonly origin: string;
  /** One sentence on its taste. */
  readonly about: string;
  /** Price of a tin, in whole dollars. */
  readonly price: number;
  /** Colour of its tin: a middle tone, seen on light and on dark. */
  readonly colour: string;
}

/** How many tins of each tea, by {@linkcode Tea.id}. */
export type Cart = Record<string, number>;

/** A tea in a cart. */
export interface CartLine {
  /** The tea. */
  readonly tea: Tea;
  /** How many tins of it: from 1 to {@linkcode MAX_TINS}. */
  readonly tins: number;
}

/** The most tins of one tea in a cart. */
export const MAX_TINS = 99;

/** The whole range. */
export const TEAS: readonly Tea[] = [
  {
    id: "assam",
    name: "Assam",
    origin: "India",
    about: "Malty and dark. Takes milk, and mornings.",
    price: 7,
    colour: "#a65238",
  },
  {
    id: "sencha",
    name: "Sencha",
    origin: "Japan",
    about: "Green and bright, with a little of the sea.",
    price: 9,
    colour: "#6d9153",
  },
  {
    id: "oolong",
    name: "Oolong",
    origin: "Taiwan",
    about: "Neither green nor black. Good for nine cups.",
    price: 12,
    colour: "#bb8a38",
  },
  {
    id: "darjeeling",
    name: "Darjeeling",
    origin: "India",
    about: "First flush: light, floral, gone by May.",
    price: 14,
    colour: "#c47a86",
  },
  {
    id: "lapsang",
    name: "Lapsang",
    origin: "China",
    about: "Dried over a pine fire. Divides families.",
    price: 11,
    colour: "#6f6a78",
  },
  {
    id: "mate",
    name: "Mate",
    origin: "Brazil",
    about: "Not a tea at all. Ask anyone from the south.",
    price: 6,
    colour: "#3f8378",
  },
];

/** Finds a tea by what a form says, which may be anything. */
export function findTea(id: string | null): Tea | undefined {
  return TEAS.find((tea) => tea.id === id);
}

/** Changes the number of tins in place, within 0 and {@linkcode MAX_TINS}. */
export function addTins(cart: Cart, { id }: Tea, tins: number): void {
  const count = Math.min((cart[id] ?? 0) + tins, MAX_TINS);
  if (count > 0) cart[id] = count;
  else delete cart[id];
}

/** The teas in a cart, in the order of the shop. */
export function cartLines(cart: Cart): CartLine[] {
  return TEAS.flatMap((tea) => {
    const tins = cart[tea.id];
    return tins === undefined ? [] : [{ tea, tins }];
  });
}

/** How many tins are in a cart. */
export function countTins(cart: Cart): number {
  return cartLines(cart).reduce((sum, { tins }) => sum + tins, 0);
}

/** What a cart costs, in whole dollars. */
export function totalPrice(cart: Cart): number {
  return cartLines(cart).reduce(
    (sum, { tea, tins }) => sum + tea.price * tins,
    0,
  );
}
