import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { testDatabase } from '../stack/migrate.ts';
import { inTransaction } from './copy.ts';
import { seedId } from './ids.ts';
import { loadFraud } from './load-fraud.ts';
import { invoices } from './online-retail.ts';

const tenantId = '01900000-0000-7000-8000-000000000001';
let client: pg.Client;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await testDatabase({ serverUrl: inject('services').databaseUrl, subgraph: 'fraud' });
  drop = database.drop;
  client = new pg.Client(database.url);
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await drop?.();
});

test('what a customer and the shop usually order is known from the real sales, and a second start adds nothing', async () => {
  const load = () => inTransaction(client, () => loadFraud(client, tenantId));
  const began = performance.now();
  await load();
  console.log(`loaded in ${Math.round(performance.now() - began)} ms`);
  await load();
  const sales = [...invoices()];
  const { rows: shop } = await client.query('select orders, exp(log_sum / orders) as typical from usual');
  expect(shop).toEqual([{ orders: sales.length, typical: expect.any(Number) }]);
  expect(shop[0].typical).toBeGreaterThan(10_000);

  const own = sales.filter(({ customer }) => customer === '17850');
  const sum = own
    .flatMap(({ lines }) => lines)
    .reduce((total, { quantity, unitPriceMinor }) => total + quantity * unitPriceMinor, 0);
  const { rows } = await client.query(
    'select orders, sum_minor::float8 as sum, registered_at is not null as known from customer where customer_id = $1',
    [seedId('user', '17850')],
  );
  expect(rows).toEqual([{ orders: own.length, sum, known: true }]);
});
