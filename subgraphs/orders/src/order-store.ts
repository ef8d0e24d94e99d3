import { type Db, joined, type Part, part, raw } from '@orderstream/runtime/database';
import { grouped, inOrder } from '@orderstream/runtime/loaders';
import { money } from '@orderstream/runtime/money';
import type { Page } from '@orderstream/runtime/paging';
import type { Pending, Step } from './checkout.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import type { Order, OrderEvent, OrderLine, OrderStatus } from './order.ts';

type Row = {
  id: string;
  number: string;
  customer_id: string | null;
  status: OrderStatus;
  status_reason: string | null;
  version: number;
  placed_at: Date;
  updated_at: Date;
  currency: string;
  subtotal_minor: number;
  discount_minor: number;
  shipping_minor: number;
  tax_minor: number;
  total_minor: number;
  recipient: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  postcode: string | null;
  country: string | null;
  step: Step | null;
  pending: Pending | null;
  needs_operator: boolean | null;
  deadline_at: Date | null;
};

const columns =
  raw(`o.id, o.number, o.customer_id, o.status, o.status_reason, o.version, o.placed_at, o.updated_at,
  o.currency, o.subtotal_minor, o.discount_minor, o.shipping_minor, o.tax_minor, o.total_minor, o.recipient, o.line1,
  o.line2, o.city, o.postcode, o.country, g.step, g.pending, g.needs_operator, g.deadline_at`);

const erased = 'erased';

const toOrder = (row: Row): Order => ({
  id: row.id,
  number: row.number,
  customerId: row.customer_id,
  status: row.status,
  statusReason: row.status_reason,
  version: row.version,
  placedAt: row.placed_at,
  updatedAt: row.updated_at,
  subtotal: money(row.subtotal_minor, row.currency),
  discountTotal: money(row.discount_minor, row.currency),
  shippingTotal: money(row.shipping_minor, row.currency),
  taxTotal: money(row.tax_minor, row.currency),
  total: money(row.total_minor, row.currency),
  shippingAddress: {
    recipient: row.recipient ?? erased,
    line1: row.line1 ?? erased,
    line2: row.line2,
    city: row.city ?? erased,
    postcode: row.postcode ?? erased,
    country: row.country ?? erased,
  },
  checkout: row.step && {
    step: row.step,
    pending: row.pending,
    needsOperator: row.needs_operator ?? false,
  },
  deadlineAt: row.deadline_at,
});

const ordersBy = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  keys: readonly string[],
  isAmong: Part,
  keyOf: (order: Order) => string,
): Promise<(Order | null)[]> => {
  const rows = await db.sql<Row>`
    select ${columns} from orders o left join saga g on g.order_id = o.id
    where o.tenant_id = ${tenantId} and ${isAmong}`;
  return inOrder(keys, rows.map(toOrder), keyOf);
};

export const ordersByIds = (db: Pick<Db, 'sql'>, tenantId: string, ids: readonly string[]) =>
  ordersBy(
    db,
    tenantId,
    ids,
    // One by itself has a plan that is kept; of a list the server makes a new one for each length.
    ids.length === 1 ? part`o.id = ${ids[0]}` : part`o.id = any(${ids}::uuid[])`,
    (order) => order.id,
  );

/** Rides on orders_number. */
export const ordersByNumbers = (db: Pick<Db, 'sql'>, tenantId: string, numbers: readonly string[]) =>
  ordersBy(db, tenantId, numbers, part`o.number = any(${numbers}::text[])`, (order) => order.number);

type LineRow = {
  id: string;
  order_id: string;
  variant_id: string;
  sku: string;
  name: string;
  quantity: number;
  unit_price_minor: number;
  line_total_minor: number;
  currency: string;
};

const lineColumns = raw(
  `l.id, l.order_id, l.variant_id, l.sku, l.name, l.quantity, l.unit_price_minor, l.line_total_minor, o.currency`,
);

const toLine = (row: LineRow): OrderLine => ({
  id: row.id,
  orderId: row.order_id,
  variantId: row.variant_id,
  sku: row.sku,
  name: row.name,
  quantity: row.quantity,
  unitPrice: money(row.unit_price_minor, row.currency),
  lineTotal: money(row.line_total_minor, row.currency),
});

/** Rides on order_line_place. */
export const linesOf = async (db: Pick<Db, 'sql'>, orderIds: readonly string[]): Promise<OrderLine[][]> => {
  const rows = await db.sql<LineRow>`
    select ${lineColumns} from order_line l join orders o on o.id = l.order_id
    where l.order_id = any(${orderIds}::uuid[]) order by l.order_id, l.position`;
  return grouped(orderIds, rows.map(toLine), (line) => line.orderId);
};

export type OwnedLine = { readonly line: OrderLine; readonly customerId: string | null };

