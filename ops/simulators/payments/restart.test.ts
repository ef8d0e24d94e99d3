import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { API_KEY, controlAt, folder, SECRET, stripeAt, until, webhookEndpoint } from './test-shop.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Running = { readonly child: ChildProcess; readonly url: string; readonly port: number };

/** The real process, with the disk as it is in earnest. */
const start = async (dataFile: string, webhookUrl?: string): Promise<Running> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], {
    env: {
      PATH: process.env.PATH,
      DATA_FILE: dataFile,
      STRIPE_API_KEY: API_KEY,
      ...(webhookUrl ? { WEBHOOK_URL: webhookUrl, WEBHOOK_SECRET: SECRET, WEBHOOK_RETRY_MS: '100' } : {}),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  if (!child.stdout) throw new Error('no output to read the address from');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const url = line.split(' ').at(-1) ?? '';
  return { child, url, port: Number(new URL(url).port) };
};

const kill = async ({ child }: Running, signal: NodeJS.Signals): Promise<unknown> => {
  const ended = once(child, 'exit');
  child.kill(signal);
  return (await ended)[0];
};

test('a killed provider remembers payments, keys and what it still has to tell', async () => {
  const place = folder();
  const dataFile = join(place.path, 'book.db');
  const endpoint = await webhookEndpoint();
  cleanups.push(place.remove, endpoint.close);
  const before = await start(dataFile, endpoint.url);
  await controlAt(before.url).faults({ webhooks: { hold: true } });
  const request = { amount: 2500, currency: 'gbp', metadata: { orderId: 'ord_killed' } };
  const options = { idempotencyKey: 'killed' };
  const made = await stripeAt(before.port).paymentIntents.create(request, options);
  await kill(before, 'SIGKILL');

  const after = await start(dataFile, endpoint.url);
  const replayed = await stripeAt(after.port).paymentIntents.create(request, options);
  expect(replayed.id).toBe(made.id);
  expect(replayed.lastResponse.headers['idempotent-replayed']).toBe('true');
  expect((await controlAt(after.url).book()).intents).toHaveLength(1);
  expect(endpoint.heard).toHaveLength(0);
  await controlAt(after.url).post('release');
  await until(() => endpoint.heard.length === 1);
  expect(endpoint.types()).toEqual(['payment_intent.created']);
});

test('deliveries that failed before a restart are tried again after it', async () => {
  const place = folder();
  const dataFile = join(place.path, 'book.db');
  const endpoint = await webhookEndpoint();
  cleanups.push(place.remove, endpoint.close);
  endpoint.answers.push(500);
  const before = await start(dataFile, endpoint.url);
  await stripeAt(before.port).paymentIntents.create({ amount: 500, currency: 'gbp' });
  await until(() => endpoint.heard.length === 1);
  expect(await kill(before, 'SIGTERM')).toBe(0);
  await start(dataFile, endpoint.url);
  await until(() => endpoint.heard.length === 2);
  expect(endpoint.heard[1]?.raw).toBe(endpoint.heard[0]?.raw);
});
