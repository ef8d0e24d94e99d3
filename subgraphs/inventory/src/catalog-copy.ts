// The catalogue's word on each variant, so that stock can be found by name. Written by its messages only.
import type { VariantChanged } from '@orderstream/catalog/messages';
import type { Tx } from '@orderstream/runtime/database';
import type { Envelope } from '@orderstream/runtime/messages';

type Change = Pick<Envelope<Parameters<typeof VariantChanged>[0]>, 'tenantId' | 'version' | 'data'>;

/** An older word that comes late changes nothing. */
export const learn = async (tx: Tx, { tenantId, version, data }: Change): Promise<void> => {
  await tx.sql`
    insert into catalog_variant as known
      (tenant_id, variant_id, product_id, sku, name, price_minor, currency, weight_grams, active, version)
    values (${tenantId}, ${data.variantId}, ${data.productId}, ${data.sku}, ${data.name}, ${data.priceMinor},
      ${data.currency}, ${data.weightGrams}, ${data.active}, ${version})
    on conflict (variant_id) do update set product_id = excluded.product_id, sku = excluded.sku,
      name = excluded.name, price_minor = excluded.price_minor, currency = excluded.currency,
      weight_grams = excluded.weight_grams, active = excluded.active, version = excluded.version
    where known.tenant_id = excluded.tenant_id and known.version < excluded.version`;
};
