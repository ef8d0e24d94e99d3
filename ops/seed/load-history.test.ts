import { newId } from '@orderstream/runtime/ids';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { inTransaction } from './copy.ts';
import { seedId } from './ids.ts';
import { countStrays } from './imported.ts';
import { history, loadOrderHistory, loadPaymentHistory } from './load-history.ts';
import { invoices } from './online-retail.ts';

const tenantId = newId();
const sales = [...invoices()];
const revenue = sales
  .flatMap(({ lines }) => lines)
  .reduce((sum, { quantity, unitPriceMinor }) => sum + quantity * unitPriceMinor, 0);

let orders: TestDatabase<undefined>;
let payments: TestDatabase<undefined>;

const within = async (
  { database }: TestDatabase<undefined>,
  load: (client: pg.ClientBase, tenantId: string) => Promise<void>,
): Promise<void> => {
  const client = await database.pool.connect();
  try {
    await inTransaction(client, () => load(client, tenantId));
  } finally {
    client.release();
  }
};

beforeAll(async () => {
  [orders, payments] = await Promise.all([testDatabase('orders'), testDatabase('payments')]);
  const load = () => Promise.all([within(orders, loadOrderHistory), within(payments, loadPaymentHistory)]);
  const began = performance.now();
  await load();
  console.log(`history loaded in ${Math.round(performance.now() - began)} ms`);
  // A second start.
  await load();
});
afterAll(() => Promise.all([orders?.close(), payments?.close()]));

test('every real sale is an order that was delivered, with the customer, the day and the money of the source', async () => {
  const [found] = await orders.database.sql`
    select count(*) as orders, count(customer_id) as known, count(distinct customer_id) as customers,
      sum(total_minor)::bigint as revenue, count(*) filter (where status <> 'DELIVERED' or version <> 1) as others,
      min(placed_at) as first, max(placed_at) as last from orders where tenant_id = ${tenantId}`;
  const days = sales.map(({ placedAt }) => placedAt.getTime());
  expect(found).toEqual({
    orders: 14_201,
    known: 13_081,
    customers: 3_613,
    revenue,
    others: 0,
    first: new Date(Math.min(...days)),
    last: new Date(Math.max(...days)),
  });
  const [lines] = await orders.database.sql`
    select count(*) as lines, sum(line_total_minor)::bigint as revenue,
      count(distinct order_id) as orders from order_line`;
  const sold = sales.reduce((sum, sale) => sum + sale.lines.length, 0);
  expect(lines).toEqual({ lines: sold, revenue, orders: 14_201 });
});

test('a sale can be found by its invoice, and reads as it was', async () => {
  const sale = sales.find(({ number }) => number === '536365')!;
  const id = seedId('order', sale.number, sale.placedAt);
  const [order] = await orders.database.sql`
    select id, customer_id, placed_at, subtotal_minor, shipping_minor, tax_minor, total_minor, idempotency_key
    from orders where tenant_id = ${tenantId} and number = 'H-536365'`;
  const subtotal = sale.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);
  expect(order).toEqual({
    id,
    customer_id: seedId('user', '17850'),
    placed_at: new Date('2010-12-01T08:26:00.000Z'),
    subtotal_minor: subtotal,
    shipping_minor: 0,
    // 15.30, 20.34, 22.00, 20.34, 20.34, 15.30 and 25.50: a sixth of each, rounded
    tax_minor: 255 + 339 + 367 + 339 + 339 + 255 + 425,
    total_minor: subtotal,
    idempotency_key: null,
  });
  const lines = await orders.database.sql`
    select sku, quantity, unit_price_minor as "unitPriceMinor" from order_line where order_id = ${id} order by position`;
  expect(lines).toEqual(sale.lines);
  const events = await orders.database.sql`
    select seq, version, type, actor, at, from_step, to_step, from_status, to_status from order_event
    where order_id = ${id}`;
  expect(events).toEqual([
    {
      seq: 1,
      version: 1,
      type: 'imported',
      actor: 'import',
      at: sale.placedAt,
      from_step: null,
      to_step: null,
      from_status: null,
      to_status: 'DELIVERED',
    },
  ]);
});

