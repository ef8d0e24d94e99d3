// The rows behind a checkout: the order, its saga and its events are written together or not at all.
import { type Db, type Part, part, type Tx } from '@orderstream/runtime/database';
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

export type Place = { readonly tenantId: string; readonly orderId: string };

/** By order id; what is not there is left out. The rows stay locked until the transaction ends, taken in one order by all. */
export const standingsForUpdate = async (
  tx: Tx,
  places: readonly Place[],
): Promise<Map<string, Standing>> => {
  const rows = await tx.sql<Row>`
    select o.id, o.number, o.customer_id, o.status, o.status_reason, o.version, o.currency, o.total_minor, g.step,
      g.pending, g.review, g.needs_operator, g.origin, g.parcel, g.reason, g.attempts, g.payment_method_id, g.hold_until,
      g.address_hash, g.device_hash, g.client_hash,
      (select json_agg(json_build_object('id', l.id, 'variantId', l.variant_id, 'sku', l.sku, 'quantity', l.quantity,
         'unitPriceMinor', l.unit_price_minor) order by l.position) from order_line l where l.order_id = o.id) as lines,
      g.entries
    from saga g join orders o on o.id = g.order_id
    where (g.tenant_id, g.order_id) in (select * from unnest(${places.map(({ tenantId }) => tenantId)}::uuid[],
      ${places.map(({ orderId }) => orderId)}::uuid[]))
    order by g.order_id for update of g, o`;
  return new Map(rows.map((row) => [row.id, toStanding(row)]));
};

const toStanding = (row: Row): Standing => ({
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
});

type Position = { readonly step: Step | null; readonly status: OrderStatus };

/** An entry of an order's timeline. */
export type Entry = Place & {
  readonly seq: number;
  /** the order's, where this moved it; null for what others did */
  readonly version: number | null;
  readonly messageId: string | null;
  readonly type: string;
  readonly actor: string;
  readonly from: Position | null;
  readonly to: Position;
  readonly reason: string | null;
};

/** Where an order stands after what it has heard. */
export type Stood = {
  readonly standing: Standing;
  /** milliseconds from now to the deadline, null for none; undefined: it stays where it was */
  readonly waitMs: number | null | undefined;
};

const insertEntries = (entries: readonly Entry[], at: Date): Part => part`
  insert into order_event
    (order_id, tenant_id, seq, version, message_id, type, actor, from_step, to_step, from_status, to_status, reason, at)
  select *, ${at}::timestamptz from unnest(${entries.map((e) => e.orderId)}::uuid[],
    ${entries.map((e) => e.tenantId)}::uuid[], ${entries.map((e) => e.seq)}::int[],
    ${entries.map((e) => e.version)}::int[], ${entries.map((e) => e.messageId)}::uuid[],
    ${entries.map((e) => e.type)}::text[], ${entries.map((e) => e.actor)}::text[],
    ${entries.map((e) => e.from?.step ?? null)}::text[], ${entries.map((e) => e.to.step)}::text[],
    ${entries.map((e) => e.from?.status ?? null)}::text[], ${entries.map((e) => e.to.status)}::text[],
    ${entries.map((e) => e.reason)}::text[])`;

