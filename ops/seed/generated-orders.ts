/**
 * Orders of a year that never was, for benches and dashboards: as many as wanted, the same for the same plan.
 *
 * Values are lognormal with mean £75 and deviation £50, lines 1 + Poisson(1.5), so 2.5 on average. Goods and customers are
 * drawn as often as they occur in the real sales, prices are the shop's. Of all orders 60 % are delivered, 15 % on their
 * way, 10 % in the warehouse, 10 % cancelled and 5 % cancelled because the payment failed; what has not arrived is what was
 * placed last. 2 % look like fraud: the first order of an account that is minutes old, among the 5 % of highest value.
 */
import { uuidv7 } from '@orderstream/runtime/ids';
import { type Dice, diceOf, weighted } from './dice.ts';
import { seedId } from './ids.ts';
import type { ImportedOrder } from './imported.ts';
import { customers, type Good, goods } from './online-retail.ts';
import { invented, type Person, people } from './people.ts';
import { seasonBefore } from './season.ts';

export type Plan = {
  readonly orders: number;
  readonly seed: string;
  /** how many of the shop's customers buy, beginning with those who buy most often; at least one */
  readonly customers: number;
  /** the first of a month, as UTC midnight: the twelve months before it are filled */
  readonly until: Date;
};

export type GeneratedOrder = ImportedOrder & {
  /** the account that was opened for it, where it looks like fraud */
  readonly newcomer: Person | null;
};

/** What the shop charges for each parcel, in pence: the default of SHIPPING_FLAT_MINOR. */
const shippingMinor = 495;

const value = { mean: 7_500, deviation: 5_000 };
const sigma = Math.sqrt(Math.log(1 + (value.deviation / value.mean) ** 2));
/** Of the logarithm of the order's value in pence. */
export const logValue = { mean: Math.log(value.mean) - sigma ** 2 / 2, deviation: sigma } as const;

const moreLines = 1.5;
const mostLines = 12;

const shares = { cancelled: 0.1, failed: 0.05, processing: 0.1, shipped: 0.15 };
const kept = 1 - shares.cancelled - shares.failed;

/** The 5 % of highest value begin here; two in five of them look like fraud, which is 2 % of all. */
const high = { from: 1.644_854, share: 0.4 };

type Outcome = Pick<ImportedOrder, 'status' | 'statusReason' | 'payment'>;

const outcomes = {
  cancelled: { status: 'CANCELLED', statusReason: 'Cancelled by the customer.', payment: 'VOIDED' },
  failed: { status: 'CANCELLED', statusReason: 'The card was declined.', payment: 'FAILED' },
  processing: { status: 'PROCESSING', statusReason: null, payment: 'AUTHORIZED' },
  shipped: { status: 'SHIPPED', statusReason: null, payment: 'CAPTURED' },
  delivered: { status: 'DELIVERED', statusReason: null, payment: 'CAPTURED' },
} as const satisfies Record<string, Outcome>;

/** @param age of the order among all: 0 for the first of the year, 1 for the last */
const outcomeOf = (age: number, draw: number): Outcome => {
  if (draw < shares.cancelled) return outcomes.cancelled;
  if (draw < shares.cancelled + shares.failed) return outcomes.failed;
  const newest = (1 - age) * kept;
  if (newest < shares.processing) return outcomes.processing;
  return newest < shares.processing + shares.shipped ? outcomes.shipped : outcomes.delivered;
};

type OnSale = Pick<Good, 'sku' | 'name' | 'priceMinor' | 'soldLines'> & { readonly variantId: string };
type Draw<T> = (fraction: number) => T;

/** Goods worth about `goodsMinor` together, at their prices. What rounding to pieces leaves is the next line's. */
const linesWorth = (goodsMinor: number, dice: Dice, goodAt: Draw<OnSale>): ImportedOrder['lines'] => {
  const count = Math.min(mostLines, 1 + dice.poisson(moreLines));
  // Exponential shares: every way to divide the value among the lines is as likely.
  const parts = Array.from({ length: count }, () => -Math.log(1 - dice.fraction()));
  let partsLeft = parts.reduce((sum, part) => sum + part, 0);
  let left = goodsMinor;
  const taken = new Set<string>();
  return parts.map((part) => {
    const wanted = (left * part) / partsLeft;
    let good = goodAt(dice.fraction());
    // Dear goods do not fit into a small share; the cheapest of ten does.
    for (let tries = 0; tries < 10 && (good.priceMinor > wanted || taken.has(good.sku)); tries++) {
      const other = goodAt(dice.fraction());
      if (taken.has(good.sku) || (other.priceMinor < good.priceMinor && !taken.has(other.sku))) good = other;
    }
    taken.add(good.sku);
    const quantity = Math.max(1, Math.round(wanted / good.priceMinor));
    left = Math.max(0, left - quantity * good.priceMinor);
    partsLeft -= part;
    const { variantId, sku, name, priceMinor } = good;
    return { variantId, sku, name, quantity, unitPriceMinor: priceMinor };
  });
};

const buyers = (count: number): Draw<Person> => {
  const byNumber = new Map(people().map((person) => [person.key, person]));
  const often = customers()
    .sort((a, b) => b.invoices - a.invoices || (a.number < b.number ? -1 : 1))
    .slice(0, count)
    .map(({ number, invoices }) => ({ person: byNumber.get(number)!, invoices }));
  const at = weighted(often, ({ invoices }) => invoices);
  return (fraction) => at(fraction).person;
};

const generatedNumber = (seed: string, serial: number): string =>
  `G-${seed}-${String(serial).padStart(7, '0')}`;

/** By the time they were placed, which is the order of their numbers. */
export function* generatedOrders(plan: Plan): Generator<GeneratedOrder> {
  const dice = diceOf(`orders ${plan.seed}`);
  const placedAtOf = seasonBefore(plan.until.getTime());
  const buyerAt = buyers(plan.customers);
  const goodAt = weighted(
    goods().map(({ sku, name, priceMinor, soldLines }) => ({
      sku,
      name,
      priceMinor,
      soldLines,
      variantId: seedId('variant', sku),
    })),
    ({ soldLines }) => soldLines,
  );
  const random = Buffer.alloc(12);
  const idAt = (atMs: number): string => {
    for (let at = 0; at < 12; at += 4) random.writeUInt32LE(dice.bits(), at);
    return uuidv7(atMs, random);
  };
  const newcomerBefore = (atMs: number, key: string): Person => {
    const createdAt = new Date(atMs - Math.round((2 + 28 * dice.fraction()) * 60_000));
    return invented(key, 'United Kingdom', { id: idAt(createdAt.getTime()), createdAt });
  };
  for (let serial = 1; serial <= plan.orders; serial++) {
    const age = (serial - dice.fraction()) / plan.orders;
    const atMs = placedAtOf(age);
    const number = generatedNumber(plan.seed, serial);
    const deviation = dice.normal();
    const isFraudLike = deviation > high.from && dice.fraction() < high.share;
    const newcomer = isFraudLike ? newcomerBefore(atMs, number) : null;
    const buyer = newcomer ?? buyerAt(dice.fraction());
    const worth = Math.exp(logValue.mean + logValue.deviation * deviation);
    yield {
      id: idAt(atMs),
      number,
      customerId: buyer.id,
      placedAt: new Date(atMs),
      ...outcomeOf(age, dice.fraction()),
      address: buyer.address,
      shippingMinor,
      lines: linesWorth(worth - shippingMinor, dice, goodAt),
      newcomer,
    };
  }
}
