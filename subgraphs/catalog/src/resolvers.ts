import { badInput } from '@orderstream/runtime/errors';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, type Kind, parseId } from '@orderstream/runtime/ids';
import { money } from '@orderstream/runtime/money';
import { connection, readPage } from '@orderstream/runtime/paging';
import type { Loader } from '@orderstream/runtime/subgraph';
import type { Context } from './context.ts';
import type { ProductFilter, Resolvers } from './generated/resolvers.ts';
import { isSlug } from './product.ts';
import { byName, type Filter, facets } from './product-list.ts';
import { byNewest, cursorOf } from './review.ts';
import { byRank, longestQuestion } from './search.ts';
import { categories, products, productsOf, search, variantsOf } from './service.ts';
import { isSku } from './variant.ts';

type Reference = {
  readonly __typename: string;
  readonly id?: string;
  readonly slug?: string;
  readonly sku?: string;
};

/** Entity references: one call for all, by id or by the entity's second key; null for what is malformed. */
const byKeys =
  <T>(
    kind: Kind,
    loaderOf: (ctx: Context) => Loader<string, T | null>,
    idOf?: (ctx: Context, reference: Reference) => Promise<string | null>,
  ) =>
  (asked: readonly Reference[], ctx: Context) =>
    Promise.all(
      asked.map(async (reference): Promise<T | null> => {
        const id = reference.id === undefined ? await idOf?.(ctx, reference) : parseId(kind, reference.id);
        return id ? loaderOf(ctx).load(id) : null;
      }),
    );

const productIdOf = async (ctx: Context, slug: string | null | undefined): Promise<string | null> =>
  slug && isSlug(slug) ? ctx.loaders.productIdBySlug.load(slug) : null;

const variantIdOf = async (ctx: Context, sku: string | null | undefined): Promise<string | null> =>
  sku && isSku(sku) ? ctx.loaders.variantIdBySku.load(sku) : null;

/** @throws RequestError BAD_USER_INPUT naming the field */
const readFilter = (filter: ProductFilter | null | undefined): Filter => {
  const { categoryId, priceMin, priceMax } = filter ?? {};
  const currency = priceMin?.currency ?? priceMax?.currency;
  if (currency !== undefined && !/^[A-Z]{3}$/.test(currency))
    throw badInput(
      ['filter', priceMin ? 'priceMin' : 'priceMax', 'currency'],
      'A currency has three letters, such as GBP.',
    );
  if (priceMax && priceMax.currency !== currency)
    throw badInput(['filter', 'priceMax', 'currency'], 'Both prices are of one currency.');
  return {
    categoryId: categoryId ? decodeId('category', categoryId, ['filter', 'categoryId']) : null,
    price: currency
      ? {
          min: priceMin?.amountMinor ?? null,
          max: priceMax?.amountMinor ?? null,
          currency,
        }
      : null,
  };
};

/** @throws RequestError BAD_USER_INPUT unless exactly one of the two is given */
const checkOne = (id: unknown, name: string, other: unknown): void => {
  if ((id == null) === (other == null)) throw badInput(['id'], `Give either id or ${name}.`);
};

export const resolvers: Resolvers = {
  Query: {
    product: async (_root, { id, slug }, ctx) => {
      checkOne(id, 'slug', slug);
      const uuid = id == null ? await productIdOf(ctx, slug) : decodeId('product', id);
      return uuid ? ctx.loaders.product.load(uuid) : null;
    },
    variant: async (_root, { id, sku }, ctx) => {
      checkOne(id, 'sku', sku);
      const uuid = id == null ? await variantIdOf(ctx, sku) : decodeId('variant', id);
      return uuid ? ctx.loaders.variant.load(uuid) : null;
    },
    products: (_root, { filter, ...page }, ctx) => products(ctx, readFilter(filter), readPage(page, byName)),
    categories: (_root, _args, ctx) => categories(ctx),
    searchProducts: (_root, { q, filter, ...page }, ctx) => {
      if (q.length > longestQuestion)
        throw badInput(['q'], `A search has up to ${longestQuestion} characters.`);
      return search(ctx, q, readFilter(filter), readPage(page, byRank));
    },
  },

  Product: {
    ...references(
      byKeys(
        'product',
        (ctx) => ctx.loaders.product,
        (ctx, { slug }) => productIdOf(ctx, slug),
      ),
    ),
    id: ({ id }) => encodeId('product', id),
    category: async ({ categoryId }, _args, ctx) => (await ctx.loaders.category.load(categoryId))!,
    variants: ({ id }, _args, ctx) => variantsOf(ctx, id),
    reviews: async ({ id }, args, ctx) => {
      const page = readPage(args, byNewest);
      const reviews = await ctx.loaders.reviewsOf(page).load(id);
      return { ...connection(reviews, page, cursorOf), productId: id };
    },
    rating: async ({ id }, _args, ctx) => (await ctx.loaders.opinion.load(id)).rating,
  },

  Variant: {
    ...references(
      byKeys(
        'variant',
        (ctx) => ctx.loaders.variant,
        (ctx, { sku }) => variantIdOf(ctx, sku),
      ),
    ),
    id: ({ id }) => encodeId('variant', id),
    product: async ({ productId }, _args, ctx) => (await ctx.loaders.product.load(productId))!,
    attributes: ({ attributes }) => [...attributes],
  },

  Category: {
    ...references(byKeys('category', (ctx) => ctx.loaders.category)),
    id: ({ id }) => encodeId('category', id),
    parent: ({ parentId }, _args, ctx) => (parentId ? ctx.loaders.category.load(parentId) : null),
    products: (category, args, ctx) => productsOf(ctx, category, readPage(args, byName)),
  },

  Review: {
    ...references(byKeys('review', (ctx) => ctx.loaders.review)),
    id: ({ id }) => encodeId('review', id),
    author: ({ userId }) => (userId ? { id: encodeId('user', userId) } : null),
    product: async ({ productId }, _args, ctx) => (await ctx.loaders.product.load(productId))!,
  },

  ReviewConnection: {
    totalCount: async ({ productId }, _args, ctx) => (await ctx.loaders.opinion.load(productId)).reviews,
  },

  ProductConnection: {
    totalCount: async (list) => (await list.tally()).total,
    facets: async (list) => facets(await list.tally()),
  },

  SearchResult: {
    interpretation: async ({ interpretation, filter }, _args, ctx) => ({
      keywords: [...interpretation.keywords],
      maxPrice: filter.price?.max == null ? null : money(filter.price.max, filter.price.currency),
      category: filter.categoryId ? await ctx.loaders.category.load(filter.categoryId) : null,
    }),
  },
};
