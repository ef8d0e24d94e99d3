// What to show whom. A shelf is a tenant's affinities in arrays, held in memory; ranking on it takes microseconds.
import type { Viewer } from '@orderstream/runtime/viewer';
import { type Affinity, best, type Neighbour } from './affinity.ts';

export { type Affinity, affinitiesOf, type Basket } from './affinity.ts';

export type Recommendation = {
  readonly productId: string;
  /** 0 to 1 */
  readonly score: number;
  readonly reason: string;
  readonly strategy: 'bought-together' | 'similar' | 'personal' | 'cart' | 'trending' | 'popular';
};

/** Neighbours of good i: places start[i] to start[i + 1] of the other arrays, best first. */
type Lists = {
  readonly start: Int32Array;
  readonly other: Int32Array;
  readonly score: Float32Array;
  readonly baskets: Int32Array;
};

export type Shelf = {
  readonly ids: readonly string[];
  readonly places: ReadonlyMap<string, number>;
  readonly together: Lists;
  readonly similar: Lists;
  /** share of the best, by good */
  readonly popularity: Float64Array;
  readonly trend: Float64Array;
  /** goods, the best first */
  readonly popular: Int32Array;
  readonly trending: Int32Array;
};

/** By tenant; replaced whole after each computation. */
export type Shelves = Map<string, Shelf>;

function* listsOf(
  places: ReadonlyMap<string, number>,
  all: readonly (readonly Neighbour[])[],
): Generator<void, Lists> {
  const size = all.reduce((sum, list) => sum + list.length, 0);
  const start = new Int32Array(all.length + 1);
  const other = new Int32Array(size);
  const score = new Float32Array(size);
  const baskets = new Int32Array(size);
  let at = 0;
  for (const [good, list] of all.entries()) {
    start[good] = at;
    for (const neighbour of list) {
      const place = places.get(neighbour.productId);
      if (place === undefined) continue;
      other[at] = place;
      score[at] = neighbour.score;
      baskets[at] = neighbour.baskets;
      at += 1;
    }
    if (good % 32 === 0) yield;
  }
  start[all.length] = at;
  return { start, other, score, baskets };
}

const shareOfBest = (values: readonly number[]): Float64Array => {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  return Float64Array.from(values, (value) => (most > 0 ? value / most : 0));
};

const ranked = (by: Float64Array, then: Float64Array): Int32Array =>
  Int32Array.from(by.keys()).sort((a, b) => by[b]! - by[a]! || then[b]! - then[a]! || a - b);

export function* shelfOf(affinities: readonly Affinity[]): Generator<void, Shelf> {
  const ids = affinities.map(({ productId }) => productId);
  const places = new Map(ids.map((id, place) => [id, place]));
  const popularity = shareOfBest(affinities.map(({ baskets }) => baskets));
  const trend = shareOfBest(affinities.map((affinity) => affinity.trend));
  yield;
  const lists = (of: 'together' | 'similar') =>
    listsOf(
      places,
      affinities.map((affinity) => affinity[of]),
    );
  return {
    ids,
    places,
    together: yield* lists('together'),
    similar: yield* lists('similar'),
    popularity,
    trend,
    popular: ranked(popularity, trend),
    trending: ranked(trend, popularity),
  };
}

/** Recommendations are made from what somebody bought, so they are that customer's alone. */
export const mayRead = (viewer: Viewer, userId: string): boolean => viewer.userId === userId;

const neighboursOf = (
  { ids, places, ...shelf }: Shelf,
  of: 'together' | 'similar',
  productId: string,
  first: number,
): Neighbour[] => {
  const place = places.get(productId);
  if (place === undefined) return [];
  const { start, other, score, baskets } = shelf[of];
  const from = start[place]!;
  const length = Math.min(first, start[place + 1]! - from);
  return Array.from({ length }, (_, i) => ({
    productId: ids[other[from + i]!]!,
    score: score[from + i]!,
    baskets: baskets[from + i]!,
  }));
};

export const boughtTogether = (shelf: Shelf, productId: string, first: number): Recommendation[] =>
  neighboursOf(shelf, 'together', productId, first).map(({ baskets, ...neighbour }) => ({
    ...neighbour,
    reason: `Bought together in ${baskets} orders.`,
    strategy: 'bought-together',
  }));

export const similar = (shelf: Shelf, productId: string, first: number): Recommendation[] =>
  neighboursOf(shelf, 'similar', productId, first).map(({ productId: id, score }) => ({
    productId: id,
    score,
    reason: 'Bought with the same other goods.',
    strategy: 'similar',
  }));

