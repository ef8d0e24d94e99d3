// The shop's limits, held against the shop's own schema and what its clients ask.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, parse, separateOperations } from 'graphql';
import { expect, test } from 'vitest';
import { checkCost, costOf } from '../limits/cost.ts';
import { readCostRules } from '../limits/cost-rules.ts';
import { createClasses } from '../shed/classes.ts';
import { gatewaySettings } from './settings.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

const schema = buildSchema(read('gateway/api.graphql'));
const rules = readCostRules(parse(read('gateway/supergraph.graphql')));
const { limits, shedding } = gatewaySettings({}).configuration;
const operations = separateOperations(
  parse(
    globSync('ops/operations/*.graphql', { cwd: root })
      .map((file) => read(file))
      .join('\n'),
  ),
);
const costOfOperation = (name: string, variables: Record<string, unknown> = {}): number =>
  costOf(schema, rules, limits, operations[name]!).estimate(variables);

test('everything that the shop’s own clients ask is within the limits, and by far', () => {
  expect(Object.keys(operations).length).toBeGreaterThan(40);
  for (const name of Object.keys(operations))
    expect([name, costOfOperation(name) <= limits.cost.signedIn / 2]).toEqual([name, true]);
});

test('whoever is not signed in may fill the longest pages that there are', () => {
  for (const name of ['Products', 'SearchProducts']) {
    checkCost(costOfOperation(name, { first: 100 }), false, limits);
    expect(() => costOfOperation(name, { first: 101 })).toThrow('of 100 allowed');
  }
  checkCost(costOfOperation('ProductPage'), false, limits);
});

const page = (inside: string): string => `products(first: 100) { edges { node { ${inside} } } }`;

test.each([
  ['of products in each of a hundred products', `{ ${page(`category { ${page('name')} }`)} }`],
  [
    'of orders in each of a hundred orders',
    '{ orders(first: 100) { edges { node { customer { orders(first: 100) { edges { node { id } } } } } } } }',
  ],
  [
    'of which only the number is shown',
    '{ orders(first: 100) { edges { node { customer { orders(first: 100) { totalCount } } } } } }',
  ],
])('a page %s is too much for anybody', (_what, text) => {
  const cost = costOf(schema, rules, limits, parse(text)).estimate({});
  expect(() => checkCost(cost, true, limits)).toThrow('too complex');
});

test('what is given up when there is too much to do is there, and what orders need is given up last', () => {
  const fields = new Set(
    [schema.getQueryType(), schema.getMutationType()].flatMap((type) => Object.keys(type!.getFields())),
  );
  expect(shedding.classes.flatMap((one) => one.fields).filter((name) => !fields.has(name))).toEqual([]);
  const classes = createClasses(shedding.classes);
  const of = (name: string): string | undefined => {
    const [definition] = operations[name]!.definitions.filter((one) => one.kind === 'OperationDefinition');
    return classes.names[classes.of({ definition: definition!, document: operations[name]! })];
  };
  expect(classes.names).toEqual(['recommendations', 'search', 'browsing', 'orders']);
  expect(['TrackActivity', 'SearchProducts', 'Products', 'Checkout', 'Order', 'MyOrders'].map(of)).toEqual([
    'recommendations',
    'search',
    'browsing',
    'orders',
    'orders',
    'orders',
  ]);
});
