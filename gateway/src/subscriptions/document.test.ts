import { buildSchema, getOperationAST, parse, print, validate } from 'graphql';
import { expect, test } from 'vitest';
import { withMarks } from './marks.ts';
import { resumable } from './resume.ts';
import { hasRootConditions, withoutRootConditions, withoutUnusedVariables } from './root-conditions.ts';

const schema = buildSchema(`
  type Order { id: ID! version: Int! note: String }
  type Parcel { id: ID! at: String }
  type Ticket { label: String }
  union Thing = Order | Parcel
  type Query { a: Int }
  type Subscription {
    order(id: ID!, sinceVersion: Int): Order!
    feed(sinceVersion: Int): Order!
    parcel(id: ID!): Parcel
    ticket: Ticket
    thing: Thing
    count: Int
  }`);

const line = (text: string) => text.replace(/\s+/g, ' ').trim();

const settled = (text: string, variables: Record<string, unknown> = {}) => {
  const document = parse(text);
  const alone = withoutRootConditions(document, getOperationAST(document)!, variables);
  return alone && line(print(withoutUnusedVariables(alone)));
};

test.each([
  ['subscription {count}', 'subscription { count }'],
  ['subscription ($no: Boolean!) {count @skip(if: $no)}', 'subscription { count }'],
  [
    'subscription ($no: Boolean!) {count @include(if: $no) ticket {label}}',
    'subscription { ticket { label } }',
  ],
  ['subscription {...F} fragment F on Subscription {count}', 'subscription { count }'],
  [
    'subscription {ticket {...T} ...F @include(if: $no)} fragment F on Subscription {count} fragment T on Ticket {label}',
    'subscription { ticket { ...T } } fragment T on Ticket { label }',
  ],
  ['subscription {ticket {label} ticket {a: label}}', 'subscription { ticket { label a: label } }'],
])('%s becomes %s', (text, expected) => {
  expect(settled(text, { no: false })).toBe(expected);
});

test.each([
  'subscription {count ticket {label}}',
  'subscription {__typename}',
  'subscription {count @skip(if: true)}',
])('%s does not come down to one field', (text) => {
  expect(settled(text)).toBeNull();
});

test.each([
  ['subscription {order(id: 1) {note @skip(if: $no)}}', false],
  ['subscription {count @skip(if: $no)}', true],
  ['subscription {...F} fragment F on Subscription {... on Subscription @include(if: $no) {count}}', true],
])('%s depends on variables at its root: %s', (text, expected) => {
  const document = parse(text);
  expect(hasRootConditions(document, getOperationAST(document)!)).toBe(expected);
});

test.each([
  ['order(id: 1) {note}', '{"id":"o1","version":7}', { thing: 'o1', version: 7 }],
  ['parcel(id: 1) {at}', '{"id":"p1"}', { thing: 'p1', version: null }],
  ['ticket {label}', null, null],
  ['thing {__typename}', null, null],
  ['count', null, null],
])('events of %s are told apart by id and version where there are such', (selection, told, mark) => {
  const { document, read } = withMarks(schema, parse(`subscription {${selection}}`));
  expect(validate(schema, document)).toEqual([]);
  if (!told) {
    expect(read).toBeNull();
    return;
  }
  const asked = line(print(document));
  const named = told.replace('"id"', '"gatewayId"').replace('"version"', '"gatewayVersion"');
  expect(asked).toContain('gatewayId: id');
  expect(read!(`{"data":{"x":${named}}}`)).toEqual(mark);
  expect(read!('{"data":null,"errors":[]}')).toEqual({ thing: null, version: null });
  expect(read!('{"data":{"x":null}}')).toEqual({ thing: null, version: null });
});

test('a client that uses our names itself is not disturbed', () => {
  const { document, read } = withMarks(
    schema,
    parse('subscription {order(id: 1) {gatewayId: note gatewayVersion_: note}}'),
  );
  expect(validate(schema, document)).toEqual([]);
  const [id, version] = [...print(document).matchAll(/(\w+): (?:id|version)$/gm)].map(([, name]) => name);
  expect(read!(JSON.stringify({ data: { order: { gatewayId: 'n', [id!]: 'o1', [version!]: 3 } } }))).toEqual({
    thing: 'o1',
    version: 3,
  });
});

test.each([
  ['order(id: 1, sinceVersion: 4) {note}', {}, true, 4, 'order(id: 1) { note }'],
  ['order(id: 1, sinceVersion: $v) {note}', { v: 5 }, true, 5, 'order(id: 1) { note }'],
  ['order(id: 1, sinceVersion: $v) {note}', {}, true, null, 'order(id: 1) { note }'],
  ['order(id: 1) {note}', {}, true, null, 'order(id: 1) { note }'],
  ['feed(sinceVersion: 4) {note}', {}, false, null, 'feed(sinceVersion: 4) { note }'],
  ['parcel(id: 1) {at}', {}, false, null, 'parcel(id: 1) { at }'],
])(
  '%s with %j: is the state of one thing: %s, wanted since %s',
  (selection, variables, isState, since, left) => {
    const found = resumable(schema, parse(`subscription {${selection}}`));
    expect([found.isState, found.since(variables), line(print(found.document))]).toEqual([
      isState,
      since,
      `subscription { ${left} }`,
    ]);
  },
);
