// Arguments that cannot be meant. The one that is wrong is named, and nothing is half done.
import { randomUUID } from 'node:crypto';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { beforeAll, expect, test } from 'vitest';
import { OrderUpdatedDocument } from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, shelf, uuidOf } from './books.ts';
import { type Customer, newCustomer, putIntoCart, signIn } from './customer.ts';
import { type Caller, caller, codes } from './wire.ts';

let customer: Customer;
let goods: Good[];
let jo: Caller;
let clerk: Caller;

beforeAll(async () => {
  const [somebody, some, admin] = await Promise.all([newCustomer(), shelf(5), signIn('admin')]);
  [customer, goods] = [somebody, some];
  [jo, clerk] = [caller(somebody.token), caller(admin.token)];
});

const orderCount = async (): Promise<number> => {
  const [row] = await bookOf('orders')<{ count: number }>`select count(*)::int as count from orders
    where customer_id = ${uuidOf('user', customer.id)}`;
  return row!.count;
};

const order = 'query ($id: ID!) { order(id: $id) { id } }';
const product = 'query ($id: ID!) { product(id: $id) { id } }';
const list = (field: string) =>
  `query ($first: Int, $after: String) { ${field}(first: $first, after: $after) { pageInfo { endCursor } } }`;
const search =
  'query ($q: String!, $first: Int) { searchProducts(q: $q, first: $first) { products { totalCount } } }';
const dates = 'query ($filter: OrderFilter) { orders(filter: $filter) { totalCount } }';
const variant = encodeId('variant', newId());

const argumentsOf: [string, string, object, string][] = [
  ['an order’s id is of a product', order, { id: encodeId('product', newId()) }, 'id'],
  ['an order’s id is a number', order, { id: 7 }, 'id'],
  ['an order’s id is empty', order, { id: '' }, 'id'],
  ['an order’s id has a letter too many', order, { id: `${encodeId('order', newId())}0` }, 'id'],
  ['an order’s id is a piece of SQL', order, { id: "' or 1=1 --" }, 'id'],
  ['a product’s id is of a variant', product, { id: variant }, 'id'],
  [
    'a payment’s id is of an order',
    'query ($id: ID!) { payment(id: $id) { id } }',
    { id: encodeId('order', newId()) },
    'id',
  ],
  [
    'a person’s id is of a cart',
    'query ($id: ID!) { user(id: $id) { id } }',
    { id: encodeId('cart', newId()) },
    'id',
  ],
  ['neither an id nor a number is given', '{ order { id } }', {}, 'id'],
  [
    'both an id and a number are given',
    `{ order(id: "${encodeId('order', newId())}", number: "N-1") { id } }`,
    {},
    'id',
  ],
  ['a page has no room', list('products'), { first: 0 }, 'first'],
  ['a page has less than no room', list('orders'), { first: -1 }, 'first'],
  ['a page of products is a million long', list('products'), { first: 1_000_000 }, 'first'],
  ['a page of orders is a million long', list('orders'), { first: 1_000_000 }, 'first'],
  ['a page of hits is a million long', search, { q: 'heart', first: 1_000_000 }, 'first'],
  [
    'a cursor is made up',
    list('products'),
    { after: Buffer.from('["name","a","1"]').toString('base64url') },
    'after',
  ],
  ['a cursor is no cursor', list('orders'), { after: '%%%' }, 'after'],
  ['a search is longer than a page', search, { q: 'x'.repeat(5_000) }, 'q'],
  [
    'a filter’s customer is an order',
    dates,
    { filter: { customerId: encodeId('order', newId()) } },
    'filter.customerId',
  ],
  [
    'a filter’s amount is in another currency',
    dates,
    { filter: { totalMin: { amountMinor: 1, currency: 'USD' } } },
    'filter.totalMin.currency',
  ],
];

test.each(argumentsOf)('the argument is named when %s', async (_what, query, variables, argument) => {
  const answer = await jo.ask(query, variables);
  // By its name, and by its field's where nothing was asked of anybody yet.
  const name = expect.stringMatching(new RegExp(`(^|\\.)${argument}$`));
  expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: name } }]);
});

test('a cursor of one list is no cursor of another', async () => {
  const { data } = await jo.ask(list('products'), { first: 1 });
  const { endCursor } = (data as { products: { pageInfo: { endCursor: string } } }).products.pageInfo;
  expect((await jo.ask(list('products'), { first: 1, after: endCursor })).errors).toEqual([]);
  const answer = await jo.ask(list('orders'), { after: endCursor });
  expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: 'after' } }]);
  const forged = `${endCursor.slice(0, -2)}AA`;
  expect(codes(await jo.ask(list('products'), { after: forged }))).toEqual(['BAD_USER_INPUT']);
});

