/**
 * The words by which goods find their shelves. A good goes to the first rule below whose words occur in its
 * description, so the order of the rules is part of the rule: names that leave no doubt (METAL SIGN, NECKLACE) come
 * first, then occasions (CHRISTMAS), then the many things of a house, then motifs and materials (HEART, GLASS).
 * Phrases match whole words, an S at the end is free. What no rule knows stands under `other`.
 */
export type Rule = readonly [slug: string, phrases: string];

export const rules: readonly Rule[] = [
  ['other', 'gift voucher, next day carriage, packing charge'],
  // Names that decide whatever else the description says: a CHILDRENS APRON is an apron, an ELEPHANT DOORSTOP no toy.
  [
    'signs-and-wall-decor',
    'metal sign, wall art, block word, block letters, wood letters, number tile, flying ducks, door sign, ' +
      'blackboard, chalkboard',
  ],
  ['hooks-and-knobs', 'doorstop, drawer knob, drawerknob, coat rack, door hanger, tile hook'],
  ['storage-and-furniture', 'cabinet, cupboard, sideboard, tissue box'],
  ['bags-and-shoppers', 'jumbo bag, shoulder bag, tote bag, shopping bag, charlotte bag, handbag'],
  ['baking', 'cake case, petit four case, baking case, doilies, cake stand, cakestand, recipe'],
  [
    'toys-and-games',
    'playing cards, snap cards, money bank, money box, puppet, skittle, jigsaw, soft toy, playhouse',
  ],
  ['kitchen-tools', 'tea towel, oven glove, apron, tea container, coffee container, kitchen scale'],
  ['purses-and-travel', 'purse'],
  ['craft-and-sewing', 'knitting, sewing, card kit, pin cushion, craft kit'],
  ['stationery', 'pencil, notebook, sticker, writing set, pen in gift box'],
  ['mugs-and-teaware', 'teapot'],
  ['garden-and-outdoor', 'watering can'],
  ['hanging-decorations', 'wicker heart, wicker star, heart of wicker, flower wicker'],
  ['tableware', 'light green bowl, light blue bowl'],
  [
    'cushions-and-textiles',
    'doormat, cushion, squarecushion, c/cover, acapulco mat, pouffe, quilt, throw, filler pad, hot water ' +
      'bottle, blanket, rug, table run, table runner, tablecloth, lace curtain, beanbag, chair pad, string ' +
      'curtain, feathers curtain, seat pad, door curtain',
  ],
  ['storage-and-furniture', 'trinket, jewellery box, jewellery stand, jewel stand, ring holder, pill box'],
  ['garden-and-outdoor', 'windmill, wind chime, windchime, bird house, birdhouse, hammock, gnome'],
  [
    'purses-and-travel',
    'key ring, keyring, key-chain, vippassport, key fob, key chain, keychain, passport, luggage tag, ' +
      'travel',
  ],
  ['clocks', 'clock'],
  ['tableware', 'napkin ring, napkin charm, place setting'],
  [
    'rings-and-charms',
    'necklace, necklac, neckl, bracelet, braclet, earring, bangle, brooch, pendant, lariat, hair grip, ' +
      'hair slide, hair clip, hair comb, hair band, hair tie, hair pin, hairslide, hairclip, hairband, ' +
      'headband, phone charm, bag charm, tiara, badge, stud, hair bobble, ring',
  ],
  [
    'christmas',
    'christmas, xmas, advent, santa, reindeer, bauble, noel, tinsel, snowman, snowmen, nativity, ' +
      'snowflake, jingle, choir, festive, rudolph, yuletide, feather tree, poinsettia, mistletoe, snow ' +
      'star, gold tree, silver tree, holly, angel decoration, tree decoration, blackchristmas',
  ],
  [
    'easter',
    'easter, egg hunt, chicks in, hens, rabbit egg, chick egg, egg warmer, hen+chicks, hanging hen, ' +
      'bunny, bunnies, mini rabbit, egg basket, hanging egg, butterfly egg, painted eggs, magnets chick',
  ],
  [
    'party',
    'bunting, balloon, party, paper plate, paper cup, napkin, straw, confetti, streamer, paper chain, ' +
      'birthday candle, cake candle, popcorn holder, invite, banner, pennant, tattoo, paper garland, ' +
      'honeycomb garland, pinata, disco ball, paper parasol, honeycomb paper, bingo, paper lantern, ' +
      'cracker, barrier tape, paper fan, place card, flag of st george',
  ],
  [
    'cards-and-gift-wrap',
    'card, wrap, gift tag, gift tape, gift bag, gift box, gift boxes, paper bag, tissue paper, envelope, ' +
      'postcard, ribbon, book mark, gift sack, wrapping, tags, candy bag, rosette',
  ],
  ['hooks-and-knobs', 'card holder, cardholder'],
  [
    'candles-and-holders',
    't-light, tlight, t light, tealight, candle, candlestick, candleholder, candlestand, candlepot, ' +
      'candelabra, lantern, votive, chocolatecandle, baroquecandlestick, wick, matches, hurricane lamp, ' +
      'willie winkie',
  ],
  [
    'home-fragrance',
    'incense, scented, scent, pot pourri, potpourri, pot pouri, fragrance, perfume, room spray, oil ' +
      'burner, fragranced, lavender bag, sachet, citronella',
  ],
  [
    'lunch-and-picnic',
    'lunch bag, lunch box, lunchbox, picnic, snack, flask, hamper, cool bag, sandwich box, thermos, water ' +
      'bottle',
  ],
  [
    'bath-and-beauty',
    'soap, bath, bathroom, shower, washbag, wash bag, towel, flannel, sponge, cosmetic, compact, lip, ' +
      'balm, hand warmer, handwarmer, pocket warmer, plasters, first aid, nail, massage, slipper, ' +
      'toothbrush, tissue, beauty, manicure, eye mask, ear muff, washroom, foot spa, talc, razor',
  ],
  [
    'purses-and-travel',
    'purse, wallet, umbrella, scarf, sunglasses, rain mac, parasol, fan, sombrero, poncho, cabin bag, ' +
      'airline bag, coin, gloves wool, sock, tie rack, pashmina, sarong, hat, glove puppet',
  ],
  [
    'toys-and-games',
    'toy, game, jigsaw, puzzle, playing, skittle, domino, dominoes, spinning top, skipping, marbles, ' +
      'helicopter, glider, puppet, teddy, doll, money box, money bank, piggy bank, moneybox, kite, yoyo, yo ' +
      'yo, harmonica, recorder, tambourine, drum, magic drawing, drawing slate, snake set, ludo, chess, ' +
      'bubbles, bouncy, flying, inflatable, animals, croquet, rounders, noughts, snap, ninja, playhouse, ' +
      'rocking horse, pony, monster, blocks, robot, space frog, space cadet, space owl, quoits, kids, ' +
      'colouring, piece snake, sheep wool, baby, tea set, tool set, bib, building block, soldiers, wind up, ' +
      'boom box, speaker, radio, baking set, bertie, finger, creepy, modelling clay, crayon, paint set, ' +
      "sandcastle, cooking set, childrens, childs, children's, dinosaur, dolly girl beaker, nursery, " +
      'rattle, squeaker, dragonfly, sporting fun, hop ball',
  ],
  [
    'stationery',
    'notebook, pencil, pen, sketchbook, journal, ruler, eraser, sticker, stationery, writing set, album, ' +
      'scrapbook, calculator, hole punch, memo, diary, notepad, note pad, rubber, chalk, bookcover, letter ' +
      "rack, letter holder, paperweight, p'weight, sharpener, tape, stamp set, planner, calendar, office, " +
      'stapler, magnet, desk, clip, cd, book, clipboard, filing, pinboard, notice board, memoboard, letter ' +
      'shape',
  ],
  [
    'craft-and-sewing',
    'sewing, knitting, craft, feltcraft, stencil, patches, pin cushion, button, embroidery, make your ' +
      'own, wool, beads, felt, tape measure, measuring tape, needle, iron on, origami, kit',
  ],
  ['lighting', 'light, lamp, lampshade, chandelier, shade, nightlight, bulb, torch'],
  [
    'baking',
    'cake, cakestand, baking, cookie, biscuit, jelly, mould, rolling pin, mixing bowl, whisk, measuring, ' +
      'muffin, cupcake, petit four, doily, doilies, doiley, ladle, sieve, pastry, flan, pie dish, bundt, ' +
      'lolly maker, recipe, cutter, sugar jars, flour',
  ],
  [
    'mugs-and-teaware',
    'mug, cup, saucer, teacup, teapot, tea, coffee, beaker, milk jug, creamer, sugar, cafetiere, espresso',
  ],
  [
    'kitchen-tools',
    'apron, oven glove, oven mitt, chopping board, scales, bread bin, pan, saucepan, food cover, utensil, ' +
      'spatula, colander, washing up, timer, kitchen, bottle opener, corkscrew, bread basket, peg, toast, ' +
      'toaster, egg cosy, fridge, dustpan, ironing, laundry, container, fly swat, egg holder, pantry, ' +
      'spice, tea caddy, gloves, salt, pepper, grater, peeler, dish cloth, chopper, casserole, tortilla, ' +
      'herb, scissor, knife, knives, jam pot, preserving, cleaning, brush, potholder, butter dish, jar',
  ],
  [
    'tableware',
    'plate, bowl, dish, dishes, cutlery, placemat, coaster, tray, tea glass, d.o.f. glass, glasses, ' +
      'tumbler, jug, platter, fork, spoon, decanter, goblet, egg cup, carafe, pitcher, chopsticks, charger, ' +
      'fruitbowl, ashtray, cakestand, wine, champagne, sundae, napkin holder, table mat, chalice, ramekin, ' +
      'bonbon, ice bucket, cruet, shaker, bottle stopper, aperitif',
  ],
  [
    'bags-and-shoppers',
    'bag, shopper, tote, handbag, backpack, rucksack, satchel, suitcase, holdall, trolley, sack',
  ],
  ['frames-and-mirrors', 'frame, photo, photoframe, picture, mirror, cornice'],
  [
    'hooks-and-knobs',
    'hook, hanger, coathanger, knob, doorstop, door stop, key holder, rack, door knocker, bookend, towel ' +
      'rail, peg rail, shelf bracket, door handle',
  ],
  [
    'signs-and-wall-decor',
    'sign, doorsign, plaque, tile, letter, chalkboard, blackboard, canvas, print, poster, word, slate, ' +
      'thermometer, no entry, bell pull, flying ducks, screen, wall, number',
  ],
  [
    'garden-and-outdoor',
    'garden, watering, plant, planter, flower pot, flowerpot, herb pot, trowel, bird feeder, bird table, ' +
      'seed, trellis, potting, wheelbarrow, grow your own, bird bath, beach, hose, deckchair, picnic table, ' +
      'outdoor, bbq, birdcage, bird cage, sow, kneeling mat, dovecote, windsock, folding chair, ladder, ' +
      'gardeners, bucket, spinner, mobile, camping, mushroom, toadstool, insect, butterfly house',
  ],
  [
    'storage-and-furniture',
    'box, boxes, basket, drawer, cabinet, tin, chest, stool, shelf, table, chair, organiser, tidy, ' +
      'storage, bin, bureau, sideboard, bench, seat, stand, crate, trunk, cupboard, wardrobe, caddy, ' +
      'wicker, hamper, shelves, bookcase, jar, pot, holder, bucket',
  ],
  [
    'hanging-decorations',
    'hanging, garland, wreath, decoration, mobile, bell, chime, heart, star, dec, droplet, curtain, ' +
      'angel, butterfly, birds on, feather, hang, tree, string of, wobbly',
  ],
  [
    'ornaments',
    'vase, ornament, figurine, statue, flower, bird, cat, dog, hen, chicken, cockerel, duck, owl, rabbit, ' +
      'elephant, cherub, buddha, budah, figure, rose, daisy, crystal, jewel, porcelain, ceramic, spiral, ' +
      'posy, bottle, urn, candle bowl, globe, shell, wood, wooden, zinc, glass, metal, stone, skull, gecko, ' +
      'dolly, money',
  ],
];

