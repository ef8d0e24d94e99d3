// Sessions, their refresh tokens, and the attempts to get one.
import type { Tx } from '@orderstream/runtime/database';
import { type EndReason, type PresentedToken, sessionLifeMs } from './session.ts';
import type { Attempt } from './throttle.ts';
import type { User } from './user.ts';

export const insertSession = async (tx: Tx, user: User, id: string, tokenHash: Buffer): Promise<void> => {
  await tx.sql`
    insert into session (id, tenant_id, user_id, expires_at)
    values (${id}, ${user.tenantId}, ${user.id}, now() + ${sessionLifeMs} * interval '1 millisecond')`;
  await tx.sql`
    insert into refresh_token (hash, tenant_id, session_id) values (${tokenHash}, ${user.tenantId}, ${id})`;
};

/** Locks token and session, so that of two who bring the same token the second sees what the first has done. */
export const presentedToken = async (
  tx: Tx,
  tenantId: string,
  hash: Buffer,
): Promise<PresentedToken | null> => {
  const [row] = await tx.sql<PresentedToken>`
    select s.user_id as "userId", s.id as "sessionId", t.used_at as "usedAt", s.expires_at as "expiresAt",
           s.ended_at as "endedAt", clock_timestamp() as now
    from refresh_token t join session s on s.id = t.session_id
    where t.hash = ${hash} and t.tenant_id = ${tenantId} for update of t, s`;
  return row ?? null;
};

export const rotate = async (
  tx: Tx,
  tenantId: string,
  sessionId: string,
  used: Buffer,
  next: Buffer,
): Promise<void> => {
  await tx.sql`update refresh_token set used_at = clock_timestamp() where hash = ${used}`;
  await tx.sql`
    insert into refresh_token (hash, tenant_id, session_id) values (${next}, ${tenantId}, ${sessionId})`;
  await tx.sql`
    update session set expires_at = now() + ${sessionLifeMs} * interval '1 millisecond' where id = ${sessionId}`;
};

export const endSession = async (tx: Tx, sessionId: string, because: EndReason): Promise<void> => {
  await tx.sql`
    update session set ended_at = now(), ended_because = ${because} where id = ${sessionId} and ended_at is null`;
};

/** In the order of ids, so that two of these at once do not wait for each other. */
export const endSessionsOf = async (tx: Tx, userId: string, because: EndReason): Promise<void> => {
  await tx.sql`
    update session set ended_at = now(), ended_because = ${because}
    where id in (select id from session where user_id = ${userId} and ended_at is null order by id for update)`;
};

type AttemptKind = 'LOGIN' | 'REGISTRATION';

/** Who tries and from where, as keyed hashes. A registration has no account yet. */
export type Origin = {
  readonly kind: AttemptKind;
  readonly tenantId: string;
  readonly address: Buffer;
  readonly account: Buffer | null;
};

/**
 * What was tried from this address within the time, newest first. Others from the same address wait until the
 * transaction ends, so that the answer still holds when the next attempt is written down. What is under way for half a
 * minute was left behind by a crash and does not count.
 */
export const attemptsFrom = async (
  tx: Tx,
  { kind, tenantId, address, account }: Origin,
  withinMs: number,
): Promise<{ attempts: Attempt[]; now: Date }> => {
  await tx.sql`select pg_advisory_xact_lock(${address.readBigInt64BE()})`;
  const attempts = await tx.sql<Attempt>`
    select at, account is not distinct from ${account}::bytea as "isSameAccount",
           failed_at is not null as "hasFailed"
    from attempt
    where tenant_id = ${tenantId} and kind = ${kind} and address = ${address}
      and at > clock_timestamp() - ${withinMs} * interval '1 millisecond'
      and (kind = 'REGISTRATION' or failed_at is not null or at > clock_timestamp() - interval '30 seconds')
    order by at desc`;
  const [clock] = await tx.sql<{ now: Date }>`select clock_timestamp() as now`;
  return { attempts, now: clock!.now };
};

export const insertAttempt = async (tx: Tx, id: string, origin: Origin): Promise<void> => {
  await tx.sql`
    insert into attempt (id, tenant_id, kind, address, account)
    values (${id}, ${origin.tenantId}, ${origin.kind}, ${origin.address}, ${origin.account})`;
};

export const markFailed = async (tx: Tx, id: string): Promise<void> => {
  await tx.sql`update attempt set failed_at = clock_timestamp() where id = ${id}`;
};

/** Whoever knows the password has not been guessing. */
export const clearAttempts = async (tx: Tx, { kind, tenantId, address, account }: Origin): Promise<void> => {
  await tx.sql`
    delete from attempt
    where tenant_id = ${tenantId} and kind = ${kind} and address = ${address} and account = ${account}`;
};

/** Deletes up to a thousand rows of each kind that no rule asks for any more; answers how many they were. */
export const prune = async (tx: Tx): Promise<number> => {
  const attempts = await tx.sql`
    delete from attempt where id in (
      select id from attempt where at < now() - interval '1 hour' limit 1000 for update skip locked) returning id`;
  const tokens = await tx.sql`
    delete from refresh_token where hash in (
      select hash from refresh_token where used_at < now() - ${sessionLifeMs} * interval '1 millisecond'
      limit 1000 for update skip locked) returning hash`;
  // Kept for as long again, so that one can still see how a session ended.
  const sessions = await tx.sql`
    delete from session where id in (
      select id from session where expires_at < now() - ${sessionLifeMs} * interval '1 millisecond'
      limit 1000 for update skip locked) returning id`;
  return attempts.length + tokens.length + sessions.length;
};
