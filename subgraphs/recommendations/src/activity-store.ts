import type { Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import { limit, type Taken } from './activity.ts';
import { whileNobodyIsErased } from './purchase-store.ts';

/** Whoever tells from the same source waits here, so that no two count the same room. */
export const takenFrom = async (
  tx: Tx,
  tenantId: string,
  source: string,
): Promise<{ taken: Taken[]; now: Date }> => {
  await tx.sql`select pg_advisory_xact_lock(hashtextextended(${`${tenantId} ${source}`}, 0))`;
  const [clock] = await tx.sql<{ now: Date }>`select clock_timestamp() as now`;
  const now = clock!.now;
  const taken = await tx.sql<Taken>`
    select at, items from tracking
    where tenant_id = ${tenantId} and source = ${source} and at > ${new Date(now.getTime() - limit.withinMs)}
    order by at`;
  return { taken, now };
};

export const take = async (tx: Tx, tenantId: string, source: string, items: number): Promise<void> => {
  await tx.sql`
    insert into tracking (id, tenant_id, source, items) values (${newId()}, ${tenantId}, ${source}, ${items})`;
};

export type Interest = { readonly productId: string; readonly at: Date };

/** Of somebody erased meanwhile nothing is remembered. */
export const remember = async (
  tx: Tx,
  tenantId: string,
  { visitor, customerId }: { readonly visitor: string; readonly customerId: string | null },
  interests: readonly Interest[],
): Promise<void> => {
  if (interests.length === 0) return;
  const latest = new Map(
    interests
      .toSorted((a, b) => a.at.getTime() - b.at.getTime())
      .map(({ productId, at }) => [productId, at.toISOString()]),
  );
  await whileNobodyIsErased(tx);
  await tx.sql`
    insert into interest as known (tenant_id, visitor, product_id, at)
    select ${tenantId}, ${visitor}, product_id, at
    from unnest(${[...latest.keys()]}::uuid[], ${[...latest.values()]}::timestamptz[]) as new (product_id, at)
    where not exists (
      select from erased_customer where tenant_id = ${tenantId} and customer_id = ${customerId})
    on conflict (tenant_id, visitor, product_id) do update set at = greatest(known.at, excluded.at)`;
};

/** Interest fades in thirty days; the limit looks back a minute. */
export const prune = async (tx: Tx): Promise<number> => {
  const [pruned] = await tx.sql<{ rows: number }>`
    with faded as (delete from interest where at < now() - interval '30 days' returning 1),
      counted as (delete from tracking where at < now() - interval '5 minutes' returning 1)
    select (select count(*) from faded) + (select count(*) from counted) as rows`;
  return pruned!.rows;
};
