// The siege in short, for its own sake: bounds are wide, because the machine may be busy. `npm run verify -- hostile` has
// the real ones.
import { expect, test } from 'vitest';
import { besiege } from './siege.ts';

test('amid all that is bad at once those who mean well are served, and every bad one has its answer', async () => {
  const { calm, siege, wrong, bad, heapMiB, isAlive, delayMaxMs } = await besiege({
    seconds: 3,
    calmSeconds: 1,
    rate: 35,
    good: 20,
    seed: 1,
    deadlineMs: 30_000,
  });
  expect(wrong).toEqual([]);
  expect(bad.sent).toBe(105);
  expect(bad.kinds).toBeGreaterThan(90);
  expect([calm.lost, siege.lost]).toEqual([[], []]);
  expect([calm.served, siege.served]).toEqual([20, 60]);
  expect(isAlive).toBe(true);
  expect(heapMiB[1] - heapMiB[0]).toBeLessThan(50);
  expect(delayMaxMs).toBeLessThan(5_000);
}, 180_000);
