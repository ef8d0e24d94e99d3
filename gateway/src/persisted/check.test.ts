import { readManifest } from '@orderstream/runtime/manifest';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { checkOperations } from './check.ts';

const written = (operations: unknown): string =>
  JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations });

const two = [
  { id: 'a1', name: 'Orders', type: 'query', body: 'query Orders { orders { id } }' },
  { id: 'b2', name: 'Cancel', type: 'mutation', body: 'mutation Cancel { cancel }' },
];

test('what a new schema would break is told, operation by operation', () => {
  const schema = buildSchema('type Query { orders: [Order] } type Order { id: ID! }');
  const manifests = new Map([
    ['web', readManifest(written(two))],
    ['partner', readManifest('{"x":"{orders {\\n  number\\n  id\\n}}","y":"{orders {","z":"{orders {id}}"}')],
  ]);
  expect(checkOperations(schema, manifests)).toEqual([
    { manifest: 'web', id: 'b2', name: 'Cancel', problems: [expect.stringContaining('mutation')] },
    {
      manifest: 'partner',
      id: 'x',
      name: null,
      problems: ['Cannot query field "number" on type "Order". (line 2)'],
    },
    { manifest: 'partner', id: 'y', name: null, problems: [expect.stringContaining('Syntax Error')] },
  ]);
});
