import { expect, test } from 'vitest';
import { placeOf, SlowOperations } from './slow-operations.ts';

const body = (query: string, id: number): string => JSON.stringify({ query, variables: { id } });

test('an operation is known again whatever its variables', () => {
  expect(placeOf(body('query { orders }', 1))).toBe(placeOf(body('query { orders }', 2)));
  expect(placeOf(body('query { orders }', 1))).not.toBe(placeOf(body('query { ordera }', 1)));
});

test('an operation that is slow again and again stays apart longer each time', () => {
  const slow = new SlowOperations();
  const apart = (): number => {
    let calls = 0;
    while (slow.goesAlone(7)) calls += 1;
    return calls;
  };
  expect(apart()).toBe(0);
  slow.wasSlow(7);
  expect(apart()).toBe(256);
  slow.wasSlow(7);
  slow.wasSlow(7);
  slow.wasSlow(7);
  expect(apart()).toBe(1_024);
  expect(slow.goesAlone(8)).toBe(false);
});
