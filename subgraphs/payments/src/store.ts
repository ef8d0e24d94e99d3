// Payments and their history. A payment is changed under its row lock only, one version at a time, each with an event.
import type { Sql, Tx } from '@orderstream/runtime/database';
import { money } from '@orderstream/runtime/money';
import type { Payment, PaymentEvent, PaymentState, Step } from './payment.ts';

type PaymentRow = {
  id: string;
  tenant_id: string;
  order_id: string;
  customer_id: string | null;
  provider: Payment['provider'];
  payment_method_id: string | null;
  provider_key: string;
  provider_id: string | null;
  capture_key: string | null;
  state: PaymentState;
  wanted: Payment['wanted'];
  currency: string;
  amount_minor: number;
  authorized_minor: number;
  captured_minor: number;
  refunding_minor: number;
  refunded_minor: number;
  failure_reason: string | null;
  authorization_expires_at: Date | null;
  called_at: Date | null;
  created_at: Date;
  traceparent: string;
  version: number;
};

const paymentOf = (row: PaymentRow): Payment => ({
  id: row.id,
  tenantId: row.tenant_id,
  orderId: row.order_id,
  customerId: row.customer_id,
  provider: row.provider,
  methodId: row.payment_method_id,
  providerKey: row.provider_key,
  providerId: row.provider_id,
  captureKey: row.capture_key,
  state: row.state,
  wanted: row.wanted,
  amount: money(row.amount_minor, row.currency),
  authorized: money(row.authorized_minor, row.currency),
  captured: money(row.captured_minor, row.currency),
  refunding: money(row.refunding_minor, row.currency),
  refunded: money(row.refunded_minor, row.currency),
  failureReason: row.failure_reason,
  authorizationExpiresAt: row.authorization_expires_at,
  calledAt: row.called_at,
  createdAt: row.created_at,
  traceparent: row.traceparent,
  version: row.version,
});

type HasSql = { readonly sql: Sql };

export const paymentForUpdate = async (tx: Tx, id: string): Promise<Payment | null> => {
  const [row] = await tx.sql<PaymentRow>`select * from payment where id = ${id} for update`;
  return row ? paymentOf(row) : null;
};

export const paymentOfOrderForUpdate = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
): Promise<Payment | null> => {
  const [row] = await tx.sql<PaymentRow>`
    select * from payment where tenant_id = ${tenantId} and order_id = ${orderId} for update`;
  return row ? paymentOf(row) : null;
};

/** The payment that a provider's event speaks of: by the provider's id, or by ours while that is not known yet. */
export const paymentOfProvider = async (
  { sql }: HasSql,
  providerId: string,
  paymentId: string | null,
  tenantId: string | null,
): Promise<Payment | null> => {
  const [row] = await sql<PaymentRow>`
    select * from payment where provider_id = ${providerId}
    union all
    select * from payment where id = ${paymentId}::uuid and tenant_id = ${tenantId}::uuid and provider_id is null
    limit 1`;
  return row ? paymentOf(row) : null;
};

/** In the order of the ids, without those of other tenants. Rides on payment_pkey. */
export const paymentsByIds = async (
  { sql }: HasSql,
  tenantId: string,
  ids: readonly string[],
): Promise<Payment[]> =>
  (
    await sql<PaymentRow>`select * from payment where tenant_id = ${tenantId} and id = any(${ids}::uuid[])`
  ).map(paymentOf);

/** Rides on payment_of_order. */
export const paymentsOfOrders = async (
  { sql }: HasSql,
  tenantId: string,
  orderIds: readonly string[],
): Promise<Payment[]> =>
  (
    await sql<PaymentRow>`
      select * from payment where tenant_id = ${tenantId} and order_id = any(${orderIds}::uuid[])`
  ).map(paymentOf);

type PaidLine = {
  readonly orderLineId: string;
  readonly variantId: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
};

