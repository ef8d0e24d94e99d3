// The cache and the hints on a Redis of this file's own, which goes away, hangs and comes back.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCache } from './cache.ts';
import { createHints } from './hints.ts';
import { createLog } from './log.ts';
import { connectRedis, openRedis } from './redis.ts';

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
const stopServer = async (): Promise<void> => {
  server.kill('SIGKILL');
  await once(server, 'exit');
};

const redis = openRedis(`redis://127.0.0.1:${port}`, log);
const subscriber = openRedis(`redis://127.0.0.1:${port}`, log);
const cache = createCache(redis, 'test:', log);
const hints = createHints(redis, subscriber, 'test:', log);
const ready = () =>
  vi.waitFor(() => expect([redis.status, subscriber.status]).toEqual(['ready', 'ready']), { timeout: 5_000 });

/** Fails when the work takes longer than a customer would notice, milliseconds. */
const soon = async <T>(work: Promise<T>, ms = 300): Promise<T> => {
  const began = performance.now();
  const result = await work;
  expect(performance.now() - began).toBeLessThan(ms);
  return result;
};

let asked: string[][] = [];
const batch = async (keys: readonly string[]) => {
  asked.push([...keys]);
  return keys.map((key) => (key === 'none' ? null : { name: key }));
};

beforeAll(async () => {
  await startServer();
  await Promise.all([connectRedis(redis, log), connectRedis(subscriber, log)]);
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  redis.disconnect();
  await hints.close();
  await stopServer();
});

describe('with Redis there', () => {
  test('what was asked before is not asked again, nothing included', async () => {
    const read = cache.through('a', 60_000, batch);
    expect(await read(['x', 'none'])).toEqual([{ name: 'x' }, null]);
    await vi.waitFor(async () => expect(await redis.exists('test:a:x', 'test:a:none')).toBe(2));
    expect(await read(['none', 'y', 'x'])).toEqual([null, { name: 'y' }, { name: 'x' }]);
    expect(asked).toEqual([['x', 'none'], ['y']]);
  });

  test('what was forgotten is asked again, and so is what is too old', async () => {
    const read = cache.through('b', 40, batch);
    await read(['x']);
    await vi.waitFor(async () => expect(await redis.exists('test:b:x')).toBe(1), { interval: 2 });
    await cache.forget('b', ['x']);
    await read(['x']);
    await vi.waitFor(async () => expect(await redis.exists('test:b:x')).toBe(0));
    await read(['x']);
    expect(asked).toHaveLength(3);
  });

  test('two spaces do not see each other’s values', async () => {
    await cache.through('c', 60_000, batch)(['x']);
    await cache.through('d', 60_000, batch)(['x']);
    expect(asked).toHaveLength(2);
  });

  test('nothing asked is nothing read', async () => {
    expect(await cache.through('e', 60_000, batch)([])).toEqual([]);
    expect(asked).toEqual([]);
  });

  test('a value that is no JSON is read again from its owner', async () => {
    await redis.set('test:f:x', '{"name":');
    expect(await cache.through('f', 60_000, batch)(['x'])).toEqual([{ name: 'x' }]);
  });

  test('a batch that answers too little is a bug and says so', async () => {
    await expect(cache.through('g', 60_000, async () => [])(['x'])).rejects.toThrow('0 values for 1 keys');
  });

  test('what goes on is counted once each, until it is over or has lasted long enough', async () => {
    const now = new Date();
    const later = (ms: number) => new Date(now.getTime() + ms);
    expect(await cache.marked('m', now)).toBe(0);
    cache.mark('m', 'x', { now, forMs: 60_000 });
    cache.mark('m', 'x', { now: later(10_000), forMs: 60_000 });
    cache.mark('m', 'y', { now, forMs: 60_000 });
    cache.mark('n', 'x', { now, forMs: 60_000 });
    expect(await cache.marked('m', later(59_999))).toBe(2);
    expect(await cache.marked('m', later(60_000))).toBe(1);
    cache.unmark('m', 'x');
    cache.unmark('m', 'nobody');
    expect(await cache.marked('m', now)).toBe(1);
    expect(await cache.marked('n', now)).toBe(1);
  });

  test('marks that have run out leave Redis, also when nobody counts', async () => {
    const now = Date.now();
    cache.mark('o', 'x', { now: new Date(now - 50), forMs: 40 });
    cache.mark('o', 'y', { now: new Date(now), forMs: 60_000 });
    await vi.waitFor(async () => expect(await redis.zrange('test:o', '0', '-1')).toEqual(['y']));
    expect(await redis.pttl('test:o')).toBeGreaterThan(50_000);
    cache.mark('p', 'x', { now: new Date(now), forMs: 300 });
    await vi.waitFor(async () => expect(await redis.exists('test:p')).toBe(1));
    await vi.waitFor(async () => expect(await redis.exists('test:p')).toBe(0));
  });

  test('hits and misses are counted', async () => {
    const before = cache.stats();
    const read = cache.through('h', 60_000, batch);
    await read(['x', 'y']);
    await vi.waitFor(async () => expect(await redis.exists('test:h:y')).toBe(1));
    await read(['x', 'y', 'z']);
    const now = cache.stats();
    expect([now.hits - before.hits, now.misses - before.misses]).toEqual([2, 3]);
  });

  test('a listener gets the newest hint of each key and skips the ones in between', async () => {
    const one = hints.listen('orders', 'o1');
    const all = hints.listen('orders', '*');
    await vi.waitFor(async () =>
      expect(await redis.pubsub('NUMSUB', 'test:hints:orders')).toEqual(['test:hints:orders', 1]),
    );
    for (const version of [1, 2, 3]) hints.tell('orders', 'o1', version);
    hints.tell('orders', 'o2', 9);
    await vi.waitFor(async () => {
      await redis.ping();
      expect((await all.next()).value).toEqual({ key: 'o2', version: 9 });
    });
    expect((await one.next()).value).toEqual({ key: 'o1', version: 3 });
    await one.return(undefined);
    await all.return(undefined);
    expect(await one.next()).toEqual({ done: true, value: undefined });
  });

  test('a listener that waits is let go when it leaves', async () => {
    const turns = hints.listen('orders', 'o1');
    const waiting = turns.next();
    await turns.return(undefined);
    expect(await soon(waiting)).toEqual({ done: true, value: undefined });
  });
});

