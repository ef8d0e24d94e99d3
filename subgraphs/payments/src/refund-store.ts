// Refunds, and the ledger that their and the captures' money is booked in.
import type { Sql, Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import { money } from '@orderstream/runtime/money';
import { captureEntries, type Entry, refundEntries } from './ledger.ts';
import type { Payment } from './payment.ts';
import type { Refund, RefundState, SeenRefund } from './refund.ts';

type RefundRow = {
  id: string;
  tenant_id: string;
  payment_id: string;
  provider_key: string;
  provider_id: string | null;
  state: RefundState;
  amount_minor: number;
  currency: string;
  reason: string | null;
};

const refundOf = (row: RefundRow): Refund => ({
  id: row.id,
  tenantId: row.tenant_id,
  paymentId: row.payment_id,
  providerKey: row.provider_key,
  providerId: row.provider_id,
  state: row.state,
  amount: money(row.amount_minor, row.currency),
  reason: row.reason,
});

type HasSql = { readonly sql: Sql };

/** Oldest first. Rides on refund_by_payment. */
export const refundsOfPayments = async (
  { sql }: HasSql,
  tenantId: string,
  paymentIds: readonly string[],
): Promise<Refund[]> =>
  (
    await sql<RefundRow>`
      select * from refund where tenant_id = ${tenantId} and payment_id = any(${paymentIds}::uuid[])
      order by payment_id, created_at, id`
  ).map(refundOf);

/** The payment's row is locked by the caller. */
export const insertRefund = async (tx: Tx, refund: Refund): Promise<void> => {
  await tx.sql`
    insert into refund (id, tenant_id, payment_id, provider_key, provider_id, state, amount_minor, currency, reason)
    values (${refund.id}, ${refund.tenantId}, ${refund.paymentId}, ${refund.providerKey}, ${refund.providerId},
      ${refund.state}, ${refund.amount.amountMinor}, ${refund.amount.currency}, ${refund.reason})`;
};

/** Our refund behind what the provider shows; null where somebody refunded without us. */
export const refundSeen = async (tx: Tx, payment: Payment, seen: SeenRefund): Promise<Refund | null> => {
  const [row] = await tx.sql<RefundRow>`
    select * from refund where payment_id = ${payment.id}
      and (provider_id = ${seen.id} or (provider_id is null and id::text = ${seen.refundId}))`;
  return row ? refundOf(row) : null;
};

export const refundById = async (tx: Tx, id: string): Promise<Refund | null> => {
  const [row] = await tx.sql<RefundRow>`select * from refund where id = ${id}`;
  return row ? refundOf(row) : null;
};

export const saveRefund = async (tx: Tx, refund: Refund): Promise<void> => {
  await tx.sql`
    update refund set state = ${refund.state}, provider_id = ${refund.providerId}, updated_at = now()
    where id = ${refund.id}`;
};

/** A refund in the hands of one worker until `leasedUntil`. */
export type RefundClaim = {
  readonly refund: Refund;
  /** the provider's name of the payment */
  readonly payment: string;
  readonly leasedUntil: Date;
  readonly attempts: number;
};

/** Rides on refund_open. */
export const claimRefunds = async (
  { sql }: HasSql,
  most: number,
  leaseMs: number,
): Promise<RefundClaim[]> => {
  const rows = await sql<RefundRow & { leased_until: Date; attempts: number; payment: string }>`
    with due as (
      select id from refund
      where state in ('REQUESTED', 'PENDING') and next_attempt_at <= now()
        and (leased_until is null or leased_until < now())
      order by next_attempt_at limit ${most} for update skip locked
    ), claimed as (
      update refund set leased_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1
      where id in (select id from due) returning *
    )
    select claimed.*, payment.provider_id as payment from claimed join payment on payment.id = claimed.payment_id`;
  return rows.map((row) => ({
    refund: refundOf(row),
    payment: row.payment,
    leasedUntil: row.leased_until,
    attempts: row.attempts,
  }));
};

export const releaseRefund = async ({ sql }: HasSql, claim: RefundClaim, pauseMs: number): Promise<void> => {
  await sql`
    update refund set leased_until = null, next_attempt_at = now() + ${pauseMs} * interval '1 millisecond'
    where id = ${claim.refund.id} and leased_until = ${claim.leasedUntil}`;
};

const book = async (
  tx: Tx,
  payment: Payment,
  refundId: string | null,
  entries: readonly Entry[],
): Promise<void> => {
  const txn = newId();
  await tx.sql`
    insert into ledger_txn (id, tenant_id, payment_id, refund_id, kind)
    values (${txn}, ${payment.tenantId}, ${payment.id}, ${refundId}, ${refundId ? 'REFUND' : 'CAPTURE'})`;
  await tx.sql`
    insert into ledger_entry (txn_id, line, tenant_id, account, currency, amount_minor)
    select ${txn}, line, ${payment.tenantId}, account, currency, amount_minor
    from unnest(${entries.map(({ account }) => account)}::text[],
      ${entries.map(({ amount }) => amount.currency)}::text[],
      ${entries.map(({ amount }) => amount.amountMinor)}::bigint[])
      with ordinality as entry (account, currency, amount_minor, line)`;
};

/** Once for each payment; the database refuses a second time. */
export const bookCapture = (tx: Tx, payment: Payment): Promise<void> =>
  book(tx, payment, null, captureEntries(payment.captured));

/** Once for each refund; the database refuses a second time. */
export const bookRefund = (tx: Tx, payment: Payment, refund: Refund): Promise<void> =>
  book(tx, payment, refund.id, refundEntries(refund.amount));
