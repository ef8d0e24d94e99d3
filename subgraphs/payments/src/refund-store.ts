// Refunds and their lines. The payment's row is locked by whoever writes here.
import type { Sql, Tx } from '@orderstream/runtime/database';
import { money } from '@orderstream/runtime/money';
import type { Payment } from './payment.ts';
import type { PaidLine, Refund, RefundLine, RefundState, SeenRefund } from './refund.ts';

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

export const insertRefund = async (tx: Tx, refund: Refund): Promise<void> => {
  await tx.sql`
    insert into refund (id, tenant_id, payment_id, provider_key, provider_id, state, amount_minor, currency, reason)
    values (${refund.id}, ${refund.tenantId}, ${refund.paymentId}, ${refund.providerKey}, ${refund.providerId},
      ${refund.state}, ${refund.amount.amountMinor}, ${refund.amount.currency}, ${refund.reason})`;
};

/** Takes their pieces out of what can be refunded; the database refuses more than were paid for. */
export const insertRefundLines = async (
  tx: Tx,
  refund: Refund,
  lines: readonly RefundLine[],
): Promise<void> => {
  if (lines.length === 0) return;
  await tx.sql`
    with added as (
      insert into refund_line (refund_id, payment_id, tenant_id, order_line_id, quantity, amount_minor, restock)
      select ${refund.id}, ${refund.paymentId}, ${refund.tenantId}, * from unnest(
        ${lines.map((line) => line.orderLineId)}::uuid[], ${lines.map((line) => line.quantity)}::int[],
        ${lines.map((line) => line.amount.amountMinor)}::bigint[], ${lines.map((line) => line.restock)}::boolean[])
      returning payment_id, order_line_id, quantity
    )
    update paid_line p set refunding_quantity = refunding_quantity + added.quantity
    from added where p.payment_id = added.payment_id and p.order_line_id = added.order_line_id`;
};

type RefundLineRow = {
  refund_id: string;
  order_line_id: string;
  variant_id: string;
  quantity: number;
  amount_minor: number;
  currency: string;
  restock: boolean;
};

const refundLineOf = (row: RefundLineRow): RefundLine => ({
  orderLineId: row.order_line_id,
  variantId: row.variant_id,
  quantity: row.quantity,
  amount: money(row.amount_minor, row.currency),
  restock: row.restock,
});

/** The pieces are refunded, or can be refunded again. */
export const settleRefundLines = async (
  tx: Tx,
  refund: Refund,
  hasArrived: boolean,
): Promise<RefundLine[]> => {
  const rows = await tx.sql<RefundLineRow>`
    update paid_line p set refunding_quantity = refunding_quantity - l.quantity,
      refunded_quantity = refunded_quantity + case when ${hasArrived} then l.quantity else 0 end
    from refund_line l
    where l.refund_id = ${refund.id} and p.payment_id = l.payment_id and p.order_line_id = l.order_line_id
    returning l.refund_id, l.order_line_id, p.variant_id, l.quantity, l.amount_minor,
      ${refund.amount.currency}::text as currency, l.restock`;
  return rows.map(refundLineOf);
};

/** Rides on refund_line_pkey. */
export const linesOfRefunds = async (
  { sql }: HasSql,
  tenantId: string,
  refundIds: readonly string[],
): Promise<{ refundId: string; line: RefundLine }[]> => {
  const rows = await sql<RefundLineRow>`
    select l.refund_id, l.order_line_id, p.variant_id, l.quantity, l.amount_minor, r.currency, l.restock
    from refund_line l join refund r on r.id = l.refund_id
    join paid_line p on p.payment_id = l.payment_id and p.order_line_id = l.order_line_id
    where l.tenant_id = ${tenantId} and l.refund_id = any(${refundIds}::uuid[])
    order by l.refund_id, l.order_line_id`;
  return rows.map((row) => ({ refundId: row.refund_id, line: refundLineOf(row) }));
};

type PaidLineRow = {
  order_line_id: string;
  variant_id: string;
  quantity: number;
  unit_price_minor: number;
  currency: string;
  refunding_quantity: number;
  refunded_quantity: number;
};

const paidLineOf = (row: PaidLineRow): PaidLine => ({
  orderLineId: row.order_line_id,
  variantId: row.variant_id,
  quantity: row.quantity,
  unitPrice: money(row.unit_price_minor, row.currency),
  refundingQuantity: row.refunding_quantity,
  refundedQuantity: row.refunded_quantity,
});

/** Rides on paid_line_pkey. */
export const paidLinesOf = async (tx: Tx, { id, amount }: Payment): Promise<PaidLine[]> =>
  (
    await tx.sql<PaidLineRow>`
      select *, ${amount.currency}::text as currency from paid_line where payment_id = ${id}`
  ).map(paidLineOf);

/** With whose they are. Rides on paid_line_of_order_line. */
export const paidLinesByIds = async (
  { sql }: HasSql,
  tenantId: string,
  orderLineIds: readonly string[],
): Promise<{ customerId: string | null; line: PaidLine }[]> => {
  const rows = await sql<PaidLineRow & { customer_id: string | null }>`
    select l.*, p.currency, p.customer_id from paid_line l join payment p on p.id = l.payment_id
    where l.tenant_id = ${tenantId} and l.order_line_id = any(${orderLineIds}::uuid[])`;
  return rows.map((row) => ({ customerId: row.customer_id, line: paidLineOf(row) }));
};

/** With whose they are. */
export const refundsByIds = async (
  { sql }: HasSql,
  tenantId: string,
  ids: readonly string[],
): Promise<{ customerId: string | null; refund: Refund }[]> => {
  const rows = await sql<RefundRow & { customer_id: string | null }>`
    select r.*, p.customer_id from refund r join payment p on p.id = r.payment_id
    where r.tenant_id = ${tenantId} and r.id = any(${ids}::uuid[])`;
  return rows.map((row) => ({ customerId: row.customer_id, refund: refundOf(row) }));
};

export const countRefunds = async (tx: Tx, { id }: Payment): Promise<number> => {
  const [row] = await tx.sql<{ count: number }>`select count(*) from refund where payment_id = ${id}`;
  return row!.count;
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
