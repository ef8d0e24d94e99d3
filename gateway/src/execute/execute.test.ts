import { expect, test } from 'vitest';
import { openMarket } from './fixture-market.ts';

const market = openMarket();

test('a question to one subgraph is one call, and text arrives as it was written', async () => {
  const { data, called, hasErrors } = await market.ask('{ product(id: "p2") { id title } }');
  expect(data).toEqual({ product: { id: 'p2', title: 'Käse 🧀' } });
  expect(called).toHaveLength(1);
  expect(hasErrors).toBe(false);
});

test('fields come in the order in which the client asked', async () => {
  const { text } = await market.ask(
    '{ product(id: "p1") { reviews { id } id left title ...More } } fragment More on Product { weight }',
  );
  expect(text).toBe(
    '{"data":{"product":{"reviews":[{"id":"r1"},{"id":"r2"}],"id":"p1","left":8,"title":"Tea \\"fine\\"\\n","weight":3}}}',
  );
});

test('an entity that stands at several places is named once to its subgraph', async () => {
  const { data, called } = await market.ask('{ latest { author { name } product { id } } me { name } }');
  expect(data).toEqual({
    latest: [
      { author: { name: 'Ada' }, product: { id: 'p1' } },
      { author: { name: 'Bob' }, product: { id: 'p1' } },
      { author: { name: 'Ada' }, product: { id: 'p2' } },
    ],
    me: { name: 'Ada' },
  });
  const entities = called.filter(({ request }) => request.query.includes('_entities'));
  expect(entities.map(({ request }) => request.variables)).toEqual([
    {
      representations: [
        { __typename: 'User', id: 'u1' },
        { __typename: 'User', id: 'u2' },
      ],
    },
  ]);
});

test('the same entity at two places may be asked for different things', async () => {
  const { data } = await market.ask(`{
    a: product(id: "p1") { box { height } left }
    b: product(id: "p1") { box { height length } reviews { author { name } } }
    c: product(id: "p1") { similar { left2: title box { height width } } }
  }`);
  expect(data).toEqual({
    a: { box: { height: 9 }, left: 8 },
    b: { box: { height: 9, length: 4 }, reviews: [{ author: { name: 'Ada' } }, { author: { name: 'Bob' } }] },
    c: {
      similar: [
        { left2: 'Käse 🧀', box: { height: 9, width: 2 } },
        { left2: 'Salt', box: { height: 9, width: 2 } },
      ],
    },
  });
});

test('lists of lists keep their form, with leaves and with entities', async () => {
  const { data } = await market.ask('{ grid shelves { id reviews { text } } }');
  const tea = { id: 'p1', reviews: [{ text: 'good' }, { text: 'bad' }] };
  expect(data).toEqual({
    grid: [[1, 2], [], [3]],
    shelves: [[tea], [], [{ id: 'p2', reviews: [{ text: null }] }, tea]],
  });
});

test('a scalar of the shop may hold an object', async () => {
  const { data } = await market.ask('{ product(id: "p3") { details tags left2: reviews { id } } }');
  expect(data).toEqual({ product: { details: { deep: [1, { x: null }] }, tags: ['a', 'b'], left2: [] } });
});

test('a union and an interface show each type its own fields', async () => {
  const { data } = await market.ask(`{
    found { __typename ... on Book { pages } ... on Product { reviews { id } } }
    media { title ... on Book { pages } ... on Film { minutes } __typename }
  }`);
  expect(data).toEqual({
    found: [
      { __typename: 'Book', pages: 3 },
      { __typename: 'Product', reviews: [{ id: 'r1' }, { id: 'r2' }] },
    ],
    media: [
      { title: 'Book', pages: 3, __typename: 'Book' },
      { title: 'Film', minutes: null, __typename: 'Film' },
      null,
      null,
    ],
  });
});

test('an interface object is asked under the interface’s name', async () => {
  const { data, called } = await market.ask('{ media { __typename stars } }');
  expect(data).toEqual({
    media: [{ __typename: 'Book', stars: 5 }, { __typename: 'Film', stars: 2 }, null, null],
  });
  const names = called.flatMap(({ request }) =>
    ((request.variables?.representations ?? []) as { __typename: string }[]).map(
      ({ __typename }) => __typename,
    ),
  );
  expect(new Set(names)).toEqual(new Set(['Media']));
});

test('a value of an enum that clients may not see is null, and takes with it what may not be null', async () => {
  const { data } = await market.ask('{ colour products { id colour colours } }');
  expect(data).toEqual({
    colour: null,
    products: [
      { id: 'p1', colour: 'RED', colours: ['RED', 'GREEN'] },
      { id: 'p2', colour: null, colours: null },
      { id: 'p3', colour: null, colours: null },
    ],
  });
});

