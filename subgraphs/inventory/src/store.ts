// Stock in SQL: levels, their movements and what is available of a variant.
import { joined, type Part, part, raw, type Sql, type Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Page } from '@orderstream/runtime/paging';
import type { Effect } from './reservation.ts';
import { type Adjustment, type Level, lowBelow, type Stock, type StockFilter } from './stock.ts';
import type { Offer, Part as OrderPart, Warehouse } from './warehouse.ts';

type Reader = { readonly sql: Sql };

const stockColumns =
  raw(`s.id, s.variant_id as "variantId", s.warehouse_id as "warehouseId", s.on_hand as "onHand",
  s.held, s.allocated, s.reorder_point as "reorderPoint", s.version`);
/** As the index `stock_low` has it. */
const isLow = raw(`s.on_hand - s.held - s.allocated < coalesce(s.reorder_point, ${lowBelow})`);
const levelColumns = raw(`tenant_id as "tenantId", variant_id as "variantId", available,
  reorder_point as "reorderPoint", version`);

/**
 * One writer of stock at a time, until the transaction ends. An inbox batch is one transaction over the goods of up to
 * 50 orders, in the orders' order and not the goods': two such batches that locked rows as they went would stop each
 * other again and again, a second each time. Waiting writers cost little, for their batches grow meanwhile.
 */
export const takeTurn = ({ sql, write }: Tx): void => {
  if (turns.has(sql)) return;
  write`select pg_advisory_xact_lock(1937012587)`;
  turns.add(sql);
};

/** Transactions that have the turn. */
const turns = new WeakSet<Sql>();

/** What each warehouse can give, the rows locked in a fixed order against writers of any other kind. */
export const offersForUpdate = (
  tx: Tx,
  tenantId: string,
  variantIds: readonly string[],
): Promise<Offer[]> => tx.sql<Offer>`
  select variant_id as "variantId", warehouse_id as "warehouseId", on_hand - held - allocated as available
  from stock where tenant_id = ${tenantId} and variant_id = any(${variantIds}::uuid[])
  order by variant_id, warehouse_id for update`;

/** What an order's parts do to the counters of the stock they are from. */
export type Shift = {
  readonly orderId: string;
  readonly parts: readonly OrderPart[];
  readonly signs: Effect;
};

const counters = ['held', 'allocated', 'shipped', 'returned'] as const;

type Change = { readonly variantId: string; readonly warehouseId: string } & Record<
  (typeof counters)[number],
  number
>;

/** By level, what all of these do to it together. */
const changesOf = (shifts: readonly Shift[]): Change[] => {
  const all = new Map<string, Change>();
  for (const { parts, signs } of shifts)
    for (const { variantId, warehouseId, quantity } of parts) {
      const place = `${variantId} ${warehouseId}`;
      const change = all.get(place) ?? {
        variantId,
        warehouseId,
        held: 0,
        allocated: 0,
        shipped: 0,
        returned: 0,
      };
      for (const counter of counters) change[counter] += signs[counter] * quantity;
      all.set(place, change);
    }
  return [...all.values()];
};

/**
 * Adds the parts' quantities, times the sign given for each counter, to the stock, and writes the movements. The guard
 * makes overselling impossible whatever was read before.
 * @throws when a level cannot take it: the caller decided on something else than what there is
 */
