// Who sees what. What somebody may not see answers like what does not exist.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { beforeAll, expect, inject, test } from 'vitest';
import { accepted, OperationError } from '../../ops/operations/client.ts';
import {
  CancelOrderDocument,
  MyOrdersUpdatedDocument,
  OrderFeedDocument,
  OrdersDocument,
  OrderUpdatedDocument,
  RemoveAddressDocument,
  RemovePaymentMethodDocument,
  SaveAddressDocument,
  UsersDocument,
} from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good, shelf, uuidOf } from './books.ts';
import {
  buy,
  type Customer,
  graphqlUrl,
  newCustomer,
  openOrder,
  type Person,
  putIntoCart,
  settled,
  shippingAddress,
  signIn,
  visitor,
} from './customer.ts';

const { secrets, subgraphsUrl } = inject('product');

type Who = 'owner' | 'other' | 'anonymous' | 'admin' | 'reviewer';
const everybody: Who[] = ['owner', 'other', 'anonymous', 'admin', 'reviewer'];

type Possessions = {
  order: string;
  number: string;
  payment: string;
  user: string;
  email: string;
  address: string;
  card: string;
  cart: string;
};

let people: Record<Who, Pick<Person, 'client'> & Partial<Person>>;
let owner: Customer;
let other: Customer;
let its: Possessions;
let goods: Good[];

beforeAll(async () => {
  const [customer, stranger, admin, reviewer, some] = await Promise.all([
    newCustomer(),
    newCustomer(),
    signIn('admin'),
    signIn('reviewer'),
    shelf(4),
  ]);
  [owner, other, goods] = [customer, stranger, some];
  people = { owner, other, admin, reviewer, anonymous: { client: visitor() } };
  const { saveAddress } = await owner.client.send(SaveAddressDocument, {
    input: { address: shippingAddress },
  });
  const { id } = await buy(owner, goods[0]!, 2);
  const order = await settled(owner, id);
  its = {
    order: id,
    number: order.number,
    payment: order.payments![0]!.id,
    user: owner.id,
    email: owner.email,
    address: accepted(saveAddress, 'AddressSaved').address.id,
    card: owner.paymentMethodId,
    cart: (await putIntoCart(owner, goods[1]!, 1)).id,
  };
});

