// Where goods stand, and which of these places gives what of an order.
import type { Viewer } from '@orderstream/runtime/viewer';

export type Warehouse = {
  readonly id: string;
  readonly code: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
};

/** Where the shop keeps its goods is for its staff. */
export const mayReadWarehouses = (viewer: Viewer): boolean => viewer.scopes.has('stock:read');

export type Wanted = { readonly variantId: string; readonly sku: string; readonly quantity: number };

/** What one warehouse can give of one variant. */
export type Offer = { readonly variantId: string; readonly warehouseId: string; readonly available: number };

/** What one warehouse gives of one variant of an order. */
export type Part = {
  readonly variantId: string;
  readonly sku: string;
  readonly warehouseId: string;
  readonly quantity: number;
};

/** One line for each variant: two lines that could each be had may be too much together. */
export const summed = (lines: readonly Wanted[]): Wanted[] =>
  [...Map.groupBy(lines, (line) => line.variantId).values()].map((same) => ({
    ...same[0]!,
    quantity: same.reduce((total, line) => total + line.quantity, 0),
  }));

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * All lines or none. A line comes from one warehouse where one has enough, else from several, the fullest first.
 * Among warehouses with enough, the one that can send most lines of the order whole is taken, so that parcels are few.
 * @param lines one for each variant
 */
export const choose = (
  lines: readonly Wanted[],
  offers: readonly Offer[],
): { readonly parts: Part[] } | { readonly short: string[] } => {
  const wanted = new Map(lines.map((line) => [line.variantId, line.quantity]));
  const offersOf = Map.groupBy(
    offers.filter((offer) => offer.available > 0),
    (offer) => offer.variantId,
  );
  const total = (line: Wanted): number =>
    (offersOf.get(line.variantId) ?? []).reduce((sum, offer) => sum + offer.available, 0);

  const short = lines.filter((line) => total(line) < line.quantity).map((line) => line.sku);
  if (short.length > 0) return { short };

  const hasEnough = (offer: Offer): boolean =>
    offer.available >= (wanted.get(offer.variantId) ?? Number.POSITIVE_INFINITY);
  const whole = new Map<string, number>();
  for (const { warehouseId } of offers.filter(hasEnough))
    whole.set(warehouseId, (whole.get(warehouseId) ?? 0) + 1);
  const better = (a: Offer, b: Offer): number =>
    Number(hasEnough(b)) - Number(hasEnough(a)) ||
    (hasEnough(a) ? (whole.get(b.warehouseId) ?? 0) - (whole.get(a.warehouseId) ?? 0) : 0) ||
    b.available - a.available ||
    byText(a.warehouseId, b.warehouseId);

  const parts = lines.flatMap(({ variantId, sku, quantity }) => {
    let left = quantity;
    return (offersOf.get(variantId) ?? []).toSorted(better).flatMap(({ warehouseId, available }) => {
      const given = Math.min(left, available);
      left -= given;
      return given > 0 ? [{ variantId, sku, warehouseId, quantity: given }] : [];
    });
  });
  return { parts };
};

/** The warehouse that gives most of the pieces, from where the parcel starts; the lowest id where two give as many. */
export const originOf = (parts: readonly Part[]): string => {
  const pieces = new Map<string, number>();
  for (const { warehouseId, quantity } of parts)
    pieces.set(warehouseId, (pieces.get(warehouseId) ?? 0) + quantity);
  const [most] = [...pieces].toSorted(([a, inA], [b, inB]) => inB - inA || byText(a, b));
  if (!most) throw new RangeError('nothing comes from nowhere');
  return most[0];
};
