// Things by their keys, for everybody alike: batches that answer in the order asked. Lists stand in product-store.ts.
import type { Db, Tx } from '@orderstream/runtime/database';
import { inOrder } from '@orderstream/runtime/loaders';
import { money } from '@orderstream/runtime/money';
import type { Category } from './category.ts';
import type { PrismaClient, Variant as VariantRow } from './generated/prisma/client.ts';
import type { Product } from './product.ts';
import type { Review } from './review.ts';
import type { Attribute, Variant } from './variant.ts';

type Reads = Db<PrismaClient>;

const columns = {
  tenantId: true,
  id: true,
  slug: true,
  name: true,
  description: true,
  categoryId: true,
} as const;

export const productsByIds = async (
  { prisma }: Reads,
  tenantId: string,
  ids: readonly string[],
): Promise<(Product | null)[]> => {
  const rows = await prisma.product.findMany({ where: { tenantId, id: { in: [...ids] } }, select: columns });
  return inOrder(ids, rows, (row) => row.id);
};

export const productIdsBySlugs = async (
  { prisma }: Reads,
  tenantId: string,
  slugs: readonly string[],
): Promise<(string | null)[]> => {
  const where = { tenantId, slug: { in: [...slugs] } };
  const rows = await prisma.product.findMany({ where, select: { id: true, slug: true } });
  return inOrder(slugs, rows, (row) => row.slug).map((row) => row?.id ?? null);
};

export const variantsByIds = async (
  { prisma }: Reads,
  tenantId: string,
  ids: readonly string[],
): Promise<(Variant | null)[]> => {
  const rows = await prisma.variant.findMany({ where: { tenantId, id: { in: [...ids] } } });
  return inOrder(ids, rows.map(toVariant), (variant) => variant.id);
};

export const variantIdsBySkus = async (
  { prisma }: Reads,
  tenantId: string,
  skus: readonly string[],
): Promise<(string | null)[]> => {
  const where = { tenantId, sku: { in: [...skus] } };
  const rows = await prisma.variant.findMany({ where, select: { id: true, sku: true } });
  return inOrder(skus, rows, (row) => row.sku).map((row) => row?.id ?? null);
};

/** Also of those that are not sold any more. */
export const variantIdsOfProducts = async (
  { prisma }: Reads,
  tenantId: string,
  productIds: readonly string[],
): Promise<string[][]> => {
  const rows = await prisma.variant.findMany({
    where: { tenantId, productId: { in: [...productIds] } },
    select: { id: true, productId: true },
    orderBy: { id: 'asc' },
  });
  const byProduct = Map.groupBy(rows, (row) => row.productId);
  return productIds.map((id) => (byProduct.get(id) ?? []).map((row) => row.id));
};

export const categoriesByIds = async (
  { prisma }: Reads,
  tenantId: string,
  ids: readonly string[],
): Promise<(Category | null)[]> => {
  const rows = await prisma.category.findMany({ where: { tenantId, id: { in: [...ids] } } });
  return inOrder(ids, rows, (row) => row.id);
};

export const allCategories = ({ prisma }: Reads, tenantId: string): Promise<Category[]> =>
  prisma.category.findMany({ where: { tenantId } });

export const reviewsByIds = async (
  { prisma }: Reads,
  tenantId: string,
  ids: readonly string[],
): Promise<(Review | null)[]> => {
  const rows = await prisma.review.findMany({ where: { tenantId, id: { in: [...ids] } } });
  return inOrder(ids, rows, (row) => row.id);
};

const toVariant = ({ priceMinor, currency, attributes, ...row }: VariantRow): Variant => ({
  ...row,
  listPrice: money(Number(priceMinor), currency),
  attributes: attributes as unknown as readonly Attribute[],
});

type LockedVariant = {
  id: string;
  product_id: string;
  sku: string;
  name: string;
  price_minor: number;
  currency: string;
  weight_grams: number | null;
  image_url: string | null;
  attributes: readonly Attribute[];
  active: boolean;
  version: number;
};

/** Nobody else changes it until the transaction ends. */
export const variantForUpdate = async (tx: Tx, tenantId: string, id: string): Promise<Variant | null> => {
  const [row] = await tx.sql<LockedVariant>`
    select id, product_id, sku, name, price_minor, currency, weight_grams, image_url, attributes, active, version
    from variant where tenant_id = ${tenantId} and id = ${id} for update`;
  if (!row) return null;
  return {
    tenantId,
    id: row.id,
    productId: row.product_id,
    sku: row.sku,
    name: row.name,
    listPrice: money(row.price_minor, row.currency),
    weightGrams: row.weight_grams,
    imageUrl: row.image_url,
    attributes: row.attributes,
    active: row.active,
    version: row.version,
  };
};

export const saveVariant = async (tx: Tx, variant: Variant): Promise<void> => {
  await tx.sql`
    update variant
    set price_minor = ${variant.listPrice.amountMinor}, active = ${variant.active}, version = ${variant.version}
    where tenant_id = ${variant.tenantId} and id = ${variant.id}`;
};
