// What can be done with parked messages. Each action leaves a row in plumbing.parked_audit, in its own transaction.
import type { Bus } from '@orderstream/runtime/bus';
import type { Database, Sql } from '@orderstream/runtime/database';

export type ParkedKey = { readonly topic: string; readonly key: string };

export type ParkedSummary = ParkedKey & {
  readonly messages: number;
  readonly parkedAt: Date;
  readonly firstError: string | null;
};

export type ParkedMessage = {
  readonly id: number;
  /** null where the message could not be read */
  readonly tenantId: string | null;
  readonly partition: number;
  readonly offset: number;
  readonly type: string | null;
  readonly payload: string;
  readonly error: string | null;
  readonly attempts: number;
};

const nobody = { tenantId: '', traceparent: '', causationId: null };

const audit = (
  sql: Sql,
  actor: string,
  action: string,
  { topic, key }: ParkedKey,
  messages: readonly Pick<ParkedMessage, 'id' | 'tenantId'>[],
) => sql`
  insert into plumbing.parked_audit (actor, action, topic, key, message_id, tenant_id)
  select ${actor}, ${action}, ${topic}, ${key}, * from unnest(
    ${messages.map(({ id }) => id)}::bigint[], ${messages.map(({ tenantId }) => tenantId)}::uuid[])`;

/** Oldest key first; with those whose replay broke off, which are free but still have messages here. */
export const list = (database: Database): Promise<ParkedSummary[]> => database.sql<ParkedSummary>`
  select topic, key, count(m.id)::int as messages, min(coalesce(k.parked_at, m.parked_at)) as "parkedAt",
    (array_agg(m.error order by m.id) filter (where m.error is not null))[1] as "firstError"
  from plumbing.parked_key k full join plumbing.parked_message m using (topic, key)
  group by topic, key order by "parkedAt", topic, key`;

const messagesOf = (sql: Sql, { topic, key }: ParkedKey) => sql<ParkedMessage>`
  select id, tenant_id as "tenantId", partition, "offset", type, payload, error, attempts from plumbing.parked_message
  where topic = ${topic} and key = ${key} order by partition, "offset"`;

/** Payloads may name people, so that looking is written down as well. */
export const show = (database: Database, of: ParkedKey, actor: string): Promise<ParkedMessage[]> =>
  database.transaction(async (begin) => {
    const { sql } = begin(nobody);
    const messages = await messagesOf(sql, of);
    await audit(sql, actor, 'show', of, messages);
    return messages;
  });

/**
 * Publishes the messages of a key again, under their own ids: whatever was handled before is known to the inbox and has
 * no second effect. The key is freed first, or they would only queue up behind themselves; a crash in between leaves the
 * messages here, and replaying once more is safe. One that fails again is parked again.
 * @returns the number of messages published
 */
export const replay = async (database: Database, bus: Bus, of: ParkedKey, actor: string): Promise<number> => {
  const messages = await database.transaction(async (begin) => {
    const { sql } = begin(nobody);
    await sql`delete from plumbing.parked_key where topic = ${of.topic} and key = ${of.key}`;
    const parked = await messagesOf(sql, of);
    await audit(sql, actor, 'replay', of, parked);
    return parked;
  });
  if (messages.length === 0) return 0;
  await bus.publish(messages.map(({ payload }) => ({ ...of, value: payload })));
  await database.sql`delete from plumbing.parked_message where id = any(${messages.map(({ id }) => id)}::bigint[])`;
  return messages.length;
};

/** @returns the number of messages that are gone for good; later ones of the key flow again */
export const discard = (database: Database, of: ParkedKey, actor: string): Promise<number> =>
  database.transaction(async (begin) => {
    const { sql } = begin(nobody);
    await sql`delete from plumbing.parked_key where topic = ${of.topic} and key = ${of.key}`;
    const gone = await sql<Pick<ParkedMessage, 'id' | 'tenantId'>>`
      delete from plumbing.parked_message where topic = ${of.topic} and key = ${of.key}
      returning id, tenant_id as "tenantId"`;
    await audit(sql, actor, 'discard', of, gone);
    return gone.length;
  });
