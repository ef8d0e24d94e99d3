// What the oracle's graph knows: every field of every thing, with texts, numbers and gaps of all kinds, and seeded mishaps.
import { type GraphQLFieldResolver, type GraphQLOutputType, getNullableType, isListType } from 'graphql';
import { canonical } from './answer.ts';
import { hashOf } from './dice.ts';

export type World = {
  /** where fields fail or are missing; 0 for nowhere */
  readonly mishaps: number;
  /** mutations in the order in which they ran */
  readonly done: string[];
  /** places of the mishaps that were met */
  readonly met: Set<string>;
};

export type Thing = Readonly<Record<string, unknown>> & { readonly __typename: string };

const thing = (type: string, all: readonly Readonly<Record<string, unknown>>[]): Thing[] =>
  all.map((one) => ({ ...one, __typename: type }));

const texts = [
  'plain',
  '',
  'Größe “ü” ✓ 漢字 🎈',
  'quote " backslash \\ slash / tab \t line \n end',
  '\u2028\u2029\u0000\u001f',
  'looks like ","errors":[{"message":"no"}] or null',
  '__proto__',
];
const text = (place: string): string => texts[hashOf(place) % texts.length]!;

const products = thing(
  'Product',
  Array.from({ length: 6 }, (_, index) => ({
    id: `p${index + 1}`,
    sku: `sku-${index % 4}`,
    region: index < 4 ? 'north' : 'süd',
    price: [100, 25, null, 7, 1_999, 0][index],
    size: index === 3 ? null : { width: index === 1 ? null : index * 3, height: 10 - index },
    kind: ['BOOK', 'TOOL', null, 'TOY', 'TOY', 'BOOK'][index],
    maker: index === 4 ? null : `m${(index % 3) + 1}`,
    warehouse: index === 5 ? null : `w${(index % 2) + 1}`,
  })),
);
const makers = thing('Maker', [{ id: 'm1' }, { id: 'm2' }, { id: 'm3' }]);
const books = thing('Book', [
  { id: 'b1', sequel: 'b2', author: 'u1' },
  { id: 'b2', sequel: 'f1', author: 'u2' },
  { id: 'b3', sequel: null, author: null },
]);
const films = thing('Film', [
  { id: 'f1', sequel: 'b3' },
  { id: 'f2', sequel: 'f1' },
]);
const people = thing(
  'Person',
  Array.from({ length: 5 }, (_, index) => ({
    id: `u${index + 1}`,
    email: `u${index + 1}@example.org`,
    nick: index === 3 ? null : text(`u${index + 1} nick`),
  })),
);
const reviews = thing(
  'Review',
  Array.from({ length: 12 }, (_, index) => ({
    id: `r${index + 1}`,
    product: index % 5 === 4 ? null : `p${(index % 6) + 1}`,
    author: index % 7 === 6 ? null : `u${(index % 5) + 1}`,
    media: index % 3 === 0 ? null : ['b1', 'b2', 'b3', 'f1', 'f2'][index % 5],
  })),
);
const warehouses = thing('Warehouse', [
  { code: 'w1', keeper: 'u1' },
  { code: 'w2', keeper: null },
]);
const bins = thing(
  'Bin',
  [1, 2, 3, 4].map((slot) => ({ slot, warehouse: warehouses[slot % 2] })),
);

const everything: Readonly<Record<string, readonly Thing[]>> = {
  Product: products,
  Maker: makers,
  Book: books,
  Film: films,
  Media: [...books, ...films],
  Person: people,
  Review: reviews,
  Warehouse: warehouses,
  Bin: bins,
};

const fits = (have: unknown, want: unknown): boolean =>
  typeof want === 'object' && want !== null
    ? Object.entries(want).every(
        ([key, value]) => key === '__typename' || fits((have as Record<string, unknown>)[key], value),
      )
    : have === want;

const keysOf: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Product: [['id'], ['sku', 'region']],
  Person: [['id'], ['email']],
  Warehouse: [['code']],
  Bin: [['warehouse', 'slot']],
};

/** By the first key that is complete. */
export const entityOf = (type: string, representation: Readonly<Record<string, unknown>>): Thing | null => {
  const key = (keysOf[type] ?? [['id']]).find((fields) => fields.every((field) => field in representation));
  if (!key) throw new Error(`no key of ${type} in ${JSON.stringify(representation)}`);
  return (
    everything[type]!.find((one) => key.every((field) => fits(one[field], representation[field]))) ?? null
  );
};

