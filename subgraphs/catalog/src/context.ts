import type { Cache } from '@orderstream/runtime/cache';
import type { Db } from '@orderstream/runtime/database';
import { loader } from '@orderstream/runtime/loaders';
import type { Page } from '@orderstream/runtime/paging';
import {
  type Loader,
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import type { Viewer } from '@orderstream/runtime/viewer';
import type { Category } from './category.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import { mayRead, type Product } from './product.ts';
import type { Tally } from './product-list.ts';
import { productsOfCategories, talliesOfCategories } from './product-store.ts';
import type { Opinion, Review } from './review.ts';
import { opinionsOnProducts, reviewPages } from './review-store.ts';
import * as store from './store.ts';
import type { Variant } from './variant.ts';

/** Milliseconds that the shop window may lag behind. Checkout has prices of its own and never looks here. */
const lagMs = 10_000;

export type Loaders = {
  readonly product: Loader<string, Product | null>;
  readonly productIdBySlug: Loader<string, string | null>;
  readonly variant: Loader<string, Variant | null>;
  readonly variantIdBySku: Loader<string, string | null>;
  readonly variantIdsOf: Loader<string, readonly string[]>;
  readonly category: Loader<string, Category | null>;
  /** of the tenant, the only key */
  readonly categories: Loader<string, readonly Category[]>;
  readonly review: Loader<string, Review | null>;
  readonly opinion: Loader<string, Opinion>;
  readonly tallyOfCategory: Loader<string, Tally>;
  readonly productsOfCategory: (page: Page) => Loader<string, readonly Product[]>;
  readonly reviewsOf: (page: Page) => Loader<string, readonly Review[]>;
  /** After a change: the next to look sees it. */
  readonly forgetVariant: (id: string) => Promise<void>;
};

export type Context = RuntimeContext<Loaders, PrismaClient>;

type Batch<V> = (db: Db<PrismaClient>, tenantId: string, keys: readonly string[]) => Promise<readonly V[]>;
type PageBatch<V> = (
  db: Db<PrismaClient>,
  tenantId: string,
  keys: readonly string[],
  page: Page,
) => Promise<readonly V[]>;

const createLoaders = (db: Db<PrismaClient>, cache: Cache, viewer: Viewer): Loaders => {
  const { tenantId } = viewer;
  // One cache serves all subgraphs and tenants.
  const space = (of: string): string => `catalog:${tenantId}:${of}`;
  const cached = <V>(of: string, batch: Batch<V>) =>
    cache.through(space(of), lagMs, (keys) => batch(db, tenantId, keys));
  const straight = <V>(batch: Batch<V>) => loader<V>((keys) => batch(db, tenantId, keys));
  const readable = <V extends { readonly tenantId: string }>(
    batch: (keys: readonly string[]) => Promise<readonly (V | null)[]>,
  ) =>
    loader<V | null>(async (keys) =>
      (await batch(keys)).map((found) => (found && mayRead(viewer, found) ? found : null)),
    );
  // Fields of one operation mostly ask for the same page, each of another thing.
  const paged = <V>(batch: PageBatch<V>) => {
    const made = new Map<string, Loader<string, V>>();
    return (page: Page): Loader<string, V> => {
      const key = JSON.stringify(page);
      const known = made.get(key) ?? loader<V>((keys) => batch(db, tenantId, keys, page));
      made.set(key, known);
      return known;
    };
  };

  const variant = readable(cached('variant', store.variantsByIds));
  return {
    product: readable(cached('product', store.productsByIds)),
    productIdBySlug: loader(cached('product-by-slug', store.productIdsBySlugs)),
    variant,
    variantIdBySku: loader(cached('variant-by-sku', store.variantIdsBySkus)),
    variantIdsOf: loader(cached('variants-of', store.variantIdsOfProducts)),
    category: readable(cached('category', store.categoriesByIds)),
    categories: loader(cached('categories', async () => [await store.allCategories(db, tenantId)])),
    review: readable((ids) => store.reviewsByIds(db, tenantId, ids)),
    opinion: straight(opinionsOnProducts),
    tallyOfCategory: straight(talliesOfCategories),
    productsOfCategory: paged(productsOfCategories),
    reviewsOf: paged(reviewPages),
    forgetVariant: async (id) => {
      variant.clear(id);
      await cache.forget(space('variant'), [id]);
    },
  };
};

export const createContext =
  ({ database, cache }: Pick<Platform<unknown, PrismaClient>, 'database' | 'cache'>) =>
  (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    return { ...parts, db, loaders: createLoaders(db, cache, parts.viewer) };
  };
