// What is known of customers, places and goods: written from what other subgraphs tell, read in one go for each order.
import { type Part, part, type Sql, type Tx } from '@orderstream/runtime/database';
import { type Facts, goodsAbuseOf } from './feature.ts';

export type Arrival = {
  readonly orderId: string;
  readonly customerId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly variantIds: readonly string[];
  readonly addressHash: string;
  readonly deviceHash: string | null;
  readonly networkHash: string | null;
};

/**
 * An erasure and an order of the same customer come on different topics, so at the same time. Everything that writes a
 * customer's id shares this lock, an erasure has it alone: one of the two sees what the other wrote.
 */
const erasure = 0x6672_6175;
export const whileNobodyIsErased = (tx: Tx): void => {
  tx.write`select pg_advisory_xact_lock_shared(${erasure})`;
};

/** Counts stop here: more accounts or orders than this say nothing new, and the read stays short. */
const enough = 50;

type FactsRow = Omit<Facts, 'amountMinor' | 'customer' | 'shop' | 'goodsAbuse'> & {
  readonly erased: boolean;
  readonly knownScore: number | null;
  readonly orders: number;
  readonly logSum: number;
  readonly logSquares: number;
  readonly shopOrders: number;
  readonly shopLogSum: number;
  readonly shopLogSquares: number;
  readonly rejected: number;
  readonly refunded: number;
  readonly goodOrders: number;
};

/** One statement; each count is a short range of an index of its own. */
export const factsOf = async (
  { sql }: Pick<Tx, 'sql'>,
  tenantId: string,
  { orderId, customerId, amountMinor, currency, variantIds, addressHash, deviceHash, networkHash }: Arrival,
): Promise<{ readonly facts: Facts; readonly isErased: boolean; readonly knownScore: number | null }> => {
  const [row] = await sql<FactsRow>`
    select
      exists (select from erased_customer where tenant_id = ${tenantId} and customer_id = ${customerId}) as erased,
      (select score from assessment where tenant_id = ${tenantId} and order_id = ${orderId}) as "knownScore",
      coalesce(c.orders, 0) as orders, coalesce(c.log_sum, 0) as "logSum",
      coalesce(c.log_squares, 0) as "logSquares",
      coalesce(u.orders, 0) as "shopOrders", coalesce(u.log_sum, 0) as "shopLogSum",
      coalesce(u.log_squares, 0) as "shopLogSquares",
      extract(epoch from now() - c.registered_at)::float8 / 3600 as "accountAgeHours",
      extract(epoch from now() - c.address_changed_at)::float8 / 3600 as "addressChangedHours",
      (select count(*) from (select from recent_order
        where tenant_id = ${tenantId} and customer_id = ${customerId} and order_id <> ${orderId}
          and at > now() - interval '1 hour' limit ${enough}) found) as "ordersLastHour",
      (select count(*) from (select from recent_order
        where tenant_id = ${tenantId} and customer_id = ${customerId} and order_id <> ${orderId}
          and at > now() - interval '1 day' limit ${enough}) found) as "ordersLastDay",
      (select count(*) from (select from sighting
        where tenant_id = ${tenantId} and kind = 'address' and hash = ${addressHash} and customer_id <> ${customerId}
          and last_at > now() - interval '30 days' limit ${enough}) found) as "accountsOnAddress",
      (select count(*) from (select from sighting
        where tenant_id = ${tenantId} and kind = 'device' and hash = ${deviceHash} and customer_id <> ${customerId}
          and last_at > now() - interval '30 days' limit ${enough}) found) as "accountsOnDevice",
      (select count(*) from (select from sighting
        where tenant_id = ${tenantId} and kind = 'network' and hash = ${networkHash} and customer_id <> ${customerId}
          and last_at > now() - interval '30 days' limit ${enough}) found) as "accountsOnNetwork",
      (select count(*) from (select from recent_order
        where tenant_id = ${tenantId} and network_hash = ${networkHash} and order_id <> ${orderId}
          and at > now() - interval '1 hour' limit ${enough}) found) as "ordersFromNetwork",
      exists (select from sighting
          where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'address')
        and not exists (select from sighting where tenant_id = ${tenantId} and kind = 'address'
          and hash = ${addressHash} and customer_id = ${customerId}) as "isNewAddress",
      ${deviceHash}::text is not null
        and exists (select from sighting
          where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'device')
        and not exists (select from sighting where tenant_id = ${tenantId} and kind = 'device'
          and hash = ${deviceHash} and customer_id = ${customerId}) as "isNewDevice",
      coalesce((select rejected from abused_hash
        where tenant_id = ${tenantId} and kind = 'address' and hash = ${addressHash}), 0) as "rejectedOnAddress",
      coalesce((select rejected from abused_hash
        where tenant_id = ${tenantId} and kind = 'device' and hash = ${deviceHash}), 0) as "rejectedOnDevice",
      coalesce((select rejected from abused_hash
        where tenant_id = ${tenantId} and kind = 'network' and hash = ${networkHash}), 0) as "rejectedOnNetwork",
      coalesce(g.rejected, 0) as rejected, coalesce(g.refunded, 0) as refunded, coalesce(g.orders, 0) as "goodOrders",
      (select count(*) from (select from decline
        where tenant_id = ${tenantId} and customer_id = ${customerId}
          and at > now() - interval '1 day' limit ${enough}) found) as declines
    from (select) nothing
    left join customer c
      on c.tenant_id = ${tenantId} and c.customer_id = ${customerId} and coalesce(c.currency, ${currency}) = ${currency}
    left join usual u on u.tenant_id = ${tenantId} and u.currency = ${currency}
    left join lateral (
      select rejected, refunded, orders from abused_good
      where tenant_id = ${tenantId} and variant_id = any(${variantIds}::uuid[])
      order by (rejected + refunded / 4.0) / (orders + 20) desc limit 1) g on true`;
  const { erased, knownScore, orders, logSum, logSquares, shopOrders, shopLogSum, shopLogSquares, ...rest } =
    row!;
  const { rejected, refunded, goodOrders, ...counts } = rest;
  return {
    isErased: erased,
    knownScore,
    facts: {
      ...counts,
      amountMinor,
      customer: { orders, logSum, logSquares },
      shop: { orders: shopOrders, logSum: shopLogSum, logSquares: shopLogSquares },
      goodsAbuse: goodsAbuseOf({ rejected, refunded, orders: goodOrders }),
    },
  };
};

