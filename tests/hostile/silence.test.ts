// The gateway reaches its subgraphs, and nobody else: not its packages' makers, not those who collect traces, not even
// where the environment would ask it to.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bookshop, openBookshop, wellAsked } from './bookshop.ts';
import { asked } from './input.ts';
import { startMetered } from './metered-gateway.ts';
import { say } from './raw-http.ts';
import { openGreeted, subscribe } from './raw-socket.ts';

let bookshop: Bookshop;
let folder: string;

beforeAll(async () => {
  bookshop = await openBookshop();
  folder = mkdtempSync(join(tmpdir(), 'orderstream-silence-'));
});
afterAll(async () => {
  await bookshop?.close();
  rmSync(folder, { recursive: true });
});

/** What makes the packages that we use talkative. */
const tempting = {
  NODE_ENV: 'production',
  APOLLO_KEY: 'service:bookshop:not-a-key',
  APOLLO_GRAPH_REF: 'bookshop@current',
  APOLLO_SCHEMA_REPORTING: 'true',
  OTEL_SERVICE_NAME: 'bookshop',
  OTEL_TRACES_EXPORTER: 'otlp',
};

const ear = new URL('outbound.ts', import.meta.url).href;

/** Everybody who was tried to be reached, each once. */
const reachedIn = (file: string): string[] => [...new Set(readFileSync(file, 'utf8').trimEnd().split('\n'))];

/** Everything that a gateway does at all: questions new and known, wrong ones, a subscription, and an end in peace. */
const live = async (gateway: Awaited<ReturnType<typeof startMetered>>, query: string, live?: string) => {
  for (const text of [query, query, '{ nothing }', '{', '{ __typename }'])
    await say(gateway.url, asked({ body: JSON.stringify({ query: text }) }));
  const { origin } = new URL(gateway.url);
  for (const path of ['/health', '/health/ready', '/metrics', '/']) await fetch(`${origin}${path}`);
  if (live !== undefined) {
    const one = await openGreeted(gateway.url);
    one.send(subscribe(live));
    await expect.poll(() => one.heard.length, { timeout: 20_000 }).toBeGreaterThan(1);
    one.destroy();
  }
  // What was gathered to be told is told at the end, if ever.
  await gateway.stop();
};

test('the gateway by itself reaches the subgraphs of its supergraph and nobody else', async () => {
  const file = join(folder, 'standalone');
  const gateway = await startMetered({
    file: 'gateway/src/standalone/main.ts',
    args: bookshop.args,
    env: { ...tempting, REACHED: file },
    load: ear,
  });
  await live(gateway, wellAsked, 'subscription { ticks(from: 1) }');
  const reached = reachedIn(file);
  expect(reached.sort()).toEqual(['listening', ...bookshop.places].sort());
});

test('the shop’s gateway reaches the places of its subgraphs and its Redis, and nobody else', async () => {
  const file = join(folder, 'shop');
  // Nobody is there, which is no reason to look elsewhere.
  const [place, cache] = ['127.0.0.1:9', '127.0.0.1:10'];
  const gateway = await startMetered({
    file: 'gateway/src/main.ts',
    env: {
      ...tempting,
      REACHED: file,
      PORT: '0',
      GATEWAY_SECRET: 's'.repeat(40),
      SUBGRAPHS_URL: `http://${place}`,
      REDIS_URL: `redis://${cache}`,
      LOG_LEVEL: 'silent',
    },
    load: ear,
  });
  await live(gateway, '{ categories { id } }');
  expect(reachedIn(file).sort()).toEqual(['listening', place, cache].sort());
});

test('whoever would reach somebody else is heard', async () => {
  const file = join(folder, 'loud');
  const program = `
    import { get } from 'node:http';
    import { get as getSafely } from 'node:https';
    import { fork } from 'node:child_process';
    getSafely('https://somewhere.invalid').on('error', () => undefined);
    get('http://127.0.0.1:9').on('error', () => undefined);
    await fetch('http://elsewhere.invalid').catch(() => undefined);
    if (!process.send) fork(process.argv[1], [], { env: {} });`;
  const loud = join(folder, 'loud.mjs');
  writeFileSync(loud, program);
  const env = { PATH: process.env.PATH, REACHED: file };
  spawnSync(process.execPath, ['--import', ear, loud], { env });
  expect(reachedIn(file).sort()).toEqual([
    '127.0.0.1:9',
    'listening',
    'name elsewhere.invalid',
    'name somewhere.invalid',
  ]);
  expect(readFileSync(file, 'utf8').match(/name somewhere/g)).toHaveLength(2);
});
