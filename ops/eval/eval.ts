// `npm run eval -- recommendations|fraud`: how good what was learnt is, on sales that it was not learnt from. Ends with 1
// where it is no better than the baseline.
import { parseArgs } from 'node:util';
import * as fraud from './fraud.ts';
import * as recommendations from './recommendations.ts';

const usage = `npm run eval -- recommendations|fraud [options]
  --cut DATE   learn from what was sold before, ask about what was sold after; 2011-07-23 otherwise
  --seed N     which good of a basket is hidden, or which frauds are made; 1 otherwise
  --json       one line instead of a table`;

type Judged = { readonly report: object; readonly told: string; readonly isBetter: boolean };

const evaluations: Readonly<Record<string, (cut: Date, seed: number) => Judged>> = {
  recommendations: (cut, seed) => {
    const report = recommendations.evaluate(cut, seed);
    const isBetter = report.figures.every(({ ours, popularity }) => ours > popularity);
    return { report, told: recommendations.told(report), isBetter };
  },
  fraud: (cut, seed) => {
    const report = fraud.evaluate(cut, seed);
    const [rules, network, baseline] = report.figures.map(({ auc }) => auc);
    return { report, told: fraud.told(report), isBetter: Math.min(rules!, network!) > baseline! };
  },
};

const main = (): number => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cut: { type: 'string' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const cut = values.cut === undefined ? recommendations.usualCut : new Date(`${values.cut}T00:00:00Z`);
  const seed = Number(values.seed);
  const evaluate = Object.hasOwn(evaluations, positionals.join())
    ? evaluations[positionals.join()]
    : undefined;
  if (!evaluate || Number.isNaN(cut.getTime()) || !Number.isInteger(seed)) {
    console.error(usage);
    return 2;
  }
  const { report, told, isBetter } = evaluate(cut, seed);
  console.log(values.json ? JSON.stringify(report) : told);
  return isBetter ? 0 : 1;
};

process.exitCode = main();
