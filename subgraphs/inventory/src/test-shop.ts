// A shop with some goods for the tests of this folder, on a real database: its doors, its ears and its book-keeper.
import type { Database } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { newTrace } from '@orderstream/runtime/trace';
import { pino } from 'pino';
import { handlers } from './handlers.ts';

const log = pino({ level: 'silent' });

export type Shop = { readonly tenantId: string; readonly warehouses: readonly string[] };

export const openShop = async (database: Database): Promise<Shop> => {
  const tenantId = newId();
  const warehouses = [newId(), newId(), newId()];
  for (const [index, id] of warehouses.entries())
    await database.sql`
      insert into warehouse (id, tenant_id, code, name, latitude, longitude)
      values (${id}, ${tenantId}, ${`W${index}`}, ${`Warehouse ${index}`}, 52.3, -1.2)`;
  return { tenantId, warehouses };
};

export type Goods = { readonly variantId: string; readonly sku: string };

/** Goods of which each warehouse has the units given, in the order of the shop's warehouses. */
export const stockUp = async (
  database: Database,
  { tenantId, warehouses }: Shop,
  sku: string,
  units: readonly number[],
  reorderPoint: number | null = null,
): Promise<Goods> => {
  const variantId = newId();
  await database.sql`
    insert into catalog_variant (tenant_id, variant_id, product_id, sku, name, price_minor, currency, active, version)
    values (${tenantId}, ${variantId}, ${newId()}, ${sku}, ${`${sku} of the shop`}, 100, 'GBP', true, 1)`;
  for (const [index, quantity] of units.entries()) {
    const place = [tenantId, variantId, warehouses[index]!] as const;
    await database.sql`
      insert into stock (id, tenant_id, variant_id, warehouse_id, on_hand, received, reorder_point)
      values (${newId()}, ${place[0]}, ${place[1]}, ${place[2]}, ${quantity}, ${quantity}, ${reorderPoint})`;
    if (quantity > 0)
      await database.sql`
        insert into movement (id, tenant_id, variant_id, warehouse_id, kind, quantity)
        values (${newId()}, ${place[0]}, ${place[1]}, ${place[2]}, 'received', ${quantity})`;
  }
  await database.sql`
    insert into variant_level (variant_id, tenant_id, available, reorder_point)
    select variant_id, tenant_id, sum(on_hand), sum(coalesce(reorder_point, 0)) from stock
    where variant_id = ${variantId} group by 1, 2`;
  return { variantId, sku };
};

const toEnvelope = (tenantId: string, { type, v, key, version, data }: Message): Envelope<never> => ({
  id: newId(),
  type,
  v,
  tenantId,
  key,
  version,
  occurredAt: new Date().toISOString(),
  causationId: null,
  traceparent: newTrace().traceparent,
  data: data as never,
});

/** Hears messages in one transaction, as a batch from the broker does; without the inbox, so that nothing hides a repetition. */
export const hear = (database: Database, { tenantId }: Shop, ...messages: Message[]): Promise<void> =>
  database.transaction(async (begin) => {
    const tx = begin({ tenantId, ...newTrace(), causationId: null });
    const heard = messages.map((message) => {
      const handler = handlers.find((each) => each.message.type === message.type);
      if (!handler) throw new Error(`nobody hears ${message.type}`);
      return { handler, one: { tx, message: toEnvelope(tenantId, message) } };
    });
    const groups = Map.groupBy(heard, (each) => (each.handler.isForMany ? each.handler.handle : each));
    for (const group of groups.values())
      await group[0]!.handler.handle(
        group.map(({ one }) => one),
        { now: new Date(), log },
      );
  });

export type Told = Pick<Message, 'type' | 'key' | 'version'> & { readonly data: Record<string, unknown> };

/** What was told about an order or a variant, in the order of telling. */
export const told = async (database: Database, key: string): Promise<Told[]> => {
  const rows = await database.sql<{ message: Told }>`
    select message from plumbing.outbox where key = ${key} order by id`;
  return rows.map(({ message: { type, key, version, data } }) => ({ type, key, version, data }));
};

/** What must never be: an empty list says that the books of the tenant are right. */
export const wrongs = (database: Database, { tenantId }: Shop): Promise<{ what: string; where: string }[]> =>
  database.sql`
    with counted as (
      select p.variant_id, p.warehouse_id, sum(quantity) filter (where state = 'HELD') as held,
        sum(quantity) filter (where state = 'ALLOCATED') as allocated
      from reservation_part p join reservation r on r.id = p.reservation_id
      where r.tenant_id = ${tenantId} group by 1, 2
    ), moved as (
      select variant_id, warehouse_id, sum(quantity) filter (where kind = 'received') as received,
        sum(quantity) filter (where kind = 'written_off') as written_off,
        sum(quantity) filter (where kind = 'shipped') as shipped, sum(quantity) filter (where kind = 'returned') as returned,
        sum(quantity) filter (where kind = 'held') as held, sum(quantity) filter (where kind = 'allocated') as allocated
      from movement where tenant_id = ${tenantId} group by 1, 2
    ), here as (select * from stock where tenant_id = ${tenantId}
    ), summed as (select variant_id, sum(on_hand - held - allocated) as available from here group by 1)
    select 'oversold' as what, id::text as where from here where held < 0 or allocated < 0 or held + allocated > on_hand
    union all
    select 'units not conserved', id::text from here where on_hand + shipped + written_off <> received + returned
    union all
    select 'counters are not the reservations', id::text from here left join counted c using (variant_id, warehouse_id)
    where here.held <> coalesce(c.held, 0) or here.allocated <> coalesce(c.allocated, 0)
    union all
    select 'counters are not the movements', id::text from here left join moved m using (variant_id, warehouse_id)
    where here.held <> coalesce(m.held, 0) or here.allocated <> coalesce(m.allocated, 0)
      or here.received <> coalesce(m.received, 0) or here.written_off <> coalesce(m.written_off, 0)
      or here.shipped <> coalesce(m.shipped, 0) or here.returned <> coalesce(m.returned, 0)
    union all
    select 'the level is not the stock', variant_id::text
    from (select * from variant_level where tenant_id = ${tenantId}) l full join summed using (variant_id)
    where l.available is distinct from coalesce(summed.available, 0)
    union all
    select 'the last word is not the level', l.variant_id::text from variant_level l cross join lateral (
      select message from plumbing.outbox where key = l.variant_id::text order by id desc limit 1) o
    where l.tenant_id = ${tenantId} and ((message->'data'->>'available')::int <> l.available
      or (message->>'version')::int <> l.version)
    union all
    select 'versions do not rise', key from (
      select key, (message->>'version')::int <= lag((message->>'version')::int) over (partition by key order by id) as falls
      from plumbing.outbox where tenant_id = ${tenantId} and topic = 'stock-levels') v where falls`;
