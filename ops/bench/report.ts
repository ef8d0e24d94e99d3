// What a run has shown against what it should show. Pure.

/** The p-th percentile by nearest rank, 0 < p <= 100; null of nothing. */
export const percentile = (values: readonly number[], p: number): number | null =>
  values.toSorted((a, b) => a - b)[Math.ceil((p / 100) * values.length) - 1] ?? null;

export type Spread = {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
};

/** of milliseconds, to a tenth */
export const spreadOf = (values: readonly number[]): Spread => {
  const at = (p: number): number | null => {
    const value = percentile(values, p);
    return value === null ? null : Math.round(value * 10) / 10;
  };
  return { count: values.length, p50: at(50), p95: at(95), p99: at(99), max: at(100) };
};

export type Conditions = {
  readonly startedAt: string;
  readonly orders: number;
  readonly customers: number;
  readonly rate: number;
  readonly seed: number;
  readonly watch: string;
  /** milliseconds; null where it is not known */
  readonly carrierDayMs: number | null;
  readonly cores: number;
  readonly processor: string;
  readonly node: string;
  /** of one minute, before and after */
  readonly loadAverage: readonly [number, number];
};

export type Report = {
  readonly conditions: Conditions;
  /** milliseconds until the last order was asked for, and until all had come to an end */
  readonly placedAfterMs: number;
  readonly endedAfterMs: number;
  /** what became of the orders: how many have each status */
  readonly statuses: Readonly<Record<string, number>>;
  /** orders that were never seen confirmed by who watched them */
  readonly unconfirmed: number;
  /** sentences: orders that were not taken or did not end, subscriptions that broke */
  readonly failures: readonly string[];
  /** milliseconds: how much later than planned a customer could begin */
  readonly late: Spread;
  /** milliseconds of the checkout mutation at the gateway */
  readonly checkout: Spread;
  /** milliseconds from asking for the order to seeing it confirmed, live */
  readonly confirmed: Spread;
  /** milliseconds from an order's change to its arrival at who watches */
  readonly pushed: Spread;
  readonly lag: {
    readonly looks: number;
    /** of all groups together */
    readonly most: number;
    /** of each group by itself */
    readonly byGroup: Readonly<Record<string, number>>;
  };
  readonly processes: Readonly<
    Record<string, { readonly cpuMsPerOrder: number; readonly peakMemoryMb: number }>
  >;
  readonly violations: readonly string[];
};

type Target = {
  readonly name: string;
  readonly wanted: string;
  readonly found: (report: Report) => number | null;
  readonly isMet: (found: number) => boolean;
};

const atMost =
  (most: number) =>
  (found: number): boolean =>
    found <= most;

/** What is promised; a figure that is missing is a promise that is not kept. */
const targets: readonly Target[] = [
  {
    name: 'confirmed, p99',
    wanted: '<= 2000 ms',
    found: ({ confirmed }) => confirmed.p99,
    isMet: atMost(2_000),
  },
  { name: 'pushed, p99', wanted: '<= 500 ms', found: ({ pushed }) => pushed.p99, isMet: atMost(500) },
  {
    name: 'messages behind, most',
    wanted: '< 500',
    found: ({ lag }) => (lag.looks > 0 ? lag.most : null),
    isMet: (found) => found < 500,
  },
  { name: 'never confirmed', wanted: '0', found: ({ unconfirmed }) => unconfirmed, isMet: atMost(0) },
  {
    name: 'gone wrong on the way',
    wanted: '0',
    found: ({ failures }) => failures.length,
    isMet: atMost(0),
  },
  {
    name: 'invariants violated',
    wanted: '0',
    found: ({ violations }) => violations.length,
    isMet: atMost(0),
  },
];

/** Names of what was promised and not kept. */
export const missed = (report: Report): string[] =>
  targets
    .filter(({ found, isMet }) => {
      const figure = found(report);
      return figure === null || !isMet(figure);
    })
    .map(({ name }) => name);

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n');
};

const figure = (value: number | null): string => (value === null ? '-' : String(value));

export const told = (report: Report): string => {
  const { conditions, processes, lag } = report;
  const unkept = new Set(missed(report));
  const spread = (name: string, { count, p50, p95, p99, max }: Spread): string[] => [
    name,
    ...[count, p50, p95, p99, max].map(figure),
  ];
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return [
    `${conditions.orders} orders by ${conditions.customers} customers at ${conditions.rate}/s, seed ${conditions.seed}` +
      `${conditions.carrierDayMs === null ? '' : `, a day of the carrier in ${conditions.carrierDayMs / 1_000} s`}; ` +
      `${conditions.cores} cores (${conditions.processor}), Node ${conditions.node}, ` +
      `load ${conditions.loadAverage.map((load) => load.toFixed(1)).join(' to ')}`,
    `placed after ${seconds(report.placedAfterMs)}, at an end after ${seconds(report.endedAfterMs)}: ${
      Object.entries(report.statuses)
        .map(([status, count]) => `${count} ${status}`)
        .join(', ') || 'none'
    }`,
    table([
      ['milliseconds', 'count', 'p50', 'p95', 'p99', 'max'],
      spread('asked to confirmed, live', report.confirmed),
      spread('change to who watches', report.pushed),
      spread('checkout', report.checkout),
      spread('begun late', report.late),
    ]),
    table([
      ['most messages behind', 'count'],
      ...Object.entries(lag.byGroup).map(([group, most]) => [group, String(most)]),
      [`all together, in ${lag.looks} looks`, String(lag.most)],
    ]),
    table([
      ['process', 'CPU ms/order', 'peak MB'],
      ...Object.entries(processes).map(([name, { cpuMsPerOrder, peakMemoryMb }]) => [
        name,
        cpuMsPerOrder.toFixed(1),
        String(Math.round(peakMemoryMb)),
      ]),
    ]),
    table([
      ['promised', '', 'found', ''],
      ...targets.map(({ name, wanted, found }) => [
        name,
        wanted,
        figure(found(report)),
        unkept.has(name) ? 'MISSED' : 'kept',
      ]),
    ]),
    [...report.failures, ...report.violations]
      .slice(0, 20)
      .map((sentence) => `  ${sentence}`)
      .join('\n'),
  ]
    .join('\n\n')
    .trimEnd();
};
