// What the carrier told us: each event once, as it came, worked off later.
import type { HasSql } from './store.ts';

export type WebhookOutcome = 'APPLIED' | 'OLD_NEWS' | 'IGNORED';

export type NewEvent = {
  readonly id: string;
  readonly type: string;
  /** the carrier's word for which shipment it is about */
  readonly shipmentId: string | null;
  readonly body: string;
};

/** The second and third copy of an event change nothing. An event about no parcel of ours is the shop's own. */
export const insertWebhookEvent = async (
  { sql }: HasSql,
  { id, type, shipmentId, body }: NewEvent,
  tenantId: string,
): Promise<void> => {
  await sql`
    insert into webhook_event (event_id, tenant_id, type, body)
    values (${id}, coalesce((select tenant_id from shipment where id = ${shipmentId}::uuid), ${tenantId}::uuid), ${type},
      ${body})
    on conflict (event_id) do nothing`;
};

/** What was understood at once. A copy of an event changes nothing. */
export const insertReadEvent = async (
  { sql }: HasSql,
  { id, type, body }: NewEvent,
  tenantId: string,
  outcome: WebhookOutcome,
): Promise<void> => {
  await sql`
    insert into webhook_event (event_id, tenant_id, type, body, processed_at, outcome)
    values (${id}, ${tenantId}, ${type}, ${body}, now(), ${outcome}) on conflict (event_id) do nothing`;
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
