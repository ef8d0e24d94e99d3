// What the market of the tests sells: the subgraphs' schemas, a few rows, and who answers what.
import { RequestError } from '@orderstream/runtime/errors';

const federation = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5",
  import: ["@key", "@requires", "@external", "@shareable", "@inaccessible", "@interfaceObject", "@provides"])`;

const texts = {
  catalog: `${federation}
scalar Any
enum Colour { RED GREEN SECRET @inaccessible }
interface Media @key(fields: "id") { id: ID! title: String }
type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int! }
type Film implements Media @key(fields: "id") { id: ID! title: String minutes: Int }
type Hidden implements Media @key(fields: "id") @inaccessible { id: ID! title: String }
union Found = Book | Film | Product
type Box { length: Int! width: Int }
type Product @key(fields: "id") {
  id: ID! title: String! weight: Int colour: Colour colours: [Colour!] box: Box @shareable
  details: Any tags: [String!] maker: User label(text: String): String price: Float similar: [Product!]!
}
type User @key(fields: "id", resolvable: false) { id: ID! }
input Where { text: String = "none" colour: Colour numbers: [Int!] inner: Where }
type Query {
  products(ids: [ID!]): [Product]!
  product(id: ID!): Product
  media: [Media]
  found: [Found!]
  grid: [[Int!]!]
  shelves: [[Product!]!]
  echo(text: String, number: Int = 7, float: Float, flag: Boolean, colour: Colour, list: [Int!], where: Where, any: Any): Any
  self: Query @shareable
  colour: Colour
}
type Mutation { add(amount: Int!): Int! log: [String!]! }
type Subscription { productChanged(id: ID!): Product }`,
  reviews: `${federation}
type Product @key(fields: "id") { id: ID! reviews: [Review!]! rating: Float }
type User @key(fields: "id") { id: ID! reviews: [Review!] }
type Review @key(fields: "id") { id: ID! text: String author: User! product: Product! }
type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int! blurb: String }
type Query { latest: [Review!]! liked: [Media] }`,
  users: `${federation}
type User @key(fields: "id") { id: ID! name: String! nick: String friends: [User] }
type Query { me: User }
type Mutation { rename(name: String!): User }`,
  stock: `${federation}
