import { createSecretKey } from 'node:crypto';
import { newId } from '@orderstream/runtime/ids';
import { anonymous } from '@orderstream/runtime/viewer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Activity,
  anonymousQuery,
  limit,
  problemsOf,
  sourceOf,
  type Taken,
  visitorOf,
  waitFor,
} from './activity.ts';

const now = new Date('2026-11-21T12:00:00Z');
const view: Activity = { kind: 'VIEW', at: now, productId: newId(), query: null, experiment: null };
const key = createSecretKey(Buffer.from('x'.repeat(32)));

test.each<[string, Partial<Activity>, string[]]>([
  ['a view of now', {}, []],
  ['yesterday, a minute less', { at: new Date(now.getTime() - 86_340_000) }, []],
  ['the day before', { at: new Date(now.getTime() - 86_460_000) }, ['at']],
  ['the future', { at: new Date(now.getTime() + 120_000) }, ['at']],
  ['a view of nothing', { productId: null }, ['productId']],
  ['a search for nothing', { kind: 'SEARCH', query: '  ' }, ['query']],
  ['a search for a novel', { kind: 'SEARCH', query: 'x'.repeat(201) }, ['query']],
  ['an exposure to nothing, long ago', { kind: 'EXPOSURE', at: new Date(0) }, ['at', 'experiment']],
])('%s', (_, change, fields) => {
  expect(problemsOf([view, { ...view, ...change }], now).map(({ path }) => path)).toEqual(
    fields.map((field) => ['input', 'items', '1', field]),
  );
});

test.each<[string | null, string | null]>([
  [null, null],
  ['  Red   LANTERN ', 'red lantern'],
  ['set of 12 cups 1970', 'set of 12 cups 1970'],
  ['ada@example.com', null],
  ['+44 (0)20 7946-0958', null],
])('of a search for %j others hear %j', (query, told) => {
  expect(anonymousQuery(query)).toBe(told);
});

describe('a visitor', () => {
  const viewer = { ...anonymous(newId()), clientAddress: '192.0.2.7' };
  test('is the customer, else a session, else a device, else a network, and none of them is told', () => {
    const userId = newId();
    expect(visitorOf({ ...viewer, userId, deviceId: 'd' }, key)).toBe(userId);
    const others = [
      visitorOf({ ...viewer, sessionId: 'one', deviceId: 'one' }, key),
      visitorOf({ ...viewer, deviceId: 'one' }, key),
      visitorOf(viewer, key),
    ];
    expect(new Set(others).size).toBe(3);
    for (const other of others) expect(other).toMatch(/^[\w-]{22}$/);
  });

  test('cannot leave the limit behind by another device or another address of the same network', () => {
    const at = (clientAddress: string | null, deviceId: string | null = null) =>
      sourceOf({ ...viewer, clientAddress, deviceId }, key);
    expect(at('192.0.2.7', 'a')).toBe(at('192.0.2.7', 'b'));
    expect(at('::ffff:192.0.2.7')).toBe(at('192.0.2.7'));
    expect(at('2001:db8:0:1::1')).toBe(at('2001:db8:0:1:ffff:2:3:4'));
    expect(at('2001:db8::1')).toBe(at('2001:0db8:0000:0000::9'));
    expect(at('2001:db8:0:1::1')).not.toBe(at('2001:db8:0:2::1'));
    expect(at('192.0.2.7')).not.toBe(at('192.0.2.8'));
  });
});

test('however it is asked, no window holds more than the limit, and the wait told is long enough and no longer', () => {
  const asked = fc.array(
    fc.record({ gap: fc.integer({ min: 0, max: 20_000 }), items: fc.integer({ min: 1, max: 100 }) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(asked, (steps) => {
      const taken: Taken[] = [];
      let clock = now.getTime();
      const within = (at: number) => taken.filter((one) => one.at.getTime() > at - limit.withinMs);
      for (const { gap, items } of steps) {
        clock += gap;
        const wait = waitFor(within(clock), items, new Date(clock));
        if (wait > 0) {
          expect(waitFor(within(clock + wait), items, new Date(clock + wait))).toBe(0);
          if (wait > 1)
            expect(waitFor(within(clock + wait - 1), items, new Date(clock + wait - 1))).toBeGreaterThan(0);
          continue;
        }
        taken.push({ at: new Date(clock), items });
        expect(within(clock).reduce((sum, one) => sum + one.items, 0)).toBeLessThanOrEqual(limit.items);
      }
    }),
  );
});
