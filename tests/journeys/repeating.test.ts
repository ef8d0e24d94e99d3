// A customer, or a network, that sends the same thing again.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import { CancelOrderDocument } from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, shelf, stockOf, uuidOf } from './books.ts';
import {
  buy,
  type Customer,
  cartOf,
  checkout,
  checkoutInput,
  newCustomer,
  putIntoCart,
  settled,
} from './customer.ts';
import { chargesFor } from './provider.ts';

let customer: Customer;
let goods: Good[];

beforeAll(async () => {
  [customer, goods] = await Promise.all([newCustomer(), shelf(2)]);
});

const ordersOf = async ({ id }: Customer): Promise<string[]> => {
  const rows = await bookOf('orders')<{ number: string }>`
    select number from orders where customer_id = ${uuidOf('user', id)} order by number`;
  return rows.map(({ number }) => number);
};

test('fifty checkouts at once with one key make one order, and all get the same answer', async () => {
  const buyer = await newCustomer();
  const good = goods[0]!;
  const before = await stockOf(good);
  const input = checkoutInput(buyer, await putIntoCart(buyer, good, 2));
  const answers = await Promise.all(Array.from({ length: 50 }, () => checkout(buyer, input)));
  const accepts = answers.map((answer) => accepted(answer, 'CheckoutAccepted'));
  expect(new Set(accepts.map(({ order }) => order.id)).size).toBe(1);
  expect(accepts.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const { id, number } = accepts[0]!.order;
  expect(await ordersOf(buyer)).toEqual([number]);
  const order = await settled(buyer, id);
  expect(order).toMatchObject({ status: 'DELIVERED', lines: [{ quantity: 2 }] });
  await vi.waitFor(
    async () => expect(await stockOf(good)).toEqual({ ...before, onHand: before.onHand - 2 }),
    10_000,
  );
  expect(await chargesFor(id)).toHaveLength(1);
});

test('a checkout sent again an order later still answers with its own order', async () => {
  const input = checkoutInput(customer, await putIntoCart(customer, goods[1]!, 1));
  const first = accepted(await checkout(customer, input), 'CheckoutAccepted');
  await buy(customer, goods[2]!);
  const count = (await ordersOf(customer)).length;
  const again = accepted(await checkout(customer, input), 'CheckoutAccepted');
  expect([again.replayed, again.order.id]).toEqual([true, first.order.id]);
  expect(await ordersOf(customer)).toHaveLength(count);
});

test('a key that was used for something else is refused, and nothing is ordered', async () => {
  const input = checkoutInput(customer, await putIntoCart(customer, goods[3]!, 1));
  accepted(await checkout(customer, input), 'CheckoutAccepted');
  const count = (await ordersOf(customer)).length;
  const cart = await putIntoCart(customer, goods[4]!, 1);
  const other = { ...input, expectedCartVersion: cart.version };
  expect(await checkout(customer, other)).toMatchObject({
    __typename: 'IdempotencyConflict',
    code: 'IDEMPOTENCY_CONFLICT',
    path: ['input', 'idempotencyKey'],
  });
  const elsewhere = { ...input, shippingAddress: { ...input.shippingAddress, city: 'York' } };
  expect((await checkout(customer, elsewhere)).__typename).toBe('IdempotencyConflict');
  expect(await ordersOf(customer)).toHaveLength(count);
  expect((await cartOf(customer)).lines).toHaveLength(1);
  await putIntoCart(customer, goods[4]!, 0);
});

test('two customers may happen on the same key without knowing of each other', async () => {
  const other = await newCustomer();
  const idempotencyKey = randomUUID();
  const outcomes = await Promise.all(
    [customer, other].map(async (who) => {
      const cart = await putIntoCart(who, goods[5]!, 1);
      return accepted(await checkout(who, checkoutInput(who, cart, { idempotencyKey })), 'CheckoutAccepted');
    }),
  );
  expect(outcomes.map(({ replayed }) => replayed)).toEqual([false, false]);
  expect(outcomes[0]!.order.id).not.toBe(outcomes[1]!.order.id);
});

test.each([
  ['empty', ''],
  ['of 10 KB', 'k'.repeat(10_240)],
  ['one character too long', 'k'.repeat(201)],
])('a key that is %s is no key, and nothing is ordered', async (_what, idempotencyKey) => {
  const cart = await putIntoCart(customer, goods[6]!, 1);
  const count = (await ordersOf(customer)).length;
  await expect(checkout(customer, checkoutInput(customer, cart, { idempotencyKey }))).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    argument: 'input.idempotencyKey',
  });
  expect(await ordersOf(customer)).toHaveLength(count);
  expect((await cartOf(customer)).version).toBe(cart.version);
});

test('a refused checkout does not use its key up', async () => {
  const buyer = await newCustomer();
  const cart = await putIntoCart(buyer, goods[7]!, 1);
  const idempotencyKey = randomUUID();
  const stale = checkoutInput(buyer, { ...cart, version: cart.version - 1 }, { idempotencyKey });
  expect((await checkout(buyer, stale)).__typename).toBe('CartChanged');
  const fresh = checkoutInput(buyer, cart, { idempotencyKey });
  expect(accepted(await checkout(buyer, fresh), 'CheckoutAccepted').replayed).toBe(false);
});

test('an order called off twenty times at once with one key is called off once', async () => {
  const { id } = await buy(customer, goods[8]!);
  const input = { idempotencyKey: randomUUID(), id };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => customer.client.send(CancelOrderDocument, { input })),
  );
  expect(new Set(answers.map(({ cancelOrder }) => cancelOrder.__typename))).toEqual(
    new Set(['OrderCancelRequested']),
  );
  const { timeline } = await settled(customer, id);
  expect(timeline.filter(({ type }) => type === 'cancel')).toHaveLength(1);
});
