// What the provider told us: each event once, as it came, worked off later.
import type { Sql } from '@orderstream/runtime/database';

type HasSql = { readonly sql: Sql };

const provider = 'stripe';

export type WebhookOutcome = 'APPLIED' | 'OLD_NEWS' | 'IGNORED';

type NewEvent = {
  readonly id: string;
  readonly type: string;
  readonly tenantId: string;
  readonly body: string;
};

/**
 * The second and third copy of an event change nothing. The body names a customer and a card: it is kept until it is read
 * and no longer.
 * @param outcome where the event is understood already
 * @returns whether this is the first
 */
export const insertWebhookEvent = async (
  { sql }: HasSql,
  event: NewEvent,
  outcome: WebhookOutcome | null = null,
): Promise<boolean> => {
  const rows = await sql`
    insert into webhook_event (provider, event_id, tenant_id, type, body, outcome, processed_at)
    values (${provider}, ${event.id}, ${event.tenantId}, ${event.type}, ${outcome ? '' : event.body}, ${outcome},
      case when ${outcome}::text is not null then now() end)
    on conflict (provider, event_id) do nothing returning event_id`;
  return rows.length > 0;
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
    where (provider, event_id) in (
      select provider, event_id from webhook_event
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
    update webhook_event set processed_at = now(), outcome = ${outcome}, body = '', leased_until = null
    where provider = ${provider} and event_id = ${eventId} and processed_at is null`;
};

export const releaseWebhookEvent = async (
  { sql }: HasSql,
  claim: WebhookClaim,
  pauseMs: number,
): Promise<void> => {
  await sql`
    update webhook_event set leased_until = null, next_attempt_at = now() + ${pauseMs} * interval '1 millisecond'
    where provider = ${provider} and event_id = ${claim.eventId} and leased_until = ${claim.leasedUntil}`;
};

/** The provider repeats for three days; after thirty nobody asks any more. Rides on webhook_event_by_age. */
export const forgetWebhookEvents = async ({ sql }: HasSql): Promise<number> => {
  const gone = await sql`
    delete from webhook_event where (provider, event_id) in (
      select provider, event_id from webhook_event
      where received_at < now() - interval '30 days' and processed_at is not null
      order by received_at limit 1000)
    returning event_id`;
  return gone.length;
};
