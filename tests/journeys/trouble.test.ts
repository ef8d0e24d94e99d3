// What goes wrong with orders, and that goods and money end up where they belong.
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import { bookOf, type Counters, type Good, shelf, stockOf, uuidOf } from './books.ts';
import {
  addCard,
  buy,
  type Customer,
  cancel,
  checkout,
  checkoutInput,
  newCustomer,
  newCustomerWithoutLabels,
  openOrder,
  packed,
  paymentIs,
  putIntoCart,
  settled,
  stepsOf,
} from './customer.ts';
import { bookSays, captureBehindOurBack, chargesFor, deliver, eventsOf, slowDown } from './provider.ts';

let customer: Customer;
/** whose orders are packed and go no further */
let patient: Customer;
let goods: Good[];

beforeAll(async () => {
  [customer, patient, goods] = await Promise.all([newCustomer(), newCustomerWithoutLabels(), shelf(1)]);
});

/** Goods are counted a moment after the order's own step. */
const stockIs = (good: Good, counters: Counters): Promise<void> =>
  vi.waitFor(async () => expect(await stockOf(good)).toEqual(counters), 10_000);

/** What the ledger says the shop holds for an order, in minor units; every transaction adds up to nothing. */
const clearing = async (id: string): Promise<number> => {
  const [row] = await bookOf('payments')<{ amount: number }>`
    select coalesce(sum(e.amount_minor), 0)::int as amount
    from ledger_entry e join ledger_txn t on t.id = e.txn_id join payment p on p.id = t.payment_id
    where p.order_id = ${uuidOf('order', id)} and e.account = 'provider_clearing'`;
  return row!.amount;
};

test('a declined card cancels the order, says so, and gives the goods back', async () => {
  const good = goods[0]!;
  const before = await stockOf(good);
  const card = await addCard(customer, 'pm_card_chargeCustomerFail');
  const order = await settled(customer, (await buy({ ...customer, paymentMethodId: card }, good, 4)).id);
  expect(order).toMatchObject({ status: 'CANCELLED', statusReason: 'The card was declined.' });
  expect(stepsOf(order)).toEqual([
    'placed',
    'inventory.reserved',
    'fraud.scored',
    'payment.declined',
    'inventory.released',
  ]);
  expect(order.payments).toMatchObject([{ status: 'FAILED', failureReason: 'The card was declined.' }]);
  expect(await stockOf(good)).toEqual(before);
  await bookSays(order.id, [{ amountCapturable: 0, amountReceived: 0 }]);
});

test('an order of more than there is ends cancelled, names the SKU, and holds nothing of its other goods', async () => {
  const [plenty, scarce] = [goods[1]!, goods[2]!];
  const before = await Promise.all([stockOf(plenty), stockOf(scarce)]);
  const tooMany = scarce.available + 1;
  await putIntoCart(customer, plenty, 5);
  const cart = await putIntoCart(customer, scarce, tooMany);
  expect(cart.lines.find(({ sku }) => sku === scarce.sku)!.problem).toBe('OUT_OF_STOCK');
  const outcome = await checkout(customer, checkoutInput(customer, cart));
  const order = await settled(customer, accepted(outcome, 'CheckoutAccepted').order.id);
  expect(order).toMatchObject({
    status: 'CANCELLED',
    statusReason: `Out of stock: ${scarce.sku}.`,
  });
  expect(order.payments).toBeNull();
  expect(stepsOf(order)).toEqual(['placed', 'inventory.refused']);
  expect(await Promise.all([stockOf(plenty), stockOf(scarce)])).toEqual(before);
  expect(await chargesFor(order.id)).toEqual([]);
});

test('six customers who want a third of what there is, all at once, are three with it and three without', async () => {
  const good = goods[10]!;
  const before = await stockOf(good);
  const third = Math.floor(good.available / 3);
  const crowd = await Promise.all(Array.from({ length: 6 }, () => newCustomer()));
  const bought = await Promise.all(crowd.map((one) => buy(one, good, third)));
  const orders = await Promise.all(bought.map(({ id }, index) => settled(crowd[index]!, id)));
  const [happy, unhappy] = ['DELIVERED', 'CANCELLED'].map((status) =>
    orders.filter((order) => order.status === status),
  );
  expect([happy!.length, unhappy!.length]).toEqual([3, 3]);
  for (const { statusReason } of unhappy!) expect(statusReason).toBe(`Out of stock: ${good.sku}.`);
  await stockIs(good, { ...before, onHand: before.onHand - 3 * third });
});

test('a packed order that is called off is voided at the provider, and its goods can be sold again', async () => {
  const good = goods[3]!;
  const before = await stockOf(good);
  const { id } = await buy(patient, good, 6);
  const whilePacked = await packed(patient, id);
  expect(whilePacked.allowedActions).toEqual(['CANCEL']);

  const asked = accepted(await cancel(patient, id, { reason: 'Bought twice.' }), 'OrderCancelRequested');
  // Until it is undone the customer keeps seeing what was before.
  expect(asked.order).toMatchObject({
    status: 'PROCESSING',
    waitingFor: 'carrier to give the parcel back',
  });
  const order = await settled(patient, id);
  expect(order).toMatchObject({ status: 'CANCELLED', statusReason: 'Bought twice.', allowedActions: [] });
  expect(stepsOf(order).slice(-4)).toEqual([
    'cancel',
    'shipment.cancelled',
    'payment.voided',
    'inventory.released',
  ]);
  expect(order.payments).toMatchObject([{ status: 'VOIDED' }]);
  expect(await stockOf(good)).toEqual(before);
  await bookSays(id, [{ status: 'canceled', amountCapturable: 0, amountReceived: 0 }]);

  const again = await cancel(patient, id, { idempotencyKey: 'once more' });
  expect(again).toMatchObject({ __typename: 'InvalidTransition', order: { status: 'CANCELLED' } });
});

