// `npm run demo`: buys something in the running shop and shows every step as it happens.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OperationError, RefusedError } from '../operations/client.ts';
import { carrierAt } from './carrier.ts';
import { providerAt } from './provider.ts';
import { buyAs } from './purchase.ts';
import { notRunning, type RunningStack, readStack } from './running-stack.ts';
import { buy, type Scenario, variants } from './scenarios.ts';
import { NothingToBuyError } from './shopper.ts';
import { silence, story, summary, summaryLine } from './story.ts';
import { differences } from './verdict.ts';

const all: readonly Scenario[] = [buy, ...Object.values(variants)];

const usage = `npm run demo -- [options]     (the shop must run: npm start)
${all
  .map((scenario) => `  ${(scenario === buy ? '' : `--${scenario.name}`).padEnd(15)}${scenario.title}`)
  .join('\n')}
  --json         one line of JSON instead of the story
  --dir FOLDER   where the shop's data stands, .data otherwise

Ends with 0 only if everything was as it should be. One demo of a kind at a time: it counts stock.`;

type Options = {
  readonly scenario: Scenario;
  readonly isJson: boolean;
  readonly isHelp: boolean;
  readonly dir: string;
};

/** Something to be told in one sentence. */
class DemoProblem extends Error {}

const flag = { type: 'boolean', default: false } as const;

const readOptions = (): Options => {
  const read = () =>
    parseArgs({
      options: {
        ...Object.fromEntries(Object.keys(variants).map((name) => [name, flag])),
        json: flag,
        help: flag,
        dir: { type: 'string', default: process.env.ORDERSTREAM_DATA ?? '.data' },
      },
    }).values as Record<string, unknown> & { json: boolean; help: boolean; dir: string };
  let values: ReturnType<typeof read>;
  try {
    values = read();
  } catch (error) {
    throw new DemoProblem(`${(error as Error).message}\n\n${usage}`);
  }
  const asked = Object.keys(variants).filter((name) => values[name] === true);
  // A rejection is one of the ends of a suspicious order.
  const wanted = asked.includes('reject') ? asked.filter((name) => name !== 'fraud') : asked;
  if (wanted.length > 1) throw new DemoProblem('One variant at a time.');
  return {
    scenario: wanted[0] ? variants[wanted[0]]! : buy,
    isJson: values.json,
    isHelp: values.help,
    dir: resolve(import.meta.dirname, '../..', values.dir),
  };
};

const say = (text = ''): void => console.log(text);

/** What a variant cannot do without. */
const problemOf = (
  { name, slowNews, meanwhile, afterwards }: Scenario,
  { payments, carrier, staffPassword }: RunningStack,
): string | null => {
  if (slowNews && !payments)
    return `--${name} needs the provider's simulator, and the shop uses another one.`;
  if (meanwhile === 'lose' && !carrier)
    return `--${name} needs the carrier's simulator, and the shop uses another one.`;
  const isForStaff = meanwhile === 'approve' || meanwhile === 'reject' || afterwards === 'refund';
  return isForStaff && !staffPassword
    ? `--${name} needs the accounts to try, and no password of theirs is written down.`
    : null;
};

/** @returns the exit code */
const main = async (): Promise<number> => {
  const { scenario, isJson, isHelp, dir } = readOptions();
  if (isHelp) {
    say(usage);
    return 0;
  }
  const stack = readStack(dir);
  if (!stack) throw new DemoProblem(notRunning);
  const problem = problemOf(scenario, stack);
  if (problem) throw new DemoProblem(problem);
  const outside = {
    provider: stack.payments && providerAt(stack.payments),
    carrier: stack.carrier && carrierAt(stack.carrier),
  };

  if (!isJson) say(`\n${scenario.title}\n`);
  const seen = await buyAs(scenario, stack, outside, isJson ? silence : story);
  const wrong = differences(scenario, seen);
  if (isJson) say(summaryLine(scenario, seen, wrong));
  else {
    say(`\n${summary(seen)}\n`);
    say(
      wrong.length
        ? `Not as it should be:\n${wrong.map((one) => `  - ${one}`).join('\n')}`
        : 'All as it should be.',
    );
  }
  return wrong.length ? 1 : 0;
};

/** One sentence for what people can do something about, everything we know for a bug. */
const told = (error: unknown): string => {
  if (error instanceof DemoProblem || error instanceof NothingToBuyError) return error.message;
  if (error instanceof RefusedError) return `The shop refused: ${error.message} (${error.code})`;
  if (!(error instanceof OperationError)) return error instanceof Error ? (error.stack ?? '') : String(error);
  // The file of a shop that was killed stays behind.
  if (error.code === 'UNREACHABLE') return notRunning;
  const trace = error.traceId ? `, trace ${error.traceId}` : '';
  return `${error.message} (${error.code}${trace}${error.path ? `, at ${error.path.join('.')}` : ''})`;
};

try {
  process.exitCode = await main();
} catch (error) {
  console.error(told(error));
  process.exitCode = 1;
}
