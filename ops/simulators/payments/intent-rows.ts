import type Stripe from 'stripe';
import type { Call } from './call.ts';
import { resourceMissing } from './errors.ts';
import { type MethodRow, showMethod } from './payment-methods.ts';

/** A payment intent as the book keeps it. */
export type IntentRow = {
  readonly seq: number;
  readonly id: string;
  readonly client_secret: string;
  readonly amount: number;
  readonly currency: string;
  readonly capture_method: Stripe.PaymentIntent.CaptureMethod;
  readonly customer: string | null;
  readonly payment_method: string | null;
  readonly automatic_payment_methods: string | null;
  readonly setup_future_usage: Stripe.PaymentIntent.SetupFutureUsage | null;
  readonly description: string | null;
  readonly metadata: string;
  readonly order_id: string | null;
  readonly status: Stripe.PaymentIntent.Status;
  readonly amount_capturable: number;
  readonly amount_received: number;
  readonly amount_refunded: number;
  readonly latest_charge: string | null;
  readonly last_payment_error: string | null;
  readonly canceled_at: number | null;
  readonly cancellation_reason: Stripe.PaymentIntent.CancellationReason | null;
  readonly reply_lost: number;
  readonly created: number;
  readonly revision: number;
};

export type Failure = {
  readonly charge: string | null;
  readonly code: string;
  readonly decline_code: string;
  readonly message: string;
  readonly payment_method: string;
};

export const intentOf = (call: Pick<Call, 'book'>, id: string, param = 'intent'): IntentRow => {
  const row = call.book.get<IntentRow>('select * from payment_intent where id = ?', id);
  if (!row) throw resourceMissing('payment_intent', id, param);
  return row;
};

/** Every change takes the next revision, so that whoever compares books can ask for what changed since. */
export const saveIntent = (call: Call, row: IntentRow): IntentRow => {
  call.book.run(
    `update payment_intent set payment_method = ?, status = ?, amount_capturable = ?, amount_received = ?,
       amount_refunded = ?, latest_charge = ?, last_payment_error = ?, canceled_at = ?, cancellation_reason = ?,
       setup_future_usage = ?, reply_lost = ?, revision = (select max(revision) + 1 from payment_intent)
     where id = ?`,
    row.payment_method,
    row.status,
    row.amount_capturable,
    row.amount_received,
    row.amount_refunded,
    row.latest_charge,
    row.last_payment_error,
    row.canceled_at,
    row.cancellation_reason,
    row.setup_future_usage,
    row.reply_lost,
    row.id,
  );
  return intentOf(call, row.id);
};

const lastError = (call: Call, row: IntentRow): Stripe.PaymentIntent.LastPaymentError | null => {
  if (row.last_payment_error === null) return null;
  const { charge, code, payment_method, ...failure }: Failure = JSON.parse(row.last_payment_error);
  const method = call.book.get<MethodRow>('select * from payment_method where id = ?', payment_method);
  return {
    ...failure,
    ...(charge === null ? {} : { charge }),
    ...(method ? { payment_method: showMethod(method) } : {}),
    code: code as Stripe.PaymentIntent.LastPaymentError.Code,
    type: 'card_error',
  };
};

export const showIntent = (call: Call, row: IntentRow): Stripe.PaymentIntent => ({
  id: row.id,
  object: 'payment_intent',
  allowed_payment_method_types: null,
  amount: row.amount,
  amount_capturable: row.amount_capturable,
  amount_details: { tip: {} },
  amount_received: row.amount_received,
  application: null,
  application_fee_amount: null,
  automatic_payment_methods:
    row.automatic_payment_methods === null ? null : JSON.parse(row.automatic_payment_methods),
  canceled_at: row.canceled_at,
  cancellation_reason: row.cancellation_reason,
  capture_method: row.capture_method,
  client_secret: row.client_secret,
  confirmation_method: 'automatic',
  created: row.created,
  currency: row.currency,
  customer: row.customer,
  customer_account: null,
  description: row.description,
  excluded_payment_method_types: null,
  last_payment_error: lastError(call, row),
  latest_charge: row.latest_charge,
  livemode: false,
  managed_payments: null,
  metadata: JSON.parse(row.metadata),
  next_action:
    row.status === 'requires_action'
      ? {
          type: 'use_stripe_sdk',
          use_stripe_sdk: {
            type: 'three_d_secure_redirect',
            stripe_js: '',
            source: '',
          } as Stripe.PaymentIntent.NextAction.UseStripeSdk,
        }
      : null,
  on_behalf_of: null,
  payment_method: row.payment_method,
  payment_method_configuration_details: null,
  payment_method_options: null,
  payment_method_types: ['card'],
  payment_record: null,
  processing: null,
  receipt_email: null,
  review: null,
  setup_future_usage: row.setup_future_usage,
  shipping: null,
  source: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  status: row.status,
  transfer_data: null,
  transfer_group: null,
});
