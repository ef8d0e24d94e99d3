import { newId } from '@orderstream/runtime/ids';
import type { Connection, Page } from '@orderstream/runtime/paging';
import { readPage } from '@orderstream/runtime/paging';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// @boundaries-ignore tests share databases and services
import { seedId } from '../../../ops/seed/ids.ts';
import type { Product } from './product.ts';
import type { Filter } from './product-list.ts';
import { changeVariant, products, productsOf, search } from './service.ts';
import { clerk, openShop, type Shop, shopper, tenantId } from './testing.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

const all: Filter = { categoryId: null, price: null };
const between = (min: number | null, max: number | null): Filter => ({
  categoryId: null,
  price: { min, max, currency: 'GBP' },
});
const start = (first = 20): Page => ({ first, after: null });
const find = (q: string, filter = all, page = start()) => search(shop.contextOf(shopper), q, filter, page);
const names = async (q: string, filter = all): Promise<string[]> =>
  (await find(q, filter)).products.edges.map(({ node }) => node.name);
const pricesOf = async (of: Connection<Product>): Promise<number[]> => {
  const rows = await shop.database.sql<{ price_minor: number }>`
    select price_minor from variant where product_id = any(${of.edges.map(({ node }) => node.id)}::uuid[])`;
  return rows.map((row) => row.price_minor);
};

describe('searching', () => {
  test.each([
    ['white hanging heart', 'White Hanging Heart T-Light Holder'],
    ['hanging heart t-light holder white', 'White Hanging Heart T-Light Holder'],
    ['regency cakestand 3 tier', 'Regency Cakestand 3 Tier'],
    ['"hot water bottle" union', 'Union Jack Hot Water Bottle'],
    ["spaceboy children's cup", 'Spaceboy Childrens Cup'],
  ])('%s finds %s first', async (q, first) => {
    expect((await names(q))[0]).toBe(first);
  });

  test('a word in the name counts more than one in the category, and that more than one in the description', async () => {
    const { products: found } = await find('cushion', all, start(100));
    const places = found.edges.map(({ node }) => (/cushion/i.test(node.name) ? 'name' : 'elsewhere'));
    expect(new Set(places)).toEqual(new Set(['name', 'elsewhere']));
    expect(places.lastIndexOf('name')).toBeLessThan(places.indexOf('elsewhere'));
  });

  test('all words are wanted, unless "or" stands between them, and none behind a minus', async () => {
    const count = async (q: string) => (await (await find(q)).products.tally()).total;
    const [mugs, red, both, either, other] = await Promise.all(
      ['mug', 'red', 'mug red ', 'mug or red', 'mug -red'].map(count),
    );
    expect(either).toBe(mugs! + red! - both!);
    expect(other).toBe(mugs! - both!);
    expect(both).toBeGreaterThan(0);
  });

  test('the last word may be half typed, also beyond the stem under which it is filed', async () => {
    for (const q of ['white hanging hea', 'white heart hangi', 'white heart hanging t-light hol'])
      expect(await names(q), q).toContain('White Hanging Heart T-Light Holder');
    expect((await find('white decoratio')).products.edges.length).toBeGreaterThan(0);
  });

  test('what is typed whole stands before what it might become', async () => {
    const found = await names('car');
    expect(found.findIndex((name) => /\bcar\b/i.test(name))).toBe(0);
    expect(found.some((name) => /\bcar\p{L}/iu.test(name))).toBe(true);
  });

  test.each([
    ['wihte hanging haert', ['white', 'hanging', 'heart'], 'White Hanging Heart T-Light Holder'],
    ['regancy cakstand', ['regency', 'cakestand'], 'Regency Cakestand 3 Tier'],
  ])('%s is understood as %j', async (q, keywords, first) => {
    const found = await find(q);
    expect(found.interpretation.keywords).toEqual(keywords);
    expect(found.products.edges[0]?.node.name).toBe(first);
  });

  test('words like "the" and "of" are not looked for', async () => {
    const found = await find('the mug of the day', all, start(1));
    expect(found.interpretation.keywords).toEqual(['mug', 'day']);
  });

  test.each([
    ...[
      "' OR 1=1 --",
      '%_',
      '\u0000',
      '"',
      '"""',
      '- -',
      'or or',
      '!!!&|():*',
      "\\'; drop table product; --",
    ],
    ...['\ud800', '💐', 'a:*|b', '<->', '"x'.repeat(100), '-'.repeat(200), 'or '.repeat(66), 'é', '٣'],
    ...['', ' ', '$1', '(a+)+$', 'x'.repeat(200)],
  ])('%j is just text', async (q) => {
    const { products: found, tookMs } = await find(q);
    expect((await found.tally()).total).toBeGreaterThanOrEqual(found.edges.length);
    expect(tookMs).toBeGreaterThan(0);
    if (!/[\p{L}\p{N}]/u.test(q)) expect(found.edges).toEqual([]);
  });
});