type Box { height: Int }
type Product @key(fields: "id") {
  id: ID! weight: Int @external shipping: Int @requires(fields: "weight") left: Int!
  box: Box @shareable
}
type Query { empty: [Product!] }`,
};

const stockTexts = texts.stock.replace(
  'type Box { height: Int }',
  'type Box { width: Int @shareable height: Int }',
);
const catalogTexts = texts.catalog.replace('width: Int }', 'width: Int @shareable }');

export const marketTexts = { ...texts, catalog: catalogTexts, stock: stockTexts };

type Row = Record<string, unknown> & { id: string };

const products = new Map<string, Row>(
  [
    {
      id: 'p1',
      title: 'Tea "fine"\n',
      weight: 3,
      colour: 'RED',
      colours: ['RED', 'GREEN'],
      maker: { id: 'u1' },
      price: 2.5,
    },
    {
      id: 'p2',
      title: 'Käse 🧀',
      weight: null,
      colour: 'SECRET',
      colours: ['SECRET'],
      maker: { id: 'u2' },
      price: 1,
    },
    {
      id: 'p3',
      title: 'Salt',
      weight: 5,
      colour: null,
      tags: ['a', 'b'],
      details: { deep: [1, { x: null }] },
    },
  ].map((row) => [row.id, { box: { length: 4, width: 2 }, similar: [], ...row }]),
);
products.get('p1')!.similar = [products.get('p2'), products.get('p3')];

const users = new Map<string, Row>(
  [
    { id: 'u1', name: 'Ada', nick: 'a', friends: [{ id: 'u2' }, null, { id: 'u3' }] },
    { id: 'u2', name: 'Bob', nick: null, friends: [] },
    { id: 'u3', name: null, nick: 'nameless', friends: null },
  ].map((row) => [row.id, row]),
);

const reviews = [
  { id: 'r1', text: 'good', author: { id: 'u1' }, product: { id: 'p1' } },
  { id: 'r2', text: 'bad', author: { id: 'u2' }, product: { id: 'p1' } },
  { id: 'r3', text: null, author: { id: 'u1' }, product: { id: 'p2' } },
];

const media = [
  { id: 'm1', title: 'Book', pages: 3 },
  { id: 'm2', title: 'Film' },
  { id: 'm3', hidden: true },
  null,
];

const boom = (what: string): never => {
  throw new RequestError('NOT_FOUND', what);
};

export const resolversFor = (state: { total: number; log: string[] }) => ({
  catalog: {
    Media: {
      __resolveReference: ({ id }: Row) => media.find((one) => one?.id === id) ?? null,
      __resolveType: ({ pages, hidden }: Row) => (hidden ? 'Hidden' : pages ? 'Book' : 'Film'),
    },
    Found: {
      __resolveType: ({ pages, weight }: Row) => (weight !== undefined ? 'Product' : pages ? 'Book' : 'Film'),
    },
    Product: {
      __resolveReference: ({ id }: Row) => products.get(id) ?? null,
      label: (_: Row, { text }: { text?: string }) => text ?? null,
      price: ({ id, price }: Row) => (id === 'p2' ? boom('no price') : price),
    },
    Query: {
      products: (_: unknown, { ids }: { ids?: string[] }) =>
        ids ? ids.map((id) => products.get(id) ?? null) : [...products.values()],
      product: (_: unknown, { id }: { id: string }) =>
        products.get(id) ?? (id === 'gone' ? { id, title: 'Gone' } : null),
      media: () => media,
      found: () => [{ id: 'm1', title: 'Book', pages: 3 }, products.get('p1')],
      grid: () => [[1, 2], [], [3]],
      shelves: () => [[products.get('p1')], [], [products.get('p2'), products.get('p1')]],
      echo: (_: unknown, given: unknown) => given,
      self: () => ({}),
      colour: () => 'SECRET',
    },
    Mutation: {
      add: (_: unknown, { amount }: { amount: number }) => {
        state.log.push(`add ${amount}`);
        if (amount < 0) boom('negative');
        state.total += amount;
        return state.total;
      },
      log: () => state.log,
    },
    Subscription: {
      productChanged: {
        subscribe: async function* (_: unknown, { id }: { id: string }) {
          yield { productChanged: products.get(id) ?? null };
        },
      },
    },
  },
  reviews: {
    Product: {
      __resolveReference: ({ id }: Row) => (id === 'gone' ? null : { id }),
      reviews: ({ id }: Row) => reviews.filter(({ product }) => product.id === id),
      rating: ({ id }: Row) => (id === 'p2' ? boom('no rating') : 4.5),
    },
    User: {
      reviews: ({ id }: Row) => reviews.filter(({ author }) => author.id === id),
    },
    Media: { stars: ({ id }: Row) => (id === 'm1' ? 5 : 2) },
    Query: { latest: () => reviews, liked: () => [{ id: 'm1' }, { id: 'm2' }] },
  },
  users: {
    User: {
      __resolveReference: ({ id }: Row) => users.get(id) ?? null,
      friends: ({ friends }: Row) =>
        (friends as (Row | null)[] | null)?.map((one) => one && users.get(one.id)),
    },
    Query: { me: () => users.get('u1') },
    Mutation: {
      rename: (_: unknown, { name }: { name: string }) => {
        state.log.push(`rename ${name}`);
        return { ...users.get('u1'), name };
      },
    },
  },
  stock: {
    Product: {
      shipping: ({ weight }: { weight?: number | null }) => (weight === undefined ? -1 : (weight ?? 0) * 10),
      left: ({ id }: Row) => (id === 'p3' ? boom('not counted') : 8),
      box: () => ({ width: 2, height: 9 }),
    },
    Query: { empty: () => [] },
  },
});
