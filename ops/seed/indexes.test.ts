import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { tablesOf } from './imported.ts';
import { putIndexesAside } from './indexes.ts';

const names = ['orders', 'payments'] as const;
let shop: Record<(typeof names)[number], TestDatabase<undefined>>;

beforeAll(async () => {
  const [orders, payments] = await Promise.all(names.map((name) => testDatabase(name)));
  shop = { orders: orders!, payments: payments! };
});
afterAll(() => Promise.all(names.map((name) => shop?.[name].close())));

/** Every index, constraint and column of the schema, as the server spells them. */
const shape = `
  select indexdef as what from pg_indexes where schemaname = 'public'
  union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'public'::regnamespace
  union all select attrelid::regclass || ' ' || attname || ' ' || attnotnull from pg_attribute a
    join pg_class c on c.oid = a.attrelid where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
  order by 1`;

test.each(names)('the indexes of %s are what they were after a large load', async (name) => {
  const client = await shop[name].database.pool.connect();
  const indexes = async () =>
    (
      await client.query<{ n: number }>(
        'select count(*)::int as n from pg_index where indrelid = any ($1::text[]::regclass[])',
        [tablesOf[name]],
      )
    ).rows[0]!.n;
  try {
    const before = (await client.query(shape)).rows;
    const all = await indexes();
    await client.query('begin');
    const makeAgain = await putIndexesAside(client, tablesOf[name]);
    // Those that foreign keys rest on stay.
    expect(await indexes()).toBe(name === 'orders' ? 1 : 2);
    await makeAgain();
    await client.query('commit');
    expect(await indexes()).toBe(all);
    expect((await client.query(shape)).rows).toEqual(before);
  } finally {
    client.release(true);
  }
});

test('a number that two orders share is found when the indexes are made again', async () => {
  const client = await shop.orders.database.pool.connect();
  const order = `insert into orders (id, tenant_id, number, status, version, placed_at, updated_at, currency,
      subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor)
    values (gen_random_uuid(), '00000000-0000-7000-8000-000000000000', 'G-1', 'DELIVERED', 1, now(), now(), 'GBP', 1, 0, 0, 0, 1)`;
  try {
    await client.query('begin');
    const makeAgain = await putIndexesAside(client, tablesOf.orders);
    await client.query(order);
    await client.query(order);
    await expect(makeAgain()).rejects.toMatchObject({ code: '23505' });
  } finally {
    await client.query('rollback');
    client.release();
  }
});
