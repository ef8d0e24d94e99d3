// Who keeps a copy of whose facts, and how both are read.
import { bookOf } from './books.ts';

export type Row = { readonly id: string; readonly version: number };

const variantsOf = (subgraph: 'orders' | 'inventory') => () =>
  bookOf(subgraph)<Row>`
  select variant_id as id, tenant_id, product_id, sku, name, price_minor, currency, weight_grams, active, version
  from catalog_variant order by id`;
const ownVariants = () => bookOf('catalog')<Row>`
  select id, tenant_id, product_id, sku, name, price_minor, currency, weight_grams, active, version from variant
  order by id`;
const ownLevels = () => bookOf('inventory')<Row>`
  select variant_id as id, tenant_id, available, version from variant_level order by id`;
const levelsOfOrders = () => bookOf('orders')<Row>`
  select variant_id as id, tenant_id, available, version from stock_level order by id`;

export const copies = {
  'orders know the catalogue’s variants': { readOwner: ownVariants, readCopy: variantsOf('orders') },
  'inventory knows the catalogue’s variants': { readOwner: ownVariants, readCopy: variantsOf('inventory') },
  'orders know inventory’s levels': { readOwner: ownLevels, readCopy: levelsOfOrders },
} as const;

export const copyNames = Object.keys(copies) as (keyof typeof copies)[];
