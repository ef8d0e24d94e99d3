// `npm run eval -- recommendations`: how good what was learnt is, on sales that it was not learnt from. Ends with 1 where
// it is no better than the baseline.
import { parseArgs } from 'node:util';
import { evaluate, told, usualCut } from './recommendations.ts';

const usage = `npm run eval -- recommendations [options]
  --cut DATE   learn from what was sold before, ask about what was sold after; 2011-07-23 otherwise
  --seed N     which good of a basket is hidden, 1 otherwise
  --json       one line instead of a table`;

const main = (): number => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cut: { type: 'string' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const cut = values.cut === undefined ? usualCut : new Date(`${values.cut}T00:00:00Z`);
  const seed = Number(values.seed);
  if (positionals.join() !== 'recommendations' || Number.isNaN(cut.getTime()) || !Number.isInteger(seed)) {
    console.error(usage);
    return 2;
  }
  const report = evaluate(cut, seed);
  console.log(values.json ? JSON.stringify(report) : told(report));
  return report.figures.every(({ ours, popularity }) => ours > popularity) ? 0 : 1;
};

process.exitCode = main();
