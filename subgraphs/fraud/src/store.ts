// Assessments and the reviews of them.
import { type Db, part, raw, type Sql, type Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import { grouped, inOrder } from '@orderstream/runtime/loaders';
import type { Page } from '@orderstream/runtime/paging';
import type { Assessment, Audit, Profile, ReviewState } from './assessment.ts';
import type { Features } from './feature.ts';
import { highRisk } from './messages.ts';
import type { Scored } from './rules.ts';
import { type Arrival, remembering } from './signal-store.ts';

type Reader = Pick<Db, 'sql'>;

const columns = raw(`id, order_id as "orderId", customer_id as "customerId", score, rank, factors,
  rules_version as "rulesVersion", took_ms as "tookMs", review, due_at as "dueAt", decided_by as "decidedBy",
  flagged_at as "flaggedAt", shadow_score as "shadowScore", shadow_version as "shadowVersion"`);

/** A review that is past its time, though nobody has closed it yet. */
const overdue = raw(`review in ('PENDING', 'INFO_REQUESTED') and due_at <= now() as "isOverdue"`);

export type Held = Assessment & { readonly isOverdue: boolean };

export const forUpdate = async (tx: Tx, tenantId: string, id: string): Promise<Held | null> => {
  const [row] = await tx.sql<Held>`
    select ${columns}, ${overdue} from assessment where tenant_id = ${tenantId} and id = ${id} for update`;
  return row ?? null;
};

export type NewScore = Scored & {
  /** null for somebody erased */
  readonly customerId: string | null;
  readonly features: Features;
  readonly rulesVersion: string;
  readonly tookMs: number;
};

/**
 * Also where a review was opened before the score came, and with the order for those that come after it. A score that
 * stands is never written again. @returns the score that stands
 */
export const saveScore = async (
  tx: Tx,
  tenantId: string,
  arrival: Arrival,
  { customerId, score, factors, features, rulesVersion, tookMs }: NewScore,
): Promise<number> => {
  const { orderId, amountMinor, currency } = arrival;
  const saved = await tx.sql`
    with ${remembering(tenantId, customerId, arrival)}
    insert into assessment as known (id, tenant_id, order_id, customer_id, amount_minor, currency, score, rank, factors,
      features, rules_version, took_ms, flagged_at)
    values (${newId()}, ${tenantId}, ${orderId}, ${customerId}, ${amountMinor}, ${currency}, ${score}, ${score},
      ${JSON.stringify(factors)}, ${JSON.stringify(features)}, ${rulesVersion}, ${tookMs},
      case when ${score > highRisk} then now() end)
    on conflict (tenant_id, order_id) do update set
      customer_id = excluded.customer_id, amount_minor = excluded.amount_minor, currency = excluded.currency,
      score = excluded.score, rank = excluded.rank, factors = excluded.factors, features = excluded.features,
      rules_version = excluded.rules_version, took_ms = excluded.took_ms,
      flagged_at = coalesce(known.flagged_at, excluded.flagged_at)
    where known.score is null
    returning known.id`;
  if (saved.length > 0) return score;
  // Asked twice at the same moment: the other was faster.
  const [stands] = await tx.sql<{ score: number }>`
    select score from assessment where tenant_id = ${tenantId} and order_id = ${orderId}`;
  return stands!.score;
};

/** Answers the assessment's id where a review was opened now. */
export const openReview = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
  dueAt: string,
): Promise<string | null> => {
  const [row] = await tx.sql<{ id: string }>`
    insert into assessment as known (id, tenant_id, order_id, review, due_at, flagged_at)
    values (${newId()}, ${tenantId}, ${orderId}, 'PENDING', ${dueAt}::timestamptz, now())
    on conflict (tenant_id, order_id) do update set
      review = 'PENDING', due_at = excluded.due_at, flagged_at = coalesce(known.flagged_at, now())
    where known.review = 'NOT_NEEDED' and known.closed_at is null
    returning id`;
  return row?.id ?? null;
};

/** Asked for again with more time, as when information was requested; never with less. */
export const extendReview = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
  dueAt: string,
): Promise<void> => {
  await tx.sql`
    update assessment set due_at = ${dueAt}::timestamptz
    where tenant_id = ${tenantId} and order_id = ${orderId} and review in ('PENDING', 'INFO_REQUESTED')
      and due_at < ${dueAt}::timestamptz`;
};

export const moveReview = async (
  tx: Tx,
  id: string,
  review: ReviewState,
  reviewerId: string | null,
): Promise<void> => {
  const isFinal = review === 'APPROVED' || review === 'REJECTED';
  await tx.sql`
    update assessment set review = ${review}, decided_by = coalesce(${reviewerId}::uuid, decided_by),
      decided_at = case when ${isFinal} then now() else decided_at end
    where id = ${id}`;
};

/** Closed also where no review was opened: its command may come late, and then opens nothing. */
export const close = async (tx: Tx, tenantId: string, orderId: string): Promise<string | null> => {
  const [row] = await tx.sql<{ id: string; review: ReviewState }>`
    insert into assessment as known (id, tenant_id, order_id, closed_at)
    values (${newId()}, ${tenantId}, ${orderId}, now())
    on conflict (tenant_id, order_id) do update set closed_at = now(),
      review = case when known.review in ('PENDING', 'INFO_REQUESTED') then 'EXPIRED' else known.review end
    where known.closed_at is null
    returning id, review`;
  return row?.review === 'EXPIRED' ? row.id : null;
};

