// Carts: what may be in them, and what happens when they are no longer what was shown.
import { encodeId, newId } from '@orderstream/runtime/ids';
import { beforeAll, expect, test } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import { CartDocument, SetCartLineDocument } from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, shelf, stockOf, uuidOf } from './books.ts';
import { changeGood } from './clerk.ts';
import {
  type Customer,
  cartOf,
  checkout,
  checkoutInput,
  newCustomer,
  putIntoCart,
  settled,
  shippingAddress,
  visitor,
} from './customer.ts';
import { chargesFor } from './provider.ts';

let customer: Customer;
let other: Customer;
let goods: Good[];

beforeAll(async () => {
  [customer, other, goods] = await Promise.all([newCustomer(), newCustomer(), shelf(3)]);
});

const setLine = async (variantId: string, quantity: number) =>
  (await customer.client.send(SetCartLineDocument, { input: { variantId, quantity } })).setCartLine;

const orderCount = async ({ id }: Customer): Promise<number> => {
  const [row] = await bookOf('orders')<{ count: number }>`
    select count(*)::int as count from orders where customer_id = ${uuidOf('user', id)}`;
  return row!.count;
};

/** Nothing was ordered, and the cart is as it was. */
const expectUntouched = async (work: () => Promise<unknown>): Promise<void> => {
  const before = [await orderCount(customer), await cartOf(customer)];
  await work();
  expect([await orderCount(customer), await cartOf(customer)]).toEqual(before);
};

test('a quantity replaces the one before, and 0 takes the line out', async () => {
  const buyer = await newCustomer();
  const [one, two] = goods as [Good, Good];
  await putIntoCart(buyer, one, 3);
  await putIntoCart(buyer, two, 1);
  const cart = await putIntoCart(buyer, one, 2);
  const byCode = Object.fromEntries(cart.lines.map(({ sku, quantity }) => [sku, quantity]));
  expect(byCode).toEqual({ [one.sku]: 2, [two.sku]: 1 });
  expect(cart.total.amountMinor).toBe(2 * one.price + two.price);
  const without = await putIntoCart(buyer, one, 0);
  expect(without.lines.map(({ sku }) => sku)).toEqual([two.sku]);
  expect(without.version).toBeGreaterThan(cart.version);
});

test.each([-1, 10_001, 1_000_000_000, -2_147_483_648])(
  'a quantity of %i is refused by name, and the cart stays as it was',
  (quantity) =>
    expectUntouched(async () =>
      expect(await setLine(goods[0]!.id, quantity)).toMatchObject({
        __typename: 'InvalidInput',
        code: 'INVALID_INPUT',
        problems: [{ path: ['input', 'quantity'] }],
      }),
    ),
);

test('a variant that the shop does not have is not found', () =>
  expectUntouched(async () =>
    expect(await setLine(encodeId('variant', newId()), 1)).toMatchObject({
      __typename: 'NotFound',
      path: ['input', 'variantId'],
    }),
  ));

