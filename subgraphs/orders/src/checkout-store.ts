// The rows behind a checkout: the order, its saga and its events are written together or not at all.
import { part, type Tx } from '@orderstream/runtime/database';
import { money } from '@orderstream/runtime/money';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { Checkout, Pending, Step } from './checkout.ts';
import type { OrderStatus, Totals } from './order.ts';
import { deadlineMs } from './patience.ts';

/** What a step is decided on, with its row locked. */
export type Standing = {
  readonly checkout: Checkout;
  readonly status: OrderStatus;
  /** what the customer is told */
  readonly statusReason: string | null;
  readonly version: number;
  /** entries of its timeline */
  readonly entries: number;
};

type Row = {
  id: string;
  number: string;
  entries: number;
  customer_id: string | null;
  status: OrderStatus;
  status_reason: string | null;
  reason: string | null;
  version: number;
  currency: string;
  total_minor: number;
  step: Step;
  pending: Pending | null;
  review: Checkout['review'];
  needs_operator: boolean;
  origin: Checkout['origin'];
  parcel: number;
  attempts: number;
  payment_method_id: string;
  hold_until: Date;
  address_hash: string;
  device_hash: string | null;
  client_hash: string | null;
  lines: Checkout['lines'][number][];
};

/** Null where there is no such order; the row stays locked until the transaction ends. */
export const standingForUpdate = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
): Promise<Standing | null> => {
  const [row] = await tx.sql<Row>`
    select o.id, o.number, o.customer_id, o.status, o.status_reason, o.version, o.currency, o.total_minor, g.step,
      g.pending, g.review, g.needs_operator, g.origin, g.parcel, g.reason, g.attempts, g.payment_method_id, g.hold_until,
      g.address_hash, g.device_hash, g.client_hash,
      (select json_agg(json_build_object('id', l.id, 'variantId', l.variant_id, 'sku', l.sku, 'quantity', l.quantity,
         'unitPriceMinor', l.unit_price_minor) order by l.position) from order_line l where l.order_id = o.id) as lines,
      g.entries
    from saga g join orders o on o.id = g.order_id
    where g.order_id = ${orderId} and g.tenant_id = ${tenantId} for update of g, o`;
  if (!row) return null;
  return {
    status: row.status,
    statusReason: row.status_reason,
    version: row.version,
    entries: row.entries,
    checkout: {
      orderId: row.id,
      number: row.number,
      customerId: row.customer_id,
      step: row.step,
      pending: row.pending,
      review: row.review,
      needsOperator: row.needs_operator,
      origin: row.origin,
      parcel: row.parcel,
      attempts: row.attempts,
      total: money(row.total_minor, row.currency),
      lines: row.lines,
      paymentMethodId: row.payment_method_id,
      holdUntil: row.hold_until,
      addressHash: row.address_hash,
      deviceHash: row.device_hash,
      clientHash: row.client_hash,
      reason: row.reason,
    },
  };
};

/** An entry of an order's timeline, made by a step of its own. */
export type Event = {
  readonly seq: number;
  /** the order's, after this */
  readonly version: number;
  readonly messageId: string | null;
  readonly type: string;
  readonly actor: string;
  readonly from: { readonly step: Step; readonly status: OrderStatus } | null;
  readonly to: { readonly step: Step; readonly status: OrderStatus };
  readonly reason: string | null;
};

const newEvent = (tenantId: string, orderId: string, at: Date, event: Event) => part`
  insert into order_event
    (order_id, seq, version, tenant_id, message_id, type, at, actor, from_step, to_step, from_status, to_status, reason)
  values (${orderId}, ${event.seq}, ${event.version}, ${tenantId}, ${event.messageId}, ${event.type}, ${at},
    ${event.actor}, ${event.from?.step ?? null}, ${event.to.step}, ${event.from?.status ?? null}, ${event.to.status},
    ${event.reason})`;

type Saved = {
  readonly checkout: Checkout;
  readonly event: Event;
  readonly statusReason: string | null;
  readonly now: Date;
  readonly scale: number;
  readonly keepsClock: boolean;
};

/** Writes a step and its event. Deadlines are counted by the database's clock; `scale` shortens them in tests. */
export const saveStep = async (
  tx: Tx,
  tenantId: string,
  { checkout, event, statusReason, now, scale, keepsClock }: Saved,
): Promise<void> => {
  const wait = deadlineMs(checkout);
  await tx.sql`
    with moved as (
      update orders set status = ${event.to.status}, status_reason = ${statusReason}, version = ${event.version},
        updated_at = ${now} where id = ${checkout.orderId}),
    stands as (
      update saga set step = ${checkout.step}, pending = ${checkout.pending}, review = ${checkout.review},
        needs_operator = ${checkout.needsOperator}, parcel = ${checkout.parcel}, entries = ${event.seq},
        origin = ${checkout.origin && JSON.stringify(checkout.origin)}::jsonb,
        reason = ${checkout.reason}, attempts = ${checkout.attempts},
        deadline_at = case when ${keepsClock}::boolean then deadline_at
          else now() + ${wait === null ? null : wait * scale}::float8 * interval '1 millisecond' end
      where order_id = ${checkout.orderId})
    ${newEvent(tenantId, checkout.orderId, now, event)}`;
};

