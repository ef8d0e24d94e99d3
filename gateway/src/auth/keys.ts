// The keys of one issuer, as they change: published at an address, or written into a file by somebody else.
import { readFile, stat } from 'node:fs/promises';
import type { Log } from '@orderstream/runtime/log';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';

export type KeySource = { readonly url: string } | { readonly file: string };

export type Keys = {
  readonly get: JWTVerifyGetKey;
  /** Looks now. @throws where there are no keys to be had */
  readonly check: () => Promise<void>;
  readonly close: () => void;
};

/** milliseconds between two looks at published keys, so that a withdrawn one is noticed */
const refreshEvery = 300_000;
/** milliseconds before an unknown key makes us ask again: made-up ones must not make us ask each time */
const patience = { url: 10_000, file: 1_000 };
/** milliseconds between two looks at a file's time */
const fileEvery = 5_000;

const openRemote = (url: string, log: Log, patienceMs: number): Keys => {
  // Known keys stay good while their owner is away; new and withdrawn ones are noticed by the timer.
  const keys = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: patienceMs,
    timeoutDuration: 3_000,
  });
  const timer = setInterval(() => {
    keys.reload().catch((error: unknown) => log.warn({ err: error, url }, 'the keys are not reachable'));
  }, refreshEvery);
  timer.unref();
  return {
    get: keys,
    check: async () => {
      await keys.reload();
    },
    close: () => clearInterval(timer),
  };
};

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

const openFile = (file: string, log: Log, patienceMs: number): Keys => {
  let keys: JWTVerifyGetKey | null = null;
  let readAt = Number.NEGATIVE_INFINITY;

  const read = async (): Promise<JWTVerifyGetKey> => {
    const { mtimeMs } = await stat(file);
    if (keys && mtimeMs === readAt) return keys;
    keys = createLocalJWKSet(keySet.parse(JSON.parse(await readFile(file, 'utf8'))) as JSONWebKeySet);
    readAt = mtimeMs;
    return keys;
  };
  // A file that is half written or gone leaves the keys that were there.
  const look = (): Promise<unknown> =>
    read().catch((error: unknown) => log.warn({ err: error, file }, 'the keys cannot be read'));
  const timer = setInterval(look, fileEvery);
  timer.unref();
  let lookedAt = Number.NEGATIVE_INFINITY;

  return {
    get: async (header, token) => {
      const present = keys ?? (await read());
      try {
        return await present(header, token);
      } catch (error) {
        const now = performance.now();
        if (!(error instanceof errors.JWKSNoMatchingKey) || now - lookedAt < patienceMs) throw error;
        lookedAt = now;
        await look();
        return (keys ?? present)(header, token);
      }
    },
    check: async () => {
      await read();
    },
    close: () => clearInterval(timer),
  };
};

/** @param patienceMs milliseconds before an unknown key makes us look again */
export const openKeys = (source: KeySource, log: Log, patienceMs?: number): Keys =>
  'url' in source
    ? openRemote(source.url, log, patienceMs ?? patience.url)
    : openFile(source.file, log, patienceMs ?? patience.file);
