// Programs of partners, what they may ask for, and who changed it.
import { type Db, raw, type Tx } from '@orderstream/runtime/database';
import type { Cursor, Page } from '@orderstream/runtime/paging';
import type { Action, ApiClient, ApiClientAudit, StoredOperation, Wanted } from './api-client.ts';

const columns = raw(
  `id, tenant_id as "tenantId", name, key_prefix as "keyPrefix", scopes, per_minute as "perMinute",
   per_day as "perDay", cost_per_minute as "costPerMinute", version, created_at as "createdAt",
   created_by as "createdBy", revoked_at as "revokedAt"`,
);

export const cursorOf = (client: ApiClient): Cursor => ({
  sort: 'newest',
  at: client.createdAt.toISOString(),
  id: client.id,
});

const first: Pick<Cursor, 'at' | 'id'> = { at: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };

/** Newest first, on the index api_client_newest. */
export const clientPage = (db: Db, tenantId: string, page: Page): Promise<ApiClient[]> => {
  const after = page.after ?? first;
  return db.sql<ApiClient>`
    select ${columns} from api_client
    where tenant_id = ${tenantId} and (created_at, id) < (${after.at}, ${after.id})
    order by created_at desc, id desc limit ${page.first + 1}`;
};

export const countClients = async (db: Db, tenantId: string): Promise<number> => {
  const [row] = await db.sql<{ count: number }>`
    select count(*) from api_client where tenant_id = ${tenantId}`;
  return row!.count;
};

export const clientsByIds = (db: Db, tenantId: string, ids: readonly string[]): Promise<ApiClient[]> =>
  db.sql<ApiClient>`
    select ${columns} from api_client where tenant_id = ${tenantId} and id = any(${ids})`;

/** As gateways know it: with the hash of its key. Null for a prefix of nobody, and for a key that was revoked. */
export const clientByPrefix = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  keyPrefix: string,
): Promise<(ApiClient & { readonly keyHash: Buffer }) | null> => {
  const [row] = await db.sql<ApiClient & { keyHash: Buffer }>`
    select ${columns}, key_hash as "keyHash" from api_client
    where key_prefix = ${keyPrefix} and tenant_id = ${tenantId} and revoked_at is null`;
  return row ?? null;
};

export const clientForUpdate = async (tx: Tx, tenantId: string, id: string): Promise<ApiClient | null> => {
  const [row] = await tx.sql<ApiClient>`
    select ${columns} from api_client where id = ${id} and tenant_id = ${tenantId} for update`;
  return row ?? null;
};

type Creation = Wanted & {
  readonly id: string;
  readonly tenantId: string;
  readonly keyPrefix: string;
  readonly keyHash: Buffer;
  readonly createdBy: string;
};

export const insertClient = async (tx: Tx, client: Creation): Promise<void> => {
  await tx.sql`
    insert into api_client (id, tenant_id, name, key_prefix, key_hash, scopes, per_minute, per_day, cost_per_minute,
      created_by)
    values (${client.id}, ${client.tenantId}, ${client.name}, ${client.keyPrefix}, ${client.keyHash},
      ${client.scopes}, ${client.perMinute}, ${client.perDay}, ${client.costPerMinute}, ${client.createdBy})`;
};

/** The version after this change. */
export const raiseVersion = async (tx: Tx, { id }: ApiClient): Promise<number> => {
  const [row] = await tx.sql<{ version: number }>`
    update api_client set version = version + 1 where id = ${id} returning version`;
  return row!.version;
};

export const revoke = async (tx: Tx, { id }: ApiClient): Promise<void> => {
  await tx.sql`update api_client set revoked_at = now() where id = ${id}`;
};

export const insertAudit = async (
  tx: Tx,
  {
    id,
    tenantId,
    clientId,
    actor,
    action,
    version,
  }: Record<'id' | 'tenantId' | 'clientId' | 'actor', string> & {
    readonly action: Action;
    readonly version: number;
  },
): Promise<void> => {
  await tx.sql`
    insert into api_client_audit (id, tenant_id, client_id, actor, action, version)
    values (${id}, ${tenantId}, ${clientId}, ${actor}, ${action}, ${version})`;
};

/** Newest first, at most 50 of each client, on the index api_client_audit_of. */
export const auditOf = (
  db: Db,
  clientIds: readonly string[],
): Promise<(ApiClientAudit & { readonly clientId: string })[]> =>
  db.sql<ApiClientAudit & { clientId: string }>`
    select entry.* from unnest(${clientIds}::uuid[]) as asked(id)
    cross join lateral (
      select client_id as "clientId", at, actor, action, version from api_client_audit
      where client_id = asked.id order by id desc limit 50
    ) entry`;

/** @param rest whether those that are not among them stay */
export const putOperations = async (
  tx: Tx,
  { id, tenantId }: ApiClient,
  operations: readonly StoredOperation[],
  rest: 'stay' | 'go',
): Promise<void> => {
  const ids = operations.map((operation) => operation.id);
  if (rest === 'go')
    await tx.sql`delete from api_client_operation where client_id = ${id} and not (id = any(${ids}))`;
  await tx.sql`
    insert into api_client_operation (client_id, tenant_id, id, name, body)
    select ${id}, ${tenantId}, * from unnest(${ids}::text[], ${operations.map(({ name }) => name)}::text[],
      ${operations.map(({ body }) => body)}::text[])
    on conflict (client_id, id) do update set name = excluded.name, body = excluded.body`;
};

/** bytes are those of ids, names and texts */
export const sizeOfOperations = async (
  tx: Tx,
  { id }: ApiClient,
): Promise<{ readonly count: number; readonly bytes: number }> => {
  const [row] = await tx.sql<{ count: number; bytes: number }>`
    select count(*), coalesce(sum(octet_length(id) + octet_length(coalesce(name, '')) + octet_length(body)), 0)::bigint
      as bytes
    from api_client_operation where client_id = ${id}`;
  return row!;
};

/** All of a client, by id. */
export const operationsOf = (db: Pick<Db, 'sql'>, clientId: string): Promise<StoredOperation[]> =>
  db.sql<StoredOperation>`
    select id, name, body from api_client_operation where client_id = ${clientId} order by id`;

/** Those of several clients that come after an id, one more of each than asked for where there is a next page. */
export const operationPages = (
  db: Db,
  clientIds: readonly string[],
  { first: most, after }: Page,
): Promise<(StoredOperation & { readonly clientId: string })[]> =>
  db.sql<StoredOperation & { clientId: string }>`
    select found.* from unnest(${clientIds}::uuid[]) as asked(id)
    cross join lateral (
      select client_id as "clientId", id, name, body from api_client_operation
      where client_id = asked.id and id > ${after?.at ?? ''} order by id limit ${most + 1}
    ) found`;

export const countOperations = async (
  db: Db,
  clientIds: readonly string[],
): Promise<{ readonly clientId: string; readonly count: number }[]> =>
  db.sql<{ clientId: string; count: number }>`
    select client_id as "clientId", count(*) from api_client_operation
    where client_id = any(${clientIds}) group by client_id`;