/** What a field requires is what was brought along for it, and nothing that we know ourselves. */
export const withBrought = (
  entity: Thing,
  { price, size, nick }: Readonly<Record<string, unknown>>,
): Thing => {
  if (entity.__typename === 'Product') return { ...entity, price: price ?? null, size: size ?? null };
  return entity.__typename === 'Person' ? { ...entity, nick: nick ?? null } : entity;
};

export const typeOf = (source: unknown): string => (source as Thing).__typename;

const by = (type: string, id: unknown): Thing | null =>
  id === null || id === undefined
    ? null
    : (everything[type]!.find((one) => (one.id ?? one.code) === id) ?? null);
/** A medium is called the same by who does not know whether it is a book or a film. */
const name = (source: Thing): string =>
  `${source.__typename.replace(/^(Book|Film)$/, 'Media')} ${source.id ?? source.code ?? source.slot}`;
const number = (place: string, below: number): number => hashOf(place) % below;
const few = (type: string, place: string, count: unknown): Thing[] => {
  const all = everything[type]!;
  const from = number(place, all.length);
  const wanted = Math.max(0, Math.min(Number(count ?? 3), 4));
  return Array.from({ length: wanted }, (_, index) => all[(from + index * 2) % all.length]!);
};

type Arguments = Readonly<Record<string, unknown>>;
type Fact = (source: Thing, args: Arguments, world: World) => unknown;

const said =
  (field: string): Fact =>
  (source) =>
    text(`${name(source)} ${field}`);
const linked =
  (type: string, field: string): Fact =>
  (source) =>
    by(type, source[field]);
const several =
  (type: string, field: string): Fact =>
  (source, { first }) =>
    few(type, `${name(source)} ${field}`, first);

const blobs = [
  { a: [1, { b: null }], ключ: 'ü', __typename: 'Not a type' },
  JSON.parse('{"__proto__": {"x": 1}, "constructor": []}'),
  [],
  'text',
  12.5,
  false,
  null,
];

const medium: Readonly<Record<string, Fact>> = {
  title: (source) => `T ${text(name(source))}`,
  sequel: linked('Media', 'sequel'),
  reviews: several('Review', 'reviews'),
  rating: (source, { scale }) => number(`${name(source)} rating`, 5) * Number(scale),
};

