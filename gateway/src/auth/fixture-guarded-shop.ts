// A shop with guarded parts, composed of two subgraphs as any supergraph is, and answers to whatever is asked of it.
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import {
  buildSchema,
  type DocumentNode,
  type FieldNode,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  getNamedType,
  getNullableType,
  isAbstractType,
  isListType,
  isObjectType,
  parse,
  printSchema,
} from 'graphql';
import { readAuthRules } from './rules.ts';
import type { Standing } from './standing.ts';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", {name: "@authenticated", as: "@signedIn"}, "@requiresScopes", "@policy"])`;

const parts = {
  orders: `${link}
    type Query {
      order: Order
      orders: [Order!]!
      orderMatrix: [[Order!]]
      nodes: [Node]
      hits: [Hit!]
      named: [Named!]
      report: Report! @requiresScopes(scopes: [["reports:read", "staff"], ["admin"]])
      level: Level
      open: String!
    }
    type Mutation { cancel: Order }
    type Subscription { orderUpdated: Order secretFeed: Order @requiresScopes(scopes: [["staff"]]) }
    interface Node { id: ID! }
    interface Named { name: String title: String! }
    type Order implements Node @key(fields: "id") {
      id: ID!
      note: String @requiresScopes(scopes: [["orders:read"]])
      total: Int! @signedIn
      lines: [Line!]!
      customer: Customer
      risk: Risk
    }
    type Line { sku: String! margin: Int! @policy(policies: [["finance"]]) order: Order! }
    type Customer implements Node & Named @key(fields: "id") @signedIn {
      id: ID! name: String title: String! email: String @policy(policies: [["owner"], ["support", "on-duty"]])
    }
    type Shop implements Node & Named { id: ID! name: String title: String! secret: String! @requiresScopes(scopes: [["staff"]]) }
    type Report { lines: Int! }
    union Hit = Order | Customer | Shop
    enum Level @signedIn { LOW HIGH }
    scalar Risk @requiresScopes(scopes: [["risk:read"]])`,
  stock: `${link}
    type Order @key(fields: "id") { id: ID! weight: Int @requiresScopes(scopes: [["staff"]]) }`,
};

const { supergraphSdl, errors = [] } = composeServices(
  Object.entries(parts).map(([name, text]) => ({
    name,
    url: `http://${name}.subgraph/graphql`,
    typeDefs: parse(text),
  })),
);
if (!supergraphSdl) throw new Error(errors.map(({ message }) => message).join('\n'));

export const supergraph = parse(supergraphSdl);
// Apollo's own reading of a supergraph refuses whatever is for security, unless told that somebody sees to it.
const federated = Supergraph.build(supergraphSdl, { supportedFeatures: null });
export const schema = buildSchema(printSchema(federated.apiSchema().toGraphQLJSSchema()));
export const rules = readAuthRules(supergraph, schema);

export const nobody: Standing = { isSignedIn: false, scopes: new Set(), policies: new Set() };
export const somebody = (scopes: readonly string[] = [], policies: readonly string[] = []): Standing => ({
  isSignedIn: true,
  scopes: new Set(scopes),
  policies: new Set(policies),
});

/** A value for any field, the same each time: lists have two things, abstract types take turns. */
export const answering =
  (
    isRefused: (nodes: readonly FieldNode[]) => boolean = () => false,
  ): GraphQLFieldResolver<unknown, unknown> =>
  (_source, _args, _context, { fieldNodes, returnType, fieldName, schema: of }) => {
    if (isRefused(fieldNodes)) throw new Error('refused');
    const answerOf = (type: typeof returnType, turn: number): unknown => {
      const nullable = getNullableType(type);
      if (isListType(nullable)) return [0, 1, 2].map((index) => answerOf(nullable.ofType, index));
      const named = getNamedType(nullable);
      if (isAbstractType(named)) {
        const possible = of.getPossibleTypes(named);
        return { __typename: possible[turn % possible.length]!.name };
      }
      if (isObjectType(named)) return { __typename: (named as GraphQLObjectType).name };
      if (named.name === 'Int') return turn + 1;
      return named.name === 'Level' ? 'HIGH' : `${fieldName} ${turn}`;
    };
    return answerOf(returnType, 0);
  };

export const asks = (text: string): DocumentNode => parse(text, { noLocation: true });
