import type Stripe from 'stripe';
import { newId } from './book.ts';
import { type Call, type Reply, seconds } from './call.ts';
import { captureCharge, refundCharge } from './charges.ts';
import { confirm, unexpectedState } from './confirmation.ts';
import { customerOf } from './customers.ts';
import { badParameter } from './errors.ts';
import { emit } from './events.ts';
import { type IntentRow, intentOf, saveIntent, showIntent } from './intent-rows.ts';
import { listed, searchedIntents } from './lists.ts';
import {
  allowOnly,
  choice,
  flag,
  metadata,
  positiveInteger,
  requiredInteger,
  requiredText,
  strings,
  text,
  tree,
} from './parameters.ts';
import { methodToCharge } from './payment-methods.ts';

const CURRENCIES = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));

/** Smallest amounts in minor units, where they differ from fifty. */
const SMALLEST: Readonly<Record<string, number>> = {
  gbp: 30,
  jpy: 50,
  sek: 300,
  nok: 300,
  dkk: 250,
  pln: 200,
};
const LARGEST = 99_999_999;

const currencyOf = (call: Call): string => {
  const currency = requiredText(call.params, 'currency').toLowerCase();
  if (!CURRENCIES.has(currency)) {
    throw badParameter('currency', `Invalid currency: ${currency.slice(0, 12)}.`);
  }
  return currency;
};

const amountOf = (call: Call, currency: string): number => {
  const amount = requiredInteger(call.params, 'amount');
  if (amount < 1) {
    throw badParameter(
      'amount',
      'This value must be greater than or equal to 1.',
      'parameter_invalid_integer',
    );
  }
  const smallest = SMALLEST[currency] ?? 50;
  if (amount < smallest) {
    throw badParameter('amount', `Amount must be at least ${smallest} ${currency}`, 'amount_too_small');
  }
  if (amount > LARGEST) {
    throw badParameter('amount', `Amount must be no more than ${LARGEST} ${currency}`, 'amount_too_large');
  }
  return amount;
};

const automaticMethodsOf = (call: Call): string | null => {
  const wanted = tree(call.params, 'automatic_payment_methods');
  if (wanted === null) return null;
  allowOnly(wanted, ['enabled', 'allow_redirects']);
  const allowRedirects = choice(wanted, 'allow_redirects', ['always', 'never']) ?? 'always';
  return JSON.stringify({ allow_redirects: allowRedirects, enabled: flag(wanted, 'enabled') });
};

const CREATION = [
  'amount',
  'currency',
  'customer',
  'payment_method',
  'payment_method_types',
  'automatic_payment_methods',
  'capture_method',
  'confirmation_method',
  'confirm',
  'off_session',
  'error_on_requires_action',
  'setup_future_usage',
  'return_url',
  'description',
  'metadata',
  'expand',
];

const isAbsent = ({ params }: Call): boolean =>
  flag(params, 'off_session') || flag(params, 'error_on_requires_action');

const checkMethodTypes = (call: Call): void => {
  const types = strings(call.params, 'payment_method_types');
  if (types.some((type) => type !== 'card')) {
    throw badParameter('payment_method_types', 'Only card payments are taken here.');
  }
};

const insertIntent = (call: Call, payment: { amount: number; currency: string }): IntentRow => {
  const { params } = call;
  const id = newId('pi_3', 23);
  const customer = text(params, 'customer');
  const wantedMethod = text(params, 'payment_method');
  const method =
    wantedMethod === null
      ? null
      : methodToCharge(call, wantedMethod, customer === null ? null : customerOf(call, customer).id);
  call.book.run(
    `insert into payment_intent (id, client_secret, amount, currency, capture_method, customer, payment_method,
       automatic_payment_methods, setup_future_usage, description, metadata, status, created, revision)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (select coalesce(max(revision), 0) + 1 from payment_intent))`,
    id,
    newId(`${id}_secret_`),
    payment.amount,
    payment.currency,
    choice(params, 'capture_method', ['manual', 'automatic', 'automatic_async']) ?? 'automatic_async',
    customer === null ? null : customerOf(call, customer).id,
    method?.id ?? null,
    automaticMethodsOf(call),
    choice(params, 'setup_future_usage', ['off_session', 'on_session']),
    text(params, 'description', 1000),
    JSON.stringify(metadata(params)),
    method ? 'requires_confirmation' : 'requires_payment_method',
    seconds(call),
  );
  return intentOf(call, id);
};

