// Networks, the labels they learn from, and who is learning.
import type { Db, Sql, Tx } from '@orderstream/runtime/database';
import type { Features } from './feature.ts';
import type { Lesson, Network } from './learner.ts';
import type { Model, ModelVersion } from './model-version.ts';

/** A decision labels an order; one that was paid and that nobody complained of for this long is taken for honest. */
const quietDays = 30;

export type Labelled = {
  readonly id: string;
  readonly features: Features;
  readonly score: number;
  readonly isFraud: boolean;
};

export type Lease = { readonly tenantId: string; readonly labels: number };

/** A tenant with a fifth more labels than at the last training, an hour after it. */
export const leaseDue = async (sql: Sql): Promise<Lease | null> => {
  await sql`
    insert into training (tenant_id) select distinct tenant_id from assessment where review in ('APPROVED', 'REJECTED')
    on conflict do nothing`;
  const [row] = await sql<Lease>`
    update training t set leased_until = now() + interval '5 minutes', tried_at = now()
    from (
      select training.tenant_id, l.labels from training cross join lateral (
        select count(*) as labels from assessment a
        where a.tenant_id = training.tenant_id and a.features is not null
          and (a.review in ('APPROVED', 'REJECTED')
            or a.captured_at < now() - make_interval(days => ${quietDays}))) l
      where (leased_until is null or leased_until < now())
        and (tried_at is null or tried_at < now() - interval '1 hour')
        and l.labels >= 100 and l.labels > training.labels * 1.2
      limit 1 for update of training skip locked) due
    where t.tenant_id = due.tenant_id
    returning t.tenant_id as "tenantId", due.labels`;
  return row ?? null;
};

const mostExamples = 20_000;
const pageSize = 500;

/** The newest labelled assessments, in the order of time; read in pages, so that no page is long in parsing. */
export const labelled = async (sql: Sql, tenantId: string): Promise<Labelled[]> => {
  const found: Labelled[] = [];
  let before = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  while (found.length < mostExamples) {
    const rows = await sql<Labelled>`
      select id, features, score, review = 'REJECTED' as "isFraud" from assessment
      where tenant_id = ${tenantId} and features is not null and id < ${before}
        and (review in ('APPROVED', 'REJECTED') or captured_at < now() - make_interval(days => ${quietDays}))
      order by id desc limit ${pageSize}`;
    found.push(...rows);
    const last = rows.at(-1);
    if (!last || rows.length < pageSize) break;
    before = last.id;
  }
  return found.reverse();
};

/** A version is written once; the number follows the last one of its tenant, whose row of training is locked. */
export const finishTraining = async (tx: Tx, { tenantId, labels }: Lease, lesson: Lesson | null) => {
  await tx.sql`update training set labels = ${labels}, leased_until = null where tenant_id = ${tenantId}`;
  if (!lesson) return;
  const { seed, trainedOn, testedOn, testedFrauds, net, rules, network } = lesson;
  await tx.sql`
    insert into model (tenant_id, version, seed, trained_on, tested_on, tested_frauds, net_precision, net_recall,
      rules_precision, rules_recall, network)
    select ${tenantId}, coalesce(max(version), 0) + 1, ${seed}, ${trainedOn}, ${testedOn}, ${testedFrauds},
      ${net.precision}::float8, ${net.recall}::float8, ${rules.precision}::float8, ${rules.recall}::float8,
      ${JSON.stringify(network)}::jsonb
    from model where tenant_id = ${tenantId}`;
};

export const latestModel = async (sql: Sql, tenantId: string): Promise<Model | null> => {
  const [row] = await sql<{ version: number; network: Network }>`
    select version, network from model where tenant_id = ${tenantId} order by version desc limit 1`;
  return row ?? null;
};

/** Tenants with a network and something it has not looked at. */
export const tenantsWithModels = async (sql: Sql): Promise<string[]> =>
  (await sql<{ id: string }>`select distinct tenant_id as id from model`).map(({ id }) => id);

type VersionRow = Omit<ModelVersion, 'net' | 'rules'> &
  Readonly<Record<'net_precision' | 'net_recall' | 'rules_precision' | 'rules_recall', number | null>>;

export const modelVersions = async (db: Pick<Db, 'sql'>, tenantId: string): Promise<ModelVersion[]> => {
  const rows = await db.sql<VersionRow>`
    select version, trained_at as "trainedAt", trained_on as "trainedOn", tested_on as "testedOn",
      tested_frauds as "testedFrauds", net_precision, net_recall, rules_precision, rules_recall
    from model where tenant_id = ${tenantId} order by version desc limit 100`;
  return rows.map(({ net_precision, net_recall, rules_precision, rules_recall, ...row }) => ({
    ...row,
    net: { precision: net_precision, recall: net_recall },
    rules: { precision: rules_precision, recall: rules_recall },
  }));
};
