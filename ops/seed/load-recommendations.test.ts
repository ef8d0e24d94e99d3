import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { testDatabase } from '../stack/migrate.ts';
import { inTransaction } from './copy.ts';
import { seedId } from './ids.ts';
import { loadRecommendations } from './load-recommendations.ts';
import { invoices } from './online-retail.ts';

const tenantId = '01900000-0000-7000-8000-000000000001';
let client: pg.Client;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await testDatabase({
    serverUrl: inject('services').databaseUrl,
    subgraph: 'recommendations',
  });
  drop = database.drop;
  client = new pg.Client(database.url);
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await drop?.();
});

test('every real sale is a purchase of its customer and its goods, and a second start adds nothing', async () => {
  const load = () => inTransaction(client, () => loadRecommendations(client, tenantId));
  await load();
  await load();
  const sales = [...invoices()];
  const goods = sales.reduce((sum, { lines }) => sum + new Set(lines.map(({ sku }) => sku)).size, 0);
  const { rows } = await client.query(
    'select count(*)::int as goods, count(distinct order_id)::int as orders, count(distinct customer_id)::int as customers from purchase',
  );
  expect(rows).toEqual([{ goods, orders: sales.length, customers: 3_613 }]);

  const sale = sales.find(({ customer, lines }) => customer && lines.length > 1)!;
  const [line] = sale.lines;
  const pieces = sale.lines
    .filter(({ sku }) => sku === line!.sku)
    .reduce((sum, { quantity }) => sum + quantity, 0);
  const found = await client.query(
    'select customer_id, quantity, at from purchase where tenant_id = $1 and order_id = $2 and product_id = $3',
    [tenantId, seedId('order', sale.number, sale.placedAt), seedId('product', line!.sku)],
  );
  expect(found.rows).toEqual([
    { customer_id: seedId('user', sale.customer!), quantity: pieces, at: sale.placedAt },
  ]);
  // Nothing is computed before the shop is open; that something is to be learnt is known.
  expect((await client.query('select version, read_at from learning')).rows).toEqual([
    { version: 0, read_at: null },
  ]);
});
