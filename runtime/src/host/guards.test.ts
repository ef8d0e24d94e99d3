import { type ExecutionResult, graphql, parse, subscribe } from 'graphql';
import { describe, expect, test } from 'vitest';
import { anonymous, type Viewer } from '../viewer.ts';
import { guardsOf } from './guards.ts';
import { subgraphSchema } from './schema.ts';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import:
  ["@key", { name: "@authenticated", as: "@signedIn" }, "@requiresScopes"])
  scalar DateTime scalar Long type Money { formatted: String }`;

const text = `${link}
  type Query {
    open: String
    mine: String @signedIn
    stock: Int! @requiresScopes(scopes: [["stock:read"]])
    reports: String @requiresScopes(scopes: [["reports:read", "staff"], ["admin"]])
    book: Book
    secret: Secret
    risk: Risk
  }
  type Mutation { refund: String @signedIn @requiresScopes(scopes: [["refunds:write"]]) }
  type Subscription { feed: String @requiresScopes(scopes: [["staff"]]) }
  type Book @key(fields: "title") { title: String! margin: Int @requiresScopes(scopes: [["staff"]]) }
  type Secret @signedIn { word: String }
  scalar Risk @signedIn
  extend type Query { later: String @requiresScopes(scopes: [["staff"]]) }`;

const ran: string[] = [];
const told = (name: string, value: unknown) => () => {
  ran.push(name);
  return value;
};

const schema = subgraphSchema(text, {
  Query: {
    open: told('open', 'open'),
    mine: told('mine', 'mine'),
    stock: told('stock', 1),
    reports: told('reports', 'reports'),
    book: () => ({ title: 'Emma', margin: 3 }),
    secret: told('secret', { word: 'x' }),
    risk: told('risk', 'high'),
    later: told('later', 'later'),
  },
  Mutation: { refund: told('refund', 'refunded') },
  Subscription: {
    feed: {
      subscribe: async function* () {
        ran.push('feed');
        yield { feed: 'news' };
      },
    },
  },
  Book: { __resolveReference: (reference: object) => ({ ...reference, margin: 3 }) },
});

const visitor = anonymous('t');
const as = (...scopes: string[]): Viewer => ({ ...visitor, userId: 'u', scopes: new Set(scopes) });
const service = (...scopes: string[]): Viewer => ({ ...visitor, service: 's', scopes: new Set(scopes) });

const outcome = ({ data, errors }: ExecutionResult): unknown =>
  errors ? { data, codes: errors.map(({ extensions, path }) => `${path}: ${extensions.code}`) } : data;

const ask = async (viewer: Viewer, source: string): Promise<unknown> =>
  outcome(await graphql({ schema, source, contextValue: { viewer } }));

describe('a field with a rule', () => {
  test.each<[string, Viewer, string, unknown]>([
    ['everybody', visitor, '{ open }', { open: 'open' }],
    ['a person', as(), '{ mine }', { mine: 'mine' }],
    ['a person with the scope', as('stock:read'), '{ stock }', { stock: 1 }],
    ['a service with the scope', service('stock:read'), '{ stock }', { stock: 1 }],
    ['all scopes of a group', as('reports:read', 'staff'), '{ reports }', { reports: 'reports' }],
    ['another group', as('admin'), '{ reports }', { reports: 'reports' }],
    ['a person with the scope', as('refunds:write'), 'mutation { refund }', { refund: 'refunded' }],
    [
      'a person who asks for what is guarded as a type',
      as(),
      '{ secret { word } }',
      { secret: { word: 'x' } },
    ],
    ['staff, in an extension', as('staff'), '{ later }', { later: 'later' }],
  ])('lets in %s', async (_who, viewer, source, expected) => {
    expect(await ask(viewer, source)).toEqual(expected);
  });

  test.each<[string, Viewer, string, unknown, string[]]>([
    ['nobody', visitor, '{ open mine }', { open: 'open', mine: null }, ['mine: UNAUTHENTICATED']],
    ['nobody, where null may not stand', visitor, '{ stock }', null, ['stock: UNAUTHENTICATED']],
    ['a person without the scope', as('staff'), '{ stock }', null, ['stock: FORBIDDEN']],
    ['half of a group', as('staff'), '{ reports }', { reports: null }, ['reports: FORBIDDEN']],
    ['a service, where a person is needed', service('a'), '{ mine }', { mine: null }, ['mine: FORBIDDEN']],
    [
      'a service, for a person’s work',
      service('refunds:write'),
      'mutation { refund }',
      { refund: null },
      ['refund: FORBIDDEN'],
    ],
    ['a person with one rule of two', as(), 'mutation { refund }', { refund: null }, ['refund: FORBIDDEN']],
    ['an alias of it', visitor, '{ harmless: mine }', { harmless: null }, ['harmless: UNAUTHENTICATED']],
    [
      'a field without a resolver of its own',
      as(),
      '{ book { title margin } }',
      { book: { title: 'Emma', margin: null } },
      ['book,margin: FORBIDDEN'],
    ],
    [
      'what leads to a guarded type',
      visitor,
      '{ secret { word } }',
      { secret: null },
      ['secret: UNAUTHENTICATED'],
    ],
    ['what leads to a guarded scalar', visitor, '{ risk }', { risk: null }, ['risk: UNAUTHENTICATED']],
    ['what an extension adds', as(), '{ later }', { later: null }, ['later: FORBIDDEN']],
  ])('refuses %s, at its place and before its resolver runs', async (_what, viewer, source, data, codes) => {
    ran.length = 0;
    expect(await ask(viewer, source)).toEqual({ data, codes });
    expect(ran).toEqual(source.includes('open') ? ['open'] : []);
  });

  test('is guarded where an entity is looked up by its key', async () => {
    const source =
      '{ _entities(representations: [{ __typename: "Book", title: "Emma" }]) { ... on Book { title margin } } }';
    expect(await ask(as('staff'), source)).toEqual({ _entities: [{ title: 'Emma', margin: 3 }] });
    expect(await ask(as(), source)).toEqual({
      data: { _entities: [{ title: 'Emma', margin: null }] },
      codes: ['_entities,0,margin: FORBIDDEN'],
    });
  });

  test('that streams is refused before it begins', async () => {
    const open = (viewer: Viewer) =>
      subscribe({ schema, document: parse('subscription { feed }'), contextValue: { viewer } });
    ran.length = 0;
    for (const [viewer, code] of [
      [visitor, 'UNAUTHENTICATED'],
      [as(), 'FORBIDDEN'],
    ] as const)
      expect(await open(viewer)).toMatchObject({ errors: [{ extensions: { code } }] });
    expect(ran).toEqual([]);
    const events = await open(as('staff'));
    if (!(Symbol.asyncIterator in events)) throw new Error('refused');
    expect((await events.next()).value).toEqual({ data: { feed: 'news' } });
    await events.return?.(undefined);
  });
});

describe('a schema does not start', () => {
  const schemaOf = (
    definitions: string,
    imports = '"@key", "@authenticated", "@requiresScopes", "@policy"',
  ) =>
    subgraphSchema(`extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports}])
      scalar DateTime scalar Long type Money { formatted: String } ${definitions}`);

  test.each([
    ['a policy', 'type Query { a: Int @policy(policies: [["owner"]]) }', 'Query.a has a @policy'],
    ['no scopes', 'type Query { a: Int @requiresScopes(scopes: []) }', 'Query.a names no scopes'],
    [
      'an empty group',
      'type Query { a: Int @requiresScopes(scopes: [["x"], []]) }',
      'Query.a names no scopes',
    ],
    [
      'an interface',
      'interface N @authenticated { a: Int } type Query implements N { a: Int }',
      'N is of an interface',
    ],
    [
      'its field',
      'interface N { a: Int @authenticated } type Query implements N { a: Int }',
      'N.a is of an interface',
    ],
  ])('with a rule that could not be held: %s', (_what, definitions, message) => {
    expect(() => schemaOf(definitions)).toThrow(message);
  });

  test('with a policy that goes by its full name', () => {
    const definitions = 'type Query { a: Int @federation__policy(policies: [["owner"]]) }';
    expect(() => schemaOf(definitions, '"@key"')).toThrow('Query.a has a @policy');
  });
});

test('rules go by their full names where they are not imported', () => {
  const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
    scalar DateTime scalar Long type Money { formatted: String }
    type Query { a: Int @federation__authenticated b: Int @federation__requiresScopes(scopes: [["s"]]) }`;
  expect([...guardsOf(subgraphSchema(sdl), parse(sdl))]).toEqual([
    ['Query.a', [{ kind: 'signedIn' }]],
    ['Query.b', [{ kind: 'scopes', anyOf: [['s']] }]],
  ]);
});
