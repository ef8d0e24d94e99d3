/**
 * Opening stock. Over all goods, the sum of the three warehouses is 50 to 500 pieces for 70 % of them, 10 to 49 for
 * 20 %, and none for 10 %. Shares are rounded to whole goods for none and few, the rest has plenty. Who is
 * in which part and how many there are is decided by a hash of the SKU; the 200 best sellers are never out of stock.
 */
import { seedFraction } from './ids.ts';
import type { Good } from './online-retail.ts';

export type Warehouse = {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly postcode: string;
  readonly country: string;
  /** Degrees, WGS 84. */
  readonly latitude: number;
  readonly longitude: number;
};

export const warehouses = [
  {
    code: 'DAV',
    name: 'Daventry',
    city: 'Daventry',
    postcode: 'NN11 8RG',
    country: 'GB',
    latitude: 52.2736,
    longitude: -1.1707,
  },
  {
    code: 'GLA',
    name: 'Glasgow',
    city: 'Glasgow',
    postcode: 'G51 4TQ',
    country: 'GB',
    latitude: 55.8617,
    longitude: -4.3354,
  },
  {
    code: 'BRS',
    name: 'Bristol',
    city: 'Bristol',
    postcode: 'BS11 8DD',
    country: 'GB',
    latitude: 51.5152,
    longitude: -2.678,
  },
] as const satisfies readonly Warehouse[];

type WarehouseCode = (typeof warehouses)[number]['code'];

export type StockLevel = {
  readonly sku: string;
  readonly warehouse: WarehouseCode;
  readonly quantity: number;
};

const shares = { none: 0.1, few: 0.2 };
const few = { from: 10, to: 49 };
const plenty = { from: 50, to: 500 };
const neverOut = 200;

const between = (range: { from: number; to: number }, fraction: number): number =>
  range.from + Math.floor(fraction * (range.to - range.from + 1));

type Stocked = Pick<Good, 'sku' | 'soldLines'>;

const bySku = (a: Stocked, b: Stocked) => (a.sku < b.sku ? -1 : 1);

/** Pieces per SKU over all warehouses. */
export const openingStock = (goods: readonly Stocked[]): Map<string, number> => {
  const popular = new Set(
    goods
      .toSorted((a, b) => b.soldLines - a.soldLines || bySku(a, b))
      .slice(0, neverOut)
      .map((good) => good.sku),
  );
  const drawn = goods
    .map((good) => ({ sku: good.sku, lot: seedFraction('stock lot', good.sku) }))
    .sort((a, b) => a.lot - b.lot);
  const empty = new Set(
    drawn
      .filter(({ sku }) => !popular.has(sku))
      .slice(0, Math.round(goods.length * shares.none))
      .map(({ sku }) => sku),
  );
  const scarce = new Set(
    drawn
      .filter(({ sku }) => !empty.has(sku))
      .slice(0, Math.round(goods.length * shares.few))
      .map(({ sku }) => sku),
  );
  const pieces = (sku: string): number => {
    if (empty.has(sku)) return 0;
    return between(scarce.has(sku) ? few : plenty, seedFraction('stock pieces', sku));
  };
  return new Map(goods.map(({ sku }) => [sku, pieces(sku)]));
};

/** One row for every good and warehouse, also where nothing lies: a good without rows would be unknown to inventory. */
export const stockLevels = (goods: readonly Stocked[]): StockLevel[] =>
  [...openingStock(goods)].flatMap(([sku, total]) => {
    // Daventry holds about half, the other two share the rest; each good differs by up to a fifth of its stock.
    const daventry = Math.round(total * (0.4 + 0.2 * seedFraction('stock in Daventry', sku)));
    const glasgow = Math.round((total - daventry) * (0.4 + 0.2 * seedFraction('stock in Glasgow', sku)));
    return [
      { sku, warehouse: 'DAV', quantity: daventry },
      { sku, warehouse: 'GLA', quantity: glasgow },
      { sku, warehouse: 'BRS', quantity: total - daventry - glasgow },
    ];
  });
