// What the graph tells about stock, and to whom.
import { encodeId, newId } from '@orderstream/runtime/ids';
import { newTrace } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lowStock } from './subscriptions.ts';
import { type Data, type Desk, openDesk } from './test-desk.ts';
import { type Goods, openShop, type Shop, stockUp } from './test-shop.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.close());

const variants = (viewer: Viewer, goods: readonly Goods[], fields: string) =>
  desk.ask(
    viewer,
    `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Variant { ${fields} } } }`,
    {
      refs: goods.map(({ variantId }) => ({ __typename: 'Variant', id: encodeId('variant', variantId) })),
    },
  );

describe('a variant', () => {
  test('tells everybody whether it can be had, and only staff where it lies', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'VAR1', [4, 8]);
    await desk.hold(cup, 1);
    const fields =
      'availability availableQuantity stockLevels { available onHand warehouse { name } variant { id } }';
    const seen = { availability: 'IN_STOCK', availableQuantity: 11 };
    for (const viewer of [desk.visitor, desk.shopper])
      expect(await variants(viewer, [cup], fields)).toEqual({
        data: { _entities: [{ ...seen, stockLevels: null }] },
      });
    const variant = { id: encodeId('variant', cup.variantId) };
    expect((await variants(desk.admin, [cup], fields)).data._entities[0].stockLevels).toEqual(
      expect.arrayContaining([
        { available: 4, onHand: 4, warehouse: { name: 'Warehouse 0' }, variant },
        { available: 7, onHand: 8, warehouse: { name: 'Warehouse 1' }, variant },
      ]),
    );
  });

  test('of another shop, or of nobody, is not known', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'VAR2', [4]);
    const fields = 'availability availableQuantity stockLevels { id }';
    await variants(desk.admin, [cup], fields);
    const stranger = { ...desk.admin, tenantId: newId() };
    expect((await variants(stranger, [cup], fields)).data._entities).toEqual([
      { availability: null, availableQuantity: null, stockLevels: [] },
    ]);
    const broken = await desk.ask(
      desk.admin,
      `{ _entities(representations: [{ __typename: "Variant", id: "var_0" }, { __typename: "StockLevel", id: "stk_0" },
         { __typename: "Warehouse", id: "whs_0" }]) { ... on Variant { availability stockLevels { id } } } }`,
    );
    expect(broken.data._entities).toEqual([{ availability: null, stockLevels: null }, null, null]);
  });

  test('costs as many statements as twenty do', async () => {
    const goods: Goods[] = [];
    for (let i = 0; i < 20; i++) goods.push(await stockUp(desk.database, desk.shop, `MANY${i}`, [4, 4, 4]));
    const fields = 'availability availableQuantity stockLevels { available warehouse { name } }';
    const cost = async (some: Goods[]) => {
      const before = desk.database.statements();
      expect((await variants(desk.admin, some, fields)).problem).toBeUndefined();
      return desk.database.statements() - before;
    };
    expect([await cost(goods.slice(0, 1)), await cost(goods.slice(1))]).toEqual([3, 3]);
    // The second time what can be sold comes from the cache.
    expect(await cost(goods)).toBe(2);
  });

  test('is shown as it is now once its change has been hinted', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'VAR3', [4]);
    const quantity = async () =>
      (await variants(desk.shopper, [cup], 'availableQuantity')).data._entities[0].availableQuantity;
    expect(await quantity()).toBe(4);
    await desk.hold(cup, 3);
    expect(await quantity()).toBe(4);
    desk.hints.tell('stock-levels', cup.variantId, 2);
    await expect.poll(quantity, { timeout: 1_000, interval: 20 }).toBe(1);
  });
});

describe('the list of levels', () => {
  const list = (viewer: Viewer, args: string) =>
    desk.ask(
      viewer,
      `{ stockLevels(${args}) { totalCount edges { cursor node { id available } }
      pageInfo { hasNextPage endCursor } } }`,
    );
  let stocks: Shop;
  const reader = () => ({ ...desk.admin, tenantId: stocks.tenantId });

  beforeAll(async () => {
    stocks = await openShop(desk.database);
    for (let i = 0; i < 7; i++)
      await stockUp(desk.database, stocks, `L-${i}`, [i * 4, 50, 3], i === 6 ? 30 : null);
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
    const places = (viewer: Viewer) => desk.ask(viewer, '{ warehouses { name latitude } }');
    expect((await list(desk.visitor, 'first: 1')).problem).toBe('UNAUTHENTICATED');
    expect((await list(desk.shopper, 'first: 1')).problem).toBe('FORBIDDEN');
    expect((await places(desk.shopper)).problem).toBe('FORBIDDEN');
    expect((await places(reader())).data.warehouses).toHaveLength(3);
  });
});

describe('the feed of low stock', () => {
  const open = (viewer: Viewer) =>
    desk.subscribe(viewer, 'subscription { lowStock { available variant { id } } }');

  test('tells a level once when it becomes low and once when it is out', async () => {
    const cup = await stockUp(desk.database, desk.shop, 'FEED', [12]);
    const feed = await open(desk.admin);
    if (!(Symbol.asyncIterator in feed)) throw new Error(JSON.stringify(feed.errors));
    const sell = async (quantity: number, version: number) => {
      await desk.hold(cup, quantity);
      desk.hints.tell('stock-levels', cup.variantId, version);
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
    const cup = await stockUp(desk.database, desk.shop, 'FEED2', [12]);
    const origin = { tenantId: desk.shop.tenantId, ...newTrace(), causationId: null };
    const feed = lowStock({ db: desk.database.for(origin), viewer: desk.admin }, desk.deafHints());
    const heard = (async () => {
      for await (const stock of feed) if (stock.variantId === cup.variantId) return stock;
    })();
    await desk.hold(cup, 5);
    expect(await heard).toMatchObject({ onHand: 12, held: 5 });
  });

  test('is refused before anything is sent to those who may not see it', async () => {
    for (const [viewer, code] of [
      [desk.visitor, 'UNAUTHENTICATED'],
      [desk.shopper, 'FORBIDDEN'],
    ] as const) {
      const refused = await open(viewer);
      expect('errors' in refused && refused.errors?.[0]?.extensions.code).toBe(code);
    }
  });
});