describe('filters and facets', () => {
  test('prices are included at both ends, and one end may be open', async () => {
    for (const [min, max] of [
      [295, 295],
      [null, 100],
      [5_000, null],
    ] as const) {
      const found = await pricesOf((await find('heart or table', between(min, max), start(100))).products);
      const listed = await pricesOf(await products(shop.contextOf(shopper), between(min, max), start(100)));
      expect(listed.length).toBeGreaterThan(0);
      for (const price of [...found, ...listed]) {
        expect(price).toBeGreaterThanOrEqual(min ?? 0);
        expect(price).toBeLessThanOrEqual(max ?? Number.MAX_SAFE_INTEGER);
      }
    }
  });

  test('nothing is sold for another currency, nor between a minimum above the maximum', async () => {
    const ctx = shop.contextOf(shopper);
    const euro: Filter = { categoryId: null, price: { min: 0, max: null, currency: 'EUR' } };
    for (const filter of [euro, between(500, 499), { categoryId: newId(), price: null }])
      expect((await products(ctx, filter, start())).edges).toEqual([]);
  });

  test('each facet value promises what choosing it gives, in lists and searches', async () => {
    const filter = { ...between(200, 800), categoryId: seedId('category', 'kitchen') };
    const ctx = shop.contextOf(shopper);
    for (const list of [
      (chosen: Filter) => products(ctx, chosen, start(1)),
      async (chosen: Filter) => (await find('red or blue', chosen, start(1))).products,
    ]) {
      const total = async (chosen: Filter) => (await (await list(chosen)).tally()).total;
      const { byCategory, byPrice } = await (await list(filter)).tally();
      for (const { categoryId, count } of byCategory.slice(0, 5))
        expect(await total({ ...filter, categoryId })).toBe(count);
      const bands = [
        between(null, 499),
        between(500, 999),
        between(1_000, 1_999),
        between(2_000, 4_999),
        between(5_000, null),
      ];
      for (const { band, count } of byPrice)
        expect(await total({ ...filter, price: bands[band]!.price })).toBe(count);
      expect(byPrice.length).toBeGreaterThan(2);
    }
  });
});

describe('paging', () => {
  /** All pages of a size, by cursors that travel as text. */
  const walk = async (list: (page: Page) => Promise<Connection<Product>>, sort: string, first: number) => {
    const seen: string[] = [];
    for (let after: string | null = null; ; ) {
      const { edges, pageInfo } = await list(readPage({ first, after }, sort));
      expect(edges.length === first || !pageInfo.hasNextPage).toBe(true);
      seen.push(...edges.map(({ node }) => node.id));
      if (!pageInfo.hasNextPage) return seen;
      after = pageInfo.endCursor;
    }
  };

  test('of a search leaves nothing out and shows nothing twice, also where most ranks are equal', async () => {
    // Ranks of a search by price alone are all 0: "-nothing" matches everything.
    const asked = ['tile', 'wick or hook', '-heart'] as const;
    const filter = { ...all, categoryId: seedId('category', 'signs-and-wall-decor') };
    const list = (q: string) => async (page: Page) => (await find(q, filter, page)).products;
    const whole = new Map<string, readonly string[]>();
    for (const q of asked) whole.set(q, await walk(list(q), 'rank', 100));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...asked), fc.integer({ min: 7, max: 99 }), async (q, first) => {
        const seen = await walk(list(q), 'rank', first);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual(whole.get(q));
        expect(seen.length).toBe((await (await list(q)(start(1))).tally()).total);
      }),
      { numRuns: 12 },
    );
  });

  test('of a list goes by name through everything, whatever the page', async () => {
    const ctx = shop.contextOf(shopper);
    const rows = await shop.database.sql<{ id: string }>`
      select p.id from product p join variant v on v.product_id = p.id and v.active
      where v.price_minor between 100 and 130 order by p.name, p.id`;
    const ids = rows.map((row) => row.id);
    expect(ids.length).toBeGreaterThan(100);
    for (const first of [33, 100])
      expect(await walk((page) => products(ctx, between(100, 130), page), 'name', first)).toEqual(ids);
  });

  test('of a department goes by name through all its shelves', async () => {
    const ctx = shop.contextOf(shopper);
    const garden = (await ctx.loaders.category.load(seedId('category', 'garden')))!;
    const seen = await walk((page) => productsOf(ctx, garden, page), 'name', 40);
    expect(new Set(seen).size).toBe((await (await productsOf(ctx, garden, start(1))).tally()).total);
  });
});

