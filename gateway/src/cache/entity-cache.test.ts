// The entity cache on a Redis of this file's own, which goes away, hangs and comes back.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createLog } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { marketSdl } from '../execute/fixture-market.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import type { Transport } from '../transport/transport.ts';
import { CacheCounts } from './cache-counts.ts';
import { withEntityCache } from './entity-cache.ts';
import { openEntityStore } from './entity-store.ts';
import { type Asking, openShelf, type Shelf, supergraph } from './fixture-shelf.ts';

const log = createLog('test', 'silent');

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
};

const port = await freePort();
let server: ChildProcess;
const startServer = async (): Promise<void> => {
  server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    cwd: '/tmp',
  });
  for await (const line of server.stdout!) if (String(line).includes('Ready to accept')) break;
  server.stdout!.resume();
};
const redis = openRedis(`redis://127.0.0.1:${port}`, log);
// A busy machine may keep even Redis waiting; how long nobody waits is a test of its own.
const patient = openEntityStore({ redis, prefix: 'test:', log, patienceMs: 5_000 });

let shelf: Shelf;
let counts: CacheCounts;
let transports: Map<string, Transport<Asking>>;

const cached = (store = patient): Map<string, Transport<Asking>> =>
  new Map(
    [...shelf.transports].map(([subgraph, inner]) => [
      subgraph,
      withEntityCache(inner, {
        subgraph,
        fullSchema: supergraph.fullSchema,
        store,
        scopeOf: ({ user }) => user,
        counts,
      }),
    ]),
  );

beforeAll(async () => {
  await startServer();
  await connectRedis(redis, log);
});
afterAll(async () => {
  supergraph.planner.close();
  redis.disconnect();
  server.kill('SIGKILL');
  await once(server, 'exit');
});
beforeEach(async () => {
  if (redis.status === 'ready') await redis.flushall();
  counts = new CacheCounts();
  shelf = openShelf();
  transports = cached();
});

const asked = (subgraph: string): unknown[][] =>
  shelf.called
    .filter((one) => one.subgraph === subgraph)
    .map(({ representations }) => representations.map((one) => one.id ?? one.sku));

const stored = (count: number) =>
  vi.waitFor(async () => expect(await redis.keys('test:e:*')).toHaveLength(count));

const names = (...list: (string | null)[]) => ({ data: { products: list.map((name) => ({ name })) } });
const all = names('Käse p1', 'Käse p2', 'Käse p3');
const query = '{ products { name } }';

