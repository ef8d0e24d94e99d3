// What clients asked, counted by day. Gateways tell it in batches.
import type { Db, Tx } from '@orderstream/runtime/database';
import type { Usage } from './api-client.ts';

export type UsageOfClient = Usage & { readonly clientId: string };

/** False for a batch that was heard before: a gateway whose answer was lost tells it again. */
export const hearBatch = async (tx: Tx, tenantId: string, batchId: string): Promise<boolean> => {
  const heard = await tx.sql`
    insert into plumbing.inbox (message_id, tenant_id) values (${batchId}, ${tenantId})
    on conflict do nothing returning message_id`;
  return heard.length > 0;
};

/** Adds up. In one order, so that two gateways who tell of the same clients do not wait for each other in a circle. */
export const addUsage = async (tx: Tx, tenantId: string, usage: readonly UsageOfClient[]): Promise<void> => {
  await tx.sql`
    insert into api_client_usage as before (client_id, day, tenant_id, requests, refused, cost)
    select client.id, told.day, client.tenant_id, sum(told.requests), sum(told.refused), sum(told.cost)
    from unnest(${usage.map((one) => one.clientId)}::uuid[], ${usage.map((one) => one.day)}::date[],
      ${usage.map((one) => one.requests)}::bigint[], ${usage.map((one) => one.refused)}::bigint[],
      ${usage.map((one) => one.cost)}::bigint[]) as told(client_id, day, requests, refused, cost)
    join api_client client on client.id = told.client_id and client.tenant_id = ${tenantId}
    group by client.id, told.day order by client.id, told.day
    on conflict (client_id, day) do update set requests = before.requests + excluded.requests,
      refused = before.refused + excluded.refused, cost = before.cost + excluded.cost`;
};

/** Newest day first. @param since the oldest day */
export const usageOf = (db: Db, clientIds: readonly string[], since: string): Promise<UsageOfClient[]> =>
  db.sql<UsageOfClient>`
    select client_id as "clientId", to_char(day, 'YYYY-MM-DD') as day, requests, refused, cost
    from api_client_usage where client_id = any(${clientIds}) and day >= ${since}::date
    order by client_id, day desc`;