export const createIntent = (call: Call): Reply => {
  const { params } = call;
  allowOnly(params, CREATION);
  strings(params, 'expand');
  checkMethodTypes(call);
  choice(params, 'confirmation_method', ['automatic']);
  text(params, 'return_url');
  const currency = currencyOf(call);
  const amount = amountOf(call, currency);
  const wantsConfirmation = flag(params, 'confirm');
  const absent = isAbsent(call);
  if (absent && !wantsConfirmation) {
    throw badParameter('off_session', 'off_session can only be used when confirm is true.');
  }
  if (wantsConfirmation) requiredText(params, 'payment_method');
  const intent = insertIntent(call, { amount, currency });
  emit(call, 'payment_intent.created', showIntent(call, intent), intent);
  if (wantsConfirmation) return confirm(call, intent, null, { absent });
  return { status: 200, body: showIntent(call, intent) };
};

export const confirmIntent = (call: Call): Reply => {
  const { params } = call;
  allowOnly(params, [
    'payment_method',
    'off_session',
    'error_on_requires_action',
    'return_url',
    'setup_future_usage',
    'expand',
  ]);
  strings(params, 'expand');
  text(params, 'return_url');
  const method = text(params, 'payment_method');
  const future = choice(params, 'setup_future_usage', ['off_session', 'on_session']);
  const absent = isAbsent(call);
  const intent = intentOf(call, call.id);
  return confirm(call, { ...intent, setup_future_usage: future ?? intent.setup_future_usage }, method, {
    absent,
  });
};

/** Takes an authorized amount, once; what is left of it goes back to the card. `amount` in minor units. */
export const capture = (call: Call, intent: IntentRow, amount: number): IntentRow => {
  if (intent.status !== 'requires_capture' || intent.latest_charge === null) {
    throw unexpectedState(
      call,
      intent,
      `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with the status requires_capture may be captured.`,
    );
  }
  if (amount > intent.amount_capturable) {
    throw badParameter(
      'amount_to_capture',
      `The amount to capture is greater than the ${intent.amount_capturable} that can be captured.`,
      'amount_too_large',
    );
  }
  const taken = captureCharge(call, intent.latest_charge, amount);
  const next = saveIntent(call, {
    ...intent,
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: amount,
  });
  emit(call, 'charge.captured', taken, next);
  emit(call, 'payment_intent.succeeded', showIntent(call, next), next);
  return next;
};

export const captureIntent = (call: Call): Reply => {
  allowOnly(call.params, ['amount_to_capture', 'expand']);
  strings(call.params, 'expand');
  const amount = positiveInteger(call.params, 'amount_to_capture');
  const intent = intentOf(call, call.id);
  return { status: 200, body: showIntent(call, capture(call, intent, amount ?? intent.amount_capturable)) };
};

const CANCELABLE: readonly Stripe.PaymentIntent.Status[] = [
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_action',
  'processing',
];

export const cancelIntent = (call: Call): Reply => {
  allowOnly(call.params, ['cancellation_reason', 'expand']);
  strings(call.params, 'expand');
  const reason = choice(call.params, 'cancellation_reason', [
    'abandoned',
    'duplicate',
    'fraudulent',
    'requested_by_customer',
  ]);
  const intent = intentOf(call, call.id);
  if (!CANCELABLE.includes(intent.status)) {
    throw unexpectedState(
      call,
      intent,
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${CANCELABLE.join(', ')}.`,
    );
  }
  const next = saveIntent(call, {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: seconds(call),
    cancellation_reason: reason,
  });
  // As at Stripe, a released authorization shows as a refunded charge that was never captured.
  if (intent.amount_capturable > 0 && intent.latest_charge !== null) {
    const released = refundCharge(call, intent.latest_charge, intent.amount_capturable);
    emit(call, 'charge.refunded', released, next);
  }
  emit(call, 'payment_intent.canceled', showIntent(call, next), next);
  return { status: 200, body: showIntent(call, next) };
};

export const retrieveIntent = (call: Call): Reply => {
  allowOnly(call.params, ['client_secret', 'expand']);
  return { status: 200, body: showIntent(call, intentOf(call, call.id)) };
};

export const listIntents = (call: Call): Reply => {
  const customer = text(call.params, 'customer');
  return listed<IntentRow>(call, {
    table: 'payment_intent',
    url: '/v1/payment_intents',
    allowed: ['customer'],
    filters: customer === null ? {} : { customer },
    show: (row) => showIntent(call, row),
  });
};

export const searchIntents = (call: Call): Reply =>
  searchedIntents<IntentRow>(call, (row) => showIntent(call, row));
