import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Facts, type Features, featuresOf, goodsAbuseOf, nothingUsual, withAmount } from './feature.ts';
import { highRisk } from './messages.ts';
import { levelOf, score } from './rules.ts';

const shop = Array.from({ length: 100 }, (_, index) => 1_000 + 40 * index).reduce(withAmount, nothingUsual);

const ordinary: Facts = {
  amountMinor: 3_000,
  customer: [2_500, 3_100, 2_800].reduce(withAmount, nothingUsual),
  shop,
  accountAgeHours: 2_000,
  addressChangedHours: null,
  ordersLastHour: 0,
  ordersLastDay: 0,
  accountsOnAddress: 0,
  accountsOnDevice: 0,
  accountsOnNetwork: 0,
  ordersFromNetwork: 0,
  isNewAddress: false,
  isNewDevice: false,
  rejectedOnAddress: 0,
  rejectedOnDevice: 0,
  rejectedOnNetwork: 0,
  goodsAbuse: 0,
  declines: 0,
};

const scored = (given: Partial<Facts>) => score(featuresOf({ ...ordinary, ...given }), 'GBP');
const names = (given: Partial<Facts>) => scored(given).factors.map(({ name }) => name);

describe('single risks', () => {
  test('an ordinary order of a known customer scores nothing', () => {
    expect(scored({})).toEqual({ score: 0, factors: [] });
  });

  test('a new account with an ordinary order is a quarter of the way', () => {
    expect(scored({ accountAgeHours: 1, customer: nothingUsual })).toEqual({
      score: 25,
      factors: [{ name: 'new-account', contribution: 25, explanation: 'The account is 1 hour old.' }],
    });
  });

  test('two risks combine as independent chances: 1 - 0.75 x 0.5', () => {
    const { score: both, factors } = scored({
      accountAgeHours: 1,
      customer: nothingUsual,
      accountsOnDevice: 3,
    });
    expect(both).toBe(63);
    expect(factors.map(({ name }) => name)).toEqual(['shared-device', 'new-account']);
    expect(factors.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(62.5, 2);
  });

  test('the sentence tells the amount and what is usual', () => {
    const [first] = scored({ amountMinor: 60_000 }).factors;
    expect(first?.explanation).toMatch(
      /^The order is £600\.00 where £2\d\.\d\d is usual: \d+\.\d standard deviations above it\.$/,
    );
  });

  test('an amount says nothing where nothing is usual yet', () => {
    expect(names({ amountMinor: 5_000_000, customer: nothingUsual, shop: nothingUsual })).toEqual([]);
  });

  test('what is not known of an account is not held against it', () => {
    expect(scored({ accountAgeHours: null, addressChangedHours: null }).score).toBe(0);
  });

  test('a good that was rejected once is not yet a bad good', () => {
    expect(names({ goodsAbuse: goodsAbuseOf({ rejected: 1, refunded: 0, orders: 3 }) })).toEqual([]);
    expect(names({ goodsAbuse: goodsAbuseOf({ rejected: 9, refunded: 4, orders: 10 }) })).toEqual(['goods']);
  });

  test('a busy office on its own holds nobody', () => {
    const { score: office } = scored({
      accountAgeHours: 0,
      customer: nothingUsual,
      accountsOnNetwork: 50,
      ordersFromNetwork: 50,
      accountsOnAddress: 50,
    });
    expect(office).toBeLessThan(highRisk);
  });
});

describe('frauds as they are known', () => {
  test('many accounts of one device, new and fast, for far more than usual, is held', () => {
    const ring = scored({
      customer: nothingUsual,
      amountMinor: 40_000,
      accountAgeHours: 0.2,
      accountsOnDevice: 5,
      accountsOnNetwork: 8,
      ordersFromNetwork: 12,
      ordersLastHour: 3,
    });
    expect(ring.score).toBeGreaterThan(highRisk);
    expect(levelOf(ring.score)).toBe('HIGH');
  });

  test('a high order from an account made an hour ago is held', () => {
    expect(scored({ customer: nothingUsual, amountMinor: 60_000, accountAgeHours: 1 }).score).toBeGreaterThan(
      highRisk,
    );
  });

  test('a changed address, then a strange device and an unusual amount, is held', () => {
    const taken = scored({
      amountMinor: 20_000,
      addressChangedHours: 3,
      isNewDevice: true,
      isNewAddress: true,
    });
    expect(taken.score).toBeGreaterThan(highRisk);
    expect(taken.factors[0]?.explanation).toBe(
      'The address was changed 3 hours ago, and then comes a device never seen with this customer.',
    );
  });
});

const facts: fc.Arbitrary<Facts> = fc.record({
  amountMinor: fc.integer({ min: 1, max: 10_000_000 }),
  customer: fc
    .array(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 8 })
    .map((amounts) => amounts.reduce(withAmount, nothingUsual)),
  shop: fc.constantFrom(shop, nothingUsual),
  accountAgeHours: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true })),
  addressChangedHours: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true })),
  ordersLastHour: fc.nat(60),
  ordersLastDay: fc.nat(60),
  accountsOnAddress: fc.nat(60),
  accountsOnDevice: fc.nat(60),
  accountsOnNetwork: fc.nat(60),
  ordersFromNetwork: fc.nat(60),
  isNewAddress: fc.boolean(),
  isNewDevice: fc.boolean(),
  rejectedOnAddress: fc.nat(20),
  rejectedOnDevice: fc.nat(20),
  rejectedOnNetwork: fc.nat(20),
  goodsAbuse: fc.double({ min: 0, max: 1, noNaN: true }),
  declines: fc.nat(20),
});

/** Each makes one thing riskier. */
const worse: readonly ((f: Features, by: number) => Features)[] = [
  (f, by) => ({ ...f, deviation: f.deviation + by }),
  (f, by) => ({ ...f, accountAgeHours: f.accountAgeHours === null ? 0 : f.accountAgeHours / (1 + by) }),
  (f, by) => ({
    ...f,
    addressChangedHours: f.addressChangedHours === null ? 0 : f.addressChangedHours / (1 + by),
  }),
  ...(
    [
      'ordersLastHour',
      'ordersLastDay',
      'accountsOnAddress',
      'accountsOnDevice',
      'accountsOnNetwork',
      'ordersFromNetwork',
      'rejectedOnAddress',
      'rejectedOnDevice',
      'rejectedOnNetwork',
      'declines',
    ] as const
  ).map((name) => (f: Features, by: number) => ({ ...f, [name]: f[name] + Math.ceil(by) })),
  (f, by) => ({ ...f, goodsAbuse: Math.min(1, f.goodsAbuse + by / 10) }),
  (f) => ({ ...f, newAddress: 1 }),
  (f) => ({ ...f, newDevice: 1 }),
];

describe('always', () => {
  test('a score is a whole number from 0 to 100, and its factors add up to it', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const { score: points, factors } = score(featuresOf(given), 'GBP');
        expect(Number.isInteger(points) && points >= 0 && points <= 100).toBe(true);
        const sum = factors.reduce((total, { contribution }) => total + contribution, 0);
        expect(Math.abs(sum - points)).toBeLessThan(0.52);
        expect(factors.every(({ contribution }) => contribution >= 0)).toBe(true);
      }),
    );
  });

  test('more risk never lowers the score', () => {
    fc.assert(
      fc.property(
        facts,
        fc.nat(worse.length - 1),
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        (given, which, by) => {
          const features = featuresOf(given);
          const riskier = worse[which]!(features, by);
          expect(score(riskier, 'GBP').score).toBeGreaterThanOrEqual(score(features, 'GBP').score);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
