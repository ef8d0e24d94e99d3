import { readManifest } from '@orderstream/runtime/manifest';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { checkOperations } from './check.ts';

const schema = buildSchema(`
  type Query { orders(first: Int): [Order] }
  type Order { id: ID!, total: Int, sum: Int @deprecated(reason: "Ask for total.") }`);

const found = (operations: Record<string, string>) =>
  checkOperations(schema, new Map([['partner', readManifest(JSON.stringify(operations))]]));

test('what a new schema would break is told with its place in the text', () => {
  expect(found({ x: '{orders {\n  number\n  id\n}}', y: '{orders {', z: '{orders {id}}' })).toEqual([
    {
      manifest: 'partner',
      id: 'x',
      name: null,
      isBroken: true,
      problems: [
        {
          message: 'Cannot query field "number" on type "Order".',
          line: 2,
          column: 3,
          isBreaking: true,
        },
      ],
    },
    expect.objectContaining({
      id: 'y',
      problems: [expect.objectContaining({ message: expect.stringContaining('Syntax Error'), line: 1 })],
    }),
  ]);
});

test.each([
  ['an argument that is gone', '{ orders(last: 1) { id } }', 'Unknown argument "last"'],
  ['an argument of another type', 'query ($n: String) { orders(first: $n) { id } }', '"$n" of type "String"'],
  ['a kind of operation that is gone', 'mutation { cancel }', 'The schema has no mutations.'],
  ['a type that is gone', '{ orders { ... on Parcel { id } } }', 'Unknown type "Parcel"'],
])('%s breaks an operation', (_what, body, message) => {
  const [finding] = found({ a: body });
  expect(finding).toMatchObject({ isBroken: true, problems: [{ line: 1, isBreaking: true }] });
  expect(finding!.problems[0]!.message).toContain(message);
});

test('what is deprecated is told, and breaks nothing', () => {
  expect(found({ a: '{ orders { sum } }', b: '{ orders { total } }' })).toEqual([
    {
      manifest: 'partner',
      id: 'a',
      name: null,
      isBroken: false,
      problems: [
        {
          message: 'The field Order.sum is deprecated. Ask for total.',
          line: 1,
          column: 12,
          isBreaking: false,
        },
      ],
    },
  ]);
});

test('each manifest is told by what it is called, and each operation by its name', () => {
  const named = (id: string) =>
    readManifest(
      JSON.stringify({
        format: 'apollo-persisted-query-manifest',
        version: 1,
        operations: [{ id, name: 'Gone', type: 'query', body: 'query Gone { gone }' }],
      }),
    );
  const findings = checkOperations(
    schema,
    new Map([
      ['web', named('1')],
      ['console', named('2')],
    ]),
  );
  expect(findings.map(({ manifest, id, name }) => [manifest, id, name])).toEqual([
    ['web', '1', 'Gone'],
    ['console', '2', 'Gone'],
  ]);
});
