// Reservations in SQL. Only ever written by whoever has the turn (store.ts), so reads in a turn stay true until its end.
import { raw, type Sql, type Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Reservation, State } from './reservation.ts';

const columns =
  raw(`r.id, r.tenant_id as "tenantId", r.order_id as "orderId", r.state, r.hold_until as "holdUntil",
  r.refused_skus as "refusedSkus", r.version, coalesce((
    select json_agg(json_build_object('variantId', p.variant_id, 'sku', p.sku, 'warehouseId', p.warehouse_id,
      'quantity', p.quantity) order by p.variant_id, p.warehouse_id)
    from reservation_part p where p.reservation_id = r.id), '[]') as parts`);

export const reservationOf = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
): Promise<Reservation | null> => {
  const [row] = await tx.sql<Reservation>`
    select ${columns} from reservation r where r.tenant_id = ${tenantId} and r.order_id = ${orderId} for update`;
  return row ?? null;
};

/** Holds whose time has come, by the database's clock. Rides on `reservation_due`; another sweeper's are passed over. */
export const dueHolds = (tx: Tx, most: number): Promise<Reservation[]> => tx.sql<Reservation>`
  select ${columns} from reservation r where r.state = 'HELD' and r.hold_until <= now()
  order by r.hold_until limit ${most} for update skip locked`;

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
    with begun as (
      insert into reservation (id, tenant_id, order_id, state, hold_until, refused_skus)
      values (${id}, ${tenantId}, ${orderId}, ${state}, ${holdUntil}, ${refusedSkus}::text[])
      returning tenant_id, id
    )
    insert into reservation_part (tenant_id, reservation_id, variant_id, warehouse_id, sku, quantity)
    select begun.*, part.* from begun, unnest(${parts.map((p) => p.variantId)}::uuid[],
      ${parts.map((p) => p.warehouseId)}::uuid[], ${parts.map((p) => p.sku)}::text[],
      ${parts.map((p) => p.quantity)}::int[]) as part`;
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