describe('with Redis there', () => {
  test('an entity that was asked for is not asked for again', async () => {
    expect(await shelf.ask(transports, query)).toEqual(all);
    await stored(3);
    expect(await shelf.ask(transports, query)).toEqual(all);
    expect(asked('catalog')).toEqual([['p1', 'p2', 'p3']]);
    expect([...counts.types()]).toEqual([{ subgraph: 'catalog', type: 'Product', hits: 3, misses: 3 }]);
    expect([counts.saved, counts.reduced, counts.passed]).toEqual([1, 0, 0]);
  });

  test('only what is not known is asked for', async () => {
    const other = openShelf(['p2']);
    const one = new Map(transports).set('list', other.transports.get('list')!);
    expect(await other.ask(one, query)).toEqual(names('Käse p2'));
    await stored(1);
    expect(await shelf.ask(transports, query)).toEqual(all);
    expect(asked('catalog')).toEqual([['p2'], ['p1', 'p3']]);
    expect(counts.reduced).toBe(1);
    await stored(3);
  });

  test('an entity that was forgotten is asked for again, and no other', async () => {
    await shelf.ask(transports, query);
    await stored(3);
    shelf.names.set('p2', 'Brie');
    expect(await shelf.ask(transports, query)).toEqual(all);
    await patient.forget('catalog', 'Product', { id: 'p2' });
    expect(await shelf.ask(transports, query)).toEqual(names('Käse p1', 'Brie', 'Käse p3'));
    expect(asked('catalog')).toEqual([['p1', 'p2', 'p3'], ['p2']]);
    expect(await shelf.ask(transports, query)).toEqual(names('Käse p1', 'Brie', 'Käse p3'));
  });

  test('keys are what they are, in any alphabet and however long', async () => {
    const ids = ['Käse 🧀', 'x'.repeat(500)];
    shelf = openShelf(ids);
    transports = cached();
    const answer = await shelf.ask(transports, query);
    await stored(2);
    expect(await shelf.ask(transports, query)).toEqual(answer);
    expect(asked('catalog')).toEqual([ids]);
    for (const id of ids) {
      await patient.forget('catalog', 'Product', { id });
      expect(await shelf.ask(transports, query)).toEqual(answer);
      expect(asked('catalog').at(-1)).toEqual([id]);
    }
  });

  test('an answer that was under way when its entity was forgotten is not kept', async () => {
    shelf.beforeAnswer = async () => {
      shelf.beforeAnswer = () => undefined;
      shelf.names.set('p2', 'Brie');
      await patient.forget('catalog', 'Product', { id: 'p2' });
    };
    await shelf.ask(transports, query);
    await stored(3);
    expect(await shelf.ask(transports, query)).toEqual(names('Käse p1', 'Brie', 'Käse p3'));
    expect(asked('catalog')).toEqual([['p1', 'p2', 'p3'], ['p2']]);
  });

  test('the same selection in another operation is the same question; other arguments are another', async () => {
    await shelf.ask(transports, query);
    await stored(3);
    await shelf.ask(transports, 'query Other { products { id name } }');
    expect(asked('catalog')).toHaveLength(1);
    const priced = 'query P($c: String) { products { price(currency: $c) } }';
    await shelf.ask(transports, priced, null, { c: 'EUR' });
    await stored(6);
    expect(await shelf.ask(transports, priced, null, { c: 'GBP' })).toEqual({
      data: { products: [{ price: 1 }, { price: 1 }, { price: 1 }] },
    });
    expect(await shelf.ask(transports, priced, null, { c: 'EUR' })).toEqual({
      data: { products: [{ price: 2 }, { price: 2 }, { price: 2 }] },
    });
    expect(asked('catalog')).toHaveLength(3);
  });

  test('what one viewer may see is kept for that viewer, and for nobody who is not signed in', async () => {
    const noted = '{ products { note } }';
    await shelf.ask(transports, noted, 'ann');
    await stored(3);
    await shelf.ask(transports, noted, 'ann');
    expect(asked('catalog')).toHaveLength(1);
    await shelf.ask(transports, noted, 'bob');
    await shelf.ask(transports, noted, null);
    await shelf.ask(transports, noted, null);
    expect(asked('catalog')).toHaveLength(4);
  });

  test('what is public is kept apart where the caller says that it differs', async () => {
    const inner = shelf.transports.get('catalog')!;
    const options = { subgraph: 'catalog', fullSchema: supergraph.fullSchema, store: patient, counts };
    const byUser = withEntityCache(inner, {
      ...options,
      scopeOf: () => null,
      variantOf: ({ user }: Asking) => user ?? '',
    });
    transports.set('catalog', byUser);
    for (const [at, user] of ['en', 'de', null].entries()) {
      await shelf.ask(transports, query, user);
      await stored(3 * (at + 1));
      await shelf.ask(transports, query, user);
      expect(asked('catalog')).toHaveLength(at + 1);
    }
  });

  test('what nobody has said may be kept is asked for each time', async () => {
    for (const field of ['left', 'plain { text }', 'name left'])
      for (let times = 0; times < 2; times += 1) await shelf.ask(transports, `{ products { ${field} } }`);
    expect(asked('catalog')).toHaveLength(6);
    expect(await redis.keys('*')).toEqual([]);
  });

  test('as long as its shortest part may be kept', async () => {
    for (const [field, seconds] of [
      ['name', 60],
      ['name price', 10],
      ['maker { name }', 30],
      ['maker { name country }', 5],
    ] as const) {
      await redis.flushall();
      await shelf.ask(transports, `{ products { ${field} } }`);
      await stored(3);
      const [name] = await redis.keys('test:e:*');
      const left = await redis.pttl(name!);
      expect(left).toBeGreaterThan(seconds * 1_000 - 4_000);
      expect(left).toBeLessThanOrEqual(seconds * 1_000);
    }
  });

  test('what an entity’s field requires is part of the question', async () => {
    const shipped = '{ products { shipping } }';
    expect(await shelf.ask(transports, shipped)).toEqual({
      data: { products: [{ shipping: 20 }, { shipping: 20 }, { shipping: 20 }] },
    });
    await stored(3);
    await shelf.ask(transports, shipped);
    expect(asked('depot')).toEqual([['sku-p1', 'sku-p2', 'sku-p3']]);
    await patient.forget('depot', 'Product', { sku: 'sku-p3' });
    await shelf.ask(transports, shipped);
    expect(asked('depot').at(-1)).toEqual(['sku-p3']);
  });

  test('an entity that is not there, or has errors, is asked for again', async () => {
    shelf.names.set('p1', null);
    shelf.names.set('p2', new Error('no'));
    const first = await shelf.ask(transports, query);
    expect(first.data).toEqual({ products: [{ name: null }, { name: null }, { name: 'Käse p3' }] });
    expect(await redis.keys('*')).toEqual([]);
    shelf.names.set('p2', 'Brie');
    await shelf.ask(transports, query);
    await stored(2);
    shelf.names.set('p1', new Error('no'));
    const answer = await shelf.ask(transports, query);
    expect(answer.data).toEqual({ products: [{ name: null }, { name: 'Brie' }, { name: 'Käse p3' }] });
    expect(answer.errors!.map(({ path }) => path)).toEqual([['products', 0, 'name']]);
    expect(asked('catalog').at(-1)).toEqual(['p1']);
  });

  test('two lists that one request asks for are each put together', async () => {
    const both = '{ products { shipping } shelves { place } }';
    const answer = await shelf.ask(transports, both);
    await stored(6);
    await patient.forget('depot', 'Shelf', { id: 'p2' });
    expect(await shelf.ask(transports, both)).toEqual(answer);
    expect(asked('depot').at(-1)).toEqual(['p2']);
  });

  test('a text that is no JSON any more does not stay', async () => {
    await shelf.ask(transports, query);
    await stored(3);
    for (const name of await redis.keys('test:e:*')) await redis.set(name, 'nonsense');
    expect(await shelf.ask(transports, query)).toEqual(all);
    expect(asked('catalog')).toHaveLength(2);
  });

  test('a supergraph that lets nothing be kept has the transport as it is', () => {
    const inner = shelf.transports.get('list')!;
    const { fullSchema } = openSupergraph(marketSdl);
    const options = { subgraph: 'list', store: patient, scopeOf: () => null, counts };
    expect(withEntityCache(inner, { ...options, fullSchema })).toBe(inner);
    expect(withEntityCache(inner, { ...options, fullSchema: supergraph.fullSchema })).not.toBe(inner);
  });
});

