// Goods that came back, by the refund they came back for. Written by whoever has the turn (store.ts).
import { raw, type Tx } from '@orderstream/runtime/database';
import type { Pieces, Reservation, ShippedPart } from './reservation.ts';
import type { Part } from './warehouse.ts';

export type Restock = {
  readonly refundId: string;
  /** whether it is decided what of it goes back on the shelves */
  readonly done: boolean;
  readonly wanted: readonly Pieces[];
  readonly restocked: readonly Pieces[];
};

const columns = raw(`r.refund_id as "refundId", r.done,
  (select json_agg(json_build_object('variantId', l.variant_id, 'quantity', l.wanted) order by l.variant_id)
    from restock_line l where l.refund_id = r.refund_id) as wanted,
  (select coalesce(json_agg(json_build_object('variantId', l.variant_id, 'quantity', l.restocked)
    order by l.variant_id) filter (where l.restocked > 0), '[]')
    from restock_line l where l.refund_id = r.refund_id) as restocked`);

/** The refund's restock, begun now or before. Lines of one variant are one. */
export const beginRestock = async (
  tx: Tx,
  tenantId: string,
  orderId: string,
  refundId: string,
  lines: readonly Pieces[],
): Promise<Restock> => {
  await tx.sql`
    with begun as (
      insert into restock (refund_id, tenant_id, order_id) values (${refundId}, ${tenantId}, ${orderId})
      on conflict do nothing returning refund_id, tenant_id
    )
    insert into restock_line (refund_id, tenant_id, variant_id, wanted)
    select begun.refund_id, begun.tenant_id, line.variant_id, sum(line.quantity)
    from begun, unnest(${lines.map((line) => line.variantId)}::uuid[], ${lines.map((line) => line.quantity)}::int[])
      as line (variant_id, quantity)
    group by 1, 2, 3`;
  const [row] = await tx.sql<Restock>`
    select ${columns} from restock r where r.tenant_id = ${tenantId} and r.refund_id = ${refundId}`;
  if (!row) throw new Error(`refund ${refundId} is of another shop`);
  return row;
};

/** What came back before its goods were known to have left. Rides on restock_waiting. */
export const waitingRestocks = (tx: Tx, { tenantId, orderId }: Reservation): Promise<Restock[]> =>
  tx.sql<Restock>`
    select ${columns} from restock r where r.tenant_id = ${tenantId} and r.order_id = ${orderId} and not r.done
    order by r.refund_id`;

export const shippedParts = (tx: Tx, { id }: Reservation): Promise<ShippedPart[]> => tx.sql<ShippedPart>`
  select variant_id as "variantId", sku, warehouse_id as "warehouseId", quantity, restocked
  from reservation_part where reservation_id = ${id}`;

/** The database refuses more than was shipped, and more than was asked for. */
export const finishRestock = async (
  tx: Tx,
  reservationId: string | null,
  refundId: string,
  parts: readonly Part[],
): Promise<void> => {
  await tx.sql`update restock set done = true, updated_at = now() where refund_id = ${refundId}`;
  if (parts.length === 0) return;
  await tx.sql`
    with back as (
      select * from unnest(${parts.map((p) => p.variantId)}::uuid[], ${parts.map((p) => p.warehouseId)}::uuid[],
        ${parts.map((p) => p.quantity)}::int[]) as back (variant_id, warehouse_id, quantity)
    ), told as (
      update restock_line l set restocked = l.restocked + summed.quantity
      from (select variant_id, sum(quantity)::int as quantity from back group by 1) summed
      where l.refund_id = ${refundId} and l.variant_id = summed.variant_id
    )
    update reservation_part p set restocked = p.restocked + back.quantity
    from back where p.reservation_id = ${reservationId} and p.variant_id = back.variant_id
      and p.warehouse_id = back.warehouse_id`;
};
