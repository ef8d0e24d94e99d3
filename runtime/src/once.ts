// Mutations that may be repeated: the first caller with a key does the work, everyone after gets its answer.
import { createHash } from 'node:crypto';
import type { Tx } from './database.ts';
import { badInput, isRefusal, type UserError } from './errors.ts';
import type { Context } from './subgraph.ts';
import { problemOf } from './text.ts';

export type Repeatable = {
  readonly operation: string;
  readonly key: string;
  /** the input without the key; the same key with another request is refused */
  readonly request: unknown;
};

class Refused extends Error {
  readonly outcome: UserError;
  constructor(outcome: UserError) {
    super(outcome.error);
    this.outcome = outcome;
  }
}

/** Equal inputs hash equally, in whatever order their fields came. */
const hashOf = (request: unknown): string =>
  createHash('sha256')
    .update(
      JSON.stringify(request, (_key, value) =>
        value && typeof value === 'object' && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
          : value,
      ) ?? 'null',
    )
    .digest('base64url');

/** @throws RequestError BAD_USER_INPUT for a key that is empty, longer than 200 characters or cannot be printed. */
export const checkKey = (key: string): void => {
  const problem = problemOf(key, { name: 'The idempotency key', least: 1, most: 200 });
  if (problem) throw badInput(['input', 'idempotencyKey'], problem);
};

const conflict = {
  error: 'IdempotencyConflict' as const,
  message: 'The idempotency key was used before with another request.',
  path: ['input', 'idempotencyKey'],
};

/**
 * Runs `work` once per (tenant, user, operation, key), in one transaction with the key's row. A parallel repeat waits
 * on that row and then gets the stored outcome, marked `replayed`. A refusal rolls everything back, the key included.
 * The outcome is stored, so it is plain JSON: ids, not rows.
 */
export const once = async <O>(
  ctx: Pick<Context, 'db' | 'viewer'>,
  { operation, key, request }: Repeatable,
  work: (tx: Tx) => Promise<O>,
): Promise<
  | { done: Exclude<O, UserError>; replayed: boolean }
  | Extract<O, UserError>
  | { error: 'IdempotencyConflict'; message: string; path: string[] }
> => {
  checkKey(key);
  const { tenantId, userId } = ctx.viewer;
  if (!userId) throw new TypeError(`${operation} needs a signed-in viewer`);
  const hash = hashOf(request);
  try {
    return await ctx.db.transaction(async (tx) => {
      const [mine] = await tx.sql`
        insert into plumbing.idempotency (tenant_id, user_id, operation, key, request_hash)
        values (${tenantId}, ${userId}, ${operation}, ${key}, ${hash}) on conflict do nothing returning key`;
      if (!mine) {
        const [before] = await tx.sql<{ request_hash: string; response: Exclude<O, UserError> }>`
          select request_hash, response from plumbing.idempotency
          where tenant_id = ${tenantId} and user_id = ${userId} and operation = ${operation} and key = ${key}`;
        if (before?.request_hash !== hash) return conflict;
        return { done: before.response, replayed: true };
      }
      const outcome = await work(tx);
      if (isRefusal(outcome)) throw new Refused(outcome);
      tx.write`
        update plumbing.idempotency set response = ${JSON.stringify(outcome)}
        where tenant_id = ${tenantId} and user_id = ${userId} and operation = ${operation} and key = ${key}`;
      return { done: outcome as Exclude<O, UserError>, replayed: false };
    });
  } catch (error) {
    if (error instanceof Refused) return error.outcome as Extract<O, UserError>;
    throw error;
  }
};
