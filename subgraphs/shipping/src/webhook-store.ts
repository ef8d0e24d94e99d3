// What the carrier told us: each event once, as it came, worked off later.
import type { Tx } from '@orderstream/runtime/database';
import type { Change } from './shipment.ts';
import { type HasSql, saving } from './store.ts';

export type WebhookOutcome = 'APPLIED' | 'OLD_NEWS' | 'IGNORED';

/** What the carrier called with, and what came of it; null: to be worked off. */
export type Call = {
  readonly id: string;
  readonly type: string;
  readonly body: string;
  readonly tenantId: string;
  readonly outcome: WebhookOutcome | null;
};

/** The calls, and what they did to parcels whose rows are locked, in one statement. A copy of a call changes nothing. */
export const saveCalls = (tx: Tx, calls: readonly Call[], changes: readonly Change[]): void => {
  tx.write`
    with ${saving(changes)}
    insert into webhook_event (event_id, tenant_id, type, body, outcome, processed_at)
    select *, case when outcome is not null then now() end
    from unnest(${calls.map(({ id }) => id)}::text[], ${calls.map(({ tenantId }) => tenantId)}::uuid[],
      ${calls.map(({ type }) => type)}::text[], ${calls.map(({ body }) => body)}::text[],
      ${calls.map(({ outcome }) => outcome)}::text[]) as call (event_id, tenant_id, type, body, outcome)
    on conflict (event_id) do nothing`;
};

export type WebhookClaim = {
  readonly eventId: string;
  readonly body: string;
  readonly attempts: number;
  readonly leasedUntil: Date;
};

/** Rides on webhook_event_due. */
export const claimWebhookEvents = async (
  { sql }: HasSql,
  most: number,
  leaseMs: number,
): Promise<WebhookClaim[]> => {
  const rows = await sql<{ event_id: string; body: string; attempts: number; leased_until: Date }>`
    update webhook_event set leased_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1
    where event_id in (
      select event_id from webhook_event
      where processed_at is null and next_attempt_at <= now() and (leased_until is null or leased_until < now())
      order by next_attempt_at limit ${most} for update skip locked)
    returning event_id, body, attempts, leased_until`;
  return rows.map((row) => ({
    eventId: row.event_id,
    body: row.body,
    attempts: row.attempts,
    leasedUntil: row.leased_until,
  }));
};

export const finishWebhookEvent = async (
  { sql }: HasSql,
  eventId: string,
  outcome: WebhookOutcome,
): Promise<void> => {
  await sql`
    update webhook_event set processed_at = now(), outcome = ${outcome}, leased_until = null
    where event_id = ${eventId} and processed_at is null`;
};

export const releaseWebhookEvent = async (
  { sql }: HasSql,
  claim: WebhookClaim,
  pauseMs: number,
): Promise<void> => {
  await sql`
    update webhook_event set leased_until = null, next_attempt_at = now() + ${pauseMs} * interval '1 millisecond'
    where event_id = ${claim.eventId} and leased_until = ${claim.leasedUntil}`;
};

/** The carrier gives up repeating long before; after thirty days nobody asks any more. Rides on webhook_event_by_age. */
export const forgetWebhookEvents = async ({ sql }: HasSql): Promise<number> => {
  const gone = await sql`
    delete from webhook_event where event_id in (
      select event_id from webhook_event
      where received_at < now() - interval '30 days' and processed_at is not null
      order by received_at limit 1000)
    returning event_id`;
  return gone.length;
};
