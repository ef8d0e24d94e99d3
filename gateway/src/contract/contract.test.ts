import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import {
  buildSchema,
  type GraphQLSchema,
  Kind,
  lexicographicSortSchema,
  parse,
  print,
  printSchema,
  validateSchema,
} from 'graphql';
import { afterAll, describe, expect, test } from 'vitest';
import { readAuthRules } from '../auth/rules.ts';
import { composeSupergraph, partnerContract } from '../composition.ts';
import { createOperations } from '../operations/operations.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import type { Transport } from '../transport/transport.ts';
import { type ContractFilter, contractOf } from './contract.ts';

const imports = '"@key", "@tag", "@authenticated"';
const supergraphOf = (parts: Readonly<Record<string, string>>, more = ''): string => {
  const { supergraphSdl, errors = [] } = composeServices(
    Object.entries(parts).map(([name, text]) => ({
      name,
      url: `http://${name}.subgraph/graphql`,
      typeDefs: parse(`extend schema
        @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports}${more}]) ${text}`),
    })),
  );
  if (!supergraphSdl) throw new Error(errors.map(({ message }) => message).join('\n'));
  return supergraphSdl;
};

/** Sorted, on one line, without directives: planners differ in which of these they tell of. */
const squeezed = (schema: GraphQLSchema): string => {
  expect(validateSchema(schema)).toEqual([]);
  return parse(printSchema(lexicographicSortSchema(schema)))
    .definitions.filter(({ kind }) => kind !== Kind.DIRECTIVE_DEFINITION)
    .map(print)
    .join(' ')
    .replace(/\s+/g, ' ');
};

