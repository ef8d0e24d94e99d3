import { buildASTSchema, executeSync, parse, print, validate } from 'graphql';
import { expect, test } from 'vitest';
import { createAuthority } from './authority.ts';
import { answering, asks, nobody, rules, schema, somebody, type supergraph } from './fixture-guarded-shop.ts';
import { readAuthRules } from './rules.ts';
import type { Standing } from './standing.ts';

const filtering = createAuthority(schema, rules, 'filter');
const refusing = createAuthority(schema, rules, 'refuse');
const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The operation as it would be planned. */
const planned = (text: string, standing: Standing): string => {
  const document = asks(text);
  expect(validate(schema, document)).toEqual([]);
  const guard = filtering.guard(document, null);
  return squeezed(print(guard ? guard.authorize(standing).document : document));
};

/** What the client is told, and what was executed for it. */
const answered = (text: string, standing: Standing, variables: Record<string, unknown> = {}) => {
  const document = asks(text);
  expect(validate(schema, document)).toEqual([]);
  const { document: allowed, complete } = filtering.guard(document, null)!.authorize(standing);
  expect(validate(schema, allowed)).toEqual([]);
  const { data, errors } = executeSync({
    schema,
    document: allowed,
    variableValues: variables,
    fieldResolver: answering(),
  });
  const answer = { data, ...(errors && { errors: errors.map((one) => one.toJSON()) }) };
  return JSON.parse(JSON.stringify(complete ? complete(answer, variables) : answer));
};

test.each<[string, string, Standing, string]>([
  ['a field', '{order {id note}}', somebody(), '{ order { id } }'],
  ['a field contributed by another subgraph', '{order {id weight}}', somebody(), '{ order { id } }'],
  ['a field of a guarded type', '{order {id customer {id}}}', nobody, '{ order { id } }'],
  ['a field of a guarded enum', '{open level}', nobody, '{ open }'],
  ['a field of a guarded scalar', '{order {id risk}}', somebody(), '{ order { id } }'],
  ['all that was asked of an object', '{order {note}}', nobody, '{ order { __typename } }'],
  ['all that was asked', '{level}', nobody, '{ __typename }'],
  ['a field under another name', '{order {id harmless: note}}', nobody, '{ order { id } }'],
  [
    'a field in a fragment by name',
    '{order {...F}} fragment F on Order {id note}',
    nobody,
    '{ order { ...F } } fragment F on Order { id }',
  ],
  ['a field in an inline fragment', '{order {... {id note}}}', nobody, '{ order { ... { id } } }'],
  [
    'a fragment that only a refused field used, and its variable',
    'query ($yes: Boolean!) {open order {customer {...F}}} fragment F on Customer {name @include(if: $yes)}',
    nobody,
    'query { open order { __typename } } fragment',
  ],
  [
    'a guarded type of an interface',
    '{hits {... on Customer {id} ... on Shop {id}}}',
    nobody,
    '{ hits { ... on Customer { __typename } ... on Shop { id } __typename } }',
  ],
  [
    'a field of an interface that guarded types have',
    '{hits {... on Named {name}}}',
    nobody,
    '{ hits { ... on Named { __typename } __typename } }',
  ],
  ['an interface that guarded types have', '{open named {name}}', nobody, '{ open }'],
  ['a scope of two', '{open report {lines}}', somebody(['staff']), '{ open }'],
  [
    'a policy of two',
    '{order {customer {id email}}}',
    somebody([], ['support']),
    '{ order { customer { id } } }',
  ],
])('%s that may not be seen is not planned', (_what, text, standing, expected) => {
  expect(planned(text, standing)).toBe(expected.replace(/^query \{ (.*) \} fragment$/, '{ $1 }'));
});

test.each<[string, string, Standing]>([
  ['what everybody may see', '{open order {id lines {sku}}}', nobody],
  ['what whoever signed in may see', '{level order {total customer {name}}}', somebody()],
  ['both scopes of a pair', '{report {lines}}', somebody(['reports:read', 'staff'])],
  ['the other alternative', '{report {lines}}', somebody(['admin'])],
  ['the policies of a pair', '{order {customer {email}}}', somebody([], ['support', 'on-duty'])],
  ['the type of anything', '{hits {__typename}}', nobody],
  ['the schema', '{__schema {types {name fields {name}}}}', nobody],
])('%s is planned as it came', (_what, text, standing) => {
  expect(planned(text, standing)).toBe(squeezed(print(parse(text))));
});

