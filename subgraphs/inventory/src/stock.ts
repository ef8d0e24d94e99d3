// What there is of a variant: in one warehouse (a stock level), and over all of them (its availability).
import type { Connection } from '@orderstream/runtime/paging';
import type { Viewer } from '@orderstream/runtime/viewer';

export type Stock = {
  readonly id: string;
  readonly variantId: string;
  readonly warehouseId: string;
  readonly onHand: number;
  readonly held: number;
  readonly allocated: number;
  readonly reorderPoint: number | null;
  readonly version: number;
};

/** One predicate for every way to a level: who may change stock may see it, too. */
export const mayRead = (viewer: Viewer): boolean =>
  viewer.scopes.has('stock:read') || viewer.scopes.has('stock:write');

/** Units that can still be sold. The database keeps this from falling below 0. */
export const available = ({ onHand, held, allocated }: Stock): number => onHand - held - allocated;

export type Availability = 'IN_STOCK' | 'LOW_STOCK' | 'OUT_OF_STOCK';

/** Also stands in the index `stock_low`. */
export const lowBelow = 10;

/** In one warehouse: its reorder point decides alone where it is set. */
export const stateOf = (stock: Stock): Availability => {
  const units = available(stock);
  if (units === 0) return 'OUT_OF_STOCK';
  return units < (stock.reorderPoint ?? lowBelow) ? 'LOW_STOCK' : 'IN_STOCK';
};

/** Over all warehouses; the reorder point is their sum. */
export type Level = {
  readonly tenantId: string;
  readonly variantId: string;
  readonly available: number;
  readonly reorderPoint: number;
  readonly version: number;
};

export const availabilityOf = ({ available, reorderPoint }: Level): Availability => {
  if (available === 0) return 'OUT_OF_STOCK';
  return available < lowBelow || available < reorderPoint ? 'LOW_STOCK' : 'IN_STOCK';
};

export type Adjustment = {
  readonly variantId: string;
  readonly warehouseId: string;
  /** units that came, or, negative, are gone */
  readonly delta: number;
  readonly reason: string;
  readonly expectedVersion: number | null;
};

/** units by which one adjustment may change a level */
export const largestDelta = 1_000_000;

export type StockReference = { readonly stockId: string };

export type Adjusted =
  | StockReference
  | (StockReference & { readonly error: 'StockBelowCommitted'; readonly message: string })
  | { readonly error: 'VersionConflict'; readonly currentVersion: number }
  | { readonly error: 'NotFound' };

/** Why the level, as it stands, did not take the adjustment; null where there is simply no room for so many. */
export const refusalOf = (stock: Stock, { expectedVersion, delta }: Adjustment): Adjusted | null => {
  if (expectedVersion !== null && expectedVersion !== stock.version)
    return { error: 'VersionConflict', currentVersion: stock.version };
  return delta < 0
    ? { error: 'StockBelowCommitted', stockId: stock.id, message: 'The rest is kept for orders.' }
    : null;
};

export type StockFilter = { readonly lowOnly: boolean; readonly search: string | null };
export type StockPage = Connection<Stock> & { readonly filter: StockFilter };
