// The subgraph's schema as the gateway sees it, on a real database and a real Redis.
import { createCache } from '@orderstream/runtime/cache';
import { createHints } from '@orderstream/runtime/hints';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
import { graphql, parse, subscribe } from 'graphql';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../tests/database.ts';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { forgetOnChange } from './level-cache.ts';
import { lowStock } from './low-stock.ts';
import { ReserveStock } from './messages.ts';
import { resolvers } from './resolvers.ts';
import { type Goods, hear, openShop, type Shop, stockUp, told, wrongs } from './test-shop.ts';

const log = createLog('test', 'silent');
const prefix = `${newId()}:`;
const redis = openRedis(inject('services').redisUrl, log);
const subscriber = openRedis(inject('services').redisUrl, log);
const cache = createCache(redis, prefix, log);
const hints = createHints(redis, subscriber, prefix, log);
const schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, resolvers(hints));

let db: TestDatabase<PrismaClient>;
let shop: Shop;
let contextOf: ReturnType<typeof createContext>;
let close: () => Promise<void>;

beforeAll(async () => {
  await Promise.all([connectRedis(redis, log), connectRedis(subscriber, log)]);
  await hints.open(['stock-levels']);
  db = await testDatabase('inventory', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  });
  shop = await openShop(db.database);
  contextOf = createContext({ database: db.database, cache });
  close = forgetOnChange({ cache, hints });
});
afterAll(async () => {
  await close?.();
  await hints.close();
  redis.disconnect();
  await db?.close();
});

const clerkId = newId();
const asClerk = (...scopes: string[]): Viewer => ({
  ...anonymous(shop.tenantId),
  userId: clerkId,
  scopes: new Set(scopes),
});
const admin = () => asClerk('stock:read', 'stock:write');
const shopper = () => asClerk();
const origin = () => ({ tenantId: shop.tenantId, ...newTrace(), causationId: null });

const context = (viewer: Viewer) => contextOf({ viewer, now: new Date(), log, trace: newTrace() });

// biome-ignore lint/suspicious/noExplicitAny: answers are compared whole, by the tests
type Data = any;

const ask = async (viewer: Viewer, source: string, variableValues?: Record<string, unknown>) => {
  const { data, errors } = await graphql({ schema, source, variableValues, contextValue: context(viewer) });
  const [error] = errors ?? [];
  const problem = error && `${error.extensions.code} ${error.extensions.argument ?? ''}`.trim();
  return { data: data as Data, problem };
};

const adjustment = (goods: Goods, warehouse: number, delta: number, more: object = {}) => ({
  variantId: encodeId('variant', goods.variantId),
  warehouseId: encodeId('warehouse', shop.warehouses[warehouse]!),
  delta,
  reason: 'counted',
  ...more,
});
const adjust = (viewer: Viewer, adjustments: object[], idempotencyKey: string = newId()) =>
  ask(
    viewer,
    `mutation ($input: AdjustStockInput!) { adjustStock(input: $input) { succeeded failed items { index outcome {
      __typename
      ... on UserError { code message path }
      ... on StockAdjusted { level { onHand version } }
      ... on StockBelowCommitted { level { onHand held available } }
      ... on VersionConflict { currentVersion }
    } } } }`,
    { input: { idempotencyKey, adjustments } },
  );
const outcomes = async (...args: Parameters<typeof adjust>) =>
  (await adjust(...args)).data.adjustStock.items.map((item: Data) => item.outcome);
const hold = (goods: Goods, quantity: number) =>
  hear(
    db.database,
    shop,
    ReserveStock({
      orderId: newId(),
      lines: [{ ...goods, quantity }],
      holdUntil: new Date(Date.now() + 60_000).toISOString(),
    }),
  );

const variants = (viewer: Viewer, goods: readonly Goods[], fields: string) =>
  ask(
    viewer,
    `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Variant { ${fields} } } }`,
    {
      refs: goods.map(({ variantId }) => ({ __typename: 'Variant', id: encodeId('variant', variantId) })),
    },
  );

