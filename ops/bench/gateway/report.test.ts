import { expect, test } from 'vitest';
import type { Sample } from './measure.ts';
import { type GatewayReport, type Row, rowOf, toldGateways, usual, verdictsOf } from './report.ts';

const sample = (cpuUs: number, more: Partial<Sample> = {}): Sample => ({
  cpuUs,
  requests: 1_000,
  requestsPerSecond: 1e6 / cpuUs,
  busy: 1,
  p50: 1,
  p99: 2,
  calls: 1,
  errors: 0,
  unauthorized: 0,
  ...more,
});

const row = (contender: string, query: Row['query'], cpuUs: number, scenario = usual): Row =>
  rowOf(contender, query, scenario, [sample(cpuUs)]);

const report: GatewayReport = {
  conditions: {
    startedAt: '2026-11-21T12:00:00.000Z',
    cores: 2,
    processor: 'a processor',
    node: '24.21.0',
    isPinned: true,
    rounds: 1,
    secondsOfARound: 5,
    loadAverage: [0, 1],
  },
  rows: [
    row('theirs', 'small', 240),
    row('theirs', 'medium', 800),
    row('theirs', 'big', 4_800),
    row('theirs', 'big', 4_951, 'identical'),
    row('ours', 'small', 30),
    row('ours', 'medium', 50),
    row('ours', 'big', 160),
    row('ours', 'big', 100, 'identical'),
  ],
  started: [{ contender: 'ours', startMs: 400, peakMemoryMb: 200 }],
  absences: [],
  answerBytes: { small: 62, medium: 4_500, big: 87_000 },
  failures: [],
  tookSeconds: 60,
};

const reached = (one: GatewayReport): (string | null)[] =>
  verdictsOf(one, 'theirs', 'ours').map((verdict) => verdict.reached);

test('what is just reached is reached', () => {
  expect(reached(report)).toEqual(['must', 'goal', 'stretch', 'must', 'must', 'must']);
  expect(toldGateways(report, verdictsOf(report, 'theirs', 'ours'))).not.toContain('MISSED');
});

test.each<[string, Partial<GatewayReport>, number]>([
  [
    'a small query that costs an eighth and a little',
    { rows: [row('ours', 'small', 30.1), ...report.rows] },
    0,
  ],
  ['a gateway that was not measured', { rows: report.rows.filter(({ query }) => query !== 'medium') }, 1],
  ['a gateway that is larger', { started: [{ contender: 'ours', startMs: 1, peakMemoryMb: 201 }] }, 3],
  ['memory that nobody has seen', { started: [] }, 3],
  ['equal questions that cost too much', { rows: [row('ours', 'big', 101, 'identical'), ...report.rows] }, 4],
  ['an answer that is wrong', { failures: ['ours, big: another answer'] }, 5],
])('%s is a promise that was missed', (_, wrong, which) => {
  const found = reached({ ...report, ...wrong });
  expect(found[which]).toBeNull();
  expect(found.filter((level) => level === null)).toHaveLength(1);
});

test('the middle one of the rounds counts, and the errors of all of them', () => {
  const samples = [sample(30, { errors: 1 }), sample(10, { errors: 2 }), sample(20)];
  expect(rowOf('ours', 'small', usual, samples)).toMatchObject({
    cpuUs: { median: 20, min: 10, max: 30 },
    errors: 3,
  });
});

test('who was not measured is named with the reason', () => {
  const told = toldGateways({ ...report, absences: [{ name: 'another', because: 'npm ci: no' }] }, []);
  expect(told).toContain('another was not measured: npm ci: no');
});