test('nothing waits for a sale of the past and nobody is told of it', async () => {
  const [still] = await orders.database.sql`
    select (select count(*) from saga) as sagas, (select count(*) from plumbing.outbox) as messages`;
  expect(still).toEqual({ sagas: 0, messages: 0 });
  const [quiet] = await payments.database.sql`
    select count(*) filter (where wanted is not null) as wanted, (select count(*) from plumbing.outbox) as messages
    from payment`;
  expect(quiet).toEqual({ wanted: 0, messages: 0 });
});

test('every sale was paid, and the book says so to the penny', async () => {
  const [paid] = await payments.database.sql`
    select count(*) as payments, count(customer_id) as known, sum(captured_minor)::bigint as captured,
      count(*) filter (where state <> 'CAPTURED' or provider <> 'import' or authorized_minor <> captured_minor
        or amount_minor <> captured_minor or version <> 1) as others,
      (select count(*) from payment_event) as events from payment where tenant_id = ${tenantId}`;
  expect(paid).toEqual({ payments: 14_201, known: 13_081, captured: revenue, others: 0, events: 14_201 });
  const accounts = await payments.database.sql`
    select account, sum(amount_minor)::bigint as amount, count(*) as entries from ledger_entry group by 1 order by 1`;
  expect(accounts).toEqual([
    { account: 'customer_receivable', amount: 0, entries: 28_402 },
    { account: 'provider_clearing', amount: revenue, entries: 14_201 },
    { account: 'revenue', amount: -revenue, entries: 14_201 },
  ]);
  const client = await payments.database.pool.connect();
  try {
    expect(await countStrays(client, 'payments')).toBe(0);
  } finally {
    client.release();
  }
});

type Plan = { 'QUERY PLAN': readonly [{ Plan: Record<'Shared Hit Blocks' | 'Shared Read Blocks', number> }] };

/** A page as the orders subgraph reads it, and how many blocks of 8 kB that took. */
const pageAfter = async (last: { placed_at: Date; id: string } | null) => {
  const seek = last ? 'and (o.placed_at, o.id) < ($2::timestamptz, $3::uuid)' : '';
  const page = `select id, placed_at from orders o where o.tenant_id = $1 ${seek}
    order by o.placed_at desc, o.id desc limit 21`;
  const values = last ? [tenantId, last.placed_at, last.id] : [tenantId];
  const { pool } = orders.database;
  const { rows } = await pool.query<{ id: string; placed_at: Date }>(page, values);
  const { rows: plans } = await pool.query<Plan>(`explain (analyze, buffers, format json) ${page}`, values);
  const { Plan: plan } = plans[0]!['QUERY PLAN'][0];
  return { rows: rows.slice(0, 20), blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] };
};

test('page 700 of all orders costs what page 1 costs', async () => {
  const first = await pageAfter(null);
  const [before] = await orders.database.sql<{ id: string; placed_at: Date }>`
    select id, placed_at from orders order by placed_at desc, id desc offset ${699 * 20 - 1} limit 1`;
  const deep = await pageAfter(before!);
  expect(first.rows).toHaveLength(20);
  expect(deep.rows).toHaveLength(20);
  expect(deep.rows[0]!.placed_at.getTime()).toBeLessThanOrEqual(before!.placed_at.getTime());
  // Twenty rows lie on twenty blocks at worst; reading up to the page would take hundreds.
  expect(first.blocks).toBeLessThan(40);
  expect(deep.blocks).toBeLessThan(40);
});

test('order and payment agree, sale by sale', async () => {
  const amounts = async ({ database }: TestDatabase<undefined>, table: 'orders' | 'payment') =>
    table === 'orders'
      ? database.sql`select id, customer_id, total_minor as amount from orders order by id`
      : database.sql`select order_id as id, customer_id, amount_minor as amount from payment order by order_id`;
  expect(await amounts(payments, 'payment')).toEqual(await amounts(orders, 'orders'));
});

test('every order has an address, and its customer is one of the shop or nobody', () => {
  const wrong = [...history()].filter(
    ({ address, customerId, lines }) => !address.city || customerId === '' || lines.length === 0,
  );
  expect(wrong).toEqual([]);
});