const values: [string, string, object][] = [
  ['a text for a number', list('products'), { first: 'ten' }],
  ['a fraction for a whole number', list('products'), { first: 1.5 }],
  ['an object for an id', order, { id: { $ne: null } }],
  ['a list for an id', order, { id: ['a'] }],
  ['null for what must be there', order, { id: null }],
  ['nothing for what must be there', order, {}],
  ['a date that is none', dates, { filter: { placedFrom: 'the day before yesterday' } }],
  ['a status that is none', dates, { filter: { statuses: ['LOST'] } }],
  ['an amount beyond 2^53', dates, { filter: { totalMin: { amountMinor: 2 ** 53 + 2, currency: 'GBP' } } }],
  ['a filter that is not there', dates, { filter: { password: 'x' } }],
];

test.each(values)('a variable is refused that is %s', async (_what, query, variables) => {
  const answer = await jo.ask(query, variables);
  expect(answer.status).toBe(400);
  expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
  // By the name of the variable.
  expect(answer.errors[0]!.message).toMatch(/\$(first|id|filter)\b|"\$?(first|id|filter)/);
});

test.each([
  ['NUL', 'white\u0000heart'],
  ['half a letter', 'white \ud800 heart'],
  ['a wildcard', '%_%'],
  ['a quote', "' or 1=1 --"],
  ['a search’s own signs', '&|!():*<->'],
  ['what a template would read', '{{7*7}} <%= 7*7 %>'],
])('a search for %s finds nothing or something, and breaks nothing', async (_what, q) => {
  const { status, data, errors } = await jo.ask(search, { q });
  if (errors.length > 0) expect(codes({ errors })).toEqual(['BAD_USER_INPUT']);
  else {
    expect(status).toBe(200);
    expect(data).toMatchObject({ searchProducts: { products: { totalCount: expect.any(Number) } } });
  }
});

test('a checkout that is wrong in any way orders nothing', async () => {
  const before = await orderCount();
  const cart = await putIntoCart(customer, goods[3]!, 1);
  const input = {
    idempotencyKey: randomUUID(),
    cartId: cart.id,
    expectedCartVersion: cart.version,
    paymentMethodId: customer.paymentMethodId,
    shippingAddress: { recipient: 'Jo', line1: '1 Lane', city: 'Leeds', postcode: 'LS1 4AP', country: 'GB' },
  };
  const buyIt =
    'mutation ($input: CheckoutInput!) { checkout(input: $input) { __typename ... on UserError { path } } }';
  for (const [field, value] of [
    ['cartId', encodeId('order', newId())],
    ['paymentMethodId', encodeId('user', newId())],
    ['paymentMethodId', 'pm_card_visa'],
    ['idempotencyKey', ''],
  ] as const)
    expect((await jo.ask(buyIt, { input: { ...input, [field]: value } })).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: `input.${field}` } },
    ]);
  for (const [field, value] of [
    ['expectedCartVersion', 'one'],
    ['shippingAddress', null],
    ['price', 1],
  ] as const)
    expect(codes(await jo.ask(buyIt, { input: { ...input, [field]: value } }))).toEqual(['BAD_USER_INPUT']);
  expect(codes(await caller().ask(buyIt, { input }))).toEqual(['UNAUTHENTICATED']);
  expect(await orderCount()).toBe(before);
  expect((await jo.ask(buyIt, { input })).data).toMatchObject({
    checkout: { __typename: 'CheckoutAccepted' },
  });
  expect(await orderCount()).toBe(before + 1);
});

test('stock is booked by whole, sensible numbers only, and the wrong one is named', async () => {
  const [warehouse] = await bookOf('inventory')<{ id: string }>`select id from warehouse limit 1`;
  const right = {
    variantId: goods[1]!.id,
    warehouseId: encodeId('warehouse', warehouse!.id),
    delta: 1,
    reason: 'found',
  };
  const bookIt = 'mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { succeeded } }';
  for (const [field, value] of [
    ['delta', 0],
    ['delta', 1_000_000_000],
    ['reason', ''],
    ['variantId', encodeId('warehouse', newId())],
    ['warehouseId', goods[1]!.id],
  ] as const) {
    const input = { idempotencyKey: randomUUID(), adjustments: [right, { ...right, [field]: value }] };
    const answer = await clerk.ask(bookIt, { input });
    expect(answer.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: `input.adjustments.1.${field}` } },
    ]);
  }
});

test.each([
  ['an id of another kind', encodeId('product', newId()), null],
  ['no id at all', 'order 7', null],
])('following an order by %s is refused by name, before any data', async (_what, id, sinceVersion) => {
  const live = customer.client.watch(OrderUpdatedDocument, { id, sinceVersion });
  await expect(live.next()).rejects.toMatchObject({ code: 'BAD_USER_INPUT', argument: 'id' });
});
