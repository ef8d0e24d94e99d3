import { expect, test } from 'vitest';
import { generatedOrders, logValue, type Plan } from './generated-orders.ts';
import { amountsOf } from './imported.ts';
import { goods } from './online-retail.ts';
import { holidays } from './season.ts';

const plan: Plan = { orders: 20_000, seed: 'TEST', customers: 3_613, until: new Date('2026-11-01') };
const orders = [...generatedOrders(plan)];
const values = orders.map((order) => amountsOf(order).total);

const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const deviationOf = (numbers: readonly number[]): number => {
  const mean = meanOf(numbers);
  return Math.sqrt(meanOf(numbers.map((each) => (each - mean) ** 2)));
};
const shareOf = (isSo: (order: (typeof orders)[number]) => boolean): number =>
  orders.filter(isSo).length / orders.length;

const clock = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/London',
  dateStyle: 'short',
  timeStyle: 'short',
});
/** `2025-11-28 20:15`, as the clocks of London showed */
const shown = new Map(orders.map((order) => [order, clock.format(order.placedAt)]));
const monthOf = (order: (typeof orders)[number]): number => Number(shown.get(order)!.slice(5, 7));
const hourOf = (order: (typeof orders)[number]): number => Number(shown.get(order)!.slice(11, 13));
const dayOf = (order: (typeof orders)[number]): string => shown.get(order)!.slice(0, 10);

test('an order is worth £75 on average, give or take £50', () => {
  // The error of the mean is £0.35 here, that of the deviation about £0.90.
  expect(Math.abs(meanOf(values) - 7_500)).toBeLessThan(120);
  expect(Math.abs(deviationOf(values) - 5_000)).toBeLessThan(300);
});

test('values are lognormal: their logarithms have the mean, the deviation and the symmetry of the bell', () => {
  const logs = values.map(Math.log);
  const [mean, deviation] = [meanOf(logs), deviationOf(logs)];
  expect(Math.abs(mean - logValue.mean)).toBeLessThan(0.02);
  expect(Math.abs(deviation - logValue.deviation)).toBeLessThan(0.015);
  const moment = (power: number) => meanOf(logs.map((log) => ((log - mean) / deviation) ** power));
  expect(Math.abs(moment(3))).toBeLessThan(0.1);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
});

test('an order has two and a half lines on average, of goods of the shop at its prices, each once', () => {
  const prices = new Map(goods().map(({ sku, priceMinor }) => [sku, priceMinor]));
  const lines = orders.flatMap((order) => order.lines);
  expect(Math.abs(lines.length / orders.length - 2.5)).toBeLessThan(0.04);
  expect(lines.filter(({ sku, unitPriceMinor }) => prices.get(sku) !== unitPriceMinor)).toEqual([]);
  expect(lines.filter(({ quantity }) => !Number.isSafeInteger(quantity) || quantity < 1)).toEqual([]);
  const doubled = shareOf(({ lines }) => new Set(lines.map(({ sku }) => sku)).size < lines.length);
  expect(doubled).toBeLessThan(0.001);
});

test('what sold best sells best', () => {
  const sold = Map.groupBy(
    orders.flatMap((order) => order.lines),
    ({ sku }) => sku,
  );
  const popular = goods()
    .sort((a, b) => b.soldLines - a.soldLines)
    .slice(0, 360);
  const share =
    popular.reduce((sum, { sku }) => sum + (sold.get(sku)?.length ?? 0), 0) /
    orders.reduce((sum, order) => sum + order.lines.length, 0);
  // A tenth of the goods has 40 % of the real lines; cheap goods have a little more here, as they fit small orders.
  expect(share).toBeGreaterThan(0.35);
  expect(share).toBeLessThan(0.6);
});

test('of a hundred orders 60 are delivered, 15 on their way, 10 in the warehouse, 10 cancelled, 5 not paid', () => {
  const shares = {
    delivered: shareOf((o) => o.status === 'DELIVERED' && o.payment === 'CAPTURED'),
    shipped: shareOf((o) => o.status === 'SHIPPED' && o.payment === 'CAPTURED'),
    processing: shareOf((o) => o.status === 'PROCESSING' && o.payment === 'AUTHORIZED'),
    cancelled: shareOf((o) => o.status === 'CANCELLED' && o.payment === 'VOIDED'),
    failed: shareOf((o) => o.status === 'CANCELLED' && o.payment === 'FAILED'),
  };
  const wanted = { delivered: 0.6, shipped: 0.15, processing: 0.1, cancelled: 0.1, failed: 0.05 };
  for (const [outcome, share] of Object.entries(wanted))
    expect(Math.abs(shares[outcome as keyof typeof shares] - share), outcome).toBeLessThan(0.01);
});

