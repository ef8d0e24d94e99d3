import { expect, test } from 'vitest';
import { ManifestError, readManifest } from './manifest.ts';

const written = (operations: unknown): string =>
  JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations });

const two = [
  { id: 'a1', name: 'Orders', type: 'query', body: 'query Orders { orders { id } }' },
  { id: 'b2', name: 'Cancel', type: 'mutation', body: 'mutation Cancel { cancel }' },
];

test('a manifest as Apollo’s tools write it is read by id', () => {
  const manifest = readManifest(written(two));
  expect([...manifest.keys()]).toEqual(['a1', 'b2']);
  expect(manifest.get('a1')).toEqual({ id: 'a1', name: 'Orders', body: 'query Orders { orders { id } }' });
});

test('a map of ids to texts is a manifest too', () => {
  expect(readManifest('{"a1":"{orders {id}}"}').get('a1')).toEqual({
    id: 'a1',
    name: null,
    body: '{orders {id}}',
  });
});

const problemsOf = (text: string): readonly string[] => {
  try {
    readManifest(text, 'web.json');
  } catch (error) {
    expect(error).toBeInstanceOf(ManifestError);
    return (error as ManifestError).problems;
  }
  return [];
};

test.each<[string, string, string]>([
  ['text that is no JSON', '{"format":', 'JSON'],
  ['another format', '{"format":"relay","version":1,"operations":[]}', 'format: '],
  [
    'another version',
    '{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}',
    'version: ',
  ],
  ['no operations', '{"format":"apollo-persisted-query-manifest","version":1}', 'operations: '],
  [
    'an operation without a text',
    written([two[0], { id: 'c3', name: 'C', type: 'query' }]),
    'operations[1].body: ',
  ],
  ['an operation without an id', written([{ ...two[0], id: '' }]), 'operations[0].id: '],
  [
    'two operations of one id',
    written([two[0], { ...two[1], id: 'a1' }]),
    'operations[1].id: a1 is the id of another',
  ],
  ['an id without a text', '{"a1":7}', 'a1: '],
  ['a list', '[1]', 'the whole: '],
])('a manifest with %s is refused by its place', (_what, text, place) => {
  const [problem] = problemsOf(text);
  expect(problem).toContain(place);
});

test('a manifest may name an operation twice if it is the same', () => {
  expect(readManifest(written([two[0], two[0]])).size).toBe(1);
});

test('of a manifest that is wrong throughout the first problems are told', () => {
  expect(problemsOf(written(Array.from({ length: 500 }, () => 1)))).toHaveLength(20);
});

test('ids that every object inherits are ids like any other', () => {
  const manifest = readManifest('{"__proto__":"{a}","constructor":"{b}"}');
  expect(manifest.get('toString')).toBeUndefined();
  expect(manifest.get('constructor')?.body).toBe('{b}');
});