describe('without Redis', () => {
  test('answers come from their owner, at once, and hints are lost without harm', async () => {
    await stopServer();
    const read = cache.through('i', 60_000, batch);
    expect(await soon(read(['x']))).toEqual([{ name: 'x' }]);
    expect(await soon(read(['x']))).toEqual([{ name: 'x' }]);
    await soon(cache.forget('i', ['x']));
    cache.mark('m', 'z', { now: new Date(), forMs: 60_000 });
    cache.unmark('m', 'y');
    expect(await soon(cache.marked('m', new Date()))).toBeNull();
    hints.tell('orders', 'o1', 1);
    expect(asked).toHaveLength(2);
    // Whoever listens meanwhile is roused each second to look by itself.
    const turns = hints.listen('returns', 'o1');
    expect((await soon(turns.next(), 1_500)).value).toBeNull();
    await turns.return(undefined);
  });

  test('both work again when it is back', async () => {
    await startServer();
    await ready();
    const read = cache.through('j', 60_000, batch);
    await read(['x']);
    await vi.waitFor(async () => expect(await redis.exists('test:j:x')).toBe(1));
    await read(['x']);
    expect(asked).toHaveLength(1);
    // Asked for while there was no connection; made up for since.
    const turns = hints.listen('returns', 'o1');
    await vi.waitFor(async () =>
      expect(await redis.pubsub('NUMSUB', 'test:hints:returns')).toEqual(['test:hints:returns', 1]),
    );
    hints.tell('returns', 'o1', 5);
    expect((await turns.next()).value).toEqual({ key: 'o1', version: 5 });
    await turns.return(undefined);
  });

  test('one that hangs is not waited for', async () => {
    server.kill('SIGSTOP');
    try {
      const read = cache.through('k', 60_000, batch);
      expect(await soon(read(['x']))).toEqual([{ name: 'x' }]);
      expect(await soon(Promise.all([read(['y']), read(['z'])]))).toEqual([[{ name: 'y' }], [{ name: 'z' }]]);
      await soon(cache.forget('k', ['x']));
      cache.mark('k', 'x', { now: new Date(), forMs: 60_000 });
      cache.unmark('k', 'y');
      expect(await soon(cache.marked('k', new Date()))).toBeNull();
    } finally {
      server.kill('SIGCONT');
    }
  });

  test('a start goes on without it', async () => {
    const nowhere = openRedis(`redis://127.0.0.1:${await freePort()}`, log);
    await soon(connectRedis(nowhere, log), 1_100);
    const read = createCache(nowhere, 'test:', log).through('l', 60_000, batch);
    expect(await soon(read(['x']))).toEqual([{ name: 'x' }]);
    nowhere.disconnect();
  });
});
