// What baskets say of goods. Two goods belong together when they share baskets more than their popularity explains; the
// measure is a cosine of baskets:
//
//   s(i, j) = sum of w(b) over baskets b with i and j / (sqrt(W(i) W(j)) + damping * mean of w)
//
// with w(b) = 1 / goods in b, and W(i) the sum of w(b) over the baskets with i. Cosine between goods: Sarwar et al., Item-based
// collaborative filtering, WWW 2001. Small baskets say more: Deshpande and Karypis, ACM TOIS 22(1), 2004 (row normalization).
// Damping keeps a few chance meetings below many: shrinkage as in Bell and Koren, ICDM 2007.
//
// The work is a generator, so that whoever drives it can let others have a turn between steps of about a millisecond.

/** Product ids of an order, each once. */
export type Basket = readonly string[];

export type Neighbour = { readonly productId: string; readonly score: number; readonly baskets: number };

export type Affinity = {
  readonly productId: string;
  /** orders with this good */
  readonly baskets: number;
  /** the same, an order counting half as much as one `trendHalfLife` orders later */
  readonly trend: number;
  readonly together: readonly Neighbour[];
  /** by the cosine of their `together`; `baskets` is 0 */
  readonly similar: readonly Neighbour[];
};

export const neighbours = 50;
/** Baskets of average weight that every pair is imagined to have been apart in. */
const damping = 10;
/** Fewer shared baskets say little, and could show what one customer bought. */
export const leastShared = 3;
/** in orders, not days: a quiet week does not change what is in fashion */
const trendHalfLife = 500;

type Scored = { readonly good: number; readonly score: number; readonly baskets: number };

/**
 * The `most` numbers of the highest score, the highest first, of equal ones the lower number. Most candidates fall short of
 * the last one kept, so this costs little more than looking at each once.
 */
export const best = (
  candidates: Iterable<number>,
  scoreOf: (candidate: number) => number,
  most: number,
): { readonly of: number; readonly score: number }[] => {
  const kept: { of: number; score: number }[] = [];
  if (most < 1) return kept;
  for (const of of candidates) {
    const score = scoreOf(of);
    const last = kept.at(-1);
    if (kept.length === most && last && (score < last.score || (score === last.score && of > last.of)))
      continue;
    let at = kept.length < most ? kept.length : most - 1;
    for (; at > 0; at--) {
      const above = kept[at - 1]!;
      if (above.score > score || (above.score === score && above.of < of)) break;
      kept[at] = above;
    }
    kept[at] = { of, score };
  }
  return kept;
};

type Indexed = {
  readonly ids: readonly string[];
  readonly baskets: readonly Int32Array[];
  /** by good, its baskets */
  readonly inBaskets: readonly (readonly number[])[];
};

function* indexed(baskets: readonly Basket[]): Generator<void, Indexed> {
  const ids: string[] = [];
  const known = new Map<string, number>();
  const inBaskets: number[][] = [];
  const rows: Int32Array[] = [];
  for (const [index, basket] of baskets.entries()) {
    const row = new Int32Array(basket.length);
    for (const [place, id] of basket.entries()) {
      let good = known.get(id);
      if (good === undefined) {
        good = ids.push(id) - 1;
        known.set(id, good);
        inBaskets.push([]);
      }
      row[place] = good;
      inBaskets[good]!.push(index);
    }
    rows.push(row);
    if (index % 64 === 0) yield;
  }
  return { ids, baskets: rows, inBaskets };
}

function* togetherOf({ ids, baskets, inBaskets }: Indexed): Generator<void, Scored[][]> {
  const total = baskets.reduce((sum, basket) => sum + 1 / basket.length, 0);
  const damped = (damping * total) / baskets.length;
  const weight = inBaskets.map((list) => list.reduce((sum, index) => sum + 1 / baskets[index]!.length, 0));
  yield;
  const shared = new Float64Array(ids.length);
  const count = new Int32Array(ids.length);
  const result: Scored[][] = [];
  for (const [good, list] of inBaskets.entries()) {
    const met: number[] = [];
    for (const index of list) {
      const basket = baskets[index]!;
      const each = 1 / basket.length;
      for (const other of basket) {
        if (count[other] === 0) met.push(other);
        count[other]! += 1;
        shared[other]! += each;
      }
    }
    const close = best(
      met.filter((other) => other !== good && count[other]! >= leastShared),
      (other) => shared[other]! / (Math.sqrt(weight[good]! * weight[other]!) + damped),
      neighbours,
    );
    result.push(close.map(({ of, score }) => ({ good: of, score, baskets: count[of]! })));
    for (const other of met) {
      count[other] = 0;
      shared[other] = 0;
    }
    yield;
  }
  return result;
}

/** Goods whose lists of companions point the same way need never have met: two colours of one lantern. */
function* similarOf(together: readonly (readonly Scored[])[]): Generator<void, Scored[][]> {
  const length = together.map((list) => Math.hypot(...list.map(({ score }) => score)));
  const companions: Scored[][] = together.map(() => []);
  for (const [good, list] of together.entries()) {
    for (const { good: other, score } of list) companions[other]!.push({ good, score, baskets: 0 });
    if (good % 64 === 0) yield;
  }
  const dot = new Float64Array(together.length);
  const result: Scored[][] = [];
  for (const [good, list] of together.entries()) {
    const met: number[] = [];
    for (const { good: between, score } of list)
      for (const companion of companions[between]!) {
        if (dot[companion.good] === 0) met.push(companion.good);
        dot[companion.good]! += score * companion.score;
      }
    const close = best(
      met.filter((other) => other !== good),
      // Rounding may carry a cosine of 1 past it.
      (other) => Math.min(1, dot[other]! / (length[good]! * length[other]!)),
      neighbours,
    );
    result.push(close.map(({ of, score }) => ({ good: of, score, baskets: 0 })));
    for (const other of met) dot[other] = 0;
    yield;
  }
  return result;
}

/** @param newestFirst baskets in falling order of time */
export function* affinitiesOf(newestFirst: readonly Basket[]): Generator<void, Affinity[]> {
  const index = yield* indexed(newestFirst);
  const together = yield* togetherOf(index);
  const similar = yield* similarOf(together);
  const named = (list: readonly Scored[]): Neighbour[] =>
    list.map(({ good, score, baskets }) => ({ productId: index.ids[good]!, score, baskets }));
  const affinities: Affinity[] = [];
  for (const [good, productId] of index.ids.entries()) {
    const ages = index.inBaskets[good]!;
    affinities.push({
      productId,
      baskets: ages.length,
      trend: ages.reduce((sum, age) => sum + 0.5 ** (age / trendHalfLife), 0),
      together: named(together[good]!),
      similar: named(similar[good]!),
    });
    if (good % 32 === 0) yield;
  }
  return affinities;
}
