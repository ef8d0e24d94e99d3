// Goods that leave and come back, on a real database.
import { newId } from '@orderstream/runtime/ids';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// @boundaries-ignore tests share databases and services
import { type TestDatabase, testDatabase } from '../../../tests/database.ts';
import { AllocateStock, ReleaseStock, ReserveStock, RestockGoods, ShipStock } from './messages.ts';
import { type Goods, hear, openShop, type Shop, stockUp, told, wrongs } from './test-shop.ts';

let db: TestDatabase<undefined>;
let shop: Shop;

beforeAll(async () => {
  db = await testDatabase('inventory', { size: 8 });
  shop = await openShop(db.database);
});
afterAll(() => db?.close());

const now = (...messages: Parameters<typeof hear>[2][]) => hear(db.database, shop, ...messages);
const holdUntil = new Date(Date.now() + 30 * 60_000).toISOString();

/** Answers the order's id. */
const allocated = async (...lines: readonly (readonly [Goods, number])[]): Promise<string> => {
  const orderId = newId();
  const wanted = lines.map(([{ variantId, sku }, quantity]) => ({ variantId, sku, quantity }));
  await now(ReserveStock({ orderId, lines: wanted, holdUntil }), AllocateStock({ orderId }));
  return orderId;
};
const ship = (orderId: string) => now(ShipStock({ orderId }));
const back = (orderId: string, { variantId }: Goods, quantity: number, refundId = newId()) =>
  now(RestockGoods({ orderId, refundId, lines: [{ variantId, quantity }] }));

const types = async (key: string) => (await told(db.database, key)).map(({ type }) => type);
const restocked = async (orderId: string) =>
  (await told(db.database, orderId))
    .filter(({ type }) => type === 'inventory.restocked')
    .map(({ data }) => (data.lines as { quantity: number }[]).map((line) => line.quantity));
const counters = ({ variantId }: Goods) => db.database.sql`
  select on_hand::int, allocated::int, shipped::int, returned::int from stock s join warehouse w on w.id = s.warehouse_id
  where variant_id = ${variantId} order by w.code`;

