// What staff see of what goes on: carts that are being filled and checkouts under way, counted in Redis on the side.
import { randomUUID } from 'node:crypto';
import { createCache } from '@orderstream/runtime/cache';
import { createLog } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { createActivity } from './activity-store.ts';
import { passDeadlines } from './saga-service.ts';
import { cancelOrder, checkout, type Shop, setCartLine, viewActivity, viewCart } from './service.ts';
import { address, customer, openShop, shop, tenantId } from './testing.ts';

let db: Awaited<ReturnType<typeof openShop>>;
const redis = openRedis(inject('services').redisUrl, createLog('test', 'silent'));
const prefix = `test:${tenantId}:`;

const forget = async (): Promise<void> => {
  const keys = await redis.keys(`${prefix}*`);
  if (keys.length > 0) await redis.del(keys);
};

beforeAll(async () => {
  await connectRedis(redis, createLog('test', 'silent'));
  db = await openShop();
});
beforeEach(forget);
afterAll(async () => {
  await forget();
  redis.disconnect();
  await db.close();
});

const minutes = 60_000;

/** Carts and checkouts. @param fromNow milliseconds */
const counted = async (fromNow = 0): Promise<[number, number] | null> => {
  const answer = await shop.activity.counted(tenantId, new Date(Date.now() + fromNow));
  return answer && [answer.activeCarts, answer.checkouts];
};

test('a cart is active from its first good, for half an hour after its last, and until it is empty', async () => {
  const [ada, bob] = [db.contextOf(customer()), db.contextOf(customer())];
  await viewCart(ada, shop);
  expect(await counted()).toEqual([0, 0]);
  const good = await db.goods();
  await db.fill(ada, good, 1);
  await db.fill(ada, good, 3);
  await db.fill(bob, good, 1);
  expect(await counted()).toEqual([2, 0]);
  expect(await counted(29 * minutes)).toEqual([2, 0]);
  expect(await counted(31 * minutes)).toEqual([0, 0]);
  await db.fill(bob, good, 0);
  expect(await counted()).toEqual([1, 0]);
});

test('a change that is refused makes no cart active', async () => {
  const outcome = await setCartLine(db.contextOf(customer()), shop, { variantId: randomUUID(), quantity: 1 });
  expect(outcome).toMatchObject({ error: 'NotFound' });
  expect(await counted()).toEqual([0, 0]);
});

test('a checkout takes the cart’s place, and one that is refused does not', async () => {
  const ctx = db.contextOf(customer());
  await db.fill(ctx, await db.goods());
  expect(await db.place(ctx, { expectedCartVersion: 99 })).toMatchObject({ error: 'CartChanged' });
  expect(await counted()).toEqual([1, 0]);
  await db.place(ctx);
  expect(await counted()).toEqual([0, 1]);
  expect(await counted(31 * minutes)).toEqual([0, 0]);
});

const paid = { paymentId: randomUUID(), amountMinor: 1, currency: 'GBP' };

type Way = (orderId: string) => Promise<unknown>;
const risk =
  (score: number): Way =>
  async (orderId) => {
    await db.answer('inventory.reserved', orderId, { parts: [] });
    await db.answer('fraud.scored', orderId, { score });
  };

test.each<[string, Way, Way]>([
  ['is paid for', risk(0), (orderId) => db.answer('payment.authorized', orderId, paid)],
  ['has to be looked at', risk(90), (orderId) => db.answer('payment.authorized', orderId, paid)],
  ['is declined', risk(0), (orderId) => db.answer('payment.declined', orderId, { reason: 'No money.' })],
  [
    'has no goods',
    async () => undefined,
    (orderId) => db.answer('inventory.refused', orderId, { skus: ['S-1'] }),
  ],
  [
    'has waited too long',
    async () => undefined,
    async (orderId) => {
      await db.database
        .sql`update saga set deadline_at = now() - interval '1 second' where order_id = ${orderId}`;
      await passDeadlines(db.database, shop, new Date());
    },
  ],
])('a checkout is under way until it %s', async (_end, before, end) => {
  const orderId = await db.placed(db.contextOf(customer()));
  await before(orderId);
  expect(await counted()).toEqual([0, 1]);
  await end(orderId);
  expect(await counted()).toEqual([0, 0]);
});

test('a checkout that is called off is over', async () => {
  const ctx = db.contextOf(customer());
  const id = await db.placed(ctx);
  await cancelOrder(ctx, shop, { idempotencyKey: randomUUID(), id, reason: null, expectedVersion: null });
  expect(await counted()).toEqual([0, 0]);
});

test('a checkout that is repeated after its end does not begin again', async () => {
  const ctx = db.contextOf(customer());
  await db.fill(ctx, await db.goods());
  const cart = await viewCart(ctx, shop);
  const input = {
    idempotencyKey: randomUUID(),
    cartId: cart.id,
    expectedCartVersion: cart.version,
    shippingAddress: address,
    paymentMethodId: randomUUID(),
  };
  const first = await checkout(ctx, shop, input);
  if (!('done' in first)) throw new Error(first.error);
  await db.toSender(first.done.orderId);
  expect(await checkout(ctx, shop, input)).toMatchObject({ replayed: true });
  expect(await counted()).toEqual([0, 0]);
});

test('Redis is told the ids of carts and orders, and nothing of a person', async () => {
  const ctx = db.contextOf(customer());
  await db.fill(ctx, await db.goods());
  const orderId = await db.placed(db.contextOf(customer()));
  await counted();
  const { id } = await viewCart(ctx, shop);
  const keys = await redis.keys(`${prefix}*`);
  const kept = await Promise.all(keys.sort().map(async (key) => [key, await redis.zrange(key, '0', '-1')]));
  expect(kept).toEqual([
    [`${prefix}active-carts:${tenantId}`, [id]],
    [`${prefix}checkouts:${tenantId}`, [orderId]],
  ]);
});

test('staff see their own shop’s, and nobody else’s', async () => {
  const viewer = customer();
  await db.placed(db.contextOf(viewer));
  const staff = db.contextOf({ ...viewer, scopes: new Set(['orders:read']) });
  expect(await viewActivity(staff, shop)).toEqual({ activeCarts: 0, checkouts: 1, asOf: staff.now });
  const elsewhere = db.contextOf({ ...staff.viewer, tenantId: randomUUID() });
  expect(await viewActivity(elsewhere, shop)).toMatchObject({ activeCarts: 0, checkouts: 0 });
});

test('without Redis people buy as before, and staff are told that nobody counts', async () => {
  const log = createLog('test', 'silent');
  const nowhere = openRedis('redis://127.0.0.1:1', log);
  const alone: Shop = { ...shop, activity: createActivity(createCache(nowhere, prefix, log)) };
  const viewer = customer();
  const ctx = db.contextOf({ ...viewer, scopes: new Set(['orders:read']) });
  const cart = await setCartLine(ctx, alone, { variantId: await db.goods(), quantity: 1 });
  if ('error' in cart) throw new Error(cart.error);
  const placed = await checkout(ctx, alone, {
    idempotencyKey: randomUUID(),
    cartId: cart.id,
    expectedCartVersion: (await viewCart(ctx, alone)).version,
    shippingAddress: address,
    paymentMethodId: randomUUID(),
  });
  expect(placed).toMatchObject({ replayed: false });
  await expect(viewActivity(ctx, alone)).rejects.toEqual(
    expect.objectContaining({
      code: 'SUBGRAPH_UNAVAILABLE',
      extensions: expect.objectContaining({ retryable: true }),
    }),
  );
  nowhere.disconnect();
});
