import { expect, test } from 'vitest';
import type { OrderStatus, OrderViewFragment, PaymentStatus } from '../operations/generated/graphql.ts';
import { buy, type Scenario, variants } from './scenarios.ts';
import { differences, type Seen, type Sight } from './verdict.ts';

const pounds = (amountMinor: number) => ({
  amountMinor,
  currency: 'GBP',
  formatted: `£${(amountMinor / 100).toFixed(2)}`,
});

type Step = readonly [type: string, to: OrderStatus];

const timelineOf = (steps: readonly Step[]): OrderViewFragment['timeline'] =>
  steps.map(([type, to], index) => ({
    seq: index + 1,
    type,
    at: '2026-11-21T10:00:00.000Z',
    actor: 'shop',
    from: steps[index - 1]?.[1] ?? null,
    to,
    reason: null,
  }));

const sightsOf = (timeline: OrderViewFragment['timeline']): Sight[] =>
  timeline.map(({ seq, to }) => ({
    version: seq,
    status: to,
    waitingFor: seq === timeline.length ? null : 'somebody',
    payments: [],
    afterMs: seq * 10,
  }));

const total = 1_875;

type Paid = {
  readonly status: PaymentStatus;
  readonly events: readonly string[];
  readonly held: number;
  readonly failureReason?: string;
};

const paymentOf = ({ status, events, held, failureReason = null as never }: Paid) => ({
  id: 'pay_1',
  status,
  failureReason,
  authorizationExpiresAt: null,
  authorized: pounds(held),
  captured: pounds(0),
  refunded: pounds(0),
  refundable: pounds(0),
  method: null,
  events: events.map((type) => ({ at: '', type, providerReference: null, amount: null })),
});

type Told = {
  readonly steps: readonly Step[];
  readonly reason?: string;
  readonly paid?: Paid;
  readonly through?: readonly PaymentStatus[];
  readonly left: number;
};

/** What a demo sees when the order went through these steps. */
const seenOf = ({ steps, reason, paid, through = [], left }: Told): Seen => {
  const timeline = timelineOf(steps);
  return {
    email: 'demo@example.com',
    sights: sightsOf(timeline),
    paymentStatuses: [...through, ...(paid ? [paid.status] : [])],
    goods: [{ sku: '85123A', quantity: 2, before: 330, after: left }],
    charges: paid ? [{ status: 'whatever', amount: total, amountCapturable: paid.held }] : [],
    order: {
      id: 'ord_1',
      number: 'N-2026-0000001',
      status: steps.at(-1)![1],
      statusReason: reason ?? null,
      version: steps.length,
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
      refunds: [],
      balance: null,
      timeline,
    },
  };
};

const reserved: Step[] = [
  ['placed', 'PENDING'],
  ['inventory.reserved', 'PENDING'],
  ['fraud.scored', 'AWAITING_PAYMENT'],
];
const bought: Step[] = [
  ...reserved,
  ['payment.authorized', 'CONFIRMED'],
  ['inventory.allocated', 'CONFIRMED'],
];
const authorized: Paid = { status: 'AUTHORIZED', events: ['requested', 'authorized'], held: total };

const good = seenOf({ steps: bought, paid: authorized, left: 328 });

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
        held: 0,
        failureReason: 'The card was declined.',
      },
      left: 330,
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
    }),
  ],
  'a cancelled order': [
    variants.cancel!,
    seenOf({
      steps: [
        ...bought,
        ['cancel', 'CONFIRMED'],
        ['payment.voided', 'CONFIRMED'],
        ['inventory.released', 'CANCELLED'],
      ],
      reason: 'I changed my mind.',
      paid: { status: 'VOIDED', events: ['authorized', 'void-requested', 'voided'], held: 0 },
      through: ['AUTHORIZED'],
      left: 330,
    }),
  ],
  'a reply that is lost': [
    variants['lost-reply']!,
    seenOf({
      steps: bought,
      paid: { ...authorized, events: ['requested', 'unknown', 'authorized'] },
      through: ['AUTHORIZING', 'UNKNOWN'],
      left: 328,
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
  expect(differences(buy, { ...good, sights: [sights[1]!, sights[4]!] })).toEqual([]);
});

const withOrder = (change: Partial<OrderViewFragment>): Seen => ({
  ...good,
  order: { ...good.order, ...change },
});
const withPayment = (change: Partial<ReturnType<typeof paymentOf>>): Seen =>
  withOrder({ payments: [{ ...paymentOf(authorized), ...change }] });
const event = (type: string) => ({ at: '', type, providerReference: null, amount: null });
const { sights } = good;
const { timeline } = good.order;

const wrong: Record<string, [Seen, RegExp]> = {
  'the same version twice': [
    { ...good, sights: [...sights.slice(0, 4), sights[3]!, sights[4]!] },
    /only rise/,
  ],
  'an older version after a newer one': [
    { ...good, sights: [sights[0]!, sights[2]!, sights[1]!, sights[3]!, sights[4]!] },
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
  'an order that moved on unseen': [withOrder({ version: 6 }), /version 5 of 6/],
  'a timeline with a hole': [withOrder({ timeline: timeline.toSpliced(1, 1) }), /gaps/],
  'a timeline whose steps do not follow': [
    withOrder({ timeline: timeline.map((entry) => ({ ...entry, from: null })) }),
    /gaps/,
  ],
  'an order never paid for': [
    seenOf({ steps: bought.toSpliced(3, 1, ['deadline', 'CONFIRMED']), paid: authorized, left: 328 }),
    /without placed → inventory.reserved → payment.authorized/,
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
    withOrder({ payments: [paymentOf(authorized), paymentOf(authorized)] }),
    /2 payments instead of one/,
  ],
  'a payment without a decision': [withPayment({ status: 'UNKNOWN' }), /is UNKNOWN instead of AUTHORIZED/],
  'money authorized twice': [
    withPayment({ events: [event('authorized'), event('authorized-late')] }),
    /authorized 2 times/,
  ],
  'a wrong amount held': [withPayment({ authorized: pounds(1) }), /£0\.01 are authorized/],
  'money taken': [withPayment({ captured: pounds(total) }), /£18\.75 were taken/],
  'a failure told of a payment that went well': [withPayment({ failureReason: 'No.' }), /says "No\."/],
  'a second charge at the provider': [
    {
      ...good,
      charges: [...good.charges!, { status: 'requires_capture', amount: total, amountCapturable: total }],
    },
    /asked for 2 payments/,
  ],
  'money that the provider does not hold': [
    { ...good, charges: [{ status: 'canceled', amount: total, amountCapturable: 0 }] },
    /holds 0 in minor units instead of 1875/,
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
};

test.each(Object.entries(wrong))('%s is told', (_, [seen, sentence]) => {
  expect(differences(buy, seen)).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
});

test('a lost reply that nobody was in doubt about is told', () => {
  const [scenario, seen] = asItShouldBe['a reply that is lost']!;
  const certain = { ...seen, paymentStatuses: ['AUTHORIZING', 'AUTHORIZED'] as const };
  expect(differences(scenario, certain)).toEqual([
    'The payment was seen as AUTHORIZING → AUTHORIZED, and never UNKNOWN.',
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
