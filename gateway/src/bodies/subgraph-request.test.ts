import { expect, test } from 'vitest';
import { endOfQuery, entitiesIn, queryIn, variablesIn } from './subgraph-request.ts';

const query =
  'query($representations:[_Any!]!){_entities(representations:$representations){... on P{a(b:"\\",\\"variables\\":{")}}}';
const body = (variables: unknown): string => JSON.stringify({ query, variables });

test('the query ends where it ends, whatever strings are in it', () => {
  const text = body({ x: 1 });
  expect(queryIn(text, endOfQuery(text))).toBe(query);
  expect(variablesIn(text, endOfQuery(text))).toEqual([
    { name: 'x', from: text.length - 3, to: text.length - 2 },
  ]);
});

test('entities are the elements of lists of representations', () => {
  const representations = [
    { __typename: 'P', id: '1', box: { __typename: 'Box', sides: [1, 2] } },
    { __typename: 'P', id: '[{"__typename":' },
  ];
  expect(entitiesIn(body({ ids: ['a', 'b'], representations }))).toBe(2);
  expect(entitiesIn(body({ _v0: representations, _v1: representations.slice(1) }))).toBe(3);
  expect(entitiesIn(body({ ids: ['a'] }))).toBe(0);
  expect(entitiesIn('{"query":"{a}"}')).toBe(0);
});