test('an order called off at once takes no money and keeps no goods', async () => {
  const good = goods[4]!;
  const before = await stockOf(good);
  const { id } = await buy(customer, good, 3);
  accepted(await cancel(customer, id), 'OrderCancelRequested');
  const order = await settled(customer, id);
  expect(order.status).toBe('CANCELLED');
  await vi.waitFor(async () => expect(await stockOf(good)).toEqual(before), 5_000);
  await vi.waitFor(async () => {
    for (const charge of await chargesFor(id))
      expect(charge).toMatchObject({ amountCapturable: 0, amountReceived: 0 });
  }, 5_000);
});

test('an order called off while the bank is being asked is voided as soon as the bank has answered', async () => {
  const good = goods[5]!;
  const before = await stockOf(good);
  const { id } = await buy(customer, good, 2);
  await slowDown(id, 700);
  await vi.waitFor(async () => expect((await openOrder(customer, id)).waitingFor).toBe('payment'), {
    timeout: 5_000,
    interval: 20,
  });
  accepted(await cancel(customer, id), 'OrderCancelRequested');
  const order = await settled(customer, id);
  expect(order.status).toBe('CANCELLED');
  expect(stepsOf(order)).not.toContain('payment.authorized');
  expect(order.payments).toMatchObject([{ status: 'VOIDED' }]);
  expect(await stockOf(good)).toEqual(before);
  await bookSays(id, [{ status: 'canceled', amountCapturable: 0, amountReceived: 0 }]);
});

test('a version that is no longer the order’s own does not call it off', async () => {
  const { id } = await buy(patient, goods[6]!);
  const { version } = await packed(patient, id);
  expect(await cancel(patient, id, { expectedVersion: version - 1 })).toMatchObject({
    __typename: 'VersionConflict',
    currentVersion: version,
  });
  expect((await openOrder(patient, id)).status).toBe('PROCESSING');
  accepted(await cancel(patient, id, { expectedVersion: version }), 'OrderCancelRequested');
  expect((await settled(patient, id)).status).toBe('CANCELLED');
});

test('when the provider’s answer is lost the order goes on all the same, with one charge', async () => {
  const good = goods[7]!;
  const before = await stockOf(good);
  const card = await addCard(customer, 'pm_orderstream_lostReply');
  const { id } = await buy({ ...customer, paymentMethodId: card }, good, 2);
  const order = await settled(customer, id);
  expect(order).toMatchObject({ status: 'DELIVERED', payments: [{ status: 'CAPTURED' }] });
  const { amountMinor: amount } = order.total;
  await bookSays(id, [{ status: 'succeeded', amountCapturable: 0, amountReceived: amount }]);
  await stockIs(good, { ...before, onHand: before.onHand - 2 });
});

test('money taken behind our back goes back when the order is called off', async () => {
  const good = goods[8]!;
  const before = await stockOf(good);
  const { id } = await buy(patient, good, 3);
  await packed(patient, id);
  const [charge] = await chargesFor(id);
  await captureBehindOurBack(charge!);
  const paid = await paymentIs(patient, id, 'CAPTURED');
  expect(paid).toMatchObject({ status: 'PROCESSING', balance: { amountMinor: charge!.amount } });
  expect(await clearing(id)).toBe(charge!.amount);

  accepted(await cancel(patient, id), 'OrderCancelRequested');
  const order = await settled(patient, id);
  expect(order.status).toBe('CANCELLED');
  expect(stepsOf(order).slice(-5)).toEqual([
    'cancel',
    'shipment.cancelled',
    'payment.captured',
    'payment.refunded',
    'inventory.released',
  ]);
  expect(order).toMatchObject({
    payments: [{ status: 'REFUNDED', refunded: { amountMinor: charge!.amount } }],
    refunds: [{ status: 'SUCCEEDED', amount: { amountMinor: charge!.amount } }],
    balance: { amountMinor: 0 },
  });
  await bookSays(id, [{ amountReceived: charge!.amount, amountRefunded: charge!.amount }]);
  expect(await clearing(id)).toBe(0);
  expect(await stockOf(good)).toEqual(before);
});

test('hearing the same of the provider three times at once changes nothing', async () => {
  const { id } = await buy(customer, goods[9]!);
  const delivered = await settled(customer, id);
  const [charge] = await chargesFor(id);
  const told = (await eventsOf(charge!)).map((event) => event.id);
  const read = () => bookOf('payments')<{ event_id: string; processed_at: Date }>`
    select event_id, processed_at from webhook_event
    where event_id = any(${told}) and processed_at is not null order by event_id`;
  await vi.waitFor(async () => expect(await read()).toHaveLength(told.length), 5_000);
  const before = await read();
  for (const eventId of told) expect(await deliver(eventId, { times: 3 })).toEqual([200, 200, 200]);
  await pause(500);
  expect(await read()).toEqual(before);
  const { version, status, payments, refunds, balance } = delivered;
  expect(await openOrder(customer, id)).toMatchObject({ version, status, payments, refunds, balance });
});