test('what has not arrived yet was placed last', () => {
  const last = (status: string) =>
    Math.max(...orders.filter((o) => o.status === status).map(({ placedAt }) => placedAt.getTime()));
  const first = (status: string) =>
    Math.min(...orders.filter((o) => o.status === status).map(({ placedAt }) => placedAt.getTime()));
  expect(last('DELIVERED')).toBeLessThanOrEqual(first('SHIPPED'));
  expect(last('SHIPPED')).toBeLessThanOrEqual(first('PROCESSING'));
});

test('all twelve months are there, and November and December have 40 % of the year', () => {
  expect(new Set(orders.map(monthOf)).size).toBe(12);
  expect(Math.abs(shareOf((o) => monthOf(o) >= 11) - 0.4)).toBeLessThan(0.005);
  const times = orders.map(({ placedAt }) => placedAt.getTime());
  expect(Math.min(...times)).toBeGreaterThanOrEqual(Date.parse('2025-11-01'));
  expect(Math.max(...times)).toBeLessThan(Date.parse('2026-11-01'));
});

test('30 % are placed between seven and ten in the evening, and the best hour has ten times the worst', () => {
  expect(Math.abs(shareOf((o) => hourOf(o) >= 19 && hourOf(o) < 22) - 0.3)).toBeLessThan(0.01);
  const hours = Array.from({ length: 24 }, (_, hour) => shareOf((o) => hourOf(o) === hour));
  const ratio = Math.max(...hours) / Math.min(...hours);
  expect(ratio).toBeGreaterThan(8);
  expect(ratio).toBeLessThan(12.5);
});

test('Black Friday and Cyber Monday sell five times what other days of their season do', () => {
  const days = holidays(2025).map((day) => new Date(day).toISOString().slice(0, 10));
  expect(days).toEqual(['2025-11-28', '2025-12-01']);
  expect(holidays(2026).map((day) => new Date(day).toISOString().slice(0, 10))).toEqual([
    '2026-11-27',
    '2026-11-30',
  ]);
  const season = orders.filter((o) => monthOf(o) >= 11);
  const [rush, plain] = [
    season.filter((o) => days.includes(dayOf(o))),
    season.filter((o) => !days.includes(dayOf(o))),
  ];
  const ratio = rush.length / 2 / (plain.length / 59);
  expect(ratio).toBeGreaterThan(4.5);
  expect(ratio).toBeLessThan(5.5);
});

test('two in a hundred look like fraud: a new account and a high value', () => {
  const suspects = orders.filter(({ newcomer }) => newcomer);
  expect(Math.abs(suspects.length / orders.length - 0.02)).toBeLessThan(0.004);
  const high = values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.945)]!;
  for (const order of suspects) {
    const { newcomer, placedAt } = order;
    const ageMinutes = (placedAt.getTime() - newcomer!.createdAt.getTime()) / 60_000;
    expect(ageMinutes).toBeGreaterThan(1.9);
    expect(ageMinutes).toBeLessThan(31);
    expect(amountsOf(order).total).toBeGreaterThan(high);
    expect(order.customerId).toBe(newcomer!.id);
  }
});

test('the same plan makes the same orders, another seed makes others', () => {
  const few = { ...plan, orders: 300 };
  const some = [...generatedOrders(few)];
  expect([...generatedOrders(few)]).toEqual(some);
  const others = [...generatedOrders({ ...few, seed: 'OTHER' })];
  const ids = new Set(some.map(({ id }) => id));
  expect(others.filter(({ id }) => ids.has(id))).toEqual([]);
  expect(ids.size).toBe(300);
});

test('with few customers only those buy who buy most often', () => {
  const some = [...generatedOrders({ ...plan, orders: 500, customers: 3 })];
  const known = some.filter(({ newcomer }) => !newcomer).map(({ customerId }) => customerId);
  expect(new Set(known).size).toBe(3);
});
