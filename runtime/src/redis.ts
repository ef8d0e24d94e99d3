import { Redis } from 'ioredis';
import type { Log } from './log.ts';

/** Answers or fails within 250 ms: Redis makes things faster and is never waited for. */
export const openRedis = (url: string, log: Log): Redis => {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    commandTimeout: 250,
    enableAutoPipelining: true,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
  });
  redis.on('error', (error) => log.debug({ err: error }, 'redis'));
  return redis;
};

/** Waits for the first connection, and goes on without it after a second: it is tried again behind the scenes. */
export const connectRedis = async (redis: Redis, log: Log): Promise<void> => {
  await redis.connect().catch((error) => log.warn({ err: error }, 'Redis does not answer; going on without'));
};
