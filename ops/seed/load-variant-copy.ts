import type pg from 'pg';
import { copyRows } from './copy.ts';
import { seedId } from './ids.ts';
import { currency } from './load-catalog.ts';
import type { Good } from './online-retail.ts';

/**
 * What the catalog would have told those who keep a copy of its variants, written straight into the copy: ids,
 * prices and versions are those that load-catalog.ts gives the variants themselves. Does nothing when the tenant has
 * rows there.
 */
export const loadVariantCopy = async (
  client: pg.ClientBase,
  tenantId: string,
  goods: readonly Good[],
  table = 'catalog_variant',
): Promise<void> => {
  const filled = await client.query(`select from ${table} where tenant_id = $1 limit 1`, [tenantId]);
  if (filled.rowCount !== 0) return;
  await copyRows(
    client,
    table,
    [
      'tenant_id',
      'variant_id',
      'product_id',
      'sku',
      'name',
      'price_minor',
      'currency',
      'weight_grams',
      'active',
      'version',
    ],
    goods.map(({ sku, name, priceMinor, weightGrams }) => [
      tenantId,
      seedId('variant', sku),
      seedId('product', sku),
      sku,
      name,
      priceMinor,
      currency,
      weightGrams,
      true,
      1,
    ]),
  );
};
