// Calling an order off before, after and while the carrier takes its parcel; and a parcel that gets lost.
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import {
  MyNotificationsDocument,
  type OrderViewFragment,
  WholeOrderDocument,
} from '../../ops/operations/generated/graphql.ts';
import { type Good, shelf, stockOf } from './books.ts';
import { befall, parcelOf } from './carrier.ts';
import { buy, type Customer, cancel, newCustomer, orderIs, settled, stepsOf } from './customer.ts';
import { bookSays, chargesFor } from './provider.ts';

let customer: Customer;
let goods: Good[];

beforeAll(async () => {
  [customer, goods] = await Promise.all([newCustomer(), shelf(11)]);
});

const parcelsOf = async (id: string): Promise<string[]> => {
  const { order } = await customer.client.send(WholeOrderDocument, { id });
  return (order!.shipments ?? []).map(({ status }) => status);
};

/** Whichever came first, everybody agrees on it. */
const expectOneOutcome = async (order: OrderViewFragment): Promise<void> => {
  const { id, status, total } = order;
  const [charge] = await chargesFor(id);
  if (status === 'CANCELLED') {
    for (const payment of order.payments ?? []) expect(payment.captured.amountMinor).toBe(0);
    if (charge) expect(charge).toMatchObject({ amountReceived: 0, amountCapturable: 0 });
    expect([[], ['CANCELLED']]).toContainEqual(await parcelsOf(id));
    expect(stepsOf(order)).not.toContain('shipment.handed-over');
    return;
  }
  expect(status).toBe('DELIVERED');
  expect(order.payments).toMatchObject([{ status: 'CAPTURED' }]);
  expect(charge).toMatchObject({ amountReceived: total.amountMinor, amountRefunded: 0 });
  expect(await parcelsOf(id)).toEqual(['DELIVERED']);
  expect(stepsOf(order)).not.toContain('shipment.cancelled');
};

test('of many orders, each called off at another moment, every one is either cancelled or delivered, never both', async () => {
  const good = goods[0]!;
  const before = await stockOf(good);
  const race = async (id: string, ms: number) => {
    await pause(ms);
    const asked = await cancel(customer, id);
    const order = await settled(customer, id);
    await expectOneOutcome(order);
    return { asked: asked.__typename, order };
  };
  const races: ReturnType<typeof race>[] = [];
  for (let number = 0; number < 10; number++)
    races.push(race((await buy(customer, good, 2)).id, number * 150));
  const outcomes = await Promise.all(races);
  for (const { asked, order } of outcomes) {
    if (order.status === 'CANCELLED') expect(asked).toBe('OrderCancelRequested');
    // Who was told that the order is being called off is told that it was too late.
    const told = asked === 'OrderCancelRequested' && order.status === 'DELIVERED';
    expect(order.statusReason?.startsWith('It was too late to cancel') ?? false).toBe(told);
  }
  // Who calls off at once is in time.
  expect(outcomes[0]!.order.status).toBe('CANCELLED');
  const delivered = outcomes.filter(({ order }) => order.status === 'DELIVERED').length;
  const after = { ...before, onHand: before.onHand - 2 * delivered };
  await vi.waitFor(async () => expect(await stockOf(good)).toEqual(after), 10_000);
}, 60_000);

test.concurrent('an order that is on its way is not called off any more, and arrives', async () => {
  const other = await newCustomer();
  const { id } = await buy(other, goods[1]!);
  const shipped = await orderIs(other, id, 'SHIPPED');
  expect(shipped.allowedActions).toEqual([]);
  const refused = await cancel(other, id, { reason: 'Too slow.' });
  expect(refused).toMatchObject({ __typename: 'InvalidTransition', path: ['input', 'id'], order: { id } });
  expect(await settled(other, id)).toMatchObject({
    status: 'DELIVERED',
    statusReason: null,
    payments: [{ status: 'CAPTURED' }],
  });
});

test.concurrent('the money for a lost parcel goes back, its goods do not, and the customer is told both', async () => {
  const [other, good] = [await newCustomer(), goods[2]!];
  const before = await stockOf(good);
  const { id } = await buy(other, good, 2);
  const parcel = await parcelOf(id);
  // Its next scan, after the hand-over.
  await vi.waitFor(() => befall(parcel, 'lose'), { timeout: 5_000, interval: 20 });
  const order = await settled(other, id);
  expect(order).toMatchObject({
    status: 'CANCELLED',
    statusReason: 'The parcel was lost on its way.',
    balance: { amountMinor: 0 },
  });
  expect(stepsOf(order)).toContain('shipment.lost');
  const { amountMinor: amount } = order.total;
  expect(order.payments).toMatchObject([{ status: 'REFUNDED', refunded: { amountMinor: amount } }]);
  expect(order.refunds).toMatchObject([{ status: 'SUCCEEDED', amount: { amountMinor: amount } }]);
  await bookSays(id, [{ amountReceived: amount, amountRefunded: amount }]);
  const { order: whole } = await other.client.send(WholeOrderDocument, { id });
  expect(whole!.shipments).toMatchObject([{ status: 'LOST' }]);
  await vi.waitFor(
    async () => {
      const { me } = await other.client.send(MyNotificationsDocument, { first: 10 });
      const notices = me!.notifications!.edges.map(({ node }) => node);
      expect(notices.map(({ kind }) => kind).sort()).toEqual([
        'ORDER_CANCELLED',
        'ORDER_CONFIRMED',
        'ORDER_SHIPPED',
        'REFUNDED',
      ]);
      expect(notices.find(({ kind }) => kind === 'ORDER_CANCELLED')!.body).toContain('lost on its way');
      expect(notices.find(({ kind }) => kind === 'REFUNDED')!.body).toContain(order.total.formatted);
    },
    { timeout: 10_000, interval: 100 },
  );
  expect(await stockOf(good)).toEqual({ ...before, onHand: before.onHand - 2 });
});
