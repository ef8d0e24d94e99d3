import { expect, test } from 'vitest';
import type { OrderViewFragment } from '../operations/generated/graphql.ts';
import { buy, variants } from './scenarios.ts';
import type { Review } from './staff.ts';
import {
  arrivingNews,
  asItShouldBe,
  boughtWell,
  deliveredParcel,
  good,
  newsOf,
  type Parcel,
  paymentOf,
  pounds,
  refundOf,
  seenOf,
  taken,
  total,
} from './test-sights.ts';
import { differences, type Seen } from './verdict.ts';

test.each(Object.entries(asItShouldBe))('%s is as it should be', (_, [scenario, seen]) => {
  expect(differences(scenario, seen)).toEqual([]);
});

test.each(Object.entries(asItShouldBe))(
  'what is seen of %s is right for no other wish',
  (name, [scenario, seen]) => {
    const others = Object.values(asItShouldBe).filter(([other]) => other !== scenario);
    for (const [other] of others) {
      // Apart from the doubt on the way, a lost reply ends like an order that goes well.
      const isAlike = name === 'a reply that is lost' && other === buy;
      expect(differences(other, seen).length > 0, `${name} taken for ${other.name}`).toBe(!isAlike);
    }
  },
);

test('a live viewer may miss versions', () => {
  const { sights } = good;
  expect(differences(buy, { ...good, sights: [sights[1]!, sights.at(-1)!] })).toEqual([]);
});

const withOrder = (change: Partial<OrderViewFragment>): Seen => ({
  ...good,
  order: { ...good.order, ...change },
});
const withPayment = (change: Partial<ReturnType<typeof paymentOf>>): Seen =>
  withOrder({ payments: [{ ...paymentOf(taken), ...change }] });
const event = (type: string) => ({ at: '', type, providerReference: null, amount: null });
const { sights } = good;
const { timeline } = good.order;

const charge = good.charges![0]!;
const daventry = deliveredParcel.events[0]!.point;
const withParcel = (change: Partial<Parcel>): Seen => ({
  ...good,
  parcels: [{ ...deliveredParcel, ...change }],
});

