import type pg from 'pg';
import { copyRows } from './copy.ts';
import { seedId } from './ids.ts';
import { loadVariantCopy } from './load-variant-copy.ts';
import { goods } from './online-retail.ts';
import { stockLevels, warehouses } from './stock.ts';

/**
 * Warehouses and opening stock into inventory's tables, each quantity explained by a movement, as if it had just been
 * received. Does nothing when the tenant has warehouses. Needs a transaction around it, so that it is all or nothing.
 */
export const loadInventory = async (client: pg.ClientBase, tenantId: string): Promise<void> => {
  // Two starters: the second waits, and then finds the warehouses full.
  await client.query('lock table warehouse in share row exclusive mode');
  const filled = await client.query('select from warehouse where tenant_id = $1 limit 1', [tenantId]);
  if (filled.rowCount !== 0) return;
  const sold = goods();
  await loadVariantCopy(client, tenantId, sold);
  await copyRows(
    client,
    'warehouse',
    ['id', 'tenant_id', 'code', 'name', 'latitude', 'longitude'],
    warehouses.map(({ code, name, latitude, longitude }) => [
      seedId('warehouse', code),
      tenantId,
      code,
      name,
      latitude,
      longitude,
    ]),
  );
  const stock = stockLevels(sold).map(({ sku, warehouse, quantity }) => ({
    place: `${sku} ${warehouse}`,
    variantId: seedId('variant', sku),
    warehouseId: seedId('warehouse', warehouse),
    quantity,
  }));
  await copyRows(
    client,
    'stock',
    ['id', 'tenant_id', 'variant_id', 'warehouse_id', 'on_hand', 'received'],
    stock.map(({ place, variantId, warehouseId, quantity }) => [
      seedId('stock', place),
      tenantId,
      variantId,
      warehouseId,
      quantity,
      quantity,
    ]),
  );
  await copyRows(
    client,
    'movement',
    ['id', 'tenant_id', 'variant_id', 'warehouse_id', 'kind', 'quantity', 'reason'],
    stock
      .filter(({ quantity }) => quantity > 0)
      .map(({ place, variantId, warehouseId, quantity }) => [
        seedId('movement', place),
        tenantId,
        variantId,
        warehouseId,
        'received',
        quantity,
        'opening stock',
      ]),
  );
  await client.query(
    `insert into variant_level (variant_id, tenant_id, available)
     select variant_id, tenant_id, sum(on_hand) from stock where tenant_id = $1 group by 1, 2`,
    [tenantId],
  );
  // Without figures on the new rows the planner would read whole tables.
  await client.query('analyze warehouse, stock, variant_level, catalog_variant');
};
