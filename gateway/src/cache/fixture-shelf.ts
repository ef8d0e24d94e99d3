// A shop of three subgraphs that says what may be kept, in the test's own process.
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type ExecutionResult, execute, parse, validate } from 'graphql';
import { compileOperation } from '../execute/compile.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import { toText } from '../transport/binary.ts';
import { openInProcessTransport, type SubgraphRequest } from '../transport/in-process.ts';
import type { Transport } from '../transport/transport.ts';
import type { Key } from './entity-keys.ts';

const federation = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.5",
    import: ["@key", "@shareable", "@external", "@requires", "@composeDirective"])
  @link(url: "https://specs.orderstream.dev/cacheControl/v0.1", import: ["@cacheControl"])
  @composeDirective(name: "@cacheControl")
enum CacheControlScope { PUBLIC PRIVATE }
directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean)
  on FIELD_DEFINITION | OBJECT | INTERFACE | UNION`;

const shelfTexts = {
  list: `${federation}
type Product @key(fields: "id") @key(fields: "sku") { id: ID! sku: String! weight: Int }
type Shelf @key(fields: "id") { id: ID! }
type Query { products: [Product!]! shelves: [Shelf!]! }`,
  catalog: `${federation}
type Maker @cacheControl(maxAge: 30) { name: String country: String @cacheControl(maxAge: 5) }
type Plain { text: String }
type Product @key(fields: "id") @cacheControl(maxAge: 900) {
  id: ID!
  name: String @cacheControl(maxAge: 60)
  price(currency: String): Int @cacheControl(maxAge: 10)
  maker: Maker
  note: String @cacheControl(maxAge: 60, scope: PRIVATE)
  left: Int
  plain: Plain
}`,
  depot: `${federation}
type Shelf @key(fields: "id") { id: ID! place: String @cacheControl(maxAge: 60) }
type Product @key(fields: "sku") { sku: String! weight: Int @external shipping: Int @requires(fields: "weight") @cacheControl(maxAge: 60) }`,
};

const composed = composeServices(
  Object.entries(shelfTexts).map(([name, text]) => ({
    name,
    url: `http://${name}.shelf/graphql`,
    typeDefs: parse(text),
  })),
);
if (!composed.supergraphSdl) throw new Error(composed.errors?.map(({ message }) => message).join('\n'));
const shelfSdl = composed.supergraphSdl;

/** One for all: its planner is a process. Whoever uses it closes that. */
export const supergraph = openSupergraph(shelfSdl, { planningMs: 10_000 });

export type Asking = { readonly user: string | null };

export type Called = { readonly subgraph: string; readonly representations: readonly Key[] };

export type Shelf = {
  readonly called: Called[];
  /** what the catalog answers of a product; changed by tests */
  readonly names: Map<string, string | null | Error>;
  /** runs before the catalog answers */
  beforeAnswer: () => Promise<void> | undefined;
  readonly transports: ReadonlyMap<string, Transport<Asking>>;
  readonly ask: (
    transports: ReadonlyMap<string, Transport<Asking>>,
    query: string,
    user?: string | null,
    variables?: Record<string, unknown>,
  ) => Promise<{ data?: unknown; errors?: readonly { message: string; path?: unknown }[] }>;
};

type Product = { id: string; sku: string; weight: number };

export const openShelf = (ids: readonly string[] = ['p1', 'p2', 'p3']): Shelf => {
  const called: Called[] = [];
  const names = new Map<string, string | null | Error>();
  const product = (id: string): Product => ({ id, sku: `sku-${id}`, weight: id.length });

  const named = ({ id }: Product) => {
    const name = names.has(id) ? names.get(id) : `Käse ${id}`;
    if (name === null) return null;
    return {
      id,
      name: () => {
        if (name instanceof Error) throw name;
        return name;
      },
      price: ({ currency }: { currency?: string }) => (currency === 'EUR' ? 2 : 1),
      maker: { name: 'Ann', country: 'UK' },
      note: 'yours',
      left: 7,
      plain: { text: 'plain' },
    };
  };
  const resolvers: Record<string, object> = {
    list: {
      Query: { products: () => ids.map(product), shelves: () => ids.map((id) => ({ id })) },
    },
    catalog: { Product: { __resolveReference: named } },
    depot: {
      Shelf: { __resolveReference: ({ id }: { id: string }) => ({ id, place: `at ${id}` }) },
      Product: {
        __resolveReference: (one: Product) => ({ ...one, shipping: one.weight * 10 }),
      },
    },
  };

  const shelf: Shelf = {
    called,
    names,
    beforeAnswer: () => undefined,
    transports: new Map(
      Object.entries(shelfTexts).map(([name, text]) => {
        const schema = buildSubgraphSchema([{ typeDefs: parse(text), resolvers: resolvers[name] as never }]);
        const answer = (request: SubgraphRequest): ExecutionResult | Promise<ExecutionResult> => {
          const document = parse(request.query);
          const [wrong] = validate(schema, document);
          if (wrong) throw wrong;
          const lists = Object.values(request.variables ?? {}).filter((one) => Array.isArray(one));
          called.push({ subgraph: name, representations: lists.flat() as Key[] });
          return execute({ schema, document, variableValues: request.variables }) as ExecutionResult;
        };
        return [
          name,
          openInProcessTransport<Asking>({
            name,
            timeoutMs: 10_000,
            largestAnswer: 10_000_000,
            execute: (request) => {
              const answered = answer(request);
              const waiting = name === 'catalog' ? shelf.beforeAnswer() : undefined;
              return waiting ? waiting.then(() => answered) : answered;
            },
          }),
        ];
      }),
    ),
    ask: async (transports, query, user = null, variables = {}) => {
      const document = parse(query);
      const [wrong] = validate(supergraph.apiSchema, document);
      if (wrong) throw wrong;
      const plan = await supergraph.planner.plan(query, undefined, new AbortController().signal);
      const operation = compileOperation<Asking>({ supergraph, document, plan, transports });
      const body = await new Promise<string>((resolve) => {
        operation.run(variables, { user }, { done: resolve });
      });
      return JSON.parse(toText(body));
    },
  };
  return shelf;
};
