import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { containedTax, format, isMore, minus, money, plus, split, sum, times, zero } from './money.ts';

const amounts = fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 });
const weights = fc
  .array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 40 })
  .filter((list) => list.some((weight) => weight > 0));

describe('splitting', () => {
  test('the parts of a split add up to the whole', () => {
    fc.assert(
      fc.property(amounts, weights, (amount, list) => {
        const parts = split(money(amount, 'GBP'), list);
        expect(parts).toHaveLength(list.length);
        expect(sum(parts, 'GBP').amountMinor).toBe(amount);
      }),
    );
  });

  test('a part is at most one unit off its share, and no share is no part', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), weights, (amount, list) => {
        const total = list.reduce((a, b) => a + b, 0);
        const parts = split(money(amount, 'GBP'), list);
        for (const [index, weight] of list.entries()) {
          expect(Math.abs(parts[index]!.amountMinor - (amount * weight) / total)).toBeLessThan(1);
          if (weight === 0) expect(Math.abs(parts[index]!.amountMinor)).toBe(0);
        }
      }),
    );
  });

  test('a pound over three lines of equal price is 34, 33 and 33 pence', () => {
    expect(split(money(100, 'GBP'), [5, 5, 5]).map((part) => part.amountMinor)).toEqual([34, 33, 33]);
  });

  test('weights that add up to nothing cannot be split by', () => {
    expect(() => split(money(100, 'GBP'), [0, 0])).toThrow(RangeError);
    expect(() => split(money(100, 'GBP'), [])).toThrow(RangeError);
  });
});

describe('tax', () => {
  test('20 per cent contained is a sixth of the price', () => {
    expect(containedTax(money(1_200, 'GBP'), 20)).toEqual(money(200, 'GBP'));
    expect(containedTax(money(495, 'GBP'), 20)).toEqual(money(83, 'GBP'));
    expect(containedTax(money(495, 'GBP'), 0)).toEqual(money(0, 'GBP'));
  });

  test('the net price with its tax put on is the gross price, to half a unit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000_000_000 }),
        fc.constantFrom(0, 5, 7.7, 17.5, 20, 25, 100),
        (gross, percent) => {
          const tax = containedTax(money(gross, 'GBP'), percent).amountMinor;
          const net = gross - tax;
          expect(tax).toBeGreaterThanOrEqual(0);
          expect(Math.abs((net * percent) / 100 - tax)).toBeLessThanOrEqual(0.5 * (1 + percent / 100) + 1e-6);
        },
      ),
    );
  });
});

describe('arithmetic', () => {
  test('taking away what was added leaves what was there', () => {
    fc.assert(
      fc.property(amounts, amounts, (a, b) => {
        const [left, right] = [money(a, 'GBP'), money(b, 'GBP')];
        expect(minus(plus(left, right), right)).toEqual(left);
        expect(isMore(left, right)).toBe(a > b);
      }),
    );
  });

  test('three at 85 pence are 2.55', () => {
    expect(times(money(85, 'GBP'), 3)).toEqual(money(255, 'GBP'));
  });

  test('an empty cart costs nothing', () => {
    expect(sum([], 'GBP')).toEqual(zero('GBP'));
  });

  test('pounds and euros are never mixed', () => {
    const [pound, euro] = [money(1, 'GBP'), money(1, 'EUR')];
    for (const mix of [plus, minus, isMore]) expect(() => mix(pound, euro)).toThrow(/GBP and EUR/);
    expect(() => sum([pound, euro], 'GBP')).toThrow(/GBP and EUR/);
  });

  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('%d is no amount of money', (amount) => {
    expect(() => money(amount, 'GBP')).toThrow(RangeError);
  });

  test('an amount that outgrows the safe integers is refused, not rounded', () => {
    expect(() => times(money(2 ** 52, 'GBP'), 4)).toThrow(RangeError);
  });
});

test.each([
  [495, 'GBP', undefined, '£4.95'],
  [495, 'GBP', 'en-GB', '£4.95'],
  [1_234_567, 'EUR', 'de-DE', '12.345,67\u00a0€'],
  [500, 'JPY', 'en-GB', 'JP¥500'],
  [1_234, 'KWD', 'en-GB', 'KWD\u00a01.234'],
  [-495, 'GBP', 'en-GB', '-£4.95'],
  [495, 'GBP', 'no such locale', '£4.95'],
])('%d minor units of %s for %s read %s', (amount, currency, locale, text) => {
  expect(format(money(amount, currency), locale)).toBe(text);
});
