// The payment provider, behind the words of the shop. The only file that knows Stripe. Every call answers within the
// time-out and never throws for what the provider or the network does: a call that may or may not have had its effect
// answers `unknown`, and only the same call under the same key, or a look, can tell.
import { type Money, money } from '@orderstream/runtime/money';
import { within } from '@orderstream/runtime/time';
import Stripe from 'stripe';
import type { Seen } from './payment.ts';
import { notUsable, type SeenMethod } from './payment-method.ts';
import type { SeenRefund } from './refund.ts';

export type Answer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** `message` is a sentence for the customer */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown'; readonly cause: unknown };

export type Charge = {
  readonly key: string;
  readonly orderId: string;
  readonly paymentId: string;
  readonly tenantId: string;
  readonly amount: Money;
  /** the provider's names */
  readonly customer: string;
  readonly method: string;
};

export type ProviderSettings = {
  readonly apiKey: string;
  /** empty: the live service */
  readonly url: string;
  readonly timeoutMs: number;
};

const declines: Readonly<Record<string, string>> = {
  insufficient_funds: 'The card has insufficient funds.',
  expired_card: 'The card has expired.',
  authentication_required: 'The bank asks for a proof that this shop cannot take yet.',
};

const declineReason = (code: string | undefined): string => declines[code ?? ''] ?? 'The card was declined.';

/** The reason with which we let go of a payment that asks for a proof; it marks why the payment is gone. */
const unproven = 'abandoned';

const states: Readonly<Record<Stripe.PaymentIntent.Status, Seen['state']>> = {
  requires_payment_method: 'OPEN',
  requires_confirmation: 'OPEN',
  processing: 'OPEN',
  requires_action: 'NEEDS_PROOF',
  requires_capture: 'HELD',
  succeeded: 'TAKEN',
  canceled: 'GONE',
};

const failureOf = (intent: Stripe.PaymentIntent): string | null => {
  const error = intent.last_payment_error;
  if (error) return declineReason(error.decline_code ?? error.code);
  return intent.cancellation_reason === unproven ? declineReason('authentication_required') : null;
};

const expiryOf = (intent: Stripe.PaymentIntent): Date | null => {
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  const before = charge?.payment_method_details?.card?.capture_before;
  return before ? new Date(before * 1000) : null;
};

const seenOf = (intent: Stripe.PaymentIntent): Seen => ({
  id: intent.id,
  state:
    intent.status === 'requires_payment_method' && intent.last_payment_error
      ? 'DECLINED'
      : (states[intent.status] ?? 'OPEN'),
  takenMinor: intent.amount_received,
  failure: failureOf(intent),
  expiresAt: expiryOf(intent),
});

const refundStates: Readonly<Record<string, SeenRefund['state']>> = {
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  canceled: 'FAILED',
};

const seenRefundOf = (refund: Stripe.Refund): SeenRefund => ({
  id: refund.id,
  refundId: refund.metadata?.refundId ?? null,
  amount: money(refund.amount, refund.currency.toUpperCase()),
  state: refundStates[refund.status ?? ''] ?? 'PENDING',
});

const seenMethodOf = (method: Stripe.PaymentMethod): SeenMethod => ({
  providerId: method.id,
  kind: method.type,
  brand: method.card?.brand ?? method.type,
  last4: method.card?.last4 ?? '0000',
});

const { StripeCardError, StripeInvalidRequestError } = Stripe.errors;

export type Provider = ReturnType<typeof createProvider>;

