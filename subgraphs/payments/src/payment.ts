// A payment and how it may change. What the provider says arrives as a reply, as a webhook, late, twice and out of
// order; all of it goes through `learn`, which only ever moves forward, so that the order of arrival does not matter.
import { type Money, minus, money, zero } from '@orderstream/runtime/money';
import type { Viewer } from '@orderstream/runtime/viewer';
import { notUsable } from './payment-method.ts';

export type PaymentState =
  | 'AUTHORIZING'
  | 'UNKNOWN'
  | 'AUTHORIZED'
  | 'CAPTURED'
  | 'PARTIALLY_REFUNDED'
  | 'REFUNDED'
  | 'FAILED'
  | 'VOIDED'
  | 'EXPIRED';

export type Payment = {
  readonly id: string;
  readonly tenantId: string;
  readonly orderId: string;
  /** null: the sale of another system, to nobody we know */
  readonly customerId: string | null;
  /** `import`: another system took the money; the provider is never asked about it */
  readonly provider: 'stripe' | 'import';
  readonly methodId: string | null;
  /** the idempotency key of the charge; the same for every attempt to learn its outcome */
  readonly providerKey: string;
  readonly providerId: string | null;
  /** the idempotency key of the capture; the same until the provider has clearly refused */
  readonly captureKey: string | null;
  readonly state: PaymentState;
  /** what the shop wants of the provider and has not got yet */
  readonly wanted: 'AUTHORIZE' | 'CAPTURE' | 'VOID' | null;
  readonly amount: Money;
  readonly authorized: Money;
  readonly captured: Money;
  /** on its way back */
  readonly refunding: Money;
  readonly refunded: Money;
  readonly failureReason: string | null;
  readonly authorizationExpiresAt: Date | null;
  /** when the provider was last asked to authorize; null: never, so it cannot know of this payment */
  readonly calledAt: Date | null;
  readonly createdAt: Date;
  readonly traceparent: string;
  readonly version: number;
};

export type PaymentEvent = {
  readonly at: Date;
  readonly type: string;
  readonly amount: Money | null;
  readonly providerReference: string | null;
};

/** The payments' part of an order. */
export type OfOrder = { readonly id: string };

/** A payment as the provider shows it. */
export type Seen = {
  /** null where the provider refused before making anything */
  readonly id: string | null;
  readonly state: 'OPEN' | 'NEEDS_PROOF' | 'DECLINED' | 'HELD' | 'TAKEN' | 'GONE';
  readonly takenMinor: number;
  /** a sentence for the customer */
  readonly failure: string | null;
  readonly expiresAt: Date | null;
};

export type Tell = 'authorized' | 'declined' | 'voided' | 'captured' | 'capture-refused';

/** The payment afterwards, what to write into its history, and what to tell the other subgraphs. */
export type Step = {
  readonly payment: Payment;
  readonly event: { readonly type: string; readonly amount: Money | null } | null;
  readonly tell: Tell | null;
};

export const orderGivenUp = 'The order was cancelled before it was paid for.';
const releasedByBank = 'The bank released the money again.';

/** The customer whose money it is, and staff. */
export const mayRead = (viewer: Viewer, { customerId }: Pick<Payment, 'customerId'>): boolean =>
  (viewer.userId !== null && viewer.userId === customerId) || viewer.scopes.has('payments:read');

const isUndecided = ({ state }: Payment): boolean => state === 'AUTHORIZING' || state === 'UNKNOWN';

export const isCaptured = ({ captured }: Payment): boolean => captured.amountMinor > 0;

export const refundable = ({ captured, refunding, refunded }: Payment): Money =>
  minus(minus(captured, refunding), refunded);

type Change = Partial<Payment> & { readonly type: string; readonly tell: Tell | null };

const step = (before: Payment, change: Change): Step => {
  const { type, tell, ...fields } = change;
  const payment = { ...before, ...fields, version: before.version + 1 };
  const moved =
    type === 'captured' ? payment.captured : type.startsWith('authorized') ? payment.authorized : null;
  return { payment, event: { type, amount: moved }, tell };
};

const still = (payment: Payment, tell: Tell | null = null): Step => ({ payment, event: null, tell });

const declined = (payment: Payment, reason: string): Change => ({
  state: 'FAILED',
  wanted: null,
  failureReason: reason,
  type: 'declined',
  // Somebody waits for the answer to the void by now; nothing is held, which is what they want to hear.
  tell: payment.wanted === 'VOID' ? 'voided' : 'declined',
});

const released = (payment: Payment, state: 'VOIDED' | 'EXPIRED', type: string): Change => ({
  state,
  wanted: null,
  authorized: zero(payment.amount.currency),
  authorizationExpiresAt: null,
  type,
  // Whoever waits for the money hears that there is none; all others, that nothing is held any more.
  tell: payment.wanted === 'CAPTURE' ? 'capture-refused' : 'voided',
});

