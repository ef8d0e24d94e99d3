// Entities in Redis. Each stands there with the stamp that its entity had when it was asked for; to forget an entity is
// to give it another stamp. So nothing has to be searched for, and an answer that was under way when its entity was
// forgotten is worthless when it arrives, instead of being kept. (A Redis that is short of memory and drops a stamp, but
// not the entity, brings the entity back until its time is over.)
import { randomBytes } from 'node:crypto';
import { RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';
import { within } from '@orderstream/runtime/time';
import type { Redis } from 'ioredis';
import { type Key, keyText } from './entity-keys.ts';

export type Kept = {
  readonly name: string;
  readonly stamp: string;
  readonly text: string;
  readonly forMs: number;
};

export type EntityStore = {
  /** put before all names */
  readonly prefix: string;
  /** False while Redis is away or slow: nobody waits for it then. */
  readonly isReady: () => boolean;
  /** Tells the texts under the names, or null where that took too long. Called once. */
  readonly read: (names: readonly string[], told: (texts: readonly (string | null)[] | null) => void) => void;
  readonly write: (entities: readonly Kept[]) => void;
  readonly stampName: (subgraph: string, type: string, key: Key) => string;
  /**
   * Nothing is answered from what was known of this entity before. One that has several keys is forgotten by each.
   * @throws RequestError INTERNAL where Redis did not take it: to be tried again
   */
  readonly forget: (subgraph: string, type: string, key: Key) => Promise<void>;
  /**
   * The same for all gateways that use this store, and another once it has lost what it held.
   * @throws where Redis does not tell
   */
  readonly identity: () => Promise<string>;
};

export type StoreOptions = {
  readonly redis: Redis;
  readonly prefix: string;
  readonly log: Log;
  /** milliseconds that an answer of Redis is waited for */
  readonly patienceMs?: number;
};

/** milliseconds for which Redis is not asked after it was slow */
const pause = 250;
/** Milliseconds; longer than any maxAge that is kept, and a call that is under way. */
const stampLife = 25 * 60 * 60 * 1_000;
/** milliseconds; nothing is kept longer, whatever its maxAge */
const longestLife = 24 * 60 * 60 * 1_000;

const writeScript = `for i = 1, #KEYS do
  redis.call('SET', KEYS[i], ARGV[2 * i - 1], 'PX', ARGV[2 * i])
end`;

export const openEntityStore = ({ redis, prefix, log, patienceMs = 40 }: StoreOptions): EntityStore => {
  let pausedUntil = 0;
  const passBy = (error: unknown): void => {
    pausedUntil = performance.now() + pause;
    log.debug({ err: error }, 'entity cache passed by');
  };
  const stampName: EntityStore['stampName'] = (subgraph, type, key) =>
    `${prefix}s:${encodeURIComponent(subgraph)}:${type}:${keyText(key)}`;

  return {
    prefix,
    isReady: () => redis.status === 'ready' && performance.now() >= pausedUntil,
    read: (names, told) => {
      let isOver = false;
      const end = (texts: readonly (string | null)[] | null): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        told(texts);
      };
      const fail = (error: unknown): void => {
        if (!isOver) passBy(error);
        end(null);
      };
      const timer = setTimeout(() => fail(new Error('Redis is slow')), patienceMs);
      redis
        .mgetBuffer(names as string[])
        .then((found) => end(found.map((one) => one?.toString('latin1') ?? null)), fail);
    },
    write: (entities) => {
      if (!entities.length || redis.status !== 'ready') return;
      const values = entities.flatMap(({ stamp, text, forMs }) => [
        Buffer.from(`${stamp}\n${text}`, 'latin1'),
        String(Math.min(forMs, longestLife)),
      ]);
      redis.eval(writeScript, entities.length, ...entities.map(({ name }) => name), ...values).catch(passBy);
    },
    stampName,
    identity: async () => {
      const name = `${prefix}identity`;
      await redis.set(name, randomBytes(9).toString('hex'), 'NX');
      const found = await redis.get(name);
      if (found === null) throw new Error('the cache has no name');
      return found;
    },
    forget: async (subgraph, type, key) => {
      const stamp = randomBytes(9).toString('base64url');
      try {
        await within(
          1_000,
          'forgetting an entity',
          redis.set(stampName(subgraph, type, key), stamp, 'PX', stampLife),
        );
      } catch (cause) {
        throw new RequestError('INTERNAL', undefined, { cause });
      }
    },
  };
};
