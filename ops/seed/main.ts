// `npm run seed -- --orders N`: a year of invented orders into the databases of the running shop.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { platformSettings, readSettings } from '@orderstream/runtime/config';
import pg from 'pg';
import { databaseOf } from '../stack/migrate.ts';
import type { Plan } from './generated-orders.ts';
import { type Added, loadGenerated, type Options, OtherPlanError } from './load-generated.ts';

const usage = `npm run seed -- --orders N [options]
  --orders N      how many; 1 to 9,999,999
  --seed S        a word of letters and digits, 1 otherwise: the same orders for the same seed and options
  --customers M   how many of the shop's customers buy, all 3,613 otherwise
  --open          the shop goes on meanwhile; it takes longer
  --until DAY     the first of a month: the twelve months before it are filled; this month's otherwise
  --dir FOLDER    where the shop's data stands, .data otherwise

Fills the databases of DATABASE_URL, or those of the shop that npm start runs. A second time adds nothing. From 50,000
orders on, where they are more than there are, the shop's orders and payments stand still until they are in: nobody can
read or change them, and nothing is lost, for whatever has to do with them waits and goes on.`;

class SeedProblem extends Error {}

const whole = (name: string, text: string, most: number): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new SeedProblem(`--${name} ${text} is not a whole number from 1 to ${most}.\n\n${usage}`);
  return value;
};

const thisMonth = (now: Date): string => `${now.toISOString().slice(0, 7)}-01`;

const readOptions = (now: Date): { plan: Plan; dir: string; open: boolean } | null => {
  const read = () =>
    parseArgs({
      options: {
        orders: { type: 'string' },
        seed: { type: 'string', default: '1' },
        customers: { type: 'string', default: '3613' },
        until: { type: 'string', default: thisMonth(now) },
        dir: { type: 'string', default: process.env.ORDERSTREAM_DATA ?? '.data' },
        open: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  let values: ReturnType<typeof read>;
  try {
    values = read();
  } catch (error) {
    throw new SeedProblem(`${(error as Error).message}\n\n${usage}`);
  }
  if (values.help) return null;
  const { orders, seed, customers, until } = values;
  if (orders === undefined) throw new SeedProblem(usage);
  if (!/^[0-9A-Z]{1,12}$/i.test(seed))
    throw new SeedProblem(`--seed ${seed} is not 1 to 12 letters or digits.`);
  if (!/^\d{4}-\d\d-01$/.test(until) || Number.isNaN(Date.parse(until)))
    throw new SeedProblem(`--until ${until} is not the first of a month, such as ${thisMonth(now)}.`);
  return {
    plan: {
      orders: whole('orders', orders, 9_999_999),
      // Numbers of orders are looked up in capitals.
      seed: seed.toUpperCase(),
      customers: whole('customers', customers, 3_613),
      until: new Date(until),
    },
    dir: resolve(import.meta.dirname, '../..', values.dir),
    open: values.open,
  };
};

const databaseUrls = (dir: string): { readonly [name in 'orders' | 'payments' | 'users']: string } => {
  const file = resolve(dir, 'stack.json');
  const { DATABASE_URL } = process.env;
  const stack = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  if (!DATABASE_URL && !stack)
    throw new SeedProblem(
      'The shop is not running: type npm start in another terminal, or set DATABASE_URL.',
    );
  const urlOf = (name: string): string =>
    DATABASE_URL ? databaseOf(name, DATABASE_URL, process.env).url : stack.databases[name];
  return { orders: urlOf('orders'), payments: urlOf('payments'), users: urlOf('users') };
};

/** Customers first and orders last, so that whatever ends this in between leaves no order without its payment. */
const commits = ['users', 'payments', 'orders'] as const;

const seed = async (dir: string, tenantId: string, plan: Plan, options: Options): Promise<Added> => {
  const urls = databaseUrls(dir);
  const open = async (url: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
    // A connection that breaks is told to whoever waits for an answer on it, too.
    client.on('error', () => undefined);
    await client.connect();
    await client.query('begin');
    return client;
  };
  const clients = {
    orders: await open(urls.orders),
    payments: await open(urls.payments),
    users: await open(urls.users),
  };
  try {
    const added = await loadGenerated(clients, tenantId, plan, options);
    for (const name of commits) await clients[name].query('commit');
    return added;
  } finally {
    // What was not committed is given up with its connection.
    await Promise.all(Object.values(clients).map((client) => client.end()));
  }
};

/** Orders a second on two cores that have nothing else to do. */
const usualRate = 20_000;

const main = async (): Promise<void> => {
  const options = readOptions(new Date());
  if (!options) return console.log(usage);
  const began = performance.now();
  const { TENANT_ID } = readSettings(
    { TENANT_ID: process.env.TENANT_ID },
    platformSettings.pick({ TENANT_ID: true }),
  );
  const { dir, plan, open } = options;
  const onStandstill = () =>
    console.log(
      `The shop's orders and payments stand still for about ${Math.ceil(plan.orders / usualRate)} s. With --open it goes on, and this takes longer.`,
    );
  const { orders, payments, accounts } = await seed(dir, TENANT_ID, plan, { open, onStandstill });
  const seconds = (performance.now() - began) / 1000;
  const rate = Math.round(Math.max(orders, payments) / seconds).toLocaleString('en');
  console.log(
    orders + payments === 0
      ? 'They are there already; nothing was added.'
      : `${orders} orders, ${payments} payments, ${accounts} accounts in ${seconds.toFixed(1)} s, ${rate} orders a second. Every row has its order, and the book adds up.`,
  );
};

try {
  await main();
} catch (error) {
  if (!(error instanceof SeedProblem || error instanceof OtherPlanError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