test('an operation without guarded parts needs no guard', () => {
  expect(filtering.guard(asks('{open order {id lines {sku order {id}}}}'), null)).toBeNull();
});

test('refused fields are null, in the order they were asked for, with an error at their place', () => {
  expect(answered('{order {note id weight}}', somebody())).toEqual({
    data: { order: { note: null, id: 'id 0', weight: null } },
    errors: [
      {
        message: 'You may not do this.',
        path: ['order', 'note'],
        extensions: { code: 'FORBIDDEN', retryable: false },
      },
      {
        message: 'You may not do this.',
        path: ['order', 'weight'],
        extensions: { code: 'FORBIDDEN', retryable: false },
      },
    ],
  });
  expect(JSON.stringify(answered('{order {note id weight}}', somebody()).data)).toBe(
    '{"order":{"note":null,"id":"id 0","weight":null}}',
  );
});

test('whoever is not signed in is asked to sign in', () => {
  const { errors } = answered('{order {note}}', nobody);
  expect(errors).toEqual([
    {
      message: 'Sign in first.',
      path: ['order', 'note'],
      extensions: { code: 'UNAUTHENTICATED', retryable: false },
    },
  ]);
});

test('a refused field that may not be null takes what is around it, place by place', () => {
  const { data, errors } = answered('{open orders {id total} orderMatrix {id total}}', nobody);
  expect(data).toBeNull();
  const nullable = answered('{open order {total} orderMatrix {id lines {sku margin}}}', nobody);
  expect(nullable.data).toEqual({ open: 'open 0', order: null, orderMatrix: [null, null, null] });
  expect(nullable.errors.length).toBeGreaterThan(2);
  expect(errors[0].path).toEqual(['orders', 0, 'total']);
});

test('in a list of several types only those that have the refused field are touched', () => {
  const { data, errors } = answered(
    '{hits {... on Order {id} ... on Customer {name} ... on Shop {id}}}',
    nobody,
  );
  expect(data).toEqual({ hits: [{ id: 'id 0' }, { name: null }, { id: 'id 0' }] });
  expect(errors.map(({ path }: { path: unknown }) => path)).toEqual([['hits', 1, 'name']]);
});

test('a refused field that is skipped is neither null nor an error', () => {
  const text = 'query ($staff: Boolean!) {order {id note @include(if: $staff) weight @skip(if: true)}}';
  expect(answered(text, nobody, { staff: false })).toEqual({ data: { order: { id: 'id 0' } } });
  expect(answered(text, nobody, { staff: true }).data).toEqual({ order: { id: 'id 0', note: null } });
});

test('a field that goes by the name of a type is not taken for it', () => {
  const text = '{hits {... on Shop {__typename: id} ... on Order {__typename: id note}}}';
  expect(answered(text, nobody).data).toEqual({
    hits: [{ __typename: 'id 0', note: null }, {}, { __typename: 'id 0' }],
  });
});

test('what the subgraphs answered without being asked is not shown', () => {
  const { complete } = filtering.guard(asks('{order {id note}}'), null)!.authorize(nobody);
  const leaky = complete!({ data: { order: { id: '1', note: 'secret' } } }, {});
  expect(JSON.stringify(leaky)).not.toContain('secret');
});

test('an answer without data stays as it is', () => {
  const { complete } = filtering.guard(asks('{order {id note}}'), null)!.authorize(nobody);
  const failed = { data: null, errors: [{ message: 'A part of the shop is not reachable.' }] };
  expect(complete!(failed, {})).toBe(failed);
});

test('errors of a long list are told by place a hundred times, and then once', () => {
  const { complete } = filtering.guard(asks('{hits {... on Order {note}}}'), null)!.authorize(nobody);
  const hits = Array.from({ length: 1_000 }, () => ({ __typename: 'Order' }));
  const { data, errors } = complete!({ data: { hits } }, {});
  expect(data!.hits).toEqual(hits.map(() => ({ note: null })));
  expect(errors).toHaveLength(101);
  expect(errors!.at(-1)!.path).toEqual(['hits', 'note']);
});

