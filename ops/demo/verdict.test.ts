import { expect, test } from 'vitest';
import type {
  FraudReviewState,
  NotificationKind,
  OrderStatus,
  OrderViewFragment,
  PaymentStatus,
} from '../operations/generated/graphql.ts';
import { buy, type Scenario, variants } from './scenarios.ts';
import type { Review } from './staff.ts';
import { differences, type Scan, type Seen, type Sight } from './verdict.ts';

const pounds = (amountMinor: number) => ({
  amountMinor,
  currency: 'GBP',
  formatted: `£${(amountMinor / 100).toFixed(2)}`,
});

type Step = readonly [type: string, to: OrderStatus, isFact?: 'fact'];

const timelineOf = (steps: readonly Step[]): OrderViewFragment['timeline'] =>
  steps.map(([type, to, fact], index) => ({
    seq: index + 1,
    version: fact ? null : steps.slice(0, index + 1).filter((step) => !step[2]).length,
    type,
    at: '2026-11-21T10:00:00.000Z',
    actor: 'shop',
    from: steps[index - 1]?.[1] ?? null,
    to,
    reason: null,
  }));

const sightsOf = (timeline: OrderViewFragment['timeline']): Sight[] => {
  const moved = timeline.filter(({ version }) => version !== null);
  return moved.map(({ version, to }) => ({
    version: version!,
    status: to,
    waitingFor: version === moved.length ? null : 'somebody',
    payments: [],
    afterMs: version! * 10,
  }));
};

const total = 1_875;

type Paid = {
  readonly status: PaymentStatus;
  readonly events: readonly string[];
  readonly taken: boolean;
  readonly back?: number;
  readonly failureReason?: string;
};

const paymentOf = ({ status, events, taken, back = 0, failureReason = null as never }: Paid) => ({
  id: 'pay_1',
  status,
  failureReason,
  authorizationExpiresAt: null,
  authorized: pounds(taken ? total : 0),
  captured: pounds(taken ? total : 0),
  refunded: pounds(back),
  refundable: pounds(taken ? total - back : 0),
  method: null,
  events: events.map((type) => ({ at: '', type, providerReference: null, amount: null })),
});

const refundOf = (amountMinor: number, index: number) => ({
  id: `ref_${index}`,
  status: 'SUCCEEDED' as const,
  reason: null,
  amount: pounds(amountMinor),
});

type Parcel = Seen['parcels'][number];

/** From Daventry to Norwich, and how it ended there. */
const parcelOf = (status: Parcel['status'], end: Parcel['events'] = []): Parcel => {
  const at = (minute: number): string => `2026-11-21T10:0${minute}:00.000Z`;
  return {
    id: 'shp_1',
    status,
    carrier: 'Simulated Parcel',
    trackingNumber: 'SP100000001GB',
    estimatedDelivery: null,
    events: [
      {
        at: at(1),
        status: 'IN_TRANSIT',
        place: 'Daventry',
        point: { latitude: 52.274, longitude: -1.171 },
      },
      {
        at: at(2),
        status: 'IN_TRANSIT',
        place: 'Peterborough',
        point: { latitude: 52.573, longitude: -0.241 },
      },
      ...end,
    ],
  };
};
const arrived = { latitude: 52.63, longitude: 1.297 };
const atDoor: Parcel['events'] = [
  { at: '2026-11-21T10:05:00.000Z', status: 'OUT_FOR_DELIVERY', place: 'Norwich', point: arrived },
  { at: '2026-11-21T10:06:00.000Z', status: 'DELIVERED', place: 'Norwich', point: arrived },
];
const deliveredParcel = parcelOf('DELIVERED', atDoor);
const lostParcel = parcelOf('LOST', [
  {
    at: '2026-11-21T10:05:00.000Z',
    status: 'LOST',
    place: 'Peterborough',
    point: { latitude: 52.573, longitude: -0.241 },
  },
]);

const scansOf = (parcels: readonly Parcel[]): Scan[] =>
  parcels.flatMap(({ events, trackingNumber }) =>
    events.map(({ status, place }) => ({ status, place, trackingNumber, afterMs: 10 })),
  );

const newsOf = (kinds: readonly NotificationKind[]): Seen['news'] => ({
  unread: kinds.length,
  list: kinds.map((kind, index) => ({
    id: `ntf_${index}`,
    kind,
    channel: 'IN_APP',
    title: kind,
    body: '',
    readAt: null,
    createdAt: '2026-11-21T10:00:00.000Z',
    order: { id: 'ord_1' },
  })),
});

