import { expect, test } from 'vitest';
import { seedFraction, seedId, shopOpened } from './ids.ts';

const version7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const keys = Array.from({ length: 5_000 }, (_, i) => String(10_000 + i));

test('the same row has the same id on every machine', () => {
  expect(seedId('product', '85123A')).toBe('012c9f3a-8000-7bcf-adca-19e892cf76c6');
});

test('every id is a UUID of version 7', () => {
  expect(keys.map((key) => seedId('product', key)).filter((id) => !version7.test(id))).toEqual([]);
});

test('the time part is the time given, the opening of the shop without one', () => {
  const timeOf = (id: string) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  const at = new Date('2011-09-30T16:22:00.000Z');
  expect(timeOf(seedId('order', '569000', at))).toBe(at.getTime());
  expect(timeOf(seedId('product', '85123A'))).toBe(shopOpened.getTime());
});

test('ids of later orders sort after those of earlier ones', () => {
  const ids = keys.map((key, i) => seedId('order', key, new Date(shopOpened.getTime() + i)));
  expect(ids.toSorted()).toEqual(ids);
});

test('no two rows share an id, and a product is not its variant', () => {
  const ids = keys.flatMap((key) => [seedId('product', key), seedId('variant', key)]);
  expect(new Set(ids).size).toBe(2 * keys.length);
});

test('the dice fall everywhere between nought and one, and always the same way', () => {
  const thrown = keys.map((key) => seedFraction('test', key));
  const tenths = Map.groupBy(thrown, (fraction) => Math.floor(fraction * 10));
  expect([...tenths.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  // 500 are expected in each; five standard deviations are 106.
  expect([...tenths.values()].every((some) => Math.abs(some.length - 500) < 106)).toBe(true);
  expect(keys.map((key) => seedFraction('test', key))).toEqual(thrown);
});
