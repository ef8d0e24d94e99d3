// What comes in batches from the broker is taken in at once, and comes to the same as one by one.
import { PaymentCaptured, PaymentDeclined, PaymentRefunded } from '@orderstream/payments/messages';
import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AssessOrder } from './messages.ts';
import { type Desk, type Order, openDesk } from './testing.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());

const factorsOf = async (orderId: string): Promise<string[]> => {
  const [row] = await desk.database.sql<{ factors: { name: string }[] }>`
    select factors from assessment where order_id = ${orderId}`;
  return row!.factors.map(({ name }) => name);
};

test('orders of one batch are scored one beside the other, each in two statements', async () => {
  const places = { addressHash: newId(), deviceHash: newId(), clientHash: newId() };
  const customerId = newId();
  const costs: number[] = [];
  for (const count of [1, 6]) {
    const orders = Array.from({ length: count }, () => desk.order({ customerId, ...places }));
    const before = desk.database.statements();
    await desk.hearTogether(...orders.map((order) => AssessOrder({ ...order, currency: 'GBP' })));
    costs.push(desk.database.statements() - before);
    expect(await factorsOf(orders[0]!.orderId)).toEqual([]);
    if (count > 1) expect(await factorsOf(orders.at(-1)!.orderId)).toContain('velocity');
    for (const order of orders) expect(await desk.told(order.orderId)).toHaveLength(1);
  }
  // Beside those: begin, the lock, what is told, commit.
  expect(costs).toEqual([4 + 2 * 1, 4 + 2 * 6]);
});

describe('what comes of several orders in one batch', () => {
  const paid = ({ orderId, totalMinor }: Order, currency = 'GBP') =>
    PaymentCaptured({ orderId, paymentId: newId(), amountMinor: totalMinor, currency });

  test('is added up: each order once, to its own customer', async () => {
    const [customerId, other] = [newId(), newId()];
    const [first, second, third] = [
      desk.order({ customerId, totalMinor: 1_000 }),
      desk.order({ customerId, totalMinor: 3_000 }),
      desk.order({ customerId: other, totalMinor: 5_000 }),
    ];
    for (const order of [first, second, third]) await desk.assess(order!);
    const before = desk.database.statements();
    await desk.hearTogether(paid(first!), paid(third!), paid(second!), paid(first!));
    expect(desk.database.statements() - before).toBe(4);
    await desk.hearTogether(paid(second!), paid(third!));
    const sums = (id: string) => desk.database.sql`
      select orders, sum_minor, currency from customer where customer_id = ${id}`;
    expect(await sums(customerId)).toEqual([{ orders: 2, sum_minor: 4_000, currency: 'GBP' }]);
    expect(await sums(other)).toEqual([{ orders: 1, sum_minor: 5_000, currency: 'GBP' }]);
  });

  test('in two currencies counts in that of the customer’s first order only', async () => {
    const customerId = newId();
    const orders = [newId(), newId(), newId(), newId()]
      .toSorted()
      .map((orderId, index) => ({ ...desk.order({ customerId, orderId }), totalMinor: 1_000 + index }));
    for (const [index, order] of orders.entries())
      await desk.hear(AssessOrder({ ...order, currency: index % 2 === 0 ? 'GBP' : 'EUR' }));
    await desk.hearTogether(...orders.slice(0, 2).map((order) => paid(order)));
    await desk.hearTogether(
      ...orders
        .slice(2)
        .toReversed()
        .map((order) => paid(order)),
    );
    const [sums] = await desk.database.sql`
      select orders, sum_minor, currency from customer where customer_id = ${customerId}`;
    expect(sums).toEqual({ orders: 2, sum_minor: 1_000 + 1_002, currency: 'GBP' });
  });

  test('refunds are held against their goods, each order once', async () => {
    const [shared, own] = [newId(), newId()];
    const orders = [desk.order({ variantIds: [shared, shared] }), desk.order({ variantIds: [shared, own] })];
    for (const order of orders) await desk.assess(order);
    const refunded = orders.map(({ orderId }) =>
      PaymentRefunded({ orderId, paymentId: newId(), amountMinor: 1, currency: 'GBP' }),
    );
    await desk.hearTogether(...refunded, refunded[0]!);
    await desk.hearTogether(...refunded);
    const goods = await desk.database.sql<{ variant_id: string; refunded: number }>`
      select variant_id, refunded from abused_good where variant_id = any(${[shared, own]}::uuid[])`;
    expect(new Map(goods.map((good) => [good.variant_id, good.refunded]))).toEqual(
      new Map([
        [shared, 2],
        [own, 1],
      ]),
    );
  });

  test('declines count each payment once, and an order whose payment has no name by itself', async () => {
    const order = desk.order();
    await desk.assess(order);
    const { orderId } = order;
    const named = PaymentDeclined({ orderId, paymentId: newId(), reason: 'No money.' });
    const nameless = PaymentDeclined({ orderId, paymentId: null, reason: 'No money.' });
    const unknown = PaymentDeclined({ orderId: newId(), paymentId: newId(), reason: 'No money.' });
    await desk.hearTogether(named, nameless, unknown, named);
    const declines = await desk.database.sql`
      select payment_id from decline where customer_id = ${order.customerId}`;
    expect(declines.map((row) => row.payment_id).toSorted()).toEqual(
      [named.data.paymentId, orderId].toSorted(),
    );
  });
});
