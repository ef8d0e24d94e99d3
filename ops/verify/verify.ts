// `npm run verify -- oracle`: what is checked at length, and not with every test. Ends with 1 where something is wrong, 2
// where it was asked wrongly.
import { parseArgs } from 'node:util';
import { verifyOracle } from './oracle.ts';

const usage = `npm run verify -- oracle [options]
  --queries N   100000 otherwise
  --from N      the first one, 1 otherwise; a number is the same query for ever
  --stock N     also every N-th query to the stock executor of @apollo/gateway; 50 otherwise`;

const wholeNumber = (name: string, value: string): number => {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a whole number from 1 on.`);
  return number;
};

const read = () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      queries: { type: 'string', default: '100000' },
      from: { type: 'string', default: '1' },
      stock: { type: 'string', default: '50' },
    },
  });
  if (positionals.join() !== 'oracle') throw new Error('There is one thing to verify: oracle.');
  return {
    queries: wholeNumber('queries', values.queries),
    from: wholeNumber('from', values.from),
    stock: wholeNumber('stock', values.stock),
  };
};

const main = async (): Promise<number> => {
  let options: ReturnType<typeof read>;
  try {
    options = read();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  return verifyOracle(options);
};

process.exitCode = await main();
