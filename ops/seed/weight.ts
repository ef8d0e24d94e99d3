/**
 * Weights, which the source does not have and postage needs: the usual weight of a thing from its shelf, times a
 * factor for the first size word found; a weight printed in the description wins. Furniture words outweigh shelves.
 * The result is rounded to 5 g and lies between 10 g and 15 kg.
 */
const shelves: Record<string, number> = {
  baking: 300,
  'mugs-and-teaware': 350,
  tableware: 400,
  'kitchen-tools': 300,
  'kitchen-linen': 300,
  'lunch-and-picnic': 250,
  'candles-and-holders': 300,
  't-light-holders': 300,
  'home-fragrance': 100,
  lighting: 600,
  'cushions-and-textiles': 500,
  'frames-and-mirrors': 500,
  'signs-and-wall-decor': 350,
  clocks: 700,
  'hanging-decorations': 80,
  ornaments: 250,
  'hooks-and-knobs': 250,
  'storage-and-furniture': 600,
  'garden-and-outdoor': 450,
  'cards-and-gift-wrap': 40,
  stationery: 120,
  'notebooks-and-albums': 120,
  'pens-and-pencils': 120,
  'stickers-and-magnets': 120,
  'craft-and-sewing': 180,
  necklaces: 40,
  earrings: 40,
  bracelets: 40,
  'rings-and-charms': 40,
  'hair-accessories': 40,
  'bags-and-shoppers': 200,
  'purses-and-travel': 90,
  'key-rings': 90,
  'bath-and-beauty': 150,
  'toys-and-games': 250,
  'soft-toys-and-dolls': 250,
  party: 80,
  christmas: 120,
  'christmas-cards-and-wrap': 120,
  easter: 100,
  other: 200,
};

const heavy: readonly (readonly [RegExp, number])[] = [
  [/\b(?:SIDEBOARD|CABINET|CUPBOARD|LOVE SEAT|BENCH|DESK|WARDROBE)\b/, 8000],
  [/\b(?:STOOL|CHAIR|TABLE RECT|ROUND TABLE|TRAY TABLE|SCREEN)\b/, 3500],
  [/\bDOORSTOP\b/, 1200],
  [/\bDOORMAT\b/, 1500],
];

const sizes: readonly (readonly [RegExp, number])[] = [
  [/\b(?:MINI|TINY)\b/, 0.4],
  [/\b(?:SMALL|CHILDRENS|CHILDS)\b/, 0.6],
  [/\b(?:LARGE|BIG|TALL)\b/, 1.6],
  [/\b(?:GIANT|JUMBO)\b/, 2],
];

export const weightGrams = (description: string, shelf: string): number => {
  const text = description.toUpperCase();
  const printed = /\b(\d+(?:\.\d+)?)G\b/.exec(text)?.[1];
  const usual = heavy.find(([word]) => word.test(text))?.[1] ?? shelves[shelf] ?? 200;
  const size = sizes.find(([word]) => word.test(text))?.[1] ?? 1;
  const grams = printed ? Number(printed) : usual * size;
  return Math.min(15_000, Math.max(10, Math.round(grams / 5) * 5));
};
