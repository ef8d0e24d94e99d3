// What came of orders, all of a batch at once: paid, refunded, declined by the bank, rejected by a reviewer.
import { type Part, part, type Tx } from '@orderstream/runtime/database';
import { whileNobodyIsErased } from './signal-store.ts';

/** What came of an order. */
export type Outcome = { readonly tenantId: string; readonly orderId: string };

const columnsOf = (outcomes: readonly Outcome[]): Part => part`
  ${outcomes.map(({ tenantId }) => tenantId)}::uuid[], ${outcomes.map(({ orderId }) => orderId)}::uuid[]`;

/** `paymentId` is the order's id where the payment has none. */
export const paymentsDeclined = async (
  tx: Tx,
  declines: readonly (Outcome & { readonly paymentId: string })[],
): Promise<void> => {
  whileNobodyIsErased(tx);
  await tx.sql`
    insert into decline (tenant_id, payment_id, customer_id)
    select tenant_id, payment_id, customer_id
    from unnest(${columnsOf(declines)}, ${declines.map(({ paymentId }) => paymentId)}::uuid[])
      as declined (tenant_id, order_id, payment_id)
    join recent_order using (tenant_id, order_id)
    where customer_id is not null
    on conflict do nothing`;
};

/**
 * Paid is when the goods have gone out: only then an amount is one of the customer's usual ones. A customer has one
 * currency, that of the first order. Customers in the order of their ids: nobody waits for another in a circle.
 */
export const ordersPaid = async (tx: Tx, orders: readonly Outcome[]): Promise<void> => {
  whileNobodyIsErased(tx);
  await tx.sql`
    with paid as (
      update assessment set captured_at = now()
      where (tenant_id, order_id) in (select * from unnest(${columnsOf(orders)}))
        and captured_at is null and amount_minor is not null
      returning tenant_id, order_id, customer_id, currency, amount_minor, ln(greatest(amount_minor, 1)::float8) as log),
    usual as (
      select paid.*, coalesce(c.currency, first_value(paid.currency)
        over (partition by paid.tenant_id, paid.customer_id order by paid.order_id)) as usual_currency
      from paid left join customer c using (tenant_id, customer_id)
      where paid.customer_id is not null)
    insert into customer as known (tenant_id, customer_id, currency, orders, sum_minor, log_sum, log_squares)
    select tenant_id, customer_id, currency, count(*), sum(amount_minor), sum(log), sum(log * log)
    from usual where currency = usual_currency
    group by tenant_id, customer_id, currency order by tenant_id, customer_id
    on conflict (tenant_id, customer_id) do update set
      currency = coalesce(known.currency, excluded.currency), orders = known.orders + excluded.orders,
      sum_minor = known.sum_minor + excluded.sum_minor, log_sum = known.log_sum + excluded.log_sum,
      log_squares = known.log_squares + excluded.log_squares
    where coalesce(known.currency, excluded.currency) = excluded.currency`;
};

/** Variants in the order of their ids: two lots with the same goods do not wait for each other in a circle. */
export const ordersRefunded = async (tx: Tx, orders: readonly Outcome[]): Promise<void> => {
  await tx.sql`
    with refunded as (
      update assessment set refunded_at = now()
      where (tenant_id, order_id) in (select * from unnest(${columnsOf(orders)})) and refunded_at is null
      returning tenant_id, order_id),
    goods as (
      select distinct tenant_id, order_id, variant_id
      from refunded join recent_order using (tenant_id, order_id), unnest(variant_ids) as variant_id)
    insert into abused_good as known (tenant_id, variant_id, refunded)
    select tenant_id, variant_id, count(*) from goods
    group by tenant_id, variant_id order by tenant_id, variant_id
    on conflict (tenant_id, variant_id) do update set refunded = known.refunded + excluded.refunded`;
};

/** What stood in a rejected order is looked at with other eyes from now on. */
export const orderRejected = async (tx: Tx, tenantId: string, orderId: string): Promise<void> => {
  await tx.sql`
    insert into abused_good as known (tenant_id, variant_id, rejected)
    select ${tenantId}, variant_id, 1 from (
      select distinct variant_id from recent_order, unnest(variant_ids) as variant_id
      where tenant_id = ${tenantId} and order_id = ${orderId} order by variant_id) goods
    on conflict (tenant_id, variant_id) do update set rejected = known.rejected + 1`;
  await tx.sql`
    insert into abused_hash as known (tenant_id, kind, hash, rejected)
    select ${tenantId}, kind, hash, 1 from recent_order
      cross join lateral (values ('address', address_hash), ('device', device_hash), ('network', network_hash))
        as seen (kind, hash)
    where tenant_id = ${tenantId} and order_id = ${orderId} and hash is not null
    order by kind, hash
    on conflict (tenant_id, kind, hash) do update set rejected = known.rejected + 1, last_at = now()`;
};
