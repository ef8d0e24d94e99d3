// What somebody in the shop does to its goods: as the catalogue does it, row and message in one transaction, and then its
// own memory of it is gone.
import { VariantChanged } from '@orderstream/catalog/messages';
import { openDatabase } from '@orderstream/runtime/database';
import { newTrace } from '@orderstream/runtime/trace';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import type { Good } from './books.ts';

const { databases } = inject('product');

type Row = {
  readonly tenant_id: string;
  readonly product_id: string;
  readonly sku: string;
  readonly name: string;
  readonly price_minor: number;
  readonly currency: string;
  readonly weight_grams: number | null;
  readonly active: boolean;
  readonly version: number;
};

/** @param change the new price in minor units, or whether it is sold any more */
export const changeGood = async (
  { uuid }: Pick<Good, 'uuid'>,
  change: { readonly price?: number; readonly active?: boolean },
): Promise<void> => {
  const redis = new Redis(inject('services').redisUrl);
  const database = openDatabase({ url: databases.catalog!, applicationName: 'journeys clerk', size: 1 });
  try {
    const tenant = await database.transaction(async (begin) => {
      const { sql } = begin({ tenantId: '', ...origin() });
      const [row] = await sql<Row>`
        update variant set version = version + 1, price_minor = coalesce(${change.price ?? null}, price_minor),
          active = coalesce(${change.active ?? null}, active)
        where id = ${uuid} returning *`;
      const { tenant_id: tenantId, version } = row!;
      await begin({ tenantId, ...origin() }).send(
        VariantChanged(
          {
            variantId: uuid,
            productId: row!.product_id,
            sku: row!.sku,
            name: row!.name,
            priceMinor: row!.price_minor,
            currency: row!.currency,
            weightGrams: row!.weight_grams,
            active: row!.active,
          },
          version,
        ),
      );
      return tenantId;
    });
    await redis.del(`${process.env.REDIS_PREFIX || 'os:'}catalog:${tenant}:variant:${uuid}`);
  } finally {
    redis.disconnect();
    await database.close();
  }
};

const origin = () => ({ traceparent: newTrace().traceparent, causationId: null });
