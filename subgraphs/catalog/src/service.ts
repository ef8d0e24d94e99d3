import { RequestError } from '@orderstream/runtime/errors';
import { connection, type Page } from '@orderstream/runtime/paging';
import type { Viewer } from '@orderstream/runtime/viewer';
import { type Category, inShopOrder } from './category.ts';
import type { Context } from './context.ts';
import { VariantChanged } from './messages.ts';
import { cursorByName, type Filter, type ProductList, type Tally } from './product-list.ts';
import { productsByName, tally } from './product-store.ts';
import { closest, cursorByRank, interpret, readQuestion, type SearchResult, unknownWords } from './search.ts';
import { knownWords, productsByRank, similarWords } from './search-store.ts';
import { saveVariant, variantForUpdate } from './store.ts';
import { type Change, change, type InvalidChange, type Variant } from './variant.ts';

const lazily = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let begun: Promise<T> | undefined;
  return () => {
    begun ??= work();
    return begun;
  };
};

export const categories = async (ctx: Context): Promise<Category[]> =>
  inShopOrder(await ctx.loaders.categories.load(ctx.viewer.tenantId));

/** By name. */
export const products = async (ctx: Context, filter: Filter, page: Page): Promise<ProductList> => {
  const { db, viewer } = ctx;
  const rows = await productsByName(db, viewer.tenantId, filter, page);
  return {
    ...connection(rows, page, cursorByName),
    tally: lazily(() => tally(db, viewer.tenantId, filter, null)),
  };
};

/** By name, a department's with the goods of its shelves. */
export const productsOf = async (ctx: Context, category: Category, page: Page): Promise<ProductList> => {
  const rows = await ctx.loaders.productsOfCategory(page).load(category.id);
  return {
    ...connection(rows, page, cursorByName),
    tally: (): Promise<Tally> => ctx.loaders.tallyOfCategory.load(category.id),
  };
};

/** The best first. How the question is understood depends on it and on the shop's words alone, never on page or filter. */
export const search = async (
  ctx: Context,
  asked: string,
  filter: Filter,
  page: Page,
): Promise<SearchResult> => {
  const begun = performance.now();
  const { db, viewer } = ctx;
  const question = readQuestion(asked);
  const known = await knownWords(db, viewer.tenantId, question);
  const unknown = unknownWords(known);
  const similar = unknown.length > 0 ? await similarWords(db, viewer.tenantId, unknown) : [];
  const corrections = new Map(
    unknown.flatMap((word, index) => {
      const instead = closest(word, similar[index] ?? []);
      return instead ? [[word, instead]] : [];
    }),
  );
  const interpretation = interpret(question, known, corrections);
  const hits = await productsByRank(db, viewer.tenantId, interpretation, filter, page);
  return {
    interpretation,
    filter,
    products: {
      ...connection(hits, page, cursorByRank),
      tally: lazily(() => tally(db, viewer.tenantId, filter, interpretation)),
    },
    tookMs: performance.now() - begun,
  };
};

/** What can be bought of a product now. */
export const variantsOf = async (ctx: Context, productId: string): Promise<Variant[]> => {
  const ids = await ctx.loaders.variantIdsOf.load(productId);
  const variants = await Promise.all(ids.map((id) => ctx.loaders.variant.load(id)));
  return variants.filter((variant) => variant?.active === true) as Variant[];
};

export type ChangeVariant = Change & {
  /** uuid */
  readonly variantId: string;
  readonly expectedVersion?: number;
};

export type ChangeVariantRefusal =
  | InvalidChange
  | { readonly error: 'NotFound' }
  | { readonly error: 'VersionConflict'; readonly currentVersion: number };

const mayChange = (viewer: Viewer): boolean => viewer.scopes.has('catalog:write');

/**
 * A new price, or off or back on the shelves; everybody who keeps a copy hears of it.
 * @throws RequestError UNAUTHENTICATED, FORBIDDEN
 */
export const changeVariant = async (
  ctx: Context,
  { variantId, expectedVersion, ...wanted }: ChangeVariant,
): Promise<Variant | ChangeVariantRefusal> => {
  const { viewer } = ctx;
  if (!viewer.userId && !viewer.service) throw new RequestError('UNAUTHENTICATED');
  if (!mayChange(viewer)) throw new RequestError('FORBIDDEN');
  const outcome = await ctx.db.transaction(async (tx): Promise<Variant | ChangeVariantRefusal> => {
    const variant = await variantForUpdate(tx, viewer.tenantId, variantId);
    if (!variant) return { error: 'NotFound' };
    if (expectedVersion !== undefined && expectedVersion !== variant.version)
      return { error: 'VersionConflict', currentVersion: variant.version };
    const next = change(variant, wanted);
    if ('error' in next || next === variant) return next;
    await saveVariant(tx, next);
    await tx.send(VariantChanged(toMessage(next), next.version));
    return next;
  });
  // After the commit: whoever reads before it may put the old price back, and for no longer than the cache's lag.
  if (!('error' in outcome)) await ctx.loaders.forgetVariant(variantId);
  return outcome;
};

const toMessage = (variant: Variant) => ({
  variantId: variant.id,
  productId: variant.productId,
  sku: variant.sku,
  name: variant.name,
  priceMinor: variant.listPrice.amountMinor,
  currency: variant.listPrice.currency,
  weightGrams: variant.weightGrams,
  active: variant.active,
});