/** What a person is answered, with what went wrong. */
const ask = async (who: Who, query: string) => {
  const { token } = people[who];
  const response = await fetch(graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
};

/** Each thing of the owner, the words in the answer that give it away, and who may see them; all others see nothing. */
const things: [string, (its: Possessions) => { query: string; shows: string }, Who[]][] = [
  [
    'an order by its id',
    ({ order, number }) => ({ query: `{ order(id: "${order}") { number } }`, shows: number }),
    ['owner', 'admin', 'reviewer'],
  ],
  [
    'an order by its number',
    ({ order, number }) => ({ query: `{ order(number: "${number}") { id } }`, shows: order }),
    ['owner', 'admin', 'reviewer'],
  ],
  [
    'where an order goes',
    ({ order }) => ({
      query: `{ order(id: "${order}") { shippingAddress { line1 } } }`,
      shows: '12 Bell Lane',
    }),
    ['owner', 'admin', 'reviewer'],
  ],
  [
    'whose an order is',
    ({ order, email }) => ({ query: `{ order(id: "${order}") { customer { email } } }`, shows: email }),
    ['owner', 'admin'],
  ],
  [
    'how an order is paid',
    ({ order, payment }) => ({ query: `{ order(id: "${order}") { payments { id } } }`, shows: payment }),
    ['owner', 'admin'],
  ],
  [
    'with which card an order is paid',
    ({ order, card }) => ({ query: `{ order(id: "${order}") { payments { method { id } } } }`, shows: card }),
    ['owner', 'admin'],
  ],
  [
    'a payment by its id',
    ({ payment }) => ({ query: `{ payment(id: "${payment}") { id status } }`, shows: payment }),
    ['owner', 'admin'],
  ],
  [
    'a person',
    ({ user, email }) => ({ query: `{ user(id: "${user}") { email } }`, shows: email }),
    ['owner', 'admin'],
  ],
  [
    'a person’s address book',
    ({ user, address }) => ({ query: `{ user(id: "${user}") { addresses { id } } }`, shows: address }),
    ['owner', 'admin'],
  ],
  [
    'a person’s orders',
    ({ user, order }) => ({
      query: `{ user(id: "${user}") { orders { edges { node { id } } } } }`,
      shows: order,
    }),
    ['owner', 'admin'],
  ],
  [
    'a person’s cart',
    ({ user, cart }) => ({ query: `{ user(id: "${user}") { cart { id } } }`, shows: cart }),
    ['owner'],
  ],
  [
    'a person’s cards',
    ({ user, card }) => ({ query: `{ user(id: "${user}") { paymentMethods { id } } }`, shows: card }),
    ['owner', 'admin'],
  ],
  [
    'an order in the list of a customer that is not the viewer',
    ({ user, order }) => ({
      query: `{ orders(filter: { customerId: "${user}" }) { edges { node { id } } } }`,
      shows: order,
    }),
    ['owner', 'admin', 'reviewer'],
  ],
  [
    'an order found by its number',
    ({ number, order }) => ({
      query: `{ orders(filter: { search: "${number}" }) { edges { node { id } } } }`,
      shows: order,
    }),
    ['owner', 'admin', 'reviewer'],
  ],
];

const matrix = things.flatMap(([thing, asked, seers]) =>
  everybody.map((who) => ({ thing, asked, who, sees: seers.includes(who) })),
);

test.each(matrix)('$thing is seen by $who: $sees', async ({ asked, who, sees }) => {
  const { query, shows } = asked(its);
  const answer = await ask(who, query);
  expect(JSON.stringify(answer).includes(shows)).toBe(sees);
  // Not even by an error: there is nothing, except that a list needs somebody whose it is.
  const codes = (answer.errors ?? []).map(({ extensions }) => extensions.code);
  expect(codes).toEqual(who === 'anonymous' && query.includes('{ orders(') ? ['UNAUTHENTICATED'] : []);
});

test.each(everybody)('to %s, what nobody has looks just like what is another’s', async (who) => {
  const queries = (id: (kind: 'order' | 'payment' | 'user') => string, number: string) => [
    `{ order(id: "${id('order')}") { number payments { id } customer { email } } }`,
    `{ order(number: "${number}") { id } }`,
    `{ payment(id: "${id('payment')}") { id } }`,
    `{ user(id: "${id('user')}") { email cart { id } orders { totalCount } paymentMethods { id } } }`,
  ];
  const missing = await Promise.all(
    queries((kind) => encodeId(kind, newId()), 'N-1999-0000001').map((query) => ask(who, query)),
  );
  const nothing = ['order', 'order', 'payment', 'user'].map((field) => ({ data: { [field]: null } }));
  expect(missing).toEqual(nothing);
  if (who !== 'other' && who !== 'anonymous') return;
  const foreign = await Promise.all(queries((kind) => its[kind], its.number).map((query) => ask(who, query)));
  expect(foreign).toEqual(nothing);
});

/** Lists and changes for staff: who may, and what the others are told. */
const duties: [string, string, Who[]][] = [
  ['the list of people', '{ users { edges { node { id } } } }', ['admin']],
  ['the list of stock', '{ stockLevels(first: 1) { edges { node { onHand } } } }', ['admin']],
  ['the warehouses', '{ warehouses { name } }', ['admin']],
  [
    'booking stock',
    'mutation { adjustStock(input: { idempotencyKey: "KEY", adjustments: [{ variantId: "VARIANT", warehouseId: "WAREHOUSE", delta: 1, reason: "found" }] }) { succeeded } }',
    ['admin'],
  ],
];

const rota = duties.flatMap(([duty, query, staff]) =>
  everybody.map((who) => ({
    duty,
    query,
    who,
    code: who === 'anonymous' ? 'UNAUTHENTICATED' : staff.includes(who) ? null : 'FORBIDDEN',
  })),
);

test.each(rota)('$duty, for $who: $code', async ({ query, who, code }) => {
  const [warehouse] = await bookOf('inventory')<{ id: string }>`select id from warehouse limit 1`;
  const text = query
    .replace('KEY', randomUUID())
    .replace('VARIANT', goods[2]!.id)
    .replace('WAREHOUSE', encodeId('warehouse', warehouse!.id));
  const answer = await ask(who, text);
  expect((answer.errors ?? []).map(({ extensions }) => extensions.code)).toEqual(code ? [code] : []);
});

test('a customer’s list of orders has that customer’s orders alone', async () => {
  const { id } = await buy(other, goods[3]!);
  const { orders } = await other.client.send(OrdersDocument, {});
  expect(orders.edges.map(({ node }) => node.id)).toEqual([id]);
  expect(orders.totalCount).toBe(1);
});

test('staff find a customer by the beginning of a name or an address', async () => {
  const { users } = await people.admin.client.send(UsersDocument, { search: owner.email.split('@')[0] });
  expect(users.edges.map(({ node }) => node.id)).toEqual([owner.id]);
});

test.each(['other', 'reviewer'] as const)('nothing of the owner’s can be changed by %s', async (who) => {
  const { client } = people[who];
  const order = { idempotencyKey: randomUUID(), id: its.order };
  const outcomes = [
    (await client.send(CancelOrderDocument, { input: order })).cancelOrder,
    (await client.send(RemovePaymentMethodDocument, { input: { id: its.card } })).removePaymentMethod,
    (await client.send(RemoveAddressDocument, { input: { id: its.address } })).removeAddress,
    (await client.send(SaveAddressDocument, { input: { id: its.address, address: shippingAddress } }))
      .saveAddress,
  ];
  for (const outcome of outcomes)
    expect(outcome).toMatchObject({ __typename: 'NotFound', code: 'NOT_FOUND', path: ['input', 'id'] });
  expect((await openOrder(owner, its.order)).status).toBe('DELIVERED');
});

test('nobody in particular changes nothing', async () => {
  const { client } = people.anonymous;
  const changes = [
    client.send(CancelOrderDocument, { input: { idempotencyKey: 'k', id: its.order } }),
    client.send(RemovePaymentMethodDocument, { input: { id: its.card } }),
    client.send(RemoveAddressDocument, { input: { id: its.address } }),
    client.send(SaveAddressDocument, { input: { address: shippingAddress } }),
  ];
  for (const change of changes) await expect(change).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

const firstOf = async <T>(events: AsyncIterableIterator<T>): Promise<T | OperationError> => {
  try {
    const { value } = await events.next();
    await events.return?.();
    return value as T;
  } catch (error) {
    if (error instanceof OperationError) return error;
    throw error;
  }
};

test.each(['other', 'anonymous'] as const)(
  'following another’s order is refused to %s before any data, as for an order that nobody has',
  async (who) => {
    const { client } = people[who];
    const foreign = await firstOf(client.watch(OrderUpdatedDocument, { id: its.order }));
    const missing = await firstOf(client.watch(OrderUpdatedDocument, { id: encodeId('order', newId()) }));
    for (const refusal of [foreign, missing])
      expect(refusal).toMatchObject({
        code: 'NOT_FOUND',
        argument: 'id',
        message: 'There is no such order.',
      });
  },
);

test.each(['owner', 'admin', 'reviewer'] as const)('%s follows the order', async (who) => {
  const event = await firstOf(people[who].client.watch(OrderUpdatedDocument, { id: its.order }));
  expect(event).toMatchObject({ orderUpdated: { id: its.order, status: 'DELIVERED' } });
});

test('the feed of all orders is for staff, and one’s own feed has nobody else’s', async () => {
  expect(await firstOf(other.client.watch(OrderFeedDocument, {}))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await firstOf(visitor().watch(OrderFeedDocument, {}))).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await firstOf(visitor().watch(MyOrdersUpdatedDocument))).toMatchObject({ code: 'UNAUTHENTICATED' });

  const seen = new Set<string>();
  const own = other.client.watch(MyOrdersUpdatedDocument);
  const listening = (async () => {
    for await (const { myOrdersUpdated } of own) seen.add(myOrdersUpdated.id);
  })();
  // Nothing tells when a feed has begun to listen.
  await pause(300);
  const theirs = await buy(owner, goods[4]!);
  await settled(owner, theirs.id);
  const ours = await buy(other, goods[5]!);
  await settled(other, ours.id);
  await expect.poll(() => seen.size, { timeout: 5_000 }).toBe(1);
  await own.return?.();
  await listening;
  expect([...seen]).toEqual([ours.id]);
});

test('a card that was removed pays nothing any more', async () => {
  const person = await newCustomer();
  const { removePaymentMethod } = await person.client.send(RemovePaymentMethodDocument, {
    input: { id: person.paymentMethodId },
  });
  expect(removePaymentMethod).toEqual({ __typename: 'PaymentMethodRemoved', id: person.paymentMethodId });
  const order = await settled(person, (await buy(person, goods[6]!)).id);
  expect(order).toMatchObject({ status: 'CANCELLED', payments: [{ status: 'FAILED' }] });
});

/** What the gateway would ask of a subgraph for a viewer, an entity by its reference. */
const byReference = async (
  subgraph: string,
  viewer: Viewer,
  reference: { readonly __typename: string; readonly [key: string]: string },
  field: string,
): Promise<unknown> => {
  const path = `/${subgraph}/graphql`;
  const query = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on ${reference.__typename} { ${field} } } }`;
  const body = JSON.stringify({ query, variables: { of: [reference] } });
  const signed = sign(signingKey(secrets.gateway), 'POST', path, viewer, body, new Date());
  const response = await fetch(`${subgraphsUrl}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      [viewerHeader]: signed.viewer,
      [signatureHeader]: signed.signature,
    },
    body,
  });
  const answer = (await response.json()) as { data: { _entities: unknown[] }; errors?: unknown };
  expect(answer.errors).toBeUndefined();
  return answer.data._entities[0];
};

test.each([
  ['orders', 'Order', 'order', 'status'],
  ['orders', 'Cart', 'cart', 'version'],
  ['users', 'User', 'user', 'email'],
  ['payments', 'Payment', 'payment', 'status'],
  ['payments', 'PaymentMethod', 'card', 'last4'],
] as const)(
  '%s gives a %s by reference to its owner, and to nobody else',
  async (subgraph, type, which, field) => {
    const nobody = anonymous('01900000-0000-7000-8000-000000000001');
    const as = (person: Person): Viewer => ({ ...nobody, userId: uuidOf('user', person.id) });
    const reference = { __typename: type, id: its[which] };
    expect(await byReference(subgraph, as(owner), reference, field)).toHaveProperty(field);
    expect(await byReference(subgraph, as(other), reference, field)).toBeNull();
    expect(await byReference(subgraph, nobody, reference, field)).toBeNull();
    const elsewhere = {
      ...as(owner),
      tenantId: newId(),
      scopes: new Set(['orders:read', 'users:read', 'payments:read']),
    };
    expect(await byReference(subgraph, elsewhere, reference, field)).toBeNull();
  },
);
