import { describe, expect, test } from 'vitest';
import { after, answer, effect, type Move, type Reservation, type State, takeBack } from './reservation.ts';
import { availabilityOf, type Level, type Stock, stateOf } from './stock.ts';

const reservation = (state: State, more: Partial<Reservation> = {}): Reservation => ({
  id: 'r',
  tenantId: 't',
  orderId: 'o',
  state,
  holdUntil: null,
  refusedSkus: [],
  parts: [],
  version: 3,
  ...more,
});

test('only a hold and an allocation go anywhere', () => {
  const all = (state: State) =>
    (['allocate', 'release', 'expire', 'ship'] as const)
      .map((move: Move) => after(state, move) ?? '-')
      .join(' ');
  expect(all('HELD')).toBe('ALLOCATED RELEASED EXPIRED SHIPPED');
  expect(all('ALLOCATED')).toBe('- RELEASED - SHIPPED');
  for (const state of ['RELEASED', 'EXPIRED', 'REFUSED', 'SHIPPED'] as const)
    expect(all(state)).toBe('- - - -');
});

test('goods stand in one counter at a time and leave it when the reservation does', () => {
  const none = { held: 0, allocated: 0, shipped: 0, returned: 0 };
  expect(effect(null, 'HELD')).toEqual({ ...none, held: 1 });
  expect(effect('HELD', 'ALLOCATED')).toEqual({ ...none, held: -1, allocated: 1 });
  expect(effect('HELD', 'EXPIRED')).toEqual({ ...none, held: -1 });
  expect(effect('HELD', 'RELEASED')).toEqual({ ...none, held: -1 });
  expect(effect('ALLOCATED', 'RELEASED')).toEqual({ ...none, allocated: -1 });
  expect(effect('ALLOCATED', 'SHIPPED')).toEqual({ ...none, allocated: -1, shipped: 1 });
});

test('goods come back to where they were shipped from, and never more than were shipped', () => {
  const part = { sku: 'CUP', variantId: 'v', quantity: 3 };
  const shipped = [
    { ...part, warehouseId: 'b', restocked: 0 },
    { ...part, warehouseId: 'a', restocked: 1 },
    { ...part, warehouseId: 'a', variantId: 'w', restocked: 3 },
  ];
  const back = (variantId: string, quantity: number) =>
    takeBack(shipped, [{ variantId, quantity }]).map((one) => `${one.quantity} to ${one.warehouseId}`);
  expect(back('v', 1)).toEqual(['1 to a']);
  expect(back('v', 4)).toEqual(['2 to a', '2 to b']);
  expect(back('v', 99)).toEqual(['2 to a', '3 to b']);
  expect(back('w', 1)).toEqual([]);
  expect(back('unknown', 1)).toEqual([]);
});

describe('asking for a reservation again', () => {
  const part = { variantId: 'v', sku: 'CUP', warehouseId: 'w', quantity: 2 };

  test('gives the same parts while the order has them', () => {
    for (const state of ['HELD', 'ALLOCATED', 'SHIPPED'] as const)
      expect(answer(reservation(state, { parts: [part] }))).toMatchObject({
        type: 'inventory.reserved',
        version: 3,
        data: { orderId: 'o', parts: [part] },
      });
  });

  test('gives the same refusal', () => {
    expect(answer(reservation('REFUSED', { refusedSkus: ['CUP'] })).data).toEqual({
      orderId: 'o',
      reason: 'OUT_OF_STOCK',
      skus: ['CUP'],
    });
  });

  test('does not promise goods that were given back meanwhile', () => {
    for (const state of ['RELEASED', 'EXPIRED'] as const)
      expect(answer(reservation(state, { parts: [part] })).data).toEqual({
        orderId: 'o',
        reason: 'HOLD_GONE',
        skus: [],
      });
  });
});

test('a variant is low below ten or below its reorder points, and out at nothing', () => {
  const level = (available: number, reorderPoint: number): Level => ({
    tenantId: 't',
    variantId: 'v',
    available,
    reorderPoint,
    version: 1,
  });
  expect([0, 1, 9, 10].map((units) => availabilityOf(level(units, 0)))).toEqual([
    'OUT_OF_STOCK',
    'LOW_STOCK',
    'LOW_STOCK',
    'IN_STOCK',
  ]);
  expect([29, 30].map((units) => availabilityOf(level(units, 30)))).toEqual(['LOW_STOCK', 'IN_STOCK']);
});

test('in one warehouse the reorder point decides alone, and what is held does not count', () => {
  const stock = (onHand: number, reorderPoint: number | null): Stock => ({
    id: 's',
    variantId: 'v',
    warehouseId: 'w',
    onHand,
    held: 2,
    allocated: 1,
    reorderPoint,
    version: 1,
  });
  expect([3, 12, 13].map((onHand) => stateOf(stock(onHand, null)))).toEqual([
    'OUT_OF_STOCK',
    'LOW_STOCK',
    'IN_STOCK',
  ]);
  expect([5, 7, 8].map((onHand) => stateOf(stock(onHand, 5)))).toEqual([
    'LOW_STOCK',
    'LOW_STOCK',
    'IN_STOCK',
  ]);
});
