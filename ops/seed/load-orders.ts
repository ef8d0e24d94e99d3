import type pg from 'pg';
import { copyRows } from './copy.ts';
import { seedId } from './ids.ts';
import { loadVariantCopy } from './load-variant-copy.ts';
import { goods } from './online-retail.ts';
import { openingStock } from './stock.ts';

/** What orders know of goods and stock, as they would have heard it by events. Does nothing where they know something. */
export const loadOrders = async (client: pg.ClientBase, tenantId: string): Promise<void> => {
  const { rowCount } = await client.query('select 1 from catalog_variant where tenant_id = $1 limit 1', [
    tenantId,
  ]);
  if (rowCount) return;
  const sold = goods();
  await loadVariantCopy(client, tenantId, sold);
  await copyRows(
    client,
    'stock_level',
    ['tenant_id', 'variant_id', 'available', 'version'],
    [...openingStock(sold)].map(([sku, available]) => [tenantId, seedId('variant', sku), available, 1]),
  );
};