const wrong: Record<string, [Seen, RegExp]> = {
  'the same version twice': [{ ...good, sights: sights.toSpliced(4, 0, sights[3]!) }, /only rise/],
  'an older version after a newer one': [
    { ...good, sights: [sights[0]!, sights[2]!, sights[1]!, ...sights.slice(3)] },
    /only rise/,
  ],
  'a status that goes back': [
    { ...good, sights: sights.map((sight, at) => (at === 3 ? { ...sight, status: 'PENDING' } : sight)) },
    /no way along/,
  ],
  'a status that is not in the timeline': [
    { ...good, sights: sights.map((sight, at) => (at === 2 ? { ...sight, status: 'CONFIRMED' } : sight)) },
    /Version 3 was CONFIRMED live/,
  ],
  'no event at all': [{ ...good, sights: [] }, /Nothing was seen live/],
  'an order that still waits': [
    { ...good, sights: sights.map((sight) => ({ ...sight, waitingFor: 'stock' })) },
    /not come to rest.*waits for stock/,
  ],
  'an order that moved on unseen': [withOrder({ version: 10 }), /version 9 of 10/],
  'a step that made no version': [
    withOrder({ timeline: timeline.map((entry) => (entry.seq === 3 ? { ...entry, version: null } : entry)) }),
    /has the versions 1, 2, 4/,
  ],
  'a timeline with a hole': [withOrder({ timeline: timeline.toSpliced(1, 1) }), /gaps/],
  'a timeline whose steps do not follow': [
    withOrder({ timeline: timeline.map((entry) => ({ ...entry, from: null })) }),
    /gaps/,
  ],
  'an order never paid for': [
    seenOf({ ...boughtWell, steps: boughtWell.steps.toSpliced(3, 1, ['deadline', 'CONFIRMED']) }),
    /without placed → inventory.reserved → fraud.scored → payment.authorized/,
  ],
  'a reason where there is none': [withOrder({ statusReason: 'Just so.' }), /is told "Just so\."/],
  "somebody else's order": [
    withOrder({ customer: { id: 'usr_2', email: 'eve@example.com', displayName: 'Eve' } }),
    /names eve@example.com/,
  ],
  'sums that do not add up': [withOrder({ shippingTotal: pounds(0) }), /do not add up/],
  'lines that do not add up': [withOrder({ subtotal: pounds(1_381), total: pounds(1_876) }), /lines 1380/],
  'tax on top instead of inside': [withOrder({ taxTotal: pounds(375) }), /not 20 % contained/],
  'no payment': [withOrder({ payments: null }), /0 payments instead of one/],
  'two payments': [
    withOrder({ payments: [paymentOf(taken), paymentOf(taken)] }),
    /2 payments instead of one/,
  ],
  'a payment without a decision': [withPayment({ status: 'UNKNOWN' }), /is UNKNOWN instead of CAPTURED/],
  'money authorized twice': [
    withPayment({ events: [event('authorized'), event('authorized-late'), event('captured')] }),
    /authorized 2 times/,
  ],
  'a wrong amount held': [withPayment({ authorized: pounds(1) }), /£0\.01 are authorized/],
  'money that was only promised': [
    withPayment({ status: 'AUTHORIZED', captured: pounds(0), events: [event('authorized')] }),
    /taken 0 times instead of once/,
  ],
  'money taken twice': [
    withPayment({ events: [event('authorized'), event('captured'), event('captured')] }),
    /taken 2 times instead of once/,
  ],
  'too little money taken': [withPayment({ captured: pounds(1_874) }), /£18\.74 were taken/],
  'money that went back unasked': [withPayment({ refunded: pounds(100) }), /£1\.00 given back/],
  'a refund that nobody asked for': [withOrder({ refunds: [refundOf(100, 0)] }), /there should be none/],
  'a balance that is not what is left': [withOrder({ balance: pounds(0) }), /says that it holds £0\.00/],
  'a failure told of a payment that went well': [withPayment({ failureReason: 'No.' }), /says "No\."/],
  'a second charge at the provider': [
    { ...good, charges: [charge, { ...charge, amountReceived: 0 }] },
    /asked for 2 payments/,
  ],
  'money that the provider never took': [
    { ...good, charges: [{ ...charge, amountReceived: 0 }] },
    /took 0 in minor units instead of 1875/,
  ],
  'money that the provider still holds': [
    { ...good, charges: [{ ...charge, amountCapturable: total }] },
    /still holds 1875/,
  ],
  'money that the provider gave back': [
    { ...good, charges: [{ ...charge, amountRefunded: 5 }] },
    /gave back 5 in minor units instead of 0/,
  ],
  'goods that were not taken from stock': [
    { ...good, goods: [{ ...good.goods[0]!, after: 330 }] },
    /Of 85123A there were 330 and are 330/,
  ],
  'goods taken twice': [{ ...good, goods: [{ ...good.goods[0]!, after: 326 }] }, /2 of them should be gone/],
  'a stock that nobody tells': [
    { ...good, goods: [{ ...good.goods[0]!, before: null, after: null }] },
    /there were unknown/,
  ],
  'no parcel': [{ ...good, parcels: [] }, /0 parcels instead of one/],
  'two parcels': [{ ...good, parcels: [deliveredParcel, deliveredParcel] }, /2 parcels instead of one/],
  'a parcel still on its way': [withParcel({ status: 'IN_TRANSIT' }), /is IN_TRANSIT instead of DELIVERED/],
  'a parcel without a number': [withParcel({ trackingNumber: null }), /no tracking number/],
  'a parcel that nobody scanned at the door': [
    withParcel({ events: deliveredParcel.events.slice(0, 2) }),
    /should end with DELIVERED/,
  ],
  'scans out of order': [
    withParcel({
      events: deliveredParcel.events.map((one, at) => (at === 0 ? { ...one, at: '2026-11-22' } : one)),
    }),
    /order of their times/,
  ],
  'a parcel that goes back': [
    withParcel({ events: deliveredParcel.events.toSpliced(2, 0, deliveredParcel.events[0]!) }),
    /did not come nearer/,
  ],
  'a parcel from nowhere': [
    withParcel({ events: deliveredParcel.events.slice(1) }),
    /far from every warehouse/,
  ],
  'a parcel at a wrong door': [
    withParcel({ events: deliveredParcel.events.map((one) => ({ ...one, point: daventry })) }),
    /was delivered \d+ km from Norwich/,
  ],
  'scans that did not come live': [{ ...good, scans: good.scans.slice(0, 2) }, /Scans that came live/],
  'a customer who is not told': [{ ...good, news: newsOf(arrivingNews.slice(0, 2)) }, /was told ORDER_CONF/],
  'a customer who is told twice': [
    { ...good, news: newsOf([...arrivingNews, 'ORDER_DELIVERED']) },
    /DELIVERED → ORDER_DELIVERED instead of/,
  ],
  'a wrong count of what is unread': [{ ...good, news: { ...good.news, unread: 2 } }, /2 of 3 notifications/],
  'news that did not come live': [{ ...good, newsLive: [] }, /came live were nothing/],
  "news of somebody else's order": [
    {
      ...good,
      news: { ...good.news, list: good.news.list.map((one) => ({ ...one, order: { id: 'ord_2' } })) },
    },
    /of another order/,
  ],
  'a score that the customer sees': [{ ...good, isScoreShown: true }, /how risky they are held to be/],
};

