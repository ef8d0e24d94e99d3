// Pages inside pages multiply: three of a hundred, one in the other, are a million things to load, of a text that is
// short and not deep. What an operation costs is held here against all that it could list.
import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isUnionType,
  parse,
  validate,
} from 'graphql';
import { expect, test } from 'vitest';
import { checkCost, costOf } from './cost.ts';
import { type CostRules, readCostRules } from './cost-rules.ts';
import { defaultLimits } from './limit.ts';

const none: CostRules = { types: new Map(), fields: new Map(), inputs: new Map() };

const shelves = buildSchema(`
  type Query { products(first: Int = 20): Products! categories: [Category!]! }
  type Products { edges: [Edge!]! }
  type Edge { node: Product! }
  type Product { name: String! category: Category! variants: [Variant!]! }
  type Variant { sku: String! product: Product! stock: [Stock!] }
  type Stock { onHand: Int! }
  type Category { name: String! products(first: Int = 20): Products! }
`);
/** what the shop asks of those who have signed in */
const limits = { ...defaultLimits, cost: { anonymous: 4_000, signedIn: 10_000 } };

const refusalOf = (text: string, variables: Record<string, unknown>, isSignedIn: boolean): string | null => {
  const document = parse(text);
  expect(validate(shelves, document)).toEqual([]);
  try {
    checkCost(costOf(shelves, none, limits, document).estimate(variables), isSignedIn, limits);
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const page = (first: string, inside: string): string =>
  `products(first: ${first}) { edges { node { ${inside} } } }`;
const cycle = (first: string, rounds: number): string =>
  rounds === 0 ? 'name' : `category { ${page(first, cycle(first, rounds - 1))} }`;

test.each([
  ['a hundred products with what there is of them', `{ ${page('100', 'variants { stock { onHand } }')} }`],
  ['the shelves with a page of each', '{ categories { products(first: 100) { edges { node { name } } } } }'],
  ['pages of twenty, one in another', `{ ${page('20', cycle('20', 1))} }`],
])('%s are shown to everybody', (_what, text) => {
  expect(refusalOf(text, {}, false)).toBeNull();
});

test.each<[string, string, Record<string, unknown>, string]>([
  ['pages of a hundred, one in another', `{ ${page('100', cycle('100', 1))} }`, {}, 'QUERY_TOO_COMPLEX'],
  ['pages of twenty, two in one another', `{ ${page('20', cycle('20', 2))} }`, {}, 'QUERY_TOO_COMPLEX'],
  ['pages of a hundred, two in one another', `{ ${page('100', cycle('100', 2))} }`, {}, 'QUERY_TOO_COMPLEX'],
  [
    'pages whose length is a variable',
    `query ($n: Int) { ${page('$n', cycle('$n', 2))} }`,
    { n: 100 },
    'QUERY_TOO_COMPLEX',
  ],
  [
    'pages that say no length',
    `query ($n: Int) { ${page('$n', cycle('$n', 2))} }`,
    { n: null },
    'QUERY_TOO_COMPLEX',
  ],
  ['pages longer than any', `{ ${page('100000', cycle('100000', 2))} }`, {}, 'BAD_USER_INPUT'],
  [
    'pages in fragments',
    `{ ...A } fragment A on Query { ${page('100', '...B')} } fragment B on Product { ... on Product { ${cycle('100', 2)} } }`,
    {},
    'QUERY_TOO_COMPLEX',
  ],
  [
    'many pages side by side',
    `{ ${Array.from({ length: 10 }, (_, i) => `p${i}: ${page('100', cycle('20', 1))}`).join(' ')} }`,
    {},
    'QUERY_TOO_COMPLEX',
  ],
  [
    'pages in pages of which nothing is shown but that there are more',
    `{ ${page('100', 'category { products(first: 100) { __typename } }')} }`,
    {},
    'QUERY_TOO_COMPLEX',
  ],
])('%s are too much', (_what, text, variables, code) => {
  expect(refusalOf(text, variables, true)).toBe(code);
});

// The shop's own schema, and queries that nobody would write.

const file = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const shop = buildSchema(file('api.graphql'));
const shopRules = readCostRules(parse(file('supergraph.graphql')));

/** mulberry32: the same queries each time */
const chance = (seed: number): ((n: number) => number) => {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
};

type Fields = ReturnType<GraphQLObjectType['getFields']>;
const isComposite = ({ type }: Fields[string]): boolean => isCompositeType(getNamedType(type));

/** A selection, and how many things it could list. */
type Written = { readonly text: string; readonly listed: number };

const typenames: Written = { text: '{ __typename }', listed: 0 };

/**
 * @param page how long the page is that is being shown, as far as that is known: 1 outside of any
 */
const write = (
  type: GraphQLNamedType,
  depth: number,
  page: number,
  below: (n: number) => number,
): Written => {
  if (isUnionType(type)) {
    const one = type.getTypes()[below(type.getTypes().length)]!;
    const { text, listed } = write(one, depth, page, below);
    return { text: `{ __typename ... on ${one.name} ${text} }`, listed };
  }
  const fields = 'getFields' in type ? Object.values(type.getFields() as Fields).filter(isComposite) : [];
  if (depth > 8 || fields.length === 0) return typenames;
  const parts = Array.from({ length: 1 + below(2) }, (_, at) =>
    writeField(type, fields[below(fields.length)]!, `a${at}`, { depth, page, below }),
  );
  return {
    text: `{ __typename ${parts.map(({ text }) => text).join(' ')} }`,
    listed: parts.reduce((sum, { listed }) => sum + listed, 0),
  };
};

const isList = (type: GraphQLOutputType): boolean => isListType(getNullableType(type));

const writeField = (
  type: GraphQLNamedType,
  field: Fields[string],
  alias: string,
  { depth, page, below }: { depth: number; page: number; below: (n: number) => number },
): Written => {
  const sized = field.args.find(({ name }) => name === 'first');
  const given = [null, undefined, 1 + below(100), 100][below(4)];
  const first = given === undefined ? ((sized?.defaultValue as number | undefined) ?? 100) : (given ?? 100);
  const needed = field.args.filter((one) => String(one.type).endsWith('!') && one.defaultValue === undefined);
  const args = [
    ...needed.map(({ name }) => `${name}: "x"`),
    ...(sized && given !== undefined ? [`first: ${given}`] : []),
  ];
  const declared = shopRules.fields.get(`${type.name}.${field.name}`)?.listSize?.assumedSize;
  const list = isList(field.type);
  const isPage = field.name === 'edges' || field.name === 'nodes';
  const times = list ? (sized ? first : isPage ? page : (declared ?? 5)) : 1;
  const inside = list ? 1 : sized ? first : page;
  const { text, listed } = write(getNamedType(field.type), depth + 1, inside, below);
  // Whoever answers a page has filled it, whatever is shown of it.
  const filled = sized && !list ? Math.max(listed, first) : listed;
  return {
    text: `${alias}: ${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${text}`,
    listed: list ? times * (1 + filled) : filled,
  };
};

test('nothing that the shop could be asked costs less than the things that it could list', () => {
  const below = chance(1);
  let most = 0;
  for (let round = 0; round < 1_000; round++) {
    const { text, listed } = write(shop.getQueryType()!, 1, 1, below);
    const document: DocumentNode = parse(text);
    if (round < 50) expect(validate(shop, document), text).toEqual([]);
    const cost = costOf(shop, shopRules, defaultLimits, document).estimate({});
    if (cost < listed) expect.fail(`${cost} for ${listed} things: ${text}`);
    most = Math.max(most, listed);
  }
  expect(most).toBeGreaterThan(10_000);
});
