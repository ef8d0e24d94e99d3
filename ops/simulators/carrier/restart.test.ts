import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { API_KEY, folder, label, SECRET, senderAt, until, webhookEndpoint } from './test-sender.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Running = { readonly child: ChildProcess; readonly carrier: ReturnType<typeof senderAt> };

/** The real process, with the disk as it is in earnest. */
const start = async (dataFile: string, webhookUrl: string, dayMs: number): Promise<Running> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], {
    env: {
      PATH: process.env.PATH,
      DATA_FILE: dataFile,
      CARRIER_API_KEY: API_KEY,
      CARRIER_WEBHOOK_SECRET: `${SECRET},whsec_next`,
      WEBHOOK_URL: webhookUrl,
      WEBHOOK_RETRY_MS: '100',
      DAY_MS: String(dayMs),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  if (!child.stdout) throw new Error('no output to read the address from');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, carrier: senderAt(line.split(' ').at(-1) ?? '') };
};

const kill = async ({ child }: Running, signal: NodeJS.Signals): Promise<unknown> => {
  const ended = once(child, 'exit');
  child.kill(signal);
  return (await ended)[0];
};

test('a killed carrier remembers labels and keys, and makes up for the scans it missed', async () => {
  const place = folder();
  const dataFile = join(place.path, 'book.db');
  const endpoint = await webhookEndpoint();
  cleanups.push(place.remove, endpoint.close);
  const dayMs = 1600;
  const before = await start(dataFile, endpoint.url, dayMs);
  const made = await before.carrier.send(label('ord-killed'), 'key');
  expect(made.status).toBe(201);
  await kill(before, 'SIGKILL');
  const madeAt = Date.parse(made.body.created_at);
  await new Promise((resolve) => setTimeout(resolve, madeAt + dayMs - Date.now()));

  const { carrier } = await start(dataFile, endpoint.url, dayMs);
  expect(await carrier.send(label('ord-killed'), 'key')).toEqual({ ...made, isReplay: true });
  const missed = (await carrier.shipment(made.body.id)).events;
  expect(missed.length).toBeGreaterThanOrEqual(2);
  expect(Date.parse(missed[0]?.at ?? '')).toBeLessThan(madeAt + dayMs / 4);
  expect((await carrier.cancel(made.body.id)).body.error.code).toBe('already_collected');
  const parcel = await carrier.when(made.body.id, 'delivered');
  // One that was under way when the process was killed comes twice, as it must.
  const told = () => [...new Map(endpoint.heard.map((one) => [one.told.id, one.told.event])).values()];
  await until(() => told().length >= parcel.events.length);
  expect(told()).toEqual(parcel.events);
  expect(endpoint.heard.every(({ isGenuine }) => isGenuine)).toBe(true);
});

test('webhooks that failed before a stop are tried again after it, and so is a refused label', async () => {
  const place = folder();
  const dataFile = join(place.path, 'book.db');
  const endpoint = await webhookEndpoint();
  cleanups.push(place.remove, endpoint.close);
  endpoint.answers.push(...Array.from({ length: 40 }, () => 500));
  const before = await start(dataFile, endpoint.url, 3_600_000);
  await before.carrier.faults({ failLabels: 2 });
  expect((await before.carrier.send(label('ord-2'), 'ord-2')).status).toBe(422);
  expect((await before.carrier.send(label('ord-2'), 'ord-2')).status).toBe(422);
  const { id } = await before.carrier.labelled('ord-1');
  await before.carrier.cancel(id);
  await until(() => endpoint.heard.length >= 1);
  expect(await kill(before, 'SIGTERM')).toBe(0);

  endpoint.answers.length = 0;
  const failed = endpoint.heard.length;
  const { carrier } = await start(dataFile, endpoint.url, 3_600_000);
  await until(() => endpoint.heard.length === failed + 1);
  expect(endpoint.heard.at(-1)?.raw).toBe(endpoint.heard[0]?.raw);
  expect((await carrier.send(label('ord-2'), 'ord-2')).status).toBe(201);
});