export const shift = async (tx: Tx, tenantId: string, shifts: readonly Shift[]): Promise<void> => {
  const changes = changesOf(shifts);
  if (changes.length === 0) return;
  const movements = shifts.flatMap(({ orderId, parts, signs }) =>
    counters.flatMap((kind) =>
      signs[kind] === 0
        ? []
        : parts.map((part) => ({ ...part, orderId, kind, quantity: part.quantity * signs[kind] })),
    ),
  );
  const [taken] = await tx.sql<{ count: number }>`
    with moved as (
      update stock s set
        on_hand = s.on_hand + c.returned - c.shipped, held = s.held + c.held, allocated = s.allocated + c.allocated,
        shipped = s.shipped + c.shipped, returned = s.returned + c.returned,
        version = s.version + 1, updated_at = now()
      from unnest(${changes.map((c) => c.variantId)}::uuid[], ${changes.map((c) => c.warehouseId)}::uuid[],
        ${changes.map((c) => c.held)}::int[], ${changes.map((c) => c.allocated)}::int[],
        ${changes.map((c) => c.shipped)}::int[], ${changes.map((c) => c.returned)}::int[])
        as c (variant_id, warehouse_id, held, allocated, shipped, returned)
      where s.tenant_id = ${tenantId} and s.variant_id = c.variant_id and s.warehouse_id = c.warehouse_id
        and s.on_hand - s.held - s.allocated >= c.held + c.allocated - c.returned + c.shipped
        and s.held + c.held >= 0 and s.allocated + c.allocated >= 0
      returning s.id
    ), explained as (
      insert into movement (tenant_id, id, order_id, variant_id, warehouse_id, kind, quantity)
      select ${tenantId}, * from unnest(${movements.map(() => newId())}::uuid[],
        ${movements.map((m) => m.orderId)}::uuid[], ${movements.map((m) => m.variantId)}::uuid[],
        ${movements.map((m) => m.warehouseId)}::uuid[], ${movements.map((m) => m.kind)}::text[],
        ${movements.map((m) => m.quantity)}::int[])
    )
    select count(*) from moved`;
  if (taken?.count !== changes.length)
    throw new Error(
      `the stock took ${taken?.count} of ${changes.length} changes for ${shifts.map((one) => one.orderId)}`,
    );
};

/** Sums the variants up again, and answers those of which something else can be sold than was told before. */
export const recount = (tx: Tx, tenantId: string, variantIds: readonly string[]): Promise<Level[]> =>
  tx.sql<Level>`
    insert into variant_level (variant_id, tenant_id, available, reorder_point)
    select variant_id, tenant_id, sum(on_hand - held - allocated), sum(coalesce(reorder_point, 0))
    from stock where tenant_id = ${tenantId} and variant_id = any(${variantIds}::uuid[])
    group by variant_id, tenant_id order by variant_id
    on conflict (variant_id) do update set available = excluded.available, reorder_point = excluded.reorder_point,
      version = variant_level.version + 1
    where (variant_level.available, variant_level.reorder_point) is distinct from
      (excluded.available, excluded.reorder_point)
    returning ${levelColumns}`;

/** A variant that nobody has any of yet; nothing when it is known already. */
export const startLevel = (tx: Tx, tenantId: string, variantId: string): Promise<Level[]> => tx.sql<Level>`
  insert into variant_level (variant_id, tenant_id, available) values (${variantId}, ${tenantId}, 0)
  on conflict do nothing returning ${levelColumns}`;

/** The first goods of a variant that ever come to a warehouse make their level, from version 0. */
export const startStock = async (
  tx: Tx,
  tenantId: string,
  { variantId, warehouseId }: Adjustment,
): Promise<void> => {
  await tx.sql`
    insert into stock (id, tenant_id, variant_id, warehouse_id, version)
    select ${newId()}::uuid, w.tenant_id, v.variant_id, w.id, 0
    from warehouse w join catalog_variant v on v.tenant_id = w.tenant_id
    where w.tenant_id = ${tenantId} and w.id = ${warehouseId} and v.variant_id = ${variantId}
    on conflict (variant_id, warehouse_id) do nothing`;
};

/** Null when the level does not take the adjustment: gone below what is committed, another version, or none at all. */
export const adjust = async (
  tx: Tx,
  tenantId: string,
  { variantId, warehouseId, delta, expectedVersion }: Adjustment,
): Promise<string | null> => {
  const [row] = await tx.sql<{ id: string }>`
    update stock s set on_hand = s.on_hand + ${delta}::int, received = s.received + greatest(${delta}::int, 0),
      written_off = s.written_off + greatest(-${delta}::int, 0), version = s.version + 1, updated_at = now()
    where s.tenant_id = ${tenantId} and s.variant_id = ${variantId} and s.warehouse_id = ${warehouseId}
      and s.on_hand + ${delta}::int between s.held + s.allocated and 100000000
      and s.version = coalesce(${expectedVersion}::int, s.version)
    returning s.id`;
  return row?.id ?? null;
};

export const recordAdjustment = async (
  tx: Tx,
  tenantId: string,
  actorId: string | null,
  { variantId, warehouseId, delta, reason }: Adjustment,
): Promise<void> => {
  await tx.sql`
    insert into movement (id, tenant_id, variant_id, warehouse_id, kind, quantity, reason, actor_id)
    values (${newId()}, ${tenantId}, ${variantId}, ${warehouseId}, ${delta > 0 ? 'received' : 'written_off'},
      ${Math.abs(delta)}, ${reason}, ${actorId})`;
};