export type NewOrder = {
  readonly checkout: Checkout;
  readonly idempotencyKey: string;
  readonly address: PostalAddress;
  readonly totals: Totals;
  readonly lines: readonly {
    readonly id: string;
    readonly variantId: string;
    readonly sku: string;
    readonly name: string;
    readonly quantity: number;
    readonly unitPriceMinor: number;
  }[];
};

export const nextSerial = async (tx: Tx): Promise<number> => {
  const [row] = await tx.sql<{ serial: number }>`select nextval('order_serial') as serial`;
  return row!.serial;
};

export const insertOrder = async (
  tx: Tx,
  tenantId: string,
  { checkout, idempotencyKey, address, totals, lines }: NewOrder,
  { event, now, scale }: { event: Event; now: Date; scale: number },
): Promise<void> => {
  const { orderId } = checkout;
  await tx.sql`
    insert into orders (id, tenant_id, number, customer_id, status, version, placed_at, updated_at, currency,
      subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor,
      recipient, line1, line2, city, postcode, country, idempotency_key)
    values (${orderId}, ${tenantId}, ${checkout.number}, ${checkout.customerId}, ${event.to.status}, ${event.version}, ${now}, ${now},
      ${totals.total.currency}, ${totals.subtotal.amountMinor}, ${totals.discountTotal.amountMinor},
      ${totals.shippingTotal.amountMinor}, ${totals.taxTotal.amountMinor}, ${totals.total.amountMinor},
      ${address.recipient}, ${address.line1}, ${address.line2}, ${address.city}, ${address.postcode}, ${address.country},
      ${idempotencyKey})`;
  await tx.sql`
    insert into order_line
      (tenant_id, order_id, id, position, variant_id, sku, name, quantity, unit_price_minor, line_total_minor)
    select ${tenantId}::uuid, ${orderId}::uuid, id, position, variant_id, sku, name, quantity, price, price * quantity
    from unnest(${lines.map((l) => l.id)}::uuid[], ${lines.map((l) => l.variantId)}::uuid[],
      ${lines.map((l) => l.sku)}::text[], ${lines.map((l) => l.name)}::text[], ${lines.map((l) => l.quantity)}::int[],
      ${lines.map((l) => l.unitPriceMinor)}::bigint[])
      with ordinality as line (id, variant_id, sku, name, quantity, price, position)`;
  await tx.sql`
    insert into saga (order_id, tenant_id, step, deadline_at, payment_method_id, hold_until, address_hash, device_hash,
      client_hash)
    values (${orderId}, ${tenantId}, ${checkout.step},
      now() + ${(deadlineMs(checkout) ?? 0) * scale}::float8 * interval '1 millisecond', ${checkout.paymentMethodId},
      ${checkout.holdUntil}, ${checkout.addressHash}, ${checkout.deviceHash}, ${checkout.clientHash})`;
  await tx.sql`${newEvent(tenantId, orderId, now, event)}`;
};

/** Something that others did and that moves nothing: an entry of the timeline. Heard twice, it is written once. */
export const addFact = (
  tx: Tx,
  tenantId: string,
  { checkout, status, entries }: Standing,
  fact: { messageId: string; type: string; at: Date; actor: string; reason: string | null },
) => tx.sql`
  with added as (
    insert into order_event (order_id, seq, tenant_id, message_id, type, at, actor, from_status, to_status, reason)
    values (${checkout.orderId}, ${entries + 1}, ${tenantId}, ${fact.messageId}, ${fact.type}, ${fact.at}, ${fact.actor},
      ${status}, ${status}, ${fact.reason})
    on conflict on constraint order_event_once do nothing returning order_id)
  update saga set entries = entries + 1 where order_id in (select order_id from added)`;

/** Checkouts whose deadline has passed by the database's clock; rows another process works on are left to it. */
export const overdue = (tx: Tx, most: number) => tx.sql<{ order_id: string; tenant_id: string }>`
  select order_id, tenant_id from saga where deadline_at <= now()
  order by deadline_at limit ${most} for update skip locked`;

/** Takes a person out of their orders; amounts, goods and dates stay for the books. */
export const eraseFromOrders = async (tx: Tx, tenantId: string, userId: string): Promise<void> => {
  // What they gave as a reason for calling an order off is in their own words.
  await tx.sql`
    with called_off as (
      update order_event e set reason = null from orders o
      where o.id = e.order_id and o.tenant_id = ${tenantId} and o.customer_id = ${userId}
        and (e.type = 'cancel' or (e.reason = o.status_reason and exists (
          select from order_event c where c.order_id = o.id and c.type = 'cancel')))
      returning e.order_id)
    update orders set status_reason = null where id in (select order_id from called_off)`;
  await tx.sql`
    update orders set customer_id = null, recipient = null, line1 = null, line2 = null, city = null, postcode = null,
      country = null, idempotency_key = null
    where tenant_id = ${tenantId} and customer_id = ${userId}`;
};