test('refused paths are told without an answer', () => {
  const { refused } = filtering
    .guard(asks('{a: order {...F} b: order {...F}} fragment F on Order {lines {m: margin}}'), null)!
    .authorize(nobody);
  expect(refused).toEqual([
    { path: ['a', 'lines', 'm'], code: 'UNAUTHENTICATED' },
    { path: ['b', 'lines', 'm'], code: 'UNAUTHENTICATED' },
  ]);
});

test('a mutation runs for its effect though its answer may not be seen', () => {
  expect(planned('mutation {cancel {note}}', nobody)).toBe('mutation { cancel { __typename } }');
});

test('a subscription to what may not be seen is refused, and one to a part of it is not', () => {
  const guardOf = (text: string) => filtering.guard(asks(text), null)!;
  expect(() => guardOf('subscription {secretFeed {id}}').authorize(somebody())).toThrow('secretFeed');
  expect(guardOf('subscription {orderUpdated {id note}}').authorize(somebody()).refused).toHaveLength(1);
});

test('where a part refused means all refused, the request fails and says which', () => {
  const guard = refusing.guard(asks('{open order {id note weight}}'), null)!;
  expect(() => guard.authorize(nobody)).toThrow(
    expect.objectContaining({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('order.note, order.weight'),
    }),
  );
  expect(() => guard.authorize(somebody(['staff']))).toThrow(
    expect.objectContaining({ code: 'FORBIDDEN', message: 'You may not ask for order.note.' }),
  );
  expect(guard.authorize(somebody(['staff', 'orders:read'])).refused).toEqual([]);
});

test('those who may see the same share a key, others do not', () => {
  const guard = filtering.guard(asks('{order {note total}}'), null)!;
  expect(guard.keyFor(somebody(['orders:read', 'a']))).toBe(guard.keyFor(somebody(['orders:read', 'b'])));
  const keys = [nobody, somebody(), somebody(['orders:read'])].map(guard.keyFor);
  expect(new Set(keys).size).toBe(3);
});

test('those who are asked to sign in share no key with those who are told no', () => {
  const guard = filtering.guard(asks('{order {note}}'), null)!;
  const told = [nobody, somebody(['stock:read'])].map((standing) => ({
    key: guard.keyFor(standing),
    code: guard.authorize(standing).refused[0]?.code,
  }));
  expect(told.map(({ code }) => code)).toEqual(['UNAUTHENTICATED', 'FORBIDDEN']);
  expect(new Set(told.map(({ key }) => key)).size).toBe(2);
  expect(guard.keyFor(somebody(['a']))).toBe(guard.keyFor(somebody(['b'])));
});

test('a list of scopes that somebody forgot to fill opens nothing', () => {
  const forgotten = parse(`
    schema @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY) { query: Query }
    type Query { none: Int @requiresScopes(scopes: []) empty: Int @requiresScopes(scopes: [[]]) }`);
  const authority = createAuthority(schema, readAuthRules(forgotten, schema), 'filter');
  expect(rules.requirements.length).toBeGreaterThan(5);
  expect(authority.guard(asks('{open}'), null)).toBeNull();
  for (const field of ['none', 'empty'])
    expect(
      readAuthRules(forgotten, parseSchemaOf(forgotten)).needsOf(queryOf(forgotten), field),
    ).toHaveLength(1);
});

const parseSchemaOf = (document: typeof supergraph) => buildASTSchema(document, { assumeValid: true });
const queryOf = (document: typeof supergraph) => parseSchemaOf(document).getQueryType()!;

test('the operation that is named is the one that is guarded', () => {
  const document = asks('query A {open} query B {order {note}}');
  expect(filtering.guard(document, 'A')).toBeNull();
  const { document: allowed } = filtering.guard(document, 'B')!.authorize(nobody);
  expect(squeezed(print(allowed))).toBe('query B { order { __typename } }');
});
