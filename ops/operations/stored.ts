// The operations that the programs of partners have stored in the shop.
import type { Database } from '@orderstream/runtime/database';
import { encodeId } from '@orderstream/runtime/ids';
import type { Manifest, StoredOperation } from '@orderstream/runtime/manifest';

type Row = StoredOperation & { readonly clientId: string; readonly client: string };

/** Of all whose keys are good, by who they are. */
export const storedManifests = async (users: Pick<Database, 'sql'>): Promise<Map<string, Manifest>> => {
  const rows = await users.sql<Row>`
    select client.id as "clientId", client.name as client, operation.id, operation.name, operation.body
    from api_client client join api_client_operation operation on operation.client_id = client.id
    where client.revoked_at is null order by client.created_at, client.id, operation.id`;
  const byClient = Map.groupBy(
    rows,
    ({ clientId, client }) => `${client} (${encodeId('apiClient', clientId)})`,
  );
  return new Map(
    [...byClient].map(([client, operations]) => [
      client,
      new Map(operations.map(({ id, name, body }) => [id, { id, name, body }])),
    ]),
  );
};
