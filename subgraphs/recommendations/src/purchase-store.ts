// Who bought what, and what visitors put into carts.
import { type Db, type Part, part, type Sql, type Tx } from '@orderstream/runtime/database';
import type { Basket, Purchase } from './recommendation.ts';

export type Sale = {
  readonly tenantId: string;
  readonly orderId: string;
  readonly customerId: string | null;
  readonly at: Date;
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
};

/**
 * An erasure and an order of the same customer come on different topics, so at the same time. Orders share this lock, an
 * erasure has it alone: one of the two sees what the other wrote.
 */
const erasure = 0x6572_6173;
export const whileNobodyIsErased = async (tx: Tx): Promise<void> => {
  await tx.sql`select pg_advisory_xact_lock_shared(${erasure})`;
};

/** The end of a statement. Written once in ten seconds: every order would wait for the one before it otherwise. */
const purchasesChanged = (tenantIds: readonly string[]): Part => part`
  begun as (
    insert into learning (tenant_id) select distinct id from unnest(${tenantIds}::uuid[]) as id
    on conflict do nothing)
  update learning set changed_at = now()
  where tenant_id = any(${tenantIds}::uuid[]) and changed_at < now() - interval '10 seconds'`;

const linesOf = ({ lines, ...sale }: Sale) => {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines)
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  return [...quantities].map(([productId, quantity]) => ({ ...sale, productId, quantity }));
};

/** Again and nothing happens: a good that stands in the order already stays as it is, cancelled or not. */
export const addSales = async (tx: Tx, sales: readonly Sale[]): Promise<void> => {
  if (sales.length === 0) return;
  const lines = sales.flatMap(linesOf);
  await whileNobodyIsErased(tx);
  await tx.sql`
    with bought as (
      insert into purchase (tenant_id, order_id, product_id, customer_id, quantity, at)
      select tenant_id, order_id, product_id, case when not exists (
          select from erased_customer e where e.tenant_id = line.tenant_id and e.customer_id = line.customer_id)
        then customer_id end, quantity, at
      from unnest(${lines.map((line) => line.tenantId)}::uuid[], ${lines.map((line) => line.orderId)}::uuid[],
        ${lines.map((line) => line.productId)}::uuid[], ${lines.map((line) => line.customerId)}::uuid[],
        ${lines.map((line) => line.quantity)}::integer[], ${lines.map((line) => line.at)}::timestamptz[])
        as line (tenant_id, order_id, product_id, customer_id, quantity, at)
      on conflict do nothing),
    ${purchasesChanged(sales.map(({ tenantId }) => tenantId))}`;
};

export type Cancelled = { readonly tenantId: string; readonly orderId: string };

export const cancelSales = async (tx: Tx, orders: readonly Cancelled[]): Promise<void> => {
  if (orders.length === 0) return;
  const tenantIds = orders.map(({ tenantId }) => tenantId);
  await tx.sql`
    with returned as (
      update purchase p set cancelled = true
      from (select distinct * from unnest(${tenantIds}::uuid[], ${orders.map(({ orderId }) => orderId)}::uuid[]))
        as o (tenant_id, order_id)
      where p.tenant_id = o.tenant_id and p.order_id = o.order_id and not p.cancelled),
    ${purchasesChanged(tenantIds)}`;
};

/** The purchases stay, as anybody's; what the customer had in mind goes. */
export const eraseCustomer = async (tx: Tx, tenantId: string, customerId: string): Promise<void> => {
  await tx.sql`select pg_advisory_xact_lock(${erasure})`;
  await tx.sql`
    insert into erased_customer (tenant_id, customer_id) values (${tenantId}, ${customerId}) on conflict do nothing`;
  await tx.sql`
    update purchase set customer_id = null where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await tx.sql`delete from interest where tenant_id = ${tenantId} and visitor = ${customerId}`;
};

const latestOrders = 50;
const mostPurchases = 1_000;

type PurchaseRow = {
  readonly customer_id: string;
  readonly product_id: string;
  readonly orders_ago: number;
};

/** Of the latest orders of each customer; rides on purchase_of_customer. */
export const purchasesOf = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  customerIds: readonly string[],
): Promise<Purchase[][]> => {
  const rows = await db.sql<PurchaseRow>`
    select bought.* from unnest(${customerIds}::uuid[]) as asked (id) cross join lateral (
      select customer_id, product_id, dense_rank() over (order by at desc, order_id desc)::int - 1 as orders_ago
      from (
        select customer_id, product_id, at, order_id from purchase
        where tenant_id = ${tenantId} and customer_id = asked.id and not cancelled
        order by at desc limit ${mostPurchases}) latest) bought
    where orders_ago < ${latestOrders}`;
  const byCustomer = Map.groupBy(rows, (row) => row.customer_id);
  return customerIds.map((id) =>
    (byCustomer.get(id) ?? []).map((row) => ({ productId: row.product_id, ordersAgo: row.orders_ago })),
  );
};

const mostInterests = 30;

/** What each visitor put into a cart lately. */
export const interestsOf = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  visitors: readonly string[],
): Promise<string[][]> => {
  const rows = await db.sql<{ visitor: string; product_id: string }>`
    select found.* from unnest(${visitors}::text[]) as asked (visitor) cross join lateral (
      select visitor, product_id from interest
      where tenant_id = ${tenantId} and visitor = asked.visitor order by at desc limit ${mostInterests}) found`;
  const byVisitor = Map.groupBy(rows, (row) => row.visitor);
  return visitors.map((visitor) => (byVisitor.get(visitor) ?? []).map((row) => row.product_id));
};

/** More say little that the newest do not, and cost memory. */
const mostBaskets = 50_000;
const pageSize = 500;

type BasketRow = { readonly order_id: string; readonly goods: string };

/** The newest orders that were not cancelled, newest first, read in pages by the primary key. */
export const basketsOf = async (sql: Sql, tenantId: string): Promise<Basket[]> => {
  const baskets: Basket[] = [];
  let before = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  while (baskets.length < mostBaskets) {
    const rows = await sql<BasketRow>`
      select order_id, string_agg(product_id::text, ' ') as goods from purchase
      where tenant_id = ${tenantId} and not cancelled and order_id < ${before}
      group by order_id order by order_id desc limit ${pageSize}`;
    for (const { goods } of rows) baskets.push(goods.split(' '));
    const last = rows.at(-1);
    if (!last || rows.length < pageSize) break;
    before = last.order_id;
  }
  return baskets;
};
