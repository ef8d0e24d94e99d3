import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { planCheck, Unbelievable } from './plan-check.ts';
import type { EntityFetch, Path, PlanNode, Requirement } from './query-plan.ts';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5",
  import: ["@key", "@requires", "@external", "@shareable"])`;
const { supergraphSdl } = composeServices(
  Object.entries({
    goods: `${link} type Query { goods: [Good] }
      type Good @key(fields: "id") { id: ID! price: Int size: Size } type Size @shareable { width: Int height: Int }`,
    parcels: `${link}
      type Good @key(fields: "id") {
        id: ID! price: Int @external size: Size @external
        shipping: Int @requires(fields: "price size { width }")
        label: String
      }
      type Size @shareable { width: Int height: Int }`,
  }).map(([name, sdl]) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
);
const check = planCheck(supergraphSdl!);

const path: Path = [{ step: 'key', key: 'goods' }, { step: 'each' }];
const field = (name: string, selections: readonly Requirement[] | null = null, as = name): Requirement => ({
  kind: 'field',
  name,
  as,
  selections,
});
const fetch = (operation: string): PlanNode => ({
  kind: 'fetch',
  subgraph: 'goods',
  operationKind: 'query',
  operation,
  variables: [],
  renames: [],
});
const entities = (
  subgraph: string,
  selected: string,
  selections: readonly Requirement[],
  rest: Partial<EntityFetch['batches'][number]> = {},
): PlanNode => ({
  kind: 'entities',
  subgraph,
  operation: `query($representations:[_Any!]!){_entities(representations:$representations){${selected}}}`,
  variables: [],
  batches: [
    {
      alias: '_entities',
      variable: 'representations',
      paths: [path],
      requires: [{ kind: 'on', type: 'Good', selections }],
      rewrites: [],
      renames: [],
      ...rest,
    },
  ],
});
const sequence = (...nodes: PlanNode[]): PlanNode => ({ kind: 'sequence', nodes });
const parallel = (...nodes: PlanNode[]): PlanNode => ({ kind: 'parallel', nodes });

const key = fetch('{goods{__typename id}}');
const all = [field('__typename'), field('id'), field('price'), field('size', [field('width')])];
const more = entities('goods', '... on Good{price size{width}}', [field('__typename'), field('id')]);
const shipping = entities('parcels', '... on Good{shipping}', all);

test.each<[string, PlanNode]>([
  ['what is required comes first', sequence(key, more, shipping)],
  ['it comes with the first fetch', sequence(fetch('{goods{__typename id price size{width}}}'), shipping)],
  [
    'it comes by several ways',
    sequence(key, parallel(more, entities('parcels', '... on Good{label}', all)), shipping),
  ],
  [
    'under conditions and in fragments',
    sequence(
      fetch(
        'query($a:Boolean!){goods{...F}} fragment F on Good{__typename id ...@include(if:$a){price size{width}}}',
      ),
      entities('parcels', '... on Good{...on Good{a:shipping}}', [
        field('id'),
        { kind: 'on', type: 'Good', selections: all },
      ]),
    ),
  ],
  [
    'under a name of the planner’s own',
    sequence(
      fetch('{goods{__typename id p:price size{width}}}'),
      entities('parcels', '... on Good{shipping}', [
        field('id'),
        field('p', null, 'price'),
        field('size', [field('width')]),
      ]),
    ),
  ],
  [
    'what requires nothing needs nothing',
    sequence(key, entities('parcels', '... on Good{label}', [field('id')])),
  ],
])('a plan is believed where %s', (_, node) => {
  expect(() => check({ source: null, node })).not.toThrow();
});

test.each<[string, PlanNode]>([
  ['what is required comes afterwards', sequence(key, shipping, more)],
  ['it comes at the same time', sequence(key, parallel(shipping, more))],
  ['it comes elsewhere', sequence(fetch('{goods{__typename id} others:goods{price size{width}}}'), shipping)],
  ['a part of it never comes', sequence(fetch('{goods{__typename id price size{height}}}'), shipping)],
  [
    'it comes and is not sent',
    sequence(key, more, entities('parcels', '... on Good{shipping}', all.slice(0, 3))),
  ],
])('a plan is not believed where %s', (_, node) => {
  expect(() => check({ source: null, node })).toThrow(Unbelievable);
});

test('a plan with an operation that is no GraphQL is refused', () => {
  expect(() => check({ source: null, node: fetch('{goods{}}') })).toThrow('Syntax Error');
});

test('a plan that makes a mutation in two calls is not believed', () => {
  const made = (operation: string): PlanNode =>
    ({ ...fetch(operation), operationKind: 'mutation' }) as PlanNode;
  const again: PlanNode = { kind: 'condition', variable: 'a', yes: made('mutation{a}'), no: null };
  expect(() =>
    check({ source: null, node: sequence(made('mutation{a}'), made('mutation{b}')) }),
  ).not.toThrow();
  expect(() => check({ source: null, node: sequence(made('mutation{a b}'), again) })).toThrow(Unbelievable);
  expect(() =>
    check({ source: null, node: { ...again, no: made('mutation{a}') } as PlanNode }),
  ).not.toThrow();
  expect(() => check({ source: null, node: sequence(again, made('mutation{a}')) })).toThrow(Unbelievable);
});