/** Writes where these orders stand and how they came there, in one statement. Deadlines are counted by the database's clock. */
export const saveAll = (tx: Tx, stood: readonly Stood[], entries: readonly Entry[], now: Date): void => {
  const all = stood.map(({ standing }) => standing);
  const checkouts = all.map(({ checkout }) => checkout);
  const ids = checkouts.map(({ orderId }) => orderId);
  tx.write`
    with moved as (
      update orders o set status = m.status, status_reason = m.reason, version = m.version, updated_at = ${now}
      from unnest(${ids}::uuid[], ${all.map((s) => s.status)}::text[], ${all.map((s) => s.statusReason)}::text[],
        ${all.map((s) => s.version)}::int[]) as m (id, status, reason, version)
      where o.id = m.id and o.version <> m.version),
    stands as (
      update saga g set step = m.step, pending = m.pending, review = m.review, needs_operator = m.needs_operator,
        parcel = m.parcel, entries = m.entries, origin = m.origin, reason = m.reason, attempts = m.attempts,
        deadline_at = case when m.keeps_clock then g.deadline_at
          else now() + m.wait_ms * interval '1 millisecond' end
      from unnest(${ids}::uuid[], ${checkouts.map((c) => c.step)}::text[], ${checkouts.map((c) => c.pending)}::text[],
        ${checkouts.map((c) => c.review)}::text[], ${checkouts.map((c) => c.needsOperator)}::boolean[],
        ${checkouts.map((c) => c.parcel)}::int[], ${all.map((s) => s.entries)}::int[],
        ${checkouts.map((c) => c.origin && JSON.stringify(c.origin))}::jsonb[],
        ${checkouts.map((c) => c.reason)}::text[], ${checkouts.map((c) => c.attempts)}::int[],
        ${stood.map(({ waitMs }) => waitMs === undefined)}::boolean[],
        ${stood.map(({ waitMs }) => waitMs ?? null)}::float8[])
        as m (id, step, pending, review, needs_operator, parcel, entries, origin, reason, attempts, keeps_clock, wait_ms)
      where g.order_id = m.id)
    ${insertEntries(entries, now)}`;
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

/** In one statement. */
export const insertOrder = (
  tx: Tx,
  tenantId: string,
  { checkout, idempotencyKey, address, totals, lines }: NewOrder,
  { entry, now, scale }: { entry: Entry; now: Date; scale: number },
): void => {
  const { orderId } = checkout;
  tx.write`
    with placed as (
      insert into orders (id, tenant_id, number, customer_id, status, version, placed_at, updated_at, currency,
        subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor,
        recipient, line1, line2, city, postcode, country, idempotency_key)
      values (${orderId}, ${tenantId}, ${checkout.number}, ${checkout.customerId}, ${entry.to.status}, ${entry.version}, ${now}, ${now},
        ${totals.total.currency}, ${totals.subtotal.amountMinor}, ${totals.discountTotal.amountMinor},
        ${totals.shippingTotal.amountMinor}, ${totals.taxTotal.amountMinor}, ${totals.total.amountMinor},
        ${address.recipient}, ${address.line1}, ${address.line2}, ${address.city}, ${address.postcode}, ${address.country},
        ${idempotencyKey})),
    listed as (
      insert into order_line
        (tenant_id, order_id, id, position, variant_id, sku, name, quantity, unit_price_minor, line_total_minor)
      select ${tenantId}::uuid, ${orderId}::uuid, id, position, variant_id, sku, name, quantity, price, price * quantity
      from unnest(${lines.map((l) => l.id)}::uuid[], ${lines.map((l) => l.variantId)}::uuid[],
        ${lines.map((l) => l.sku)}::text[], ${lines.map((l) => l.name)}::text[], ${lines.map((l) => l.quantity)}::int[],
        ${lines.map((l) => l.unitPriceMinor)}::bigint[])
        with ordinality as line (id, variant_id, sku, name, quantity, price, position)),
    begun as (
      insert into saga (order_id, tenant_id, step, deadline_at, payment_method_id, hold_until, address_hash, device_hash,
        client_hash)
      values (${orderId}, ${tenantId}, ${checkout.step},
        now() + ${(deadlineMs(checkout) ?? 0) * scale}::float8 * interval '1 millisecond', ${checkout.paymentMethodId},
        ${checkout.holdUntil}, ${checkout.addressHash}, ${checkout.deviceHash}, ${checkout.clientHash}))
    ${insertEntries([entry], now)}`;
};

/** Whether there is anything to lock: asked ten times a second, and mostly answered with no. */
export const isAnyOverdue = async (db: Pick<Db, 'sql'>): Promise<boolean> => {
  const rows = await db.sql`select 1 from saga where deadline_at <= now() limit 1`;
  return rows.length > 0;
};

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
