// How a subgraph of the bench answers: by graphql-js, whatever a planner may ask. An answer follows from the request's body
// alone (the representations are in it), so each body is answered once and remembered: a call then costs next to nothing.
import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, graphql, parse } from 'graphql';
import { products, reviews, users } from './world.ts';

export const subgraphNames = ['accounts', 'inventory', 'products', 'reviews'] as const;
export type SubgraphName = (typeof subgraphNames)[number];

export const typeDefsOf = (name: SubgraphName): string =>
  readFileSync(new URL(`schemas/${name}.graphql`, import.meta.url), 'utf8');

type Resolver = (source: never, args: never) => unknown;
type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>;

type Key = { readonly id: string };
type Code = { readonly upc: string };
type Stocked = Code & { readonly price?: number; readonly weight?: number };

const userById = ({ id }: Key) => users.find((user) => user.id === id);
const productByUpc = ({ upc }: Code) => products.find((product) => product.upc === upc);
const same = <T>(source: T): T => source;

const resolversOf: Readonly<Record<SubgraphName, Resolvers>> = {
  accounts: {
    Query: { me: () => users[0], user: (_: unknown, key: Key) => userById(key), users: () => users },
    User: { __resolveReference: userById },
  },
  products: {
    Query: { topProducts: (_: unknown, { first }: { readonly first: number }) => products.slice(0, first) },
    Product: { __resolveReference: productByUpc },
  },
  inventory: {
    Product: {
      __resolveReference: same,
      inStock: (product: Code) => productByUpc(product)?.inStock,
      // From what the gateway brought along, never from our own books: a wrong representation makes a wrong answer.
      shippingEstimate: ({ price, weight }: Stocked) => {
        if (price === undefined || weight === undefined) throw new Error('price and weight are required');
        return price > 1_000 ? 0 : Math.round(weight / 2);
      },
    },
  },
  reviews: {
    User: {
      __resolveReference: same,
      username: (user: Key) => userById(user)?.username,
      reviews: ({ id }: Key) => reviews.filter(({ userId }) => userId === id),
    },
    Product: {
      __resolveReference: same,
      reviews: (product: Code) => reviews.filter(({ upc }) => upc === product.upc),
    },
    Review: {
      __resolveReference: ({ id }: Key) => reviews.find((review) => review.id === id),
      product: ({ upc }: Code) => ({ upc }),
      author: ({ userId }: { readonly userId: string }) => ({ id: userId }),
    },
  },
};

const schemaOf = (name: SubgraphName): GraphQLSchema =>
  buildSubgraphSchema([{ typeDefs: parse(typeDefsOf(name)), resolvers: resolversOf[name] as never }]);

/** bodies; far more than three queries can make */
const remembered = 20_000;

/** `body`: JSON of a GraphQL request. At once where it was asked before. */
export type Answerer = (body: string) => string | Promise<string>;

export const openAnswerer = (name: SubgraphName): Answerer => {
  const schema = schemaOf(name);
  const answers = new Map<string, string>();
  const answer = async (body: string): Promise<string> => {
    const { query, variables, operationName } = JSON.parse(body);
    const result = await graphql({ schema, source: query, variableValues: variables, operationName });
    const text = JSON.stringify(result);
    if (answers.size === remembered) answers.clear();
    answers.set(body, text);
    return text;
  };
  return (body) => answers.get(body) ?? answer(body);
};
