// Lists of products and what they count. A product is listed while some variant of it is sold, at a price within.
import type { Db } from '@orderstream/runtime/database';
import { grouped } from '@orderstream/runtime/loaders';
import type { Page } from '@orderstream/runtime/paging';
import type { Product } from './product.ts';
import { bandStarts, type Filter, type Tally } from './product-list.ts';
import type { Interpretation } from './search.ts';

export type ProductRow = { id: string; slug: string; name: string; description: string; category_id: string };

export const toProduct = (tenantId: string, row: ProductRow): Product => ({
  tenantId,
  id: row.id,
  slug: row.slug,
  name: row.name,
  description: row.description,
  categoryId: row.category_id,
});

const firstId = '00000000-0000-0000-0000-000000000000';

/** By name; rides on product_by_name, and the cursor is the last row seen. One row more than `first` where there is more. */
export const productsByName = async (
  db: Db,
  tenantId: string,
  { categoryId, price }: Filter,
  { first, after }: Page,
): Promise<Product[]> => {
  const rows = await db.sql<ProductRow>`
    select p.id, p.slug, p.name, p.description, p.category_id from product p
    where p.tenant_id = ${tenantId} and (p.name, p.id) > (${after?.at ?? ''}, ${after?.id ?? firstId}::uuid)
      and (${categoryId}::uuid is null or p.category_id in (
        select c.id from category c where c.tenant_id = ${tenantId} and ${categoryId}::uuid in (c.id, c.parent_id)))
      and exists (
        select from variant v where v.tenant_id = p.tenant_id and v.product_id = p.id and v.active
          and (${price?.currency}::text is null
            or v.currency = ${price?.currency} and v.price_minor between coalesce(${price?.min}::bigint, 0)
                and coalesce(${price?.max}::bigint, 9007199254740991)))
    order by p.name, p.id limit ${first + 1}`;
  return rows.map((row) => toProduct(tenantId, row));
};

/** One page by name for each category, a department's with the goods of its shelves; rides on product_by_category. */
export const productsOfCategories = async (
  db: Db,
  tenantId: string,
  categoryIds: readonly string[],
  { first, after }: Page,
): Promise<Product[][]> => {
  const rows = await db.sql<ProductRow & { asked_id: string }>`
    select asked.id as asked_id, p.* from unnest(${categoryIds}::uuid[]) as asked(id)
    cross join lateral (
      select p.id, p.slug, p.name, p.description, p.category_id from product p
      where p.tenant_id = ${tenantId} and (p.name, p.id) > (${after?.at ?? ''}, ${after?.id ?? firstId}::uuid)
        and p.category_id in (
          select c.id from category c where c.tenant_id = ${tenantId} and asked.id in (c.id, c.parent_id))
        and exists (
          select from variant v where v.tenant_id = p.tenant_id and v.product_id = p.id and v.active)
      order by p.name, p.id limit ${first + 1}
    ) p order by p.name, p.id`;
  return grouped(categoryIds, rows, (row) => row.asked_id).map((own) =>
    own.map((row) => toProduct(tenantId, row)),
  );
};

type TallyRow = { category_id: string | null; band: number | null; products: number };

const toTally = (rows: readonly TallyRow[]): Tally => ({
  total: rows.find((row) => row.category_id === null && row.band === null)?.products ?? 0,
  byCategory: rows.flatMap(({ category_id, products }) =>
    category_id && products > 0 ? [{ categoryId: category_id, count: products }] : [],
  ),
  byPrice: rows.flatMap(({ band, products }) =>
    band !== null && products > 0 ? [{ band, count: products }] : [],
  ),
});

/** All products within the filter, or those that are meant. Categories are counted beside the filter's own, prices too. */
export const tally = async (
  db: Db,
  tenantId: string,
  { categoryId, price }: Filter,
  meant: Interpretation | null,
): Promise<Tally> => {
  const rows = await db.sql<TallyRow>`
    with asked as (
      select case when ${meant?.ending ?? null}::text is null then websearch_to_tsquery('english', ${meant?.text})
        else websearch_to_tsquery('english', ${meant?.text})
          || (websearch_to_tsquery('english', ${meant?.head}) && to_tsquery('simple', ${meant?.ending ?? null})) end as meant
    ), found as (
      select p.id, p.category_id, width_bucket(v.price_minor, ${bandStarts}::bigint[]) as band,
        ${categoryId}::uuid is null or p.category_id in (
          select c.id from category c where c.tenant_id = ${tenantId} and ${categoryId}::uuid in (c.id, c.parent_id)
        ) as of_category,
        ${price?.currency}::text is null
          or v.currency = ${price?.currency} and v.price_minor between coalesce(${price?.min}::bigint, 0)
                and coalesce(${price?.max}::bigint, 9007199254740991) as of_price
      from asked, product p join variant v on v.tenant_id = p.tenant_id and v.product_id = p.id and v.active
      where p.tenant_id = ${tenantId} and (${meant === null} or p.words @@ asked.meant)
    )
    select null::uuid as category_id, null::int as band,
      count(distinct id) filter (where of_category and of_price) as products from found
    union all
    select category_id, null, count(distinct id) filter (where of_price) from found group by category_id
    union all
    select null, band, count(distinct id) filter (where of_category) from found group by band`;
  return toTally(rows);
};

/** The same for whole categories, all at once: what a list of categories with their counts asks for. */
export const talliesOfCategories = async (
  db: Db,
  tenantId: string,
  categoryIds: readonly string[],
): Promise<Tally[]> => {
  const rows = await db.sql<TallyRow & { asked_id: string }>`
    with found as (
      select asked.id as asked_id, p.id, p.category_id, width_bucket(v.price_minor, ${bandStarts}::bigint[]) as band
      from unnest(${categoryIds}::uuid[]) as asked(id)
      join category c on c.tenant_id = ${tenantId} and asked.id in (c.id, c.parent_id)
      join product p on p.tenant_id = c.tenant_id and p.category_id = c.id
      join variant v on v.tenant_id = p.tenant_id and v.product_id = p.id and v.active
    )
    select asked_id, category_id, band, count(distinct id) as products from found
    group by grouping sets ((asked_id), (asked_id, category_id), (asked_id, band))`;
  return grouped(categoryIds, rows, (row) => row.asked_id).map(toTally);
};
