import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../tests/database.ts';
import { inTransaction } from './copy.ts';
import { seedId } from './ids.ts';
import { loadCatalog, productSlugs } from './load-catalog.ts';
import { loadVariantCopy } from './load-variant-copy.ts';
import { goods } from './online-retail.ts';

const tenantId = '01900000-0000-7000-8000-000000000001';
const all = goods();

let catalog: TestDatabase<undefined>;
let inventory: TestDatabase<undefined>;
let client: pg.Client;
beforeAll(async () => {
  [catalog, inventory] = await Promise.all([testDatabase('catalog'), testDatabase('inventory')]);
  client = new pg.Client({ connectionString: catalog.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await Promise.all([catalog?.close(), inventory?.close()]);
});

test('every good has an address of its own, readable and the same on every machine', () => {
  const slugs = productSlugs(all);
  expect(new Set(slugs.values()).size).toBe(all.length);
  expect(slugs.get('85123A')).toBe('white-hanging-heart-t-light-holder');
  expect([...slugs].filter(([sku, slug]) => slug.endsWith(`-${sku.toLowerCase()}`)).length).toBeLessThan(300);
  for (const slug of slugs.values()) expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});

test('two starters at once fill the shelves once', async () => {
  const other = new pg.Client({ connectionString: catalog.url });
  await other.connect();
  const load = (by: pg.Client) => inTransaction(by, () => loadCatalog(by, tenantId, all));
  await Promise.all([load(client), load(other)]);
  await load(other);
  await other.end();
  const [counts] = await catalog.database.sql`
    select (select count(*) from product) as products, (select count(*) from variant) as variants,
      (select count(*) from category) as categories`;
  expect(counts).toEqual({ products: all.length, variants: all.length, categories: 50 });
});

test('nothing waits to be filed: a search for goods without a word would find those half filed', async () => {
  const filed = await catalog.database.sql`select gin_clean_pending_list('product_by_words') as waiting`;
  expect(filed).toEqual([{ waiting: 0 }]);
});

test('a load that fails leaves nothing behind, so that the next start loads again', async () => {
  const elsewhere = '01900000-0000-7000-8000-000000000009';
  const [first, ...rest] = all;
  const goods = [first!, { ...rest[0]!, priceMinor: -1 }];
  const load = inTransaction(client, () => loadCatalog(client, elsewhere, goods));
  await expect(load).rejects.toThrow('variant_price_check');
  const left = await catalog.database.sql`select from category where tenant_id = ${elsewhere}`;
  expect(left).toEqual([]);
});

test('the copies that others keep are what the catalog would have told them', async () => {
  const copier = new pg.Client({ connectionString: inventory.url });
  await copier.connect();
  await loadVariantCopy(copier, tenantId, all);
  await loadVariantCopy(copier, tenantId, all);
  await copier.end();
  const copied = await inventory.database.sql`
    select variant_id, product_id, sku, name, price_minor, currency, weight_grams, active, version
    from catalog_variant where tenant_id = ${tenantId} order by variant_id`;
  const owned = await catalog.database.sql`
    select id as variant_id, product_id, sku, name, price_minor, currency, weight_grams, active, version
    from variant where tenant_id = ${tenantId} order by id`;
  expect(owned).toHaveLength(all.length);
  expect(copied).toEqual(owned);
  expect(copied.find((row) => row.sku === '85123A')).toMatchObject({
    variant_id: seedId('variant', '85123A'),
    price_minor: 295,
    currency: 'GBP',
  });
});
