// Shipments and their scans. A shipment is changed under its row lock only, one version at a time.
import type { Sql, Tx } from '@orderstream/runtime/database';
import { grouped } from '@orderstream/runtime/loaders';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import type { ScanStatus, Shipment, ShipmentState, Step, TrackingEvent } from './shipment.ts';

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

export const shipmentForUpdate = async (tx: Tx, id: string): Promise<Shipment | null> => {
  const [row] = await tx.sql<ShipmentRow>`select * from shipment where id = ${id} for update`;
  return row ? shipmentOf(row) : null;
};

/** Which parcel of which order. */
export type Place = { readonly tenantId: string; readonly orderId: string; readonly parcel: number };

export const shipmentAtForUpdate = async (
  tx: Tx,
  { tenantId, orderId, parcel }: Place,
): Promise<Shipment | null> => {
  const [row] = await tx.sql<ShipmentRow>`
    select * from shipment where tenant_id = ${tenantId} and order_id = ${orderId} and parcel = ${parcel} for update`;
  return row ? shipmentOf(row) : null;
};

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

export const insertShipment = async (tx: Tx, shipment: Shipment): Promise<void> => {
  const { origin } = shipment;
  await tx.sql`
    insert into shipment (id, tenant_id, order_id, parcel, customer_id, state, wanted, attempt, pieces, warehouse_id, origin_name,
      origin_latitude, origin_longitude, erased_at, traceparent, version)
    values (${shipment.id}, ${shipment.tenantId}, ${shipment.orderId}, ${shipment.parcel}, ${shipment.customerId}, ${shipment.state},
      ${shipment.wanted}, ${shipment.attempt}, ${shipment.pieces}, ${origin.warehouseId}, ${origin.name},
      ${origin.latitude}, ${origin.longitude}, ${shipment.erasedAt}, ${shipment.traceparent}, ${shipment.version})`;
};

const insertEvents = async (tx: Tx, { shipment, events }: Step): Promise<void> => {
  if (events.length === 0) return;
  await tx.sql`
    insert into tracking_event (shipment_id, tenant_id, sequence, status, at, place, latitude, longitude)
    select ${shipment.id}::uuid, ${shipment.tenantId}::uuid, * from unnest(
      ${events.map((one) => one.sequence)}::int[], ${events.map((one) => one.status)}::text[],
      ${events.map((one) => one.at)}::timestamptz[], ${events.map((one) => one.place)}::text[],
      ${events.map((one) => one.point?.latitude ?? null)}::float8[],
      ${events.map((one) => one.point?.longitude ?? null)}::float8[])`;
};

/**
 * The row is locked by the caller. What is wanted anew is due at once, and news make the next look come early. The
 * address is not among it: a new attempt drops it, and only a call for a label puts one there.
 */
export const saveShipment = async (tx: Tx, step: Step): Promise<void> => {
  const { shipment } = step;
  const { label } = shipment;
  await tx.sql`
    update shipment set state = ${shipment.state}, attempt = ${shipment.attempt},
      attempts = case when wanted is not distinct from ${shipment.wanted}::text then attempts else 0 end,
      next_attempt_at = case when wanted is not distinct from ${shipment.wanted}::text then next_attempt_at else now() end,
      wanted = ${shipment.wanted}, carrier = ${label?.carrier ?? null}, carrier_id = ${label?.carrierId ?? null},
      tracking_number = ${label?.trackingNumber ?? null}, label_at = ${label?.at ?? null},
      failure_reason = ${shipment.failureReason}, estimated_delivery = ${shipment.estimatedDelivery},
      promised_at = ${shipment.promisedAt}, last_sequence = ${shipment.lastSequence},
      handed_over_at = ${shipment.handedOverAt}, delivered_at = ${shipment.deliveredAt},
      traceparent = ${shipment.traceparent}, looks = 0, next_look_at = now() + interval '3 seconds',
      version = ${shipment.version}, updated_at = now()
    where id = ${shipment.id}`;
  if (shipment.address === null)
    await tx.sql`
      update shipment set recipient = null, line1 = null, line2 = null, city = null, postcode = null, country = null
      where id = ${shipment.id} and recipient is not null`;
  await insertEvents(tx, step);
};

export const isCancelled = async (tx: Tx, { tenantId, orderId, parcel }: Place): Promise<boolean> => {
  const [row] = await tx.sql`
    select order_id from cancelled_parcel
    where tenant_id = ${tenantId} and order_id = ${orderId} and parcel = ${parcel}`;
  return row !== undefined;
};

export const insertCancelled = async (tx: Tx, { tenantId, orderId, parcel }: Place): Promise<void> => {
  await tx.sql`
    insert into cancelled_parcel (tenant_id, order_id, parcel) values (${tenantId}, ${orderId}, ${parcel})
    on conflict do nothing`;
};

/** Commands for one order come one after the other, also before there is a row to lock. */
export const lockOrder = async (tx: Tx, orderId: string): Promise<void> => {
  await tx.sql`select pg_advisory_xact_lock(hashtextextended(${orderId}, 0))`;
};

export const isErasedCustomer = async (tx: Tx, tenantId: string, customerId: string): Promise<boolean> => {
  const [row] = await tx.sql`
    select customer_id from erased_customer where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  return row !== undefined;
};

/** Parcels with a version more, so that whoever watches one is shown it no more. Rides on shipment_of_customer. */
export const blankCustomer = async (tx: Tx, tenantId: string, customerId: string): Promise<void> => {
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
