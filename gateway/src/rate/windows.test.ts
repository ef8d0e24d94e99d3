// The windows here, and the same on a Redis of this file's own, which hangs and goes away.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createLog } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Ask, Verdict } from './window.ts';
import { createLocalWindows, createRedisWindows, type Windows } from './windows.ts';

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
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
  server = spawn('redis-server', options, { cwd: '/tmp' });
  for await (const line of server.stdout!) if (String(line).includes('Ready to accept')) break;
  server.stdout!.resume();
};
const redis = openRedis(`redis://127.0.0.1:${port}`, log);

beforeAll(async () => {
  await startServer();
  await connectRedis(redis, log);
});
afterAll(() => {
  redis.disconnect();
  server.kill('SIGKILL');
});

const take = (windows: Windows, ...asks: Ask[]): Promise<Verdict> =>
  new Promise((resolve) => windows.take(asks, resolve));
const ask = (name: string, more: Partial<Ask> = {}): Ask => ({
  name,
  limit: 3,
  windowMs: 1_000,
  cost: 1,
  ...more,
});

let time = 0;
const clock = (): number => time;
let made = 0;
/** On Redis under a prefix of its own. */
const onRedis = (local: Windows = createLocalWindows()): Windows =>
  createRedisWindows(redis, `test${made++}:`, local, log, clock);

describe.each([
  ['here', () => createLocalWindows(1, clock)],
  ['on Redis', onRedis],
])('a window counted %s', (_where, open) => {
  test('has room for its limit and no more, and tells when there is room again', async () => {
    time = 10_000;
    const windows = open();
    for (let i = 0; i < 3; i++) expect(await take(windows, ask('a'))).toEqual({ isAllowed: true });
    expect(await take(windows, ask('a'))).toMatchObject({ isAllowed: false, retryAfterMs: 1_334 });
    time = 11_333;
    expect(await take(windows, ask('a'))).toMatchObject({ isAllowed: false, retryAfterMs: 1 });
    time = 11_334;
    expect(await take(windows, ask('a'))).toEqual({ isAllowed: true });
    expect(await take(windows, ask('a'))).toMatchObject({ isAllowed: false });
  });

  test('is of one name and one length only', async () => {
    const windows = open();
    await take(windows, ask('a', { cost: 3 }));
    expect(await take(windows, ask('b'))).toEqual({ isAllowed: true });
    expect(await take(windows, ask('a', { windowMs: 60_000 }))).toEqual({ isAllowed: true });
  });

  test('of several takes from all or from none, and tells which was full', async () => {
    time = 20_000;
    const windows = open();
    await take(windows, ask('full', { cost: 3 }));
    for (let i = 0; i < 5; i++)
      expect(await take(windows, ask('free'), ask('full'))).toMatchObject({
        isAllowed: false,
        ask: { name: 'full' },
      });
    expect(await take(windows, ask('free', { cost: 3 }))).toEqual({ isAllowed: true });
  });

  test('has never room for what is dearer than the limit', async () => {
    expect(await take(open(), ask('a', { cost: 4 }))).toMatchObject({
      isAllowed: false,
      retryAfterMs: 2_000,
    });
  });

  test('stays shut when the clock goes back', async () => {
    time = 40_500;
    const windows = open();
    await take(windows, ask('a', { cost: 3 }));
    time = 39_000;
    expect(await take(windows, ask('a'))).toMatchObject({ isAllowed: false });
  });

  test('never lets more than twice the limit through in any stretch of its length', async () => {
    time = 50_000;
    const windows = open();
    const admitted: number[] = [];
    for (let step = 0; step < 300; step++) {
      time += 17;
      const { isAllowed } = await take(windows, ask('a', { limit: 10 }));
      if (isAllowed) admitted.push(time);
    }
    const within = (from: number): number => admitted.filter((at) => at >= from && at < from + 1_000).length;
    expect(Math.max(...admitted.map(within))).toBeLessThanOrEqual(20);
    // 5.1 windows went by: the long run keeps to the limit.
    expect(admitted.length).toBeLessThanOrEqual(62);
    expect(admitted.length).toBeGreaterThan(40);
  });
});

test('both ways of counting give the same verdicts', async () => {
  const step = fc.record({
    after: fc.integer({ min: 0, max: 700 }),
    name: fc.constantFrom('a', 'b'),
    cost: fc.integer({ min: 0, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      time = 1_000_000;
      const [here, there] = [createLocalWindows(1, clock), onRedis()];
      for (const { after, name, cost } of steps) {
        time += after;
        const one = ask(name, { limit: 5, cost });
        expect(await take(there, one)).toEqual(await take(here, one));
      }
    }),
    { numRuns: 60 },
  );
});

test('a counter goes away by itself when nobody asks', async () => {
  await take(createRedisWindows(redis, 'gone:', createLocalWindows(), log), ask('a', { windowMs: 50 }));
  expect(await redis.exists('gone:rate:a:50')).toBe(1);
  await vi.waitFor(async () => expect(await redis.exists('gone:rate:a:50')).toBe(0));
});

test('by Redis’s own clock a window opens again', async () => {
  const windows = createRedisWindows(redis, 'real:', createLocalWindows(), log);
  const small = ask('a', { windowMs: 200, limit: 1 });
  expect(await take(windows, small)).toEqual({ isAllowed: true });
  expect(await take(windows, small)).toMatchObject({ isAllowed: false });
  await vi.waitFor(async () => expect(await take(windows, small)).toEqual({ isAllowed: true }));
});

test('here a part of the limit counts, and never less than one', async () => {
  const windows = createLocalWindows(0.25, clock);
  const verdicts = await Promise.all(Array.from({ length: 4 }, () => take(windows, ask('a', { limit: 8 }))));
  expect(verdicts.filter(({ isAllowed }) => isAllowed)).toHaveLength(2);
  expect(await take(windows, ask('b', { limit: 1 }))).toEqual({ isAllowed: true });
});

test('names are counted by the hundred thousand, not for ever', () => {
  const windows = createLocalWindows(1, clock);
  for (let i = 0; i < 100_500; i++) windows.take([ask(`n${i}`)], () => undefined);
  expect(windows.size()).toBe(100_000);
});

test('while Redis hangs or is gone a part of the limit counts here, and is waited for once', async () => {
  const windows = createRedisWindows(redis, 'hangs:', createLocalWindows(0.5), log);
  const one = ask('a', { limit: 4, windowMs: 60_000 });
  expect(await take(windows, one)).toEqual({ isAllowed: true });
  server.kill('SIGSTOP');
  try {
    const began = performance.now();
    const verdicts: boolean[] = [];
    for (let i = 0; i < 4; i++) verdicts.push((await take(windows, one)).isAllowed);
    expect(verdicts).toEqual([true, true, false, false]);
    expect(performance.now() - began).toBeLessThan(700);
  } finally {
    server.kill('SIGCONT');
  }
  server.kill('SIGKILL');
  await once(server, 'exit');
  await vi.waitFor(() => expect(redis.status).not.toBe('ready'));
  let told: Verdict | null = null;
  windows.take([one], (verdict) => {
    told = verdict;
  });
  expect(told).toMatchObject({ isAllowed: false });
});
