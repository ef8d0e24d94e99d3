import { expect, test } from 'vitest';
import { type Answered, openMarket } from './fixture-market.ts';

const placesOf = ({ errors }: Answered): string[] =>
  (errors ?? []).map(({ path }) => (path as (string | number)[] | undefined)?.join('.') ?? '-').sort();

const codesOf = ({ errors }: Answered): unknown[] =>
  (errors ?? []).map(({ extensions }) => (extensions as { code?: string }).code);

test.each([
  ['no JSON', 'nonsense'],
  ['a list', []],
  ['nothing', {}],
  ['null', 'null'],
  ['half an answer', '{"data":{"_entities":[{"shipping":'],
  ['data of another kind', { data: 7 }],
  ['another number of entities', { data: { _entities: [] } }],
  ['entities of another kind', { data: { _entities: 'many' } }],
])('a subgraph that answers with %s has failed', async (_, body) => {
  const mad = openMarket({ stubs: { stock: () => body } });
  const answer = await mad.ask('{ products(ids: ["p1"]) { id shipping } }');
  expect(answer.data).toEqual({ products: [{ id: 'p1', shipping: null }] });
  expect(placesOf(answer)).toEqual(['products.0.shipping']);
  expect(codesOf(answer)).toEqual(['SUBGRAPH_UNAVAILABLE']);
});

test('values of another kind than promised are null, with an error each', async () => {
  const mad = openMarket({
    stubs: {
      catalog: () => ({
        data: {
          products: [
            {
              __typename: 'Product',
              id: 7,
              title: 'x',
              weight: 'heavy',
              price: true,
              tags: 'a',
              colour: 'BLUE',
              box: [1],
            },
            'no product',
            {
              __typename: 'Product',
              id: 'p3',
              title: 'y',
              weight: 3e9,
              price: 1,
              tags: ['a', 1],
              colour: 7,
              box: 'big',
            },
            { __typename: 'Product', id: {}, title: 'z' },
          ],
        },
      }),
    },
  });
  const answer = await mad.ask('{ products { id title weight price tags colour box { width } } }');
  expect(answer.data).toEqual({
    products: [
      { id: '7', title: 'x', weight: null, price: null, tags: null, colour: null, box: null },
      null,
      { id: 'p3', title: 'y', weight: null, price: 1, tags: null, colour: null, box: null },
      null,
    ],
  });
  expect(placesOf(answer)).toEqual([
    'products.0.box',
    'products.0.price',
    'products.0.tags',
    'products.0.weight',
    'products.1',
    'products.2.box',
    'products.2.colour',
    'products.2.tags.1',
    'products.2.weight',
    'products.3.id',
  ]);
});

test('errors without a place are told without one, or everywhere if nothing else came', async () => {
  const partly = openMarket({
    stubs: { users: () => ({ data: { me: { name: 'Ada' } }, errors: [{ message: 'hm' }] }) },
  });
  const some = await partly.ask('{ me { name } }');
  expect(some.data).toEqual({ me: { name: 'Ada' } });
  expect(placesOf(some)).toEqual(['-']);
  const wholly = openMarket({ stubs: { users: () => ({ errors: [{ message: 'no' }] }) } });
  const none = await wholly.ask('{ a: me { name } b: me { nick } }');
  expect(none.data).toEqual({ a: null, b: null });
  expect(placesOf(none)).toEqual(['a', 'b']);
  expect(none.errors![0]!.message).toBe('no');
});

test('a broken error is still an error', async () => {
  const odd = openMarket({
    stubs: {
      users: () => ({ data: { me: null }, errors: [null, 'x', { message: 7, path: 'me', extensions: [] }] }),
    },
  });
  const answer = await odd.ask('{ me { name } }');
  expect(answer.data).toEqual({ me: null });
  expect(answer.errors).toHaveLength(3);
});
