// What a visitor sees of the shop's shelves: fifty categories, and goods between two prices.
import { expect, test } from 'vitest';
import { caller } from './wire.ts';

const visitor = caller();

test('the goods stand in fifty categories, and none of them is empty', async () => {
  const { data, errors } = await visitor.ask('{ categories { slug products(first: 1) { totalCount } } }');
  expect(errors).toEqual([]);
  const { categories } = data as { categories: { slug: string; products: { totalCount: number } }[] };
  expect(new Set(categories.map(({ slug }) => slug)).size).toBe(50);
  expect(categories.filter(({ products }) => products.totalCount === 0)).toEqual([]);
});

test('goods between two prices are found, and no others', async () => {
  const { data, errors } = await visitor.ask(
    `query Between($filter: ProductFilter) {
      all: products(first: 1) { totalCount }
      some: products(first: 100, filter: $filter) {
        totalCount
        edges { node { variants { listPrice { amountMinor } } } }
      }
    }`,
    {
      filter: {
        priceMin: { amountMinor: 1_000, currency: 'GBP' },
        priceMax: { amountMinor: 1_250, currency: 'GBP' },
      },
    },
  );
  expect(errors).toEqual([]);
  const { all, some } = data as {
    all: { totalCount: number };
    some: {
      totalCount: number;
      edges: { node: { variants: { listPrice: { amountMinor: number } }[] } }[];
    };
  };
  expect(some.edges).toHaveLength(Math.min(some.totalCount, 100));
  expect(some.totalCount).toBeGreaterThan(20);
  expect(some.totalCount).toBeLessThan(all.totalCount / 2);
  for (const { node } of some.edges) {
    const prices = node.variants.map(({ listPrice }) => listPrice.amountMinor);
    expect(prices.some((price) => price >= 1_000 && price <= 1_250)).toBe(true);
  }
});
