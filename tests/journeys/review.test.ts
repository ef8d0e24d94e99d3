// Orders that somebody of the shop has to look at before their goods leave.
import { randomUUID } from 'node:crypto';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import {
  DecideFraudReviewDocument,
  type DecideFraudReviewInput,
  FraudQueueDocument,
  MyNotificationsDocument,
  ReviewDocument,
  SaveAddressDocument,
  WholeOrderDocument,
} from '../../ops/operations/generated/graphql.ts';
import { bookOf, type Counters, type Good, shelf, stockOf, uuidOf } from './books.ts';
import {
  buy,
  type Customer,
  cancel,
  newCustomer,
  openOrder,
  orderIs,
  orderWhen,
  type Person,
  settled,
  signIn,
  stepsOf,
  visitor,
} from './customer.ts';
import { bookSays } from './provider.ts';

type Held = {
  readonly id: string;
  readonly good: Good;
  readonly before: Counters;
  readonly assessmentId: string;
};

let customer: Customer;
let reviewer: Person;
let admin: Person;
const held: Held[] = [];

/** What gives an account that was taken over away: a new address, and then a device never seen with the customer. */
const onNewDevice = (): Customer => ({ ...customer, client: visitor(customer.token, randomUUID()) });

const reviewOf = async (orderId: string) =>
  (await reviewer.client.send(ReviewDocument, { orderId })).order!.fraudAssessment!;

const reviewIs = (orderId: string, review: string) =>
  vi.waitFor(
    async () => {
      const assessment = await reviewOf(orderId);
      expect(assessment.review).toBe(review);
      return assessment;
    },
    { timeout: 15_000, interval: 100 },
  );

const decide = async (
  assessmentId: string,
  decision: DecideFraudReviewInput['decision'],
  { client }: Pick<Person, 'client'> = reviewer,
  note: string | null = 'The lighthouse keeper.',
) =>
  (await client.send(DecideFraudReviewDocument, { input: { assessmentId, decision, note } }))
    .decideFraudReview;

const noticesOf = (orderId: string, kinds: readonly string[]) =>
  vi.waitFor(
    async () => {
      const { me } = await customer.client.send(MyNotificationsDocument, { first: 100 });
      const about = me!.notifications!.edges.filter(({ node }) => node.order?.id === orderId);
      expect(about.map(({ node }) => node.kind).toReversed()).toEqual(kinds);
    },
    { timeout: 10_000, interval: 100 },
  );

const goodsAre = ({ good }: Held, counters: Counters): Promise<void> =>
  vi.waitFor(async () => expect(await stockOf(good)).toEqual(counters), 10_000);

beforeAll(async () => {
  const [someone, goods, ...staff] = await Promise.all([
    newCustomer(),
    shelf(10),
    signIn('reviewer'),
    signIn('admin'),
  ]);
  [customer, reviewer, admin] = [someone, ...staff];
  await customer.client.send(SaveAddressDocument, { input: { address: customer.address } });
  await vi.waitFor(
    async () =>
      expect(
        await bookOf('fraud')`select from customer
          where customer_id = ${uuidOf('user', customer.id)} and address_changed_at is not null`,
      ).toHaveLength(1),
    { timeout: 10_000, interval: 50 },
  );
  // The device that the customer is known by.
  const known = await buy(onNewDevice(), goods[0]!);
  await orderWhen(customer, known.id, ({ timeline }) =>
    expect(timeline.map(({ type }) => type)).toContain('fraud.scored'),
  );
  for (const good of goods.slice(1, 8)) {
    const before = await stockOf(good);
    const { id } = await buy(onNewDevice(), good, 3);
    held.push({ id, good, before, assessmentId: '' });
  }
  for (const [index, { id, ...rest }] of held.entries()) {
    await orderIs(customer, id, 'AWAITING_REVIEW');
    held[index] = { ...rest, id, assessmentId: (await reviewIs(id, 'PENDING')).id };
  }
});

// What was only looked at would wait for its reviewer for a day.
afterAll(async () => {
  const [{ id }] = held as [Held];
  accepted(await cancel(customer, id), 'OrderCancelRequested');
  await settled(customer, id);
});

