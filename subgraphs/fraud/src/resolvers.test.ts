import { encodeId, newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, openDesk } from './testing.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());

/** Orders of accounts that share a device: each after the first scores a little more than the one before. */
const heldOrders = async (count: number): Promise<string[]> => {
  const deviceHash = newId();
  const orders: string[] = [];
  for (let index = 0; index < count; index++) {
    const order = desk.order({ deviceHash });
    await desk.assess(order);
    await desk.review(order.orderId);
    orders.push(order.orderId);
  }
  return orders;
};

const queue = `query ($first: Int, $after: String) { fraudQueue(first: $first, after: $after) {
  totalCount edges { node { score order { id } } } pageInfo { hasNextPage endCursor } } }`;

describe('the queue', () => {
  test('tells open reviews, the riskiest first and the unscored before them, page by page', async () => {
    const orders = await heldOrders(3);
    const unscored = newId();
    await desk.review(unscored);
    const overdue = desk.order();
    await desk.review(overdue.orderId, -1_000);
    const seen: { score: number | null; id: string }[] = [];
    let after: string | null = null;
    for (let page = 0; page < 4; page++) {
      const { data } = await desk.ask(desk.reviewer, queue, { first: 2, after });
      expect(data.fraudQueue.totalCount).toBe(4);
      for (const { node } of data.fraudQueue.edges) seen.push({ score: node.score, id: node.order.id });
      after = data.fraudQueue.pageInfo.endCursor;
      if (!data.fraudQueue.pageInfo.hasNextPage) break;
    }
    expect(seen.map(({ id }) => id)).toEqual(
      [unscored, ...orders.toReversed()].map((id) => encodeId('order', id)),
    );
    expect(seen[0]!.score).toBeNull();
  });

  test('is for reviewers', async () => {
    expect((await desk.ask(desk.visitor, queue)).code).toBe('UNAUTHENTICATED');
    expect((await desk.ask(desk.shopper, queue)).code).toBe('FORBIDDEN');
    expect((await desk.ask(desk.admin, queue)).code).toBe('FORBIDDEN');
    expect(await desk.ask(desk.reviewer, queue, { after: 'made-up' })).toMatchObject({
      code: 'BAD_USER_INPUT',
      argument: 'after',
    });
  });
});

describe("an order's assessment", () => {
  const fields =
    'fraudAssessment { score level modelVersion tookMs review factors { name contribution explanation } audit { action } shadow { score } }';
  const ask = (viewer: Desk['reviewer'], orderId: string) =>
    desk.entity(viewer, 'Order', encodeId('order', orderId), fields);

  test('is told to staff, with the reasons', async () => {
    const [, second] = await heldOrders(2);
    for (const viewer of [desk.reviewer, desk.admin]) {
      const { fraudAssessment } = await ask(viewer, second!);
      expect(fraudAssessment).toMatchObject({
        // Half of the 50 points that a device with two more accounts has.
        score: 25,
        level: 'LOW',
        modelVersion: 'rules-1',
        review: 'PENDING',
        audit: [{ action: 'OPENED' }],
        shadow: null,
        factors: [{ name: 'shared-device', explanation: '1 other account used this device within 30 days.' }],
      });
      expect(fraudAssessment.tookMs).toBeGreaterThan(0);
    }
  });

  test('is nothing to customers, not even their own, and for another shop', async () => {
    const order = desk.order();
    await desk.assess(order);
    const owner = { ...desk.shopper, userId: order.customerId };
    const elsewhere = { ...desk.reviewer, tenantId: newId() };
    for (const viewer of [owner, desk.visitor, elsewhere])
      expect(await ask(viewer, order.orderId)).toEqual({ fraudAssessment: null });
    const id = await desk.idOf(order.orderId);
    expect(await desk.entity(owner, 'FraudAssessment', id, 'score')).toBeNull();
    expect(await desk.entity(desk.admin, 'FraudAssessment', id, 'score')).toEqual({ score: 0 });
  });

  test('is null for an order that has not been looked at, and for what is no id', async () => {
    expect(await ask(desk.reviewer, newId())).toEqual({ fraudAssessment: null });
    expect(await desk.entity(desk.reviewer, 'Order', 'ord_nonsense', 'fraudAssessment { score }')).toEqual({
      fraudAssessment: null,
    });
  });

  test('costs one statement for many orders', async () => {
    const orders = await heldOrders(3);
    const from = desk.database.statements();
    const query =
      'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Order { fraudAssessment { score } } } }';
    const refs = orders.map((id) => ({ __typename: 'Order', id: encodeId('order', id) }));
    const { data } = await desk.ask(desk.reviewer, query, { refs });
    expect(data._entities).toHaveLength(3);
    expect(desk.database.statements() - from).toBe(1);
  });
});

test("a customer's risk profile counts what was flagged, for staff only", async () => {
  const order = desk.order();
  await desk.review(order.orderId);
  await desk.assess(order);
  const ask = (viewer: Desk['reviewer'], userId: string) =>
    desk.entity(
      viewer,
      'User',
      encodeId('user', userId),
      'riskProfile { flaggedOrders typicalOrderValue { amountMinor } }',
    );
  expect(await ask(desk.admin, order.customerId)).toEqual({
    riskProfile: { flaggedOrders: 1, typicalOrderValue: null },
  });
  expect(await ask(desk.shopper, order.customerId)).toEqual({ riskProfile: null });
  expect(await ask(desk.admin, newId())).toEqual({ riskProfile: null });
});

describe('watching', () => {
  const subscription = 'subscription { fraudFlagged { review order { id } } }';

  test('tells an order when it is flagged, once, and none that was flagged before', async () => {
    await heldOrders(1);
    const events = await desk.watch(desk.reviewer, subscription);
    const next = events.next();
    // The watcher looks around first; what is flagged after that is news.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [orderId] = await heldOrders(1);
    desk.hints.tell('fraud-events', orderId!, 1);
    const { value } = await next;
    expect(value.data.fraudFlagged).toEqual({
      review: 'PENDING',
      order: { id: encodeId('order', orderId!) },
    });
    await events.return(undefined);
  });

  test('is for reviewers', async () => {
    await expect(desk.watch(desk.admin, subscription)).rejects.toThrow('FORBIDDEN');
    await expect(desk.watch(desk.visitor, subscription)).rejects.toThrow('UNAUTHENTICATED');
  });
});