/** Rides on assessment_overdue. Their orders have clocks of their own and need not be told. */
export const expireOverdue = async (tx: Tx): Promise<{ id: string; tenantId: string }[]> =>
  tx.sql<{ id: string; tenantId: string }>`
    update assessment set review = 'EXPIRED', closed_at = now() where id in (
      select id from assessment where review in ('PENDING', 'INFO_REQUESTED') and due_at <= now()
      order by due_at limit 100 for update skip locked)
    returning id, tenant_id as "tenantId"`;

export const insertAudit = async (
  tx: Tx,
  tenantId: string,
  assessmentId: string,
  { action, actor, note }: Pick<Audit, 'action' | 'actor' | 'note'>,
): Promise<void> => {
  await tx.sql`
    insert into review_audit (id, tenant_id, assessment_id, actor, action, note)
    values (${newId()}, ${tenantId}, ${assessmentId}, ${actor}, ${action}, ${note})`;
};

export const byIds = async (db: Reader, tenantId: string, ids: readonly string[]) =>
  inOrder(
    ids,
    await db.sql<Assessment>`
      select ${columns} from assessment where tenant_id = ${tenantId} and id = any(${ids}::uuid[])`,
    ({ id }) => id,
  );

export const byOrders = async (db: Reader, tenantId: string, orderIds: readonly string[]) =>
  inOrder(
    orderIds,
    await db.sql<Assessment>`
      select ${columns} from assessment where tenant_id = ${tenantId} and order_id = any(${orderIds}::uuid[])
        and (score is not null or review <> 'NOT_NEEDED')`,
    ({ orderId }) => orderId,
  );

export const auditOf = async (db: Reader, tenantId: string, ids: readonly string[]): Promise<Audit[][]> =>
  grouped(
    ids,
    await db.sql<Audit>`
      select assessment_id as "assessmentId", at, actor, action, note from review_audit
      where tenant_id = ${tenantId} and assessment_id = any(${ids}::uuid[]) order by id`,
    ({ assessmentId }) => assessmentId,
  );

/** Rides on assessment_queue; the cursor is the last row seen. */
export const queue = (db: Reader, tenantId: string, { first, after }: Page): Promise<Assessment[]> =>
  db.sql<Assessment>`
    select ${columns} from assessment
    where tenant_id = ${tenantId} and review in ('PENDING', 'INFO_REQUESTED') and due_at > now()
      ${after ? part`and (rank, id) < (${Number(after.at)}, ${after.id}::uuid)` : part``}
    order by rank desc, id desc limit ${first + 1}`;

export const countQueue = async (db: Reader, tenantId: string): Promise<number> => {
  const [row] = await db.sql<{ rows: number }>`
    select count(*) as rows from assessment
    where tenant_id = ${tenantId} and review in ('PENDING', 'INFO_REQUESTED') and due_at > now()`;
  return row!.rows;
};

/** Rides on assessment_flagged. */
export const flaggedLately = (db: Reader, tenantId: string, seconds: number): Promise<Assessment[]> =>
  db.sql<Assessment>`
    select ${columns} from assessment
    where tenant_id = ${tenantId} and flagged_at > now() - make_interval(secs => ${seconds})
    order by flagged_at limit 1000`;

type ProfileRow = {
  readonly id: string;
  readonly flagged: number;
  readonly isKnown: boolean;
  readonly orders: number | null;
  readonly sumMinor: number | null;
  readonly currency: string | null;
};

export const profilesOf = async (
  db: Reader,
  tenantId: string,
  ids: readonly string[],
): Promise<(Profile | null)[]> => {
  const rows = await db.sql<ProfileRow>`
    select asked.id, c.orders, c.sum_minor as "sumMinor", c.currency, a.flagged,
      c.customer_id is not null or a.assessed > 0 as "isKnown"
    from unnest(${ids}::uuid[]) as asked (id)
    left join customer c on c.tenant_id = ${tenantId} and c.customer_id = asked.id
    cross join lateral (
      select count(*) as assessed, count(*) filter (where flagged_at is not null) as flagged from assessment
      where tenant_id = ${tenantId} and customer_id = asked.id) a`;
  const found = inOrder(ids, rows, ({ id }) => id);
  return found.map((row) =>
    row?.isKnown
      ? {
          flaggedOrders: row.flagged,
          typicalOrderValue:
            row.orders && row.currency
              ? { amountMinor: Math.round((row.sumMinor ?? 0) / row.orders), currency: row.currency }
              : null,
        }
      : null,
  );
};

export type Unshadowed = { readonly id: string; readonly features: Features };

/** Rides on assessment_unshadowed. */
export const unshadowed = (sql: Sql, tenantId: string, most: number): Promise<Unshadowed[]> =>
  sql<Unshadowed>`
    select id, features from assessment
    where tenant_id = ${tenantId} and shadow_version is null and features is not null
    order by created_at limit ${most}`;

/** The score that decided is not touched. */
export const saveShadows = async (
  sql: Sql,
  version: number,
  shadows: readonly { readonly id: string; readonly score: number }[],
): Promise<void> => {
  await sql`
    update assessment a set shadow_score = s.score, shadow_version = ${version}
    from unnest(${shadows.map(({ id }) => id)}::uuid[], ${shadows.map(({ score }) => score)}::int[]) as s (id, score)
    where a.id = s.id and a.shadow_version is null`;
};
