// Staff give money back: by line, out of goodwill, and never more than was taken.
import { randomUUID } from 'node:crypto';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { beforeAll, expect, test, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import {
  BulkRefundDocument,
  MyNotificationsDocument,
  type OrderViewFragment,
  RefundOrderDocument,
  type RefundOrderInput,
  RefundsOfLinesDocument,
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
  orderWhen,
  type Person,
  packed,
  putIntoCart,
  settled,
  signIn,
  visitor,
} from './customer.ts';
import { bookSays } from './provider.ts';

let customer: Customer;
let admin: Person;
let reviewer: Person;
let goods: Good[];
/** delivered: of one good three, of another two */
let order: OrderViewFragment;
let single: OrderViewFragment;

const lineOf = ({ lines }: OrderViewFragment, { sku }: Good) => lines.find((line) => line.sku === sku)!;

beforeAll(async () => {
  [customer, admin, reviewer, goods] = await Promise.all([
    newCustomer(),
    signIn('admin'),
    signIn('reviewer'),
    shelf(12),
  ]);
  await putIntoCart(customer, goods[0]!, 3);
  const cart = await putIntoCart(customer, goods[1]!, 2);
  const placed = accepted(await checkout(customer, checkoutInput(customer, cart)), 'CheckoutAccepted');
  const second = await buy(customer, goods[2]!, 1);
  [order, single] = await Promise.all([settled(customer, placed.order.id), settled(customer, second.id)]);
});

const refund = async (
  wish: Partial<RefundOrderInput>,
  { client }: Pick<Person, 'client'> = admin,
  orderId = order.id,
) => {
  const input = { idempotencyKey: randomUUID(), orderId, ...wish };
  return (await client.send(RefundOrderDocument, { input })).refundOrder;
};

const pounds = (amountMinor: number) => ({ amountMinor, currency: 'GBP' });

/** The order once so much of its money is back. */
const backIs = (amountMinor: number, of = order): Promise<OrderViewFragment> =>
  orderWhen(customer, of.id, ({ payments }) =>
    expect(payments!.map(({ refunded }) => refunded.amountMinor)).toEqual([amountMinor]),
  );

/** By account, in minor units; each transaction adds up to nothing. */
const ledgerOf = async (id: string): Promise<Record<string, number>> => {
  const rows = await bookOf('payments')<{ account: string; amount: number }>`
    select account, sum(e.amount_minor)::int as amount from ledger_entry e
    join ledger_txn t on t.id = e.txn_id join payment p on p.id = t.payment_id
    where p.order_id = ${uuidOf('order', id)} group by account`;
  return Object.fromEntries(rows.map(({ account, amount }) => [account, amount]));
};

test.each([
  ['the customer', 'FORBIDDEN', () => customer],
  ['a reviewer', 'FORBIDDEN', () => reviewer],
  ['nobody in particular', 'UNAUTHENTICATED', () => ({ client: visitor() })],
])('%s gives no money back: %s', async (_who, code, who) => {
  await expect(refund({ amount: pounds(1) }, who())).rejects.toMatchObject({ code });
});

test('what cannot be given back is named, and nothing goes back by it', async () => {
  const line = lineOf(order, goods[0]!);
  const { amountMinor: total } = order.total;
  const of = (quantity: number, orderLineId = line.id) => [{ orderLineId, quantity, restock: false }];
  const invalid: [Partial<RefundOrderInput>, string[]][] = [
    [{ amount: pounds(0) }, ['input', 'amount', 'amountMinor']],
    [{ amount: pounds(-500) }, ['input', 'amount', 'amountMinor']],
    [{ amount: { amountMinor: 100, currency: 'EUR' } }, ['input', 'amount', 'currency']],
    [{ lines: of(0) }, ['input', 'lines', '0', 'quantity']],
    [{ lines: of(-1) }, ['input', 'lines', '0', 'quantity']],
    [{ lines: [] }, ['input', 'lines']],
    [{ lines: [...of(1), ...of(1)] }, ['input', 'lines', '1', 'orderLineId']],
    [{ lines: of(1, single.lines[0]!.id) }, ['input', 'lines', '0', 'orderLineId']],
    [{ lines: of(1), amount: pounds(1) }, ['input']],
    [{}, ['input']],
    [{ amount: pounds(1), reason: 'x'.repeat(201) }, ['input', 'reason']],
  ];
  for (const [wish, path] of invalid)
    expect(await refund(wish)).toMatchObject({ __typename: 'InvalidInput', problems: [{ path }] });
  expect(await refund({ lines: of(4) })).toMatchObject({
    __typename: 'RefundExceedsQuantity',
    orderLineId: line.id,
    refundableQuantity: 3,
  });
  expect(await refund({ amount: pounds(total + 1) })).toMatchObject({
    __typename: 'RefundExceedsBalance',
    refundable: { amountMinor: total },
  });
  expect(await refund({ amount: pounds(1) }, admin, encodeId('order', newId()))).toMatchObject({
    __typename: 'NotFound',
    path: ['input', 'orderId'],
  });
  const { refunds, balance } = await openOrder(customer, order.id);
  expect([refunds ?? [], balance!.amountMinor]).toEqual([[], total]);
});

test('an order is given back in parts: a piece that returns, an amount for the trouble, and then the rest', async () => {
  const good = goods[0]!;
  const line = lineOf(order, good);
  const { amountMinor: total } = order.total;
  const before = await stockOf(good);

  const piece = await refund({
    lines: [{ orderLineId: line.id, quantity: 1, restock: true }],
    reason: 'One piece was broken.',
  });
  expect(accepted(piece, 'RefundRequested').refund.amount.amountMinor).toBe(good.price);
  const first = await backIs(good.price);
  expect(first).toMatchObject({
    status: 'DELIVERED',
    payments: [{ status: 'PARTIALLY_REFUNDED', refundable: { amountMinor: total - good.price } }],
    refunds: [{ status: 'SUCCEEDED', reason: 'One piece was broken.' }],
    balance: { amountMinor: total - good.price },
  });
  await vi.waitFor(
    async () => expect(await stockOf(good)).toEqual({ ...before, onHand: before.onHand + 1 }),
    10_000,
  );
  const seen = await customer.client.send(RefundsOfLinesDocument, { id: order.id });
  expect(seen.order!.lines.find(({ id }) => id === line.id)).toMatchObject({
    refundedQuantity: 1,
    refundedAmount: { amountMinor: good.price },
  });
  expect(seen.order!.refunds).toMatchObject([{ lines: [{ quantity: 1, restock: true }] }]);

  accepted(await refund({ amount: pounds(100), reason: 'For the trouble.' }), 'RefundRequested');
  await backIs(good.price + 100);

  const rest = total - good.price - 100;
  expect(await refund({ amount: pounds(rest + 1) })).toMatchObject({
    __typename: 'RefundExceedsBalance',
    refundable: { amountMinor: rest },
  });
  accepted(await refund({ amount: pounds(rest) }), 'RefundRequested');
  const all = await backIs(total);
  expect(all).toMatchObject({
    status: 'DELIVERED',
    payments: [{ status: 'REFUNDED', refundable: { amountMinor: 0 } }],
    balance: { amountMinor: 0 },
  });
  expect(all.refunds!.map(({ amount }) => amount.amountMinor)).toEqual([good.price, 100, rest]);
  expect(await refund({ amount: pounds(1) })).toMatchObject({
    __typename: 'RefundExceedsBalance',
    refundable: { amountMinor: 0 },
  });
  await bookSays(order.id, [{ amountReceived: total, amountRefunded: total }]);
  const { provider_clearing: clearing, ...accounts } = await ledgerOf(order.id);
  expect(clearing).toBe(0);
  expect(Object.values(accounts).reduce((sum, amount) => sum + amount, 0)).toBe(0);

  await vi.waitFor(
    async () => {
      const { timeline } = await openOrder(customer, order.id);
      const told = timeline.filter(({ type }) => type === 'payment.refund-made');
      expect(told.map(({ reason }) => reason)).toEqual(
        all.refunds!.map(({ amount }) => `${amount.formatted} was given back.`),
      );
      expect(timeline.find(({ type }) => type === 'inventory.restocked')).toMatchObject({
        reason: '1 piece is back in stock.',
      });
      const { me } = await customer.client.send(MyNotificationsDocument, { first: 50 });
      const notices = me!.notifications!.edges.map(({ node }) => node);
      const ofRefunds = notices.filter(({ kind, order: of }) => kind === 'REFUNDED' && of?.id === order.id);
      expect(ofRefunds).toHaveLength(3);
    },
    { timeout: 10_000, interval: 100 },
  );
});

test('one key gives money back once, whoever asks how often, and nothing else under it', async () => {
  const idempotencyKey = randomUUID();
  const wish = { idempotencyKey, amount: pounds(10) };
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => refund(wish, admin, single.id)));
  const made = outcomes.map((outcome) => accepted(outcome, 'RefundRequested').refund.id);
  expect(new Set(made).size).toBe(1);
  await backIs(10, single);
  expect(await refund({ idempotencyKey, amount: pounds(11) }, admin, single.id)).toMatchObject({
    __typename: 'IdempotencyConflict',
    path: ['input', 'idempotencyKey'],
  });
  expect((await openOrder(customer, single.id)).refunds).toHaveLength(1);
});

