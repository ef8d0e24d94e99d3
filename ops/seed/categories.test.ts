import { describe, expect, test } from 'vitest';
import { categories, categoryOf } from './categories.ts';
import { goods } from './online-retail.ts';

const allGoods = goods();
const shelves = categories.filter((category) => category.parent !== null);
const onShelf = Map.groupBy(allGoods, (good) => good.categorySlug);

describe('the shelves', () => {
  test('are 41 in 9 departments, each with a slug and a name of its own', () => {
    expect(shelves).toHaveLength(41);
    expect(categories.length - shelves.length).toBe(9);
    expect(new Set(categories.map((category) => category.slug)).size).toBe(50);
    expect(new Set(categories.map((category) => category.name)).size).toBe(50);
    expect(categories.filter((category) => !/^[a-z]+(-[a-z]+)*$/.test(category.slug))).toEqual([]);
  });

  test('stand after their department, one level deep', () => {
    const departments = new Set<string>();
    for (const { slug, parent } of categories) {
      if (parent === null) departments.add(slug);
      else expect(departments.has(parent)).toBe(true);
    }
  });

  test('hold every good once, and no shelf is nearly empty', () => {
    const known = new Set(shelves.map((shelf) => shelf.slug));
    expect(allGoods.filter((good) => !known.has(good.categorySlug))).toEqual([]);
    const scarce = shelves.filter(({ slug }) => slug !== 'other' && (onShelf.get(slug)?.length ?? 0) < 25);
    expect(scarce).toEqual([]);
    expect(onShelf.get('other')?.length).toBeGreaterThan(0);
  });

  test('leave less than one good in a hundred under other', () => {
    expect(onShelf.get('other')!.length / allGoods.length).toBeLessThan(0.01);
  });
});

test.each([
  ['WHITE HANGING HEART T-LIGHT HOLDER', 't-light-holders'],
  ['SET OF 6 T-LIGHTS TOADSTOOLS', 'candles-and-holders'],
  ['HANGING METAL STAR LANTERN', 'candles-and-holders'],
  ['REGENCY CAKESTAND 3 TIER', 'baking'],
  ['PACK OF 72 RETROSPOT CAKE CASES', 'baking'],
  ['JUMBO BAG RED RETROSPOT', 'bags-and-shoppers'],
  ['LUNCH BAG RED RETROSPOT', 'lunch-and-picnic'],
  ['PARTY BUNTING', 'party'],
  ['ASSORTED COLOUR BIRD ORNAMENT', 'ornaments'],
  ['SMALL POPCORN HOLDER', 'party'],
  ['HEART OF WICKER SMALL', 'hanging-decorations'],
  ['ALARM CLOCK BAKELIKE RED', 'clocks'],
  ['NATURAL SLATE HEART CHALKBOARD', 'signs-and-wall-decor'],
  ['HOT WATER BOTTLE TEA AND SYMPATHY', 'cushions-and-textiles'],
  ["PAPER CHAIN KIT 50'S CHRISTMAS", 'christmas'],
  ['GREEN CHRISTMAS TREE CARD HOLDER', 'christmas'],
  ['SET 10 CARDS JINGLE BELLS 16957', 'christmas-cards-and-wrap'],
  ['WOODEN PICTURE FRAME WHITE FINISH', 'frames-and-mirrors'],
  ['GREEN REGENCY TEACUP AND SAUCER', 'mugs-and-teaware'],
  ['DOORMAT KEEP CALM AND COME IN', 'cushions-and-textiles'],
  ["POPPY'S PLAYHOUSE KITCHEN", 'toys-and-games'],
  ['DOLLY GIRL CHILDRENS BOWL', 'toys-and-games'],
  ['FELTCRAFT DOLL ROSIE', 'soft-toys-and-dolls'],
  ['SET OF 4 ENGLISH ROSE COASTERS', 'tableware'],
  ['SPOTTY PINK DUCK DOORSTOP', 'hooks-and-knobs'],
  ['RED KITCHEN SCALES', 'kitchen-tools'],
  ['SET OF 2 TEA TOWELS PING MICROWAVE', 'kitchen-linen'],
  ['ROSE DU SUD WASHBAG', 'bath-and-beauty'],
  ['CHERRY BLOSSOM PASSPORT COVER', 'purses-and-travel'],
  ['LETTER "K" BLING KEY RING', 'key-rings'],
  ['AMBER 3 BEAD DROP EARRINGS', 'earrings'],
  ['SILVER LARIAT BLACK STONE EARRINGS', 'earrings'],
  ['NECKLACE+BRACELET SET PINK DAISY', 'necklaces'],
  ['PEARL AND CHERRY QUARTZ BRACLET', 'bracelets'],
  ['CRYSTAL FROG PHONE CHARM', 'rings-and-charms'],
  ['JADE GREEN ENAMEL HAIR COMB', 'hair-accessories'],
  ['RING OF ROSES BIRTHDAY CARD', 'cards-and-gift-wrap'],
  ['VANILLA INCENSE 40 CONES IN TIN', 'home-fragrance'],
  ['PINK GAUZE BUTTERFLY LAMPSHADE', 'lighting'],
  ['SMALL RED BABUSHKA NOTEBOOK', 'notebooks-and-albums'],
  ['RECYCLED PENCIL WITH RABBIT ERASER', 'pens-and-pencils'],
  ['S/4 GROOVY CAT MAGNETS', 'stickers-and-magnets'],
  ['SET OF PICTURE FRAME STICKERS', 'stickers-and-magnets'],
  ['WOODLAND PARTY BAG + STICKER SET', 'party'],
  ['SKULLS WRITING SET', 'stationery'],
  ['VICTORIAN SEWING KIT', 'craft-and-sewing'],
  ['BANK ACCOUNT GREETING CARD', 'cards-and-gift-wrap'],
  ['BLUE EASTER EGG HUNT START POST', 'easter'],
  ['ENAMEL WATERING CAN CREAM', 'garden-and-outdoor'],
  ['RUSTIC SEVENTEEN DRAWER SIDEBOARD', 'storage-and-furniture'],
  ['FRAPPUCINO SCARF KNITTING KIT', 'craft-and-sewing'],
  ['HOT BATHS METAL SIGN', 'signs-and-wall-decor'],
  ['NEXT DAY CARRIAGE', 'other'],
])('%s stands on the shelf %s', (description, slug) => {
  expect(categoryOf(description)).toBe(slug);
});

test('a word inside another word decides nothing', () => {
  // RING in STRING, TIN in GLITTER, PEN in PENDANT, CAN in CANNABIS.
  expect(categoryOf('IVORY STRING CURTAIN WITH POLE')).toBe('cushions-and-textiles');
  expect(categoryOf('GLITTER STAR GARLAND WITH BELLS')).toBe('hanging-decorations');
  expect(categoryOf('GREEN PENDANT SHELL NECKLACE')).toBe('necklaces');
});
