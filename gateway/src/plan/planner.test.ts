import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { marketSdl } from '../execute/fixture-market.ts';
import { plannerOf } from './planner.ts';
import { planText } from './query-plan.ts';
import { openSupergraph } from './supergraph.ts';

const patient = () => new AbortController().signal;

test.each(['rust', 'apollo'] as const)(
  '%s: the supergraph knows its subgraphs and hides what is not for clients',
  (planner) => {
    const { subgraphs, apiSchema, fullSchema } = openSupergraph(marketSdl, { planner });
    expect([...subgraphs]).toEqual(
      ['catalog', 'reviews', 'stock', 'users'].map((name) => [
        name,
        { url: `http://${name}.market/graphql` },
      ]),
    );
    expect(apiSchema.getType('Hidden')).toBeUndefined();
    expect(apiSchema.getType('join__Graph')).toBeUndefined();
    expect(fullSchema.getType('Hidden')).toBeDefined();
  },
);

test.each(['rust', 'apollo'] as const)(
  '%s: a question to two subgraphs is planned as a fetch and its entities',
  async (planner) => {
    const supergraph = openSupergraph(marketSdl, { planner, planningMs: 10_000 });
    const plan = await supergraph.planner.plan('{ product(id: "p1") { title left } }', undefined, patient());
    expect(plan.source).toBeNull();
    expect(plan.node).toMatchObject({
      kind: 'sequence',
      nodes: [
        { kind: 'fetch', subgraph: 'catalog', operationKind: 'query' },
        {
          kind: 'entities',
          subgraph: 'stock',
          batches: [{ alias: '_entities', paths: [[{ step: 'key', key: 'product' }]] }],
        },
      ],
    });
    expect(planText(plan)).toContain('Entities(stock, product)');
  },
);

test('several entity fetches to one subgraph are one call with several lists', async () => {
  const { planner } = openSupergraph(marketSdl);
  const query = '{ latest { author { nick } } product(id: "p1") { maker { name } } }';
  const text = planText(await planner.plan(query, undefined, patient()));
  expect(text.match(/Entities\(users/g)).toHaveLength(1);
});

test('the chosen operation of a document is planned', async () => {
  const { planner } = openSupergraph(marketSdl);
  const plan = await planner.plan('query A { me { name } } query B { colour }', 'B', patient());
  expect(plan.node).toMatchObject({ kind: 'fetch', subgraph: 'catalog' });
});

test.each([
  ['{ __typename }'],
  [
    '{ __schema { types { name } } ...A } fragment A on Query { __type(name: "Product") { name } b: __typename }',
  ],
  ['{ me @skip(if: true) { name } ... @include(if: false) { colour } }'],
])('%s needs no subgraph', async (query) => {
  const { planner } = openSupergraph(marketSdl);
  expect(await planner.plan(query, undefined, patient())).toEqual({ source: null, node: null });
});

test('an operation that cannot be planned is refused with a code', async () => {
  // Its process has to start first, which takes its time on a busy machine.
  const { planner } = openSupergraph(marketSdl, { planningMs: 20_000 });
  await expect(planner.plan('{ nothing }', undefined, patient())).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('a plan that takes too long is given up', async () => {
  const planner = plannerOf(() => new Promise(() => {}), 20);
  await expect(planner.plan('{ me { name } }', undefined, patient())).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
  const impatient = AbortSignal.abort();
  await expect(planner.plan('{ me { name } }', undefined, impatient)).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
});

test('what is no supergraph is refused', () => {
  expect(() => openSupergraph('type Query { a: Int }')).toThrow();
});

// A field that requires others of its own subgraph, reached through an object of the same subgraph.
const deadlySdl = (): string => {
  const federation =
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@requires", "@external"])';
  const { supergraphSdl, errors } = composeServices(
    [
      {
        name: 'goods',
        text: `type Product @key(fields: "id") @key(fields: "sku region") { id: ID! sku: ID! region: String! price: Int size: Size warehouse: Warehouse }
          type Size { width: Int } type Warehouse @key(fields: "code") { code: ID! }
          type Query { product(id: ID!): Product }`,
      },
      {
        name: 'stock',
        text: `type Product @key(fields: "id") @key(fields: "sku region") { id: ID! sku: ID! region: String! price: Int @external size: Size @external
            shipping: Int @requires(fields: "price size { width }") warehouse2: Warehouse }
          type Size @external { width: Int } type Warehouse @key(fields: "code") { code: ID! keeper: User bins: [Product!] }
          type User @key(fields: "id") { id: ID! }`,
      },
      {
        name: 'people',
        text: 'type User @key(fields: "id") { id: ID! wishes: [Product!] } type Product @key(fields: "id") { id: ID! }',
      },
    ].map(({ name, text }) => ({ name, url: `http://${name}`, typeDefs: parse(`${federation}\n${text}`) })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  return supergraphSdl;
};

test('an operation that ends the Rust planner is planned by the other one, and everybody else goes on', async () => {
  const { planner } = openSupergraph(deadlySdl(), { planningMs: 20_000 });
  const deadly = '{ product(id: "p1") { warehouse { keeper { wishes { shipping } } bins { shipping } } } }';
  const harmless = '{ product(id: "p1") { sku } }';
  const [first, second, third] = await Promise.all(
    [deadly, harmless, deadly].map((query) => planner.plan(query, undefined, patient())),
  );
  expect(planText(first!)).toContain('Entities(stock');
  expect(second!.node).toMatchObject({ kind: 'fetch', subgraph: 'goods' });
  expect(third).toEqual(first);
  planner.close();
});

test('a planner that is gone comes back', async () => {
  const { planner } = openSupergraph(marketSdl, { planningMs: 20_000 });
  await planner.plan('{ me { name } }', undefined, patient());
  planner.close();
  expect((await planner.plan('{ colour }', undefined, patient())).node).toMatchObject({
    subgraph: 'catalog',
  });
});
