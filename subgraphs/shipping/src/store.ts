// Shipments and their scans. A shipment is changed under its row lock only, one version at a time.
import { type Part, part, raw, type Sql, type Tx } from '@orderstream/runtime/database';
import { grouped } from '@orderstream/runtime/loaders';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { Change, ScanStatus, Shipment, ShipmentState, TrackingEvent } from './shipment.ts';

export type ShipmentRow = {
  id: string;
  tenant_id: string;
  order_id: string;
  parcel: number;
  customer_id: string | null;
  state: ShipmentState;
  wanted: Shipment['wanted'];
  attempt: number;
  pieces: number;
  warehouse_id: string;
  origin_name: string;
  origin_latitude: number;
  origin_longitude: number;
  recipient: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  postcode: string | null;
  country: string | null;
  carrier: string | null;
  carrier_id: string | null;
  tracking_number: string | null;
  failure_reason: string | null;
  estimated_delivery: Date | null;
  last_sequence: number;
  label_at: Date | null;
  handed_over_at: Date | null;
  delivered_at: Date | null;
  promised_at: Date | null;
  called_at: Date | null;
  erased_at: Date | null;
  traceparent: string;
  version: number;
};

// The database's own checks: an address and a label are whole or not there.
const addressOf = (row: ShipmentRow): PostalAddress | null =>
  row.recipient === null
    ? null
    : {
        recipient: row.recipient,
        line1: row.line1!,
        line2: row.line2,
        city: row.city!,
        postcode: row.postcode!,
        country: row.country!,
      };

export const shipmentOf = (row: ShipmentRow): Shipment => ({
  id: row.id,
  tenantId: row.tenant_id,
  orderId: row.order_id,
  parcel: row.parcel,
  customerId: row.customer_id,
  state: row.state,
  wanted: row.wanted,
  attempt: row.attempt,
  pieces: row.pieces,
  origin: {
    warehouseId: row.warehouse_id,
    name: row.origin_name,
    latitude: row.origin_latitude,
    longitude: row.origin_longitude,
  },
  address: addressOf(row),
  label:
    row.carrier_id === null
      ? null
      : {
          carrierId: row.carrier_id,
          carrier: row.carrier!,
          trackingNumber: row.tracking_number!,
          at: row.label_at!,
        },
  failureReason: row.failure_reason,
  estimatedDelivery: row.estimated_delivery,
  lastSequence: row.last_sequence,
  handedOverAt: row.handed_over_at,
  deliveredAt: row.delivered_at,
  promisedAt: row.promised_at,
  calledAt: row.called_at,
  erasedAt: row.erased_at,
  traceparent: row.traceparent,
  version: row.version,
});

export type HasSql = { readonly sql: Sql };

/** Whosever they are; for what the carrier says. In the order of their ids, so that nobody waits for another in a circle. */
export const shipmentsForUpdate = async (tx: Pick<Tx, 'sql'>, ids: readonly string[]): Promise<Shipment[]> =>
  (
    await tx.sql<ShipmentRow>`select * from shipment where id = any(${ids}::uuid[]) order by id for update`
  ).map(shipmentOf);

/** Whosever it is; for what the carrier says. Rides on shipment_pkey. */
export const shipmentById = async ({ sql }: HasSql, id: string): Promise<Shipment | null> => {
  const [row] = await sql<ShipmentRow>`select * from shipment where id = ${id}`;
  return row ? shipmentOf(row) : null;
};

/** Rides on shipment_pkey. */
export const shipmentsByIds = async (
  { sql }: HasSql,
  tenantId: string,
  ids: readonly string[],
): Promise<Shipment[]> =>
  (
    await sql<ShipmentRow>`select * from shipment where tenant_id = ${tenantId} and id = any(${ids}::uuid[])`
  ).map(shipmentOf);

/** The newest parcel of each order first. Rides on shipment_of_order. */
export const shipmentsOfOrders = async (
  { sql }: HasSql,
  tenantId: string,
  orderIds: readonly string[],
): Promise<Shipment[]> =>
  (
    await sql<ShipmentRow>`
      select * from shipment where tenant_id = ${tenantId} and order_id = any(${orderIds}::uuid[])
      order by order_id, parcel desc`
  ).map(shipmentOf);

/**
 * How long a parcel may be quiet before the carrier is asked where it is: an eighth of the time that it is to take, and
 * three seconds at least.
 * @param row the name of the row that tells of the parcel
 */
export const patience = (row: Part): Part =>
  part`greatest(interval '3 seconds', coalesce((${row}.estimated_delivery - ${row}.label_at) / 8, interval '0'))`;

/**
 * Pieces of a statement that writes where parcels are now, whose rows are locked by the caller, and the scans that were
 * new. What is wanted anew is due at once, what is wanted no more is in nobody's hands, and news make the next look come
 * early. Addresses are not written: a new attempt drops its own, and only a call for a label puts one there.
 */
