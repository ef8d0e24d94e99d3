// Who changes and follows what: nobody another’s things.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { beforeAll, expect, inject, test } from 'vitest';
import { OperationError } from '../../ops/operations/client.ts';
import {
  CancelOrderDocument,
  DecideFraudReviewDocument,
  FraudFlaggedDocument,
  MarkAllNotificationsReadDocument,
  MarkNotificationsReadDocument,
  MyOrdersUpdatedDocument,
  NotificationReceivedDocument,
  OrderFeedDocument,
  OrderUpdatedDocument,
  ParcelMovedDocument,
  RefundOrderDocument,
  RemoveAddressDocument,
  RemovePaymentMethodDocument,
  SaveAddressDocument,
} from '../../ops/operations/generated/graphql.ts';
import { type Good, uuidOf } from './books.ts';
import {
  buy,
  type Customer,
  newCustomer,
  openOrder,
  type Person,
  settled,
  shippingAddress,
  visitor,
} from './customer.ts';
import { arrange, type Household, type Possessions } from './household.ts';

const { secrets, subgraphsUrl } = inject('product');

let people: Household['people'];
let owner: Customer;
let other: Customer;
let its: Possessions;
let goods: readonly Good[];

beforeAll(async () => {
  ({ people, owner, other, its, goods } = await arrange(14));
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
  const ids = { ids: [its.notification] };
  const read = await client.send(MarkNotificationsReadDocument, { input: ids });
  expect(read.markNotificationsRead).toMatchObject({ __typename: 'NotFound', path: ['input', 'ids'] });
  const upTo = { upTo: its.notification };
  const all = await client.send(MarkAllNotificationsReadDocument, { input: upTo });
  expect(all.markAllNotificationsRead).toMatchObject({ __typename: 'NotFound', path: ['input', 'upTo'] });
  const refund = { idempotencyKey: 'k', orderId: its.order, amount: { amountMinor: 1, currency: 'GBP' } };
  await expect(client.send(RefundOrderDocument, { input: refund })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  expect((await openOrder(owner, its.order)).status).toBe('DELIVERED');
});

test('nobody in particular changes nothing', async () => {
  const { client } = people.anonymous;
  const changes = [
    client.send(CancelOrderDocument, { input: { idempotencyKey: 'k', id: its.order } }),
    client.send(RemovePaymentMethodDocument, { input: { id: its.card } }),
    client.send(RemoveAddressDocument, { input: { id: its.address } }),
    client.send(SaveAddressDocument, { input: { address: shippingAddress } }),
    client.send(MarkNotificationsReadDocument, { input: { ids: [its.notification] } }),
    client.send(RefundOrderDocument, {
      input: { idempotencyKey: 'k', orderId: its.order, amount: { amountMinor: 1, currency: 'GBP' } },
    }),
    client.send(DecideFraudReviewDocument, {
      input: { assessmentId: its.assessment, decision: 'APPROVE' },
    }),
  ];
  await Promise.all(
    changes.map((change) => expect(change).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })),
  );
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

test('another’s parcel is watched in silence, and by nobody in particular not at all', async () => {
  const { client } = other;
  const foreign = client.watch(ParcelMovedDocument, { orderId: its.order });
  const own = owner.client.watch(ParcelMovedDocument, { orderId: its.order });
  const silence = firstOf(foreign);
  expect(await firstOf(own)).toMatchObject({ shipmentMoved: { id: its.parcel } });
  expect(await Promise.race([silence, pause(500, 'nothing')])).toBe('nothing');
  await foreign.return?.();
  expect(await firstOf(visitor().watch(ParcelMovedDocument, { orderId: its.order }))).toMatchObject({
    code: 'UNAUTHENTICATED',
  });
});

test('nobody goes on from another’s notification, and reviews are flagged to reviewers alone', async () => {
  const after = its.notification;
  expect(await firstOf(other.client.watch(NotificationReceivedDocument, { after }))).toMatchObject({
    code: 'NOT_FOUND',
    argument: 'after',
  });
  expect(await firstOf(visitor().watch(NotificationReceivedDocument))).toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(await firstOf(owner.client.watch(FraudFlaggedDocument))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await firstOf(visitor().watch(FraudFlaggedDocument))).toMatchObject({ code: 'UNAUTHENTICATED' });
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
  ['shipping', 'Shipment', 'parcel', 'trackingNumber'],
  ['notifications', 'Notification', 'notification', 'title'],
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
