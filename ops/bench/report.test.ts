import { expect, test } from 'vitest';
import { missed, percentile, type Report, spreadOf, told } from './report.ts';

const good: Report = {
  conditions: {
    startedAt: '2026-11-21T12:00:00.000Z',
    orders: 500,
    customers: 200,
    rate: 20,
    seed: 1,
    watch: 'order',
    carrierDayMs: 60_000,
    cores: 2,
    processor: 'a processor',
    node: '24.21.0',
    loadAverage: [0.1, 1.5],
  },
  placedAfterMs: 25_000,
  endedAfterMs: 26_000,
  statuses: { CONFIRMED: 500 },
  unconfirmed: 0,
  failures: [],
  late: spreadOf([0]),
  checkout: spreadOf([20]),
  confirmed: spreadOf([2_000]),
  pushed: spreadOf([500]),
  lag: { looks: 100, most: 499, byGroup: { orders: 499 } },
  processes: { gateway: { cpuMsPerOrder: 12, peakMemoryMb: 200 } },
  violations: [],
};

test('the hundredth of a hundred is the largest, and the ninety-ninth is not', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([50, 95, 99, 100].map((p) => percentile(values, p))).toEqual([50, 95, 99, 100]);
  expect(percentile([3, 1, 2], 50)).toBe(2);
  expect(percentile([], 99)).toBeNull();
});

test('a run that just keeps every promise misses none', () => {
  expect(missed(good)).toEqual([]);
  expect(told(good)).not.toContain('MISSED');
});

test.each<[string, Partial<Report>, string]>([
  ['orders that are confirmed too late', { confirmed: spreadOf([2_000.2]) }, 'confirmed, p99'],
  ['news that arrives too late', { pushed: spreadOf([501]) }, 'pushed, p99'],
  ['news that nobody ever saw', { pushed: spreadOf([]) }, 'pushed, p99'],
  ['messages that pile up', { lag: { ...good.lag, most: 500 } }, 'messages behind, most'],
  ['a broker that was never looked at', { lag: { ...good.lag, looks: 0 } }, 'messages behind, most'],
  ['an order that was not confirmed', { unconfirmed: 1 }, 'never confirmed'],
  ['an order that was refused', { failures: ['an order: No.'] }, 'gone wrong on the way'],
  ['books that do not agree', { violations: ['I1 no unit is sold twice: of v1'] }, 'invariants violated'],
])('%s are a promise that was missed', (_, wrong, name) => {
  const report = { ...good, ...wrong };
  expect(missed(report)).toEqual([name]);
  expect(told(report)).toMatch(new RegExp(`${name} .*MISSED`));
});

test('what went wrong is told in words', () => {
  const text = told({
    ...good,
    violations: ['I1 no unit is sold twice: of v1'],
    failures: ['an order: No.'],
  });
  expect(text).toContain('  an order: No.\n  I1 no unit is sold twice: of v1');
});
