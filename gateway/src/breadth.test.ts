import { buildSchema, getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import { isTooBroad } from './breadth.ts';

const schema = buildSchema(`
  type Query { products(first: Int = 20): Products! categories: [Category!]! }
  type Products { edges: [Edge!]! }
  type Edge { node: Product! }
  type Product { name: String! category: Category! variants: [Variant!]! }
  type Variant { sku: String! product: Product! stock: [Stock!] }
  type Stock { onHand: Int! }
  type Category { name: String! products(first: Int = 20): Products! }
`);

const isRefused = (text: string, variables: Record<string, unknown> = {}): boolean => {
  const document = parse(text);
  return isTooBroad(schema, document, getOperationAST(document)!, variables);
};
const page = (first: string, inside: string): string =>
  `products(first: ${first}) { edges { node { ${inside} } } }`;
const cycle = (first: string, rounds: number): string =>
  rounds === 0 ? 'name' : `category { ${page(first, cycle(first, rounds - 1))} }`;

test.each([
  ['a hundred products with what there is of them', `{ ${page('100', 'variants { stock { onHand } }')} }`],
  ['the shelves with a page of each', '{ categories { products(first: 100) { edges { node { name } } } } }'],
  ['pages of twenty, two in one another', `{ ${page('20', cycle('20', 2))} }`],
])('%s are shown', (_what, text) => {
  expect(isRefused(text)).toBe(false);
});

test.each([
  ['pages of a hundred, two in one another', `{ ${page('100', cycle('100', 2))} }`, {}],
  ['pages whose length is a variable', `query ($n: Int) { ${page('$n', cycle('$n', 2))} }`, { n: 100 }],
  ['pages that say no length', `query ($n: Int) { ${page('$n', cycle('$n', 2))} }`, { n: null }],
  ['pages longer than any', `{ ${page('100000', cycle('100000', 2))} }`, {}],
  [
    'pages in fragments',
    `{ ...A } fragment A on Query { ${page('100', '...B')} } fragment B on Product { ... on Product { ${cycle('100', 2)} } }`,
    {},
  ],
  [
    'many pages side by side',
    `{ ${Array.from({ length: 10 }, (_, i) => `p${i}: ${page('100', cycle('20', 1))}`).join(' ')} }`,
    {},
  ],
])('%s are too much', (_what, text, variables) => {
  expect(isRefused(text, variables)).toBe(true);
});
