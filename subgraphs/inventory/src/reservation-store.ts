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

export const reservationsOf = (
  tx: Tx,
  tenantId: string,
  orderIds: readonly string[],
): Promise<Reservation[]> => tx.sql<Reservation>`
  select ${columns} from reservation r where r.tenant_id = ${tenantId} and r.order_id = any(${orderIds}::uuid[])
  order by r.id for update`;

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

/** As it is once it is written. */
export const begun = (start: Start): Reservation => ({ ...start, id: newId(), version: 1 });

export const insert = async (tx: Tx, tenantId: string, all: readonly Reservation[]): Promise<void> => {
  if (all.length === 0) return;
  const parts = all.flatMap(({ id, parts: own }) => own.map((part) => ({ ...part, id })));
  await tx.sql`
    with begun as (
      insert into reservation (id, tenant_id, order_id, state, hold_until, refused_skus, version)
      select id, ${tenantId}, order_id, state, hold_until, array(select jsonb_array_elements_text(refused)), version
      from unnest(${all.map((r) => r.id)}::uuid[], ${all.map((r) => r.orderId)}::uuid[],
        ${all.map((r) => r.state)}::text[], ${all.map((r) => r.holdUntil)}::timestamptz[],
        ${all.map((r) => JSON.stringify(r.refusedSkus))}::jsonb[], ${all.map((r) => r.version)}::int[])
        as r (id, order_id, state, hold_until, refused, version)
    )
    insert into reservation_part (tenant_id, reservation_id, variant_id, warehouse_id, sku, quantity)
    select ${tenantId}, * from unnest(${parts.map((p) => p.id)}::uuid[], ${parts.map((p) => p.variantId)}::uuid[],
      ${parts.map((p) => p.warehouseId)}::uuid[], ${parts.map((p) => p.sku)}::text[],
      ${parts.map((p) => p.quantity)}::int[])`;
};

/** As it is once it is written. */
export const entered = (reservation: Reservation, state: State): Reservation => ({
  ...reservation,
  state,
  version: reservation.version + 1,
});

/** @throws when one of them is not in the version before the one given */
export const update = async (tx: Tx, tenantId: string, all: readonly Reservation[]): Promise<void> => {
  if (all.length === 0) return;
  const rows = await tx.sql`
    update reservation r set state = n.state, version = n.version, updated_at = now()
    from unnest(${all.map((r) => r.id)}::uuid[], ${all.map((r) => r.state)}::text[],
      ${all.map((r) => r.version)}::int[]) as n (id, state, version)
    where r.tenant_id = ${tenantId} and r.id = n.id and r.version = n.version - 1 returning r.id`;
  if (rows.length !== all.length)
    throw new Error(`a reservation moved meanwhile, one of ${all.map((r) => r.orderId)}`);
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
