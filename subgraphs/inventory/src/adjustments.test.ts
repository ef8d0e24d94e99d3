// Goods booked in and out by the shop's staff, as the graph offers it.
import { encodeId, newId } from '@orderstream/runtime/ids';
import type { Viewer } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Data, type Desk, openDesk } from './test-desk.ts';
import { type Goods, stockUp, told, wrongs } from './test-shop.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());

const adjustment = (goods: Goods, warehouse: number, delta: number, more: object = {}) => ({
  variantId: encodeId('variant', goods.variantId),
  warehouseId: encodeId('warehouse', desk.shop.warehouses[warehouse]!),
  delta,
  reason: 'counted',
  ...more,
});
const adjust = (viewer: Viewer, adjustments: object[], idempotencyKey: string = newId()) =>
  desk.ask(
    viewer,
    `mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { succeeded failed items { index outcome {
      __typename
      ... on UserError { code message path }
      ... on StockAdjusted { level { onHand version } }
      ... on StockBelowCommitted { level { onHand held available } }
      ... on VersionConflict { currentVersion }
    } } } }`,
    { input: { idempotencyKey, adjustments } },
  );
const outcomes = async (...args: Parameters<typeof adjust>) =>
  (await adjust(...args)).data.adjustStock.items.map((item: Data) => item.outcome);

describe('adjusting stock', () => {
  test.each(['', '  ', 'x'.repeat(201), 'a\u0000b', 'half \ud800'])(
    'takes no reason that nobody could read later',
    async (reason) => {
      const cup = await stockUp(desk.database, desk.shop, newId(), [5]);
      const { problem } = await adjust(desk.admin, [adjustment(cup, 0, 1, { reason })]);
      expect(problem).toBe('BAD_USER_INPUT input.adjustments.0.reason');
    },
  );

  test('books goods in and out with a reason and the name of who did it, and tells what can be sold', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'ADJ1', [5]);
    expect(await adjust(desk.admin, [adjustment(cup, 0, 20), adjustment(cup, 0, -22)])).toEqual({
      data: {
        adjustStock: {
          succeeded: 2,
          failed: 0,
          items: [0, 1].map((index) => ({
            index,
            outcome: { __typename: 'StockAdjusted', level: { onHand: 3, version: 3 } },
          })),
        },
      },
    });
    const movements = await desk.database.sql`
      select kind, quantity, reason, actor_id from movement where variant_id = ${cup.variantId} and reason is not null
      order by quantity`;
    expect(movements).toEqual([
      { kind: 'received', quantity: 20, reason: 'counted', actor_id: desk.admin.userId },
      { kind: 'written_off', quantity: 22, reason: 'counted', actor_id: desk.admin.userId },
    ]);
    expect((await told(desk.database, cup.variantId)).map((each) => each.data.available)).toEqual([3]);
    expect(await wrongs(desk.database, desk.shop)).toEqual([]);
  });

  test('never goes below what orders have, and what cannot be done does not stop the rest', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'ADJ2', [5]);
    await desk.hold(cup, 3);
    const unknown = { variantId: newId(), sku: 'NO-SUCH' };
    expect(
      await outcomes(desk.admin, [
        adjustment(cup, 0, -3),
        adjustment(unknown, 0, 1),
        adjustment(cup, 0, 1, { expectedVersion: 7 }),
        adjustment(cup, 0, -2, { expectedVersion: 2 }),
      ]),
    ).toMatchObject([
      {
        __typename: 'StockBelowCommitted',
        code: 'STOCK_BELOW_COMMITTED',
        level: { onHand: 3, held: 3, available: 0 },
      },
      { __typename: 'NotFound', code: 'NOT_FOUND' },
      { __typename: 'VersionConflict', currentVersion: 2 },
      { __typename: 'StockAdjusted', level: { onHand: 3, version: 3 } },
    ]);
    expect(await wrongs(desk.database, desk.shop)).toEqual([]);
  });

  test('makes the level of a warehouse that never had any', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'ADJ3', [5]);
    expect(
      await outcomes(desk.admin, [adjustment(cup, 2, -1), adjustment(cup, 2, 4, { expectedVersion: 0 })]),
    ).toMatchObject([
      { __typename: 'StockBelowCommitted' },
      { __typename: 'StockAdjusted', level: { onHand: 4, version: 1 } },
    ]);
  });

  test('is done once for a key, also by twenty at once, and refused for another request with it', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'ADJ4', [5]);
    const key = newId();
    const all = await Promise.all(
      Array.from({ length: 20 }, () => outcomes(desk.admin, [adjustment(cup, 0, 2)], key)),
    );
    for (const each of all)
      expect(each).toMatchObject([{ __typename: 'StockAdjusted', level: { onHand: 7 } }]);
    expect(await adjust(desk.admin, [adjustment(cup, 0, 3)], key)).toMatchObject({
      data: {
        adjustStock: { succeeded: 0, failed: 1, items: [{ outcome: { __typename: 'IdempotencyConflict' } }] },
      },
    });
    expect(await wrongs(desk.database, desk.shop)).toEqual([]);
  });

  test('with bad input changes nothing and names the field', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'ADJ5', [5]);
    const good = adjustment(cup, 0, 1);
    const cases: [object[], string][] = [
      [[], 'input.adjustments'],
      [Array.from({ length: 101 }, () => good), 'input.adjustments'],
      [[good, adjustment(cup, 0, 0)], 'input.adjustments.1.delta'],
      [[adjustment(cup, 0, 1_000_001)], 'input.adjustments.0.delta'],
      [[{ ...good, reason: ' ' }], 'input.adjustments.0.reason'],
      [[{ ...good, reason: 'x'.repeat(201) }], 'input.adjustments.0.reason'],
      [[{ ...good, variantId: 'var_1' }], 'input.adjustments.0.variantId'],
      [[{ ...good, warehouseId: good.variantId }], 'input.adjustments.0.warehouseId'],
    ];
    for (const [adjustments, field] of cases)
      expect((await adjust(desk.admin, adjustments)).problem).toBe(`BAD_USER_INPUT ${field}`);
    expect((await adjust(desk.admin, [good], '')).problem).toBe('BAD_USER_INPUT input.idempotencyKey');
    const rooms = Array.from({ length: 100 }, () => adjustment(cup, 0, 1_000_000));
    expect((await adjust(desk.admin, rooms)).problem).toBe('BAD_USER_INPUT input.adjustments.99.delta');
    expect(await told(desk.database, cup.variantId)).toEqual([]);
  });

  test('is for those who may', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'ADJ6', [5]);
    const one = [adjustment(cup, 0, 1)];
    expect((await adjust(desk.visitor, one)).problem).toBe('UNAUTHENTICATED');
    expect((await adjust(desk.clerk('stock:read'), one)).problem).toBe('FORBIDDEN');
    const elsewhere = { ...desk.admin, tenantId: newId() };
    expect(await outcomes(elsewhere, one)).toMatchObject([{ __typename: 'NotFound' }]);
  });
});
