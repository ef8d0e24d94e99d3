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

/** The newest word on each variant wins, in a batch as between batches. */
export const copyLevels = async (
  heard: readonly { readonly tx: Tx; readonly message: Event<typeof StockLevelChanged> }[],
): Promise<void> => {
  const [first] = heard;
  if (!first) return;
  const newest = new Map<string, Event<typeof StockLevelChanged>>();
  for (const { message } of heard) {
    const known = newest.get(message.data.variantId);
    if (!known || known.version < message.version) newest.set(message.data.variantId, message);
  }
  // In one order by all, so that two of these never wait for each other.
  const levels = [...newest.values()].sort((a, b) => (a.data.variantId < b.data.variantId ? -1 : 1));
  await first.tx.sql`
    insert into stock_level (tenant_id, variant_id, available, version)
    select * from unnest(${levels.map(({ tenantId }) => tenantId)}::uuid[],
      ${levels.map(({ data }) => data.variantId)}::uuid[], ${levels.map(({ data }) => data.available)}::int[],
      ${levels.map(({ version }) => version)}::int[])
    on conflict (variant_id) do update set available = excluded.available, version = excluded.version
    where stock_level.version < excluded.version`;
};
