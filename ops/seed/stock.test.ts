import { expect, test } from 'vitest';
import { goods } from './online-retail.ts';
import { openingStock, stockLevels, warehouses } from './stock.ts';

const allGoods = goods();
const levels = stockLevels(allGoods);
const totals = [
  ...Map.groupBy(levels, (level) => level.sku)
    .values()
    .map((own) => own.reduce((sum, level) => sum + level.quantity, 0)),
];

const countIn = (numbers: readonly number[], from: number, to: number) =>
  numbers.filter((n) => n >= from && n <= to).length;

test('a tenth of the goods has no stock, a fifth 10 to 49 pieces and the rest 50 to 500', () => {
  expect(totals).toHaveLength(3_630);
  expect(countIn(totals, 0, 0)).toBe(363);
  expect(countIn(totals, 10, 49)).toBe(726);
  expect(countIn(totals, 50, 500)).toBe(2_541);
});

test('shares are rounded to whole goods and the rest has plenty', () => {
  const few = allGoods.toSorted((a, b) => a.soldLines - b.soldLines).slice(0, 997);
  const pieces = [...openingStock(few.map((good, i) => ({ sku: good.sku, soldLines: i }))).values()];
  expect([countIn(pieces, 0, 0), countIn(pieces, 10, 49), countIn(pieces, 50, 500)]).toEqual([100, 199, 698]);
});

test('quantities are spread over the whole of their range', () => {
  const plenty = totals.filter((n) => n >= 50);
  expect(Math.min(...plenty)).toBeLessThan(55);
  expect(Math.max(...plenty)).toBeGreaterThan(495);
  const mean = plenty.reduce((sum, n) => sum + n, 0) / plenty.length;
  expect(Math.abs(mean - 275)).toBeLessThan(13);
});

test('the 200 best sellers can be bought on the first day', () => {
  const stock = openingStock(allGoods);
  const best = allGoods.toSorted((a, b) => b.soldLines - a.soldLines).slice(0, 200);
  expect(best.filter((good) => stock.get(good.sku) === 0)).toEqual([]);
});

test('every good has a row in each of the three warehouses, never below zero', () => {
  expect(levels).toHaveLength(3 * allGoods.length);
  expect(new Set(levels.map((level) => `${level.sku} ${level.warehouse}`)).size).toBe(levels.length);
  expect(new Set(levels.map((level) => level.warehouse))).toEqual(
    new Set(warehouses.map(({ code }) => code)),
  );
  expect(levels.every((level) => Number.isSafeInteger(level.quantity) && level.quantity >= 0)).toBe(true);
});

test('each warehouse holds a good part of the whole', () => {
  const all = totals.reduce((sum, n) => sum + n, 0);
  const shares = warehouses.map(({ code }) => {
    const own = levels.filter((level) => level.warehouse === code);
    return own.reduce((sum, level) => sum + level.quantity, 0) / all;
  });
  expect(shares.map((share) => Math.round(share * 20) / 20)).toEqual([0.5, 0.25, 0.25]);
});

test('the order of the goods changes nothing', () => {
  const backwards = openingStock(allGoods.toReversed());
  expect([...openingStock(allGoods)].every(([sku, pieces]) => backwards.get(sku) === pieces)).toBe(true);
});