const reviewOf = (state: FraudReviewState): Review => ({
  state,
  found: {
    id: 'fra_1',
    score: 94,
    level: 'HIGH',
    review: 'PENDING',
    reviewDueAt: null,
    order: { id: 'ord_1', number: 'N-2026-0000001' },
    factors: [
      { name: 'amount', contribution: 60.2, explanation: 'It is much.' },
      { name: 'shared-device', contribution: 33.9, explanation: 'They share a device.' },
    ],
  },
});

type Told = {
  readonly steps: readonly Step[];
  readonly reason?: string;
  readonly paid?: Paid;
  readonly through?: readonly PaymentStatus[];
  readonly left: number;
  readonly restocked?: number;
  readonly parcel?: Parcel;
  readonly news: readonly NotificationKind[];
  readonly review?: FraudReviewState;
  readonly refunds?: readonly number[];
};

/** What a demo sees when the order went through these steps. */
const seenOf = (told: Told): Seen => {
  const { steps, reason, paid, through = [], left, restocked = 0, parcel, news, refunds = [] } = told;
  const timeline = timelineOf(steps);
  const back = paid?.back ?? 0;
  const taken = paid?.taken ? total : 0;
  const parcels = parcel ? [parcel] : [];
  return {
    email: 'demo@example.com',
    sights: sightsOf(timeline),
    paymentStatuses: [...through, ...(paid ? [paid.status] : [])],
    goods: [{ sku: '85123A', quantity: 2, restocked, before: 330, after: left }],
    charges: paid
      ? [
          {
            status: 'whatever',
            amount: total,
            amountCapturable: 0,
            amountReceived: taken,
            amountRefunded: back,
          },
        ]
      : [],
    parcels,
    scans: scansOf(parcels),
    news: newsOf(news),
    newsLive: news,
    review: told.review ? reviewOf(told.review) : null,
    isScoreShown: false,
    refundsAsked: paid?.status === 'PARTIALLY_REFUNDED' ? refunds : [],
    order: {
      id: 'ord_1',
      number: 'N-2026-0000001',
      status: steps.at(-1)![1],
      statusReason: reason ?? null,
      version: timeline.filter(({ version }) => version !== null).length,
      placedAt: '2026-11-21T10:00:00.000Z',
      updatedAt: '2026-11-21T10:00:01.000Z',
      waitingFor: null,
      nextDeadlineAt: null,
      allowedActions: [],
      total: pounds(total),
      subtotal: pounds(1_380),
      discountTotal: pounds(0),
      shippingTotal: pounds(495),
      taxTotal: pounds(313),
      customer: { id: 'usr_1', email: 'demo@example.com', displayName: 'Demo Customer' },
      shippingAddress: { recipient: '', line1: '', line2: null, city: '', postcode: '', country: 'GB' },
      lines: [
        {
          id: 'oln_1',
          sku: '85123A',
          name: 'White Hanging Heart T-Light Holder',
          quantity: 2,
          unitPrice: pounds(690),
          lineTotal: pounds(1_380),
          variant: null,
        },
      ],
      payments: paid ? [paymentOf(paid)] : [],
      refunds: refunds.map(refundOf),
      balance: paid ? pounds(taken - back) : null,
      timeline,
    },
  };
};

const reserved: Step[] = [
  ['placed', 'PENDING'],
  ['inventory.reserved', 'PENDING'],
  ['fraud.scored', 'AWAITING_PAYMENT'],
];
const sent: Step[] = [
  ['inventory.allocated', 'PROCESSING'],
  ['notification.sent', 'PROCESSING', 'fact'],
  ['shipment.created', 'PROCESSING', 'fact'],
  ['shipment.handed-over', 'SHIPPED'],
  ['payment.captured', 'SHIPPED'],
  ['shipment.moved', 'SHIPPED'],
];
const arriving: Step[] = [...sent, ['shipment.delivered', 'DELIVERED']];
const promised: Step[] = [...reserved, ['payment.authorized', 'CONFIRMED']];
const held: Step[] = [...reserved, ['payment.authorized', 'AWAITING_REVIEW']];

const taken: Paid = { status: 'CAPTURED', events: ['requested', 'authorized', 'captured'], taken: true };
const voided: Paid = { status: 'VOIDED', events: ['authorized', 'void-requested', 'voided'], taken: false };
const arrivingNews = ['ORDER_CONFIRMED', 'ORDER_SHIPPED', 'ORDER_DELIVERED'] as const;

