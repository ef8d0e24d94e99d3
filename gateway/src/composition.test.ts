import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { breakingChanges } from './api-changes.ts';
import { compose, composeSupergraph, subgraphDocuments } from './composition.ts';
import { borderBreaches, enumBreaches, mutationBreaches, unstatedRules } from './conventions.ts';
import { fixtureDocuments } from './shop/fixture-shop.ts';

const folder = new URL('../', import.meta.url);
const file = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** As committed; as it lies in the folder where there is no git. */
const committed = (name: string): string => {
  try {
    const options = { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] as ('ignore' | 'pipe')[] };
    return execFileSync('git', ['show', `HEAD:./${name}`], options).toString();
  } catch {
    return file(name);
  }
};

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])';
const errors = 'interface UserError { code: String! }';

test('the committed supergraph, API and contract are what the subgraphs compose to', () => {
  const { supergraph, api, partner } = composeSupergraph();
  expect(file('supergraph.graphql')).toBe(supergraph);
  expect(file('api.graphql')).toBe(api);
  expect(file('partner.graphql')).toBe(partner);
});

test('nothing breaks a client or a partner that the committed API and contract serve', () => {
  const { api, partner } = composeSupergraph();
  expect(breakingChanges(committed('api.graphql'), api)).toEqual([]);
  expect(breakingChanges(committed('partner.graphql'), partner)).toEqual([]);
});

test('the supergraph says who may ask, and no word of it is shown to clients', () => {
  const { supergraph, api, partner } = composeSupergraph();
  for (const link of ['authenticated/v0.1", for: SECURITY', 'requiresScopes/v0.1", for: SECURITY'])
    expect(supergraph).toContain(link);
  expect(supergraph).toMatch(
    /bulkRefund\(.*@authenticated @requiresScopes\(scopes: \[\["refunds:write"\]\]\)/,
  );
  expect(supergraph).toMatch(/login\(.*@tag\(name: "everyone"\)/);
  for (const shown of [api, partner])
    expect(shown).not.toMatch(/@(tag|authenticated|requiresScopes|policy|inaccessible)|__|directive /);
});

test('our schemas keep our conventions', () => {
  const documents = subgraphDocuments();
  expect(documents.length).toBeGreaterThanOrEqual(5);
  expect(mutationBreaches(compose(documents).api)).toEqual([]);
  expect(borderBreaches(documents)).toEqual([]);
  expect(enumBreaches(documents)).toEqual([]);
  expect(unstatedRules(documents)).toEqual([]);
});

test('no address stands in the supergraph', () => {
  expect(compose(fixtureDocuments).supergraph).toContain('"http://orders.subgraph/graphql"');
  expect(file('supergraph.graphql')).not.toMatch(/127\.0\.0\.1|localhost/);
});

test('a conflict between subgraphs is named', () => {
  const a = { name: 'a', text: `${link} type Query { a: Int } type T @shareable { x: Int }` };
  const b = { name: 'b', text: `${link} type Query { b: T } type T @shareable { x: String }` };
  expect(() => compose([a, b])).toThrow('T.x');
});

test('a hint stops composition like an error', () => {
  const a = { name: 'a', text: `${link} type Query { a(in: I): Int } input I { x: Int y: Int }` };
  const b = { name: 'b', text: `${link} type Query { b(in: I): Int } input I { x: Int }` };
  expect(() => compose([a, b])).toThrow('field "y" will not be added to "I"');
});

const before = `
  type Query { order(id: ID): Order old: Legacy @deprecated(reason: "gone in May; use order") }
  type Legacy { x: Int } type Order { id: ID! total: Int! sum: Int @deprecated(reason: "use total") status: Status! }
  enum Status { OPEN SHUT HALF @deprecated(reason: "never used") }`;

test.each([
  ['nothing', before, []],
  [
    'a deprecated field and the type only it had',
    before.replace(/old: .*\) }/, '}').replace('type Legacy { x: Int }', ''),
    [],
  ],
  ['a deprecated field of a type', before.replace(/sum: .*\) status/, 'status'), []],
  ['a deprecated value', before.replace(/HALF .*\)/, ''), []],
  ['a field', before.replace('total: Int!', ''), ['Order.total was removed.']],
  ['a value', before.replace('SHUT', ''), ['SHUT was removed from enum type Status.']],
  ['a promise', before.replace('total: Int!', 'total: Int'), ['Order.total changed type from Int! to Int.']],
  ['freedom', before.replace('id: ID)', 'id: ID!)'), ['Query.order arg id has changed type from ID to ID!.']],
])('of what is taken away from clients, %s', (_name, after, broken) => {
  expect(breakingChanges(before, after)).toEqual(broken);
});

