import { buildSchema, parse } from 'graphql';
import { expect, test } from 'vitest';
import { shapeOf } from '../parse/shape.ts';
import { onlyOperation } from '../plan/plannable.ts';
import type { EntityFetch, Fetch, Path, QueryPlan } from '../plan/query-plan.ts';
import { stubPlaces } from './stubs.ts';

const schema = buildSchema(`
  interface Post { id: ID! author: User }
  type Note implements Post { id: ID! author: User }
  type Photo implements Post { id: ID! author: User }
  type User { id: ID! name: String address: Address }
  type Address { city: String }
  type Query { notes: [Note] posts: [Post] }`);

const pathOf = (text: string): Path =>
  text.split('.').map((one) => (one === '@' ? { step: 'each' } : { step: 'key', key: one }));

const first = (operation: string): Fetch => ({
  kind: 'fetch',
  subgraph: 'a',
  operationKind: 'query',
  operation,
  variables: [],
  renames: [],
});

const entities = (path: string, fields: string[]): EntityFetch => ({
  kind: 'entities',
  subgraph: 'b',
  operation:
    'query($representations:[_Any!]!){_entities(representations:$representations){...on User{name}}}',
  variables: [],
  batches: [
    {
      alias: '_entities',
      variable: 'representations',
      paths: [pathOf(path)],
      requires: [
        {
          kind: 'on',
          type: 'User',
          selections: fields.map((name) => ({ kind: 'field', name, as: name, selections: null })),
        },
      ],
      rewrites: [],
      renames: [],
    },
  ],
});

const stubsOf = (client: string, ...nodes: [Fetch, ...EntityFetch[]]): string[] => {
  const plan: QueryPlan = { source: null, node: { kind: 'sequence', nodes } };
  const { operation, fragments } = onlyOperation(parse(client), undefined);
  const asked = { rootType: schema.getQueryType()!, selectionSet: operation.selectionSet, fragments };
  return [...stubPlaces(plan, asked, (text) => shapeOf(text, schema, schema))];
};

test('what only names an entity is one object however often it stands there', () => {
  const fetch = first('{notes{author{__typename id}}}');
  expect(stubsOf('{ notes { author { name } } }', fetch, entities('notes.@.author', ['id']))).toEqual([
    'notes.author',
  ]);
});

test('what says more of an entity stays apart', () => {
  const fetch = first('{notes{author{__typename id address{city}}}}');
  const client = '{ notes { author { name address { city } } } }';
  expect(stubsOf(client, fetch, entities('notes.@.author', ['id']))).toEqual([]);
});

test('what an earlier fetch has filled is not looked at again', () => {
  const fetch = first('{notes{author{__typename id}}}');
  const twice = entities('notes.@.author', ['id', 'name']);
  const client = '{ notes { author { name } } }';
  expect(stubsOf(client, fetch, entities('notes.@.author', ['id']), twice)).toEqual(['notes.author']);
  expect(
    stubsOf(client, first('{notes{author{__typename id name}}}'), entities('notes.@.author', ['id'])),
  ).toEqual([]);
});

test('where the type of a post decides what is asked of its author, authors stay apart', () => {
  const fetch = first('{posts{__typename author{__typename id}}}');
  const client = '{ posts { ... on Note { author { a: name } } ... on Photo { author { a: id } } } }';
  expect(stubsOf(client, fetch, entities('posts.@.author', ['id']))).toEqual([]);
});
