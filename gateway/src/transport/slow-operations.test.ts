import { expect, test } from 'vitest';
import { placeOf, SlowOperations } from './slow-operations.ts';

const body = (query: string, id: number): string => JSON.stringify({ query, variables: { id } });

test('an operation is known again whatever its variables', () => {
  expect(placeOf(body('query { orders }', 1))).toBe(placeOf(body('query { orders }', 2)));
  expect(placeOf(body('query { orders }', 1))).not.toBe(placeOf(body('query { ordera }', 1)));
});

/** Calls of an operation that is slow once in so many, whether it goes alone or not; how many of the last went alone. */
const alone = (calls: number, slowOnceIn: number): number => {
  const slow = new SlowOperations();
  let last = 0;
  for (let at = 1; at <= calls; at += 1) {
    const goes = slow.goesAlone(7);
    if (at % slowOnceIn === 0) slow.wasSlow(7);
    if (goes && at > calls - 1_000) last += 1;
  }
  return last;
};

test('an operation that is slow once in a hundred calls goes alone, and soon for good', () => {
  expect(alone(1_500, 100)).toBeGreaterThan(900);
  expect(alone(5_000, 100)).toBe(1_000);
});

test('an operation that is hardly ever slow shares connections', () => {
  expect(alone(5_000, 300)).toBe(0);
});

test('an operation that was slow for a while shares connections again', () => {
  const slow = new SlowOperations();
  for (let at = 0; at < 5; at += 1) slow.wasSlow(7);
  let calls = 0;
  while (slow.goesAlone(7)) calls += 1;
  expect(calls).toBe(1_024);
  expect(slow.goesAlone(8)).toBe(false);
});

test('what later calls clearly overtook is slow, and what all waited for together is not', () => {
  const overtaken = new SlowOperations();
  const together = new SlowOperations();
  let now = 0;
  for (let round = 0; round < 10; round += 1) {
    const began = now;
    // Five short calls are sent and answered while one takes 20 ms.
    for (let at = 0; at < 5; at += 1) {
      now += 4;
      overtaken.answered(1, now - 1, now - 1, now);
    }
    overtaken.answered(2, began, began, now);
    // Six wait for the same pause, and the one that was sent first is answered last.
    for (let at = 5; at >= 0; at -= 1) together.answered(2, began + at * 3, began + at * 3, now);
  }
  expect(overtaken.goesAlone(2)).toBe(true);
  expect(overtaken.goesAlone(1)).toBe(false);
  expect(together.goesAlone(2)).toBe(false);
});