describe('what an order has', () => {
  test('is told with the place its parcel starts from', async () => {
    const [cup, tin] = [
      await stockUp(db.database, shop, 'CUP-O', [0, 5]),
      await stockUp(db.database, shop, 'TIN-O', [2, 0]),
    ];
    const order = await allocated([cup, 3], [tin, 1]);
    await now(AllocateStock({ orderId: order }));
    const origins = (await told(db.database, order)).slice(1).map(({ data }) => data.origin);
    const origin = { warehouseId: shop.warehouses[1], name: 'Warehouse 1', latitude: 52.3, longitude: -1.2 };
    expect(origins).toEqual([origin, origin]);
  });

  test('leaves the shelves when it is shipped, once, and what can be sold stays as it was told', async () => {
    const cup = await stockUp(db.database, shop, 'CUP-S', [20]);
    const order = await allocated([cup, 5]);
    await ship(order);
    await ship(order);
    expect(await types(order)).toEqual([
      'inventory.reserved',
      'inventory.allocated',
      'inventory.shipped',
      'inventory.shipped',
    ]);
    expect(await counters(cup)).toEqual([{ on_hand: 15, allocated: 0, shipped: 5, returned: 0 }]);
    expect(await types(cup.variantId)).toHaveLength(1);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('cannot be given back any more once it has left', async () => {
    const cup = await stockUp(db.database, shop, 'CUP-R', [5]);
    const order = await allocated([cup, 5]);
    await ship(order);
    await now(ReleaseStock({ orderId: order }));
    expect((await types(order)).at(-1)).toBe('inventory.released');
    expect(await counters(cup)).toEqual([{ on_hand: 0, allocated: 0, shipped: 5, returned: 0 }]);
  });

  test('that has nothing any more takes nothing from others when its parcel leaves', async () => {
    const cup = await stockUp(db.database, shop, 'CUP-N', [5]);
    const order = await allocated([cup, 5]);
    await now(ReleaseStock({ orderId: order }));
    const other = await allocated([cup, 5]);
    await ship(order);
    await ship(newId());
    expect((await types(order)).at(-1)).toBe('inventory.shipped');
    expect(await counters(cup)).toEqual([{ on_hand: 5, allocated: 5, shipped: 0, returned: 0 }]);
    await ship(other);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });
});

describe('goods that come back', () => {
  test('go to the warehouses they came from and can be sold again, once for each refund', async () => {
    const cup = await stockUp(db.database, shop, 'CUP-B', [3, 4]);
    const order = await allocated([cup, 7]);
    await ship(order);
    const refund = newId();
    await back(order, cup, 5, refund);
    await back(order, cup, 5, refund);
    // The lower id is filled first; ids made within one millisecond come in any order.
    const [first, second] = shop.warehouses[0]! < shop.warehouses[1]! ? [3, 2] : [1, 4];
    expect(await counters(cup)).toEqual([
      { on_hand: first, allocated: 0, shipped: 3, returned: first },
      { on_hand: second, allocated: 0, shipped: 4, returned: second },
    ]);
    expect(await restocked(order)).toEqual([[5], [5]]);
    const levels = (await told(db.database, cup.variantId)).map(({ data }) => data.available);
    expect(levels).toEqual([0, 5]);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('are never more than were shipped, however many refunds say so', async () => {
    const cup = await stockUp(db.database, shop, 'CUP-M', [10]);
    const other = await stockUp(db.database, shop, 'TIN-M', [10]);
    const order = await allocated([cup, 4]);
    await ship(order);
    await Promise.all(Array.from({ length: 6 }, () => back(order, cup, 1)));
    await back(order, cup, 100);
    await back(order, other, 1);
    expect((await restocked(order)).flat()).toEqual([1, 1, 1, 1]);
    expect(await restocked(order)).toHaveLength(8);
    expect(await counters(cup)).toEqual([{ on_hand: 10, allocated: 0, shipped: 4, returned: 4 }]);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('before they are known to have left wait for that', async () => {
    const cup = await stockUp(db.database, shop, 'CUP-W', [5]);
    const order = await allocated([cup, 3]);
    const refund = newId();
    await back(order, cup, 2, refund);
    await back(order, cup, 2, refund);
    expect(await restocked(order)).toEqual([]);
    await ship(order);
    expect(await restocked(order)).toEqual([[2]]);
    expect(await counters(cup)).toEqual([{ on_hand: 4, allocated: 0, shipped: 3, returned: 2 }]);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('of an order that never left are nothing, and that is told', async () => {
    const cup = await stockUp(db.database, shop, 'CUP-U', [5]);
    const order = await allocated([cup, 3]);
    await back(order, cup, 2);
    await now(ReleaseStock({ orderId: order }));
    await back(order, cup, 2);
    const unknown = newId();
    await back(unknown, cup, 1);
    expect([await restocked(order), await restocked(unknown)]).toEqual([[[], []], [[]]]);
    expect(await counters(cup)).toEqual([{ on_hand: 5, allocated: 0, shipped: 0, returned: 0 }]);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('in any order with shipping and releasing leave the books right', async () => {
    const acts = fc.array(
      fc.record({
        does: fc.constantFrom('ship' as const, 'release' as const, 'back' as const, 'again' as const),
        order: fc.nat({ max: 2 }),
        quantity: fc.integer({ min: 1, max: 6 }),
      }),
      { maxLength: 14 },
    );
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const own = await openShop(db.database);
        const cup = await stockUp(db.database, own, 'CUP', [9, 9]);
        const orders = [newId(), newId(), newId()];
        const refund = newId();
        for (const orderId of orders)
          await hear(
            db.database,
            own,
            ReserveStock({ orderId, lines: [{ ...cup, quantity: 5 }], holdUntil }),
            AllocateStock({ orderId }),
          );
        for (const { does, order, quantity } of list) {
          const orderId = orders[order]!;
          const lines = [{ variantId: cup.variantId, quantity }];
          const acted = {
            ship: ShipStock({ orderId }),
            release: ReleaseStock({ orderId }),
            back: RestockGoods({ orderId, refundId: newId(), lines }),
            again: RestockGoods({ orderId, refundId: refund, lines }),
          };
          await hear(db.database, own, acted[does]);
        }
        expect(await wrongs(db.database, own)).toEqual([]);
        const [sums] = await db.database.sql<{ returned: number; restocked: number; told: number }>`
          select (select sum(returned)::int from stock where tenant_id = ${own.tenantId}) as returned,
            (select sum(restocked)::int from reservation_part where tenant_id = ${own.tenantId}) as restocked,
            (select coalesce(sum(restocked), 0)::int from restock_line where tenant_id = ${own.tenantId}) as told`;
        expect(sums).toEqual({ returned: sums!.told, restocked: sums!.told, told: sums!.told });
      }),
      { numRuns: 25 },
    );
  });
});
