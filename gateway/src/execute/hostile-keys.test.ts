import { expect, test } from 'vitest';
import { openMarket } from './fixture-market.ts';

const market = openMarket();

const inherited = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
  'isPrototypeOf',
];

test.each(inherited)('%s may be a response key at any depth and changes nothing else', async (key) => {
  const { text, errors } = await market.ask(`{
    ${key}: product(id: "p1") { ${key}: title left reviews { ${key}: author { ${key}: name } } }
    me { ${key}: friends { id } }
  }`);
  expect(errors).toBeUndefined();
  const review = (name: string) => `{"${key}":{"${key}":"${name}"}}`;
  expect(text).toBe(
    `{"data":{"${key}":{"${key}":"Tea \\"fine\\"\\n","left":8,"reviews":[${review('Ada')},${review('Bob')}]},` +
      `"me":{"${key}":[{"id":"u2"},null,{"id":"u3"}]}}}`,
  );
  expect(({} as Record<string, unknown>).title).toBeUndefined();
});

test.each(inherited)('%s is null where nobody delivered it', async (key) => {
  const lost = openMarket({ stubs: { reviews: () => ({ data: { _entities: [null] } }) } });
  const { text } = await lost.ask(`{ product(id: "p1") { id ${key}: rating } }`);
  expect(text).toBe(`{"data":{"product":{"id":"p1","${key}":null}}}`);
});

test('__typename over another field does not decide what the object is', async () => {
  const { data } = await market.ask('{ media { __typename: title ... on Book { pages } stars } }');
  expect(data).toEqual({
    media: [{ __typename: 'Book', pages: 3, stars: 5 }, { __typename: 'Film', stars: 2 }, null, null],
  });
  const { data: other } = await market.ask('{ product(id: "p1") { __typename: id left reviews { id } } }');
  expect(other).toEqual({ product: { __typename: 'p1', left: 8, reviews: [{ id: 'r1' }, { id: 'r2' }] } });
});

test('an error below a hostile key is told under that key', async () => {
  const { errors } = await market.ask('{ product(id: "p2") { __proto__: price } }');
  expect(errors!.map(({ path }) => path)).toEqual([['product', '__proto__']]);
});

test('what a subgraph sends besides cannot touch a prototype', async () => {
  const evil = openMarket({
    stubs: {
      catalog: () =>
        JSON.parse(
          '{"data":{"__proto__":{"polluted":1},"product":{"__proto__":{"polluted":1},"id":"p1","constructor":7}}}',
        ),
    },
  });
  const { text } = await evil.ask('{ product(id: "p1") { id title } }');
  expect(text).toContain('"data":{"product":null}');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('names that JavaScript would read otherwise are only names', async () => {
  const { data } = await market.ask(
    '{ product(id: "p1") { class: title return: id __: weight _0: left length: rating } }',
  );
  expect(data).toEqual({ product: { class: 'Tea "fine"\n', return: 'p1', __: 3, _0: 8, length: 4.5 } });
});

test('a client that uses our own names is answered under them', async () => {
  const { data } = await market.ask(
    '{ renamed_constructor: product(id: "p1") { constructor: id renamed_: title } }',
  );
  expect(data).toEqual({ renamed_constructor: { constructor: 'p1', renamed_: 'Tea "fine"\n' } });
});
