// The process with all the subgraphs in it is killed in the moment an order comes to a step, for each step there is, and
// started again. Every order ends, and goods and money add up with the provider's book.
import { setTimeout as pause } from 'node:timers/promises';
import { steps } from '@orderstream/orders/rules';
import { encodeId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { OperationError } from '../../ops/operations/client.ts';
import { OrderUpdatedDocument } from '../../ops/operations/generated/graphql.ts';
import { approveAll, buy, cancel, goodsInStock, newShoppers, type Shopper } from './shopper.ts';
import { openStage, type Stage } from './stage.ts';

let place: Awaited<ReturnType<typeof openStage>>;
let stage: Stage;
let shoppers: Shopper[];
let goods: string[];
/** every order that a customer was told is placed */
const acknowledged: string[] = [];

beforeAll(async () => {
  place = await openStage();
  stage = await place.raise({ split: false });
  goods = await goodsInStock(stage, 200, 100_000);
  shoppers = await newShoppers(stage, 4);
}, 90_000);
afterAll(async () => {
  await Promise.all((shoppers ?? []).map(({ client }) => client.close()));
  await stage?.close();
  await place.close();
}, 30_000);

/** All of them at once, each something of two kinds of goods so that they meet at the same shelves. */
const allBuy = async (
  card: 'good' | 'declined' = 'good',
  device: 'own' | 'shared' = 'own',
  who: readonly Shopper[] = shoppers,
): Promise<string[]> => {
  const orders = await Promise.all(
    who.map((shopper, index) =>
      buy(shopper, { variant: goods[index % 2]!, quantity: 1 + index, card, device }),
    ),
  );
  const placed = orders.filter((order) => order !== null);
  acknowledged.push(...placed);
  return placed;
};

const allCancel = async (orders: readonly string[]): Promise<void> => {
  await Promise.all(orders.map((order, index) => cancel(shoppers[index]!, order)));
};

/** Resolves when shipping has heard that none of these is to be sent. */
const allCalledBack = async (orders: readonly string[]): Promise<void> => {
  await vi.waitFor(async () => {
    const open = await stage.rows(
      'shipping',
      `select id from shipment where order_id = any($1) and wanted is distinct from 'CANCEL' and state <> 'CANCELLED'`,
      [orders],
    );
    expect(open).toEqual([]);
  }, 20_000);
};

/** Resolves when all of these have come to the step, or past it. */
const allAt = async (orders: readonly string[], places: readonly string[]): Promise<void> => {
  for (const end = Date.now() + 30_000; ; await pause(50)) {
    const elsewhere = await stage.rows<{ step: string }>(
      'orders',
      'select step from saga where order_id = any($1) and step <> all($2)',
      [orders, places],
    );
    if (elsewhere.length === 0) return;
    if (Date.now() > end) throw new Error(`not at ${places}: ${JSON.stringify(elsewhere)}`);
  }
};

/** The carrier has no time for anybody, so nothing leaves the shop meanwhile. */
const whileNothingLeaves = async <T>(work: () => Promise<T>): Promise<T> => {
  await stage.controlCarrier('faults', { serverError: true });
  try {
    return await work();
  } finally {
    await stage.controlCarrier('faults', { clear: true });
  }
};

type Way = { readonly end: 'DONE' | 'CANCELLED'; readonly walk: () => Promise<string[]> };

/** What customers, provider and carrier do to bring orders to a step. A new step needs an entry here: its test fails without. */
const ways: Readonly<Record<string, Way>> = {
  RESERVING: { end: 'DONE', walk: () => allBuy() },
  SCORING: { end: 'DONE', walk: () => allBuy() },
  AUTHORIZING: { end: 'DONE', walk: () => allBuy() },
  // Six new accounts with one device and one address, in a hurry: again and again until one of them is held.
  REVIEW: {
    end: 'DONE',
    walk: async () => {
      const ring = [...shoppers, ...(await newShoppers(stage, 2))];
      const orders: string[] = [];
      for (let round = 0, approved = 0; approved === 0; round++) {
        if (round === 8) throw new Error('eight rounds, and nobody was held');
        orders.push(...(await allBuy('good', 'shared', ring)));
        await allAt(orders, ['REVIEW', 'DONE']);
        approved = await approveAll(stage);
      }
      return orders;
    },
  },
  ALLOCATING: { end: 'DONE', walk: () => allBuy() },
  SHIPPING: { end: 'DONE', walk: () => allBuy() },
  CAPTURING: { end: 'DONE', walk: () => allBuy() },
  DELIVERING: { end: 'DONE', walk: () => allBuy() },
  DONE: { end: 'DONE', walk: () => allBuy() },
  VOIDING: {
    end: 'CANCELLED',
    walk: () =>
      whileNothingLeaves(async () => {
        const orders = await allBuy();
        await allAt(orders, ['SHIPPING']);
        await allCancel(orders);
        await allCalledBack(orders);
        return orders;
      }),
  },
  // Somebody took the money at the provider's own desk before the order was cancelled.
  REFUNDING: {
    end: 'CANCELLED',
    walk: () =>
      whileNothingLeaves(async () => {
        const orders = await allBuy();
        await allAt(orders, ['SHIPPING']);
        for (const { id, orderId } of await stage.book())
          if (orders.includes(orderId!)) await stage.control(`payment_intents/${id}/capture`, {});
        await allCancel(orders);
        await allCalledBack(orders);
        return orders;
      }),
  },
  RELEASING: { end: 'CANCELLED', walk: () => allBuy('declined') },
  CANCELLED: { end: 'CANCELLED', walk: () => allBuy('declined') },
};

const statesOf = (orders: readonly string[]) =>
  stage.rows<{ step: string }>('orders', 'select distinct step from saga where order_id = any($1)', [orders]);

test.each(steps)(
  'killed as an order comes to %s, the shop goes on where it was',
  async (step) => {
    const way = ways[step];
    expect(way, `how does an order come to ${step}?`).toBeDefined();
    const killed = stage.killAt(step, 'subgraphs');
    const placed = way!.walk();
    // A customer who gives up is told of below; until then the shop must come back.
    placed.catch(() => undefined);
    const order = await Promise.race([killed, placed.then(() => pause(10_000, 'nobody'))]);
    expect(order, `no order came to ${step}`).not.toBe('nobody');
    await stage.start('subgraphs');

    const orders = await placed;
    expect(orders).toContain(order);
    await stage.settled(orders);
    expect(await statesOf(orders)).toEqual([{ step: way!.end }]);
    expect(await stage.violations()).toEqual([]);
  },
  60_000,
);

test('killed while it is asked for money, the provider takes it once', async () => {
  const killed = stage.killAt('AUTHORIZING', 'payments-simulator');
  const orders = await allBuy();
  await killed;
  await pause(1_500);
  await stage.start('payments-simulator');
  await stage.settled(orders);
  expect(await statesOf(orders)).toEqual([{ step: 'DONE' }]);
  expect(await stage.violations()).toEqual([]);
}, 60_000);

/** Watches an order to its end; a line that breaks is taken up again after the last version seen. */
const watchToTheEnd = async (
  { client }: Shopper,
  order: string,
): Promise<{ versions: number[]; breaks: number }> => {
  const versions: number[] = [];
  for (let breaks = 0; ; breaks++) {
    try {
      const id = encodeId('order', order);
      for await (const { orderUpdated } of client.watch(OrderUpdatedDocument, {
        id,
        sinceVersion: versions.at(-1),
      })) {
        versions.push(orderUpdated.version);
        if (orderUpdated.waitingFor === null) return { versions, breaks };
      }
    } catch (error) {
      if (!(error instanceof OperationError) || breaks > 200) throw error;
      await pause(50);
    }
  }
};

test('killed while it is asked for labels, the carrier makes one parcel of each order', async () => {
  const killed = stage.killAt('SHIPPING', 'carrier-simulator');
  const orders = await allBuy();
  await killed;
  await pause(500);
  await stage.start('carrier-simulator');
  await stage.settled(orders);
  expect(await statesOf(orders)).toEqual([{ step: 'DONE' }]);
  expect(await stage.violations()).toEqual([]);
}, 60_000);

test('who watches an order through a gateway that is killed sees its end', async () => {
  const killed = stage.killAt('AUTHORIZING', 'gateway');
  const [watcher] = shoppers;
  const order = await buy(watcher!, { variant: goods[0]!, quantity: 1, card: 'good' });
  acknowledged.push(order!);
  const watched = watchToTheEnd(watcher!, order!);
  watched.catch(() => undefined);
  await killed;
  await stage.start('gateway');
  const { versions, breaks } = await watched;
  expect(breaks).toBeGreaterThan(0);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  const [row] = await stage.rows<{ version: number }>('orders', 'select version from orders where id = $1', [
    order,
  ]);
  expect(versions.at(-1)).toBe(row!.version);
}, 60_000);

const health = z.object({
  ready: z.boolean(),
  dependencies: z.record(z.string(), z.object({ ok: z.boolean() })),
});

test('a gateway without its subgraphs is not ready, and orders under way when they were stopped come to their end', async () => {
  const ready = async () => {
    const response = await fetch(`${stage.gatewayUrl}/health/ready`);
    const { ready: isReady, dependencies } = health.parse(await response.json());
    const missing = Object.keys(dependencies).filter((name) => !dependencies[name]!.ok);
    return { status: response.status, isReady, missing: missing.sort() };
  };
  expect(await ready()).toEqual({ status: 200, isReady: true, missing: [] });
  const orders = await allBuy();
  await stage.stop('subgraphs');
  const gone = [
    'access token keys',
    ...[
      'catalog',
      'fraud',
      'inventory',
      'notifications',
      'orders',
      'payments',
      'recommendations',
      'shipping',
      'users',
    ].map((name) => `subgraph ${name}`),
  ];
  await vi.waitFor(
    async () => expect(await ready()).toEqual({ status: 503, isReady: false, missing: gone }),
    3_000,
  );
  await stage.start('subgraphs');
  await vi.waitFor(async () => expect((await ready()).status).toBe(200), 3_000);
  await stage.settled(orders);
}, 60_000);

test('every order that a customer was told of is there, and after all of this nothing is wrong', async () => {
  expect(acknowledged.length).toBeGreaterThan(4 * steps.length);
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  const [row] = await stage.rows<{ n: number }>('orders', 'select count(*)::int as n from orders');
  // Neither one less nor one more than they know of.
  expect(row!.n).toBe(acknowledged.length);
  const there = await stage.rows('orders', 'select id from orders where id = any($1)', [acknowledged]);
  expect(there).toHaveLength(acknowledged.length);
  expect(await stage.violations()).toEqual([]);
}, 60_000);
