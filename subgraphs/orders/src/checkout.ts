// The checkout saga: where an order stands, what it hears there, where it goes and whom it tells. Pure; the service loads
// the row under a lock, asks `advance`, and saves. A message without an entry came late or twice and changes nothing.
import { AssessOrder, type FraudScored } from '@orderstream/fraud/messages';
import {
  AllocateStock,
  type HoldExpired,
  ReleaseStock,
  ReserveStock,
  type StockAllocated,
  type StockRefused,
  type StockReleased,
  type StockReserved,
} from '@orderstream/inventory/messages';
import {
  AuthorizePayment,
  type PaymentAuthorized,
  type PaymentCaptured,
  type PaymentDeclined,
  type PaymentRefunded,
  type PaymentVoided,
  RefundPayment,
  VoidPayment,
} from '@orderstream/payments/messages';
import type { Message, MessageType } from '@orderstream/runtime/messages';
import type { Money } from '@orderstream/runtime/money';

export const steps = [
  'RESERVING',
  'SCORING',
  'AUTHORIZING',
  'ALLOCATING',
  'VOIDING',
  'REFUNDING',
  'RELEASING',
  'CANCELLED',
] as const;

export type Step = (typeof steps)[number];

export type Checkout = {
  readonly orderId: string;
  /** null once the customer has been erased */
  readonly customerId: string | null;
  readonly step: Step;
  /** nothing is awaited: here the order stays until somebody wants something of it */
  readonly rests: boolean;
  /** times the deadline of this step has passed */
  readonly attempts: number;
  readonly total: Money;
  readonly lines: readonly { readonly variantId: string; readonly sku: string; readonly quantity: number }[];
  readonly paymentMethodId: string;
  readonly holdUntil: Date;
  /** keyed hashes */
  readonly addressHash: string;
  readonly deviceHash: string | null;
  readonly clientHash: string | null;
  /** why it is being cancelled, in the shop's own words: messages carry it, so it never holds what somebody typed */
  readonly reason: string | null;
};

type Data<M> = M extends MessageType<infer T> ? T : never;

/** Everything a checkout can hear: answers by their message's type, and two that are no messages. */
export type Heard = {
  'inventory.reserved': Data<typeof StockReserved>;
  'inventory.refused': Data<typeof StockRefused>;
  'inventory.allocated': Data<typeof StockAllocated>;
  'inventory.released': Data<typeof StockReleased>;
  'inventory.expired': Data<typeof HoldExpired>;
  'fraud.scored': Data<typeof FraudScored>;
  'payment.authorized': Data<typeof PaymentAuthorized>;
  'payment.declined': Data<typeof PaymentDeclined>;
  'payment.captured': Data<typeof PaymentCaptured>;
  'payment.voided': Data<typeof PaymentVoided>;
  'payment.refunded': Data<typeof PaymentRefunded>;
  cancel: { readonly reason: string | null };
  deadline: Record<string, never>;
};

type Move = {
  readonly to: Step;
  readonly send?: readonly Message[];
  readonly because?: string;
  /** what a person typed; the customer is told this, and no message carries it */
  readonly words?: string | null;
  readonly rests?: true;
};

type Moves = { readonly [K in keyof Heard]?: (checkout: Checkout, body: Heard[K]) => Move };

// Commands name a customer; an erased one is named by the order, which is nobody's id.
const buyer = (c: Checkout): string => c.customerId ?? c.orderId;

const reserve = (c: Checkout): Message =>
  ReserveStock({ orderId: c.orderId, lines: [...c.lines], holdUntil: c.holdUntil.toISOString() });
const assess = (c: Checkout): Message =>
  AssessOrder({
    orderId: c.orderId,
    customerId: buyer(c),
    totalMinor: c.total.amountMinor,
    currency: c.total.currency,
    variantIds: c.lines.map((line) => line.variantId),
    addressHash: c.addressHash,
    deviceHash: c.deviceHash,
    clientHash: c.clientHash,
  });
const authorize = (c: Checkout): Message =>
  AuthorizePayment({
    orderId: c.orderId,
    customerId: buyer(c),
    paymentMethodId: c.paymentMethodId,
    ...c.total,
  });
const allocate = (c: Checkout): Message => AllocateStock({ orderId: c.orderId });
const release = (c: Checkout): Message => ReleaseStock({ orderId: c.orderId });
const voidPayment = (c: Checkout): Message => VoidPayment({ orderId: c.orderId });
const refund = (c: Checkout): Message =>
  RefundPayment({ orderId: c.orderId, reason: c.reason ?? 'The order was cancelled.' });

const heldTooLong = 'The goods could not be held any longer.';
const asAsked = (words: string | null) => ({ because: 'Cancelled as asked.', words: words?.trim() || null });