/**
 * Pieces of a statement that remembers an order and where it came from.
 * @param customerId null for somebody erased: the order counts, and is nobody's
 */
export const remembering = (
  tenantId: string,
  customerId: string | null,
  { orderId, amountMinor, currency, variantIds, addressHash, deviceHash, networkHash }: Arrival,
): Part => {
  const seen = customerId === null ? [null, null, null] : [addressHash, deviceHash, networkHash];
  return part`
    remembered as (
      insert into recent_order
        (tenant_id, order_id, customer_id, amount_minor, currency, address_hash, device_hash, network_hash, variant_ids)
      values (${tenantId}, ${orderId}, ${customerId}, ${amountMinor}, ${currency}, ${seen[0]}, ${seen[1]}, ${seen[2]},
        ${variantIds}::uuid[])
      on conflict do nothing),
    sighted as (
      insert into sighting (tenant_id, kind, hash, customer_id)
      select ${tenantId}::uuid, kind, hash, ${customerId}::uuid
      from unnest(array['address', 'device', 'network'], ${seen}::text[]) as seen (kind, hash)
      where hash is not null
      on conflict (tenant_id, kind, hash, customer_id) do update set last_at = now())`;
};

export const customerRegistered = async (tx: Tx, tenantId: string, userId: string, at: string) => {
  whileNobodyIsErased(tx);
  await tx.sql`
    insert into customer as known (tenant_id, customer_id, registered_at)
    select ${tenantId}, ${userId}, ${at}::timestamptz
    where not exists (select from erased_customer where tenant_id = ${tenantId} and customer_id = ${userId})
    on conflict (tenant_id, customer_id) do update
      set registered_at = least(known.registered_at, excluded.registered_at)`;
};

