// What a demo would see of orders that go as they should, made up for the tests of its verdict.
import type {
  FraudReviewState,
  NotificationKind,
  OrderStatus,
  OrderViewFragment,
  PaymentStatus,
} from '../operations/generated/graphql.ts';
import { buy, type Scenario, variants } from './scenarios.ts';
import type { Review } from './staff.ts';
import type { Scan, Seen, Sight } from './verdict.ts';

export const pounds = (amountMinor: number) => ({
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

export const total = 1_875;

type Paid = {
  readonly status: PaymentStatus;
  readonly events: readonly string[];
  readonly taken: boolean;
  readonly back?: number;
  readonly failureReason?: string;
};

export const paymentOf = ({ status, events, taken, back = 0, failureReason = null as never }: Paid) => ({
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

export const refundOf = (amountMinor: number, index: number) => ({
  id: `ref_${index}`,
  status: 'SUCCEEDED' as const,
  reason: null,
  amount: pounds(amountMinor),
});

export type Parcel = Seen['parcels'][number];

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
export const deliveredParcel = parcelOf('DELIVERED', atDoor);
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

export const newsOf = (kinds: readonly NotificationKind[]): Seen['news'] => ({
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
export const seenOf = (told: Told): Seen => {
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

export const taken: Paid = {
  status: 'CAPTURED',
  events: ['requested', 'authorized', 'captured'],
  taken: true,
};
const voided: Paid = { status: 'VOIDED', events: ['authorized', 'void-requested', 'voided'], taken: false };
export const arrivingNews = ['ORDER_CONFIRMED', 'ORDER_SHIPPED', 'ORDER_DELIVERED'] as const;

export const boughtWell: Told = {
  steps: [...promised, ...arriving],
  paid: taken,
  through: ['AUTHORIZED'],
  left: 328,
  parcel: deliveredParcel,
  news: arrivingNews,
};
export const good = seenOf(boughtWell);

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

export const asItShouldBe: Record<string, [Scenario, Seen]> = {
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
