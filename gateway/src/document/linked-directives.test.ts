import { Kind, parse } from 'graphql';
import { expect, test } from 'vitest';
import { applicationsOf, linkedName } from './linked-directives.ts';

const cost = 'https://specs.apollo.dev/cost';
const named = (link: string, directive = 'cost'): string | null =>
  linkedName(parse(`schema ${link} { query: Query }`), cost, directive);

test.each([
  ['imported', '@link(url: "https://specs.apollo.dev/cost/v0.1", import: ["@cost"])', 'cost'],
  [
    'imported under another name',
    '@link(url: "https://specs.apollo.dev/cost/v0.1", import: [{name: "@cost", as: "@price"}])',
    'price',
  ],
  ['linked only', '@link(url: "https://specs.apollo.dev/cost/v0.1")', 'cost'],
  ['linked under another name', '@link(url: "https://specs.apollo.dev/cost/v0.1", as: "fee")', 'fee'],
  ['not linked', '@link(url: "https://specs.apollo.dev/costly/v0.1")', null],
])('a directive that is %s has the name that stands in the schema', (_how, link, name) => {
  expect(named(link)).toBe(name);
});

test('a directive that is not the first of its feature is called after both, unless imported', () => {
  expect(named('@link(url: "https://specs.apollo.dev/cost/v0.1")', 'listSize')).toBe('cost__listSize');
  expect(named('@link(url: "https://specs.apollo.dev/cost/v0.1", as: "fee")', 'listSize')).toBe(
    'fee__listSize',
  );
});

test('what composition joins counts like the directive itself', () => {
  const [type] = parse(
    'type A @cost(weight: 1) @join__directive(name: "cost", args: {weight: 2}) { a: Int }',
  ).definitions;
  expect(type?.kind === Kind.OBJECT_TYPE_DEFINITION && applicationsOf(type, 'cost')).toEqual([
    { weight: 1 },
    { weight: 2 },
  ]);
});
