import { composeServices } from '@apollo/composition';
import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { afterAll, expect, test } from 'vitest';
import { CacheHints } from '../cache/cache-hints.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import { createPolicies } from './policy.ts';

const federation = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable", "@composeDirective"])
  @link(url: "https://specs.orderstream.dev/cacheControl/v0.1", import: ["@cacheControl"])
  @composeDirective(name: "@cacheControl")
enum CacheControlScope { PUBLIC PRIVATE }
directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean)
  on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
type Money @shareable { minor: Int! currency: String! }`;

const composed = composeServices(
  Object.entries({
    catalog: `${federation}
      type Query {
        product: Product @cacheControl(maxAge: 60)
        products: [Product!]! @cacheControl(maxAge: 600)
        things: [Thing!]! @cacheControl(maxAge: 50)
        found: [Found!]! @cacheControl(maxAge: 50)
        unsaid: Product
        me: String @cacheControl(maxAge: 30, scope: PRIVATE)
        count: Int
      }
      type Mutation { touch: Product @cacheControl(maxAge: 60) }
      interface Thing { title: String! }
      type Book implements Thing { title: String! @cacheControl(maxAge: 40) }
      type Film implements Thing { title: String! @cacheControl(maxAge: 5) }
      union Found = Book | Film
      type Maker { name: String }
      type Product @key(fields: "id") {
        id: ID!
        name: String @cacheControl(maxAge: 300)
        price: Money @cacheControl(maxAge: 20)
        maker: Maker @cacheControl(inheritMaxAge: true)
      }`,
    depot: `${federation}
      type Product @key(fields: "id") { id: ID! left: Int weight: Int @cacheControl(maxAge: 45) }`,
  }).map(([name, text]) => ({ name, url: `http://${name}/`, typeDefs: parse(text) })),
);
const supergraph = openSupergraph(composed.supergraphSdl!, { planningMs: 10_000 });
afterAll(() => supergraph.planner.close());
const hints = new CacheHints(supergraph.fullSchema);

const keptOf = (text: string, isGuarded = false) => {
  const document = parse(text);
  return { document, definition: getOperationAST(document) as OperationDefinitionNode, isGuarded };
};
const policies = createPolicies({ hints, queryType: 'Query', longestMs: 120_000 });
const policyOf = (text: string) => policies(keptOf(text));

test.each([
  ['{ product { id name } }', 60],
  ['{ product { id } products { id } }', 60],
  ['{ product { price { minor } } }', 20],
  ['{ product { maker { name } } }', 60],
  ['{ product { ...p } } fragment p on Product { price { currency } }', 20],
  ['{ product { name weight } }', 45],
  ['{ products { name } }', 120],
  ['{ __typename product { __typename id } }', 60],
])('an answer may be kept as long as all of its fields: %s', (text, maxAge) => {
  expect(policyOf(text)).toEqual({ maxAge, isPrivate: false });
});

test.each([
  ['{ product { id } count }', 'one field says nothing'],
  [
    '{ product { id left } }',
    'another subgraph says nothing of its field, whatever the first says of its own',
  ],
  ['{ unsaid { id } }', 'nothing is said of it'],
  ['{ __typename }', 'nothing is asked of anybody'],
  ['{ product { id } __schema { types { name } } }', 'the schema is not for everybody'],
  ['mutation { touch { id } }', 'it changes something'],
])('nobody may keep %s: %s', (text) => {
  expect(policyOf(text)).toBeNull();
});

test('what an interface turns out to be counts, and not what it might have said', () => {
  expect(policyOf('{ things { title } }')).toEqual({ maxAge: 5, isPrivate: false });
  expect(policyOf('{ things { ... on Book { title } } }')).toEqual({ maxAge: 40, isPrivate: false });
  expect(policyOf('{ found { __typename ... on Thing { title } } }')).toEqual({
    maxAge: 5,
    isPrivate: false,
  });
});

test('one private part makes the whole private', () => {
  expect(policyOf('{ me product { id } }')).toEqual({ maxAge: 30, isPrivate: true });
});

test('what not everybody may see is kept by nobody', () => {
  expect(policies(keptOf('{ product { id } }', true))).toBeNull();
});

test('nothing is kept for less than a second', () => {
  const short = createPolicies({ hints, queryType: 'Query', longestMs: 999 });
  expect(short(keptOf('{ product { id } }'))).toBeNull();
});

test('it is found once for each operation', () => {
  const kept = keptOf('{ product { id } }');
  expect(policies(kept)).toBe(policies(kept));
});
