// What the subgraphs have written down, read straight from their databases.
import { type Database, openDatabase } from '@orderstream/runtime/database';
import { encodeId, type Kind, parseId } from '@orderstream/runtime/ids';
import { inject } from 'vitest';

const { databases } = inject('product');
const open = new Map<string, Database>();

/** The database of a subgraph. */
export const bookOf = (subgraph: string): Database['sql'] => {
  const known = open.get(subgraph);
  if (known) return known.sql;
  const database = openDatabase({ url: databases[subgraph]!, applicationName: 'journeys', size: 1 });
  open.set(subgraph, database);
  return database.sql;
};

export const uuidOf = (kind: Kind, id: string): string => parseId(kind, id)!;

export type Good = {
  readonly id: string;
  readonly uuid: string;
  readonly sku: string;
  /** minor units */
  readonly price: number;
  readonly available: number;
};

/**
 * Goods of which there is enough. Each file of journeys has a shelf of its own, so that what one
 * buys is not counted by another.
 */
export const shelf = async (number: number, size = 20): Promise<Good[]> => {
  const rows = await bookOf('inventory')<{ uuid: string; sku: string; price: number; available: number }>`
    select variant_id as uuid, sku, price_minor as price, available
    from catalog_variant join variant_level using (variant_id)
    where active and exists (select from stock where stock.variant_id = catalog_variant.variant_id and on_hand > 100)
    order by sku offset ${number * size} limit ${size}`;
  return rows.map((row) => ({ ...row, id: encodeId('variant', row.uuid) }));
};

export type Counters = { readonly onHand: number; readonly held: number; readonly allocated: number };

/** All warehouses together. */
export const stockOf = async ({ uuid }: Pick<Good, 'uuid'>): Promise<Counters> => {
  const [row] = await bookOf('inventory')<Counters>`
    select sum(on_hand)::int as "onHand", sum(held)::int as held, sum(allocated)::int as allocated
    from stock where variant_id = ${uuid}`;
  return row!;
};