/** A new payment with its first event, and what it is for, which later can be refunded line by line. */
export const insertPayment = (tx: Tx, payment: Payment, event: string, lines: readonly PaidLine[]): void => {
  const { id, tenantId, amount } = payment;
  tx.write`
    with begun as (
      insert into payment (id, tenant_id, order_id, customer_id, payment_method_id, provider_key, state, wanted,
        currency, amount_minor, failure_reason, traceparent, version)
      values (${id}, ${tenantId}, ${payment.orderId}, ${payment.customerId}, ${payment.methodId},
        ${payment.providerKey}, ${payment.state}, ${payment.wanted}, ${amount.currency}, ${amount.amountMinor},
        ${payment.failureReason}, ${payment.traceparent}, ${payment.version})),
    said as (
      insert into payment_event (payment_id, version, tenant_id, type, amount_minor)
      values (${id}, ${payment.version}, ${tenantId}, ${event}, ${amount.amountMinor}))
    insert into paid_line (payment_id, tenant_id, order_line_id, variant_id, quantity, unit_price_minor)
    select ${id}, ${tenantId}, * from unnest(${lines.map((line) => line.orderLineId)}::uuid[],
      ${lines.map((line) => line.variantId)}::uuid[], ${lines.map((line) => line.quantity)}::int[],
      ${lines.map((line) => line.unitPriceMinor)}::bigint[])`;
};

/** The row is locked by the caller. What is wanted anew is due at once; of what nothing is wanted nobody keeps hold. */
export const savePayment = (tx: Tx, { payment, event }: Step): void => {
  tx.write`
    with said as (
      insert into payment_event (payment_id, version, tenant_id, type, amount_minor, provider_reference)
      select ${payment.id}, ${payment.version}, ${payment.tenantId}, ${event?.type ?? null},
        ${event?.amount?.amountMinor ?? null}, ${payment.providerId}
      where ${event !== null}::boolean)
    update payment set provider_id = ${payment.providerId}, capture_key = ${payment.captureKey}, state = ${payment.state},
      authorized_minor = ${payment.authorized.amountMinor}, captured_minor = ${payment.captured.amountMinor},
      refunding_minor = ${payment.refunding.amountMinor}, refunded_minor = ${payment.refunded.amountMinor},
      failure_reason = ${payment.failureReason}, authorization_expires_at = ${payment.authorizationExpiresAt},
      attempts = case when wanted is not distinct from ${payment.wanted} then attempts else 0 end,
      next_attempt_at = case when wanted is not distinct from ${payment.wanted} then next_attempt_at else now() end,
      leased_until = case when ${payment.wanted}::text is not null then leased_until end,
      wanted = ${payment.wanted}, traceparent = ${payment.traceparent}, version = ${payment.version},
      updated_at = now()
    where id = ${payment.id}`;
};

/** Whether an order has been given up already, and whether a method is its customer's own and still there. */
export const prospects = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
  method: { readonly id: string; readonly customerId: string },
): Promise<{ readonly isGivenUp: boolean; readonly isUsable: boolean }> => {
  const [row] = await tx.sql<{ given_up: boolean; usable: boolean }>`
    select exists (select from voided_order where tenant_id = ${tenantId} and order_id = ${orderId}) as given_up,
      exists (select from payment_method where id = ${method.id} and tenant_id = ${tenantId}
        and user_id = ${method.customerId} and removed_at is null) as usable`;
  return { isGivenUp: row!.given_up, isUsable: row!.usable };
};

export const insertVoidedOrder = (tx: Tx, tenantId: string, orderId: string): void => {
  tx.write`
    insert into voided_order (tenant_id, order_id) values (${tenantId}, ${orderId}) on conflict do nothing`;
};

/** Commands for one order come one after the other, also before there is a row to lock. */
export const lockOrder = (tx: Tx, orderId: string): void => {
  tx.write`select pg_advisory_xact_lock(hashtextextended(${orderId}, 0))`;
};

/** A payment in the hands of one worker until `leasedUntil`. */
export type Claim = {
  readonly payment: Payment;
  readonly leasedUntil: Date;
  readonly attempts: number;
  /** milliseconds since the provider was last asked to authorize */
  readonly quietMs: number;
  /** the provider's names of customer and method */
  readonly customer: string | null;
  readonly method: string | null;
};

