// `npm run demo`: buys something in the running shop and shows every step as it happens.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OperationError, RefusedError } from '../operations/client.ts';
import { providerAt } from './provider.ts';
import { buyAs, NothingToBuyError, type Tell } from './purchase.ts';
import { notRunning, readStack } from './running-stack.ts';
import { buy, type Scenario, variants } from './scenarios.ts';
import { differences, type Seen } from './verdict.ts';

const usage = `npm run demo -- [options]     (the shop must run: npm start)
${[buy, ...Object.values(variants)]
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
  const wanted = Object.keys(variants).filter((name) => values[name] === true);
  if (wanted.length > 1) throw new DemoProblem('One variant at a time.');
  return {
    scenario: wanted[0] ? variants[wanted[0]]! : buy,
    isJson: values.json,
    isHelp: values.help,
    dir: resolve(import.meta.dirname, '../..', values.dir),
  };
};

const say = (text = ''): void => console.log(text);

const after = (ms: number): string => `+${(ms / 1000).toFixed(3)} s`.padStart(11);

const story: Tell = {
  step: (what, text) => say(`  ${what.padEnd(10)} ${text}`),
  sight: ({ afterMs, version, status, waitingFor, payments }) =>
    say(
      `${after(afterMs)}  v${String(version).padEnd(2)} ${status.padEnd(16)} ${[
        waitingFor ? `waits for ${waitingFor}` : 'waits for nothing more',
        ...payments.map((payment) => `payment ${payment}`),
      ].join(', ')}`,
    ),
  payment: (status, afterMs) => say(`${after(afterMs)}      the payment is ${status}`),
};

const silence: Tell = { step: () => undefined, sight: () => undefined, payment: () => undefined };

const summary = ({ order, goods, charges }: Seen): string => {
  const began = Date.parse(order.placedAt);
  const payment = order.payments?.[0];
  const held = charges?.filter(({ amountCapturable }) => amountCapturable > 0).length;
  return [
    `  order      ${order.number}, ${order.status}${order.statusReason ? `: ${order.statusReason}` : ''}`,
    `  total      ${order.total.formatted}, of which ${order.shippingTotal.formatted} shipping and ${order.taxTotal.formatted} tax`,
    payment
      ? `  payment    ${payment.status}, ${payment.authorized.formatted} held, ${payment.captured.formatted} taken${
          payment.failureReason ? ` (${payment.failureReason})` : ''
        }`
      : '  payment    none',
    ...(charges
      ? [
          `  provider   asked for ${charges.length === 1 ? 'one payment' : `${charges.length} payments`}, holds money for ${held}`,
        ]
      : []),
    ...goods.map(({ sku, before, after }) => `  stock      ${sku}: ${before} before, ${after} now`),
    '  timeline',
    ...order.timeline.map(({ seq, type, at, to, actor }) =>
      `${after(Date.parse(at) - began)}  ${String(seq).padEnd(3)} ${to.padEnd(16)} ${type.padEnd(20)} ${actor}`.trimEnd(),
    ),
  ].join('\n');
};

const summaryLine = (
  { name }: Scenario,
  { order, sights, paymentStatuses, goods }: Seen,
  wrong: string[],
): string =>
  JSON.stringify({
    scenario: name,
    isAsExpected: wrong.length === 0,
    differences: wrong,
    orderId: order.id,
    number: order.number,
    status: order.status,
    statusReason: order.statusReason,
    total: { amountMinor: order.total.amountMinor, currency: order.total.currency },
    tax: { amountMinor: order.taxTotal.amountMinor, currency: order.taxTotal.currency },
    payments: order.payments?.map(({ id, status }) => ({ id, status })) ?? [],
    paymentStatuses,
    sights,
    goods,
    timeline: order.timeline.map(({ seq, type, to }) => ({ seq, type, to })),
  });

/** @returns the exit code */
const main = async (): Promise<number> => {
  const { scenario, isJson, isHelp, dir } = readOptions();
  if (isHelp) {
    say(usage);
    return 0;
  }
  const stack = readStack(dir);
  if (!stack) throw new DemoProblem(notRunning);
  if (scenario.slowNews && !stack.simulator)
    throw new DemoProblem(
      `--${scenario.name} needs the provider's simulator, and the shop uses another one.`,
    );
  const provider = stack.simulator ? providerAt(stack.simulator) : null;

  if (!isJson) say(`\n${scenario.title}\n`);
  const seen = await buyAs(scenario, stack, provider, isJson ? silence : story);
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
