import { expect, test } from 'vitest';
import { plan } from './arrivals.ts';

const goods = Array.from({ length: 40 }, (_, number) => ({ variant: `v${number}`, available: 200 }));
const demand = { orders: 500, customers: 200, rate: 20, seed: 1 };

test('the same seed makes the same customers want the same goods at the same moments', () => {
  expect(plan(demand, goods)).toEqual(plan(demand, goods));
  expect(plan({ ...demand, seed: 2 }, goods)).not.toEqual(plan(demand, goods));
});

test('five hundred orders at twenty a second come in about twenty-five seconds, each later than the one before', () => {
  const times = plan(demand, goods).map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBeGreaterThan(21_000);
  expect(times.at(-1)).toBeLessThan(29_000);
});

test('every customer has a turn, and nobody wants one good on two lines', () => {
  const arrivals = plan(demand, goods);
  expect(new Set(arrivals.map(({ customer }) => customer)).size).toBe(200);
  for (const { lines } of arrivals) {
    expect(lines.length).toBeGreaterThan(0);
    expect(new Set(lines.map(({ variant }) => variant)).size).toBe(lines.length);
  }
});

test('never is more wanted than there is', () => {
  const few = goods.map((good) => ({ ...good, available: 80 }));
  const wanted = new Map<string, number>();
  for (const { variant, quantity } of plan(demand, few).flatMap(({ lines }) => lines))
    wanted.set(variant, (wanted.get(variant) ?? 0) + quantity);
  expect(Math.max(...wanted.values())).toBeLessThanOrEqual(80);
  expect(() => plan(demand, goods.slice(0, 2))).toThrow('not enough goods');
});
