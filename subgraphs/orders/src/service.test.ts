import { randomUUID } from 'node:crypto';
import { StockLevelChanged } from '@orderstream/inventory/messages';
import { RefundMade } from '@orderstream/payments/messages';
import type { Viewer } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyLevels } from './catalog-copy.ts';
import { waitingFor } from './order.ts';
import { advanceSagas, passDeadlines } from './saga-service.ts';
import { cancelOrder, checkout, viewCart } from './service.ts';
import { address, customer, openShop, origin, shop } from './testing.ts';

type Desk = Awaited<ReturnType<typeof openShop>>;

let db: Desk;
let { contextOf, heard, within, hearVariant, goods, fill, place, placed, answer, answers, toSender } =
  {} as Desk;

beforeAll(async () => {
  db = await openShop();
  ({ contextOf, heard, within, hearVariant, goods, fill, place, placed, answer, answers, toSender } = db);
});

afterAll(() => db.close());

describe('the cart', () => {
  test('is made once for each customer, also by parallel first requests', async () => {
    const viewer = customer();
    const carts = await Promise.all(Array.from({ length: 8 }, () => viewCart(contextOf(viewer), shop)));
    expect(new Set(carts.map((cart) => cart.id)).size).toBe(1);
  });

  test('gets a new version when a price in it changes, and only then', async () => {
    const ctx = contextOf(customer());
    const variantId = await goods(250);
    const { version } = await fill(ctx, variantId);
    await hearVariant(variantId, 250, 2);
    expect((await viewCart(ctx, shop)).version).toBe(version);
    await hearVariant(variantId, 300, 3);
    expect(await viewCart(ctx, shop)).toMatchObject({
      version: version + 1,
      lines: [{ variant: { price: { amountMinor: 300 } } }],
    });
    await hearVariant(variantId, 100, 2);
    expect((await viewCart(ctx, shop)).lines[0]!.variant.price.amountMinor).toBe(300);
  });

  test('knows the newest stock level, whatever order they are heard in', async () => {
    const ctx = contextOf(customer());
    const variantId = await goods();
    await fill(ctx, variantId, 5);
    const level = (available: number, version: number) =>
      within((tx) =>
        copyLevels([
          { tx, message: heard(StockLevelChanged({ variantId, available, state: 'IN_STOCK' }, version)) },
        ]),
      );
    await level(3, 7);
    await level(90, 6);
    expect((await viewCart(ctx, shop)).lines[0]!.variant.available).toBe(3);
  });
});

describe('checkout', () => {
  test('keeps the price and the address, empties the cart, and asks for stock in the same transaction', async () => {
    const ctx = contextOf(customer());
    const variantId = await goods(295);
    await fill(ctx, variantId, 2);
    const outcome = await place(ctx);
    if (!('done' in outcome)) throw new Error(outcome.error);
    await hearVariant(variantId, 999, 2);
    const order = await contextOf(ctx.viewer).loaders.order.load(outcome.done.orderId);
    expect(order).toMatchObject({
      status: 'PENDING',
      version: 1,
      subtotal: { amountMinor: 590 },
      shippingTotal: { amountMinor: 495 },
      total: { amountMinor: 1085 },
      // 98.33 and 82.50 pence, each rounded for itself
      taxTotal: { amountMinor: 98 + 83 },
      shippingAddress: address,
    });
    expect((await viewCart(ctx, shop)).lines).toEqual([]);
    const told = await db.database.sql<{ type: string }>`
      select message->>'type' as type from plumbing.outbox where key = ${outcome.done.orderId} order by id`;
    expect(told.map((row) => row.type)).toEqual(['order.placed', 'inventory.reserve']);
  });

  test('with one key fifty times at once makes one order', async () => {
    const viewer = customer();
    await fill(contextOf(viewer), await goods());
    const cart = await viewCart(contextOf(viewer), shop);
    const request = {
      idempotencyKey: randomUUID(),
      cartId: cart.id,
      expectedCartVersion: cart.version,
      shippingAddress: address,
      paymentMethodId: randomUUID(),
    };
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => checkout(contextOf(viewer), shop, request)),
    );
    const ids = outcomes.map((outcome) => ('done' in outcome ? outcome.done.orderId : outcome.error));
    expect(new Set(ids).size).toBe(1);
    expect(outcomes.filter((outcome) => 'done' in outcome && !outcome.replayed)).toHaveLength(1);
    expect(await db.database.sql`select 1 from orders where customer_id = ${viewer.userId}`).toHaveLength(1);
    expect(
      await checkout(contextOf(viewer), shop, { ...request, paymentMethodId: randomUUID() }),
    ).toMatchObject({
      error: 'IdempotencyConflict',
    });
  });

  test('refuses a cart that has changed, an empty one, somebody else’s, and names every wrong field of the address', async () => {
    const ctx = contextOf(customer());
    expect(await place(ctx)).toMatchObject({
      error: 'InvalidInput',
      problems: [{ path: ['input', 'cartId'] }],
    });
    await fill(ctx, await goods());
    const cart = await viewCart(ctx, shop);
    expect(await place(ctx, { expectedCartVersion: cart.version - 1 })).toMatchObject({
      error: 'CartChanged',
      cart: { id: cart.id },
    });
    const stranger = await viewCart(contextOf(customer()), shop);
    expect(await place(ctx, { cartId: stranger.id })).toMatchObject({
      error: 'NotFound',
      path: ['input', 'cartId'],
    });
    expect(
      await place(ctx, {
        shippingAddress: {
          ...address,
          recipient: ' ',
          postcode: 'x'.repeat(40),
          country: 'ZZ',
          city: 'A\r\nB',
        },
      }),
    ).toMatchObject({
      error: 'InvalidInput',
      problems: [
        { path: ['input', 'shippingAddress', 'recipient'] },
        { path: ['input', 'shippingAddress', 'city'] },
        { path: ['input', 'shippingAddress', 'postcode'] },
        { path: ['input', 'shippingAddress', 'country'] },
      ],
    });
    // A refusal leaves nothing behind: the same cart can still be bought.
    expect('done' in (await place(ctx))).toBe(true);
  });
});