type ClaimRow = PaymentRow & {
  leased_until: Date;
  attempts: number;
  quiet_ms: number;
  customer: string | null;
  method: string | null;
};

/**
 * Takes due payments into the hands of this worker. Committed before the provider is called, so that a worker that dies
 * is followed by another when the lease ends, with the same key. Rides on payment_due.
 */
export const claimPayments = async ({ sql }: HasSql, most: number, leaseMs: number): Promise<Claim[]> => {
  const rows = await sql<ClaimRow>`
    with due as (
      select id from payment
      where wanted is not null and next_attempt_at <= now() and (leased_until is null or leased_until < now())
      order by next_attempt_at limit ${most} for update skip locked
    ), claimed as (
      update payment set leased_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1,
        called_at = case when wanted = 'AUTHORIZE' then now() else called_at end
      where id in (select id from due) returning *
    )
    select claimed.*, (extract(epoch from now() - claimed.called_at) * 1000)::float8 as quiet_ms,
      customer.provider_id as customer, payment_method.provider_id as method
    from claimed
    left join payment_method on payment_method.id = claimed.payment_method_id
    left join customer on customer.tenant_id = claimed.tenant_id and customer.user_id = claimed.customer_id`;
  return rows.map((row) => ({
    payment: paymentOf(row),
    leasedUntil: row.leased_until,
    attempts: row.attempts,
    quietMs: row.quiet_ms,
    customer: row.customer,
    method: row.method,
  }));
};

/** Ends the claim, unless somebody else holds the payment by now. Another attempt is due after `pauseMs`. */
export const releasePayment = async ({ sql }: HasSql, claim: Claim, pauseMs: number): Promise<void> => {
  await sql`
    update payment set leased_until = null,
      next_attempt_at = greatest(next_attempt_at, now() + ${pauseMs} * interval '1 millisecond')
    where id = ${claim.payment.id} and leased_until = ${claim.leasedUntil}`;
};

/** Payments whose outcome has been open for over a minute, each asked about once a minute. Rides on payment_in_doubt. */
export const takeDoubtful = async (
  { sql }: HasSql,
  most: number,
): Promise<{ payment: Payment; customer: string | null }[]> => {
  const rows = await sql<PaymentRow & { customer: string | null }>`
    with doubtful as (
      update payment set checked_at = now()
      where id in (
        select id from payment where state = 'UNKNOWN' and created_at < now() - interval '1 minute'
          and (checked_at is null or checked_at < now() - interval '1 minute')
        order by called_at limit ${most} for update skip locked)
      returning *
    )
    select doubtful.*, customer.provider_id as customer from doubtful
    left join customer on customer.tenant_id = doubtful.tenant_id and customer.user_id = doubtful.customer_id`;
  return rows.map((row) => ({ payment: paymentOf(row), customer: row.customer }));
};

/** Of all payments asked for, oldest first. Rides on payment_event_pkey. */
export const eventsOfPayments = async (
  { sql }: HasSql,
  tenantId: string,
  paymentIds: readonly string[],
): Promise<{ paymentId: string; event: PaymentEvent }[]> => {
  const rows = await sql<{
    payment_id: string;
    at: Date;
    type: string;
    amount_minor: number | null;
    currency: string;
    provider_reference: string | null;
  }>`
    select e.payment_id, e.at, e.type, e.amount_minor, p.currency, e.provider_reference
    from payment_event e join payment p on p.id = e.payment_id
    where e.tenant_id = ${tenantId} and e.payment_id = any(${paymentIds}::uuid[])
    order by e.payment_id, e.version`;
  return rows.map((row) => ({
    paymentId: row.payment_id,
    event: {
      at: row.at,
      type: row.type,
      amount: row.amount_minor === null ? null : money(row.amount_minor, row.currency),
      providerReference: row.provider_reference,
    },
  }));
};
