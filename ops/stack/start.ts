// `npm start`: everything, from nothing to URLs.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { removeData } from './place.ts';
import { isFree } from './ports.ts';
import { problems, StackProblem, told } from './problem.ts';
import { type Product, root, startProduct } from './product.ts';
import { type Services, startServices } from './services.ts';

const began = performance.now();
const sinceStart = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`;
const say = (text = ''): void => console.log(text);

const options = () => {
  try {
    const { values } = parseArgs({
      options: {
        fresh: { type: 'boolean', default: false },
        split: { type: 'boolean', default: false },
        port: { type: 'string', default: process.env.PORT ?? '4000' },
        dir: { type: 'string', default: process.env.ORDERSTREAM_DATA ?? '.data' },
        help: { type: 'boolean', default: false },
      },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new StackProblem(`--port ${values.port} is not a port.`, 'Give a number from 1 to 65535.');
    return { ...values, port, dir: resolve(root, values.dir) };
  } catch (error) {
    if (error instanceof StackProblem) throw error;
    throw new StackProblem((error as Error).message, 'npm start -- --help');
  }
};

const usage = `npm start -- [options]
  --fresh        forget all data and begin anew
  --split        one process for each subgraph instead of one for all
  --port N       of the gateway, 4000 otherwise
  --dir FOLDER   where data and logs stand, .data otherwise`;

/** Two columns or more, as wide as their widest cell. */
const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}`,
    )
    .join('\n');
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** The first thing a customer would ask. */
const firstAnswer = async (gatewayUrl: string, dir: string): Promise<void> => {
  const response = await fetch(`${gatewayUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ products(first: 1) { edges { node { name } } } }' }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = (await response.json()) as { data?: { products?: { edges: unknown[] } } };
  if (!answer.data?.products?.edges.length)
    throw new StackProblem(
      'The gateway answers, but shows no goods.',
      `See ${dir}/logs, or npm start -- --fresh`,
    );
};

const show = (services: Services, product: Product): void => {
  say(
    table([
      ['what', 'kind', 'where', 'ready after'],
      ...services.list.map(({ name, kind, where, tookMs }) => [name, kind, where, seconds(tookMs)]),
      ...product.processes.map(({ name, url, tookMs }) => [name, 'our own', url, seconds(tookMs)]),
    ]),
  );
  const { gatewayUrl, secrets } = product;
  say(`
  GraphQL        ${gatewayUrl}/graphql
  subscriptions  ${gatewayUrl.replace('http', 'ws')}/graphql
  explorer       ${gatewayUrl}/explore

  sign in as     ada@example.com (customer), admin@example.com (admin), reviewer@example.com (fraud reviewer)
  password       ${secrets.DEMO_PASSWORD}

  Next: npm run demo`);
};

const main = async (): Promise<void> => {
  const { fresh, split, port, dir, help } = options();
  if (help) return say(usage);
  if (!(await isFree(port))) throw problems.portTaken('the gateway', port);
  if (fresh) removeData(dir);
  const services = await startServices({
    dir,
    env: process.env,
    durable: true,
    report: ({ service, text }) => say(`  ${sinceStart().padStart(7)}  ${service}: ${text}`),
  });
  // What we started does not keep us running by itself; this does, until somebody stops us.
  setInterval(() => undefined, 60_000);
  let product: Product | undefined;
  let isStopping = false;
  const stop = async (code: number): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    say('\n  stopping …');
    await product?.stop();
    await services.stop();
    process.exit(code);
  };
  process.on('SIGINT', () => void stop(0));
  process.on('SIGTERM', () => void stop(0));
  process.on('SIGHUP', () => void stop(0));
  try {
    product = await startProduct({
      dir,
      services,
      env: process.env,
      port,
      split,
      durable: true,
      history: process.env.SEED_HISTORY !== '0',
      report: (step, tookMs) => say(`  ${sinceStart().padStart(7)}  ${step}: ready after ${seconds(tookMs)}`),
    });
    product.history.catch((error) => {
      if (!isStopping) console.error(`\n  The sales of the past are not in: ${told(error)}`);
    });
    await firstAnswer(product.gatewayUrl, dir);
    say(`\nOrderstream runs. First query answered after ${sinceStart()}.\n`);
    show(services, product);
    for (const { name, running } of product.processes)
      void running.exited.then((code) => {
        if (isStopping) return;
        say(
          `\n  ${name} has ended by itself (${code ?? 'killed'}). Its last words are in ${dir}/logs/${name}.log`,
        );
        void stop(1);
      });
  } catch (error) {
    console.error(`\n${told(error)}`);
    await stop(1);
  }
};

try {
  await main();
} catch (error) {
  console.error(`\n${told(error)}`);
  process.exit(1);
}
