import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Affinity, affinitiesOf, type Basket, best, leastShared, neighbours } from './affinity.ts';

const learnt = (baskets: readonly Basket[]): Affinity[] => {
  const work = affinitiesOf(baskets);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
};
const of = (affinities: readonly Affinity[], productId: string): Affinity =>
  affinities.find((affinity) => affinity.productId === productId)!;
const times = (count: number, basket: Basket): Basket[] => Array.from({ length: count }, () => basket);

describe('goods of the same baskets', () => {
  test('are as close as the cosine of their baskets says, damped by ten baskets', () => {
    // Cup and saucer in 4 baskets of two, the cup alone in 4 of one: weights 0.5 and 1.
    const affinities = learnt([...times(4, ['cup', 'saucer']), ...times(4, ['cup'])]);
    const weightOfCup = 4 * 0.5 + 4;
    const weightOfSaucer = 4 * 0.5;
    const mean = (4 * 0.5 + 4 * 1) / 8;
    const [saucer] = of(affinities, 'cup').together;
    expect(saucer).toMatchObject({ productId: 'saucer', baskets: 4 });
    expect(saucer!.score).toBeCloseTo((4 * 0.5) / (Math.sqrt(weightOfCup * weightOfSaucer) + 10 * mean), 12);
    expect(of(affinities, 'saucer').together).toEqual([{ ...saucer, productId: 'cup' }]);
  });

  test('a small basket says more than a large one', () => {
    const crowd = Array.from({ length: 30 }, (_, i) => `thing ${i}`);
    const affinities = learnt([...times(5, ['lamp', 'bulb']), ...times(5, ['lamp', ...crowd])]);
    const [first, second] = of(affinities, 'lamp').together;
    expect(first!.productId).toBe('bulb');
    expect(first!.score).toBeGreaterThan(3 * second!.score);
  });

  test('what fewer than three orders shared is not told: it could be one customer’s', () => {
    expect(of(learnt(times(leastShared - 1, ['a', 'b'])), 'a').together).toEqual([]);
    expect(of(learnt(times(leastShared, ['a', 'b'])), 'a').together).toHaveLength(1);
  });

  test('a best seller is not everybody’s companion', () => {
    const bag = times(60, ['bag']);
    const affinities = learnt([...bag, ...times(5, ['tea', 'pot', 'bag']), ...times(5, ['tea', 'pot'])]);
    expect(of(affinities, 'tea').together.map(({ productId }) => productId)).toEqual(['pot', 'bag']);
  });
});

test('two colours of a lantern are similar without ever having met', () => {
  const affinities = learnt([
    ...times(6, ['red lantern', 'candle', 'matches']),
    ...times(6, ['blue lantern', 'candle', 'matches']),
    ...times(6, ['spoon', 'fork']),
  ]);
  expect(of(affinities, 'red lantern').together.map(({ productId }) => productId)).not.toContain(
    'blue lantern',
  );
  const [first] = of(affinities, 'red lantern').similar;
  expect(first!.productId).toBe('blue lantern');
  expect(first!.score).toBeCloseTo(1, 6);
});

test('what was bought 500 orders ago is half in fashion', () => {
  const affinities = learnt([['new'], ...times(499, ['filler']), ['old']]);
  expect(of(affinities, 'new').trend).toBe(1);
  expect(of(affinities, 'old').trend).toBeCloseTo(0.5, 12);
});

const basket = fc.uniqueArray(fc.integer({ min: 0, max: 12 }).map(String), { minLength: 1, maxLength: 8 });

test('closeness goes both ways, lies between 0 and 1, and counts the baskets shared', () => {
  fc.assert(
    fc.property(fc.array(basket, { maxLength: 40 }), (baskets) => {
      const affinities = learnt(baskets);
      for (const one of affinities) {
        expect(one.baskets).toBe(baskets.filter((each) => each.includes(one.productId)).length);
        for (const other of one.together) {
          const shared = baskets.filter(
            (each) => each.includes(one.productId) && each.includes(other.productId),
          ).length;
          expect(other.baskets).toBe(shared);
          const back = of(affinities, other.productId).together.find(
            ({ productId }) => productId === one.productId,
          );
          expect(back!.score).toBeCloseTo(other.score, 12);
        }
        for (const { score, productId } of [...one.together, ...one.similar]) {
          expect(productId).not.toBe(one.productId);
          expect(score).toBeGreaterThan(0);
          expect(score).toBeLessThanOrEqual(1);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('the best of a list are those that sorting all of it would give', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 })),
      fc.integer({ min: 0, max: 10 }),
      (scores, most) => {
        const sorted = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, most);
        expect(best(scores.keys(), (at) => scores[at]!, most).map((kept) => kept.of)).toEqual(sorted);
      },
    ),
  );
});

test('a good has at most fifty neighbours', () => {
  const crowd = Array.from({ length: 80 }, (_, i) => `thing ${i}`);
  expect(of(learnt(times(3, crowd)), 'thing 0').together).toHaveLength(neighbours);
});
