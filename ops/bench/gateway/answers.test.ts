import { expect, test } from 'vitest';
import { openAnswerer } from './answers.ts';
import { questions } from './queries.ts';

const asks = (query: string, variables?: object): string => JSON.stringify({ query, variables });

test('what was asked before is answered at once, and the same', async () => {
  const answer = openAnswerer('accounts');
  const first = await answer(asks(questions.small.text));
  expect(first).toHaveLength(62);
  expect(answer(asks(questions.small.text))).toBe(first);
});

test('a shipping estimate comes from what the gateway brings, never from what is known here', async () => {
  const answer = openAnswerer('inventory');
  const estimate = async (price: number | undefined) => {
    const representations = [{ __typename: 'Product', upc: '1', price, weight: 30 }];
    const query =
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Product { shippingEstimate } } }';
    return JSON.parse(await answer(asks(query, { representations }))).data._entities[0].shippingEstimate;
  };
  expect(await estimate(10)).toBe(15);
  expect(await estimate(2_000)).toBe(0);
  expect(await estimate(undefined)).toBeNull();
});
