// The checkout saga: where an order stands, what it hears there, where it goes and whom it tells. Pure; the service loads
// the row under a lock, asks `advance`, and saves. A message without an entry came late or twice and moves nothing.
import { highRisk } from '@orderstream/fraud/messages';
import type { Message } from '@orderstream/runtime/messages';
import type { Money } from '@orderstream/runtime/money';
import {
  allocate,
  assess,
  authorize,
  cancelShipment,
  capture,
  closeReview,
  createShipment,
  refund,
  release,
  reserve,
  review,
  ship,
  voidPayment,
} from './commands.ts';
import type { Heard } from './hearing.ts';
import { patience } from './patience.ts';

export const steps = [
  'RESERVING',
  'SCORING',
  'AUTHORIZING',
  'REVIEW',
  'ALLOCATING',
  'SHIPPING',
  'CAPTURING',
  'DELIVERING',
  'DONE',
  'VOIDING',
  'REFUNDING',
  'RELEASING',
  'CANCELLED',
] as const;

export type Step = (typeof steps)[number];

/** Decided already, and waiting for its moment within the step. */
export type Pending =
  /** the parcel is being called back, for good or for a review; the carrier may be faster */
  | 'CANCEL'
  | 'REVIEW'
  /** the label is asked for again when the deadline passes */
  | 'RETRY'
  /** the reviewer has been given more time once */
  | 'EXTENDED'
  /** the parcel has arrived before its money */
  | 'DELIVERED'
  /** the goods are gone: there is nothing to put back */
  | 'LOST';

export type Checkout = {
  readonly orderId: string;
  /** for people */
  readonly number: string;
  /** null once the customer has been erased */
  readonly customerId: string | null;
  readonly step: Step;
  readonly pending: Pending | null;
  /** whether a person has to look at the order before its goods leave */
  readonly review: 'NONE' | 'WANTED' | 'CLEARED';
  /** it stands still until somebody of the shop does something */
  readonly needsOperator: boolean;
  /** times that this step was tried again */
  readonly attempts: number;
  readonly total: Money;
  readonly lines: readonly {
    readonly id: string;
    readonly variantId: string;
    readonly sku: string;
    readonly quantity: number;
    readonly unitPriceMinor: number;
  }[];
  readonly paymentMethodId: string;
  readonly holdUntil: Date;
  /** the warehouse that the parcel starts from */
  readonly origin: {
    readonly warehouseId: string;
    readonly name: string;
    readonly latitude: number;
    readonly longitude: number;
  } | null;
  /** 1; 2 when the first was called back for a review */
  readonly parcel: number;
  /** keyed hashes */
  readonly addressHash: string;
  readonly deviceHash: string | null;
  readonly clientHash: string | null;
  /** why it is being cancelled, in the shop's own words: messages carry it, so it never holds what somebody typed */
  readonly reason: string | null;
};

/** From the customer's word until the shop has said yes, no, or that somebody has to look at it first. */
export const isUnderWay = ({ step }: Pick<Checkout, 'step'>): boolean =>
  step === 'RESERVING' || step === 'SCORING' || step === 'AUTHORIZING';

/** When something is decided. `scale` multiplies every deadline; 1 outside tests. */
export type Moment = { readonly now: Date; readonly scale: number };

type Move = {
  readonly to: Step;
  readonly send?: readonly Message[];
  readonly because?: string;
  /** what a person typed; the customer is told this, and no message carries it */
  readonly words?: string | null;
  readonly pending?: Pending;
  readonly needsOperator?: true;
  /** instead of one more where the order stays, and none where it goes on */
  readonly attempts?: number;
  /** the deadline stays where it is */
  readonly keepsClock?: true;
  readonly change?: Partial<Pick<Checkout, 'review' | 'origin' | 'parcel'>>;
};

/** null: it means nothing here. */
type Moves = {
  readonly [K in keyof Heard]?: (checkout: Checkout, body: Heard[K], moment: Moment) => Move | null;
};

/** milliseconds that goods are held beyond the time a reviewer has */
const holdBeyondReview = 30 * 60_000;

/** minor units; an order above this that could not be scored in time is looked at, one below goes on */
const unscoredLimit = 200_00;

/** times that a refused label is asked for again before somebody has to look */
const mostLabelAttempts = 6;

const heldTooLong = 'The goods could not be held any longer.';
const asAsked = (words: string | null) => ({ because: 'Cancelled as asked.', words: words?.trim() || null });

const isHighRisk = ({ score }: { readonly score: number }): boolean => score > highRisk;

const beginReview = (c: Checkout, { now, scale }: Moment): Pick<Move, 'send'> & { to: 'REVIEW' } => {
  const dueAt = new Date(now.getTime() + patience.REVIEW! * scale);
  return { to: 'REVIEW', send: review(c, dueAt, new Date(dueAt.getTime() + holdBeyondReview)) };
};

const afterPayment = (c: Checkout, moment: Moment): Move =>
  c.review === 'WANTED' ? beginReview(c, moment) : { to: 'ALLOCATING', send: [allocate(c)] };

