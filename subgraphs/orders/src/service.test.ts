import { createSecretKey, randomUUID } from 'node:crypto';
import { VariantChanged } from '@orderstream/catalog/messages';
import { StockLevelChanged } from '@orderstream/inventory/messages';
import { createLog } from '@orderstream/runtime/log';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { newTrace } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import { anonymous } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../tests/database.ts';
import { copyLevel, copyVariant } from './catalog-copy.ts';
import { type Context, createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { orderPage, type Sort, sorts } from './order-store.ts';
import {
  advanceSaga,
  cancelOrder,
  checkout,
  eraseCustomer,
  passDeadlines,
  type Shop,
  setCartLine,
  viewCart,
} from './service.ts';

const tenantId = randomUUID();
const shop: Shop = {
  terms: { currency: 'GBP', taxPercent: 20, shippingMinor: 495 },
  scale: 1,
  hashKey: createSecretKey(Buffer.from('x'.repeat(32))),
};
const address = {
  recipient: 'Ada',
  line1: '1 High Street',
  line2: null,
  city: 'London',
  postcode: 'N1 1AA',
  country: 'GB',
};
const log = createLog('test', 'silent');

let db: TestDatabase<PrismaClient>;
let contextOf: (viewer: Viewer) => Context;

const customer = (): Viewer => ({ ...anonymous(tenantId), userId: randomUUID() });
const heard = <T>({ type, v, key, version, data }: Message<T>): Envelope<T> => ({
  id: randomUUID(),
  type,
  v,
  tenantId,
  key,
  version,
  occurredAt: new Date().toISOString(),
  causationId: null,
  traceparent: newTrace().traceparent,
  data,
});
const within = <T>(work: Parameters<Context['db']['transaction']>[0]) =>
  contextOf(customer()).db.transaction(work) as Promise<T>;

const hearVariant = (variantId: string, priceMinor: number, version: number, active = true) =>
  within((tx) =>
    copyVariant(
      tx,
      heard(
        VariantChanged(
          {
            variantId,
            productId: variantId,
            sku: `S-${variantId.slice(0, 4)}`,
            name: 'A thing',
            priceMinor,
            currency: 'GBP',
            weightGrams: 10,
            active,
          },
          version,
        ),
      ),
    ),
  );

const goods = async (priceMinor = 250): Promise<string> => {
  const variantId = randomUUID();
  await hearVariant(variantId, priceMinor, 1);
  return variantId;
};

const fill = async (ctx: Context, variantId: string, quantity = 2) => {
  const outcome = await setCartLine(ctx, shop, { variantId, quantity });
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome;
};

const place = async (ctx: Context, changes: Partial<Parameters<typeof checkout>[2]> = {}) => {
  const cart = await viewCart(ctx, shop);
  return checkout(ctx, shop, {
    idempotencyKey: randomUUID(),
    cartId: cart.id,
    expectedCartVersion: cart.version,
    shippingAddress: address,
    paymentMethodId: randomUUID(),
    ...changes,
  });
};

const placed = async (ctx: Context): Promise<string> => {
  await fill(ctx, await goods());
  const outcome = await place(ctx);
  if (!('done' in outcome)) throw new Error(outcome.error);
  return outcome.done.orderId;
};

const answer = (type: string, orderId: string, data: object = {}) =>
  within((tx) =>
    advanceSaga(shop)(
      tx,
      {
        ...heard({
          topic: undefined as never,
          type,
          v: 1,
          key: orderId,
          version: 1,
          data: { orderId, ...data },
        }),
      },
      { now: new Date() },
    ),
  );

beforeAll(async () => {
  db = await testDatabase('orders', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
    size: 8,
  });
  const create = createContext({ database: db.database });
  contextOf = (viewer) => create({ viewer, now: new Date(), log, trace: newTrace() });
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
        copyLevel(tx, heard(StockLevelChanged({ variantId, available, state: 'IN_STOCK' }, version))),
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
    await answer('inventory.allocated', orderId, { parts: [] });
    const order = await contextOf(ctx.viewer).loaders.order.load(orderId);
    expect(order).toMatchObject({ status: 'CONFIRMED', version: 5, rests: true, deadlineAt: null });
    const events = await contextOf(ctx.viewer).loaders.events.load(orderId);
    expect(events.map(({ seq, type, to }) => [seq, type, to])).toEqual([
      [1, 'placed', 'PENDING'],
      [2, 'inventory.reserved', 'PENDING'],
      [3, 'fraud.scored', 'AWAITING_PAYMENT'],
      [4, 'payment.authorized', 'CONFIRMED'],
      [5, 'inventory.allocated', 'CONFIRMED'],
    ]);
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
      step: 'RELEASING',
      version: 2,
    });
  });

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

describe('orders of a customer', () => {
  test.each(Object.keys(sorts) as Sort[])(
    'come page by page without a gap or a repeat by %s',
    async (sort) => {
      const viewer = customer();
      for (let n = 0; n < 7; n++) await placed(contextOf(viewer));
      // Equal values are where paging goes wrong.
      await db.database.sql`
      update orders set placed_at = '2026-01-01', updated_at = '2026-01-01' where customer_id = ${viewer.userId}`;
      const filter = {
        customerId: viewer.userId,
        statuses: null,
        placedFrom: null,
        placedTo: null,
        totalMin: null,
        totalMax: null,
        search: null,
        productId: null,
      };
      const seen: string[] = [];
      for (let after = null as { sort: string; at: string; id: string } | null; ; ) {
        const rows = await orderPage(db.database, tenantId, filter, sort, { first: 3, after });
        seen.push(...rows.slice(0, 3).map((order) => order.id));
        if (rows.length <= 3) break;
        after = { sort, at: sorts[sort].of(rows[2]!), id: rows[2]!.id };
      }
      expect(seen).toHaveLength(7);
      expect(new Set(seen).size).toBe(7);
    },
  );

  test('cost the same number of statements for one and for twenty', async () => {
    const count = async (orders: number): Promise<number> => {
      const viewer = customer();
      const ids: string[] = [];
      for (let n = 0; n < orders; n++) ids.push(await placed(contextOf(viewer)));
      const ctx = contextOf(viewer);
      const before = db.database.statements();
      await Promise.all(
        ids.map(async (id) => {
          await ctx.loaders.order.load(id);
          await Promise.all([ctx.loaders.lines.load(id), ctx.loaders.events.load(id)]);
        }),
      );
      return db.database.statements() - before;
    };
    expect(await count(20)).toBe(await count(1));
  });

  test('name nobody after the customer is erased, and the books still add up', async () => {
    const ctx = contextOf(customer());
    const orderId = await placed(ctx);
    await within((tx) => eraseCustomer(tx, tenantId, ctx.viewer.userId!));
    const [row] = await db.database.sql`select * from orders where id = ${orderId}`;
    expect(row).toMatchObject({
      customer_id: null,
      recipient: null,
      line1: null,
      city: null,
      postcode: null,
      total_minor: 995,
    });
    expect(await contextOf(ctx.viewer).loaders.order.load(orderId)).toBeNull();
    // An order under way is still brought to its end.
    await answer('inventory.refused', orderId, { reason: 'OUT_OF_STOCK', skus: ['S'] });
    const [after] = await db.database.sql`select status from orders where id = ${orderId}`;
    expect(after).toEqual({ status: 'CANCELLED' });
  });
});