export const moves: Readonly<Record<Step, Moves>> = {
  RESERVING: {
    'inventory.reserved': (c) => ({ to: 'SCORING', send: [assess(c)] }),
    'inventory.refused': (_, { skus }) => ({ to: 'CANCELLED', because: `Out of stock: ${skus.join(', ')}.` }),
    // Answered even where nothing was reserved, and a reservation that comes later is refused.
    cancel: (c, { reason }) => ({ to: 'RELEASING', send: [release(c)], ...asAsked(reason) }),
    deadline: (c) => ({
      to: 'RELEASING',
      send: [release(c)],
      because: 'The stock could not be reserved in time.',
    }),
  },
  SCORING: {
    'fraud.scored': (c) => ({ to: 'AUTHORIZING', send: [authorize(c)] }),
    'inventory.expired': () => ({ to: 'CANCELLED', because: heldTooLong }),
    cancel: (c, { reason }) => ({ to: 'RELEASING', send: [release(c)], ...asAsked(reason) }),
    // No answer is no suspicion: the shop goes on.
    deadline: (c) => ({ to: 'AUTHORIZING', send: [authorize(c)] }),
  },
  // From here on money may be moving: it is voided first, and only a confirmed void makes the stock free.
  AUTHORIZING: {
    'payment.authorized': (c) => ({ to: 'ALLOCATING', send: [allocate(c)] }),
    // Somebody took the money before the promise of it was heard: it is paid all the same.
    'payment.captured': (c) => ({ to: 'ALLOCATING', send: [allocate(c)] }),
    'payment.declined': (c, { reason }) => ({ to: 'RELEASING', send: [release(c)], because: reason }),
    'inventory.expired': (c) => ({ to: 'VOIDING', send: [voidPayment(c)], because: heldTooLong }),
    cancel: (c, { reason }) => ({ to: 'VOIDING', send: [voidPayment(c)], ...asAsked(reason) }),
    deadline: (c) => ({
      to: 'VOIDING',
      send: [voidPayment(c)],
      because: 'The payment was not confirmed in time.',
    }),
  },
  ALLOCATING: {
    'inventory.allocated': () => ({ to: 'ALLOCATING', rests: true }),
    'inventory.refused': (c) => ({ to: 'VOIDING', send: [voidPayment(c)], because: heldTooLong }),
    cancel: (c, { reason }) => ({ to: 'VOIDING', send: [voidPayment(c)], ...asAsked(reason) }),
    deadline: (c) => ({ to: 'ALLOCATING', send: [allocate(c)] }),
  },
  VOIDING: {
    'payment.voided': (c) => ({ to: 'RELEASING', send: [release(c)] }),
    // The money was faster than the void.
    'payment.captured': (c) => ({ to: 'REFUNDING', send: [refund(c)] }),
    deadline: (c) => ({ to: 'VOIDING', send: [voidPayment(c)] }),
  },
  REFUNDING: {
    'payment.refunded': (c) => ({ to: 'RELEASING', send: [release(c)] }),
    deadline: (c) => ({ to: 'REFUNDING', send: [refund(c)] }),
  },
  RELEASING: {
    'inventory.released': () => ({ to: 'CANCELLED' }),
    'payment.captured': (c) => ({ to: 'RELEASING', send: [refund(c)] }),
    deadline: (c) => ({ to: 'RELEASING', send: [release(c)] }),
  },
  // Money that arrives for an order that is no more goes back.
  CANCELLED: {
    'payment.captured': (c) => ({ to: 'CANCELLED', send: [refund(c)] }),
  },
};

/** Milliseconds an order may stay in a step; null: for ever. */
const patience: Readonly<Record<Step, number | null>> = {
  RESERVING: 30_000,
  SCORING: 2_000,
  AUTHORIZING: 15 * 60_000,
  ALLOCATING: 10_000,
  VOIDING: 10_000,
  REFUNDING: 10_000,
  RELEASING: 10_000,
  CANCELLED: null,
};

const longestPause = 5 * 60_000;

/** Steps that only try again wait twice as long each time, up to five minutes. */
export const deadlineMs = ({
  step,
  rests,
  attempts,
}: Pick<Checkout, 'step' | 'rests' | 'attempts'>): number | null => {
  const first = patience[step];
  if (first === null || rests) return null;
  return attempts === 0 ? first : Math.min(first * 2 ** attempts, longestPause);
};

export type Advanced = {
  readonly checkout: Checkout;
  readonly send: readonly Message[];
  /** what the customer is told from now on; null: what was told before */
  readonly told: string | null;
};

/** The first step of every checkout. */
export const begin = (checkout: Omit<Checkout, 'step' | 'rests' | 'attempts' | 'reason'>): Advanced => {
  const begun: Checkout = { ...checkout, step: 'RESERVING', rests: false, attempts: 0, reason: null };
  return { checkout: begun, send: [reserve(begun)], told: null };
};

/** Where the checkout goes on hearing this, or null where it means nothing any more. */
export const advance = <K extends keyof Heard>(
  checkout: Checkout,
  heard: K,
  body: Heard[K],
): Advanced | null => {
  // A checkout that rests waits for nothing, so only a wish moves it.
  if (checkout.rests && heard !== 'cancel') return null;
  // The reason must be known before the messages are made: a refund carries it.
  const move = moves[checkout.step][heard]?.(checkout, body);
  if (!move) return null;
  const stays = move.to === checkout.step && !move.rests;
  return {
    checkout: {
      ...checkout,
      step: move.to,
      rests: move.rests ?? false,
      attempts: stays ? checkout.attempts + 1 : 0,
      reason: move.because ?? checkout.reason,
    },
    send: move.send ?? [],
    told: move.words ?? move.because ?? null,
  };
};

export const mayCancel = (checkout: Pick<Checkout, 'step'>): boolean =>
  moves[checkout.step].cancel !== undefined;
