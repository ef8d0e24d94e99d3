// What a run has shown, and whether ours keeps what is promised of it. Pure.

import type { Sample } from './measure.ts';
import type { QueryName } from './queries.ts';

export type Median = { readonly median: number; readonly min: number; readonly max: number };

export type Row = {
  readonly contender: string;
  /** the query, and what is special about the run */
  readonly query: QueryName;
  readonly scenario: string;
  readonly cpuUs: Median;
  readonly requestsPerSecond: number;
  readonly busy: number;
  readonly p50: number;
  readonly p99: number;
  readonly calls: number;
  readonly errors: number;
  readonly unauthorized: number;
};

export type Started = {
  readonly contender: string;
  /** milliseconds until the first answer */
  readonly startMs: number | null;
  /** MiB, over the whole run */
  readonly peakMemoryMb: number | null;
};

export type GatewayReport = {
  readonly conditions: {
    readonly startedAt: string;
    readonly cores: number;
    readonly processor: string;
    readonly node: string;
    readonly isPinned: boolean;
    readonly rounds: number;
    readonly secondsOfARound: number;
    /** of one minute, before and after */
    readonly loadAverage: readonly [number, number];
  };
  readonly rows: readonly Row[];
  readonly started: readonly Started[];
  readonly absences: readonly { readonly name: string; readonly because: string }[];
  /** bytes of the reference's answer */
  readonly answerBytes: Readonly<Record<QueryName, number>>;
  /** sentences */
  readonly failures: readonly string[];
  readonly tookSeconds: number;
};

export const usual = 'unique';

const medianOf = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Of at least one sample. */
export const rowOf = (
  contender: string,
  query: QueryName,
  scenario: string,
  samples: readonly Sample[],
): Row => {
  const of = (what: keyof Sample): number[] => samples.map((sample) => sample[what]);
  const sum = (what: keyof Sample): number => of(what).reduce((total, one) => total + one, 0);
  return {
    contender,
    query,
    scenario,
    cpuUs: { median: medianOf(of('cpuUs')), min: Math.min(...of('cpuUs')), max: Math.max(...of('cpuUs')) },
    requestsPerSecond: medianOf(of('requestsPerSecond')),
    busy: medianOf(of('busy')),
    p50: medianOf(of('p50')),
    p99: medianOf(of('p99')),
    calls: medianOf(of('calls')),
    errors: sum('errors'),
    unauthorized: sum('unauthorized'),
  };
};

/** How many times less CPU than the reference in the same run; memory in MiB. */
const promised: Readonly<Record<'must' | 'goal' | 'stretch', Readonly<Record<QueryName, number>>>> = {
  must: { small: 8, medium: 10, big: 16 },
  goal: { small: 12, medium: 16, big: 22 },
  stretch: { small: 14, medium: 25, big: 29 },
};
const mostMemory = { must: 200, goal: 130 };
/** times less for the big query where equal requests share their answer: 100 us where the reference took 4,951 */
const leastIdentical = 49.5;

export type Verdict = {
  /** the contender */
  readonly of: string;
  readonly name: string;
  readonly wanted: string;
  readonly found: string;
  /** the highest that is reached, null where not even the lowest is */
  readonly reached: string | null;
};

const cpuOf = (report: GatewayReport, contender: string, query: QueryName, scenario: string): number | null =>
  report.rows.find((row) => row.contender === contender && row.query === query && row.scenario === scenario)
    ?.cpuUs.median ?? null;

