import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { removeData } from './place.ts';
import { openPorts } from './ports.ts';
import { startRedis } from './redis.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'orderstream-redis-'));
afterAll(() => removeData(dir));

test('a port that is taken in the very moment of the start is replaced by another', async () => {
  const ports = await openPorts(dir);
  const before = ports.ports.redis;
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(before, '127.0.0.1', resolve));
  const { signal } = new AbortController();
  const env = { ...process.env, REDIS_URL: '' };
  const { address, child } = await startRedis({
    dir,
    env,
    ports,
    durable: false,
    report: () => undefined,
    signal,
  });
  expect(ports.ports.redis).not.toBe(before);
  const redis = new Redis(address);
  expect(await redis.ping()).toBe('PONG');
  // Whoever comes in may not make the server write its files elsewhere.
  await expect(redis.config('SET', 'dir', '/tmp')).rejects.toThrow(/protected config/);
  redis.disconnect();
  await child?.stop();
  other.close();
});