const boughtWell: Told = {
  steps: [...promised, ...arriving],
  paid: taken,
  through: ['AUTHORIZED'],
  left: 328,
  parcel: deliveredParcel,
  news: arrivingNews,
};
const good = seenOf(boughtWell);

const cancelled = (steps: readonly Step[], before: OrderStatus): Step[] => [
  ...steps,
  ['cancel', before],
  ['payment.voided', before],
  ['inventory.released', 'CANCELLED'],
];
const changedMind = {
  reason: 'I changed my mind.',
  paid: voided,
  through: ['AUTHORIZED'],
  left: 330,
} as const;

const asItShouldBe: Record<string, [Scenario, Seen]> = {
  'an order that goes well': [buy, good],
  'a declined card': [
    variants.decline!,
    seenOf({
      steps: [...reserved, ['payment.declined', 'AWAITING_PAYMENT'], ['inventory.released', 'CANCELLED']],
      reason: 'The card was declined.',
      paid: {
        status: 'FAILED',
        events: ['requested', 'declined'],
        taken: false,
        failureReason: 'The card was declined.',
      },
      left: 330,
      news: ['ORDER_CANCELLED'],
    }),
  ],
  'a good that is out of stock': [
    variants['out-of-stock']!,
    seenOf({
      steps: [
        ['placed', 'PENDING'],
        ['inventory.refused', 'CANCELLED'],
      ],
      reason: 'Out of stock: 85123A.',
      left: 330,
      news: ['ORDER_CANCELLED'],
    }),
  ],
  'a cancelled order': [
    variants.cancel!,
    seenOf({ ...changedMind, steps: cancelled(promised, 'CONFIRMED'), news: ['ORDER_CANCELLED'] }),
  ],
  'a cancelled order whose label was made': [
    variants.cancel!,
    seenOf({
      ...changedMind,
      steps: cancelled([...promised, ['inventory.allocated', 'PROCESSING']], 'PROCESSING'),
      parcel: { ...parcelOf('CANCELLED'), events: [] },
      news: ['ORDER_CONFIRMED', 'ORDER_CANCELLED'],
    }),
  ],
  'a reply that is lost': [
    variants['lost-reply']!,
    seenOf({
      ...boughtWell,
      paid: { ...taken, events: ['requested', 'unknown', 'authorized', 'captured'] },
      through: ['AUTHORIZING', 'UNKNOWN'],
    }),
  ],
  'a suspicious order that is approved': [
    variants.fraud!,
    seenOf({
      ...boughtWell,
      steps: [...held, ['fraud.approved', 'CONFIRMED'], ...arriving],
      news: ['ORDER_HELD', ...arrivingNews],
      review: 'APPROVED',
    }),
  ],
  'a suspicious order that is rejected': [
    variants.reject!,
    seenOf({
      steps: [
        ...held,
        ['fraud.rejected', 'AWAITING_REVIEW'],
        ['payment.voided', 'AWAITING_REVIEW'],
        ['inventory.released', 'CANCELLED'],
      ],
      reason: 'The order was not approved.',
      paid: voided,
      through: ['AUTHORIZED'],
      left: 330,
      news: ['ORDER_HELD', 'ORDER_CANCELLED'],
      review: 'REJECTED',
    }),
  ],
  'a lost parcel': [
    variants['lost-parcel']!,
    seenOf({
      steps: [...promised, ...sent, ['shipment.lost', 'SHIPPED'], ['payment.refunded', 'CANCELLED']],
      reason: 'The parcel was lost on its way.',
      paid: { status: 'REFUNDED', events: [...taken.events, 'refunded'], taken: true, back: total },
      through: ['CAPTURED'],
      left: 328,
      parcel: lostParcel,
      news: ['ORDER_CONFIRMED', 'ORDER_SHIPPED', 'REFUNDED', 'ORDER_CANCELLED'],
      refunds: [total],
    }),
  ],
  'an order refunded in part': [
    variants.refund!,
    seenOf({
      ...boughtWell,
      steps: [
        ...boughtWell.steps,
        ['payment.refund-made', 'DELIVERED', 'fact'],
        ['inventory.restocked', 'DELIVERED', 'fact'],
        ['payment.refund-made', 'DELIVERED', 'fact'],
      ],
      paid: { ...taken, status: 'PARTIALLY_REFUNDED', back: 790 },
      through: ['CAPTURED'],
      left: 329,
      restocked: 1,
      news: [...arrivingNews, 'REFUNDED', 'REFUNDED'],
      refunds: [690, 100],
    }),
  ],
};

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