export const saving = (changes: readonly Change[]): Part => {
  const all = changes.map(({ shipment }) => shipment);
  const scans = changes.flatMap(({ shipment, events }) => events.map((event) => ({ shipment, event })));
  return part`
    scanned as (
      insert into tracking_event (shipment_id, tenant_id, sequence, status, at, place, latitude, longitude)
      select * from unnest(${scans.map(({ shipment }) => shipment.id)}::uuid[],
        ${scans.map(({ shipment }) => shipment.tenantId)}::uuid[], ${scans.map(({ event }) => event.sequence)}::int[],
        ${scans.map(({ event }) => event.status)}::text[], ${scans.map(({ event }) => event.at)}::timestamptz[],
        ${scans.map(({ event }) => event.place)}::text[],
        ${scans.map(({ event }) => event.point?.latitude ?? null)}::float8[],
        ${scans.map(({ event }) => event.point?.longitude ?? null)}::float8[])),
    saved as (
      update shipment s set state = m.state, attempt = m.attempt,
        attempts = case when s.wanted is not distinct from m.wanted then s.attempts else 0 end,
        next_attempt_at = case when s.wanted is not distinct from m.wanted then s.next_attempt_at else now() end,
        leased_until = case when m.wanted is not null then s.leased_until end,
        wanted = m.wanted, carrier = m.carrier, carrier_id = m.carrier_id, tracking_number = m.tracking_number,
        label_at = m.label_at, failure_reason = m.failure_reason, estimated_delivery = m.estimated_delivery,
        promised_at = m.promised_at, last_sequence = m.last_sequence, handed_over_at = m.handed_over_at,
        delivered_at = m.delivered_at, traceparent = m.traceparent, version = m.version, updated_at = now(),
        looks = 0, next_look_at = now() + ${patience(raw('m'))},
        recipient = case when m.has_address then s.recipient end, line1 = case when m.has_address then s.line1 end,
        line2 = case when m.has_address then s.line2 end, city = case when m.has_address then s.city end,
        postcode = case when m.has_address then s.postcode end, country = case when m.has_address then s.country end
      from unnest(${all.map((one) => one.id)}::uuid[], ${all.map((one) => one.state)}::text[],
        ${all.map((one) => one.attempt)}::int[], ${all.map((one) => one.wanted)}::text[],
        ${all.map((one) => one.label?.carrier ?? null)}::text[],
        ${all.map((one) => one.label?.carrierId ?? null)}::text[],
        ${all.map((one) => one.label?.trackingNumber ?? null)}::text[],
        ${all.map((one) => one.label?.at ?? null)}::timestamptz[], ${all.map((one) => one.failureReason)}::text[],
        ${all.map((one) => one.estimatedDelivery)}::timestamptz[], ${all.map((one) => one.promisedAt)}::timestamptz[],
        ${all.map((one) => one.lastSequence)}::int[], ${all.map((one) => one.handedOverAt)}::timestamptz[],
        ${all.map((one) => one.deliveredAt)}::timestamptz[], ${all.map((one) => one.traceparent)}::text[],
        ${all.map((one) => one.version)}::int[], ${all.map((one) => one.address !== null)}::boolean[])
        as m (id, state, attempt, wanted, carrier, carrier_id, tracking_number, label_at, failure_reason,
          estimated_delivery, promised_at, last_sequence, handed_over_at, delivered_at, traceparent, version, has_address)
      where s.id = m.id)`;
};

export const saveChanges = (tx: Tx, changes: readonly Change[]): void => {
  if (changes.length > 0) tx.write`with ${saving(changes)} select`;
};

/** What writes a customer's id shares this lock, an erasure has it alone: one of the two sees what the other wrote. */
export const erasure = 0x7061_7263;

/**
 * Name and address go at once; the carrier is told to forget them when the parcel does not need them any more. The version
 * rises, so that whoever watches the parcel is shown it no more. Rides on shipment_of_customer.
 */
export const eraseCustomer = async (tx: Tx, tenantId: string, customerId: string): Promise<void> => {
  await tx.sql`select pg_advisory_xact_lock(${erasure})`;
  await tx.sql`
    insert into erased_customer (tenant_id, customer_id) values (${tenantId}, ${customerId}) on conflict do nothing`;
  await tx.sql`
    update shipment set customer_id = null, recipient = null, line1 = null, line2 = null, city = null, postcode = null,
      country = null, erased_at = now(), forget_at = now(), version = version + 1, updated_at = now()
    where tenant_id = ${tenantId} and customer_id = ${customerId}`;
};

type EventRow = {
  shipment_id: string;
  sequence: number;
  status: ScanStatus;
  at: Date;
  place: string | null;
  latitude: number | null;
  longitude: number | null;
};

/** Of each shipment its last hundred scans, oldest first. Rides on tracking_event_pkey. */
export const eventsOfShipments = async (
  { sql }: HasSql,
  tenantId: string,
  shipmentIds: readonly string[],
): Promise<TrackingEvent[][]> => {
  const rows = await sql<EventRow>`
    select e.* from unnest(${shipmentIds}::uuid[]) as asked (id), lateral (
      select shipment_id, sequence, status, at, place, latitude, longitude from tracking_event
      where shipment_id = asked.id and tenant_id = ${tenantId} order by sequence desc limit 100) e
    order by e.shipment_id, e.sequence`;
  return grouped(shipmentIds, rows, (row) => row.shipment_id).map((of) =>
    of.map(({ sequence, status, at, place, latitude, longitude }) => ({
      sequence,
      status,
      at,
      place,
      point: latitude === null || longitude === null ? null : { latitude, longitude },
    })),
  );
};
