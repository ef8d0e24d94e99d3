import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { choose, type Offer, originOf, summed, type Wanted } from './warehouse.ts';

const line = (variantId: string, quantity: number): Wanted => ({
  variantId,
  sku: `sku ${variantId}`,
  quantity,
});
const offer = (warehouseId: string, variantId: string, available: number): Offer => ({
  warehouseId,
  variantId,
  available,
});
const given = (lines: Wanted[], offers: Offer[]) => {
  const choice = choose(lines, offers);
  return 'short' in choice
    ? choice.short
    : choice.parts.map((part) => `${part.quantity} ${part.variantId} from ${part.warehouseId}`);
};

describe('which warehouse gives what', () => {
  test('a line comes from the warehouse that has enough, though another is first', () => {
    expect(given([line('cup', 5)], [offer('a', 'cup', 4), offer('b', 'cup', 5)])).toEqual(['5 cup from b']);
  });

  test('a line that no warehouse has enough of comes from several, the fullest first', () => {
    const offers = [offer('a', 'cup', 2), offer('b', 'cup', 4), offer('c', 'cup', 3)];
    expect(given([line('cup', 6)], offers)).toEqual(['4 cup from b', '2 cup from c']);
  });

  test('one warehouse that has the whole order is better than a fuller one for each line', () => {
    const offers = [offer('a', 'cup', 90), offer('b', 'cup', 9), offer('b', 'tin', 9), offer('c', 'tin', 90)];
    expect(given([line('cup', 1), line('tin', 1)], offers)).toEqual(['1 cup from b', '1 tin from b']);
  });

  test('an order is refused as a whole and told everything that is short', () => {
    const offers = [offer('a', 'cup', 1), offer('b', 'cup', 1), offer('a', 'tin', 10)];
    expect(given([line('cup', 3), line('tin', 1), line('jug', 1)], offers)).toEqual(['sku cup', 'sku jug']);
  });

  test('two lines of the same thing count together', () => {
    expect(given(summed([line('cup', 2), line('tin', 1), line('cup', 2)]), [offer('a', 'cup', 3)])).toEqual([
      'sku cup',
      'sku tin',
    ]);
  });
});

describe('whatever is ordered and wherever it lies', () => {
  const variants = ['cup', 'tin', 'jug'];
  const world = fc.record({
    lines: fc
      .array(
        fc.record({ variantId: fc.constantFrom(...variants), quantity: fc.integer({ min: 1, max: 12 }) }),
        {
          minLength: 1,
          maxLength: 6,
        },
      )
      .map((lines) => lines.map(({ variantId, quantity }) => line(variantId, quantity))),
    offers: fc.uniqueArray(
      fc.record({
        warehouseId: fc.constantFrom('a', 'b', 'c'),
        variantId: fc.constantFrom(...variants),
        available: fc.nat(12),
      }),
      { selector: ({ warehouseId, variantId }) => `${warehouseId} ${variantId}`, maxLength: 9 },
    ),
  });
  const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
  const has = (offers: readonly Offer[], variantId: string): number[] =>
    offers.filter((each) => each.variantId === variantId).map((each) => each.available);

  test('it is refused exactly when there is too little of something', () => {
    fc.assert(
      fc.property(world, ({ lines, offers }) => {
        const wanted = summed(lines);
        const short = wanted.filter((each) => sum(has(offers, each.variantId)) < each.quantity);
        const choice = choose(wanted, offers);
        expect('short' in choice ? choice.short : []).toEqual(short.map((each) => each.sku));
      }),
    );
  });

  test('the parts are what was ordered, and no warehouse gives what it lacks', () => {
    fc.assert(
      fc.property(world, ({ lines, offers }) => {
        const choice = choose(summed(lines), offers);
        if ('short' in choice) return;
        for (const variantId of variants) {
          const ordered = lines.filter((each) => each.variantId === variantId).map((each) => each.quantity);
          const parts = choice.parts.filter((part) => part.variantId === variantId);
          expect(sum(parts.map((part) => part.quantity))).toBe(sum(ordered));
          expect(new Set(parts.map((part) => part.warehouseId)).size).toBe(parts.length);
          if (Math.max(...has(offers, variantId)) >= sum(ordered))
            expect(parts.length).toBeLessThanOrEqual(1);
        }
        for (const { variantId, warehouseId, quantity } of choice.parts) {
          const found = offers.find((o) => o.variantId === variantId && o.warehouseId === warehouseId);
          expect(quantity).toBeGreaterThan(0);
          expect(quantity).toBeLessThanOrEqual(found?.available ?? 0);
        }
      }),
    );
  });

  test('the order in which warehouses are listed does not matter', () => {
    fc.assert(
      fc.property(world, ({ lines, offers }) => {
        expect(choose(summed(lines), offers.toReversed())).toEqual(choose(summed(lines), offers));
      }),
    );
  });
});

test('a parcel starts where most of its pieces are, and at the lowest id where two have as many', () => {
  const part = (warehouseId: string, quantity: number) => ({
    variantId: 'v',
    sku: 'S',
    warehouseId,
    quantity,
  });
  expect(originOf([part('a', 2), part('b', 2), part('b', 1)])).toBe('b');
  expect(originOf([part('c', 2), part('b', 1), part('b', 1)])).toBe('b');
});