test('a suspicious order is held with its money promised and its goods kept, and its customer is told', async () => {
  const { id, good, before } = held[0]!;
  const order = await openOrder(customer, id);
  expect(order).toMatchObject({ status: 'AWAITING_REVIEW', waitingFor: 'fraud review' });
  expect(order.payments).toMatchObject([{ status: 'AUTHORIZED' }]);
  expect(Date.parse(order.nextDeadlineAt!)).toBeGreaterThan(Date.now() + 3_600_000);
  expect(await stockOf(good)).toEqual({ ...before, held: before.held + 3 });
  await bookSays(id, [{ status: 'requires_capture', amountReceived: 0 }]);
  await noticesOf(id, ['ORDER_HELD']);
});

test('the reviewer finds it in the queue, the riskiest first, with what makes it suspicious', async () => {
  const { fraudQueue } = await reviewer.client.send(FraudQueueDocument, { first: 50 });
  const scores = fraudQueue.edges.map(({ node }) => node.score ?? 100);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  const found = fraudQueue.edges.find(({ node }) => node.order?.id === held[0]!.id)!.node;
  expect(found).toMatchObject({ id: held[0]!.assessmentId, level: 'HIGH', review: 'PENDING' });
  expect(found.score).toBeGreaterThan(80);
  expect(found.factors[0]).toMatchObject({
    name: 'taken-over',
    explanation: expect.stringContaining('a device never seen with this customer'),
  });
  const points = found.factors.reduce((sum, { contribution }) => sum + contribution, 0);
  expect(Math.abs(points - found.score!)).toBeLessThan(0.6);
});

test.each([
  ['the customer', 'FORBIDDEN', () => customer],
  ['an admin', 'FORBIDDEN', () => admin],
  ['nobody in particular', 'UNAUTHENTICATED', () => ({ client: visitor() })],
])('%s neither sees the queue nor decides: %s', async (_who, code, who) => {
  await expect(who().client.send(FraudQueueDocument, { first: 1 })).rejects.toMatchObject({ code });
  await expect(decide(held[0]!.assessmentId, 'APPROVE', who())).rejects.toMatchObject({ code });
  expect((await reviewOf(held[0]!.id)).review).toBe('PENDING');
});

test('what cannot be decided is named, and nothing is decided by it', async () => {
  const { id, assessmentId } = held[0]!;
  expect(await decide(encodeId('fraudAssessment', newId()), 'APPROVE')).toMatchObject({
    __typename: 'NotFound',
    path: ['input', 'assessmentId'],
  });
  await expect(decide(id, 'APPROVE')).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    argument: 'input.assessmentId',
  });
  expect(await decide(assessmentId, 'APPROVE', reviewer, 'x'.repeat(1_001))).toMatchObject({
    __typename: 'InvalidInput',
    problems: [{ path: ['input', 'note'] }],
  });
  expect((await reviewOf(id)).review).toBe('PENDING');
});

test.concurrent('an approved order goes on to its customer’s door', async () => {
  const { id, assessmentId } = held[1]!;
  const decided = accepted(await decide(assessmentId, 'APPROVE'), 'FraudReviewDecided');
  expect(decided.assessment.review).toBe('APPROVED');
  const order = await settled(customer, id);
  expect(order).toMatchObject({ status: 'DELIVERED', statusReason: null });
  expect(stepsOf(order).slice(3, 6)).toEqual(['payment.authorized', 'fraud.approved', 'inventory.allocated']);
  const { decidedBy, audit } = await reviewOf(id);
  const byReviewer = { actor: { id: reviewer.id }, note: 'The lighthouse keeper.' };
  expect(decidedBy).toEqual({ id: reviewer.id });
  expect(audit).toEqual([
    { action: 'OPENED', actor: null, note: null },
    { action: 'APPROVED', ...byReviewer },
  ]);
  await noticesOf(id, ['ORDER_HELD', 'ORDER_CONFIRMED', 'ORDER_SHIPPED', 'ORDER_DELIVERED']);
  expect(await decide(assessmentId, 'REJECT')).toMatchObject({
    __typename: 'FraudReviewClosed',
    assessment: { review: 'APPROVED' },
  });
});

test.concurrent('of a rejected order the money is let go and the goods can be sold again', async () => {
  const { id, before, assessmentId } = held[2]!;
  accepted(await decide(assessmentId, 'REJECT'), 'FraudReviewDecided');
  const order = await settled(customer, id);
  expect(order).toMatchObject({
    status: 'CANCELLED',
    statusReason: 'The order was not approved.',
    payments: [{ status: 'VOIDED' }],
  });
  await goodsAre(held[2]!, before);
  await bookSays(id, [{ status: 'canceled', amountCapturable: 0, amountReceived: 0 }]);
  await noticesOf(id, ['ORDER_HELD', 'ORDER_CANCELLED']);
});

