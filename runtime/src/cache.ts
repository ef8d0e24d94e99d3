// Answers that are the same for every viewer, and marks of what goes on, kept in Redis for a short while. Losing them
// costs time or a figure, never truth.
import type { ChainableCommander, Redis } from 'ioredis';
import type { Log } from './log.ts';

export type Cache = {
  /**
   * Puts a cache in front of a batch function. Values must be plain JSON and must not depend on who asks; `undefined`
   * is not kept, `null` is. Keys are put behind `space`.
   * @param forMs milliseconds a value may be out of date
   */
  readonly through: <V>(
    space: string,
    forMs: number,
    batch: (keys: readonly string[]) => Promise<readonly V[]>,
  ) => (keys: readonly string[]) => Promise<V[]>;
  readonly forget: (space: string, keys: readonly string[]) => Promise<void>;
  /**
   * Says that something goes on: counted once, however often it is said, until it is unmarked or `forMs` have gone by.
   * Nobody waits for it. Marks of one space last equally long.
   */
  readonly mark: (space: string, id: string, time: { readonly now: Date; readonly forMs: number }) => void;
  readonly unmark: (space: string, id: string) => void;
  /** How many things go on; null where Redis does not say. */
  readonly marked: (space: string, now: Date) => Promise<number | null>;
  readonly stats: () => { hits: number; misses: number };
};

/** milliseconds for which marks wait for others: each write to the socket costs more than the mark */
const gatheringMs = 50;

export const createCache = (redis: Redis, prefix: string, log: Log): Cache => {
  let hits = 0;
  let misses = 0;
  const name = (space: string, key: string): string => `${prefix}${space}:${key}`;
  const lost = (error: unknown) => log.debug({ err: error }, 'cache passed by');

  let waiting: ((pipeline: ChainableCommander) => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const tellMarks = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const all = waiting;
    waiting = [];
    if (all.length === 0 || redis.status !== 'ready') return;
    const pipeline = redis.pipeline();
    for (const add of all) add(pipeline);
    pipeline.exec().catch(lost);
  };
  const whenThereAreMore = (add: (pipeline: ChainableCommander) => void): void => {
    waiting.push(add);
    timer ??= setTimeout(tellMarks, gatheringMs);
  };

  return {
    through: (space, forMs, batch) => async (keys) => {
      if (keys.length === 0) return [];
      let found: unknown[] = [];
      try {
        const texts = await redis.mget(keys.map((key) => name(space, key)));
        found = texts.map((text) => (text === null ? undefined : JSON.parse(text)));
      } catch (error) {
        lost(error);
      }
      const missing = keys.filter((_, index) => found[index] === undefined);
      hits += keys.length - missing.length;
      misses += missing.length;
      const loaded = missing.length > 0 ? await batch(missing) : [];
      if (loaded.length !== missing.length)
        throw new TypeError(`${space}: ${loaded.length} values for ${missing.length} keys`);
      const fresh = new Map(missing.map((key, index) => [key, loaded[index]!]));
      if (missing.length > 0 && redis.status === 'ready') {
        const pipeline = redis.pipeline();
        for (const [key, value] of fresh)
          if (value !== undefined) pipeline.set(name(space, key), JSON.stringify(value), 'PX', forMs);
        pipeline.exec().catch(lost);
      }
      return keys.map((key, index) =>
        found[index] === undefined ? fresh.get(key)! : (found[index] as never),
      );
    },
    forget: async (space, keys) => {
      if (keys.length > 0) await redis.del(...keys.map((key) => name(space, key))).catch(lost);
    },
    mark: (space, id, { now, forMs }) => {
      // A sorted set by when each mark runs out; whoever marks takes away what has, and the last one takes all away.
      const [key, at] = [`${prefix}${space}`, now.getTime()];
      whenThereAreMore(
        (pipeline) =>
          void pipeline
            .zremrangebyscore(key, '-inf', at)
            .zadd(key, at + forMs, id)
            .pexpireat(key, at + forMs),
      );
    },
    unmark: (space, id) => whenThereAreMore((pipeline) => void pipeline.zrem(`${prefix}${space}`, id)),
    marked: (space, now) => {
      tellMarks();
      return redis.zcount(`${prefix}${space}`, `(${now.getTime()}`, '+inf').catch((error: unknown) => {
        lost(error);
        return null;
      });
    },
    stats: () => ({ hits, misses }),
  };
};
