// Who wants what when: drawn from the seed before anything is asked, so that a slow shop gets no fewer orders (open loop).

/** Repeatable numbers from 0 up to 1, from an integer; mulberry32 by Tommy Ettinger, public domain. */
const seeded = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

export type Good = {
  /** uuid */
  readonly variant: string;
  /** units that can be sold */
  readonly available: number;
};

export type Arrival = {
  /** milliseconds since the first could have come */
  readonly atMs: number;
  readonly customer: number;
  readonly lines: readonly { readonly variant: string; readonly quantity: number }[];
};

export type Demand = {
  readonly orders: number;
  readonly customers: number;
  /** orders in a second, on average */
  readonly rate: number;
  readonly seed: number;
};

/**
 * Arrivals of a Poisson process, one to three goods each. Customers take turns: each has one cart.
 * @throws Error where there are not enough goods for so many orders
 */
export const plan = ({ orders, customers, rate, seed }: Demand, goods: readonly Good[]): Arrival[] => {
  const draw = seeded(seed);
  const upTo = (most: number): number => 1 + Math.floor(draw() * most);
  const left = goods.map(({ available }) => available);
  const pick = (): { variant: string; quantity: number } => {
    const quantity = upTo(3);
    const from = Math.floor(draw() * goods.length);
    for (let step = 0; step < goods.length; step++) {
      const at = (from + step) % goods.length;
      if (left[at]! < quantity) continue;
      left[at]! -= quantity;
      return { variant: goods[at]!.variant, quantity };
    }
    throw new Error(`There are not enough goods in stock for ${orders} orders.`);
  };
  let atMs = 0;
  return Array.from({ length: orders }, (_, number) => {
    atMs += (-Math.log(1 - draw()) * 1_000) / rate;
    const wanted = Array.from({ length: upTo(3) }, pick);
    // The same good drawn twice is one line.
    const lines = [...Map.groupBy(wanted, ({ variant }) => variant)].map(([variant, parts]) => ({
      variant,
      quantity: parts.reduce((sum, { quantity }) => sum + quantity, 0),
    }));
    return { atMs, customer: number % customers, lines };
  });
};
