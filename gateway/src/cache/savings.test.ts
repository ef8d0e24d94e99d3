import { randomUUID } from 'node:crypto';
import { createLog } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { type Metrics, openMetrics } from '../telemetry/metrics.ts';
import type { Transport } from '../transport/transport.ts';
import { type Asking, openShelf, type Shelf, supergraph } from './fixture-shelf.ts';
import { createSavings, type SavingSettings } from './savings.ts';

const log = createLog('test', 'silent');
const redis = openRedis(inject('services').redisUrl, log);
beforeAll(() => connectRedis(redis, log));
afterAll(() => {
  redis.disconnect();
  supergraph.planner.close();
});

let prefix: string;
let shelf: Shelf;
let metrics: Metrics;
beforeEach(() => {
  prefix = `savings-${randomUUID()}-`;
  shelf = openShelf();
  metrics = openMetrics();
});

const waysWith = (settings: SavingSettings): Map<string, Transport<Asking>> => {
  const savings = createSavings<Asking>({ settings, redis, prefix, metrics, log, patienceMs: 5_000 });
  return new Map(
    [...shelf.transports].map(([subgraph, calls]) => [
      subgraph,
      savings.before(calls, subgraph, supergraph.fullSchema, {
        scopeOf: ({ user }) => (user === null ? '' : null),
        userOf: ({ user }) => user,
        variantOf: () => '',
      }),
    ]),
  );
};

const calls = (subgraph: string): number => shelf.called.filter((one) => one.subgraph === subgraph).length;
const kept = () =>
  vi.waitFor(async () => expect(await redis.keys(`${prefix}e:*`)).toHaveLength(3), { timeout: 5_000 });
const query = '{ products { name } }';
const entities = { enabled: true, longest: 300_000 };

test('what a crowd of strangers asks is asked once, and looked up once', async () => {
  const ways = waysWith({ sharing: true, entities });
  const body = JSON.stringify({
    query:
      'query($representations:[_Any!]!){_entities(representations:$representations){... on Product{name}}}',
    variables: { representations: [{ __typename: 'Product', id: 'p1' }] },
  });
  const ask = () =>
    new Promise<string>((answered, failed) => {
      ways.get('catalog')!.send(body, true, { user: null }, { answered, failed });
    });
  const answers = await Promise.all(Array.from({ length: 5 }, ask));
  expect(new Set(answers).size).toBe(1);
  expect(calls('catalog')).toBe(1);
  const page = metrics.registry.text();
  expect(page).toContain('gateway_shared_total{what="calls",outcome="made"} 1');
  expect(page).toContain('gateway_shared_total{what="calls",outcome="joined"} 4');
  expect(page).toContain(
    'gateway_entity_cache_entities_total{subgraph="catalog",type="Product",outcome="miss"} 1',
  );
});

test('whoever is signed in asks for nobody else, and is answered from what is known', async () => {
  const ways = waysWith({ sharing: true, entities });
  await Promise.all([
    shelf.ask(ways, '{ shelves { id } }', 'ann'),
    shelf.ask(ways, '{ shelves { id } }', 'ann'),
  ]);
  expect(calls('list')).toBe(2);
  await shelf.ask(ways, query, 'ann');
  await kept();
  await shelf.ask(ways, query, 'bob');
  expect([calls('list'), calls('catalog')]).toEqual([4, 1]);
  expect(metrics.registry.text()).toContain('gateway_entity_cache_calls_total{outcome="saved"} 1');
});

test('nothing is kept for longer than the gateway is told', async () => {
  const ways = waysWith({ sharing: false, entities: { enabled: true, longest: 7_000 } });
  await shelf.ask(ways, query);
  await kept();
  const [name] = await redis.keys(`${prefix}e:*`);
  expect(await redis.pttl(name!)).toBeLessThanOrEqual(7_000);
});

test('each can be done without', async () => {
  const ways = waysWith({ sharing: false, entities: { ...entities, enabled: false } });
  await Promise.all([shelf.ask(ways, query), shelf.ask(ways, query)]);
  expect([calls('list'), calls('catalog')]).toEqual([2, 2]);
  expect(await redis.keys(`${prefix}*`)).toEqual([]);
  expect(metrics.registry.text()).not.toMatch(/shared|entity_cache/);
  expect([...ways.values()]).toEqual([...shelf.transports.values()]);
});