export const stockAt = async (
  { sql }: Reader,
  tenantId: string,
  { variantId, warehouseId }: Adjustment,
): Promise<Stock | null> => {
  const [row] = await sql<Stock>`
    select ${stockColumns} from stock s
    where s.tenant_id = ${tenantId} and s.variant_id = ${variantId} and s.warehouse_id = ${warehouseId}`;
  return row ?? null;
};

export const stockByIds = ({ sql }: Reader, tenantId: string, ids: readonly string[]): Promise<Stock[]> =>
  sql<Stock>`
    select ${stockColumns} from stock s where s.tenant_id = ${tenantId} and s.id = any(${ids}::uuid[])`;

export const stockOfVariants = (
  { sql }: Reader,
  tenantId: string,
  variantIds: readonly string[],
): Promise<Stock[]> => sql<Stock>`
  select ${stockColumns} from stock s
  where s.tenant_id = ${tenantId} and s.variant_id = any(${variantIds}::uuid[]) order by s.variant_id, s.warehouse_id`;

/** Of whatever tenant: this is read through a cache that all share, and whose readers look at the tenant. */
export const levelsOf = ({ sql }: Reader, variantIds: readonly string[]): Promise<Level[]> => sql<Level>`
  select ${levelColumns} from variant_level where variant_id = any(${variantIds}::uuid[])`;

export const warehouses = ({ sql }: Reader, tenantId: string): Promise<Warehouse[]> => sql<Warehouse>`
  select id, code, name, latitude, longitude from warehouse where tenant_id = ${tenantId} order by name, id`;

export const warehousesByIds = (
  { sql }: Reader,
  tenantId: string,
  ids: readonly string[],
): Promise<Warehouse[]> => sql<Warehouse>`
  select id, code, name, latitude, longitude from warehouse
  where tenant_id = ${tenantId} and id = any(${ids}::uuid[])`;

/** Levels that are low and have changed lately. Rides on `stock_low`, which holds the low ones only. */
export const lowLately = ({ sql }: Reader, tenantId: string, seconds: number): Promise<Stock[]> => sql<Stock>`
  select ${stockColumns} from stock s
  where s.tenant_id = ${tenantId} and ${isLow} and s.updated_at > now() - make_interval(secs => ${seconds}::int)
  order by s.updated_at desc limit 500`;

/** Every word asked for must begin a word of name or SKU. What has no words in it, such as `%`, finds nothing. */
const query = (search: string): string =>
  [...search.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)].map(([word]) => `'${word}':*`).join(' & ');

const asked = ({ lowOnly, search }: StockFilter): Part =>
  joined([
    ...(lowOnly ? [part`and ${isLow}`] : []),
    ...(search
      ? [
          part`and to_tsvector('simple', regexp_replace(c.sku || ' ' || c.name, '[^[:alnum:]]+', ' ', 'g'))
            @@ to_tsquery('simple', ${query(search)})`,
        ]
      : []),
  ]);

/** By SKU. Rides on `catalog_variant_by_sku`, or on `catalog_variant_words` when there is something to look for. */
export const stockPage = (
  { sql }: Reader,
  tenantId: string,
  filter: StockFilter,
  { first, after }: Page,
): Promise<(Stock & { sku: string })[]> => sql`
  select ${stockColumns}, c.sku from catalog_variant c join stock s on s.variant_id = c.variant_id
  where c.tenant_id = ${tenantId} and s.tenant_id = ${tenantId} ${asked(filter)}
    and c.sku >= ${after?.at ?? ''} and (c.sku, s.id) > (${after?.at ?? ''}, ${after?.id ?? lowestId}::uuid)
  order by c.sku, s.id limit ${first + 1}`;

export const countStock = async ({ sql }: Reader, tenantId: string, filter: StockFilter): Promise<number> => {
  const [row] = await sql<{ count: number }>`
    select count(*) from catalog_variant c join stock s on s.variant_id = c.variant_id
    where c.tenant_id = ${tenantId} and s.tenant_id = ${tenantId} ${asked(filter)}`;
  return row!.count;
};

const lowestId = '00000000-0000-0000-0000-000000000000';
