import { RequestError } from '@orderstream/runtime/errors';
import { expect, test } from 'vitest';
import { type Answered, openMarket } from './fixture-market.ts';

const market = openMarket();

const down = () => {
  throw new Error('connection refused');
};

const placesOf = ({ errors }: Answered): string[] =>
  (errors ?? []).map(({ path }) => (path as (string | number)[] | undefined)?.join('.') ?? '-').sort();

const codesOf = ({ errors }: Answered): unknown[] =>
  (errors ?? []).map(({ extensions }) => (extensions as { code?: string }).code);

test('what a subgraph says of a root field is told at its place, in its words', async () => {
  const { data, errors, hasErrors } = await market.ask(
    '{ all: products(ids: ["p2", "p1"]) { id cost: price } }',
  );
  expect(data).toEqual({
    all: [
      { id: 'p2', cost: null },
      { id: 'p1', cost: 2.5 },
    ],
  });
  expect(errors).toEqual([
    {
      message: 'no price',
      path: ['all', 0, 'cost'],
      extensions: { code: 'NOT_FOUND', retryable: false },
    },
  ]);
  expect(hasErrors).toBe(true);
});

test('what a subgraph says of an entity is told at every place where the entity stands', async () => {
  const answer = await market.ask(`{
    latest { product { stars: rating } }
    shelves { rating }
    product(id: "p1") { similar { rating } }
  }`);
  expect(placesOf(answer)).toEqual([
    'latest.2.product.stars',
    'product.similar.0.rating',
    'shelves.2.0.rating',
  ]);
  expect(answer.data).toMatchObject({
    shelves: [[{ rating: 4.5 }], [], [{ rating: null }, { rating: 4.5 }]],
  });
});

test('equal entities of one list are one call, and an error of theirs is told at each', async () => {
  const broken = openMarket({
    stubs: {
      users: (request) => ({
        data: {
          _entities: (request.variables!.representations as unknown[]).map((_, at) => ({
            nick: at ? 'b' : null,
          })),
        },
        errors: [{ message: 'no nick', path: ['_entities', 0, 'nick'] }],
      }),
    },
  });
  const answer = await broken.ask('{ latest { author { nick } } }');
  expect(answer.data).toEqual({
    latest: [{ author: { nick: null } }, { author: { nick: 'b' } }, { author: { nick: null } }],
  });
  expect(placesOf(answer)).toEqual(['latest.0.author.nick', 'latest.2.author.nick']);
});

test('a place below an entity keeps its path', async () => {
  const broken = openMarket({
    stubs: {
      reviews: async (request, real) => {
        const { data } = (await real()) as { data: { _entities: { reviews: unknown[] }[] } };
        if (!request.query.includes('_entities')) return { data };
        data._entities[0]!.reviews = [{ id: 'r1', text: null }];
        return { data, errors: [{ message: 'faded', path: ['_entities', 0, 'reviews', 0, 'text'] }] };
      },
    },
  });
  const answer = await broken.ask('{ products(ids: ["p1", "p2", "p1"]) { reviews { id text } } }');
  expect(placesOf(answer)).toEqual(['products.0.reviews.0.text', 'products.2.reviews.0.text']);
});

