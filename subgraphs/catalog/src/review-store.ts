import type { Db } from '@orderstream/runtime/database';
import { grouped } from '@orderstream/runtime/loaders';
import type { Page } from '@orderstream/runtime/paging';
import type { Opinion, Review } from './review.ts';

type ReviewRow = {
  id: string;
  product_id: string;
  user_id: string | null;
  rating: number;
  body: string;
  created_at: Date;
};

const newest = 'infinity';
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** One page for each product, the newest first; rides on review_by_product. */
export const reviewPages = async (
  db: Db,
  tenantId: string,
  productIds: readonly string[],
  { first, after }: Page,
): Promise<Review[][]> => {
  const rows = await db.sql<ReviewRow>`
    select r.* from unnest(${productIds}::uuid[]) as asked(product_id)
    cross join lateral (
      select id, product_id, user_id, rating, body, created_at from review
      where tenant_id = ${tenantId} and product_id = asked.product_id
        and (created_at, id) < (${after?.at ?? newest}::timestamptz, ${after?.id ?? lastId}::uuid)
      order by created_at desc, id desc limit ${first + 1}
    ) r order by r.created_at desc, r.id desc`;
  const reviews = rows.map(
    (row): Review => ({
      tenantId,
      id: row.id,
      productId: row.product_id,
      userId: row.user_id,
      rating: row.rating,
      body: row.body,
      createdAt: row.created_at,
    }),
  );
  return grouped(productIds, reviews, (review) => review.productId);
};

export const opinionsOnProducts = async (
  db: Db,
  tenantId: string,
  productIds: readonly string[],
): Promise<Opinion[]> => {
  const rows = await db.sql<{ product_id: string; reviews: number; rating: number }>`
    select product_id, count(*) as reviews, avg(rating)::float8 as rating from review
    where tenant_id = ${tenantId} and product_id = any(${productIds}::uuid[]) group by product_id`;
  const byProduct = new Map(rows.map((row) => [row.product_id, row]));
  return productIds.map((id) => {
    const row = byProduct.get(id);
    return { reviews: row?.reviews ?? 0, rating: row?.rating ?? null };
  });
};