/** Apollo's own reading, which refuses what is not whole; and what the gateway serves, by either planner. */
const seen = (sdl: string): string[] => [
  squeezed(Supergraph.build(sdl, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema()),
  ...(['rust', 'apollo'] as const).map((planner) => {
    const supergraph = openSupergraph(sdl, { planner });
    supergraph.planner.close();
    return squeezed(supergraph.apiSchema);
  }),
];

const shop = supergraphOf({
  goods: `
    type Query {
      good(id: ID!, by: Direction = UP): Good @tag(name: "out") @tag(name: "inner")
      find(filter: Filter): [Hit] @tag(name: "out")
      staff: Staff
    }
    type Mutation { sell(id: ID!): Good @authenticated change: Int @tag(name: "inner") }
    type Subscription { sold: Good }
    interface Thing { id: ID! }
    interface Priced @tag(name: "out") { price: Int }
    type Good implements Thing & Priced @key(fields: "id") {
      id: ID! @tag(name: "out")
      price: Int @tag(name: "out")
      cost: Int @tag(name: "inner")
      kind: Kind @tag(name: "out") @authenticated
    }
    type Box implements Thing @tag(name: "out") {
      id: ID!
      goods(secret: Int @tag(name: "inner")): [Good!]!
      keeper: String @tag(name: "inner")
    }
    type Staff implements Thing { id: ID! name: String }
    union Hit @tag(name: "out") = Good | Box | Staff
    enum Kind { A B @tag(name: "inner") }
    enum Direction { UP DOWN }
    enum Unused { X }
    input Filter { kind: Kind deeper: Filter margin: Int @tag(name: "inner") }
    scalar Lonely`,
  reviews: `type Query { latest: [Good!] }
    type Good @key(fields: "id") { id: ID! stars: Int @tag(name: "out") authors: [String!] }`,
});

const outside = `
  type Box { goods: [Good!]! id: ID! }
  type Good implements Priced { id: ID! kind: Kind price: Int stars: Int }
  interface Priced { price: Int }
  union Hit = Box | Good
  enum Kind { A }
  input Filter { deeper: Filter kind: Kind }
  type Query { find(filter: Filter): [Hit] }`;

test.each<[string, ContractFilter, string]>([
  ['what is tagged, without what is excluded', { include: ['out'], exclude: ['inner'] }, outside],
  [
    'the arguments, inputs and enums of what is tagged',
    { include: ['out'] },
    `type Box { goods(secret: Int): [Good!]! id: ID! keeper: String }
     type Good implements Priced { id: ID! kind: Kind price: Int stars: Int }
     interface Priced { price: Int }
     union Hit = Box | Good
     enum Kind { A B }
     enum Direction { UP DOWN }
     input Filter { deeper: Filter kind: Kind margin: Int }
     type Query { find(filter: Filter): [Hit] good(id: ID!, by: Direction = UP): Good }`,
  ],
  [
    'everything but what is excluded, and nothing to which nothing leads',
    { include: [], exclude: ['inner'] },
    `type Box implements Thing { goods: [Good!]! id: ID! }
     type Good implements Thing & Priced { authors: [String!] id: ID! kind: Kind price: Int stars: Int }
     type Staff implements Thing { id: ID! name: String }
     interface Thing { id: ID! }
     interface Priced { price: Int }
     union Hit = Box | Good | Staff
     enum Kind { A }
     input Filter { deeper: Filter kind: Kind }
     type Query { find(filter: Filter): [Hit] staff: Staff latest: [Good!] }
     type Mutation { sell(id: ID!): Good }
     type Subscription { sold: Good }`,
  ],
  [
    'what has any of several tags',
    { include: ['inner', 'out', 'none'], exclude: ['gone'] },
    `type Box { goods(secret: Int): [Good!]! id: ID! keeper: String }
     type Good implements Priced { cost: Int id: ID! kind: Kind price: Int stars: Int }
     interface Priced { price: Int }
     union Hit = Box | Good
     enum Kind { A B }
     enum Direction { UP DOWN }
     input Filter { deeper: Filter kind: Kind margin: Int }
     type Query { find(filter: Filter): [Hit] good(id: ID!, by: Direction = UP): Good }
     type Mutation { change: Int }`,
  ],
])('a contract has %s', (_what, filter, expected) => {
  const schema = squeezed(buildSchema(expected));
  expect(seen(contractOf(shop, filter))).toEqual([schema, schema, schema]);
});

test('what is added without a tag is in no contract that names tags', () => {
  const before = supergraphOf({
    a: 'type Query { a: A @tag(name: "out") } type A { x: Int @tag(name: "out") }',
  });
  const after = supergraphOf({
    a: 'type Query { a: A @tag(name: "out") b: B } type A { x: Int @tag(name: "out") y: B } type B { z: Int }',
  });
  expect(seen(contractOf(after, { include: ['out'] }))).toEqual(
    seen(contractOf(before, { include: ['out'] })),
  );
});

test('a contract of a contract has what both have', () => {
  const once = contractOf(shop, { include: ['out'] });
  const twice = contractOf(once, { include: [], exclude: ['inner'] });
  expect(seen(twice)[0]).toBe(squeezed(buildSchema(outside)));
  expect(twice.match(/inaccessible\/v/g)).toHaveLength(1);
});

test('what is inaccessible already stays so, whatever @inaccessible is called there', () => {
  const sdl = supergraphOf(
    { a: 'type Query { a: Int @tag(name: "out") b: Int @tag(name: "out") @hidden }' },
    ', {name: "@inaccessible", as: "@hidden"}',
  );
  const contract = contractOf(sdl, { include: ['out'] });
  expect(seen(contract)).toEqual(Array(3).fill('type Query { a: Int }'));
});

test('who may ask is as it was', () => {
  const sdl = contractOf(shop, { include: ['out'] });
  const { apiSchema, planner } = openSupergraph(sdl, { planner: 'apollo' });
  planner.close();
  const { requirements, needsOf } = readAuthRules(parse(sdl), apiSchema);
  const good = apiSchema.getType('Good') as Parameters<typeof needsOf>[0];
  expect(needsOf(good, 'kind').map((one) => requirements[one])).toEqual([{ kind: 'signedIn' }]);
  expect(needsOf(good, 'price')).toEqual([]);
});

test.each(['rust', 'apollo'] as const)(
  'what it has is planned over the same subgraphs by %s',
  async (planner) => {
    const supergraph = openSupergraph(contractOf(shop, { include: ['out'] }), {
      planner,
      planningMs: 20_000,
    });
    const text = '{ find(filter: { kind: A }) { ... on Good { price stars } ... on Box { goods { id } } } }';
    const plan = JSON.stringify(await supergraph.planner.plan(text, undefined, new AbortController().signal));
    supergraph.planner.close();
    for (const part of ['"goods"', '"reviews"', 'stars']) expect(plan).toContain(part);
  },
);

describe('over the planner of the whole', () => {
  const whole = openSupergraph(shop, { planningMs: 20_000 });
  afterAll(() => whole.planner.close());
  const part = openSupergraph(contractOf(shop, { include: ['out'] }));
  const asked: string[] = [];

  /** Whatever is asked for, a subgraph answers with this. */
  const answerTo = async (query: string, found: object): Promise<unknown> => {
    const transport: Transport<object> = {
      send: (body, _isQuery, _asking, receiver) => {
        asked.push(body);
        receiver.answered(JSON.stringify({ data: found }));
      },
      close: async () => undefined,
    };
    const operations = createOperations<object>({
      supergraph: { ...part, planner: whole.planner },
      transports: new Map([...part.subgraphs.keys()].map((name) => [name, transport])),
    });
    const operation = await operations.prepare(query, undefined, parse(query), {});
    return new Promise((resolve) => {
      operation.run({}, {}, { done: (body) => resolve(JSON.parse(body)) });
    });
  };

  test('a thing of a type that is not in the contract is not told of', async () => {
    const find = [
      { __typename: 'Staff', id: '1', name: 'Ada' },
      { __typename: 'Good', id: '2', price: 3 },
      { __typename: 'Box', id: '3' },
    ];
    const answer = await answerTo('{ find { __typename ... on Good { price } ... on Box { id } } }', {
      find,
    });
    expect(answer).toMatchObject({
      data: { find: [null, { __typename: 'Good', price: 3 }, { __typename: 'Box', id: '3' }] },
    });
    expect(JSON.stringify(answer)).not.toMatch(/Staff|Ada/);
  });

  test('nothing changes by an operation that only the whole knows', async () => {
    asked.length = 0;
    for (const text of ['mutation { sell(id: 1) { id } }', 'subscription { sold { id } }'])
      await expect(answerTo(text, {})).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(asked).toEqual([]);
  });
});

describe('a contract that leads nowhere is refused and says why:', () => {
  test.each<[string, string, string]>([
    ['nothing to ask for', 'type Query { a: Int }', 'nothing that can be asked for is in it'],
    [
      'a type without a field',
      'type Query { a: A @tag(name: "out") } type A { x: Int }',
      'Query.a is shown, and not its type A',
    ],
    [
      'a union without the tag',
      'type Query { a: [U] @tag(name: "out") } union U = A type A @tag(name: "out") { x: Int }',
      'Query.a is shown, and not its type U',
    ],
    [
      'a union of nothing',
      'type Query { a: [U] @tag(name: "out") } union U @tag(name: "out") = A type A { x: Int }',
      'U is shown, and none of its types',
    ],
    [
      'an argument that is needed',
      'type Query { a(x: Int! @tag(name: "in")): Int @tag(name: "out") }',
      'Query.a(x:) is required, and not shown',
    ],
    [
      'an argument of a type that is gone',
      'type Query { a(x: I): Int @tag(name: "out") } input I @tag(name: "in") { y: Int }',
      'Query.a(x:) is shown, and not its type I',
    ],
    [
      'an input field that is needed',
      'type Query { a(x: I): Int @tag(name: "out") } input I { y: Int! @tag(name: "in") z: Int }',
      'I.y is required, and not shown',
    ],
    [
      'an enum without values',
      'type Query { a: E @tag(name: "out") } enum E { X @tag(name: "in") }',
      'E is shown, and nothing of it',
    ],
    [
      'a field that an interface promises',
      `type Query { n: N @tag(name: "out") } interface N @tag(name: "out") { x: Int y: Int }
       type A implements N { x: Int @tag(name: "out") y: Int }`,
      'N.y is shown, and not that of A',
    ],
  ])('%s', (_what, text, message) => {
    expect(() => contractOf(supergraphOf({ a: text }), { include: ['out'], exclude: ['in'] })).toThrow(
      message,
    );
  });
});

describe('the partners’ contract', () => {
  const { supergraph, partner } = composeSupergraph();
  const schema = buildSchema(partner);

  test('is served as it is written down', () => {
    const expected = squeezed(schema);
    expect(seen(contractOf(supergraph, partnerContract))).toEqual([expected, expected, expected]);
  });

  test('has what is sold, what of it is there, and single orders; nothing changes anything', () => {
    expect(Object.keys(schema.getQueryType()!.getFields())).toEqual([
      'categories',
      'order',
      'product',
      'products',
      'searchProducts',
      'variant',
    ]);
    expect(schema.getMutationType() ?? schema.getSubscriptionType()).toBeUndefined();
  });

  test('names no person', () => {
    const types = Object.keys(schema.getTypeMap()).filter((name) => !name.startsWith('__'));
    expect(types).toContain('Order');
    expect(types.filter((name) => /User|Address|Review|Payment|Fraud|Cart|Notification/.test(name))).toEqual(
      [],
    );
    expect(partner).not.toMatch(/customer:|author:|@/);
  });
});
