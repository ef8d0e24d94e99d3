import { createHash } from 'node:crypto';
import type { Book } from './book.ts';
import { ApiError } from './errors.ts';
import { canonical, type Tree } from './form.ts';

const DAY = 24 * 60 * 60;
const LONGEST_KEY = 255;

export type Remembered = {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
};

const conflict = (status: number, message: string, code?: string) =>
  new ApiError(status, { type: 'idempotency_error', message, ...(code ? { code } : {}) });

export const checkKey = (key: string): void => {
  if (key.length > LONGEST_KEY) {
    throw conflict(400, `Idempotency keys may have at most ${LONGEST_KEY} characters.`);
  }
};

/** Two requests are the same when they go to the same place with the same parameters. */
export const fingerprintOf = (path: string, params: Tree): string =>
  createHash('sha256')
    .update(`${path}\n${canonical(params)}`)
    .digest('hex');

/** The answer given under this key in the last 24 hours. Throws when the key was used for something else. */
export const recall = (book: Book, key: string, fingerprint: string, now: number): Remembered | undefined => {
  const row = book.get<Remembered & { fingerprint: string }>(
    `select fingerprint, status, body, request_id as "requestId" from idempotency where key = ? and created > ?`,
    key,
    now - DAY,
  );
  if (row && row.fingerprint !== fingerprint) {
    throw conflict(
      400,
      'Keys for idempotent requests can only be used with the same parameters they were first used with.',
    );
  }
  return row;
};

export const remember = (
  book: Book,
  key: string,
  fingerprint: string,
  answer: Remembered,
  now: number,
): void => {
  book.run(
    `insert or replace into idempotency (key, fingerprint, status, body, request_id, created)
     values (?, ?, ?, ?, ?, ?)`,
    key,
    fingerprint,
    answer.status,
    answer.body,
    answer.requestId,
    now,
  );
};

/** Keys whose first request is still under way; a second one is turned away instead of waiting. */
export const keysInUse = () => {
  const inUse = new Set<string>();
  return async <Answer>(key: string | null, work: () => Promise<Answer>): Promise<Answer> => {
    if (key === null) return work();
    if (inUse.has(key)) {
      throw conflict(
        409,
        'There is currently another in-progress request using this idempotency key.',
        'idempotency_key_in_use',
      );
    }
    inUse.add(key);
    try {
      return await work();
    } finally {
      inUse.delete(key);
    }
  };
};
