// From an account to goods at the door, watched live.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { accepted } from '../../ops/operations/client.ts';
import {
  OrderInFullDocument,
  type OrderViewFragment,
  SearchProductsDocument,
} from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, shelf, stockOf, uuidOf } from './books.ts';
import {
  buy,
  type Customer,
  cancel,
  checkout,
  checkoutInput,
  newCustomer,
  newCustomerWithoutLabels,
  openOrder,
  packed,
  putIntoCart,
  settled,
  socketUrl,
  stepsOf,
} from './customer.ts';
import { chargesFor } from './provider.ts';

let customer: Customer;
let goods: Good[];

beforeAll(async () => {
  [customer, goods] = await Promise.all([newCustomer(), shelf(0)]);
});
afterAll(() => customer.client.close());

type Live = AsyncIterator<{ orderUpdated: OrderViewFragment }>;

const follow = (id: string, sinceVersion?: number, { client } = customer): Live =>
  client.watch(OrderInFullDocument, { id, sinceVersion });

/** What came until an event that says so, that one included. */
const eventsUntil = async (
  live: Live,
  isEnough: (order: OrderViewFragment) => boolean,
): Promise<OrderViewFragment[]> => {
  const events: OrderViewFragment[] = [];
  for (;;) {
    const { value, done } = await live.next();
    if (done) return events;
    events.push(value.orderUpdated);
    if (isEnough(value.orderUpdated)) {
      await live.return?.();
      return events;
    }
  }
};

const isAtRest = (order: OrderViewFragment): boolean => order.waitingFor === null;

const expectRising = (versions: readonly number[]): void =>
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));

test('a customer finds something, buys it, and watches the order until it is delivered', async () => {
  const found = await customer.client.send(SearchProductsDocument, { q: 'alarm clock bakelike', first: 5 });
  const [best] = found.searchProducts.products.edges;
  expect(best?.node.name).toContain('Alarm Clock');
  const variant = best!.node.variants[0]!;

  const cart = await putIntoCart(customer, variant, 2);
  expect(cart.lines).toMatchObject([{ sku: variant.sku, quantity: 2, problem: null }]);
  const { order, replayed } = accepted(
    await checkout(customer, checkoutInput(customer, cart)),
    'CheckoutAccepted',
  );
  expect(replayed).toBe(false);
  expect(order.number).toMatch(/^N-\d{4}-\d{7}$/);

  const events = await eventsUntil(follow(order.id), isAtRest);
  const final = events.at(-1)!;
  expectRising(events.map((event) => event.version));
  expect(final).toMatchObject({
    id: order.id,
    status: 'DELIVERED',
    statusReason: null,
    nextDeadlineAt: null,
  });
  expect(stepsOf(final).filter((type) => type !== 'shipment.moved')).toEqual([
    'placed',
    'inventory.reserved',
    'fraud.scored',
    'payment.authorized',
    'inventory.allocated',
    'shipment.handed-over',
    'payment.captured',
    'shipment.delivered',
  ]);
  // Of users, catalog, inventory and payments, in the same event.
  expect(final.customer).toEqual({ id: customer.id, email: customer.email, displayName: 'Jo Journey' });
  expect(final.lines).toMatchObject([{ sku: variant.sku, variant: { id: variant.id } }]);
  expect(final.lines[0]!.variant!.product.slug).toBe(best!.node.slug);
  expect(final.lines[0]!.variant!.availableQuantity).toBeTypeOf('number');
  expect(final.payments).toMatchObject([{ status: 'CAPTURED', method: { brand: 'visa', last4: '4242' } }]);
  expect(final.shippingAddress).toEqual({ ...customer.address, line2: null });
});