test.each([
  ['malformed', 'var_1'],
  ['of another kind', encodeId('product', newId())],
  ['empty', ''],
])('a variant’s id that is %s is refused by name', (_what, id) =>
  expectUntouched(() =>
    expect(setLine(id, 1)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', argument: 'input.variantId' }),
  ),
);

test('a checkout of a cart that has changed since it was shown answers with the cart as it is now', async () => {
  const buyer = await newCustomer();
  const shown = await putIntoCart(buyer, goods[4]!, 1);
  const now = await putIntoCart(buyer, goods[4]!, 2);
  const outcome = await checkout(buyer, checkoutInput(buyer, shown));
  expect(outcome).toMatchObject({
    __typename: 'CartChanged',
    path: ['input', 'expectedCartVersion'],
    cart: { version: now.version, lines: [{ sku: goods[4]!.sku, quantity: 2 }] },
  });
  expect(await orderCount(buyer)).toBe(0);
});

test('a price that rises while the cart is looked at stops the checkout, and is seen before it is paid', async () => {
  const buyer = await newCustomer();
  const good = goods[5]!;
  const shown = await putIntoCart(buyer, good, 3);
  await changeGood(good, { price: good.price + 50 });
  await expect
    .poll(async () => (await cartOf(buyer)).version, { timeout: 10_000 })
    .toBeGreaterThan(shown.version);

  const outcome = await checkout(buyer, checkoutInput(buyer, shown));
  const { cart } = accepted(outcome, 'CartChanged');
  expect(cart.lines).toMatchObject([
    { problem: 'PRICE_CHANGED', unitPrice: { amountMinor: good.price + 50 } },
  ]);
  expect(cart.total.amountMinor).toBe(3 * (good.price + 50));
  const { order } = accepted(await checkout(buyer, checkoutInput(buyer, cart)), 'CheckoutAccepted');
  expect(order.total.amountMinor).toBe(3 * (good.price + 50) + 495);
});

test('what is not sold any more can neither be put into a cart nor bought out of one', async () => {
  const buyer = await newCustomer();
  const good = goods[6]!;
  const shown = await putIntoCart(buyer, good, 1);
  await changeGood(good, { active: false });
  await expect
    .poll(async () => (await cartOf(buyer)).version, { timeout: 10_000 })
    .toBeGreaterThan(shown.version);
  const cart = await cartOf(buyer);
  expect(cart.lines).toMatchObject([{ problem: 'NOT_SOLD_ANY_MORE' }]);
  const refusal = { __typename: 'CartLineRefused', reason: 'NOT_SOLD_ANY_MORE' };
  expect(await checkout(buyer, checkoutInput(buyer, cart))).toMatchObject(refusal);
  expect(await setLine(good.id, 1)).toMatchObject(refusal);
  expect(await orderCount(buyer)).toBe(0);
});

test('an empty cart is not bought', async () => {
  const buyer = await newCustomer();
  const outcome = await checkout(buyer, checkoutInput(buyer, await cartOf(buyer)));
  expect(outcome).toMatchObject({ __typename: 'InvalidInput', problems: [{ path: ['input', 'cartId'] }] });
});

test('the cart of another customer is no more there than one that nobody has', async () => {
  const theirs = await putIntoCart(other, goods[7]!, 1);
  await putIntoCart(customer, goods[8]!, 1);
  await expectUntouched(async () => {
    const foreign = await checkout(customer, checkoutInput(customer, theirs));
    const unknown = await checkout(
      customer,
      checkoutInput(customer, { ...theirs, id: encodeId('cart', newId()) }),
    );
    expect(foreign).toMatchObject({ __typename: 'NotFound', path: ['input', 'cartId'] });
    expect(unknown).toEqual(foreign);
  });
  expect(await cartOf(other)).toEqual(theirs);
});

test('the card of another customer pays nothing, and neither does one that nobody has', async () => {
  const good = goods[9]!;
  const before = await stockOf(good);
  const reasons = [];
  for (const paymentMethodId of [other.paymentMethodId, encodeId('paymentMethod', newId())]) {
    const buyer = await newCustomer();
    const cart = await putIntoCart(buyer, good, 2);
    const outcome = await checkout(buyer, checkoutInput(buyer, cart, { paymentMethodId }));
    const order = await settled(buyer, accepted(outcome, 'CheckoutAccepted').order.id);
    expect(order.status).toBe('CANCELLED');
    expect(order.payments).toMatchObject([{ status: 'FAILED', method: null }]);
    expect(await chargesFor(order.id)).toEqual([]);
    reasons.push(order.statusReason);
  }
  expect(reasons[0]).toBeTruthy();
  expect(reasons[0]).toBe(reasons[1]);
  expect(await stockOf(good)).toEqual(before);
});

test('an address that cannot be delivered to is refused, and all that is wrong with it is named at once', () =>
  expectUntouched(async () => {
    const cart = await cartOf(customer);
    const address = {
      ...shippingAddress,
      recipient: '',
      line1: 'x'.repeat(500),
      city: 'Le\u0001eds',
      country: 'Atlantis',
    };
    const outcome = await checkout(customer, checkoutInput(customer, cart, { shippingAddress: address }));
    const { problems } = accepted(outcome, 'InvalidInput');
    expect(problems.map(({ path }) => path.join('.')).sort()).toEqual(
      ['city', 'country', 'line1', 'recipient'].map((field) => `input.shippingAddress.${field}`),
    );
  }));

test('nobody in particular has no cart', async () => {
  expect(await visitor().send(CartDocument)).toEqual({ cart: null });
  await expect(
    visitor().send(SetCartLineDocument, { input: { variantId: goods[0]!.id, quantity: 1 } }),
  ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});