export const addressChanged = async (tx: Tx, tenantId: string, userId: string, at: string) => {
  whileNobodyIsErased(tx);
  await tx.sql`
    insert into customer as known (tenant_id, customer_id, address_changed_at)
    select ${tenantId}, ${userId}, ${at}::timestamptz
    where not exists (select from erased_customer where tenant_id = ${tenantId} and customer_id = ${userId})
    on conflict (tenant_id, customer_id) do update
      set address_changed_at = greatest(known.address_changed_at, excluded.address_changed_at)`;
};

/** The sums that others are compared with stay; whose they were, and where they came from, goes. */
export const eraseCustomer = async (tx: Tx, tenantId: string, customerId: string): Promise<void> => {
  await tx.sql`select pg_advisory_xact_lock(${erasure})`;
  await tx.sql`
    insert into erased_customer (tenant_id, customer_id) values (${tenantId}, ${customerId}) on conflict do nothing`;
  await tx.sql`delete from customer where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await tx.sql`delete from decline where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await tx.sql`
    delete from abused_hash a using sighting s
    where s.tenant_id = ${tenantId} and s.customer_id = ${customerId}
      and a.tenant_id = s.tenant_id and a.kind = s.kind and a.hash = s.hash
      and not exists (select from sighting o where o.tenant_id = s.tenant_id and o.kind = s.kind and o.hash = s.hash
        and o.customer_id <> s.customer_id)`;
  await tx.sql`delete from sighting where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await tx.sql`
    update recent_order set customer_id = null, address_hash = null, device_hash = null, network_hash = null
    where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await tx.sql`
    update review_audit set note = null where note is not null and assessment_id in (
      select id from assessment where tenant_id = ${tenantId} and customer_id = ${customerId})`;
  await tx.sql`
    update assessment set customer_id = null where tenant_id = ${tenantId} and customer_id = ${customerId}`;
};

/** Rows of one turn: a long deletion would hold its locks while orders wait. */
const most = 5_000;

/** Takes what was paid since into the shop's usual; every tenant's at once. */
export const learnUsual = async (sql: Sql): Promise<number> => {
  const [row] = await sql<{ rows: number }>`
    with paid as (
      update assessment set is_usual = true where id in (
        select id from assessment where captured_at is not null and not is_usual
        limit ${most} for update skip locked)
      returning tenant_id, currency, ln(greatest(amount_minor, 1)::float8) as log),
    sums as (
      insert into usual as known (tenant_id, currency, orders, log_sum, log_squares)
      select tenant_id, currency, count(*), sum(log), sum(log * log) from paid group by tenant_id, currency
      on conflict (tenant_id, currency) do update set orders = known.orders + excluded.orders,
        log_sum = known.log_sum + excluded.log_sum, log_squares = known.log_squares + excluded.log_squares)
    select count(*) as rows from paid`;
  return row!.rows;
};

/** How often a good with a record was ordered lately: what its record is measured by. */
export const countGoods = async (sql: Sql): Promise<void> => {
  await sql`
    update abused_good g set orders = o.orders
    from (
      select tenant_id, variant_id, count(*)::int as orders
      from recent_order cross join lateral unnest(variant_ids) as variant_id
      group by tenant_id, variant_id) o
    where o.tenant_id = g.tenant_id and o.variant_id = g.variant_id and o.orders <> g.orders`;
};

/** Thirty days of orders and sightings, seven of declines, a year of rejected places. */
export const prune = async (sql: Sql): Promise<number> => {
  const [row] = await sql<{ rows: number }>`
    with orders as (delete from recent_order where (tenant_id, order_id) in (
        select tenant_id, order_id from recent_order where at < now() - interval '30 days' limit ${most}) returning 1),
      sightings as (delete from sighting where (tenant_id, kind, hash, customer_id) in (
        select tenant_id, kind, hash, customer_id from sighting
        where last_at < now() - interval '30 days' limit ${most}) returning 1),
      declines as (delete from decline where at < now() - interval '7 days' returning 1),
      hashes as (delete from abused_hash where last_at < now() - interval '1 year' returning 1)
    select (select count(*) from orders) + (select count(*) from sightings)
      + (select count(*) from declines) + (select count(*) from hashes) as rows`;
  return row!.rows;
};
