// `npm run verify -- WHAT`: what is checked at length, and not with every test. Ends with 1 where something is wrong, 2
// where it was asked wrongly.
import { parseArgs } from 'node:util';
import { verifyHostile } from './hostile.ts';
import { verifyOracle } from './oracle.ts';

const usage = `npm run verify -- oracle [options]    answers of our executor against those of one schema
  --queries N   100000 otherwise
  --from N      the first one, 1 otherwise; a number is the same query for ever
  --stock N     also every N-th query to the stock executor of @apollo/gateway; 50 otherwise

npm run verify -- hostile [options]   good requests amid bad ones
  --seconds N   30 otherwise
  --calm N      seconds of peace before, 10 otherwise
  --rate N      bad requests in a second, 200 otherwise
  --good N      good ones, 100 otherwise
  --deadline N  milliseconds after which a good one counts as not served, 1000 otherwise
  --seed N      1 otherwise`;

const options = {
  oracle: { queries: '100000', from: '1', stock: '50' },
  hostile: { seconds: '30', calm: '10', rate: '200', good: '100', deadline: '1000', seed: '1' },
} as const;

type What = keyof typeof options;

const isKnown = (what: string | undefined): what is What => what !== undefined && what in options;

/** @throws Error that says what is wrong */
const read = <One extends What>(what: One, args: string[]): Record<keyof (typeof options)[One], number> => {
  const defaults: Readonly<Record<string, string>> = options[what];
  const { values } = parseArgs({
    args,
    options: Object.fromEntries(
      Object.entries(defaults).map(([name, value]) => [name, { type: 'string', default: value }] as const),
    ),
  });
  const numbers = Object.entries(values).map(([name, value]) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1)
      throw new Error(`--${name} must be a whole number from 1 on.`);
    return [name, number] as const;
  });
  return Object.fromEntries(numbers) as Record<keyof (typeof options)[One], number>;
};

/** @throws Error that says what is wrong with the question */
const asked = ([what, ...args]: string[]): (() => Promise<number>) => {
  if (!isKnown(what)) throw new Error(`There are two things to verify: ${Object.keys(options).join(', ')}.`);
  if (what === 'oracle') {
    const wanted = read(what, args);
    return () => verifyOracle(wanted);
  }
  const { seconds, calm, rate, good, deadline, seed } = read(what, args);
  return () => verifyHostile({ seconds, calmSeconds: calm, rate, good, seed, deadlineMs: deadline });
};

const main = async (): Promise<number> => {
  let verify: () => Promise<number>;
  try {
    verify = asked(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  return verify();
};

process.exitCode = await main();