test('new fields break nobody', () => {
  expect(breakingChanges(before, before.replace('total: Int!', 'total: Int! tax: Int'))).toEqual([]);
});

test.each([
  [
    'a second argument',
    'doIt(input: DoItInput!, now: Int): DoItResult!',
    'doIt should take (input: DoItInput!)',
  ],
  ['an optional input', 'doIt(input: DoItInput): DoItResult!', 'doIt should take (input: DoItInput!)'],
  ['a nullable result', 'doIt(input: DoItInput!): DoItResult', 'doIt should answer DoItResult!'],
])('a mutation with %s is found', (_name, field, told) => {
  const api = `${errors} type Query { a: Int } type Mutation { ${field} } input DoItInput { a: Int }
    type Done { a: Int } type No implements UserError { code: String! } union DoItResult = Done | No`;
  expect(mutationBreaches(api)).toEqual([expect.stringContaining(told)]);
  expect(mutationBreaches(api.replace(field, 'doIt(input: DoItInput!): DoItResult!'))).toEqual([]);
});

test('a result with two successes or with none is found, in batches as well', () => {
  const start = `${errors} type Query { a: Int } type Mutation { doIt(input: DoItInput!): DoItResult! }
    input DoItInput { a: Int } type Done { a: Int } type Also { a: Int } type No implements UserError { code: String! }`;
  expect(mutationBreaches(`${start} union DoItResult = Done | Also | No`)).toHaveLength(1);
  expect(mutationBreaches(`${start} union DoItResult = No`)).toHaveLength(1);
  const batch =
    'type DoItResult { succeeded: Int! failed: Int! items: [Item!]! } type Item { outcome: Outcome! }';
  expect(mutationBreaches(`${start} ${batch} union Outcome = Done | No`)).toEqual([]);
  expect(mutationBreaches(`${start} ${batch} union Outcome = Done | Also | No`)).toHaveLength(1);
  expect(mutationBreaches(`${start} type DoItResult { count: Int! }`)).toHaveLength(1);
});

test('a promise across a border is found', () => {
  const owner = {
    name: 'users',
    text: 'type User implements Node @key(fields: "id") { id: ID! name: String! }',
  };
  const guest = (fields: string) => ({
    name: 'orders',
    text: `type User @key(fields: "id") { id: ID! ${fields} } type Order implements Node @key(fields: "id") { id: ID! customer: User }`,
  });
  expect(borderBreaches([owner, guest('orders: [Int!]')])).toEqual([]);
  expect(borderBreaches([owner, guest('orders: [Int!]!')])).toEqual([expect.stringContaining('User.orders')]);
  const promised = { ...guest(''), text: guest('').text.replace('customer: User', 'customer: User!') };
  expect(borderBreaches([owner, promised])).toEqual([expect.stringContaining('Order.customer')]);
  expect(borderBreaches([owner, { ...owner, name: 'crm' }])).toEqual([
    expect.stringContaining('owned by users and crm'),
  ]);
});

test('an enum in two subgraphs is found', () => {
  const one = { name: 'a', text: 'enum Size { S M }' };
  expect(enumBreaches([one, { ...one, name: 'b' }])).toEqual(['Size stands in a and b']);
});

test.each([
  ['nothing', 'type Query { a: Int }', ['Query.a in x does not say who may ask']],
  [
    'another tag',
    'type Mutation { a: Int @tag(name: "partner") }',
    ['Mutation.a in x does not say who may ask'],
  ],
  [
    'nothing, in an extension',
    'extend type Subscription { a: Int }',
    ['Subscription.a in x does not say who may ask'],
  ],
  [
    'two things',
    'type Query { a: Int @tag(name: "everyone") @authenticated }',
    ['for everyone, and has @authenticated'],
  ],
  ['everyone', 'type Query { a: Int @tag(name: "partner") @tag(name: "everyone") }', []],
  ['owner', 'type Query { a: Int @tag(name: "owner") }', []],
  ['a person', 'type Query { a: Int @authenticated }', []],
  ['a scope', 'type Query { a: Int @requiresScopes(scopes: [["s"]]) }', []],
  ['nothing, elsewhere', 'type Order { a: Int }', []],
])('of a root field that says %s', (_what, text, told) => {
  expect(unstatedRules([{ name: 'x', text }])).toEqual(told.map((one) => expect.stringContaining(one)));
});
