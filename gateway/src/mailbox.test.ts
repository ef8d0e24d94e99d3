import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMailbox, createNewer } from './mailbox.ts';

test('of one order only the newest event waits, and other orders keep theirs', async () => {
  const box = createMailbox<string>(10);
  box.put('a', 'a1');
  box.put('b', 'b1');
  box.put('a', 'a2');
  expect([await box.take(), await box.take()]).toEqual(['b1', 'a2']);
});

test('no more wait than may, and the longest waiting goes first', async () => {
  const box = createMailbox<string>(2);
  for (const name of ['a', 'b', 'c']) box.put(name, name);
  box.finish();
  expect([await box.take(), await box.take(), await box.take()]).toEqual(['b', 'c', undefined]);
});

test('whoever waits hears of the next event, of the end and of a failure after what was left', async () => {
  const box = createMailbox<string>(2);
  const waiting = box.take();
  box.put('a', 'a1');
  expect(await waiting).toBe('a1');
  box.put('a', 'a2');
  box.finish(new Error('refused'));
  box.put('a', 'too late');
  expect(await box.take()).toBe('a2');
  await expect(box.take()).rejects.toThrow('refused');

  const left = createMailbox<string>(2);
  const forEver = left.take();
  left.drop();
  expect(await forEver).toBeUndefined();
});

test('versions of one order let through rise strictly, whatever comes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 20 }))),
      (events) => {
        const isNewer = createNewer(10);
        const passed = events.filter(([key, version]) => isNewer(key, version));
        for (const key of ['a', 'b', 'c']) {
          const versions = passed.filter(([of]) => of === key).map(([, version]) => version);
          expect(versions).toEqual([...new Set(versions)].sort((x, y) => x - y));
          const all = events.filter(([of]) => of === key).map(([, version]) => version);
          expect(versions.at(-1)).toBe(all.length > 0 ? Math.max(...all) : undefined);
        }
      },
    ),
  );
});

test('things without a version always pass', () => {
  const isNewer = createNewer(10);
  expect([isNewer('', undefined), isNewer('', undefined)]).toEqual([true, true]);
});