/** What is missing is a promise that is not kept. */
export const verdictsOf = (report: GatewayReport, reference: string, ours: string): Verdict[] => {
  const ratios = (['small', 'medium', 'big'] as const).map((query): Verdict => {
    const [theirs, mine] = [reference, ours].map((contender) => cpuOf(report, contender, query, usual));
    const ratio = theirs && mine ? theirs / mine : null;
    const levels = (['stretch', 'goal', 'must'] as const).filter(
      (level) => ratio !== null && ratio >= promised[level][query],
    );
    return {
      of: ours,
      name: `${query}: times less CPU than ${reference}`,
      wanted: (['must', 'goal', 'stretch'] as const).map((level) => promised[level][query]).join(' / '),
      found: ratio === null ? '-' : ratio.toFixed(1),
      reached: levels[0] ?? null,
    };
  });
  const memory = report.started.find(({ contender }) => contender === ours)?.peakMemoryMb ?? null;
  const [theirs, mine] = [reference, ours].map((one) => cpuOf(report, one, 'big', 'identical'));
  const identical = theirs && mine ? theirs / mine : null;
  const wrong = report.failures.length;
  return [
    // Beside slow subgraphs it is waiting that is looked at.
    ...(report.rows.some(({ scenario }) => scenario === usual) ? ratios : []),
    {
      of: ours,
      name: 'peak memory, MiB',
      wanted: `${mostMemory.must} / ${mostMemory.goal}`,
      found: memory === null ? '-' : String(memory),
      reached:
        memory === null || memory > mostMemory.must ? null : memory <= mostMemory.goal ? 'goal' : 'must',
    },
    ...(report.rows.some(({ scenario }) => scenario === 'identical')
      ? [
          {
            of: ours,
            name: `big, identical: times less CPU than ${reference}`,
            wanted: String(leastIdentical),
            found: identical === null ? '-' : identical.toFixed(1),
            reached: identical !== null && identical >= leastIdentical ? 'must' : null,
          },
        ]
      : []),
    {
      of: ours,
      name: 'wrong answers, errors, lost authorizations',
      wanted: '0',
      found: String(wrong),
      reached: wrong === 0 ? 'must' : null,
    },
  ];
};

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n');
};

const whole = (value: number): string => value.toFixed(0);
const fine = (value: number): string => value.toFixed(value < 100 ? 1 : 0);

export const toldGateways = (report: GatewayReport, verdicts: readonly Verdict[]): string => {
  const { conditions, rows, started, absences, answerBytes, failures } = report;
  const memory = new Map(started.map(({ contender, peakMemoryMb }) => [contender, peakMemoryMb]));
  const begun = new Map(started.map(({ contender, startMs }) => [contender, startMs]));
  const number = (value: number | null | undefined): string => (value == null ? '-' : whole(value));
  return [
    `${conditions.rounds} rounds of ${conditions.secondsOfARound} s; ${conditions.cores} cores ` +
      `(${conditions.processor}), Node ${conditions.node}, ` +
      `${conditions.isPinned ? 'gateways on one core, subgraphs and load on another' : 'not bound to cores'}, ` +
      `load ${conditions.loadAverage.map((load) => load.toFixed(1)).join(' to ')}; answers of ` +
      `${Object.values(answerBytes).join(', ')} B; took ${whole(report.tookSeconds)} s`,
    table([
      [
        'query',
        'scenario',
        'gateway',
        'CPU us/request',
        '(min-max)',
        'requests/s',
        'p50 ms',
        'p99 ms',
      ].concat(['core busy', 'calls', 'errors', 'peak MiB', 'start ms']),
      ...rows.map((row) => [
        row.query,
        row.scenario,
        row.contender,
        fine(row.cpuUs.median),
        `(${fine(row.cpuUs.min)}-${fine(row.cpuUs.max)})`,
        whole(row.requestsPerSecond),
        fine(row.p50),
        fine(row.p99),
        `${whole(row.busy * 100)} %`,
        row.calls.toFixed(2),
        whole(row.errors),
        number(memory.get(row.contender)),
        number(begun.get(row.contender)),
      ]),
      ...absences.map(({ name }) => ['-', '-', name, ...Array.from({ length: 10 }, () => '-')]),
    ]),
    table([
      ['promised', '', 'must / goal / stretch', 'found', ''],
      ...verdicts.map(({ of, name, wanted, found, reached }) => [
        of,
        name,
        wanted,
        found,
        reached ?? 'MISSED',
      ]),
    ]),
    [
      ...absences.map(({ name, because }) => `  ${name} was not measured: ${because}`),
      ...failures.slice(0, 20).map((sentence) => `  ${sentence}`),
    ].join('\n'),
  ]
    .join('\n\n')
    .trimEnd();
};
