// Reservations in SQL. Only ever written by whoever has the turn (store.ts), so reads in a turn stay true until its end.
import type { Sql, Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Reservation, State } from './reservation.ts';
import type { Part } from './warehouse.ts';

type Row = Omit<Reservation, 'parts'>;

const withParts = async (tx: Tx, rows: readonly Row[]): Promise<Reservation[]> => {
  const parts = await tx.sql<Part & { reservationId: string }>`
    select reservation_id as "reservationId", variant_id as "variantId", warehouse_id as "warehouseId", sku, quantity
    from reservation_part where reservation_id = any(${rows.map((row) => row.id)}::uuid[])
    order by reservation_id, variant_id, warehouse_id`;
  const byReservation = Map.groupBy(parts, (part) => part.reservationId);
  return rows.map((row) => ({
    ...row,
    parts: (byReservation.get(row.id) ?? []).map(({ reservationId: _, ...part }) => part),
  }));
};

export const reservationOf = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
): Promise<Reservation | null> => {
  const rows = await tx.sql<Row>`
    select id, tenant_id as "tenantId", order_id as "orderId", state, hold_until as "holdUntil",
      refused_skus as "refusedSkus", version
    from reservation where tenant_id = ${tenantId} and order_id = ${orderId} for update`;
  return rows.length === 0 ? null : (await withParts(tx, rows))[0]!;
};

/** Holds whose time has come, by the database's clock. Rides on `reservation_due`; another sweeper's are passed over. */
export const dueHolds = async (tx: Tx, most: number): Promise<Reservation[]> => {
  const rows = await tx.sql<Row>`
    select id, tenant_id as "tenantId", order_id as "orderId", state, hold_until as "holdUntil",
      refused_skus as "refusedSkus", version
    from reservation where state = 'HELD' and hold_until <= now()
    order by hold_until limit ${most} for update skip locked`;
  return rows.length === 0 ? [] : withParts(tx, rows);
};

export const hasDueHolds = async ({ sql }: { readonly sql: Sql }): Promise<boolean> => {
  const [row] = await sql<{ due: boolean }>`
    select exists (select from reservation where state = 'HELD' and hold_until <= now()) as due`;
  return row!.due;
};

type Start = Pick<Reservation, 'tenantId' | 'orderId' | 'state' | 'holdUntil' | 'refusedSkus' | 'parts'>;

export const start = async (tx: Tx, begun: Start): Promise<Reservation> => {
  const id = newId();
  const { tenantId, orderId, state, holdUntil, refusedSkus, parts } = begun;
  await tx.sql`
    insert into reservation (id, tenant_id, order_id, state, hold_until, refused_skus)
    values (${id}, ${tenantId}, ${orderId}, ${state}, ${holdUntil}, ${refusedSkus}::text[])`;
  if (parts.length > 0)
    await tx.sql`
      insert into reservation_part (tenant_id, reservation_id, variant_id, warehouse_id, sku, quantity)
      select ${tenantId}, ${id}, * from unnest(${parts.map((p) => p.variantId)}::uuid[],
        ${parts.map((p) => p.warehouseId)}::uuid[], ${parts.map((p) => p.sku)}::text[],
        ${parts.map((p) => p.quantity)}::int[])`;
  return { ...begun, id, version: 1 };
};

/** @throws when the reservation is not in the state it was read in */
export const enter = async (tx: Tx, reservation: Reservation, state: State): Promise<Reservation> => {
  const { id, tenantId, version } = reservation;
  const rows = await tx.sql`
    update reservation set state = ${state}, version = version + 1, updated_at = now()
    where tenant_id = ${tenantId} and id = ${id} and state = ${reservation.state} returning id`;
  if (rows.length !== 1) throw new Error(`the reservation of order ${reservation.orderId} moved meanwhile`);
  return { ...reservation, state, version: version + 1 };
};

/** A hold never gets shorter: an older extension may come after a newer one. */
export const extend = async (tx: Tx, { id, tenantId }: Reservation, holdUntil: Date) => {
  const [row] = await tx.sql<{ holdUntil: Date; version: number }>`
    update reservation set hold_until = greatest(hold_until, ${holdUntil}::timestamptz), version = version + 1,
      updated_at = now()
    where tenant_id = ${tenantId} and id = ${id} and state = 'HELD'
    returning hold_until as "holdUntil", version`;
  return row ?? null;
};
