// What others need to know of goods inside their own transactions. Compacted: the last word on each variant stays.
import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const changes = topic('catalog-changes', 'variantId', { compacted: true });

/** A variant as it is sold now; `version` of the envelope rises with each change. Prices are in minor units, tax included. */
export const VariantChanged = message(
  changes,
  'catalog.variant-changed',
  z.object({
    variantId: z.uuid(),
    productId: z.uuid(),
    sku: z.string(),
    name: z.string(),
    priceMinor: z.number().int().nonnegative(),
    currency: z.string().length(3),
    weightGrams: z.number().int().nullable(),
    active: z.boolean(),
  }),
);
