// What a customer of the demo does, what happens meanwhile, and what must come of it. Each buys goods of its own, so that
// two demos at the same time do not see each other's stock.
import type {
  FraudReviewState,
  NotificationKind,
  OrderStatus,
  PaymentStatus,
  ShipmentStatus,
} from '../operations/generated/graphql.ts';

export type Wish = {
  /** what a shopper types */
  readonly search: string;
  readonly goods: 'in stock' | 'out of stock';
  /** of each good */
  readonly quantity: number;
  /** minor units; of one line */
  readonly leastWorth: number;
  /** different goods in the cart */
  readonly mostGoods: number;
  /** what the provider's form gives to the browser; test tokens of the simulator */
  readonly card: string;
};

export type Scenario = Wish & {
  readonly name: string;
  readonly title: string;
  /** Before: other new accounts have tried cards from the customer's device. */
  readonly hasRing: boolean;
  /** The provider's own messages about the payment come late: only asking again can tell how it stands. */
  readonly slowNews: boolean;
  /** what somebody does once, as soon as the order can bear it */
  readonly meanwhile: 'cancel' | 'approve' | 'reject' | 'lose' | null;
  /** what staff do once the order is at rest */
  readonly afterwards: 'refund' | null;
  readonly expected: Expected;
};

export type Expected = {
  /** the order's statuses from first to last; a live viewer may miss some, but not the last */
  readonly statuses: readonly OrderStatus[];
  /** a status that the order may have had besides, as the carrier may be quicker than the customer */
  readonly mayPass: OrderStatus | null;
  /** steps that its timeline has in this order; others may stand between them */
  readonly steps: readonly string[];
  /** what the customer is told at the end; null: nothing */
  readonly reason: RegExp | null;
  /** null: it never came to a payment */
  readonly payment: ExpectedPayment | null;
  /** whether the goods have left the warehouse for good, but for what is refunded; or the stock is as before */
  readonly keepsGoods: boolean;
  /** how the parcel ends; null: none ever left */
  readonly parcel: (ShipmentStatus & ('DELIVERED' | 'LOST')) | null;
  /** what the customer is told in person, in this order */
  readonly news: readonly NotificationKind[];
  /** what else they may have been told, as the shop may be quicker than the customer */
  readonly mayBeTold: NotificationKind | null;
  /** how the review ended; null: nobody had to look */
  readonly review: FraudReviewState | null;
};

export type ExpectedPayment = {
  readonly status: PaymentStatus;
  /** statuses that must have been seen on the way */
  readonly through: readonly PaymentStatus[];
  /** times that the bank held the money */
  readonly authorizations: number;
  /** whether the money was taken */
  readonly isTaken: boolean;
  /** what of it went back */
  readonly back: 'nothing' | 'all' | 'what was asked for';
  readonly failure: RegExp | null;
};

const placed = ['placed', 'inventory.reserved'];
const promised = [...placed, 'fraud.scored', 'payment.authorized'];
const packed = [...promised, 'inventory.allocated'];
const shipped = [...packed, 'shipment.handed-over', 'payment.captured'];
const delivered = [...shipped, 'shipment.delivered'];

const confirmed: readonly OrderStatus[] = ['PENDING', 'AWAITING_PAYMENT', 'CONFIRMED'];
const onItsWay: readonly OrderStatus[] = ['PROCESSING', 'SHIPPED'];

const paid: ExpectedPayment = {
  status: 'CAPTURED',
  through: ['CAPTURED'],
  authorizations: 1,
  isTaken: true,
  back: 'nothing',
  failure: null,
};
const voided: ExpectedPayment = { ...paid, status: 'VOIDED', through: ['VOIDED'], isTaken: false };

const goesWell: Expected = {
  statuses: [...confirmed, ...onItsWay, 'DELIVERED'],
  mayPass: null,
  steps: delivered,
  reason: null,
  payment: paid,
  keepsGoods: true,
  parcel: 'DELIVERED',
  news: ['ORDER_CONFIRMED', 'ORDER_SHIPPED', 'ORDER_DELIVERED'],
  mayBeTold: null,
  review: null,
};
const comesToNothing = {
  mayPass: null,
  keepsGoods: false,
  parcel: null,
  news: ['ORDER_CANCELLED'],
  mayBeTold: null,
  review: null,
} as const;

export const buy: Scenario = {
  name: 'buy',
  title: 'An order that goes well',
  search: 'white hanging heart',
  goods: 'in stock',
  quantity: 2,
  leastWorth: 0,
  mostGoods: 2,
  card: 'pm_card_visa',
  hasRing: false,
  slowNews: false,
  meanwhile: null,
  afterwards: null,
  expected: goesWell,
};

/** Far above what is usual here. */
const suspicious: Scenario = { ...buy, quantity: 200, leastWorth: 2_500_00, mostGoods: 1, hasRing: true };

