// The copies that carts and orders are made from: the catalogue's variants and inventory's levels, as last heard.
import type { VariantChanged } from '@orderstream/catalog/messages';
import type { StockLevelChanged } from '@orderstream/inventory/messages';
import type { Tx } from '@orderstream/runtime/database';
import type { Envelope, MessageType } from '@orderstream/runtime/messages';

type Event<M> = M extends MessageType<infer T> ? Envelope<T> : never;

/** Carts with a variant whose price or sale has changed get a new version: what was shown is not what would be bought. */
export const copyVariant = async (
  tx: Tx,
  { tenantId, version, data }: Event<typeof VariantChanged>,
): Promise<void> => {
  const [before] = await tx.sql<{ price_minor: number; active: boolean }>`
    select price_minor, active from catalog_variant where variant_id = ${data.variantId} for update`;
  const written = await tx.sql`
    insert into catalog_variant
      (tenant_id, variant_id, product_id, sku, name, price_minor, currency, weight_grams, active, version)
    values (${tenantId}, ${data.variantId}, ${data.productId}, ${data.sku}, ${data.name}, ${data.priceMinor},
      ${data.currency}, ${data.weightGrams}, ${data.active}, ${version})
    on conflict (variant_id) do update set
      product_id = excluded.product_id, sku = excluded.sku, name = excluded.name, price_minor = excluded.price_minor,
      currency = excluded.currency, weight_grams = excluded.weight_grams, active = excluded.active,
      version = excluded.version
    where catalog_variant.version < excluded.version
    returning variant_id`;
  if (written.length === 0 || !before) return;
  if (before.price_minor === data.priceMinor && before.active === data.active) return;
  await tx.sql`
    update cart set version = version + 1, updated_at = now()
    where id in (select cart_id from cart_line where variant_id = ${data.variantId})`;
};

export const copyLevel = async (
  tx: Tx,
  { tenantId, version, data }: Event<typeof StockLevelChanged>,
): Promise<void> => {
  await tx.sql`
    insert into stock_level (tenant_id, variant_id, available, version)
    values (${tenantId}, ${data.variantId}, ${data.available}, ${version})
    on conflict (variant_id) do update set available = excluded.available, version = excluded.version
    where stock_level.version < excluded.version`;
};
