// What commands need to know of the parcels they name, and what they leave behind.
import type { Tx } from '@orderstream/runtime/database';
import type { Shipment } from './shipment.ts';
import { erasure, type ShipmentRow, shipmentOf } from './store.ts';

/** Which parcel of which order. */
export type Place = { readonly tenantId: string; readonly orderId: string; readonly parcel: number };

/** A place, and whose parcel it is to be; null: anybody's. */
export type Asked = Place & { readonly customerId: string | null };

export type Standing = {
  readonly shipment: Shipment | null;
  /** given up before there was a parcel */
  readonly isCancelled: boolean;
  readonly isErased: boolean;
};

type StandingRow = ShipmentRow & { readonly is_cancelled: boolean; readonly is_erased: boolean };

/**
 * Commands for one order come one after the other, also before there is a row to lock; in the order of their ids, so that
 * two batches do not wait for each other in a circle. Nobody is erased meanwhile.
 */
const lockOrders = (tx: Tx, orderIds: readonly string[]): void => {
  tx.write`
    select pg_advisory_xact_lock_shared(${erasure})::text
    union all
    select pg_advisory_xact_lock(hashtextextended(id, 0))::text
    from (select distinct id from unnest(${orderIds}::text[]) as id order by id) orders`;
};

/** As asked, one for each. Rides on shipment_of_order. */
export const standingsForUpdate = async (tx: Tx, asked: readonly Asked[]): Promise<Standing[]> => {
  const orderIds = asked.map(({ orderId }) => orderId);
  const tenantIds = asked.map(({ tenantId }) => tenantId);
  const parcels = asked.map(({ parcel }) => parcel);
  lockOrders(tx, orderIds);
  const rows = await tx.sql<StandingRow>`
    with known as materialized (
      select * from shipment where (tenant_id, order_id, parcel) in (
        select * from unnest(${tenantIds}::uuid[], ${orderIds}::uuid[], ${parcels}::int[]))
      order by id for update)
    select k.*, c.order_id is not null as is_cancelled, e.customer_id is not null as is_erased
    from unnest(${tenantIds}::uuid[], ${orderIds}::uuid[], ${parcels}::int[],
      ${asked.map(({ customerId }) => customerId)}::uuid[])
      with ordinality as a (tenant_id, order_id, parcel, customer_id, nth)
    left join known k on k.tenant_id = a.tenant_id and k.order_id = a.order_id and k.parcel = a.parcel
    left join cancelled_parcel c on c.tenant_id = a.tenant_id and c.order_id = a.order_id and c.parcel = a.parcel
    left join erased_customer e on e.tenant_id = a.tenant_id and e.customer_id = a.customer_id
    order by a.nth`;
  return rows.map((row) => ({
    shipment: row.id === null ? null : shipmentOf(row),
    isCancelled: row.is_cancelled,
    isErased: row.is_erased,
  }));
};

export const insertShipments = (tx: Tx, shipments: readonly Shipment[]): void => {
  if (shipments.length === 0) return;
  const origins = shipments.map(({ origin }) => origin);
  tx.write`
    insert into shipment (id, tenant_id, order_id, parcel, customer_id, state, wanted, attempt, pieces, warehouse_id,
      origin_name, origin_latitude, origin_longitude, erased_at, traceparent, version)
    select * from unnest(${shipments.map((one) => one.id)}::uuid[], ${shipments.map((one) => one.tenantId)}::uuid[],
      ${shipments.map((one) => one.orderId)}::uuid[], ${shipments.map((one) => one.parcel)}::int[],
      ${shipments.map((one) => one.customerId)}::uuid[], ${shipments.map((one) => one.state)}::text[],
      ${shipments.map((one) => one.wanted)}::text[], ${shipments.map((one) => one.attempt)}::int[],
      ${shipments.map((one) => one.pieces)}::int[], ${origins.map((one) => one.warehouseId)}::uuid[],
      ${origins.map((one) => one.name)}::text[], ${origins.map((one) => one.latitude)}::float8[],
      ${origins.map((one) => one.longitude)}::float8[], ${shipments.map((one) => one.erasedAt)}::timestamptz[],
      ${shipments.map((one) => one.traceparent)}::text[], ${shipments.map((one) => one.version)}::int[])`;
};

export const insertCancelled = (tx: Tx, places: readonly Place[]): void => {
  if (places.length === 0) return;
  tx.write`
    insert into cancelled_parcel (tenant_id, order_id, parcel)
    select * from unnest(${places.map(({ tenantId }) => tenantId)}::uuid[],
      ${places.map(({ orderId }) => orderId)}::uuid[], ${places.map(({ parcel }) => parcel)}::int[])
    on conflict do nothing`;
};