test.concurrent('a reviewer who has to ask gets more time, once, and may then approve', async () => {
  const { id, assessmentId } = held[3]!;
  const { nextDeadlineAt } = await openOrder(customer, id);
  accepted(await decide(assessmentId, 'REQUEST_INFO'), 'FraudReviewDecided');
  const asked = await orderWhen(customer, id, ({ timeline }) =>
    expect(timeline.at(-1)!.type).toBe('fraud.info-requested'),
  );
  expect(asked.status).toBe('AWAITING_REVIEW');
  expect(Date.parse(asked.nextDeadlineAt!)).toBeGreaterThan(Date.parse(nextDeadlineAt!));
  expect(await decide(assessmentId, 'REQUEST_INFO')).toMatchObject({
    __typename: 'FraudReviewClosed',
    message: 'Information has been asked for already.',
  });
  accepted(await decide(assessmentId, 'APPROVE'), 'FraudReviewDecided');
  expect((await settled(customer, id)).status).toBe('DELIVERED');
});

test.concurrent('an order that nobody decides on in time is cancelled, and a late decision changes nothing', async () => {
  const { id, before, assessmentId } = held[4]!;
  await bookOf('orders')`update saga set deadline_at = now() where order_id = ${uuidOf('order', id)}`;
  const order = await settled(customer, id);
  expect(order).toMatchObject({
    status: 'CANCELLED',
    statusReason: 'The order was not approved in time.',
    payments: [{ status: 'VOIDED' }],
  });
  expect((await reviewIs(id, 'EXPIRED')).audit.map(({ action }) => action)).toEqual(['OPENED', 'EXPIRED']);
  expect(await decide(assessmentId, 'APPROVE')).toMatchObject({
    __typename: 'FraudReviewClosed',
    assessment: { review: 'EXPIRED' },
  });
  await goodsAre(held[4]!, before);
  expect((await openOrder(customer, id)).version).toBe(order.version);
});

test.concurrent('a held order that its customer calls off needs no decision any more', async () => {
  const { id, before, assessmentId } = held[5]!;
  accepted(await cancel(customer, id), 'OrderCancelRequested');
  const order = await settled(customer, id);
  expect(order).toMatchObject({ status: 'CANCELLED', payments: [{ status: 'VOIDED' }] });
  const { audit } = await reviewIs(id, 'EXPIRED');
  expect(audit.map(({ action }) => action)).toEqual(['OPENED', 'CLOSED']);
  expect((await decide(assessmentId, 'APPROVE')).__typename).toBe('FraudReviewClosed');
  const { fraudQueue } = await reviewer.client.send(FraudQueueDocument, { first: 50 });
  expect(fraudQueue.edges.map(({ node }) => node.id)).not.toContain(assessmentId);
  await goodsAre(held[5]!, before);
});

test.concurrent('of many decisions at once one counts, and the order goes by it', async () => {
  const { id, assessmentId } = held[6]!;
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, index) => decide(assessmentId, index % 2 ? 'REJECT' : 'APPROVE')),
  );
  const counted = outcomes.filter(({ __typename }) => __typename === 'FraudReviewDecided');
  const refused = outcomes.filter(({ __typename }) => __typename === 'FraudReviewClosed');
  expect([counted.length, refused.length]).toEqual([1, 9]);
  const { review, audit } = await reviewOf(id);
  expect(audit.map(({ action }) => action)).toEqual(['OPENED', review]);
  const order = await settled(customer, id);
  expect(order.status).toBe(review === 'APPROVED' ? 'DELIVERED' : 'CANCELLED');
});

test('the customer never learns a score, a factor, a note or who decided', async () => {
  const known = [
    'taken-over',
    'never seen',
    'lighthouse',
    'rules-1',
    uuidOf('user', reviewer.id),
    reviewer.id,
  ];
  for (const { id } of held) {
    const { order } = await customer.client.send(WholeOrderDocument, { id });
    expect(order!.fraudAssessment).toBeNull();
    const shown = JSON.stringify(order);
    for (const word of known) expect(shown).not.toContain(word);
  }
  const { me } = await customer.client.send(MyNotificationsDocument, { first: 100 });
  for (const word of known) expect(JSON.stringify(me)).not.toContain(word);
});
