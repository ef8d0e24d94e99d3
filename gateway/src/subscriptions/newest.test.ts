import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNewer } from './marks.ts';
import { Newest } from './newest.ts';

const all = <T>(newest: Newest<T>): T[] => {
  const taken: T[] = [];
  for (let one = newest.take(); one !== undefined; one = newest.take()) taken.push(one);
  return taken;
};

test('of one order only the newest event waits, and other orders keep theirs', () => {
  const newest = new Newest<string>(10, 100);
  for (const [key, item] of [
    ['a', 'a1'],
    ['b', 'b1'],
    ['a', 'a2'],
  ] as const)
    newest.put(key, item, 1);
  expect([newest.size, newest.bytes, all(newest)]).toEqual([2, 2, ['b1', 'a2']]);
});

test('past the bounds what has waited longest is dropped, but never an end', () => {
  const newest = new Newest<string>(2, 100);
  newest.put('end', 'end', 0, false);
  for (const name of ['a', 'b', 'c']) newest.put(name, name, 1);
  expect(all(newest)).toEqual(['end', 'b', 'c']);
});

test('the newest of all waits whatever its size', () => {
  const newest = new Newest<string>(10, 100);
  newest.put('a', 'a', 60);
  newest.put('b', 'b', 500);
  expect([newest.bytes, all(newest)]).toEqual([500, ['b']]);
});

test('bytes and number that wait are bounded, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 0, max: 100 }), fc.boolean()),
      ),
      (steps) => {
        const newest = new Newest<number>(3, 150);
        for (const [key, bytes, takes] of steps) {
          newest.put(key, bytes, bytes);
          expect(newest.size).toBeLessThanOrEqual(3);
          expect(newest.bytes).toBeLessThanOrEqual(150);
          if (takes) newest.take();
        }
        const left = newest.bytes;
        expect(all(newest).reduce((sum, bytes) => sum + bytes, 0)).toBe(left);
        expect(newest.bytes).toBe(0);
      },
    ),
  );
});

test('versions of one order let through rise strictly, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 20 }))),
      (events) => {
        const isNewer = createNewer(10);
        const passed = events.filter(([thing, version]) => isNewer({ thing, version }));
        for (const key of ['a', 'b', 'c']) {
          const versions = passed.filter(([of]) => of === key).map(([, version]) => version);
          expect(versions).toEqual([...new Set(versions)].sort((x, y) => x - y));
          const every = events.filter(([of]) => of === key).map(([, version]) => version);
          expect(versions.at(-1)).toBe(every.length > 0 ? Math.max(...every) : undefined);
        }
      },
    ),
  );
});

test('things without a version always pass', () => {
  const isNewer = createNewer(10);
  const nameless = { thing: null, version: null };
  expect([isNewer(nameless), isNewer(nameless)]).toEqual([true, true]);
});