test('of many at once, each of more than half of what is left, one is made', async () => {
  const left = (await openOrder(customer, single.id)).balance!.amountMinor;
  const amount = Math.floor(left / 2) + 1;
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () => refund({ amount: pounds(amount) }, admin, single.id)),
  );
  const names = outcomes.map(({ __typename }) => __typename);
  expect(names.filter((name) => name === 'RefundRequested')).toHaveLength(1);
  expect(names.filter((name) => name === 'RefundExceedsBalance')).toHaveLength(7);
  const { balance } = await backIs(single.total.amountMinor - left + amount, single);
  expect(balance!.amountMinor).toBe(left - amount);
});

test('money that is promised and not taken yet cannot go back', async () => {
  const patient = await newCustomerWithoutLabels();
  const { id } = await buy(patient, goods[3]!);
  await packed(patient, id);
  expect(await refund({ amount: pounds(1) }, admin, id)).toMatchObject({
    __typename: 'RefundExceedsBalance',
    refundable: { amountMinor: 0 },
  });
  accepted(await cancel(patient, id), 'OrderCancelRequested');
});

test('a whole batch goes back with one request: a hundred orders, of which two can be given back', async () => {
  const bought = [await buy(customer, goods[4]!), await buy(customer, goods[5]!, 2)];
  const [one, two] = (await Promise.all(bought.map(({ id }) => settled(customer, id)))) as [
    OrderViewFragment,
    OrderViewFragment,
  ];
  const unknown = Array.from({ length: 98 }, () => encodeId('order', newId()));
  const input = {
    idempotencyKey: randomUUID(),
    orderIds: [one.id, ...unknown, two.id],
    reason: 'The glaze is unsafe.',
  };
  const send = async () => (await admin.client.send(BulkRefundDocument, { input })).bulkRefund;
  const first = await send();
  expect(first).toMatchObject({ succeeded: 2, failed: 98 });
  expect(first.items.map(({ index }) => index)).toEqual(input.orderIds.map((_, index) => index));
  expect(first.items[0]!.outcome).toMatchObject({ refund: { amount: one.total } });
  expect(first.items[1]!.outcome).toMatchObject({ code: 'NOT_FOUND', path: ['input', 'orderIds', '1'] });
  expect(first.items[99]!.outcome).toMatchObject({ refund: { amount: two.total } });
  for (const { id, total } of [one, two])
    await orderWhen(customer, id, ({ payments }) =>
      expect(payments).toMatchObject([{ status: 'REFUNDED', refunded: total }]),
    );
  // Asked again when it is all back, it is the same refunds.
  const again = await send();
  const idsOf = ({ items }: typeof first) =>
    items.map(({ outcome }) => (outcome.__typename === 'RefundRequested' ? outcome.refund.id : null));
  expect(idsOf(again)).toEqual(idsOf(first));
  for (const { id, total } of [one, two]) await bookSays(id, [{ amountRefunded: total.amountMinor }]);
});