const facts: Readonly<Record<string, Readonly<Record<string, Fact>>>> = {
  Query: {
    product: (_, { id }) => by('Product', id),
    products: (_, { first, kinds }) =>
      products
        .filter(({ kind }) => kinds == null || (kinds as unknown[]).includes(kind))
        .slice(0, Math.max(0, Number(first ?? 2))),
    node: (_, { id }) => by('Product', id) ?? by('Maker', id) ?? by('Book', id),
    search: (_, { text: wanted }) => [
      ...few('Product', `${wanted} p`, 2),
      null,
      ...few('Maker', `${wanted} m`, 1),
      ...few('Book', `${wanted} b`, 2),
    ],
    shelves: () => [[products[0], null, products[2]], null, [], [products[4], products[0]]],
    media: () => [books[0], films[0], books[2], films[1]],
    firstFilm: () => films[0],
    bins: () => [...bins, null],
    warehouses: () => warehouses,
    warehouse: (_, { code }) => by('Warehouse', code),
    reviews: (_, { first }) => reviews.slice(0, Math.max(0, Number(first ?? 3))),
    best: () => reviews[2],
    me: () => people[0],
    people: (_, { ids }) =>
      ids == null ? people : people.filter(({ id }) => (ids as unknown[]).includes(id)),
  },
  Mutation: {
    touch: (_, { id }, { done }) => {
      done.push(`touch ${id}`);
      return by('Product', id);
    },
    label: (_, { id, text: label }, { done }) => {
      done.push(`label ${id} ${label}`);
      return `${id}: ${label}`;
    },
    greet: (_, { id, text: greeting }, { done }) => {
      done.push(`greet ${id} ${greeting}`);
      return by('Person', id);
    },
  },
  Product: {
    name: said('name'),
    title: said('title'),
    tags: (source) => [text(`${name(source)} tag`), 'second'],
    remarks: (source) => [null, text(`${name(source)} remark`), null],
    matrix: (source) => [[1, null, number(name(source), 1_000_000)], [], null],
    blob: (source) => blobs[number(`${name(source)} blob`, blobs.length)],
    maker: linked('Maker', 'maker'),
    related: several('Product', 'related'),
    twin: (source) => few('Product', `${name(source)} twin`, 1)[0],
    echo: (_, args) => canonical(args),
    inStock: (source) => number(`${name(source)} stock`, 50),
    // From what was required, in the monolith from the thing itself.
    shipping: ({ price, size }, { express }) =>
      price === null || size === null
        ? null
        : Number(price) + Number((size as Arguments).width ?? 1_000) * (express ? 2 : 1),
    bulky: ({ size }) => size !== null && Number((size as Arguments).height) > 7,
    warehouse: linked('Warehouse', 'warehouse'),
    reviews: several('Review', 'reviews'),
    score: (source) => [0.1, 4.5, -0, 1e21, 1e-7][number(`${name(source)} score`, 5)],
  },
  Maker: {
    name: said('name'),
    products: (source) => products.filter(({ maker }) => maker === source.id),
  },
  Media: medium,
  Book: {
    ...medium,
    pages: (source) => number(`${name(source)} pages`, 900),
    author: linked('Person', 'author'),
  },
  Film: {
    ...medium,
    minutes: (source) => number(`${name(source)} min`, 200),
    cast: several('Person', 'cast'),
  },
  Person: {
    name: said('name'),
    friends: several('Person', 'friends'),
    boss: (source) => few('Person', `${name(source)} boss`, 1)[0],
    mood: (_, { at }) => at,
    favourite: (source) => [products[1], makers[0], people[2], null][number(`${name(source)} favourite`, 4)],
    wishes: several('Product', 'wishes'),
    greeting: ({ nick }, { loud }) => (nick === null ? null : `Hello, ${nick}${loud ? '!' : '.'}`),
    badge: (source) => number(`${name(source)} badge`, 1_000),
    reviews: several('Review', 'reviews'),
  },
  Review: {
    body: said('body'),
    stars: (source) => number(`${name(source)} stars`, 5) + 1,
    product: linked('Product', 'product'),
    author: linked('Person', 'author'),
    about: (source) => [products[0], people[3], null][number(`${name(source)} about`, 3)],
    media: linked('Media', 'media'),
  },
  Warehouse: {
    city: said('city'),
    products: (source) => products.filter(({ warehouse }) => warehouse === source.code),
    bins: (source) => bins.filter(({ warehouse }) => (warehouse as Thing).code === source.code),
    keeper: linked('Person', 'keeper'),
  },
  Bin: { note: said('note'), fill: (source) => Number(source.slot) / 3 },
};

/** Keys, and what others require: without them nobody could tell what belongs to whom. */
const sure = new Set([
  'id',
  'sku',
  'region',
  'email',
  'code',
  'warehouse',
  'slot',
  'price',
  'size',
  'width',
  'height',
  'nick',
]);
const oneMishapIn = 12;

/** A place that is not there, fails, or has a hole: the same for everybody who looks at it. */
const mishap = (value: unknown, place: string, isList: boolean, { met }: World): unknown => {
  const kind = hashOf(place);
  if (kind % oneMishapIn !== 0) return value;
  met.add(place);
  const which = Math.floor(kind / oneMishapIn) % (isList ? 4 : 2);
  if (which === 0) throw new Error(`a mishap: ${place.replace(/^\d+ /, '')}`);
  if (which === 1) return null;
  if (!Array.isArray(value) || value.length === 0) return value;
  return value.toSpliced(value.length - 1, 1, which === 2 ? null : new Error('a mishap in a list'));
};

/** Of an interface object the same as of the things behind it. */
const ownerOf = (type: string, field: string): string =>
  field in medium && facts.Media![field] && ['Book', 'Film'].includes(type) ? 'Media' : type;

export const resolverOf = (
  type: string,
  field: string,
  output: GraphQLOutputType,
): GraphQLFieldResolver<Thing, World> => {
  const fact: Fact = facts[type]?.[field] ?? ((source) => source[field]);
  const isList = isListType(getNullableType(output));
  const owner = ownerOf(type, field);
  return (source, args, world) => {
    const value = fact(source, args, world);
    if (world.mishaps === 0 || sure.has(field)) return value;
    const id = source?.id ?? source?.code ?? source?.slot ?? '';
    return mishap(value, `${world.mishaps} ${owner} ${id}.${field}`, isList, world);
  };
};
