import type pg from 'pg';
import { categories } from './categories.ts';
import { copyRows } from './copy.ts';
import { seedId } from './ids.ts';
import type { Good } from './online-retail.ts';

/** The demo shop sells in one currency. */
export const currency = 'GBP';

const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** One readable address for each SKU: the name's, and with the SKU behind it where several goods share a name. */
export const productSlugs = (goods: readonly Good[]): Map<string, string> => {
  const named = Map.groupBy(goods, (good) => slugOf(good.name));
  return new Map(
    [...named].flatMap(([slug, own]) =>
      own.map(({ sku }) => [sku, own.length === 1 ? slug : `${slug}-${slugOf(sku)}`] as const),
    ),
  );
};

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const attributes = ({ material, colours, pieces }: Good) => [
  ...(material ? [{ name: 'Material', value: capitalised(material) }] : []),
  ...colours.map((colour) => ({ name: 'Colour', value: capitalised(colour) })),
  ...(pieces > 1 ? [{ name: 'Pieces', value: String(pieces) }] : []),
];

/**
 * Categories and goods into the catalog's tables, each good as a product with one variant. Does nothing when the
 * tenant has products. To be called in a transaction.
 */
export const loadCatalog = async (
  client: pg.ClientBase,
  tenantId: string,
  goods: readonly Good[],
): Promise<void> => {
  // Two starters: the second waits, and then finds the shelves full.
  await client.query('lock table category in share row exclusive mode');
  const filled = await client.query('select from product where tenant_id = $1 limit 1', [tenantId]);
  if (filled.rowCount !== 0) return;
  await fill(client, tenantId, goods);
  // Without figures on the new rows the planner would read whole tables.
  await client.query('analyze category, product, variant, search_word');
};

const fill = async (client: pg.ClientBase, tenantId: string, goods: readonly Good[]): Promise<void> => {
  const names = new Map(categories.map(({ slug, name }) => [slug, name]));
  const slugs = productSlugs(goods);
  await copyRows(
    client,
    'category',
    ['tenant_id', 'id', 'parent_id', 'slug', 'name'],
    categories.map(({ slug, name, parent }) => [
      tenantId,
      seedId('category', slug),
      parent && seedId('category', parent),
      slug,
      name,
    ]),
  );
  await copyRows(
    client,
    'product',
    ['tenant_id', 'id', 'slug', 'name', 'description', 'category_id', 'category_name'],
    goods.map(({ sku, name, description, categorySlug }) => [
      tenantId,
      seedId('product', sku),
      slugs.get(sku)!,
      name,
      description,
      seedId('category', categorySlug),
      names.get(categorySlug)!,
    ]),
  );
  await copyRows(
    client,
    'variant',
    [
      'tenant_id',
      'id',
      'product_id',
      'sku',
      'name',
      'price_minor',
      'currency',
      'weight_grams',
      'attributes',
      'active',
      'version',
    ],
    goods.map((good) => [
      tenantId,
      seedId('variant', good.sku),
      seedId('product', good.sku),
      good.sku,
      good.name,
      good.priceMinor,
      currency,
      good.weightGrams,
      attributes(good),
      true,
      1,
    ]),
  );
};
