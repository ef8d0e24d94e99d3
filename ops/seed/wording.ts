/** From the wholesaler's upper-case shorthand to what a shop would print. */

/** Shorthand spelled out, in this order. Only what can mean one thing is here. */
const shorthand: readonly (readonly [RegExp, string])[] = [
  [/^\*/, ''],
  [/,(?=\S)/g, ', '],
  [/(\d)"(?=[A-Z])/g, '$1" '],
  [/\bLOLA"/g, 'LOLA "'],
  [/\bNECKL(?:\.|\b|(?=\d))/g, 'NECKLACE '],
  [/\bGARLD\b/g, 'GARLAND'],
  [/\bTURQUOIS$/g, 'TURQUOISE'],
  [/\bB'DRAW LINERS\b/g, 'DRAWER LINERS'],
  [/\s+,/g, ','],
  [/[\s,.]+$/, ''],
  [/\bT-LIGHT HLDR\b/g, 'T-LIGHT HOLDER'],
  [/\bS(?:ET)? ?\/ ?(\d+)\b/g, 'SET OF $1'],
  [/\bSET(?: OF)? ?(\d+)\b/g, 'SET OF $1'],
  [/\bPACK ?\/? ?(\d+)\b/g, 'PACK OF $1'],
  [/^BOX\/(\d+)\b/g, 'BOX OF $1'],
  [/\bC\/COVER\b/g, 'CUSHION COVER'],
  [/\bSQUARECUSHION\b/g, 'SQUARE CUSHION'],
  [/\bVIPPASSPORT\b/g, 'VIP PASSPORT'],
  [/\bBLACKCHRISTMAS\b/g, 'BLACK CHRISTMAS'],
  [/\bB'FLY\b/g, 'BUTTERFLY'],
  [/\bP'WEIGHT\b/g, 'PAPERWEIGHT'],
  [/\bW\/ ?/g, 'WITH '],
  [/ W (?=[A-Z])/g, ' WITH '],
  [/\bASS?TD?\b\.?/g, 'ASSORTED'],
  [/\bASS COL\b/g, 'ASSORTED COLOURS'],
  [/\bANT (?=WHITE|SILVER|COPPER|GOLD)/g, 'ANTIQUE '],
  [/\bNECKLAC\b/g, 'NECKLACE'],
  [/\bBRACLET\b/g, 'BRACELET'],
  [/\bTURQ\b/g, 'TURQUOISE'],
  [/\bDES\b(?= (?:PURSE|TEA))/g, 'DESIGN'],
  [/\bCHRISTMAS DEC$/g, 'CHRISTMAS DECORATION'],
  [/\+/g, ' & '],
  [/([A-Z])&([A-Z])/g, '$1 & $2'],
  [/\s+/g, ' '],
];

const small = new Set([
  'a',
  'and',
  'at',
  'by',
  'de',
  'du',
  'for',
  'from',
  'in',
  'of',
  'on',
  'or',
  'the',
  'to',
  'with',
]);
const capitals = new Set([
  'BBQ',
  'CD',
  'DIY',
  'FM',
  'II',
  'LED',
  'TV',
  'UK',
  'USB',
  'VIP',
  'ABC',
  'D.O.F',
  'M.O.P',
  'OK',
]);

/** The description without its shorthand, still in capitals: what the other functions here read. */
export const spelledOut = (description: string): string =>
  shorthand
    .reduce((text, [pattern, words]) => text.replace(pattern, words), description.toUpperCase())
    .trim();

/** A size or a number with a letter: 60CM and 45X30CM are printed small, A5 and 3D as they are. */
const isMeasure = (word: string) =>
  /^\d+(?:\.\d+)?(?:X\d+(?:X\d+)?)?(?:CM|MM|M|G|KG|ML|ST|ND|RD|TH|CM X)$/.test(word);

const capitalised = (word: string, isFirst: boolean): string => {
  if (isMeasure(word)) return word.toLowerCase();
  if (capitals.has(word.replace(/[^A-Z.]|\.$/g, '')) || /\d/.test(word)) return word.replace(/'S\b/, "'s");
  const lower = word.toLowerCase();
  if (!isFirst && small.has(lower)) return lower;
  // The letter after an apostrophe stays small (Children's), the one after a hyphen, slash or bracket does not.
  return lower.replace(
    /(^|[-/("&.!])(\p{Letter})/gu,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
};

/** `WHITE HANGING HEART T-LIGHT HOLDER` is sold as `White Hanging Heart T-Light Holder`. */
export const productName = (spelled: string): string =>
  spelled
    .split(' ')
    .map((word, i) => capitalised(word, i === 0))
    .join(' ');

const materials: readonly (readonly [RegExp, string])[] = [
  [/\bPORCELAIN\b/, 'porcelain'],
  [/\bCERAMIC\b/, 'ceramic'],
  [/\bENAMEL\b/, 'enamel'],
  [/\bWOOD(?:EN)?\b/, 'wood'],
  [/\bWICKER\b/, 'wicker'],
  [/\bBAMBOO\b/, 'bamboo'],
  [/\bZINC\b/, 'zinc'],
  [/\bMETAL\b/, 'metal'],
  [/\bGLASS\b/, 'glass'],
  [/\bCOTTON\b/, 'cotton'],
  [/\bFELT\b/, 'felt'],
  [/\bSILK\b/, 'silk'],
  [/\bPAPER\b/, 'paper'],
  [/\bPLASTIC\b/, 'plastic'],
];

const colours =
  /\b(AMBER|BLACK|BLUE|BROWN|CREAM|GOLD|GREEN|GREY|IVORY|LILAC|MINT|ORANGE|PINK|PURPLE|RED|SILVER|TURQUOISE|WHITE|YELLOW)\b/g;

export type Facts = {
  readonly material: string | null;
  /** In the order of the description. */
  readonly colours: readonly string[];
  /** Pieces in a set, pack or box; 1 for a single piece. */
  readonly pieces: number;
};

/** What the spelled-out description says about the thing itself. */
export const facts = (text: string): Facts => {
  const pieces = /\b(?:SET|PACK|BOX|BUNDLE) OF (\d+)\b/.exec(text)?.[1] ?? /^(\d+) (?=[A-Z])/.exec(text)?.[1];
  return {
    material: materials.find(([word]) => word.test(text))?.[1] ?? null,
    colours: [...new Set([...text.matchAll(colours)].map(([colour]) => colour.toLowerCase()))],
    pieces: pieces ? Math.max(1, Number(pieces)) : 1,
  };
};

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

// Not toLocaleString: a new formatter for each of thousands of goods is a third of the reading time.
const thousands = (n: number) =>
  n < 1000 ? `${n}` : `${Math.floor(n / 1000)},${`${n % 1000}`.padStart(3, '0')}`;

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** A product text from facts only: shelf, material, colour, pieces, weight and how often it was bought. */
export const productText = (
  name: string,
  about: Facts & { readonly shelf: string; readonly weightGrams: number; readonly soldLines: number },
): string => {
  const look = [
    ...(about.material ? [`material: ${about.material}`] : []),
    ...(about.colours.length > 0 ? [`colour: ${listed(about.colours)}`] : []),
    ...(about.pieces > 1 ? [`${about.pieces} pieces`] : []),
  ];
  return [
    `${name}, in ${about.shelf}.`,
    ...look.map(sentence),
    `Weighs about ${thousands(about.weightGrams)} g.`,
    ...(about.soldLines >= 10
      ? [`Ordered ${thousands(about.soldLines)} times in its first ten months with us.`]
      : []),
  ].join(' ');
};
