import { encodeId, newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// @boundaries-ignore tests share databases and services
import { categories } from '../../../ops/seed/categories.ts';
// @boundaries-ignore tests share databases and services
import { seedId } from '../../../ops/seed/ids.ts';
import { openShop, type Shop, shopper, tenantId } from './testing.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

const heart = {
  uuid: seedId('product', '85123A'),
  id: encodeId('product', seedId('product', '85123A')),
  variantId: encodeId('variant', seedId('variant', '85123A')),
  slug: 'white-hanging-heart-t-light-holder',
};
const category = (slug: string) => encodeId('category', seedId('category', slug));

const page = `
  id slug name description rating
  category { id slug name parent { slug parent { id } } }
  variants { id sku name weightGrams imageUrl attributes { name value }
    listPrice { amountMinor currency formatted } product { id } }
  reviews { totalCount pageInfo { hasNextPage } edges { node { rating body author { id } product { id } } } }`;

describe('a product page', () => {
  test('shows the product with its shelf, its department, what can be bought and at what price', async () => {
    const { data } = await shop.ask(`{ product(id: "${heart.id}") { ${page} } }`);
    expect(data.product).toEqual({
      id: heart.id,
      slug: heart.slug,
      name: 'White Hanging Heart T-Light Holder',
      description: expect.stringContaining('T-Light Holders'),
      rating: null,
      category: {
        id: category('t-light-holders'),
        slug: 't-light-holders',
        name: 'T-Light Holders',
        parent: { slug: 'home', parent: null },
      },
      variants: [
        {
          id: heart.variantId,
          sku: '85123A',
          name: 'White Hanging Heart T-Light Holder',
          weightGrams: expect.any(Number),
          imageUrl: null,
          attributes: [{ name: 'Colour', value: 'White' }],
          listPrice: { amountMinor: 295, currency: 'GBP', formatted: '£2.95' },
          product: { id: heart.id },
        },
      ],
      reviews: { totalCount: 0, pageInfo: { hasNextPage: false }, edges: [] },
    });
  });

  test('is found by slug, and its variant by id or SKU', async () => {
    const { data } = await shop.ask(
      `{ product(slug: "${heart.slug}") { id }
         byId: variant(id: "${heart.variantId}") { sku } bySku: variant(sku: "85123A") { id } }`,
    );
    expect(data).toEqual({
      product: { id: heart.id },
      byId: { sku: '85123A' },
      bySku: { id: heart.variantId },
    });
  });

  test('is read once and then remembered for everybody', async () => {
    const query = `{ product(id: "${encodeId('product', seedId('product', '22423'))}") {
      name category { name parent { name } } variants { sku listPrice { amountMinor } } } }`;
    const first = await shop.askCounted(query);
    expect(first.statements).toBeGreaterThan(0);
    await expect.poll(() => shop.askCounted(query)).toEqual({ data: first.data, statements: 0 });
  });

  test('what is not there is null, also in a shop next door', async () => {
    const query = `query ($id: ID, $slug: String, $sku: String, $variant: ID) {
      byId: product(id: $id) { id } bySlug: product(slug: $slug) { id }
      variant(id: $variant) { id } bySku: variant(sku: $sku) { id } }`;
    const nothing = { byId: null, bySlug: null, variant: null, bySku: null };
    const unknown = { id: encodeId('product', newId()), variant: encodeId('variant', newId()) };
    for (const text of [
      'no-such-thing',
      '',
      ' ',
      "' OR 1=1 --",
      'a\u0000b',
      '%',
      '\ud800',
      'x'.repeat(100_000),
    ])
      expect(await shop.ask(query, { ...unknown, slug: text, sku: text }), text.slice(0, 20)).toEqual({
        data: nothing,
      });
    const neighbour = { ...shopper, tenantId: newId() };
    const ours = { id: heart.id, slug: heart.slug, sku: '85123A', variant: heart.variantId };
    expect(await shop.ask(query, ours, neighbour)).toEqual({ data: nothing });
    const { data } = await shop.ask(
      '{ categories { id } products { totalCount edges { cursor } } searchProducts(q: "heart") { products { totalCount } } }',
      {},
      neighbour,
    );
    expect(data).toEqual({
      categories: [],
      products: { totalCount: 0, edges: [] },
      searchProducts: { products: { totalCount: 0 } },
    });
  });
});

describe('reviews', () => {
  const product = seedId('product', '47566');
  const authors = [newId(), newId(), null, newId()];
  const written = authors.map((author, index) => ({ id: newId(), author, rating: index + 2 }));

  beforeAll(async () => {
    // Two of the same moment: their order must not depend on the page.
    for (const [index, { id, author, rating }] of written.entries())
      await shop.database.sql`
        insert into review (tenant_id, id, product_id, user_id, rating, body, created_at)
        values (${tenantId}, ${id}, ${product}, ${author}, ${rating}, ${`says ${rating}`},
          ${new Date(Date.UTC(2026, 0, 1 + Math.floor(index / 2)))})`;
  });

  test('stand with the newest first, page by page, and make the rating', async () => {
    const query = `query ($id: ID!, $after: String) { product(id: $id) { rating reviews(first: 3, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } edges { node { id rating author { id } createdAt } } } } }`;
    const id = encodeId('product', product);
    const first = (await shop.ask(query, { id })).data.product;
    expect(first).toMatchObject({ rating: 3.5, reviews: { totalCount: 4, pageInfo: { hasNextPage: true } } });
    const { endCursor } = first.reviews.pageInfo;
    const rest = (await shop.ask(query, { id, after: endCursor })).data.product.reviews;
    const seen = [...first.reviews.edges, ...rest.edges].map(({ node }) => node);
    expect(seen.map(({ rating }) => rating).sort()).toEqual([2, 3, 4, 5]);
    expect(seen.map(({ createdAt }) => createdAt.slice(0, 10))).toEqual([
      ...['2026-01-02', '2026-01-02'],
      ...['2026-01-01', '2026-01-01'],
    ]);
    const byLeaver = seen.find(({ rating }) => rating === 4);
    expect(byLeaver.author).toBeNull();
    const byMember = seen.find(({ rating }) => rating === 2);
    expect(byMember.author).toEqual({ id: encodeId('user', authors[0]!) });
  });
});

describe('categories', () => {
  test('are the departments, each followed by its shelves', async () => {
    const { data } = await shop.ask('{ categories { slug parent { slug } } }');
    expect(data.categories).toHaveLength(categories.length);
    let department = null;
    for (const { slug, parent } of data.categories) {
      if (!parent) department = slug;
      else expect(parent.slug).toBe(department);
    }
  });

  test('hold every good once, and all their counts cost the same as one', async () => {
    const query =
      '{ categories { slug parent { slug } products(first: 2) { totalCount edges { node { name } } facets { name } } } }';
    const { data, statements } = await shop.askCold(query);
    const sum = (of: { products: { totalCount: number } }[]) =>
      of.reduce((all, one) => all + one.products.totalCount, 0);
    const isDepartment = ({ parent }: { parent: unknown }) => parent === null;
    expect(sum(data.categories.filter(isDepartment))).toBe(3_630);
    expect(sum(data.categories.filter((one: { parent: unknown }) => !isDepartment(one)))).toBe(3_630);
    expect(statements).toBe(4);
  });

  test('of a department show the goods of its shelves', async () => {
    const { data } = await shop.ask(
      `{ products(filter: { categoryId: "${category('garden')}" }, first: 100) { totalCount
           edges { node { id category { slug parent { slug } } } } } }`,
    );
    const { edges, totalCount } = data.products;
    expect(totalCount).toBeGreaterThan(edges.length - 1);
    for (const { node } of edges) expect(node.category.parent.slug).toBe('garden');
  });
});

describe('fan-out', () => {
  const listed = `edges { node { ${page} } } totalCount facets { name values { value count } }`;

  test.each([
    ['a list', (first: number) => `{ products(first: ${first}) { ${listed} } }`],
    [
      'a search',
      (first: number) => `{ searchProducts(q: "heart", first: ${first}) { products { ${listed} } } }`,
    ],
  ])('%s of twenty products costs as many statements as one of one', async (_what, query) => {
    const one = await shop.askCold(query(1));
    const twenty = await shop.askCold(query(20));
    expect((twenty.data.products ?? twenty.data.searchProducts.products).edges).toHaveLength(20);
    expect(twenty.statements).toBe(one.statements);
  });

  const refer = `query ($of: [_Any!]!) { _entities(representations: $of) {
    __typename ... on Product { slug } ... on Variant { sku } ... on Category { slug } ... on Review { rating } } }`;

  test('references by either key are answered together, and what is malformed or unknown with null', async () => {
    const of = [
      { __typename: 'Product', id: heart.id },
      { __typename: 'Variant', sku: '85123A' },
      { __typename: 'Product', slug: heart.slug },
      { __typename: 'Product', id: heart.variantId },
      { __typename: 'Product', slug: 'No Slug' },
      { __typename: 'Variant', id: heart.variantId },
      { __typename: 'Variant', id: encodeId('variant', newId()) },
      { __typename: 'Variant', sku: '\u0000' },
      { __typename: 'Category', id: category('home') },
      { __typename: 'Review', id: encodeId('review', newId()) },
    ];
    const { data } = await shop.askCold(refer, { of });
    const product = { __typename: 'Product', slug: heart.slug };
    const variant = { __typename: 'Variant', sku: '85123A' };
    const home = { __typename: 'Category', slug: 'home' };
    expect(data._entities).toEqual([product, variant, product, null, null, variant, null, null, home, null]);
  });

  test('twenty references cost as much as one', async () => {
    const skus = (await shop.database.sql<{ id: string }>`select id from variant order by id limit 20`).map(
      ({ id }) => ({ __typename: 'Variant', id: encodeId('variant', id) }),
    );
    const one = await shop.askCold(refer, { of: skus.slice(0, 1) });
    const twenty = await shop.askCold(refer, { of: skus });
    expect([one.statements, twenty.statements]).toEqual([1, 1]);
  });
});

describe('bad input is told to the caller, naming the argument', () => {
  const gbp = (amountMinor: number) => ({ amountMinor, currency: 'GBP' });
  test.each([
    ['{ product { id } }', {}, 'id'],
    ['query ($v: ID) { product(id: $v, slug: "x") { id } }', { v: heart.id }, 'id'],
    ['query ($v: ID) { product(id: $v) { id } }', { v: 'prd_1' }, 'id'],
    ['query ($v: ID) { product(id: $v) { id } }', { v: '' }, 'id'],
    ['query ($v: ID) { product(id: $v) { id } }', { v: heart.variantId }, 'id'],
    ['{ variant { id } }', {}, 'id'],
    ['query ($v: ID) { variant(id: $v) { id } }', { v: heart.id }, 'id'],
    ['query ($v: Int) { products(first: $v) { totalCount } }', { v: 0 }, 'first'],
    ['query ($v: Int) { products(first: $v) { totalCount } }', { v: 1_000_000 }, 'first'],
    ['query ($v: String) { products(after: $v) { totalCount } }', { v: 'made up' }, 'after'],
    ['query ($v: Int!) { searchProducts(q: "x", first: $v) { tookMs } }', { v: -1 }, 'first'],
    ['query ($v: String!) { searchProducts(q: $v) { tookMs } }', { v: 'x'.repeat(201) }, 'q'],
    ['query ($v: Int) { categories { products(first: $v) { totalCount } } }', { v: 101 }, 'first'],
    [
      'query ($v: ProductFilter) { products(filter: $v) { totalCount } }',
      { v: { categoryId: heart.id } },
      'filter.categoryId',
    ],
    [
      'query ($v: ProductFilter) { products(filter: $v) { totalCount } }',
      { v: { priceMin: { amountMinor: 1, currency: 'a\u0000' } } },
      'filter.priceMin.currency',
    ],
    [
      'query ($v: ProductFilter) { searchProducts(q: "x", filter: $v) { tookMs } }',
      { v: { priceMax: { amountMinor: 1, currency: '£' } } },
      'filter.priceMax.currency',
    ],
    [
      'query ($v: ProductFilter) { products(filter: $v) { totalCount } }',
      { v: { priceMin: gbp(1), priceMax: { amountMinor: 9, currency: 'EUR' } } },
      'filter.priceMax.currency',
    ],
  ])('%s with %j', async (query, variables, argument) => {
    const { errors } = await shop.ask(query, variables);
    expect(errors?.map((error) => error.extensions)).toMatchObject([{ code: 'BAD_USER_INPUT', argument }]);
  });

  test('a cursor of a search is none of a list', async () => {
    const { data } = await shop.ask(
      '{ searchProducts(q: "heart", first: 1) { products { pageInfo { endCursor } } } }',
    );
    const after = data.searchProducts.products.pageInfo.endCursor;
    const { errors } = await shop.ask('query ($after: String) { products(after: $after) { totalCount } }', {
      after,
    });
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'after' });
  });

  test('amounts beyond 53 bits are refused before anything is asked', async () => {
    const query = 'query ($v: ProductFilter) { products(filter: $v) { totalCount } }';
    const { errors } = await shop.ask(query, { v: { priceMax: gbp(2 ** 53) } });
    expect(errors?.[0]?.message).toContain('Long');
  });
});