/** Each by the option that asks for it. */
export const variants: Readonly<Record<string, Scenario>> = {
  decline: {
    ...buy,
    name: 'decline',
    title: 'The bank declines the card',
    search: 'jumbo bag',
    card: 'pm_card_chargeCustomerFail',
    expected: {
      ...comesToNothing,
      statuses: ['PENDING', 'AWAITING_PAYMENT', 'CANCELLED'],
      steps: [...placed, 'fraud.scored', 'payment.declined', 'inventory.released'],
      reason: /declined/i,
      payment: { ...voided, status: 'FAILED', through: ['FAILED'], authorizations: 0, failure: /declined/i },
    },
  },
  'out-of-stock': {
    ...buy,
    name: 'out-of-stock',
    title: 'What was ordered is out of stock',
    search: 'set',
    quantity: 1,
    goods: 'out of stock',
    expected: {
      ...comesToNothing,
      statuses: ['PENDING', 'CANCELLED'],
      steps: ['placed', 'inventory.refused'],
      reason: /^Out of stock: /,
      payment: null,
    },
  },
  cancel: {
    ...buy,
    name: 'cancel',
    title: 'The customer changes their mind before the carrier comes',
    search: 'regency cakestand',
    meanwhile: 'cancel',
    expected: {
      ...comesToNothing,
      statuses: [...confirmed, 'CANCELLED'],
      // The label may be made already; then the parcel is called back.
      mayPass: 'PROCESSING',
      mayBeTold: 'ORDER_CONFIRMED',
      steps: [...promised, 'cancel', 'payment.voided', 'inventory.released'],
      reason: /^I changed my mind/,
      payment: { ...voided, through: ['AUTHORIZED', 'VOIDED'] },
    },
  },
  'lost-reply': {
    ...buy,
    name: 'lost-reply',
    title: 'The bank holds the money, and its answer is lost',
    search: 'paper bunting',
    card: 'pm_orderstream_lostReply',
    slowNews: true,
    expected: { ...goesWell, payment: { ...paid, through: ['UNKNOWN', 'CAPTURED'] } },
  },
  fraud: {
    ...suspicious,
    name: 'fraud',
    title: 'A suspicious order is held; the reviewer approves it',
    search: 'vintage',
    meanwhile: 'approve',
    expected: {
      ...goesWell,
      statuses: ['PENDING', 'AWAITING_PAYMENT', 'AWAITING_REVIEW', 'CONFIRMED', ...onItsWay, 'DELIVERED'],
      steps: [...promised, 'fraud.approved', ...delivered.slice(promised.length)],
      payment: { ...paid, through: ['AUTHORIZED', 'CAPTURED'] },
      news: ['ORDER_HELD', ...goesWell.news],
      review: 'APPROVED',
    },
  },
  reject: {
    ...suspicious,
    name: 'reject',
    title: 'A suspicious order is held; the reviewer rejects it (also: --fraud --reject)',
    search: 'chair',
    meanwhile: 'reject',
    expected: {
      ...comesToNothing,
      statuses: ['PENDING', 'AWAITING_PAYMENT', 'AWAITING_REVIEW', 'CANCELLED'],
      steps: [...promised, 'fraud.rejected', 'payment.voided', 'inventory.released'],
      reason: /not approved/,
      payment: { ...voided, through: ['AUTHORIZED', 'VOIDED'] },
      news: ['ORDER_HELD', 'ORDER_CANCELLED'],
      review: 'REJECTED',
    },
  },
  'lost-parcel': {
    ...buy,
    name: 'lost-parcel',
    title: 'The carrier loses the parcel; the customer gets the money back',
    search: 'alarm clock',
    meanwhile: 'lose',
    expected: {
      ...goesWell,
      statuses: [...confirmed, ...onItsWay, 'CANCELLED'],
      steps: [...shipped, 'shipment.lost', 'payment.refunded'],
      reason: /lost/,
      payment: { ...paid, status: 'REFUNDED', through: ['CAPTURED', 'REFUNDED'], back: 'all' },
      parcel: 'LOST',
      news: ['ORDER_CONFIRMED', 'ORDER_SHIPPED', 'REFUNDED', 'ORDER_CANCELLED'],
    },
  },
  refund: {
    ...buy,
    name: 'refund',
    title: 'One piece comes back, and an admin refunds it and a little more',
    search: 'tea towel',
    afterwards: 'refund',
    expected: {
      ...goesWell,
      steps: [...delivered, 'payment.refund-made', 'payment.refund-made'],
      payment: {
        ...paid,
        status: 'PARTIALLY_REFUNDED',
        through: ['CAPTURED', 'PARTIALLY_REFUNDED'],
        back: 'what was asked for',
      },
      news: [...goesWell.news, 'REFUNDED', 'REFUNDED'],
    },
  },
};
