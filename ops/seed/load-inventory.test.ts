import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { seedId } from './ids.ts';
import { loadInventory } from './load-inventory.ts';
import { goods } from './online-retail.ts';
import { openingStock, warehouses } from './stock.ts';

const tenantId = newId();
let db: TestDatabase<undefined>;

const load = async (): Promise<void> => {
  const client = await db.database.pool.connect();
  try {
    await client.query('begin');
    await loadInventory(client, tenantId);
    await client.query('commit');
  } finally {
    client.release();
  }
};

beforeAll(async () => {
  db = await testDatabase('inventory');
  // Two at once, as when two programs start the same shop.
  await Promise.all([load(), load()]);
  await load();
});
afterAll(() => db?.close());

test('every good lies in every warehouse with what the shop opens with, and a movement explains each of it', async () => {
  const [count] = await db.database.sql`
    select (select count(*) from warehouse) as warehouses, (select count(*) from stock) as stock,
      (select count(*) from variant_level) as levels, (select count(*) from catalog_variant) as variants`;
  const sold = goods();
  expect(count).toEqual({
    warehouses: warehouses.length,
    stock: sold.length * warehouses.length,
    levels: sold.length,
    variants: sold.length,
  });
  const levels = await db.database.sql<{ variant_id: string; available: number }>`
    select variant_id, available from variant_level`;
  const opening = new Map([...openingStock(sold)].map(([sku, units]) => [seedId('variant', sku), units]));
  expect(new Map(levels.map((level) => [level.variant_id, level.available]))).toEqual(opening);
  const unexplained = await db.database.sql`
    select s.id from stock s left join movement m
      on m.variant_id = s.variant_id and m.warehouse_id = s.warehouse_id and m.kind = 'received'
    group by s.id having s.on_hand <> coalesce(sum(m.quantity), 0) or s.received <> s.on_hand`;
  expect(unexplained).toEqual([]);
});