describe('the saga on rows', () => {
  test('each answer moves it once, with one event for each version', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    await answer('inventory.reserved', orderId, { parts: [] });
    await answer('fraud.scored', orderId, { score: 0 });
    await answer('fraud.scored', orderId, { score: 0 });
    await answer('payment.authorized', orderId, { paymentId: randomUUID(), amountMinor: 1, currency: 'GBP' });
    await answer('inventory.allocated', orderId, { parts: [], origin });
    const order = await contextOf(ctx.viewer).loaders.order.load(orderId);
    expect(order).toMatchObject({ status: 'PROCESSING', version: 5, checkout: { step: 'SHIPPING' } });
    const events = await contextOf(ctx.viewer).loaders.events.load(orderId);
    expect(events.map(({ seq, type, to }) => [seq, type, to])).toEqual([
      [1, 'placed', 'PENDING'],
      [2, 'inventory.reserved', 'PENDING'],
      [3, 'fraud.scored', 'AWAITING_PAYMENT'],
      [4, 'fraud.scored', 'AWAITING_PAYMENT'],
      [5, 'payment.authorized', 'CONFIRMED'],
      [6, 'inventory.allocated', 'PROCESSING'],
    ]);
  });

  test('what others did and what moves nothing is told in between, and the version stays', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    await toSender(orderId);
    const shipmentId = randomUUID();
    const created = { shipmentId, carrier: 'A Carrier', estimatedDelivery: null };
    await answer('shipment.created', orderId, created);
    await answer('inventory.reserved', orderId, { parts: [] });
    await answer('shipment.handed-over', orderId, { shipmentId });
    await answer('shipment.moved', orderId, { shipmentId, status: 'IN_TRANSIT', at: '', place: 'Leeds' });
    await answer('inventory.shipped', orderId);
    const order = await contextOf(ctx.viewer).loaders.order.load(orderId);
    expect(order).toMatchObject({ status: 'SHIPPED', version: 6 });
    const events = await contextOf(ctx.viewer).loaders.events.load(orderId);
    expect(events.slice(5).map(({ seq, type, actor, reason }) => [seq, type, actor, reason])).toEqual([
      [6, 'shipment.created', 'shipping', 'By A Carrier.'],
      [7, 'shipment.handed-over', 'shipping', null],
      [8, 'shipment.moved', 'shipping', 'On its way: Leeds.'],
      [9, 'inventory.shipped', 'inventory', null],
    ]);
  });

  test('a batch of answers to many orders, several of one, comes to the same as one by one', async () => {
    const orders = await Promise.all(Array.from({ length: 5 }, () => placed(contextOf(customer()))));
    const paid = { paymentId: randomUUID(), amountMinor: 1, currency: 'GBP' };
    await answers(
      ...orders.flatMap((orderId): [string, string, object][] => [
        ['inventory.reserved', orderId, { parts: [] }],
        ['fraud.scored', orderId, { score: 0 }],
        ['payment.authorized', orderId, paid],
        ['inventory.reserved', orderId, { parts: [] }],
        ['inventory.allocated', orderId, { parts: [], origin }],
        ['shipment.created', orderId, { shipmentId: orderId, carrier: 'A Carrier', estimatedDelivery: null }],
      ]),
      ['inventory.reserved', randomUUID(), { parts: [] }],
    );
    const rows = await db.database.sql<{
      step: string;
      entries: number;
      version: number;
      seqs: number[];
      late: boolean;
    }>`
      select g.step, g.entries, o.version, g.deadline_at > now() + interval '47 hours' as late,
        (select array_agg(seq order by seq) from order_event e where e.order_id = o.id) as seqs
      from orders o join saga g on g.order_id = o.id where o.id = any(${orders}::uuid[])`;
    expect(rows).toEqual(
      orders.map(() => ({ step: 'SHIPPING', entries: 6, version: 5, seqs: [1, 2, 3, 4, 5, 6], late: true })),
    );
  });

  test('money that went back is told to the customer and stands in the timeline', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    const refund = {
      orderId,
      paymentId: randomUUID(),
      refundId: randomUUID(),
      amountMinor: 250,
      currency: 'GBP',
    };
    await within((tx) =>
      advanceSagas(shop)([{ tx, message: heard(RefundMade(refund)) }], { now: new Date() }),
    );
    const [event] = (await contextOf(ctx.viewer).loaders.events.load(orderId)).slice(-1);
    expect(event).toMatchObject({ type: 'payment.refund-made', reason: '£2.50 was given back.' });
    const told = await db.database.sql<{ data: object }>`
      select message->'data' as data from plumbing.outbox where key = ${orderId} and message->>'type' = 'notification.notify'`;
    expect(told).toMatchObject([{ data: { kind: 'REFUNDED', amountMinor: 250 } }]);
  });

  test('the customer is told when it is confirmed, shipped and delivered', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    await toSender(orderId);
    await answer('shipment.handed-over', orderId, { shipmentId: orderId });
    await answer('payment.captured', orderId, { paymentId: orderId, amountMinor: 1, currency: 'GBP' });
    await answer('shipment.delivered', orderId, { shipmentId: orderId, at: '' });
    const told = await db.database.sql<{ type: string; kind: string | null }>`
      select message->>'type' as type, message->'data'->>'kind' as kind from plumbing.outbox
      where key = ${orderId} and message->>'type' = any(${['notification.notify', 'order.confirmed', 'order.shipped', 'order.delivered']}::text[])
      order by id`;
    expect(told.map(({ type, kind }) => kind ?? type)).toEqual([
      'order.confirmed',
      'ORDER_CONFIRMED',
      'order.shipped',
      'ORDER_SHIPPED',
      'order.delivered',
      'ORDER_DELIVERED',
    ]);
    const order = await contextOf(ctx.viewer).loaders.order.load(orderId);
    expect(order).toMatchObject({ status: 'DELIVERED', deadlineAt: null });
    expect(waitingFor(order!)).toBeNull();
  });

  test('a cancel and an answer at the same time have one outcome', async () => {
    for (let round = 0; round < 10; round++) {
      const ctx = contextOf(customer());
      const orderId = await placed(ctx);
      await answer('inventory.reserved', orderId, { parts: [] });
      await Promise.all([
        cancelOrder(ctx, shop, {
          idempotencyKey: randomUUID(),
          id: orderId,
          reason: null,
          expectedVersion: null,
        }),
        answer('fraud.scored', orderId, { score: 0 }),
      ]);
      const [row] = await db.database.sql<{ step: string; told: string[] }>`
        select step, (select array_agg(message->>'type' order by id) from plumbing.outbox where key = ${orderId}) as told
        from saga where order_id = ${orderId}`;
      expect(['RELEASING', 'VOIDING']).toContain(row!.step);
      // Money was asked for exactly when it is voided.
      expect(row!.told.includes('payment.authorize')).toBe(row!.step === 'VOIDING');
    }
  });

  test('a deadline that has passed is heard once, also by two clocks', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    await db.database.sql`update saga set deadline_at = null where order_id <> ${orderId}`;
    await db.database
      .sql`update saga set deadline_at = now() - interval '1 second' where order_id = ${orderId}`;
    const looked = await Promise.all([1, 2].map(() => passDeadlines(db.database, shop, new Date())));
    expect(looked.toSorted()).toEqual([0, 1]);
    expect(await contextOf(ctx.viewer).loaders.order.load(orderId)).toMatchObject({
      checkout: { step: 'RELEASING' },
      version: 2,
    });
  });

  test.each(['\u0000', 'because \ud800', 'be\u202ecause', '😀'.repeat(501)])(
    'cancel takes no reason that nobody could read',
    async (reason) => {
      const ctx = contextOf(customer());
      const orderId = await placed(ctx);
      const asked = { idempotencyKey: randomUUID(), id: orderId, reason, expectedVersion: null };
      expect(await cancelOrder(ctx, shop, asked)).toMatchObject({
        error: 'InvalidInput',
        problems: [{ path: ['input', 'reason'] }],
      });
      expect(await contextOf(ctx.viewer).loaders.order.load(orderId)).toMatchObject({ version: 1 });
    },
  );

  test('cancel answers for what is not there, not theirs, stale or too late', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    const cancel = (viewer: Viewer, id: string, expectedVersion: number | null = null) =>
      cancelOrder(contextOf(viewer), shop, {
        idempotencyKey: randomUUID(),
        id,
        reason: null,
        expectedVersion,
      });
    expect(await cancel(ctx.viewer, randomUUID())).toMatchObject({ error: 'NotFound' });
    expect(await cancel(customer(), orderId)).toMatchObject({ error: 'NotFound' });
    expect(await cancel(ctx.viewer, orderId, 9)).toMatchObject({
      error: 'VersionConflict',
      currentVersion: 1,
    });
    expect(await cancel(ctx.viewer, orderId, 1)).toMatchObject({ done: { orderId } });
    expect(await cancel(ctx.viewer, orderId)).toMatchObject({ error: 'InvalidTransition' });
  });
});