/**
 * What the rules find much of is divided once more, by the first of these words. What none of them names stays where
 * the rules put it.
 */
export const divisions: Record<string, readonly Rule[]> = {
  'rings-and-charms': [
    ['christmas-cards-and-wrap', 'xmas'],
    ['cards-and-gift-wrap', 'birthday card'],
    ['lighting', 'lampshade'],
    ['earrings', 'earring'],
    ['necklaces', 'necklace, necklac, neckl, lariat'],
    ['bracelets', 'bracelet, braclet, bangle'],
    [
      'hair-accessories',
      'hair grip, hair slide, hair clip, hair comb, hair band, hair tie, hair pin, hair bobble, hairslide, ' +
        'hairclip, hairband, headband, tiara',
    ],
  ],
  'candles-and-holders': [
    [
      't-light-holders',
      't-light holder, t-light hldr, t-light glass, t-light set, t-light setting, tealight holder, hanging ' +
        't-light, etched tealight',
    ],
  ],
  'kitchen-tools': [['kitchen-linen', 'tea towel, oven glove, oven mitt, apron']],
  stationery: [
    ['party', 'party bag'],
    ['baking', 'cake tin'],
    ['kitchen-tools', 'herb tin'],
    ['craft-and-sewing', 'tape measure, measuring tape'],
    ['storage-and-furniture', 'book box, desk and chair'],
    ['stickers-and-magnets', 'sticker, magnet'],
    ['frames-and-mirrors', 'picture frame'],
    [
      'notebooks-and-albums',
      'notebook, note book, notepad, sketchbook, journal, pocket book, exercise book, address book, ' +
        'scrap book, scrapbook, diary, album',
    ],
    ['pens-and-pencils', 'pen, pencil, rubber, eraser, sharpener, ruler, chalk'],
  ],
  'purses-and-travel': [['key-rings', 'key ring, keyring, key-chain, key chain, keychain, key fob']],
  'toys-and-games': [
    ['rings-and-charms', 'bead charm'],
    [
      'soft-toys-and-dolls',
      'soft toy, doll, teddy, floral pink monster, floral blue monster, ninja, space frog, space owl, space ' +
        'cadet, pony, puppet, baby mouse, mouse toy, dog toy',
    ],
  ],
  christmas: [
    ['christmas', 'card holder, cardholder, metal tags, metal postcard'],
    ['christmas-cards-and-wrap', 'card, wrap, ribbon, gift tag, gift bag, gift sack, tissue, boxes'],
  ],
};