test('a subgraph that is away costs its own fields only, with an error at each', async () => {
  const broken = openMarket({ stubs: { stock: down } });
  const answer = await broken.ask(
    '{ products(ids: ["p1", "p2"]) { id title shipping box { width height } } me { name } }',
  );
  expect(answer.data).toEqual({
    products: [
      { id: 'p1', title: 'Tea "fine"\n', shipping: null, box: { width: 2, height: null } },
      { id: 'p2', title: 'Käse 🧀', shipping: null, box: { width: 2, height: null } },
    ],
    me: { name: 'Ada' },
  });
  expect(placesOf(answer)).toEqual([
    'products.0.box.height',
    'products.0.shipping',
    'products.1.box.height',
    'products.1.shipping',
  ]);
  expect(new Set(codesOf(answer))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  expect(JSON.stringify(answer.errors)).not.toContain('refused');
});

test('a field that may not be null takes its object with it, and the reason is told once a place', async () => {
  const broken = openMarket({ stubs: { stock: down } });
  const answer = await broken.ask('{ products(ids: ["p1"]) { id left } me { name } }');
  expect(answer.data).toEqual({ products: [null], me: { name: 'Ada' } });
  expect(placesOf(answer)).toEqual(['products.0.left']);
});

test('a root that is away is told at its fields', async () => {
  const broken = openMarket({ stubs: { users: down } });
  const answer = await broken.ask('{ i: me { name } product(id: "p1") { maker { name } id } }');
  expect(answer.data).toEqual({ i: null, product: { id: 'p1', maker: null } });
  expect(placesOf(answer)).toEqual(['i', 'product.maker.name'].sort());
});

test('nothing is asked about what a failed call should have told', async () => {
  const broken = openMarket({ stubs: { users: down } });
  const answer = await broken.ask('{ me { reviews { text } } }');
  expect(answer.data).toEqual({ me: null });
  expect(answer.called.map(({ subgraph }) => subgraph)).toEqual(['users']);
});

test('a call that only fetches what another needs is missed where the other’s fields are', async () => {
  const broken = openMarket({
    stubs: {
      reviews: () => ({
        data: {
          latest: [
            { product: { __typename: 'Product', id: 'p1' } },
            { product: { __typename: 'Product', id: 'p3' } },
          ],
        },
      }),
      catalog: down,
    },
  });
  const answer = await broken.ask('{ latest { product { id shipping } } }');
  expect(answer.called.map(({ subgraph }) => subgraph)).toEqual(['reviews', 'catalog']);
  expect(answer.data).toEqual({
    latest: [{ product: { id: 'p1', shipping: null } }, { product: { id: 'p3', shipping: null } }],
  });
  expect(placesOf(answer)).toEqual(['latest.0.product.shipping', 'latest.1.product.shipping']);
});

test('a null in a place where none may be climbs to the nearest that may, with one error', async () => {
  const answer = await market.ask('{ me { friends { nick name } name } }');
  expect(answer.data).toEqual({
    me: { friends: [{ nick: null, name: 'Bob' }, null, null], name: 'Ada' },
  });
  expect(placesOf(answer)).toEqual(['me.friends.2.name']);
});

test('an entity whose subgraph lost it leaves an error where a value was promised', async () => {
  const lost = openMarket({ stubs: { stock: () => ({ data: { _entities: [null] } }) } });
  const answer = await lost.ask('{ product(id: "p1") { id left } }');
  expect(answer.data).toEqual({ product: null });
  expect(placesOf(answer)).toEqual(['product.left']);
  expect(codesOf(answer)).toEqual(['INTERNAL']);
});

test('a null at the very top leaves no data at all', async () => {
  const broken = openMarket({ stubs: { catalog: down } });
  const answer = await broken.ask('{ me { name } products { id } }');
  expect(answer.data).toBeNull();
  expect(placesOf(answer)).toEqual(['products']);
});

test('an error about what the client did not ask for is told at the nearest place that it did', async () => {
  const broken = openMarket({
    stubs: {
      catalog: () => ({
        data: { product: { __typename: 'Product', id: 'p1', weight: null } },
        errors: [{ message: 'no scales', path: ['product', 'weight'] }],
      }),
    },
  });
  const answer = await broken.ask('{ product(id: "p1") { shipping } }');
  expect(placesOf(answer)).toEqual(['product']);
});

test('an error of a field that the client asks of other objects only is not told', async () => {
  const broken = openMarket({
    stubs: {
      catalog: () => ({
        data: { media: [{ __typename: 'Film', id: 'm2', title: null }] },
        errors: [{ message: 'no title', path: ['media', 0, 'title'] }],
      }),
    },
  });
  const answer = await broken.ask('{ media { ... on Book { id title } ... on Film { id } } }');
  expect(answer.data).toEqual({ media: [{ id: 'm2' }] });
  expect(answer.errors).toBeUndefined();
});

test('what was lost to an error of a field that is not in the answer is told where it is missing', async () => {
  const broken = openMarket({
    stubs: {
      reviews: (request) => {
        const asked = request.variables!.representations as unknown[];
        const entities = asked.map((_, at) => (at ? { stars: 1, blurb: 'x' } : null));
        return {
          data: { _entities: entities },
          errors: [{ message: 'no stars', path: ['_entities', 0, 'stars'] }],
        };
      },
    },
  });
  // Both are asked of both, and a book without stars is no entity at all.
  const answer = await broken.ask('{ media { ... on Book { blurb } ... on Film { stars } } }');
  expect(answer.called.at(-1)!.request.query).toContain('stars');
  expect(answer.data).toEqual({ media: [{ blurb: null }, { stars: 1 }, null, null] });
  expect(placesOf(answer)).toEqual(['media.0.blurb']);
});

test('a subgraph cannot fill the answer with errors', async () => {
  const errors = Array.from({ length: 50_000 }, () => ({ message: 'again', path: ['me'] }));
  const loud = openMarket({ stubs: { users: () => ({ data: { me: null }, errors }) } });
  expect((await loud.ask('{ me { name } }')).errors!.length).toBeLessThanOrEqual(1_000);
});

test('the gateway decides what a client is told of an error', async () => {
  const told: unknown[] = [];
  const quiet = openMarket({
    stubs: { stock: down },
    formatError: ({ path, subgraph, failure }, { called }) => {
      told.push([subgraph, failure instanceof RequestError, called.length]);
      return { message: 'Something went wrong on our side.', path, extensions: { traceId: 'abc' } };
    },
  });
  const answer = await quiet.ask('{ product(id: "p1") { shipping } }');
  expect(answer.errors).toEqual([
    {
      message: 'Something went wrong on our side.',
      path: ['product', 'shipping'],
      extensions: { traceId: 'abc' },
    },
  ]);
  expect(told).toEqual([['stock', true, 2]]);
});

test('a fault in the gateway itself still ends the request', async () => {
  const odd = openMarket({
    formatError: ({ message }) => ({ message }),
    stubs: { users: () => ({ data: { me: { name: 'Ada' } } }) },
  });
  const operation = await odd.compile('query ($n: String) { me { name } echo(text: $n) }');
  const body = await new Promise<string>((resolve) => {
    // A BigInt cannot be written as JSON.
    operation.run({ n: 7n }, { called: [] }, { done: resolve });
  });
  expect(JSON.parse(body)).toEqual({
    data: null,
    errors: [{ message: 'Something went wrong on our side.' }],
  });
});

test('what an interface object is cannot be told while who knows is away, and its own fields can', async () => {
  expect((await market.ask('{ liked { __typename id stars } }')).data).toEqual({
    liked: [
      { __typename: 'Book', id: 'm1', stars: 5 },
      { __typename: 'Film', id: 'm2', stars: 2 },
    ],
  });
  const alone = openMarket({ stubs: { catalog: down } });
  expect((await alone.ask('{ liked { id stars } }')).data).toEqual({
    liked: [
      { id: 'm1', stars: 5 },
      { id: 'm2', stars: 2 },
    ],
  });
  const answer = await alone.ask('{ liked { __typename id stars } latest { id } }');
  expect(answer.data).toMatchObject({ liked: [null, null], latest: [{ id: 'r1' }, {}, {}] });
  expect(new Set(placesOf(answer).map((place) => place.split('.').slice(0, 2).join('.')))).toEqual(
    new Set(['liked.0', 'liked.1']),
  );
});
