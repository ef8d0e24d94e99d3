// Lists of products: what narrows them down, and how those left divide by category and price.
import { encodeId } from '@orderstream/runtime/ids';
import type { Connection, Cursor } from '@orderstream/runtime/paging';
import type { Product } from './product.ts';

/** A product is in when something of it is sold now at a price within; amounts in minor units, both included. */
export type Filter = {
  readonly categoryId: string | null;
  readonly price: {
    readonly min: number | null;
    readonly max: number | null;
    readonly currency: string;
  } | null;
};

export type ProductList = Connection<Product> & {
  /** Counts once however often it is called, and not before. */
  readonly tally: () => Promise<Tally>;
};

export type Tally = {
  readonly total: number;
  readonly byCategory: readonly { readonly categoryId: string; readonly count: number }[];
  readonly byPrice: readonly { readonly band: number; readonly count: number }[];
};

export type Facet = {
  readonly name: string;
  readonly values: readonly { readonly value: string; readonly count: number }[];
};

/** Where one price band ends and the next begins, in minor units; the last has no end. */
export const bandStarts = [500, 1_000, 2_000, 5_000] as const;

/** `500-999`; bands are numbered from 0. */
const bandName = (band: number): string =>
  `${bandStarts[band - 1] ?? 0}-${band < bandStarts.length ? bandStarts[band]! - 1 : ''}`;

/** Categories by how much they hold, price bands from the cheapest on. */
export const facets = (tally: Tally): Facet[] => [
  {
    name: 'category',
    values: [...tally.byCategory]
      .sort((a, b) => b.count - a.count || (a.categoryId < b.categoryId ? -1 : 1))
      .map(({ categoryId, count }) => ({ value: encodeId('category', categoryId), count })),
  },
  {
    name: 'price',
    values: [...tally.byPrice]
      .sort((a, b) => a.band - b.band)
      .map(({ band, count }) => ({ value: bandName(band), count })),
  },
];

export const byName = 'name';

export const cursorByName = (product: Product): Cursor => ({
  sort: byName,
  at: product.name,
  id: product.id,
});