describe('changing what is sold', () => {
  const skuOf = (sku: string) => seedId('variant', sku);
  const told = (variantId: string) => shop.database.sql<{
    message: { type: string; version: number; data: object };
  }>`
    select message from plumbing.outbox where key = ${variantId} order by id`;

  test('needs somebody signed in who may', async () => {
    const wanted = { variantId: skuOf('22423'), priceMinor: 1 };
    await expect(changeVariant(shop.contextOf(shopper), wanted)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    const customer = { ...clerk, scopes: new Set<string>() };
    await expect(changeVariant(shop.contextOf(customer), wanted)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await told(wanted.variantId)).toEqual([]);
  });

  test('a new price is seen at once, and told to everybody who keeps a copy', async () => {
    const variantId = skuOf('22423');
    const price = async () =>
      (await shop.contextOf(shopper).loaders.variant.load(variantId))?.listPrice.amountMinor;
    expect(await price()).toBe(1_275);
    const ctx = shop.contextOf(clerk);
    expect(await ctx.loaders.variant.load(variantId)).toMatchObject({ version: 1 });
    expect(await changeVariant(ctx, { variantId, priceMinor: 1_350, expectedVersion: 1 })).toMatchObject({
      version: 2,
    });
    expect(await price()).toBe(1_350);
    expect((await ctx.loaders.variant.load(variantId))?.listPrice.amountMinor).toBe(1_350);
    expect((await told(variantId)).map(({ message }) => message)).toMatchObject([
      {
        type: 'catalog.variant-changed',
        version: 2,
        data: {
          variantId,
          productId: seedId('product', '22423'),
          sku: '22423',
          name: 'Regency Cakestand 3 Tier',
          priceMinor: 1_350,
          currency: 'GBP',
          weightGrams: expect.any(Number),
          active: true,
        },
      },
    ]);
  });

  test('refusals change and tell nothing', async () => {
    const ctx = shop.contextOf(clerk);
    const variantId = skuOf('47566');
    expect(await changeVariant(ctx, { variantId: newId(), priceMinor: 1 })).toEqual({ error: 'NotFound' });
    expect(await changeVariant(ctx, { variantId, priceMinor: 1, expectedVersion: 7 })).toEqual({
      error: 'VersionConflict',
      currentVersion: 1,
    });
    expect(await changeVariant(ctx, { variantId, priceMinor: -1 })).toMatchObject({ error: 'InvalidInput' });
    expect(await changeVariant(ctx, { variantId, active: true })).toMatchObject({ version: 1 });
    const neighbour = { ...clerk, tenantId: newId() };
    expect(await changeVariant(shop.contextOf(neighbour), { variantId, priceMinor: 1 })).toEqual({
      error: 'NotFound',
    });
    expect(await told(variantId)).toEqual([]);
  });

  test('of ten clerks at once each makes a version of their own, told in order', async () => {
    const variantId = skuOf('20725');
    const ctx = shop.contextOf(clerk);
    const prices = Array.from({ length: 10 }, (_, index) => 2_000 + index);
    const made = await Promise.all(prices.map((priceMinor) => changeVariant(ctx, { variantId, priceMinor })));
    const versions = made.map((variant) => ('version' in variant ? variant.version : 0));
    expect(versions.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect((await told(variantId)).map(({ message }) => message.version)).toEqual([
      2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
  });

  test('what is sold no more leaves lists, searches and counts, while orders of the past still find it', async () => {
    const variantId = skuOf('85123A');
    const q = 'white hanging heart t-light holder';
    const before = await (await find(q)).products.tally();
    await changeVariant(shop.contextOf(clerk), { variantId, active: false });
    expect(await names(q)).not.toContain('White Hanging Heart T-Light Holder');
    expect((await (await find(q)).products.tally()).total).toBe(before.total - 1);
    const { data } = await shop.ask(`{ variant(sku: "85123A") { name product { name variants { id } } } }`);
    const name = 'White Hanging Heart T-Light Holder';
    expect(data.variant).toEqual({ name, product: { name, variants: [] } });
    await changeVariant(shop.contextOf(clerk), { variantId, active: true });
    expect(await names(q)).toContain(name);
  });
});

test('a renamed category is found under its new name', async () => {
  expect((await find('zzgewgaws')).products.edges).toEqual([]);
  await shop.database.sql`
    update category set name = 'Zzgewgaws' where tenant_id = ${tenantId} and id = ${seedId('category', 'other')}`;
  const found = await find('zzgewgaws');
  expect(found.interpretation.keywords).toEqual(['zzgewgaws']);
  expect((await found.products.tally()).byCategory).toMatchObject([
    { categoryId: seedId('category', 'other') },
  ]);
});