describe('adjusting stock', () => {
  test('books goods in and out with a reason and the name of who did it, and tells what can be sold', async () => {
    const cup = await stockUp(db.database, shop, 'ADJ1', [5]);
    expect(await adjust(admin(), [adjustment(cup, 0, 20), adjustment(cup, 0, -22)])).toEqual({
      data: {
        adjustStock: {
          succeeded: 2,
          failed: 0,
          items: [0, 1].map((index) => ({
            index,
            outcome: { __typename: 'StockAdjusted', level: { onHand: 3, version: 3 } },
          })),
        },
      },
    });
    const movements = await db.database.sql`
      select kind, quantity, reason, actor_id from movement where variant_id = ${cup.variantId} and reason is not null
      order by id`;
    expect(movements).toEqual([
      { kind: 'received', quantity: 20, reason: 'counted', actor_id: clerkId },
      { kind: 'written_off', quantity: 22, reason: 'counted', actor_id: clerkId },
    ]);
    expect((await told(db.database, cup.variantId)).map((each) => each.data.available)).toEqual([3]);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('never goes below what orders have, and what cannot be done does not stop the rest', async () => {
    const cup = await stockUp(db.database, shop, 'ADJ2', [5]);
    await hold(cup, 3);
    const unknown = { variantId: newId(), sku: 'NO-SUCH' };
    expect(
      await outcomes(admin(), [
        adjustment(cup, 0, -3),
        adjustment(unknown, 0, 1),
        adjustment(cup, 0, 1, { expectedVersion: 7 }),
        adjustment(cup, 0, -2, { expectedVersion: 2 }),
      ]),
    ).toMatchObject([
      {
        __typename: 'StockBelowCommitted',
        code: 'STOCK_BELOW_COMMITTED',
        level: { onHand: 3, held: 3, available: 0 },
      },
      { __typename: 'NotFound', code: 'NOT_FOUND' },
      { __typename: 'VersionConflict', currentVersion: 2 },
      { __typename: 'StockAdjusted', level: { onHand: 3, version: 3 } },
    ]);
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('makes the level of a warehouse that never had any', async () => {
    const cup = await stockUp(db.database, shop, 'ADJ3', [5]);
    expect(
      await outcomes(admin(), [adjustment(cup, 2, -1), adjustment(cup, 2, 4, { expectedVersion: 0 })]),
    ).toMatchObject([
      { __typename: 'StockBelowCommitted' },
      { __typename: 'StockAdjusted', level: { onHand: 4, version: 1 } },
    ]);
  });

  test('is done once for a key, also by twenty at once, and refused for another request with it', async () => {
    const cup = await stockUp(db.database, shop, 'ADJ4', [5]);
    const key = newId();
    const all = await Promise.all(
      Array.from({ length: 20 }, () => outcomes(admin(), [adjustment(cup, 0, 2)], key)),
    );
    for (const each of all)
      expect(each).toMatchObject([{ __typename: 'StockAdjusted', level: { onHand: 7 } }]);
    expect(await adjust(admin(), [adjustment(cup, 0, 3)], key)).toMatchObject({
      data: {
        adjustStock: { succeeded: 0, failed: 1, items: [{ outcome: { __typename: 'IdempotencyConflict' } }] },
      },
    });
    expect(await wrongs(db.database, shop)).toEqual([]);
  });

  test('with bad input changes nothing and names the field', async () => {
    const cup = await stockUp(db.database, shop, 'ADJ5', [5]);
    const good = adjustment(cup, 0, 1);
    const cases: [object[], string][] = [
      [[], 'input.adjustments'],
      [Array.from({ length: 101 }, () => good), 'input.adjustments'],
      [[good, adjustment(cup, 0, 0)], 'input.adjustments.1.delta'],
      [[adjustment(cup, 0, 1_000_001)], 'input.adjustments.0.delta'],
      [[{ ...good, reason: ' ' }], 'input.adjustments.0.reason'],
      [[{ ...good, reason: 'x'.repeat(201) }], 'input.adjustments.0.reason'],
      [[{ ...good, variantId: 'var_1' }], 'input.adjustments.0.variantId'],
      [[{ ...good, warehouseId: good.variantId }], 'input.adjustments.0.warehouseId'],
    ];
    for (const [adjustments, field] of cases)
      expect((await adjust(admin(), adjustments)).problem).toBe(`BAD_USER_INPUT ${field}`);
    expect((await adjust(admin(), [good], '')).problem).toBe('BAD_USER_INPUT input.idempotencyKey');
    const rooms = Array.from({ length: 100 }, () => adjustment(cup, 0, 1_000_000));
    expect((await adjust(admin(), rooms)).problem).toBe('BAD_USER_INPUT input.adjustments.99.delta');
    expect(await told(db.database, cup.variantId)).toEqual([]);
  });

  test('is for those who may', async () => {
    const cup = await stockUp(db.database, shop, 'ADJ6', [5]);
    const one = [adjustment(cup, 0, 1)];
    expect((await adjust(anonymous(shop.tenantId), one)).problem).toBe('UNAUTHENTICATED');
    expect((await adjust(asClerk('stock:read'), one)).problem).toBe('FORBIDDEN');
    const elsewhere = { ...admin(), tenantId: newId() };
    expect(await outcomes(elsewhere, one)).toMatchObject([{ __typename: 'NotFound' }]);
  });
});

describe('a variant', () => {
  test('tells everybody whether it can be had, and only staff where it lies', async () => {
    const cup = await stockUp(db.database, shop, 'VAR1', [4, 8]);
    await hold(cup, 1);
    const fields =
      'availability availableQuantity stockLevels { available onHand warehouse { name } variant { id } }';
    const seen = { availability: 'IN_STOCK', availableQuantity: 11 };
    for (const viewer of [anonymous(shop.tenantId), shopper()])
      expect(await variants(viewer, [cup], fields)).toEqual({
        data: { _entities: [{ ...seen, stockLevels: null }] },
      });
    const variant = { id: encodeId('variant', cup.variantId) };
    expect((await variants(admin(), [cup], fields)).data._entities[0].stockLevels).toEqual(
      expect.arrayContaining([
        { available: 4, onHand: 4, warehouse: { name: 'Warehouse 0' }, variant },
        { available: 7, onHand: 8, warehouse: { name: 'Warehouse 1' }, variant },
      ]),
    );
  });

  test('of another shop, or of nobody, is not known', async () => {
    const cup = await stockUp(db.database, shop, 'VAR2', [4]);
    const fields = 'availability availableQuantity stockLevels { id }';
    await variants(admin(), [cup], fields);
    const stranger = { ...admin(), tenantId: newId() };
    expect((await variants(stranger, [cup], fields)).data._entities).toEqual([
      { availability: null, availableQuantity: null, stockLevels: [] },
    ]);
    const broken = await ask(
      admin(),
      `{ _entities(representations: [{ __typename: "Variant", id: "var_0" }, { __typename: "StockLevel", id: "stk_0" },
         { __typename: "Warehouse", id: "whs_0" }]) { ... on Variant { availability stockLevels { id } } } }`,
    );
    expect(broken.data._entities).toEqual([{ availability: null, stockLevels: null }, null, null]);
  });

  test('costs as many statements as twenty do', async () => {
    const goods: Goods[] = [];
    for (let i = 0; i < 20; i++) goods.push(await stockUp(db.database, shop, `MANY${i}`, [4, 4, 4]));
    const fields = 'availability availableQuantity stockLevels { available warehouse { name } }';
    const cost = async (some: Goods[]) => {
      const before = db.database.statements();
      expect((await variants(admin(), some, fields)).problem).toBeUndefined();
      return db.database.statements() - before;
    };
    expect([await cost(goods.slice(0, 1)), await cost(goods.slice(1))]).toEqual([3, 3]);
    // The second time what can be sold comes from the cache.
    expect(await cost(goods)).toBe(2);
  });

  test('is shown as it is now once its change has been hinted', async () => {
    const cup = await stockUp(db.database, shop, 'VAR3', [4]);
    const quantity = async () =>
      (await variants(shopper(), [cup], 'availableQuantity')).data._entities[0].availableQuantity;
    expect(await quantity()).toBe(4);
    await hold(cup, 3);
    expect(await quantity()).toBe(4);
    hints.tell('stock-levels', cup.variantId, 2);
    await expect.poll(quantity, { timeout: 1_000, interval: 20 }).toBe(1);
  });
});

describe('the list of levels', () => {
  const list = (viewer: Viewer, args: string) =>
    ask(
      viewer,
      `{ stockLevels(${args}) { totalCount edges { cursor node { id available } }
      pageInfo { hasNextPage endCursor } } }`,
    );
  let stocks: Shop;
  const reader = () => ({ ...admin(), tenantId: stocks.tenantId });

  beforeAll(async () => {
    stocks = await openShop(db.database);
    for (let i = 0; i < 7; i++)
      await stockUp(db.database, stocks, `L-${i}`, [i * 4, 50, 3], i === 6 ? 30 : null);
  });

  test('comes in pages without gaps or repetitions', async () => {
    const seen: string[] = [];
    let after = '';
    for (let pages = 0; pages < 20; pages++) {
      const { data } = await list(reader(), `first: 4 ${after}`);
      expect(data.stockLevels.totalCount).toBe(21);
      seen.push(...data.stockLevels.edges.map((edge: Data) => edge.node.id));
      if (!data.stockLevels.pageInfo.hasNextPage) break;
      after = `after: "${data.stockLevels.pageInfo.endCursor}"`;
    }
    expect(seen).toHaveLength(21);
    expect(new Set(seen).size).toBe(21);
  });

  test('is of the low ones when asked for, by reorder point where there is one', async () => {
    const { data } = await list(reader(), 'lowOnly: true, first: 100');
    const units = data.stockLevels.edges.map((edge: Data) => edge.node.available);
    // 0, 4 and 8 in the first warehouse, 24 below its reorder point of 30, and 3 in the last warehouse seven times.
    expect(units.sort((a: number, b: number) => a - b)).toEqual([0, 3, 3, 3, 3, 3, 3, 3, 4, 8, 24]);
    expect(data.stockLevels.totalCount).toBe(11);
  });

  test('finds by SKU and name, by beginnings of words, and takes nothing for a wildcard', async () => {
    const count = async (search: string) =>
      (await list(reader(), `search: ${JSON.stringify(search)}`)).data.stockLevels.totalCount;
    expect(await count('l-3')).toBe(3);
    expect(await count('SHO of')).toBe(21);
    expect(await count('  ')).toBe(21);
    for (const search of ['%', "' OR 1=1 --", '\u0000', '3 nothing', ':* & !'])
      expect(await count(search)).toBe(0);
  });

  test('names the argument that is wrong', async () => {
    for (const [args, field] of [
      ['first: 0', 'first'],
      ['first: 1000000', 'first'],
      ['after: "AAAA"', 'after'],
      [`search: "${'x'.repeat(201)}"`, 'search'],
    ])
      expect((await list(reader(), args!)).problem).toBe(`BAD_USER_INPUT ${field}`);
  });

  test('and the warehouses are for staff', async () => {
    const places = (viewer: Viewer) => ask(viewer, '{ warehouses { name latitude } }');
    expect((await list(anonymous(shop.tenantId), 'first: 1')).problem).toBe('UNAUTHENTICATED');
    expect((await list(shopper(), 'first: 1')).problem).toBe('FORBIDDEN');
    expect((await places(shopper())).problem).toBe('FORBIDDEN');
    expect((await places(reader())).data.warehouses).toHaveLength(3);
  });
});

describe('the feed of low stock', () => {
  const open = async (viewer: Viewer) =>
    subscribe({
      schema,
      document: parse('subscription { lowStock { available variant { id } } }'),
      contextValue: context(viewer),
    });

  test('tells a level once when it becomes low and once when it is out', async () => {
    const cup = await stockUp(db.database, shop, 'FEED', [12]);
    const feed = await open(admin());
    if (!(Symbol.asyncIterator in feed)) throw new Error(JSON.stringify(feed.errors));
    const sell = async (quantity: number, version: number) => {
      await hold(cup, quantity);
      hints.tell('stock-levels', cup.variantId, version);
    };
    const next = async () => ((await feed.next()).value as Data).data.lowStock;
    const variant = { id: encodeId('variant', cup.variantId) };
    const first = next();
    await sell(1, 2);
    await sell(2, 3);
    expect(await first).toEqual({ available: 9, variant });
    const second = next();
    await sell(1, 4);
    await sell(8, 5);
    expect(await second).toEqual({ available: 0, variant });
    await feed.return(undefined);
  });

  test('comes with a moment of delay when the hint got lost', async () => {
    const cup = await stockUp(db.database, shop, 'FEED2', [12]);
    const deaf = createHints(redis, openRedis(inject('services').redisUrl, log), prefix, log);
    const feed = lowStock({ db: db.database.for(origin()), viewer: admin() }, deaf);
    const heard = (async () => {
      for await (const stock of feed) if (stock.variantId === cup.variantId) return stock;
    })();
    await hold(cup, 5);
    expect(await heard).toMatchObject({ onHand: 12, held: 5 });
  });

  test('is refused before anything is sent to those who may not see it', async () => {
    for (const [viewer, code] of [
      [anonymous(shop.tenantId), 'UNAUTHENTICATED'],
      [shopper(), 'FORBIDDEN'],
    ] as const) {
      const refused = await open(viewer);
      expect('errors' in refused && refused.errors?.[0]?.extensions.code).toBe(code);
    }
  });
});