test('what is skipped is neither asked nor told', async () => {
  const query = `query ($yes: Boolean!, $no: Boolean = false) {
    product(id: "p1") { id @skip(if: $yes) title @include(if: $yes) left @include(if: $no) weight @skip(if: $no) ...More @include(if: $no) }
    me @include(if: $no) { name }
  }
  fragment More on Product { price }`;
  const some = await market.ask(query, { yes: true });
  expect(some.text).toBe('{"data":{"product":{"title":"Tea \\"fine\\"\\n","weight":3}}}');
  expect(some.called.some(({ subgraph }) => subgraph === 'stock')).toBe(false);
  const others = await market.ask(query, { yes: false, no: true });
  expect(others.text).toBe('{"data":{"product":{"id":"p1","left":8,"price":2.5},"me":{"name":"Ada"}}}');
});

test('a key that is asked twice stands where it is asked first and not skipped', async () => {
  const query =
    'query ($x: Boolean!) { product(id: "p1") { id @include(if: $x) weight id box @skip(if: $x) { width } box { length } } }';
  expect((await market.ask(query, { x: true })).text).toBe(
    '{"data":{"product":{"id":"p1","weight":3,"box":{"length":4}}}}',
  );
  expect((await market.ask(query, { x: false })).text).toBe(
    '{"data":{"product":{"weight":3,"id":"p1","box":{"width":2,"length":4}}}}',
  );
});

test('a selection that is skipped for good asks nobody', async () => {
  const { text, called } = await market.ask('{ me @skip(if: true) { name } }');
  expect(text).toBe('{"data":{}}');
  expect(called).toEqual([]);
});

test('what a field requires is fetched for it and not told', async () => {
  const { data } = await market.ask('{ products { id shipping } }');
  expect(data).toEqual({
    products: [
      { id: 'p1', shipping: 30 },
      { id: 'p2', shipping: 0 },
      { id: 'p3', shipping: 50 },
    ],
  });
});

test('an entity that its subgraph does not know leaves null where null may be', async () => {
  const { data, errors } = await market.ask('{ product(id: "gone") { id rating } }');
  expect(data).toEqual({ product: { id: 'gone', rating: null } });
  expect(errors).toBeUndefined();
});

test('changes happen one after another, and are never sent as something that may be repeated', async () => {
  const { data, called } = await market.ask(
    'mutation { a: add(amount: 1) r: rename(name: "Eve") { name } b: add(amount: 2) log }',
  );
  expect(data).toEqual({ a: 1, r: { name: 'Eve' }, b: 3, log: ['add 1', 'rename Eve', 'add 2'] });
  expect(called.map(({ isQuery }) => isQuery)).toEqual([false, false, false]);
});

test('the schema answers for itself, beside what subgraphs answer', async () => {
  const { data, called } = await market.ask(`query ($name: String = "Product") {
    kind: __typename
    ...Schema
    me { name __typename }
    type: __type(name: $name) { name fields { name } }
  }
  fragment Schema on Query { __schema { queryType { name ...Fields } } }
  fragment Fields on __Type { kind }`);
  expect(data).toMatchObject({
    kind: 'Query',
    __schema: { queryType: { name: 'Query', kind: 'OBJECT' } },
    me: { name: 'Ada', __typename: 'User' },
    type: { name: 'Product' },
  });
  expect(JSON.stringify(data)).not.toContain('_entities');
  expect(called).toHaveLength(1);
  const alone = await market.ask('{ __typename again: __typename }');
  expect(alone.text).toBe('{"data":{"__typename":"Query","again":"Query"}}');
  expect(alone.called).toEqual([]);
});

test('variables of every kind reach the subgraph as they were meant', async () => {
  const query = `query ($text: String, $number: Int, $float: Float, $flag: Boolean, $colour: Colour, $list: [Int!], $where: Where, $any: Any, $absent: String = "there") {
    echo(text: $text, number: $number, float: $float, flag: $flag, colour: $colour, list: $list, where: $where, any: $any)
    other: echo(text: $absent, any: { a: $text, b: [$number] })
  }`;
  const given = {
    text: 'ü"\\\u2028\n🧀',
    number: -5,
    float: 1.5e-3,
    flag: false,
    colour: 'GREEN',
    list: [1, 2],
    where: { colour: 'RED', numbers: [], inner: { text: null } },
    any: { x: [1, { __proto__x: 'y' }], '': 'ß' },
  };
  const { data } = await market.ask(query, given);
  expect(data).toEqual({
    echo: { ...given, where: { text: 'none', ...given.where } },
    other: { text: 'there', number: 7, any: { a: given.text, b: [-5] } },
  });
  // Only what was given is sent: null and nothing are not the same.
  const little = await market.ask(query, { number: null });
  expect(little.data).toEqual({
    echo: { number: null },
    other: { text: 'there', number: 7, any: { b: [null] } },
  });
});

test('a compiled operation is used by many requests at a time', async () => {
  const operation = await market.compile(
    'query ($id: ID!) { product(id: $id) { id reviews { author { name } } } }',
  );
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) => `p${(at % 3) + 1}`).map(
      (id) =>
        new Promise<[string, string]>((resolve) => {
          operation.run({ id }, { called: [] }, { done: (body) => resolve([id, body]) });
        }),
    ),
  );
  for (const [id, body] of answers) expect(JSON.parse(body)).toMatchObject({ data: { product: { id } } });
  expect(operation.weight).toBeGreaterThan(1_000);
  expect(operation.describe()).toContain('Entities(users, product.reviews.@.author)');
});
