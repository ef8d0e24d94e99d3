import { divisions, type Rule, rules } from './shelf-rules.ts';

/** The shelves of the demo shop, and which good stands where: the source has no categories, its descriptions decide. */

export type Category = {
  readonly slug: string;
  readonly name: string;
  /** Slug of the department; a department itself has none and holds no goods. */
  readonly parent: string | null;
};

const departments: Record<string, { name: string; shelves: Record<string, string> }> = {
  kitchen: {
    name: 'Kitchen & Dining',
    shelves: {
      baking: 'Baking & Cake Stands',
      'mugs-and-teaware': 'Mugs & Teaware',
      tableware: 'Tableware',
      'kitchen-tools': 'Kitchen Tools & Jars',
      'kitchen-linen': 'Aprons & Tea Towels',
      'lunch-and-picnic': 'Lunch Boxes & Picnic',
    },
  },
  home: {
    name: 'Home',
    shelves: {
      'candles-and-holders': 'Candles & Holders',
      't-light-holders': 'T-Light Holders',
      'home-fragrance': 'Home Fragrance',
      lighting: 'Lighting',
      'cushions-and-textiles': 'Cushions & Textiles',
      'frames-and-mirrors': 'Frames & Mirrors',
      'signs-and-wall-decor': 'Signs & Wall Decor',
      clocks: 'Clocks',
      'hanging-decorations': 'Hanging Decorations',
      ornaments: 'Vases & Ornaments',
      'hooks-and-knobs': 'Hooks, Hangers & Knobs',
      'storage-and-furniture': 'Storage & Furniture',
    },
  },
  garden: { name: 'Garden', shelves: { 'garden-and-outdoor': 'Garden & Outdoor' } },
  paper: {
    name: 'Paper & Craft',
    shelves: {
      'cards-and-gift-wrap': 'Cards & Gift Wrap',
      stationery: 'Stationery & Desk',
      'notebooks-and-albums': 'Notebooks & Albums',
      'pens-and-pencils': 'Pens & Pencils',
      'stickers-and-magnets': 'Stickers & Magnets',
      'craft-and-sewing': 'Craft & Sewing',
    },
  },
  jewellery: {
    name: 'Jewellery & Hair',
    shelves: {
      necklaces: 'Necklaces',
      earrings: 'Earrings',
      bracelets: 'Bracelets & Bangles',
      'rings-and-charms': 'Rings, Brooches & Charms',
      'hair-accessories': 'Hair Accessories',
    },
  },
  fashion: {
    name: 'Fashion & Wellbeing',
    shelves: {
      'bags-and-shoppers': 'Bags & Shoppers',
      'purses-and-travel': 'Purses & Travel',
      'key-rings': 'Key Rings',
      'bath-and-beauty': 'Bath & Beauty',
    },
  },
  children: {
    name: 'Children & Parties',
    shelves: {
      'toys-and-games': "Toys & Children's Things",
      'soft-toys-and-dolls': 'Soft Toys & Dolls',
      party: 'Party Supplies',
    },
  },
  seasonal: {
    name: 'Seasonal',
    shelves: {
      christmas: 'Christmas Decorations',
      'christmas-cards-and-wrap': 'Christmas Cards & Wrap',
      easter: 'Easter',
    },
  },
  more: { name: 'More', shelves: { other: 'Other Gifts' } },
};

/** Departments first, each followed by its shelves: the order in which they can be stored. */
export const categories: readonly Category[] = Object.entries(departments).flatMap(
  ([parent, { name, shelves }]) => [
    { slug: parent, name, parent: null },
    ...Object.entries(shelves).map(([slug, shelf]) => ({ slug, name: shelf, parent })),
  ],
);

const shelfFinder = (table: readonly Rule[]) => {
  const matchers = table.map(
    ([slug, phrases]) =>
      [slug, new RegExp(`(?<![A-Z'])(?:${phrases.replaceAll(', ', '|')})S?(?![A-Z'])`, 'i')] as const,
  );
  return (description: string): string | undefined =>
    matchers.find(([, words]) => words.test(description))?.[0];
};

const firstOf = shelfFinder(rules);
const dividers = new Map(Object.entries(divisions).map(([group, table]) => [group, shelfFinder(table)]));

/** The slug of the one shelf a good with this description stands on. */
export const categoryOf = (description: string): string => {
  const group = firstOf(description) ?? 'other';
  return dividers.get(group)?.(description) ?? group;
};