/** Where the goods are gone there is nothing to put back. */
const afterMoneyIsBack = (c: Checkout): Move =>
  c.pending === 'LOST' ? { to: 'CANCELLED' } : { to: 'RELEASING', send: [release(c)] };

/** Going back keeps in mind that the goods are gone. */
const stillLost = ({ pending }: Checkout): Pick<Move, 'pending'> =>
  pending === 'LOST' ? { pending: 'LOST' } : {};

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
    'fraud.scored': (c, body) => ({
      to: 'AUTHORIZING',
      send: [authorize(c)],
      change: { review: isHighRisk(body) ? 'WANTED' : 'NONE' },
    }),
    'inventory.expired': () => ({ to: 'CANCELLED', because: heldTooLong }),
    cancel: (c, { reason }) => ({ to: 'RELEASING', send: [release(c)], ...asAsked(reason) }),
    // The shop goes on without an answer; only much money waits for a person.
    deadline: (c) => ({
      to: 'AUTHORIZING',
      send: [authorize(c)],
      change: { review: c.total.amountMinor > unscoredLimit ? 'WANTED' : 'NONE' },
    }),
  },
  // From here on money may be moving: it is voided first, and only a confirmed void makes the stock free.
  AUTHORIZING: {
    'payment.authorized': (c, _, moment) => afterPayment(c, moment),
    // Somebody took the money before the promise of it was heard: it is paid all the same.
    'payment.captured': (c, _, moment) => afterPayment(c, moment),
    'payment.declined': (c, { reason }) => ({ to: 'RELEASING', send: [release(c)], because: reason }),
    'fraud.scored': (c, body) =>
      isHighRisk(body) && c.review === 'NONE'
        ? { to: 'AUTHORIZING', keepsClock: true, change: { review: 'WANTED' } }
        : null,
    'inventory.expired': (c) => ({ to: 'VOIDING', send: [voidPayment(c)], because: heldTooLong }),
    cancel: (c, { reason }) => ({ to: 'VOIDING', send: [voidPayment(c)], ...asAsked(reason) }),
    deadline: (c) => ({
      to: 'VOIDING',
      send: [voidPayment(c)],
      because: 'The payment was not confirmed in time.',
    }),
  },
  // The money is promised and not taken while a person looks.
  REVIEW: {
    'fraud.approved': (c) => ({ to: 'ALLOCATING', send: [allocate(c)], change: { review: 'CLEARED' } }),
    'fraud.rejected': (c) => ({
      to: 'VOIDING',
      send: [voidPayment(c)],
      because: 'The order was not approved.',
    }),
    'fraud.info-requested': (c, _, moment) =>
      c.pending === 'EXTENDED' ? null : { ...beginReview(c, moment), pending: 'EXTENDED' },
    'inventory.expired': (c) => ({
      to: 'VOIDING',
      send: [voidPayment(c), closeReview(c, 'EXPIRED')],
      because: heldTooLong,
    }),
    cancel: (c, { reason }) => ({
      to: 'VOIDING',
      send: [voidPayment(c), closeReview(c, 'CANCELLED')],
      ...asAsked(reason),
    }),
    deadline: (c) => ({
      to: 'VOIDING',
      send: [voidPayment(c), closeReview(c, 'EXPIRED')],
      because: 'The order was not approved in time.',
    }),
  },
  ALLOCATING: {
    'inventory.allocated': (c, { origin }) => ({
      to: 'SHIPPING',
      send: [createShipment({ ...c, origin })],
      change: { origin },
    }),
    'inventory.refused': (c) => ({ to: 'VOIDING', send: [voidPayment(c)], because: heldTooLong }),
    'fraud.scored': (c, body, moment) =>
      isHighRisk(body) && c.review === 'NONE'
        ? { ...beginReview(c, moment), change: { review: 'WANTED' } }
        : null,
    cancel: (c, { reason }) => ({ to: 'VOIDING', send: [voidPayment(c)], ...asAsked(reason) }),
    deadline: (c) => ({ to: 'ALLOCATING', send: [allocate(c)] }),
  },
  // Until the carrier has the parcel it can be called back, and the carrier decides which of the two came first.
  SHIPPING: {
    'shipment.handed-over': (c) => ({
      to: 'CAPTURING',
      send: [ship(c), capture(c)],
      ...(c.pending === 'CANCEL' && {
        because: 'It was too late to cancel: the carrier already had the parcel.',
      }),
    }),
    'shipment.failed': (c) => {
      if (c.pending === 'CANCEL' || c.pending === 'REVIEW') return null;
      return c.attempts < mostLabelAttempts
        ? { to: 'SHIPPING', pending: 'RETRY' }
        : { to: 'SHIPPING', needsOperator: true };
    },
    'shipment.cancelled': (c, _, moment) =>
      c.pending === 'REVIEW'
        ? { ...beginReview(c, moment), change: { parcel: c.parcel + 1 } }
        : {
            to: 'VOIDING',
            send: [voidPayment(c)],
            ...(c.pending !== 'CANCEL' && { because: 'The parcel was called back.' }),
          },
    'fraud.scored': (c, body) =>
      isHighRisk(body) && c.review === 'NONE' && c.pending !== 'CANCEL'
        ? {
            to: 'SHIPPING',
            send: [cancelShipment(c)],
            pending: 'REVIEW',
            attempts: 0,
            change: { review: 'WANTED' },
          }
        : null,
    cancel: (c, { reason }) => ({
      to: 'SHIPPING',
      send: [cancelShipment(c)],
      pending: 'CANCEL',
      attempts: 0,
      ...asAsked(reason),
    }),
    deadline: (c) => {
      if (c.pending === 'CANCEL' || c.pending === 'REVIEW')
        return { to: 'SHIPPING', send: [cancelShipment(c)], pending: c.pending };
      return c.pending === 'RETRY'
        ? { to: 'SHIPPING', send: [createShipment(c)], attempts: c.attempts }
        : { to: 'SHIPPING', needsOperator: true };
    },
  },
  CAPTURING: {
    'payment.captured': (c) => ({ to: c.pending === 'DELIVERED' ? 'DONE' : 'DELIVERING' }),
    // The goods are on their way: somebody has to get the money in another way.
    'payment.capture-refused': (c) => ({
      to: 'CAPTURING',
      needsOperator: true,
      ...(c.pending && { pending: c.pending }),
    }),
    'shipment.delivered': (c) =>
      c.pending === 'DELIVERED' ? null : { to: 'CAPTURING', pending: 'DELIVERED', keepsClock: true },
    'shipment.lost': (c) => ({
      to: 'VOIDING',
      send: [voidPayment(c)],
      pending: 'LOST',
      because: 'The parcel was lost on its way.',
    }),
    deadline: (c) => ({ to: 'CAPTURING', send: [capture(c)], ...(c.pending && { pending: c.pending }) }),
  },
  DELIVERING: {
    // Each scan gives the carrier its fortnight again.
    'shipment.moved': () => ({ to: 'DELIVERING', attempts: 0 }),
    'shipment.delivered': () => ({ to: 'DONE' }),
    'shipment.lost': (c) => {
      const because = 'The parcel was lost on its way.';
      return { to: 'REFUNDING', send: [refund({ ...c, reason: because })], pending: 'LOST', because };
    },
    deadline: () => ({ to: 'DELIVERING', needsOperator: true }),
  },
  DONE: {},
  VOIDING: {
    'payment.voided': (c) => afterMoneyIsBack(c),
    // The money was faster than the void.
    'payment.captured': (c) => ({ to: 'REFUNDING', send: [refund(c)], ...stillLost(c) }),
    deadline: (c) => ({ to: 'VOIDING', send: [voidPayment(c)], ...stillLost(c) }),
  },
  REFUNDING: {
    'payment.refunded': (c) => afterMoneyIsBack(c),
    deadline: (c) => ({ to: 'REFUNDING', send: [refund(c)], ...stillLost(c) }),
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

export type Advanced = {
  readonly checkout: Checkout;
  readonly send: readonly Message[];
  /** what the customer is told from now on; null: what was told before */
  readonly told: string | null;
  readonly keepsClock: boolean;
};

type Beginning = Omit<
  Checkout,
  'step' | 'pending' | 'review' | 'needsOperator' | 'attempts' | 'origin' | 'parcel' | 'reason'
>;

/** The first step of every checkout. */
export const begin = (checkout: Beginning): Advanced => {
  const begun: Checkout = {
    ...checkout,
    step: 'RESERVING',
    pending: null,
    review: 'NONE',
    needsOperator: false,
    attempts: 0,
    origin: null,
    parcel: 1,
    reason: null,
  };
  return { checkout: begun, send: [reserve(begun)], told: null, keepsClock: false };
};

/** Where the checkout goes on hearing this, or null where it means nothing (any more). */
export const advance = <K extends keyof Heard>(
  checkout: Checkout,
  heard: K,
  body: Heard[K],
  moment: Moment,
): Advanced | null => {
  const move = moves[checkout.step][heard]?.(checkout, body, moment);
  if (!move) return null;
  const stays = move.to === checkout.step && !move.keepsClock;
  return {
    checkout: {
      ...checkout,
      ...move.change,
      step: move.to,
      pending: move.pending ?? null,
      needsOperator: move.needsOperator ?? false,
      attempts: move.attempts ?? (stays ? checkout.attempts + 1 : move.keepsClock ? checkout.attempts : 0),
      reason: move.because ?? checkout.reason,
    },
    send: move.send ?? [],
    told: move.words ?? move.because ?? null,
    keepsClock: move.keepsClock ?? false,
  };
};

export const mayCancel = ({ step, pending }: Pick<Checkout, 'step' | 'pending'>): boolean =>
  moves[step].cancel !== undefined && pending !== 'CANCEL';
