// Keys of partners' programs: made, given operations, ended. Each change is written down with who made it.
import type { Tx } from '@orderstream/runtime/database';
import { badInput } from '@orderstream/runtime/errors';
import { newId } from '@orderstream/runtime/ids';
import { ManifestError, readManifest } from '@orderstream/runtime/manifest';
import { once } from '@orderstream/runtime/once';
import { connection, type Page } from '@orderstream/runtime/paging';
import { type InvalidInput, invalidInput } from '@orderstream/runtime/text';
import { personOf } from '@orderstream/runtime/viewer';
import {
  type Action,
  type ApiClient,
  checkClient,
  checkOperations,
  mostBytes,
  newKey,
  type StoredOperation,
  tooMuch,
} from './api-client.ts';
import * as store from './api-client-store.ts';
import type { Context } from './context.ts';
import type { CreateApiClientInput, SetApiClientOperationsInput } from './generated/resolvers.ts';
import { addUsage, hearBatch, type UsageOfClient } from './usage-store.ts';

const notFound = { error: 'NotFound', message: 'There is no such client.', path: ['input', 'id'] } as const;

const write = (tx: Tx, ctx: Context, clientId: string, action: Action, version: number): Promise<void> =>
  store.insertAudit(tx, {
    id: newId(ctx.now),
    tenantId: ctx.viewer.tenantId,
    clientId,
    actor: personOf(ctx.viewer),
    action,
    version,
  });

/**
 * The key is answered to whoever made it, never to a repeat: it is in no row, not even among the answers that are kept.
 * Answers InvalidInput or IdempotencyConflict.
 */
export const createClient = async (ctx: Context, { idempotencyKey, ...input }: CreateApiClientInput) => {
  const wanted = checkClient(ctx.viewer, input as CreateApiClientInput);
  if ('error' in wanted) return wanted;
  const { key, keyPrefix, keyHash } = newKey();
  const outcome = await once(
    ctx,
    { operation: 'createApiClient', key: idempotencyKey, request: wanted },
    async (tx) => {
      const id = newId(ctx.now);
      const { tenantId } = ctx.viewer;
      await store.insertClient(tx, {
        ...wanted,
        id,
        tenantId,
        keyPrefix,
        keyHash,
        createdBy: personOf(ctx.viewer),
      });
      await write(tx, ctx, id, 'CREATED', 1);
      return { id };
    },
  );
  return 'error' in outcome ? outcome : { id: outcome.done.id, key: outcome.replayed ? null : key };
};

const readOperations = (manifest: string): StoredOperation[] | InvalidInput => {
  const wrong = (message: string) => ({ path: ['input', 'manifest'], message });
  // JSON that escapes its letters is up to six times as long as what it says.
  if (manifest.length > 6 * mostBytes) return tooMuch({ count: 0, bytes: manifest.length })!;
  try {
    const operations = readManifest(manifest);
    return tooMuch({ count: operations.size, bytes: 0 }) ?? checkOperations(operations);
  } catch (error) {
    if (error instanceof ManifestError) return invalidInput(error.problems.map(wrong));
    throw error;
  }
};

type Done = { readonly id: string };
type NotSet =
  | typeof notFound
  | InvalidInput
  | { readonly error: 'ApiClientIsRevoked'; readonly client: ApiClient }
  | { readonly error: 'VersionConflict'; readonly currentVersion: number };

/** Answers InvalidInput, NotFound, ApiClientIsRevoked, VersionConflict or IdempotencyConflict. */
export const setOperations = async (ctx: Context, id: string, input: SetApiClientOperationsInput) => {
  const { idempotencyKey, manifest, adds = false, expectedVersion = null } = input;
  const operations = readOperations(manifest);
  if ('error' in operations) return operations;
  const request = { id, manifest, adds, expectedVersion };
  const outcome = await once(
    ctx,
    { operation: 'setApiClientOperations', key: idempotencyKey, request },
    async (tx): Promise<Done | NotSet> => {
      const client = await store.clientForUpdate(tx, ctx.viewer.tenantId, id);
      if (!client) return notFound;
      if (client.revokedAt) return { error: 'ApiClientIsRevoked', client };
      if (expectedVersion !== null && expectedVersion !== client.version)
        return { error: 'VersionConflict', currentVersion: client.version };
      await store.putOperations(tx, client, operations, adds ? 'stay' : 'go');
      const refusal = tooMuch(await store.sizeOfOperations(tx, client));
      if (refusal) return refusal;
      await write(tx, ctx, id, 'OPERATIONS_SET', await store.raiseVersion(tx, client));
      return { id };
    },
  );
  return 'error' in outcome ? outcome : outcome.done;
};

/** Ending a key twice is ending it once. Answers NotFound or IdempotencyConflict. */
export const revokeClient = async (ctx: Context, id: string, idempotencyKey: string) => {
  const outcome = await once(
    ctx,
    { operation: 'revokeApiClient', key: idempotencyKey, request: { id } },
    async (tx) => {
      const client = await store.clientForUpdate(tx, ctx.viewer.tenantId, id);
      if (!client) return notFound;
      if (client.revokedAt) return { id };
      await store.revoke(tx, client);
      await write(tx, ctx, id, 'REVOKED', await store.raiseVersion(tx, client));
      return { id };
    },
  );
  return 'error' in outcome ? outcome : outcome.done;
};

export const findClients = async ({ db, viewer }: Context, page: Page) =>
  connection<ApiClient>(await store.clientPage(db, viewer.tenantId, page), page, store.cursorOf);

const day = 24 * 60 * 60 * 1000;

/** @throws RequestError BAD_USER_INPUT unless there are 1 to 90 days */
export const oldestDay = (lastDays: number, now: Date): string => {
  if (lastDays < 1 || lastDays > 90) throw badInput(['lastDays'], 'lastDays is between 1 and 90.');
  return new Date(now.getTime() - (lastDays - 1) * day).toISOString().slice(0, 10);
};

/** Adds a gateway's batch, once. @returns false for one that was heard before */
export const hearUsage = async (
  tx: Tx,
  tenantId: string,
  batchId: string,
  usage: readonly UsageOfClient[],
): Promise<boolean> => {
  const isNew = await hearBatch(tx, tenantId, batchId);
  if (isNew && usage.length > 0) await addUsage(tx, tenantId, usage);
  return isNew;
};
