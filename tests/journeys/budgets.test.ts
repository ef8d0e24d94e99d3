// What pages cost: calls to subgraphs, by the budgets of the supergraph's design, and SQL statements, which must not
// grow with what is shown.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { accepted, type Client, connect } from '../../ops/operations/client.ts';
import {
  AddPaymentMethodDocument,
  CartDocument,
  CheckoutWithPaymentsDocument,
  LoginDocument,
  OrderDocument,
  OrderInFullDocument,
  OrdersDocument,
  ProductPageDocument,
  ProductsDocument,
  RegisterDocument,
  SetCartLineDocument,
  WholeOrderDocument,
  WholeOrdersDocument,
} from '../../ops/operations/generated/graphql.ts';
import { shippingAddress } from './customer.ts';
import { openSmallShop, staffPassword, type Tally } from './small-shop.ts';

let shop: Awaited<ReturnType<typeof openSmallShop>>;
let client: Client;
let admin: Client;
let paymentMethodId: string;
let products: { readonly id: string; readonly variants: readonly { readonly id: string }[] }[];

const add = (variantId: string, quantity: number) =>
  client.send(SetCartLineDocument, { input: { variantId, quantity } });

const buy = async (): Promise<string> => {
  const { cart } = await client.send(CartDocument);
  const { checkout } = await client.send(CheckoutWithPaymentsDocument, {
    input: {
      idempotencyKey: randomUUID(),
      cartId: cart!.id,
      expectedCartVersion: cart!.version,
      shippingAddress,
      paymentMethodId,
    },
  });
  return accepted(checkout, 'CheckoutAccepted').order.id;
};

beforeAll(async () => {
  shop = await openSmallShop();
  const subscriptionsUrl = shop.url.replace(/^http/, 'ws');
  const { register } = await connect({ url: shop.url, subscriptionsUrl }).send(RegisterDocument, {
    input: { email: 'jo@example.com', password: 'long enough', displayName: 'Jo' },
  });
  const token = accepted(register, 'SessionStarted').accessToken;
  client = connect({ url: shop.url, subscriptionsUrl, token });
  const { login } = await connect({ url: shop.url, subscriptionsUrl }).send(LoginDocument, {
    input: { email: 'admin@example.com', password: staffPassword },
  });
  const staffToken = accepted(login, 'SessionStarted').accessToken;
  admin = connect({ url: shop.url, subscriptionsUrl, token: staffToken });
  const { addPaymentMethod } = await client.send(AddPaymentMethodDocument, {
    input: { providerToken: 'pm_card_visa' },
  });
  paymentMethodId = accepted(addPaymentMethod, 'PaymentMethodAdded').method.id;
  const found = await client.send(ProductsDocument, { first: 100 });
  products = found.products.edges
    .map(({ node }) => node)
    .filter(({ variants }) => variants[0]?.availability === 'IN_STOCK');
  // Each of other goods.
  for (let number = 0; number < 20; number++) {
    await add(products[number]!.variants[0]!.id, 1);
    await add(products[number + 30]!.variants[0]!.id, 1);
    await buy();
  }
  await vi.waitFor(
    async () => {
      const { orders } = await client.send(WholeOrdersDocument, { first: 30 });
      const labels = orders.edges.flatMap(({ node }) => node.shipments?.map(({ status }) => status) ?? []);
      expect(labels.filter((status) => status === 'LABELLED')).toHaveLength(20);
    },
    { timeout: 40_000, interval: 500 },
  );
  await shop.rest();
  // Connections to the shop that has begun anew.
  for (let time = 0; time < 2; time++)
    for (const one of [client, admin]) await one.send(WholeOrdersDocument, { first: 20 });
}, 180_000);

afterAll(async () => {
  await Promise.all([client?.close(), admin?.close()]);
  await shop?.close();
});

/** With an empty cache, and connections that are open already. */
const price = async (work: () => Promise<unknown>): Promise<Tally> => {
  await shop.forget();
  return shop.counted(work);
};

const total = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((sum, n) => sum + n, 0);

const anOrder = async (): Promise<string> => {
  const { orders } = await client.send(OrdersDocument, { first: 1 });
  return orders.edges[0]!.node.id;
};

const parts = ['catalog', 'fraud', 'inventory', 'orders', 'payments', 'shipping', 'users'];

test.each([
  ['their customer', () => client, ['fraud']],
  ['staff', () => admin, []],
])(
  'twenty orders with everything about them take as many statements, and calls, as one, for %s',
  async (_who, who, silent) => {
    const one = await price(() => who().send(WholeOrdersDocument, { first: 1 }));
    const twenty = await price(() => who().send(WholeOrdersDocument, { first: 20 }));
    expect(twenty).toEqual(one);
    expect(Object.keys(one.calls).sort()).toEqual(parts);
    // Whoever may not see it does not even have it looked up.
    const asked = parts.filter((name) => one.statements[name]! > 0);
    expect(asked).toEqual(parts.filter((name) => !silent.includes(name)));
  },
);

test('an order with its parcel and all that staff know of its risk costs one call to each part', async () => {
  const id = await anOrder();
  const { calls } = await price(async () => {
    const { order } = await admin.send(WholeOrderDocument, { id });
    expect(order).toMatchObject({
      shipments: [{ status: 'LABELLED' }],
      fraudAssessment: { review: 'NOT_NEEDED' },
    });
  });
  expect(calls).toEqual(Object.fromEntries(parts.map((name) => [name, 1])));
});

test('an order with customer, goods, stock, payments and timeline costs five calls', async () => {
  const id = await anOrder();
  const { calls } = await price(() => client.send(OrderDocument, { id }));
  expect(calls).toEqual({ orders: 1, users: 1, catalog: 1, inventory: 1, payments: 1 });
});

test('a product page with stock, reviews and cart stays within eight calls', async () => {
  const { calls } = await price(() => client.send(ProductPageDocument, { id: products[0]!.id }));
  expect(total(calls)).toBeLessThanOrEqual(8);
  expect(calls).toMatchObject({ catalog: expect.any(Number), inventory: expect.any(Number) });
});

test('a checkout with its order’s payments costs two calls', async () => {
  await add(products[40]!.variants[0]!.id, 1);
  const { cart } = await client.send(CartDocument);
  const input = {
    idempotencyKey: randomUUID(),
    cartId: cart!.id,
    expectedCartVersion: cart!.version,
    shippingAddress,
    paymentMethodId,
  };
  const { calls } = await price(() => client.send(CheckoutWithPaymentsDocument, { input }));
  expect(calls).toEqual({ orders: 1, payments: 1 });
});

test('an event of a live order costs one call for each subgraph that has something to add', async () => {
  const id = await anOrder();
  const { calls } = await price(async () => {
    const live = client.watch(OrderInFullDocument, { id });
    await live.next();
    await live.return?.();
  });
  expect(calls).toEqual({ users: 1, catalog: 1, inventory: 1, payments: 1 });
});