/** What a sight of the provider's payment changes; null: nothing that was not known, or nothing any more. */
const readings: Record<Seen['state'], (payment: Payment, seen: Seen) => Change | null> = {
  OPEN: () => null,
  NEEDS_PROOF: () => null,
  DECLINED: (payment, seen) => (isUndecided(payment) ? declined(payment, seen.failure ?? notUsable) : null),
  HELD: (payment, seen) => {
    const held = {
      state: 'AUTHORIZED',
      authorized: payment.amount,
      authorizationExpiresAt: seen.expiresAt,
    } as const;
    if (isUndecided(payment))
      return payment.wanted === 'VOID'
        ? { ...held, type: 'authorized', tell: null }
        : { ...held, wanted: null, type: 'authorized', tell: 'authorized' };
    // Money is held for an order that has been told that none is: it is let go again.
    return payment.state === 'FAILED' || payment.state === 'VOIDED' || payment.state === 'EXPIRED'
      ? { ...held, wanted: 'VOID', type: 'authorized-late', tell: null }
      : null;
  },
  // From any state: moved money is a fact, whatever was meant to happen.
  TAKEN: (payment, seen) =>
    isCaptured(payment)
      ? null
      : {
          state: 'CAPTURED',
          wanted: null,
          authorized: payment.amount,
          captured: money(seen.takenMinor, payment.amount.currency),
          failureReason: null,
          authorizationExpiresAt: null,
          type: 'captured',
          tell: 'captured',
        },
  GONE: (payment, seen) => {
    if (isUndecided(payment))
      return payment.wanted === 'VOID'
        ? released(payment, 'VOIDED', 'voided')
        : declined(payment, seen.failure ?? releasedByBank);
    if (payment.state !== 'AUTHORIZED') return null;
    return payment.wanted === 'VOID'
      ? released(payment, 'VOIDED', 'voided')
      : released(payment, 'EXPIRED', 'expired');
  },
};

/** The one way in which anything the provider says changes a payment. */
export const learn = (before: Payment, seen: Seen): Step => {
  // One payment has one counterpart at the provider; whatever else bears its name there is not believed.
  if (before.providerId && seen.id && before.providerId !== seen.id) return still(before);
  const payment = before.providerId || !seen.id ? before : { ...before, providerId: seen.id };
  const change = readings[seen.state](payment, seen);
  return change ? step(payment, change) : still(payment);
};

/** An old picture of a payment would be believed here; look at it as it is now. */
export const isAmbiguous = (payment: Payment, seen: Seen): boolean =>
  seen.state === 'HELD' && ['FAILED', 'VOIDED', 'EXPIRED'].includes(payment.state);

/** The provider was asked and has not answered: the money may be held or not. */
export const doubt = (payment: Payment): Step =>
  payment.state === 'AUTHORIZING'
    ? step(payment, { state: 'UNKNOWN', type: 'unknown', tell: null })
    : still(payment);

/** The order wants its money let go. Where the provider may know of the payment, its word is needed first. */
export const requestVoid = (payment: Payment): Step => {
  if (isCaptured(payment)) return still(payment, 'captured');
  if (!isUndecided(payment) && payment.state !== 'AUTHORIZED') return still(payment, 'voided');
  if (payment.wanted === 'VOID') return still(payment);
  if (isUndecided(payment) && !payment.calledAt) return step(payment, released(payment, 'VOIDED', 'voided'));
  return step(payment, { wanted: 'VOID', type: 'void-requested', tell: null });
};

/** Nothing goes back and forth about what has happened already; a void that is under way is not overtaken. */
export const requestCapture = (payment: Payment): Step => {
  if (isCaptured(payment)) return still(payment, 'captured');
  if (payment.state !== 'AUTHORIZED') return still(payment, 'capture-refused');
  if (payment.wanted) return still(payment);
  const captureKey = `cap_${payment.id}_${payment.version + 1}`;
  return step(payment, { wanted: 'CAPTURE', captureKey, type: 'capture-requested', tell: null });
};

/** The provider will not take the money, though the hold stands; asking again later is another attempt. */
export const refuseCapture = (payment: Payment, reason: string): Step =>
  payment.wanted === 'CAPTURE'
    ? step(payment, {
        wanted: null,
        failureReason: reason,
        type: 'capture-refused',
        tell: 'capture-refused',
      })
    : still(payment);

const noMoney: Partial<Record<PaymentState, string>> = {
  VOIDED: 'The hold was released.',
  EXPIRED: 'The bank let its authorization lapse.',
  FAILED: 'The payment had failed.',
};

/** For staff. */
export const whyNotCaptured = ({ state, failureReason }: Payment): string =>
  noMoney[state] ?? failureReason ?? 'Nothing is authorized yet.';

/** The answer for whoever asks again to authorize what is known already. */
export const answerAgain = (payment: Payment): Tell | null => {
  if (isCaptured(payment)) return 'captured';
  if (payment.wanted && payment.wanted !== 'CAPTURE') return null;
  return payment.state === 'AUTHORIZED' ? 'authorized' : 'declined';
};
