// `npm run bench -- orders`: how fast and at what price the shop takes orders, and whether its books are right after that.
// `npm run bench -- gateway`: what a request costs the gateway, beside others.
// `npm run bench -- subscriptions`: how soon thousands of clients hear of a change, and what each costs.
// Ends with 1 where a promise is not kept, 2 where it was asked wrongly, 130 where it was interrupted.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StackProblem, told as toldProblem } from '../stack/problem.ts';
import { benchGateway, usage as gatewayUsage } from './gateway/gateway.ts';
import { benchSubscriptions, usage as subscriptionsUsage } from './gateway/subscriptions.ts';
import { benchOrders } from './orders.ts';
import { missed, told } from './report.ts';
import { ownShop, runningShop, type Shop } from './shop.ts';

const usage = `npm run bench -- orders [options]
  --orders N      500 otherwise
  --customers N   200 otherwise
  --rate N        orders in a second on average, 20 otherwise
  --seed N        1 otherwise
  --watch WHAT    order (a subscription for each) or customer (one for all of a customer's); order otherwise
  --carrier-day N seconds that a day of the carrier takes, 60 otherwise: it collects what was ordered later that day
  --patience N    seconds for orders to come to an end, 180 otherwise
  --stack FOLDER  measures the shop that runs on this data; otherwise one is started and thrown away
  --split         starts a process for each subgraph instead of one for all
  --json FILE     writes the figures there, too`;

const text = (value: string) => ({ type: 'string', default: value }) as const;

const read = () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      orders: text('500'),
      customers: text('200'),
      rate: text('20'),
      seed: text('1'),
      watch: text('order'),
      'carrier-day': text('60'),
      patience: text('180'),
      stack: { type: 'string' },
      split: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const whole = (name: 'orders' | 'customers' | 'seed' | 'patience' | 'carrier-day'): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1 on.`);
    return value;
  };
  const rate = Number(values.rate);
  if (!(rate > 0)) throw new Error('--rate must be more than 0.');
  const { watch, stack, split, json } = values;
  if (watch !== 'order' && watch !== 'customer') throw new Error('--watch is order or customer.');
  if (positionals.join() !== 'orders')
    throw new Error('There are three benches: orders, gateway and subscriptions.');
  return {
    demand: { orders: whole('orders'), customers: whole('customers'), rate, seed: whole('seed') },
    patience: whole('patience'),
    carrierDayMs: whole('carrier-day') * 1_000,
    watch: watch as 'order' | 'customer',
    stack,
    split,
    json,
  };
};

const run = async ({
  demand,
  patience,
  carrierDayMs,
  watch,
  stack,
  split,
  json,
}: ReturnType<typeof read>): Promise<number> => {
  const began = performance.now();
  const say = (what: string): void =>
    console.error(`  ${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  // Listening keeps services and processes from being ended in an order of their own; the shop is closed below.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  // What was started does not keep us running by itself.
  const awake = setInterval(() => undefined, 60_000);
  let shop: Shop | null = null;
  try {
    shop = stack === undefined ? await ownShop({ say, split, carrierDayMs }) : runningShop(resolve(stack));
    interrupted.signal.throwIfAborted();
    const { signal } = interrupted;
    const report = await benchOrders(shop, {
      ...demand,
      patience,
      carrierDayMs: stack === undefined ? carrierDayMs : null,
      watch,
      startedAt: new Date(),
      say,
      signal,
    });
    if (json) writeFileSync(json, `${JSON.stringify({ ...report, missed: missed(report) }, null, 2)}\n`);
    console.log(told(report));
    return missed(report).length === 0 ? 0 : 1;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    console.error(error instanceof StackProblem ? toldProblem(error) : error);
    return 1;
  } finally {
    await shop?.close();
    clearInterval(awake);
  }
};

const main = async (): Promise<number> => {
  if (process.argv[2] === 'gateway') return benchGateway(process.argv.slice(3));
  if (process.argv[2] === 'subscriptions') return benchSubscriptions(process.argv.slice(3));
  let options: ReturnType<typeof read>;
  try {
    options = read();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${[usage, gatewayUsage, subscriptionsUsage].join('\n\n')}`);
    return 2;
  }
  return run(options);
};

process.exitCode = await main();
