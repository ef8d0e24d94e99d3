import { money } from '@orderstream/runtime/money';
import { describe, expect, test } from 'vitest';
import { change, isSku, type Variant } from './variant.ts';

const mug: Variant = {
  tenantId: '01900000-0000-7000-8000-000000000001',
  id: '01900000-0000-7000-8000-000000000002',
  productId: '01900000-0000-7000-8000-000000000003',
  sku: '22469',
  name: 'Mug',
  listPrice: money(495, 'GBP'),
  weightGrams: 300,
  imageUrl: null,
  attributes: [],
  active: true,
  version: 3,
};

describe('changing a variant', () => {
  test('a new price is a new version', () => {
    expect(change(mug, { priceMinor: 595 })).toEqual({ ...mug, listPrice: money(595, 'GBP'), version: 4 });
  });

  test('so is taking it off the shelves, and both at once are one', () => {
    expect(change(mug, { active: false })).toEqual({ ...mug, active: false, version: 4 });
    expect(change(mug, { active: false, priceMinor: 0 })).toMatchObject({ version: 4 });
  });

  test('what changes nothing is no change', () => {
    for (const same of [{}, { priceMinor: 495 }, { active: true }, { priceMinor: 495, active: true }])
      expect(change(mug, same)).toBe(mug);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('%s is not a price', (priceMinor) => {
    expect(change(mug, { priceMinor })).toMatchObject({
      error: 'InvalidInput',
      problems: [{ path: ['priceMinor'] }],
    });
  });
});

test('what cannot be a SKU is known without looking it up', () => {
  for (const sku of ['85123A', 'gift_0001', 'A B', "O'1"]) expect(isSku(sku), sku).toBe(true);
  for (const sku of ['', ' ', 'a\u0000', 'a\n', 'ü', 'x'.repeat(101)]) expect(isSku(sku), sku).toBe(false);
});
