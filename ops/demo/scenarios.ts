// What a customer of the demo does, and what must come of it. Each buys goods of its own, so that two demos at the same
// time do not see each other's stock.
import type { OrderStatus, PaymentStatus } from '../operations/generated/graphql.ts';

export type Scenario = {
  readonly name: string;
  readonly title: string;
  /** what a shopper types */
  readonly search: string;
  /** of each good */
  readonly quantity: number;
  readonly goods: 'in stock' | 'out of stock';
  /** what the provider's form gives to the browser; test tokens of the simulator */
  readonly card: string;
  /** cancelled by the customer once it is confirmed */
  readonly cancels: boolean;
  /** The provider's own messages about the payment come late: only asking again can tell how it stands. */
  readonly slowNews: boolean;
  readonly expected: Expected;
};

export type Expected = {
  /** the order's statuses from first to last; a live viewer may miss some, but not the last */
  readonly statuses: readonly OrderStatus[];
  /** steps that its timeline has in this order; others may stand between them */
  readonly steps: readonly string[];
  /** what the customer is told at the end; null: nothing */
  readonly reason: RegExp | null;
  /** null: it never came to a payment */
  readonly payment: ExpectedPayment | null;
  /** whether the goods are the customer's in the end, or the stock is as before */
  readonly keepsGoods: boolean;
};

export type ExpectedPayment = {
  readonly status: PaymentStatus;
  /** statuses that must have been seen on the way */
  readonly through: readonly PaymentStatus[];
  /** times that the bank held the money */
  readonly authorizations: number;
  /** whether it holds the money in the end */
  readonly holdsMoney: boolean;
  readonly failure: RegExp | null;
};

const placed = ['placed', 'inventory.reserved'];
const bought = [...placed, 'payment.authorized', 'inventory.allocated'];
const confirmed: readonly OrderStatus[] = ['PENDING', 'AWAITING_PAYMENT', 'CONFIRMED'];
const held: ExpectedPayment = {
  status: 'AUTHORIZED',
  through: [],
  authorizations: 1,
  holdsMoney: true,
  failure: null,
};

const usual = {
  quantity: 2,
  goods: 'in stock',
  card: 'pm_card_visa',
  cancels: false,
  slowNews: false,
} as const;

export const buy: Scenario = {
  ...usual,
  name: 'buy',
  title: 'An order that goes well',
  search: 'white hanging heart',
  expected: { statuses: confirmed, steps: bought, reason: null, payment: held, keepsGoods: true },
};

/** Each by the option that asks for it. */
export const variants: Readonly<Record<string, Scenario>> = {
  decline: {
    ...usual,
    name: 'decline',
    title: 'The bank declines the card',
    search: 'jumbo bag',
    card: 'pm_card_chargeCustomerFail',
    expected: {
      statuses: ['PENDING', 'AWAITING_PAYMENT', 'CANCELLED'],
      steps: [...placed, 'payment.declined', 'inventory.released'],
      reason: /declined/i,
      payment: { status: 'FAILED', through: [], authorizations: 0, holdsMoney: false, failure: /declined/i },
      keepsGoods: false,
    },
  },
  'out-of-stock': {
    ...usual,
    name: 'out-of-stock',
    title: 'What was ordered is out of stock',
    search: 'set',
    quantity: 1,
    goods: 'out of stock',
    expected: {
      statuses: ['PENDING', 'CANCELLED'],
      steps: ['placed', 'inventory.refused'],
      reason: /^Out of stock: /,
      payment: null,
      keepsGoods: false,
    },
  },
  cancel: {
    ...usual,
    name: 'cancel',
    title: 'The customer changes their mind',
    search: 'regency cakestand',
    cancels: true,
    expected: {
      statuses: [...confirmed, 'CANCELLED'],
      steps: [...bought, 'cancel', 'payment.voided', 'inventory.released'],
      reason: /^I changed my mind/,
      payment: {
        status: 'VOIDED',
        through: ['AUTHORIZED'],
        authorizations: 1,
        holdsMoney: false,
        failure: null,
      },
      keepsGoods: false,
    },
  },
  'lost-reply': {
    ...usual,
    name: 'lost-reply',
    title: 'The bank holds the money, and its answer is lost',
    search: 'paper bunting',
    card: 'pm_orderstream_lostReply',
    slowNews: true,
    expected: {
      statuses: confirmed,
      steps: bought,
      reason: null,
      payment: { ...held, through: ['UNKNOWN'] },
      keepsGoods: true,
    },
  },
};
