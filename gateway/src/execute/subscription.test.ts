import { expect, test } from 'vitest';
import { openMarket } from './fixture-market.ts';

test.each(['rust', 'apollo'] as const)(
  'an event is made whole by the other subgraphs (%s planner)',
  async (planner) => {
    const market = openMarket({ planner });
    const query = `subscription ($id: ID!, $not: Boolean = false) {
    changed: productChanged(id: $id) { title left reviews { author { name @skip(if: $not) } } __typename }
  }`;
    const [event] = await market.events(query, { id: 'p1' });
    expect(event!.data).toEqual({
      changed: {
        title: 'Tea "fine"\n',
        left: 8,
        reviews: [{ author: { name: 'Ada' } }, { author: { name: 'Bob' } }],
        __typename: 'Product',
      },
    });
    expect(new Set(event!.called.map(({ subgraph }) => subgraph))).toEqual(
      new Set(['stock', 'reviews', 'users']),
    );
    const [without] = await market.events(query, { id: 'p1', not: true });
    expect(without!.called.map(({ subgraph }) => subgraph)).not.toContain('users');
  },
);

test('an event of which nothing is known is null', async () => {
  const [event] = await openMarket().events('subscription { productChanged(id: "nobody") { id left } }');
  expect(event!.data).toEqual({ productChanged: null });
  expect(event!.called).toEqual([]);
});

test('an event that is an error is told as one', async () => {
  const operation = await openMarket().compile('subscription { productChanged(id: "p1") { id left } }');
  const body = await new Promise<string>((resolve) => {
    operation.event!('{"errors":[{"message":"over"}]}', {}, { called: [] }, { done: resolve });
  });
  expect(JSON.parse(body)).toEqual({
    data: { productChanged: null },
    errors: [{ message: 'over', path: ['productChanged'], extensions: {} }],
  });
});

test('a subscription has no single answer', async () => {
  const operation = await openMarket().compile('subscription { productChanged(id: "p1") { id } }');
  const body = await new Promise<string>((resolve) => {
    operation.run({}, { called: [] }, { done: resolve });
  });
  expect(JSON.parse(body).errors[0].extensions.code).toBe('BAD_USER_INPUT');
});
