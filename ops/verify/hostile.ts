// Those who mean well, in peace and amid those who do not: what the gateway keeps of its promises then.
import { availableParallelism, cpus, loadavg } from 'node:os';
import { besiege, type Plan, type SiegeReport } from '../../tests/hostile/siege.ts';

/** milliseconds of the event loop's delay, and of the calm day's good requests those that are served all the same */
const promised = { delayP99Ms: 50, share: 0.9 };

/** What was promised and not kept, in sentences. */
const broken = ({ delayP99Ms, share, isAlive, wrong }: SiegeReport): string[] => [
  ...(isAlive ? [] : ['the gateway has ended']),
  ...(delayP99Ms <= promised.delayP99Ms
    ? []
    : [`the event loop came ${delayP99Ms.toFixed(1)} ms late, of ${promised.delayP99Ms} at most`]),
  ...(share >= promised.share
    ? []
    : [`${(100 * share).toFixed(1)} % of good requests were served, of ${100 * promised.share} at least`]),
  ...wrong.map(({ what, times, example }) => `${what}: ${times} times ${example}`),
];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const mebibytes = (value: number): string => `${value.toFixed(0)} MiB`;

const table = (report: SiegeReport): string => {
  const { plan, calm, siege, share, calmDelayP99Ms, delayP99Ms, delayMaxMs } = report;
  const { cpu, waited, heapMiB, rssMiB, bad } = report;
  const rows: [string, string, string][] = [
    ['', 'calm', 'siege'],
    ['bad requests, of so many kinds', '', `${bad.sent}, ${bad.kinds}`],
    ['good requests', `${calm.asked}`, `${siege.asked}`],
    [`served within ${plan.deadlineMs} ms`, `${calm.served}`, `${siege.served}`],
    ['served against calm', '', percent(share)],
    ['50th percentile', ms(calm.p50), ms(siege.p50)],
    ['99th percentile', ms(calm.p99), ms(siege.p99)],
    ['gateway: of one core', percent(cpu[0]), percent(cpu[1])],
    ['gateway: waiting for a core', percent(waited[0]), percent(waited[1])],
    ['gateway: heap at rest', mebibytes(heapMiB[0]), mebibytes(heapMiB[1])],
    ['gateway: memory at rest', mebibytes(rssMiB[0]), mebibytes(rssMiB[1])],
    ['gateway: event loop late, 99th percentile', ms(calmDelayP99Ms), ms(delayP99Ms)],
    ['gateway: event loop late, longest', '', ms(delayMaxMs)],
  ];
  return rows
    .map(([what, before, under]) => `  ${what.padEnd(42)}${before.padStart(12)}${under.padStart(14)}`)
    .join('\n');
};

/** The whole of it: JSON on one line, then a table. Answers the exit code. */
export const verifyHostile = async (plan: Plan): Promise<number> => {
  const loadBefore = loadavg()[0];
  const report = await besiege(plan);
  const failures = broken(report);
  const conditions = {
    node: process.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? '',
    loadAverage: [loadBefore, loadavg()[0]],
  };
  console.log(JSON.stringify({ conditions, ...report, failures }));
  console.log(`\n${table(report)}\n`);
  for (const failure of failures) console.log(`  ${failure}`);
  return failures.length === 0 ? 0 : 1;
};
