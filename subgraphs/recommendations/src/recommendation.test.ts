import { newId } from '@orderstream/runtime/ids';
import { anonymous } from '@orderstream/runtime/viewer';
import { describe, expect, test } from 'vitest';
import {
  affinitiesOf,
  type Basket,
  boughtTogether,
  completing,
  forCart,
  mayRead,
  personal,
  popular,
  type Recommendation,
  type Shelf,
  shelfOf,
  trending,
} from './recommendation.ts';

const finished = <T>(work: Generator<void, T>): T => {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
};
const stocked = (newestFirst: readonly Basket[]): Shelf =>
  finished(shelfOf(finished(affinitiesOf(newestFirst))));
const times = (count: number, basket: Basket): Basket[] => Array.from({ length: count }, () => basket);
const names = (list: readonly Recommendation[]): string[] => list.map(({ productId }) => productId);

const shelf = stocked([
  ...times(5, ['tea', 'pot']),
  ...times(20, ['bag']),
  ...times(8, ['cake', 'fork']),
  ...times(8, ['cake', 'plate', 'fork']),
]);

test('bought together: the companions of a good with how often, and nothing of a good nobody knows', () => {
  expect(boughtTogether(shelf, 'tea', 10)).toMatchObject([
    { productId: 'pot', strategy: 'bought-together', reason: 'Bought together in 5 orders.' },
  ]);
  expect(boughtTogether(shelf, 'cake', 1)).toHaveLength(1);
  expect(boughtTogether(shelf, 'bag', 10)).toEqual([]);
  expect(boughtTogether(shelf, 'unheard of', 10)).toEqual([]);
});

test('trending is what the latest orders had, popular what most had', () => {
  const late = stocked([...times(600, ['new']), ...times(3_000, ['old'])]);
  expect(names(trending(late, 2))).toEqual(['new', 'old']);
  expect(names(popular(late, 2))).toEqual(['old', 'new']);
  expect(popular(late, 1)[0]!.score).toBe(1);
});

describe('for a cart', () => {
  test('comes what goes with all of it, then what is popular, and never what is in it', () => {
    const list = completing(
      shelf,
      [
        { productId: 'plate', weight: 1 },
        { productId: 'cake', weight: 1 },
      ],
      10,
    );
    expect(names(list).slice(0, 2)).toEqual(['fork', 'bag']);
    expect(list.map(({ strategy }) => strategy).slice(0, 2)).toEqual(['cart', 'popular']);
    expect(names(list)).not.toContain('cake');
    expect(new Set(names(list)).size).toBe(list.length);
    for (const [index, { score }] of list.entries()) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(list[index - 1]?.score ?? 1);
    }
  });

  test('what was just put into it counts for more than what was bought once', () => {
    const list = forCart(shelf, ['tea'], [{ productId: 'cake', ordersAgo: 0 }], 10);
    expect(names(list)[0]).toBe('pot');
    expect(names(list)).not.toContain('cake');
  });
});

describe('for a customer', () => {
  test('comes what was bought before, and what goes with it', () => {
    const list = personal(shelf, [{ productId: 'tea', ordersAgo: 2 }], 2);
    expect(list).toMatchObject([
      { productId: 'tea', reason: 'You have bought it before.', strategy: 'personal' },
      { productId: 'pot', reason: 'Often bought together with goods you have bought.' },
    ]);
  });

  test('who bought nothing yet sees what is popular', () => {
    expect(personal(shelf, [], 3)).toEqual(popular(shelf, 3));
  });

  test('and for nobody else', () => {
    const userId = newId();
    const viewer = { ...anonymous(newId()), userId };
    expect(mayRead(viewer, userId)).toBe(true);
    expect(mayRead({ ...viewer, userId: newId(), scopes: new Set(['users:read']) }, userId)).toBe(false);
    expect(mayRead(anonymous(newId()), userId)).toBe(false);
  });
});

test('an empty shop recommends nothing and does not mind', () => {
  const empty = stocked([]);
  expect(personal(empty, [{ productId: 'tea', ordersAgo: 0 }], 10)).toEqual([]);
  expect(trending(empty, 10)).toEqual([]);
});
