// What somebody who types into the search box means. The words themselves are looked up elsewhere; here is what follows.
import type { Cursor } from '@orderstream/runtime/paging';
import type { Product } from './product.ts';
import type { Filter, ProductList } from './product-list.ts';

/** Characters of a question; longer ones are refused. */
export const longestQuestion = 200;

/** A question in the form that `websearch_to_tsquery` reads, and its last word while it may still be half typed. */
export type Question = {
  readonly text: string;
  readonly words: readonly string[];
  readonly halfTyped: string | null;
};

/** What the shop knows of one word. */
export type Known = {
  readonly word: string;
  /** not a word like "the", which is nowhere and everywhere */
  readonly isMeant: boolean;
  readonly isKnown: boolean;
  /** stems of words that begin with it while their stem does not; only of a half typed word */
  readonly completions: readonly string[];
};

/** What is looked for: `text`, or `head` and what the half typed end could become, as a tsquery. */
export type Interpretation = {
  readonly text: string;
  readonly head: string;
  readonly ending: string | null;
  readonly keywords: readonly string[];
};

export type Hit = Product & { readonly rank: number };

export type SearchResult = {
  readonly interpretation: Interpretation;
  readonly filter: Filter;
  readonly products: ProductList;
  /** milliseconds */
  readonly tookMs: number;
};

export const byRank = 'rank';

export const cursorByRank = (hit: Hit): Cursor => ({ sort: byRank, at: String(hit.rank), id: hit.id });

const word = /[\p{L}\p{N}]+/gu;
const excluded = /-("[^"]*"?|[\p{L}\p{N}]+)/gu;

/**
 * The same treatment that goods get from `searchable` in the database: punctuation separates, apostrophes vanish.
 * Quotes and a minus before a word stay, for they mean something.
 */
export const readQuestion = (asked: string): Question => {
  const text = asked
    .normalize('NFC')
    .toLowerCase()
    .replace(/['’‘]/g, '')
    .replace(/[^\p{L}\p{N}"-]/gu, ' ')
    .replace(/-/g, (_minus, at: number, whole: string) => (isMinus(whole, at) ? '-' : ' '))
    .trim();
  const words = [...new Set(text.replace(excluded, ' ').match(word) ?? [])];
  return { text, words, halfTyped: halfTyped(text) };
};

const isMinus = (text: string, at: number): boolean =>
  !/[\p{L}\p{N}-]/u.test(text.charAt(at - 1)) && /[\p{L}\p{N}"]/u.test(text.charAt(at + 1));

/** Neither inside quotes, nor excluded, nor one of two sides of an "or": there a guess would change the meaning. */
const halfTyped = (text: string): string | null => {
  const last = /[\p{L}\p{N}]{2,}$/u.exec(text)?.[0] ?? '';
  const before = text.slice(0, text.length - last.length);
  const isOpen = last !== '' && (text.split('"').length - 1) % 2 === 0 && !/(-|"|\bor\s+)$/.test(before);
  return isOpen && last !== 'or' ? last : null;
};

/** @param corrections what to read in place of words that no product has */
export const interpret = (
  { text, halfTyped: last }: Question,
  known: readonly Known[],
  corrections: ReadonlyMap<string, string>,
): Interpretation => {
  const corrected = (said: string): string => said.replace(word, (found) => corrections.get(found) ?? found);
  const isOpen = last !== null && !corrections.has(last);
  const stems = known.find((one) => one.word === last)?.completions ?? [];
  return {
    text: corrected(text),
    head: isOpen ? corrected(text.slice(0, -last.length)) : '',
    // Quoted, for a stem may hold what means something to tsquery.
    ending: isOpen
      ? [`'${last}':*`, ...stems.map((stem) => `'${stem.replaceAll("'", "''")}'`)].join(' | ')
      : null,
    keywords: known.filter((one) => one.isMeant).map((one) => corrections.get(one.word) ?? one.word),
  };
};

/** Words to correct: that no product has, and that are words. An article number is right or wrong, never nearly right. */
export const unknownWords = (known: readonly Known[]): string[] =>
  known.flatMap((one) => (one.isMeant && !one.isKnown && /^\p{L}{3,}$/u.test(one.word) ? [one.word] : []));

/** Slips of the finger we put up with: one in words of up to five letters, two in longer ones. */
const slips = (of: string): number => (of.length <= 5 ? 1 : 2);

/** The candidate that takes the fewest slips to become the word; between equals the first. */
export const closest = (to: string, candidates: readonly string[]): string | null => {
  let best: { readonly word: string; readonly distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = distanceOf(to, candidate);
    if (distance <= slips(to) && (!best || distance < best.distance)) best = { word: candidate, distance };
  }
  return best?.word ?? null;
};

/** Optimal string alignment: letters added, left out, changed, or swapped with their neighbour count one each. */
export const distanceOf = (a: string, b: string): number => {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
};
