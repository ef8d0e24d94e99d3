// What was learnt, and when. Everybody may read it; one process at a time learns.
import type { Database, Sql } from '@orderstream/runtime/database';
import { newTrace } from '@orderstream/runtime/trace';
import type { Affinity, Neighbour } from './affinity.ts';

export type Lease = { readonly tenantId: string; readonly readAt: Date };

/** So long a process may take before another one tries. */
const lease = '5 minutes';

/**
 * A tenant whose purchases have changed since they were read, leased to the caller. Learning takes a thirtieth of the time
 * at most, and happens every ten minutes at most. The time of the change is not exact, and a purchase may be seen later than it
 * was written, so changes of the last minute are looked at again.
 */
export const leaseDue = async (sql: Sql): Promise<Lease | null> => {
  const [due] = await sql<{ tenant_id: string; read_at: Date }>`
    update learning set leased_until = now() + ${lease}::interval
    where tenant_id = (
      select tenant_id from learning
      where (leased_until is null or leased_until < now()) and (
        read_at is null
        or read_at + greatest(interval '10 minutes', interval '1 millisecond' * 30 * took_ms) < now()
        and changed_at > read_at - interval '1 minute')
      order by read_at nulls first limit 1 for update skip locked)
    returning tenant_id, now() as read_at`;
  return due ? { tenantId: due.tenant_id, readAt: due.read_at } : null;
};

const rowsAtOnce = 100;

const toRow = ({ productId, baskets, trend, together, similar }: Affinity) => ({
  product_id: productId,
  baskets,
  trend,
  together_ids: together.map((neighbour) => neighbour.productId),
  together_scores: together.map((neighbour) => neighbour.score),
  together_baskets: together.map((neighbour) => neighbour.baskets),
  similar_ids: similar.map((neighbour) => neighbour.productId),
  similar_scores: similar.map((neighbour) => neighbour.score),
});

/** Replaces what was known of the tenant, all or nothing, and gives the lease back. */
export const saveAffinities = async (
  { transaction }: Pick<Database, 'transaction'>,
  { tenantId, readAt }: Lease,
  affinities: readonly Affinity[],
  tookMs: number,
): Promise<void> =>
  transaction(async (begin) => {
    const { sql } = begin({ tenantId, ...newTrace(), causationId: null });
    const [learning] = await sql<{ version: number }>`
      update learning set version = version + 1, read_at = ${readAt}, took_ms = ${Math.round(tookMs)}, leased_until = null
      where tenant_id = ${tenantId} returning version`;
    if (!learning) throw new Error(`nothing is to be learnt of ${tenantId}`);
    for (let from = 0; from < affinities.length; from += rowsAtOnce)
      await sql`
        insert into affinity (tenant_id, product_id, baskets, trend, together_ids, together_scores, together_baskets,
          similar_ids, similar_scores, version)
        select ${tenantId}, learnt.*, ${learning.version}::integer
        from json_to_recordset(${JSON.stringify(affinities.slice(from, from + rowsAtOnce).map(toRow))}) as learnt (
          product_id uuid, baskets integer, trend double precision, together_ids uuid[], together_scores real[],
          together_baskets integer[], similar_ids uuid[], similar_scores real[])
        on conflict (tenant_id, product_id) do update set baskets = excluded.baskets, trend = excluded.trend,
          together_ids = excluded.together_ids, together_scores = excluded.together_scores,
          together_baskets = excluded.together_baskets, similar_ids = excluded.similar_ids,
          similar_scores = excluded.similar_scores, version = excluded.version`;
    await sql`delete from affinity where tenant_id = ${tenantId} and version < ${learning.version}`;
  });

/** By tenant, how often it has been learnt. */
export const versions = async (sql: Sql): Promise<Map<string, number>> => {
  const rows = await sql<{ tenant_id: string; version: number }>`
    select tenant_id, version from learning where version > 0`;
  return new Map(rows.map((row) => [row.tenant_id, row.version]));
};

type Row = {
  readonly product_id: string;
  readonly baskets: number;
  readonly trend: number;
  readonly together: string;
  readonly together_scores: string;
  readonly together_baskets: string;
  readonly similar: string;
  readonly similar_scores: string;
};

/** Lists of numbers and ids come as text with blanks: splitting it costs a tenth of reading an array. */
const split = (text: string): string[] => (text === '' ? [] : text.split(' '));

const toNeighbours = (ids: string, scores: string, baskets: string): Neighbour[] => {
  const [score, shared] = [split(scores), split(baskets)];
  return split(ids).map((productId, at) => ({
    productId,
    score: Number(score[at]),
    baskets: Number(shared[at] ?? 0),
  }));
};

/** Everything that is known of a tenant's goods, read in pages by the primary key. */
export const affinitiesOf = async (sql: Sql, tenantId: string): Promise<Affinity[]> => {
  const affinities: Affinity[] = [];
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const rows = await sql<Row>`
      select product_id, baskets, trend, array_to_string(together_ids, ' ') as together,
        array_to_string(together_scores, ' ') as together_scores,
        array_to_string(together_baskets, ' ') as together_baskets, array_to_string(similar_ids, ' ') as similar,
        array_to_string(similar_scores, ' ') as similar_scores
      from affinity where tenant_id = ${tenantId} and product_id > ${after} order by product_id limit ${rowsAtOnce}`;
    for (const row of rows)
      affinities.push({
        productId: row.product_id,
        baskets: row.baskets,
        trend: row.trend,
        together: toNeighbours(row.together, row.together_scores, row.together_baskets),
        similar: toNeighbours(row.similar, row.similar_scores, ''),
      });
    if (rows.length < rowsAtOnce) return affinities;
    after = rows.at(-1)!.product_id;
  }
};