/** Each with the customer of its order, who may read it. */
export const linesByIds = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  ids: readonly string[],
): Promise<(OwnedLine | null)[]> => {
  const rows = await db.sql<LineRow & { customer_id: string | null }>`
    select ${lineColumns}, o.customer_id from order_line l join orders o on o.id = l.order_id
    where l.tenant_id = ${tenantId} and l.id = any(${ids}::uuid[])`;
  const lines = rows.map((row): OwnedLine => ({ line: toLine(row), customerId: row.customer_id }));
  return inOrder(ids, lines, ({ line }) => line.id);
};

export const eventsOf = async (
  prisma: PrismaClient,
  orderIds: readonly string[],
): Promise<OrderEvent[][]> => {
  const rows = await prisma.orderEvent.findMany({
    where: { orderId: { in: [...orderIds] } },
    orderBy: { seq: 'asc' },
  });
  const events = rows.map(
    (row): OrderEvent => ({
      orderId: row.orderId,
      seq: row.seq,
      version: row.version,
      type: row.type,
      at: row.at,
      actor: row.actor,
      from: row.fromStatus as OrderStatus | null,
      to: row.toStatus as OrderStatus,
      reason: row.reason,
    }),
  );
  return grouped(orderIds, events, (event) => event.orderId);
};

export const sorts = {
  PLACED_DESC: {
    column: 'o.placed_at',
    cast: 'timestamptz',
    isDown: true,
    of: (o: Order) => o.placedAt.toISOString(),
  },
  PLACED_ASC: {
    column: 'o.placed_at',
    cast: 'timestamptz',
    isDown: false,
    of: (o: Order) => o.placedAt.toISOString(),
  },
  TOTAL_DESC: {
    column: 'o.total_minor',
    cast: 'bigint',
    isDown: true,
    of: (o: Order) => String(o.total.amountMinor),
  },
  TOTAL_ASC: {
    column: 'o.total_minor',
    cast: 'bigint',
    isDown: false,
    of: (o: Order) => String(o.total.amountMinor),
  },
  UPDATED_DESC: {
    column: 'o.updated_at',
    cast: 'timestamptz',
    isDown: true,
    of: (o: Order) => o.updatedAt.toISOString(),
  },
} as const;

export type Sort = keyof typeof sorts;

export type Filter = {
  readonly customerId: string | null;
  readonly statuses: readonly OrderStatus[] | null;
  readonly placedFrom: Date | null;
  readonly placedTo: Date | null;
  readonly totalMin: number | null;
  readonly totalMax: number | null;
  readonly search: string | null;
  readonly productId: string | null;
};

/** Only the conditions that are asked for, so that each combination can ride on its own index. */
const conditions = (filter: Filter): Part =>
  joined(
    [
      filter.customerId !== null && part`and o.customer_id = ${filter.customerId}`,
      filter.statuses !== null && part`and o.status = any(${filter.statuses}::text[])`,
      filter.placedFrom !== null && part`and o.placed_at >= ${filter.placedFrom}`,
      filter.placedTo !== null && part`and o.placed_at < ${filter.placedTo}`,
      filter.totalMin !== null && part`and o.total_minor >= ${filter.totalMin}`,
      filter.totalMax !== null && part`and o.total_minor <= ${filter.totalMax}`,
      filter.search !== null &&
        part`and (starts_with(o.number, upper(${filter.search})) or exists
          (select 1 from order_line l where l.order_id = o.id and l.sku = upper(${filter.search})))`,
      filter.productId !== null &&
        part`and exists (select 1 from order_line l join catalog_variant v on v.variant_id = l.variant_id
          where l.order_id = o.id and v.product_id = ${filter.productId})`,
    ].filter((condition) => condition !== false),
  );

/** The cursor is the last row seen, so page 10,000 costs what page 1 costs. One row more than asked for is read. */
export const orderPage = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  filter: Filter,
  sort: Sort,
  { first, after }: Page,
): Promise<Order[]> => {
  const { column, cast, isDown } = sorts[sort];
  const [by, direction, beyond] = [raw(column), raw(isDown ? 'desc' : 'asc'), raw(isDown ? '<' : '>')];
  const seek = after
    ? part`and (${by}, o.id) ${beyond} (${after.at}::${raw(cast)}, ${after.id}::uuid)`
    : raw('');
  const rows = await db.sql<Row>`
    select ${columns} from orders o left join saga g on g.order_id = o.id
    where o.tenant_id = ${tenantId} ${conditions(filter)} ${seek}
    order by ${by} ${direction}, o.id ${direction} limit ${first + 1}`;
  return rows.map(toOrder);
};

/** Beyond this many rows a count is only said to be "at least". */
const countedAtMost = 10_000;

export const countOrders = async (
  db: Pick<Db, 'sql'>,
  tenantId: string,
  filter: Filter,
): Promise<{ total: number; isEstimate: boolean }> => {
  const [row] = await db.sql<{ n: number }>`
    select count(*) as n from (
      select 1 from orders o where o.tenant_id = ${tenantId} ${conditions(filter)} limit ${countedAtMost + 1}) counted`;
  const n = row?.n ?? 0;
  return { total: Math.min(n, countedAtMost), isEstimate: n > countedAtMost };
};