test.each(Object.entries(wrong))('%s is told', (_, [seen, sentence]) => {
  expect(differences(buy, seen)).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
});

test('a lost reply that nobody was in doubt about is told', () => {
  const [scenario, seen] = asItShouldBe['a reply that is lost']!;
  const certain = { ...seen, paymentStatuses: ['AUTHORIZING', 'AUTHORIZED', 'CAPTURED'] as const };
  expect(differences(scenario, certain)).toEqual([
    'The payment was seen as AUTHORIZING → AUTHORIZED → CAPTURED, and never UNKNOWN.',
  ]);
});

test('stock that a cancelled order keeps is told', () => {
  const [scenario, seen] = asItShouldBe['a cancelled order']!;
  const kept = { ...seen, goods: [{ ...seen.goods[0]!, after: 328 }] };
  expect(differences(scenario, kept)).toEqual([expect.stringMatching(/none of them should be gone/)]);
});

test('where the provider cannot be asked, its book is not missed', () => {
  expect(differences(buy, { ...good, charges: null })).toEqual([]);
});

type Change = (seen: Seen) => Seen;

const found = (seen: Seen, change: Partial<NonNullable<Review['found']>>): Seen => ({
  ...seen,
  review: { ...seen.review!, found: { ...seen.review!.found!, ...change } },
});

const spoilt: [name: string, of: string, Change, RegExp][] = [
  [
    'a suspicious order that the reviewer never sees',
    'a suspicious order that is approved',
    (seen) => ({ ...seen, review: { found: null, state: null } }),
    /not in the queue/,
  ],
  [
    'an order held with a low score',
    'a suspicious order that is approved',
    (seen) => found(seen, { score: 80 }),
    /held with a score of 80/,
  ],
  [
    'factors that do not explain the score',
    'a suspicious order that is approved',
    (seen) => found(seen, { factors: seen.review!.found!.factors.slice(1) }),
    /have 33\.9 points together/,
  ],
  [
    'a decision that did not count',
    'a suspicious order that is rejected',
    (seen) => ({ ...seen, review: { ...seen.review!, state: 'EXPIRED' } }),
    /is EXPIRED instead of REJECTED/,
  ],
  [
    'a rejected order whose parcel leaves',
    'a suspicious order that is rejected',
    (seen) => ({ ...seen, parcels: [deliveredParcel] }),
    /none should have left/,
  ],
  [
    'lost goods that are back in stock',
    'a lost parcel',
    (seen) => ({ ...seen, goods: [{ ...seen.goods[0]!, after: 330 }] }),
    /2 of them should be gone/,
  ],
  [
    'a lost parcel whose money stays',
    'a lost parcel',
    (seen) => ({ ...seen, charges: [{ ...seen.charges![0]!, amountRefunded: 0 }] }),
    /gave back 0 in minor units instead of 1875/,
  ],
  [
    'a customer who is not told of the refund',
    'a lost parcel',
    (seen) => ({ ...seen, news: newsOf(['ORDER_CONFIRMED', 'ORDER_SHIPPED', 'ORDER_CANCELLED']) }),
    /instead of .*REFUNDED/,
  ],
  [
    'a refunded piece that is not back on the shelf',
    'an order refunded in part',
    (seen) => ({ ...seen, goods: [{ ...seen.goods[0]!, after: 328 }] }),
    /1 of them should be gone/,
  ],
  [
    'a refund that failed',
    'an order refunded in part',
    ({ order, ...seen }) => ({
      ...seen,
      order: { ...order, refunds: order.refunds!.map((one) => ({ ...one, status: 'FAILED' as const })) },
    }),
    /£6\.90 FAILED/,
  ],
  [
    'refunds that nobody could ask for',
    'an order refunded in part',
    (seen) => ({ ...seen, refundsAsked: [] }),
    /Nobody got as far/,
  ],
];

test.each(spoilt)('%s is told', (_, name, change, sentence) => {
  const [scenario, seen] = asItShouldBe[name]!;
  expect(differences(scenario, change(seen))).toEqual(
    expect.arrayContaining([expect.stringMatching(sentence)]),
  );
});

test('a carrier who was quicker than the customer is told before anything else', () => {
  const seen = seenOf({
    ...boughtWell,
    steps: boughtWell.steps.toSpliced(5, 0, ['cancel', 'PROCESSING']),
  });
  expect(differences(variants.cancel!, seen)[0]).toMatch(/^The carrier was quicker than the customer/);
  expect(differences(variants.cancel!, good)[0]).not.toMatch(/quicker/);
});
