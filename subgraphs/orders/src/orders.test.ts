import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orderPage, type Sort, sorts } from './order-store.ts';
import { cancelOrder, eraseCustomer } from './service.ts';
import { customer, openShop, shop, tenantId } from './testing.ts';

type Desk = Awaited<ReturnType<typeof openShop>>;

let db: Desk;
let { contextOf, within, placed, answer } = {} as Desk;

beforeAll(async () => {
  db = await openShop();
  ({ contextOf, within, placed, answer } = db);
});

afterAll(() => db.close());

describe('orders of a customer', () => {
  test.each(Object.keys(sorts) as Sort[])(
    'come page by page without a gap or a repeat by %s',
    async (sort) => {
      const viewer = customer();
      for (let n = 0; n < 7; n++) await placed(contextOf(viewer));
      // Equal values are where paging goes wrong.
      await db.database.sql`
      update orders set placed_at = '2026-01-01', updated_at = '2026-01-01' where customer_id = ${viewer.userId}`;
      const filter = {
        customerId: viewer.userId,
        statuses: null,
        placedFrom: null,
        placedTo: null,
        totalMin: null,
        totalMax: null,
        search: null,
        productId: null,
      };
      const seen: string[] = [];
      for (let after = null as { sort: string; at: string; id: string } | null; ; ) {
        const rows = await orderPage(db.database, tenantId, filter, sort, { first: 3, after });
        seen.push(...rows.slice(0, 3).map((order) => order.id));
        if (rows.length <= 3) break;
        after = { sort, at: sorts[sort].of(rows[2]!), id: rows[2]!.id };
      }
      expect(seen).toHaveLength(7);
      expect(new Set(seen).size).toBe(7);
    },
  );

  test('cost the same number of statements for one and for twenty', async () => {
    const count = async (orders: number): Promise<number> => {
      const viewer = customer();
      const ids: string[] = [];
      for (let n = 0; n < orders; n++) ids.push(await placed(contextOf(viewer)));
      const ctx = contextOf(viewer);
      const before = db.database.statements();
      await Promise.all(
        ids.map(async (id) => {
          await ctx.loaders.order.load(id);
          await Promise.all([ctx.loaders.lines.load(id), ctx.loaders.events.load(id)]);
        }),
      );
      return db.database.statements() - before;
    };
    expect(await count(20)).toBe(await count(1));
  });

  test('keep nothing in the words of a customer who is erased', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    await cancelOrder(ctx, shop, {
      idempotencyKey: randomUUID(),
      id: orderId,
      reason: 'Send it to my\nsister Jo.',
      expectedVersion: null,
    });
    const written = () => db.database.sql`
      select o.status_reason, e.reason from orders o join order_event e on e.order_id = o.id
      where o.id = ${orderId} and e.type = 'cancel'`;
    const words = 'Send it to my sister Jo.';
    expect(await written()).toEqual([{ status_reason: words, reason: words }]);
    // Messages cannot be taken back, so they never had the words.
    expect(await db.database.sql`select from plumbing.outbox where message::text like '%sister%'`).toEqual(
      [],
    );
    await within((tx) => eraseCustomer(tx, tenantId, ctx.viewer.userId!));
    expect(await written()).toEqual([{ status_reason: null, reason: null }]);
  });

  test.each(['N-\u0000', 'N-\ud800', '', 'N'.repeat(100_000)])(
    'are not looked for by what cannot be a number',
    async (number) => {
      expect(await contextOf(customer()).loaders.orderByNumber.load(number)).toBeNull();
    },
  );

  test('name nobody after the customer is erased, and the books still add up', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    await within((tx) => eraseCustomer(tx, tenantId, ctx.viewer.userId!));
    const [row] = await db.database.sql`select * from orders where id = ${orderId}`;
    expect(row).toMatchObject({
      customer_id: null,
      recipient: null,
      line1: null,
      city: null,
      postcode: null,
      total_minor: 995,
    });
    expect(await contextOf(ctx.viewer).loaders.order.load(orderId)).toBeNull();
    // An order under way is still brought to its end.
    await answer('inventory.refused', orderId, { reason: 'OUT_OF_STOCK', skus: ['S'] });
    const [after] = await db.database.sql`select status from orders where id = ${orderId}`;
    expect(after).toEqual({ status: 'CANCELLED' });
  });
});
