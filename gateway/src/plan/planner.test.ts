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
  const { planner } = openSupergraph(marketSdl);
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