export const createProvider = ({ apiKey, url, timeoutMs }: ProviderSettings) => {
  const at = url ? new URL(url) : null;
  const stripe = new Stripe(apiKey, {
    ...(at && {
      host: at.hostname,
      port: Number(at.port || (at.protocol === 'http:' ? 80 : 443)),
      protocol: at.protocol === 'http:' ? 'http' : 'https',
    }),
    timeout: timeoutMs,
    // Repeating is decided by us, with the payment's row in hand.
    maxNetworkRetries: 0,
    telemetry: false,
  });

  /** Anything but a clear no leaves it open whether the call had its effect. */
  const answerOf = async <T>(call: () => Promise<T>): Promise<Answer<T>> => {
    try {
      // The library repeats by itself, under the same key, what was cut off by a closed connection: the time is ours.
      return { kind: 'answered', value: await within(timeoutMs, 'the payment provider', call()) };
    } catch (error) {
      if (error instanceof StripeCardError) {
        const message = declineReason(error.decline_code ?? error.code);
        return { kind: 'refused', code: error.code ?? 'declined', message };
      }
      if (error instanceof StripeInvalidRequestError)
        return { kind: 'refused', code: error.code ?? 'invalid', message: notUsable };
      return { kind: 'unknown', cause: error };
    }
  };

  const look = (id: string): Promise<Answer<Seen>> =>
    answerOf(async () => seenOf(await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] })));

  /** What is said no to because the payment has moved on is answered by how it stands now. */
  const orLook = async (id: string, call: () => Promise<Stripe.PaymentIntent>): Promise<Answer<Seen>> => {
    const answer = await answerOf(async () => seenOf(await call()));
    return answer.kind === 'refused' && answer.code === 'payment_intent_unexpected_state' ? look(id) : answer;
  };

  return {
    /** @param key makes a repetition, or two calls at once, end in one customer */
    addCustomer: (key: string, userId: string): Promise<Answer<string>> =>
      answerOf(
        async () => (await stripe.customers.create({ metadata: { userId } }, { idempotencyKey: key })).id,
      ),

    attach: (token: string, customer: string): Promise<Answer<SeenMethod>> =>
      answerOf(async () => seenMethodOf(await stripe.paymentMethods.attach(token, { customer }))),

    detach: (method: string): Promise<Answer<SeenMethod>> =>
      answerOf(async () => seenMethodOf(await stripe.paymentMethods.detach(method))),

    /** Holds the amount on the card. A declined card is an answer: a payment that is DECLINED. */
    authorize: (charge: Charge): Promise<Answer<Seen>> =>
      answerOf(async () => {
        const { orderId, paymentId, tenantId, amount } = charge;
        try {
          const intent = await stripe.paymentIntents.create(
            {
              amount: amount.amountMinor,
              currency: amount.currency.toLowerCase(),
              customer: charge.customer,
              payment_method: charge.method,
              // No method that would send the customer to another site: nobody is there to come back.
              automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
              capture_method: 'manual',
              confirm: true,
              metadata: { orderId, paymentId, tenantId },
              expand: ['latest_charge'],
            },
            { idempotencyKey: charge.key },
          );
          return seenOf(intent);
        } catch (error) {
          if (error instanceof StripeCardError && error.payment_intent) return seenOf(error.payment_intent);
          throw error;
        }
      }),

    look,

    /** The payment of ours that was made for this customer since then; null when there is none. */
    find: (
      { customer, paymentId }: Pick<Charge, 'customer' | 'paymentId'>,
      since: Date,
    ): Promise<Answer<Seen | null>> =>
      // Listing is exact at once; the provider's search may be a minute behind.
      answerOf(async () => {
        const made = { gte: Math.floor(since.getTime() / 1000) - 300 };
        const intents = stripe.paymentIntents.list({
          customer,
          created: made,
          limit: 100,
          expand: ['data.latest_charge'],
        });
        for await (const intent of intents)
          if (intent.metadata.paymentId === paymentId) return seenOf(intent);
        return null;
      }),

    /** Takes all that is held. Answers how the payment stands when there is nothing to take any more. */
    capture: (key: string, id: string): Promise<Answer<Seen>> =>
      orLook(id, () => stripe.paymentIntents.capture(id, {}, { idempotencyKey: key })),

    /** Lets go of a hold. Answers how the payment stands when it cannot be let go any more. */
    cancel: (id: string, why?: 'unproven'): Promise<Answer<Seen>> =>
      orLook(id, () => stripe.paymentIntents.cancel(id, why ? { cancellation_reason: unproven } : {})),

    refund: (key: string, refundId: string, payment: string, amount: Money): Promise<Answer<SeenRefund>> =>
      answerOf(async () =>
        seenRefundOf(
          await stripe.refunds.create(
            { payment_intent: payment, amount: amount.amountMinor, metadata: { refundId } },
            { idempotencyKey: key },
          ),
        ),
      ),

    lookAtRefund: (id: string): Promise<Answer<SeenRefund>> =>
      answerOf(async () => seenRefundOf(await stripe.refunds.retrieve(id))),

    /** Oldest first. */
    refundsOf: (payment: string): Promise<Answer<SeenRefund[]>> =>
      answerOf(async () =>
        (await stripe.refunds.list({ payment_intent: payment, limit: 100 })).data.map(seenRefundOf).reverse(),
      ),
  };
};

export type ProviderEvent = {
  readonly id: string;
  readonly type: string;
  readonly about: 'PAYMENT' | 'REFUND' | 'OTHER';
  /** the provider's name of the payment */
  readonly payment: string | null;
  /** ours, where the provider carries it */
  readonly paymentId: string | null;
  readonly tenantId: string | null;
  /** the payment as it was at that moment */
  readonly seen: Seen | null;
};

const telling = /^payment_intent\.(amount_capturable_updated|succeeded|canceled|payment_failed)$/;
const ofRefunds = /^(charge\.refunded|refund\.(created|updated|failed))$/;

type EventObject = Partial<Stripe.PaymentIntent> & {
  readonly payment_intent?: string | { id: string } | null;
};

const eventOf = (event: Stripe.Event): ProviderEvent => {
  const object = event.data.object as EventObject;
  const isIntent = object.object === 'payment_intent';
  const of = object.payment_intent;
  return {
    id: event.id,
    type: event.type,
    about: telling.test(event.type) ? 'PAYMENT' : ofRefunds.test(event.type) ? 'REFUND' : 'OTHER',
    payment: isIntent ? (object.id ?? null) : typeof of === 'string' ? of : (of?.id ?? null),
    paymentId: object.metadata?.paymentId ?? null,
    tenantId: object.metadata?.tenantId ?? null,
    seen: isIntent ? seenOf(event.data.object as Stripe.PaymentIntent) : null,
  };
};

/** Reads what `readSignedEvent` accepted earlier. */
export const readEvent = (body: string): ProviderEvent => eventOf(JSON.parse(body));

/** seconds a signature is good for, before and after */
const tolerance = 300;

/**
 * The event, when the body bears a signature by one of the secrets, made within five minutes of `now`.
 * Two secrets are live while one replaces the other.
 */
export const readSignedEvent = (
  body: Buffer,
  signature: string,
  secrets: readonly string[],
  now: Date,
): ProviderEvent | null => {
  const made = Number(/(?:^|,)t=(\d+)(?:,|$)/.exec(signature)?.[1]);
  // The library refuses what is too old, and would take what comes from the future.
  if (!(made - now.getTime() / 1000 <= tolerance)) return null;
  for (const secret of secrets) {
    try {
      return eventOf(
        Stripe.webhooks.constructEvent(body, signature, secret, tolerance, undefined, now.getTime()),
      );
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    }
  }
  return null;
};
