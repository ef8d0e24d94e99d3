// What an order looks like beside what is usual: the figures that rules and network alike go by. Computed once, when the
// order is scored, and stored with the score, so that a network learns from what was known then and not from hindsight.

/** Counts, sums of logarithms and of their squares, of paid orders' amounts in minor units. */
export type Usual = { readonly orders: number; readonly logSum: number; readonly logSquares: number };

/** What the tables say of an order at its moment; the order itself is not counted. */
export type Facts = {
  readonly amountMinor: number;
  readonly customer: Usual;
  readonly shop: Usual;
  /** hours; null where it is not known */
  readonly accountAgeHours: number | null;
  readonly addressChangedHours: number | null;
  /** by this customer */
  readonly ordersLastHour: number;
  readonly ordersLastDay: number;
  /** other accounts seen there in thirty days */
  readonly accountsOnAddress: number;
  readonly accountsOnDevice: number;
  readonly accountsOnNetwork: number;
  /** orders of anybody from there in the last hour */
  readonly ordersFromNetwork: number;
  /** the customer has been seen, but never there */
  readonly isNewAddress: boolean;
  readonly isNewDevice: boolean;
  /** orders rejected in review that came from there */
  readonly rejectedOnAddress: number;
  readonly rejectedOnDevice: number;
  readonly rejectedOnNetwork: number;
  /** of the good with the worst record, 0 to 1 */
  readonly goodsAbuse: number;
  /** payments of this customer that were declined in a day */
  readonly declines: number;
};

export type Features = {
  readonly amountMinor: number;
  /** minor units; 0 where nothing is usual yet */
  readonly typicalMinor: number;
  /** standard deviations above the usual, of the logarithm */
  readonly deviation: number;
  readonly ownOrders: number;
  readonly accountAgeHours: number | null;
  readonly addressChangedHours: number | null;
  readonly ordersLastHour: number;
  readonly ordersLastDay: number;
  readonly accountsOnAddress: number;
  readonly accountsOnDevice: number;
  readonly accountsOnNetwork: number;
  readonly ordersFromNetwork: number;
  readonly newAddress: number;
  readonly newDevice: number;
  readonly rejectedOnAddress: number;
  readonly rejectedOnDevice: number;
  readonly rejectedOnNetwork: number;
  readonly goodsAbuse: number;
  readonly declines: number;
};

export const nothingUsual: Usual = { orders: 0, logSum: 0, logSquares: 0 };

export const withAmount = ({ orders, logSum, logSquares }: Usual, amountMinor: number): Usual => {
  const log = Math.log(Math.max(amountMinor, 1));
  return { orders: orders + 1, logSum: logSum + log, logSquares: logSquares + log * log };
};

/** Fewer orders than this do not make a shop's usual. */
const leastOfShop = 30;
/** The shop's usual counts as much as this many orders of the customer's own: partial pooling. */
const shopWeight = 3;
/** Nobody is so regular that a tenth more is suspicious. */
const leastSpread = 0.5;

const meanOf = ({ orders, logSum }: Usual): number => (orders > 0 ? logSum / orders : 0);
const spreadOf = (usual: Usual): number =>
  usual.orders > 0 ? Math.max(0, usual.logSquares / usual.orders - meanOf(usual) ** 2) : 0;

/** The usual amount and how far this one is above it; below the usual is 0. */
const comparedWithUsual = ({ amountMinor, customer, shop }: Facts) => {
  const weight = shop.orders >= leastOfShop ? shopWeight : 0;
  const count = weight + customer.orders;
  if (count < shopWeight) return { typicalMinor: 0, deviation: 0 };
  const mean = (weight * meanOf(shop) + customer.logSum) / count;
  const variance = (weight * spreadOf(shop) + customer.orders * spreadOf(customer)) / count;
  const above = Math.log(Math.max(amountMinor, 1)) - mean;
  return {
    typicalMinor: Math.round(Math.exp(mean)),
    deviation: Math.max(0, above / Math.max(Math.sqrt(variance), leastSpread)),
  };
};

/** Small numbers say little: a good that was rejected once in three orders is not yet a bad good. */
const goodsPrior = 20;
export const goodsAbuseOf = (good: {
  readonly rejected: number;
  readonly refunded: number;
  readonly orders: number;
}): number => Math.min(1, (good.rejected + good.refunded / 4) / (good.orders + goodsPrior));

export const featuresOf = (facts: Facts): Features => ({
  amountMinor: facts.amountMinor,
  ...comparedWithUsual(facts),
  ownOrders: facts.customer.orders,
  accountAgeHours: facts.accountAgeHours,
  addressChangedHours: facts.addressChangedHours,
  ordersLastHour: facts.ordersLastHour,
  ordersLastDay: facts.ordersLastDay,
  accountsOnAddress: facts.accountsOnAddress,
  accountsOnDevice: facts.accountsOnDevice,
  accountsOnNetwork: facts.accountsOnNetwork,
  ordersFromNetwork: facts.ordersFromNetwork,
  newAddress: Number(facts.isNewAddress),
  newDevice: Number(facts.isNewDevice),
  rejectedOnAddress: facts.rejectedOnAddress,
  rejectedOnDevice: facts.rejectedOnDevice,
  rejectedOnNetwork: facts.rejectedOnNetwork,
  goodsAbuse: facts.goodsAbuse,
  declines: facts.declines,
});

/** 1 now, a half after `half` hours, towards 0; 0 where it is not known. */
const recency = (hours: number | null, half: number): number =>
  hours === null ? 0 : 1 / (1 + Math.max(0, hours) / half);

/** The network's view of the features: logarithms of counts and recency of times. Unscaled. */
const inputs: Readonly<Record<string, (f: Features) => number>> = {
  amount: (f) => Math.log(Math.max(f.amountMinor, 1)),
  deviation: (f) => f.deviation,
  ownOrders: (f) => Math.log1p(f.ownOrders),
  accountIsNew: (f) => recency(f.accountAgeHours, 24),
  accountAgeIsUnknown: (f) => Number(f.accountAgeHours === null),
  addressChanged: (f) => recency(f.addressChangedHours, 24),
  ordersLastHour: (f) => Math.log1p(f.ordersLastHour),
  ordersLastDay: (f) => Math.log1p(f.ordersLastDay),
  accountsOnAddress: (f) => Math.log1p(f.accountsOnAddress),
  accountsOnDevice: (f) => Math.log1p(f.accountsOnDevice),
  accountsOnNetwork: (f) => Math.log1p(f.accountsOnNetwork),
  ordersFromNetwork: (f) => Math.log1p(f.ordersFromNetwork),
  newAddress: (f) => f.newAddress,
  newDevice: (f) => f.newDevice,
  rejectedOnAddress: (f) => Math.log1p(f.rejectedOnAddress),
  rejectedOnDevice: (f) => Math.log1p(f.rejectedOnDevice),
  rejectedOnNetwork: (f) => Math.log1p(f.rejectedOnNetwork),
  goodsAbuse: (f) => f.goodsAbuse,
  declines: (f) => Math.log1p(f.declines),
};

/** In the order of `inputOf`; a network is only asked about the inputs it has learnt from. */
export const inputNames: readonly string[] = Object.keys(inputs);
export const inputOf = (features: Features): number[] => Object.values(inputs).map((of) => of(features));