describe('without Redis', () => {
  test('one that hangs is waited for 50 ms at most, and then left alone for a while', async () => {
    const body = JSON.stringify({
      query:
        'query($representations:[_Any!]!){_entities(representations:$representations){... on Product{name}}}',
      variables: { representations: [{ __typename: 'Product', id: 'p1' }] },
    });
    const milliseconds = async (transport: Transport<Asking>): Promise<number> => {
      const began = performance.now();
      await new Promise((answered, failed) => {
        transport.send(body, true, { user: null }, { answered, failed });
      });
      return performance.now() - began;
    };
    server.kill('SIGSTOP');
    try {
      const waits: number[] = [];
      // Other tests run beside this one; the machine has time for one of three.
      for (let times = 0; times < 3; times += 1) {
        const hasty = cached(openEntityStore({ redis, prefix: 'test:', log })).get('catalog')!;
        waits.push(await milliseconds(hasty));
        const { passed } = counts;
        const next = milliseconds(hasty);
        // Nothing was waited for: it is with the subgraph already.
        expect(counts.passed).toBe(passed + 1);
        await next;
      }
      expect(Math.min(...waits)).toBeGreaterThan(35);
      expect(Math.min(...waits)).toBeLessThan(150);
    } finally {
      server.kill('SIGCONT');
    }
  });

  test('every request goes straight through, and who would have something forgotten is told', async () => {
    server.kill('SIGKILL');
    await once(server, 'exit');
    await vi.waitFor(() => expect(redis.status).not.toBe('ready'));
    expect(await shelf.ask(transports, query)).toEqual(all);
    expect(await shelf.ask(transports, query)).toEqual(all);
    expect(counts.passed).toBe(2);
    await expect(patient.forget('catalog', 'Product', { id: 'p1' })).rejects.toThrow();
  });

  test('and it is asked again when it is back', async () => {
    await startServer();
    await vi.waitFor(() => expect(redis.status).toBe('ready'), { timeout: 5_000 });
    await vi.waitFor(() => expect(patient.isReady()).toBe(true));
    await shelf.ask(transports, query);
    await stored(3);
    await shelf.ask(transports, query);
    expect(asked('catalog')).toHaveLength(1);
  });
});