export const trending = ({ ids, trend, trending: order }: Shelf, first: number): Recommendation[] =>
  Array.from(order.subarray(0, first), (place) => ({
    productId: ids[place]!,
    score: trend[place]!,
    reason: 'Bought often in the latest orders.',
    strategy: 'trending',
  }));

/** The most bought goods, without some. */
export const popular = (
  { ids, popularity, popular: order }: Shelf,
  first: number,
  without: ReadonlySet<string> = new Set(),
): Recommendation[] => {
  const found: Recommendation[] = [];
  for (const place of order) {
    if (found.length >= first) break;
    if (without.has(ids[place]!)) continue;
    found.push({
      productId: ids[place]!,
      score: popularity[place]!,
      reason: 'One of the most bought goods of the shop.',
      strategy: 'popular',
    });
  }
  return found;
};

/** A good somebody had in hand, and how much it says of what comes next. */
export type Hint = { readonly productId: string; readonly weight: number };

/** To the power of 1.5: close neighbours count for more than many far ones. Case amplification, Breese et al., UAI 1998. */
const amplified = (cosine: number): number => cosine * Math.sqrt(cosine);

/**
 * What goes with several goods: the sum of their amplified cosines. The score is x / (1 + x) of that sum.
 * @param own what a hint adds to its own good; 0 leaves the hints out
 */
const goesWith = (
  { ids, places, together }: Shelf,
  hints: readonly Hint[],
  first: number,
  own: number,
): { productId: string; score: number; isOwn: boolean }[] => {
  const sums = new Map<number, number>();
  const known = new Set<number>();
  for (const { productId, weight } of hints) {
    const place = places.get(productId);
    if (place === undefined) continue;
    known.add(place);
    if (own > 0) sums.set(place, (sums.get(place) ?? 0) + own * weight);
    for (let i = together.start[place]!; i < together.start[place + 1]!; i++) {
      const other = together.other[i]!;
      sums.set(other, (sums.get(other) ?? 0) + weight * amplified(together.score[i]!));
    }
  }
  const candidates = own > 0 ? sums.keys() : sums.keys().filter((place) => !known.has(place));
  return best(candidates, (place) => sums.get(place)!, first).map(({ of, score }) => ({
    productId: ids[of]!,
    score: score / (1 + score),
    isOwn: known.has(of),
  }));
};

const filledUp = (
  shelf: Shelf,
  found: readonly Recommendation[],
  first: number,
  without: readonly Hint[],
): Recommendation[] => {
  const shown = new Set([...found, ...without].map(({ productId }) => productId));
  // The list falls from its best to its last; what fills it up stands below what was found.
  const lowest = found.at(-1)?.score ?? 1;
  return [
    ...found,
    ...popular(shelf, first - found.length, shown).map((one) => ({ ...one, score: one.score * lowest })),
  ];
};

/** What goes with the goods in a cart, without them. */
export const completing = (shelf: Shelf, cart: readonly Hint[], first: number): Recommendation[] => {
  const found = goesWith(shelf, cart, first, 0).map(
    ({ productId, score }): Recommendation => ({
      productId,
      score,
      reason: 'Often bought together with what you chose.',
      strategy: 'cart',
    }),
  );
  return filledUp(shelf, found, first, cart);
};

export type Purchase = {
  readonly productId: string;
  /** 0 for the customer's last order, 1 for the one before it */
  readonly ordersAgo: number;
};

/** This shop's customers order the same goods again, so what was bought counts for itself as much as for its neighbours. */
const ownWeight = 1;
/** in orders of the customer */
const purchaseHalfLife = 30;
/** What was bought before says less of the cart that is being filled than what was just put into one. */
const pastInCart = 0.2;

const hintsOf = (purchases: readonly Purchase[], factor = 1): Hint[] =>
  purchases.map(({ productId, ordersAgo }) => ({
    productId,
    weight: factor * 0.5 ** (ordersAgo / purchaseHalfLife),
  }));

/** What a visitor may add who put some goods into a cart lately and bought others before. */
export const forCart = (
  shelf: Shelf,
  interests: readonly string[],
  purchases: readonly Purchase[],
  first: number,
): Recommendation[] =>
  completing(
    shelf,
    [...interests.map((productId) => ({ productId, weight: 1 })), ...hintsOf(purchases, pastInCart)],
    first,
  );

/** What a customer may buy next, goods bought before included; popular goods where nothing is known. */
export const personal = (shelf: Shelf, purchases: readonly Purchase[], first: number): Recommendation[] => {
  const found = goesWith(shelf, hintsOf(purchases), first, ownWeight).map(
    ({ productId, score, isOwn }): Recommendation => ({
      productId,
      score,
      reason: isOwn ? 'You have bought it before.' : 'Often bought together with goods you have bought.',
      strategy: 'personal',
    }),
  );
  return filledUp(shelf, found, first, []);
};
