// Does the shop recommend what people then buy? Learns from the sales before a day and looks at those after it, with the
// very functions that the subgraph serves with.
import {
  affinitiesOf,
  completing,
  type Hint,
  personal,
  popular,
  type Recommendation,
  type Shelf,
  shelfOf,
} from '@orderstream/recommendations/rules';
import { seedFraction } from '../seed/ids.ts';
import { type Invoice, invoices } from '../seed/online-retail.ts';

/** Ten weeks of sales remain after it. */
export const usualCut = new Date('2011-07-23T00:00:00Z');
const looked = 10;
/** of a basket, shown when one of its goods is to be guessed */
const mostGiven = 10;

export type Figures = {
  readonly task: string;
  /** questions asked */
  readonly asked: number;
  /** share of questions where one of the ten goods shown was right */
  readonly ours: number;
  readonly popularity: number;
};

export type Report = {
  readonly cut: Date;
  readonly seed: number;
  readonly learntFrom: number;
  readonly goods: number;
  readonly learntInMs: number;
  /** microseconds for one list, mean over the questions */
  readonly listMicros: number;
  readonly figures: readonly Figures[];
};

type Question = {
  readonly isRight: (productId: string) => boolean;
  readonly ours: () => readonly Recommendation[];
  readonly popularity: () => readonly Recommendation[];
};

const finished = <T>(work: Generator<void, T>): T => {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
};

const basketOf = ({ lines }: Invoice): string[] => [...new Set(lines.map(({ sku }) => sku))];

/** Of a basket of three or more known goods one is hidden, at most ten others are given. */
const baskets = (shelf: Shelf, after: readonly Invoice[], seed: number): Question[] =>
  after.flatMap((invoice) => {
    const shuffled = basketOf(invoice)
      .filter((sku) => shelf.places.has(sku))
      .map((sku) => ({ sku, at: seedFraction(`hidden ${seed}`, `${invoice.number} ${sku}`) }))
      .sort((a, b) => a.at - b.at)
      .map(({ sku }) => sku);
    if (shuffled.length < 3) return [];
    const [hidden, ...rest] = shuffled;
    const given = rest.slice(0, mostGiven).map((productId): Hint => ({ productId, weight: 1 }));
    return [
      {
        isRight: (productId: string) => productId === hidden,
        ours: () => completing(shelf, given, looked),
        popularity: () => popular(shelf, looked, new Set(given.map(({ productId }) => productId))),
      },
    ];
  });

/** Customers seen before and after: is one of the goods shown among all those bought after? */
const nextPurchases = (
  shelf: Shelf,
  newestFirst: readonly Invoice[],
  after: readonly Invoice[],
): Question[] => {
  const byCustomer = (list: readonly Invoice[]) =>
    Map.groupBy(
      list.filter(({ customer }) => customer !== null),
      ({ customer }) => customer,
    );
  const before = byCustomer(newestFirst);
  return [...byCustomer(after)].flatMap(([customer, later]) => {
    const history = before.get(customer);
    const right = new Set(later.flatMap(basketOf).filter((sku) => shelf.places.has(sku)));
    if (!history || right.size === 0) return [];
    const purchases = history.flatMap((invoice, ordersAgo) =>
      basketOf(invoice).map((productId) => ({ productId, ordersAgo })),
    );
    return [
      {
        isRight: (productId: string) => right.has(productId),
        ours: () => personal(shelf, purchases, looked),
        popularity: () => popular(shelf, looked),
      },
    ];
  });
};

const figuresOf = (task: string, questions: readonly Question[]): Figures => {
  const share = (lists: 'ours' | 'popularity'): number =>
    questions.filter((question) => question[lists]().some(({ productId }) => question.isRight(productId)))
      .length / questions.length;
  return { task, asked: questions.length, ours: share('ours'), popularity: share('popularity') };
};

/** @param end sales from here on are not looked at */
export const evaluate = (cut: Date, seed: number, end = new Date(8.64e15)): Report => {
  const newestFirst = [...invoices()]
    .filter(({ placedAt }) => placedAt < end)
    .sort((a, b) => b.placedAt.getTime() - a.placedAt.getTime());
  const before = newestFirst.filter(({ placedAt }) => placedAt < cut);
  const after = newestFirst.filter(({ placedAt }) => placedAt >= cut);

  const began = performance.now();
  const shelf = finished(shelfOf(finished(affinitiesOf(before.map(basketOf)))));
  const learntInMs = performance.now() - began;

  const completion = baskets(shelf, after, seed);
  const from = performance.now();
  for (const question of completion) question.ours();
  const listMicros = ((performance.now() - from) * 1000) / completion.length;
  return {
    cut,
    seed,
    learntFrom: before.length,
    goods: shelf.ids.length,
    learntInMs,
    listMicros,
    figures: [
      figuresOf('basket completion', completion),
      figuresOf('next purchase', nextPurchases(shelf, before, after)),
    ],
  };
};

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export const told = ({ cut, seed, learntFrom, goods, learntInMs, listMicros, figures }: Report): string =>
  [
    `Learnt from ${learntFrom} sales of ${goods} goods before ${cut.toISOString().slice(0, 10)}, seed ${seed},`,
    `in ${Math.round(learntInMs)} ms; a list takes ${Math.round(listMicros)} µs.`,
    '',
    `  ${'hit rate@10'.padEnd(20)}${'asked'.padStart(8)}${'ours'.padStart(10)}${'popularity'.padStart(13)}`,
    ...figures.map(
      ({ task, asked, ours, popularity }) =>
        `  ${task.padEnd(20)}${String(asked).padStart(8)}${percent(ours).padStart(10)}${percent(popularity).padStart(13)}`,
    ),
  ].join('\n');
