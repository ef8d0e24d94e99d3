// Automatic persisted queries: our own front ends send a hash, and the text with it once. A convenience that saves bytes,
// never a list of what may be asked.
import { hash } from 'node:crypto';
import { badInput, RequestError } from '@orderstream/runtime/errors';
import type { Log } from '@orderstream/runtime/log';

/** What is used of Redis. */
export type TextStore = {
  readonly get: (key: string) => Promise<string | null>;
  readonly set: (key: string, text: string, unit: 'PX', forMs: number) => Promise<unknown>;
};

export type AutomaticOperations = {
  /** The text where it is known here, without waiting. */
  readonly known: (sha256: string) => string | null;
  /** @throws RequestError PERSISTED_QUERY_NOT_FOUND */
  readonly find: (sha256: string) => Promise<string>;
  /** @throws RequestError BAD_USER_INPUT for a text of another hash */
  readonly learn: (sha256: string, text: string) => void;
  /** characters that are held here */
  readonly size: () => number;
};

type Options = {
  readonly store: TextStore | null;
  readonly prefix: string;
  /** characters of text that are held here; in Redis its own limit counts */
  readonly most: number;
  readonly forMs: number;
  readonly log: Log;
};

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

export const createAutomaticOperations = ({
  store,
  prefix,
  most,
  forMs,
  log,
}: Options): AutomaticOperations => {
  const texts = new Map<string, string>();
  let size = 0;

  const hold = (sha256: string, text: string): void => {
    const before = texts.get(sha256);
    texts.delete(sha256);
    size += text.length - (before?.length ?? 0);
    texts.set(sha256, text);
    for (const [oldest, { length }] of texts) {
      if (size <= most) break;
      texts.delete(oldest);
      size -= length;
    }
  };
  const check = (sha256: string, text: string): boolean => hash('sha256', text) === sha256;
  const lost = (error: unknown): void => log.debug({ err: error }, 'persisted queries passed by');

  return {
    known: (sha256) => {
      const text = texts.get(sha256);
      if (text === undefined) return null;
      // The one that was used last is the last to go.
      texts.delete(sha256);
      texts.set(sha256, text);
      return text;
    },
    find: async (sha256) => {
      if (!isHash(sha256))
        throw badInput(['extensions', 'persistedQuery', 'sha256Hash'], 'This is no SHA-256.');
      const here = texts.get(sha256);
      if (here !== undefined) return here;
      const text = await store?.get(`${prefix}apq:${sha256}`).catch((error: unknown) => {
        lost(error);
        return null;
      });
      // Whoever may write to Redis may not choose what an operation means.
      if (!text || !check(sha256, text))
        throw new RequestError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound');
      hold(sha256, text);
      return text;
    },
    learn: (sha256, text) => {
      if (!check(sha256, text))
        throw badInput(['extensions', 'persistedQuery', 'sha256Hash'], 'The hash is not of this query.');
      if (texts.has(sha256)) return;
      hold(sha256, text);
      store?.set(`${prefix}apq:${sha256}`, text, 'PX', forMs).catch(lost);
    },
    size: () => size,
  };
};
