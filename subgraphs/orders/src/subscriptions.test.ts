import { randomUUID } from 'node:crypto';
import { createHints, type Hints } from '@orderstream/runtime/hints';
import { createLog } from '@orderstream/runtime/log';
import { openRedis } from '@orderstream/runtime/redis';
import { sleep } from '@orderstream/runtime/time';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { OrderPlaced } from './messages.ts';
import { cancelOrder } from './service.ts';
import { createSight, type Sight, watchAllOrders, watchOrder, watchOwnOrders } from './subscriptions.ts';
import { customer, openShop, shop } from './testing.ts';

const log = createLog('test', 'silent');
const publisher = openRedis(inject('services').redisUrl, log);
const subscriber = openRedis(inject('services').redisUrl, log);
let db: Awaited<ReturnType<typeof openShop>>;
let hints: Hints;
let sight: Sight;

beforeAll(async () => {
  db = await openShop();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  hints = createHints(publisher, subscriber, `${randomUUID()}:`, log);
  await hints.open([OrderPlaced.topic.name]);
  sight = createSight(db.database, hints);
});

afterAll(async () => {
  await hints.close();
  publisher.disconnect();
  await db.close();
});

test('whoever watches an order goes on watching when a look at it fails', async () => {
  const ctx = db.contextOf(customer());
  const id = await db.placed(ctx);
  const seen = await watchOrder(ctx, sight, id, 0);
  expect((await seen.next()).value).toMatchObject({ orderUpdated: { id, version: 1 } });

  const next = seen.next();
  await db.database.sql`alter table orders rename to mislaid`;
  const before = db.database.statements();
  hints.tell(OrderPlaced.topic.name, id, 2);
  await expect.poll(() => db.database.statements()).toBeGreaterThan(before);
  await sleep(100);
  await db.database.sql`alter table mislaid rename to orders`;
  const wish = { id, reason: null, expectedVersion: null, idempotencyKey: randomUUID() };
  expect(await cancelOrder(ctx, shop, wish)).toMatchObject({ done: {} });
  hints.tell(OrderPlaced.topic.name, id, 2);
  expect((await next).value).toMatchObject({ orderUpdated: { id, version: 2 } });
  await seen.return(undefined);
});

test('what many watch is looked at together, and each sees only what is theirs to see', async () => {
  const owners = [customer(), customer()].map((viewer) => db.contextOf(viewer));
  const ids = await Promise.all(owners.map((ctx) => db.placed(ctx)));
  const before = db.database.statements();
  const all = await Promise.all(
    [0, 1, 0, 1].map((n) => watchOrder(owners[n]!, sight, ids[n]!, 0).then((seen) => seen.next())),
  );
  expect(all.map(({ value }) => value.orderUpdated.id)).toEqual([ids[0], ids[1], ids[0], ids[1]]);
  expect(db.database.statements() - before).toBe(1);
  await expect(watchOrder(owners[0]!, sight, ids[1]!, 0)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test.each(['one order', 'their orders', 'all orders'])(
  'whoever leaves %s while nothing happens is let go at once',
  async (what) => {
    const ctx = db.contextOf(customer());
    const watched: Record<string, () => Promise<AsyncGenerator<unknown>>> = {
      'one order': async () => {
        const seen = await watchOrder(ctx, sight, await db.placed(ctx), 0);
        await seen.next();
        return seen;
      },
      'their orders': async () => watchOwnOrders(ctx, sight),
      'all orders': async () => watchAllOrders(ctx, sight, null),
    };
    const seen = await watched[what]!();
    const waiting = seen.next();
    await sleep(50);
    const left = await Promise.race([seen.return(undefined), sleep(2_000)]);
    expect(left).toMatchObject({ done: true });
    expect(await waiting).toMatchObject({ done: true });
  },
);
