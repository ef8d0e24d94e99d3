// Who sees what. What somebody may not see answers like what does not exist.
import { randomUUID } from 'node:crypto';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { beforeAll, expect, test } from 'vitest';
import { OrdersDocument, UsersDocument } from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Good } from './books.ts';
import { buy, type Customer, graphqlUrl } from './customer.ts';
import { arrange, everybody, type Household, type Possessions, type Who } from './household.ts';

let people: Household['people'];
let owner: Customer;
let other: Customer;
let its: Possessions;
let goods: readonly Good[];

beforeAll(async () => {
  ({ people, owner, other, its, goods } = await arrange(4));
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
    'an order’s parcel',
    ({ order, tracking }) => ({
      query: `{ order(id: "${order}") { shipments { trackingNumber } } }`,
      shows: tracking,
    }),
    ['owner', 'admin', 'reviewer'],
  ],
  [
    'a parcel by its id',
    ({ parcel, tracking }) => ({
      query: `{ shipment(id: "${parcel}") { trackingNumber events { place } } }`,
      shows: tracking,
    }),
    ['owner', 'admin', 'reviewer'],
  ],
  [
    'what went back to a customer',
    ({ order, refund }) => ({ query: `{ order(id: "${order}") { refunds { id } } }`, shows: refund }),
    ['owner', 'admin'],
  ],
  [
    'how much of an order the shop has been paid',
    ({ order }) => ({ query: `{ order(id: "${order}") { balance { formatted } } }`, shows: '£' }),
    ['owner', 'admin'],
  ],
  [
    'what the shop told a customer',
    ({ user, notification }) => ({
      query: `{ user(id: "${user}") { notifications { edges { node { id title } } } } }`,
      shows: notification,
    }),
    ['owner'],
  ],
  [
    'how much of it is unread',
    ({ user }) => ({ query: `{ user(id: "${user}") { unreadNotifications } }`, shows: 'Notifications":4' }),
    ['owner'],
  ],
  [
    'how risky an order is',
    ({ order, assessment }) => ({
      query: `{ order(id: "${order}") { fraudAssessment { id score factors { name } } } }`,
      shows: assessment,
    }),
    ['admin', 'reviewer'],
  ],
  [
    'how risky a customer is',
    ({ user }) => ({
      query: `{ user(id: "${user}") { riskProfile { flaggedOrders } } }`,
      shows: 'flaggedOrders',
    }),
    ['admin'],
  ],
  [
    'what a customer may like',
    ({ user }) => ({
      query: `{ user(id: "${user}") { recommendations(first: 1) { score } } }`,
      // Empty as long as nobody else has bought anything.
      shows: '"recommendations":[',
    }),
    ['owner'],
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
  ['the queue of reviews', '{ fraudQueue { edges { node { id } } } }', ['reviewer']],
  ['what the networks are worth', '{ fraudModels { version } }', ['admin', 'reviewer']],
  [
    'booking stock',
    'mutation { adjustStock(input: { idempotencyKey: "KEY", adjustments: [{ variantId: "VARIANT", warehouseId: "WAREHOUSE", delta: 1, reason: "found" }] }) { succeeded } }',
    ['admin'],
  ],
  [
    'giving many orders back',
    'mutation { bulkRefund(input: { idempotencyKey: "KEY", orderIds: ["ORDER"] }) { failed } }',
    ['admin'],
  ],
  ['what goes on in the shop', '{ shopActivity { activeCarts checkouts asOf } }', ['admin', 'reviewer']],
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
    .replace('ORDER', encodeId('order', newId()))
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
