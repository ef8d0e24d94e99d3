import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gathering } from './gathering.ts';

test('what is handed over together is dealt with together, and what comes meanwhile in the next lot', async () => {
  const lots: string[][] = [];
  const { add } = gathering<string>(10, async (lot) => {
    lots.push([...lot]);
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
  const first = [add('a', 1), add('b', 1)];
  await new Promise((resolve) => setTimeout(resolve, 1));
  await Promise.all([...first, add('c', 1), add('d', 1)]);
  expect(lots).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('a lot that fails fails for all in it, and the next goes on', async () => {
  const { add } = gathering<string>(2, async (lot) => {
    if (lot.includes('bad')) throw new Error('spoilt');
  });
  const outcomes = await Promise.allSettled([add('bad', 1), add('with it', 1), add('next', 1)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});

test('no lot is larger than it may be unless one item is, and everything is dealt with once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 40 }), async (sizes) => {
      const dealt: number[] = [];
      const { add } = gathering<number>(5, async (lot) => {
        const total = lot.reduce((sum, index) => sum + sizes[index]!, 0);
        expect(total <= 5 || lot.length === 1).toBe(true);
        dealt.push(...lot);
      });
      await Promise.all(sizes.map((size, index) => add(index, size)));
      expect(dealt).toEqual(sizes.map((_, index) => index));
    }),
  );
});