test('what an order costs is what was shown, its tax is contained, and the provider takes just that much', async () => {
  const [one, other] = goods as [Good, Good];
  await putIntoCart(customer, one, 3);
  const cart = await putIntoCart(customer, other, 1);
  expect(cart.total.amountMinor).toBe(one.price * 3 + other.price);

  const outcome = await checkout(customer, checkoutInput(customer, cart));
  const order = await settled(customer, accepted(outcome, 'CheckoutAccepted').order.id);
  const lineTotals = order.lines.map((line) => line.lineTotal.amountMinor);
  expect(lineTotals.sort()).toEqual([one.price * 3, other.price].sort());
  const subtotal = one.price * 3 + other.price;
  expect([order.subtotal, order.shippingTotal, order.total].map((money) => money.amountMinor)).toEqual([
    subtotal,
    495,
    subtotal + 495,
  ]);
  // A sixth of what contains 20 %, taken from each line and from the shipping.
  const tax = [one.price * 3, other.price, 495].reduce((sum, gross) => sum + Math.round(gross / 6), 0);
  expect(order.taxTotal.amountMinor).toBe(tax);
  expect(order.total.currency).toBe('GBP');

  const [charge, ...more] = await chargesFor(order.id);
  expect(more).toEqual([]);
  expect(charge).toMatchObject({
    status: 'succeeded',
    currency: 'gbp',
    amount: order.total.amountMinor,
    amountCapturable: 0,
    amountReceived: order.total.amountMinor,
  });
  const rows = await bookOf('payments')`
    select provider_id, state, amount_minor, authorized_minor, captured_minor
    from payment where order_id = ${uuidOf('order', order.id)}`;
  expect(rows).toEqual([
    {
      provider_id: charge!.id,
      state: 'CAPTURED',
      amount_minor: charge!.amount,
      authorized_minor: charge!.amount,
      captured_minor: charge!.amountReceived,
    },
  ]);
});

test('goods are held for an order, allocated to it and shipped, and nothing is lost on the way', async () => {
  const good = goods[2]!;
  const before = await stockOf(good);
  const order = await buy(customer, good, 7);
  await settled(customer, order.id);
  await vi.waitFor(
    async () => expect(await stockOf(good)).toEqual({ ...before, onHand: before.onHand - 7 }),
    10_000,
  );
  const movements = await bookOf('inventory')<{ kind: string; quantity: number }>`
    select kind, sum(quantity)::int as quantity from movement where order_id = ${uuidOf('order', order.id)}
    group by kind, quantity > 0 order by kind, 2`;
  expect(movements).toEqual([
    { kind: 'allocated', quantity: -7 },
    { kind: 'allocated', quantity: 7 },
    { kind: 'held', quantity: -7 },
    { kind: 'held', quantity: 7 },
    { kind: 'shipped', quantity: 7 },
  ]);
});

test('who comes back with the last version seen gets nothing old, and then what is new', async () => {
  // Whose orders stand still.
  const patient = await newCustomerWithoutLabels();
  const order = await buy(patient, goods[3]!);
  const { version } = await packed(patient, order.id);

  // Without it, the state as it is now comes at once.
  const [now] = await eventsUntil(follow(order.id, undefined, patient), () => true);
  expect(now!.version).toBe(version);

  const live = follow(order.id, version, patient);
  const next = eventsUntil(live, isAtRest);
  expect(await Promise.race([next, pause(400, 'nothing yet')])).toBe('nothing yet');
  accepted(await cancel(patient, order.id), 'OrderCancelRequested');
  const events = await next;
  expect(events[0]!.version).toBeGreaterThan(version);
  expectRising(events.map((event) => event.version));
  expect(events.at(-1)!.status).toBe('CANCELLED');
  await patient.client.close();
});

test('a client that does not read for a while never sees an older version, and ends with the newest', async () => {
  const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
  const versions: number[] = [];
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(
    JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${customer.token}` } }),
  );
  await new Promise((resolve) => socket.once('message', resolve));
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data));
    if (type === 'next') versions.push(payload.data.orderUpdated.version);
  });

  const order = await buy(customer, goods[4]!);
  const query = 'subscription ($id: ID!) { orderUpdated(id: $id) { version payments { status } } }';
  socket.send(
    JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { id: order.id } } }),
  );
  socket.pause();
  const { version } = await settled(customer, order.id);
  await pause(300);
  socket.resume();
  await expect.poll(() => versions.at(-1), { timeout: 10_000 }).toBe(version);
  expectRising(versions);
  socket.close();
});

test('an order keeps its prices and its address, whatever the cart holds afterwards', async () => {
  const order = await buy(customer, goods[5]!, 2);
  await putIntoCart(customer, goods[5]!, 9);
  const kept = await openOrder(customer, order.id);
  expect(kept.lines).toMatchObject([{ sku: goods[5]!.sku, quantity: 2 }]);
  await putIntoCart(customer, goods[5]!, 0);
});
