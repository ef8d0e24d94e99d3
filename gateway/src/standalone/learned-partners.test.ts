// A partner that is heard of while the gateway runs: what it has stored is planned before it asks.
import { createLog } from '@orderstream/runtime/log';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readConfiguration } from '../configuration/reading.ts';
import { openClientBook } from '../persisted/client-book.ts';
import { keyHashOf } from '../persisted/partners.ts';
import { openServing } from '../serving/serving.ts';
import { type Library, openLibrary } from './fixture-library.ts';
import { plainParticulars } from './standalone.ts';

const keyPrefix = `osk_${'0'.repeat(12)}`;
const key = `${keyPrefix}_${'k'.repeat(43)}`;
const stored = [
  '{ books { title } }',
  '{ book(id: 1) { title } }',
  '{ book(id: 2) { isLent } }',
  '{ nonsense }',
];

let library: Library;
let gateway: Awaited<ReturnType<typeof openServing>>;
beforeAll(async () => {
  library = await openLibrary();
  const configuration = readConfiguration('{}', {});
  const log = createLog('test', 'silent');
  const told = {
    id: 'acme',
    name: 'Acme',
    keyPrefix,
    keyHash: keyHashOf(key),
    version: 1,
    scopes: [],
    perMinute: 100,
    perDay: 100,
    costPerMinute: null,
    operations: stored.map((body, id) => ({ id: String(id), name: null, body })),
  };
  const door = { ask: async (prefix: string) => (prefix === keyPrefix ? told : null), tell: async () => {} };
  gateway = await openServing({
    configuration: {
      ...configuration,
      listen: { ...configuration.listen, port: 0 },
      supergraph: { ...configuration.supergraph, file: library.file },
      telemetry: { ...configuration.telemetry, accessLog: { enabled: false, sample: 0 } },
    },
    particulars: { ...plainParticulars(configuration, log), clients: openClientBook({ door, log }) },
    log,
    siblings: null,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await library?.close();
});

const figure = (name: string): number =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(gateway.counted())?.[1]);

test('the first request of a partner makes all of its operations known, but for what nobody could ask', async () => {
  const ask = async (id: string) => {
    const response = await fetch(`${gateway.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify({ id }),
    });
    return response.json();
  };
  expect(await ask('1')).toEqual({ data: { book: { title: 'Emma' } } });
  await vi.waitFor(() => expect(figure('gateway_plan_cache_operations')).toBe(3));
  const misses = () => figure('gateway_plan_cache_requests_total{outcome="miss"}'.replace(/[{}]/g, '\\$&'));
  const before = misses();
  expect(before).toBeGreaterThan(0);
  expect(await ask('2')).toEqual({ data: { book: { isLent: false } } });
  expect(misses()).toBe(before);
});
