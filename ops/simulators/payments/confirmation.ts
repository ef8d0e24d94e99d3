import type Stripe from 'stripe';
import type { Call, Reply } from './call.ts';
import { addCharge } from './charges.ts';
import { refused } from './errors.ts';
import { emit } from './events.ts';
import { falls } from './faults.ts';
import { type Failure, type IntentRow, saveIntent, showIntent } from './intent-rows.ts';
import { type MethodRow, methodToCharge, showMethod } from './payment-methods.ts';
import { AUTHENTICATION_REQUIRED, cardOf, type Decline, GENERIC_DECLINE } from './test-cards.ts';

/** The moment an intent meets a card: approved, declined, or sent to prove who is paying. */

export const unexpectedState = (call: Call, intent: IntentRow, message: string) =>
  refused({ code: 'payment_intent_unexpected_state', message, payment_intent: showIntent(call, intent) });

type Presence = {
  /** The customer is not there to prove anything, so a card that asks for it is declined. */
  readonly absent: boolean;
  /** The proof has been given already. */
  readonly proven?: boolean;
};

const verdict = (call: Call, intent: IntentRow, method: MethodRow, presence: Presence) => {
  const chance = call.faults.take('declinePercent', { orderId: intent.order_id });
  if (chance && falls(chance.value, chance.option ?? '', call.idempotencyKey ?? intent.id)) {
    return GENERIC_DECLINE;
  }
  const { charge } = cardOf(method.token);
  if (charge !== 'authenticate') return charge;
  if (presence.proven) return 'approved';
  return presence.absent ? AUTHENTICATION_REQUIRED : 'authenticate';
};

const approve = (call: Call, intent: IntentRow, method: MethodRow): Reply => {
  const manual = intent.capture_method === 'manual';
  const charge = addCharge(call, intent, method, manual ? 0 : intent.amount, null);
  const losesReply = cardOf(method.token).losesReply === true && intent.reply_lost === 0;
  const next = saveIntent(call, {
    ...intent,
    payment_method: method.id,
    status: manual ? 'requires_capture' : 'succeeded',
    amount_capturable: manual ? intent.amount : 0,
    amount_received: manual ? 0 : intent.amount,
    latest_charge: charge.id,
    last_payment_error: null,
    reply_lost: losesReply ? 1 : intent.reply_lost,
  });
  const shown = showIntent(call, next);
  emit(call, 'charge.succeeded', charge, next);
  emit(call, manual ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', shown, next);
  return { status: 200, body: shown, ...(losesReply ? { lost: true } : {}) };
};

export const decline = (call: Call, intent: IntentRow, method: MethodRow, because: Decline): Reply => {
  const charge = addCharge(call, intent, method, 0, because);
  const failure: Failure = {
    charge: charge.id,
    code: because.code,
    decline_code: because.declineCode,
    message: because.message,
    payment_method: method.id,
  };
  const next = saveIntent(call, {
    ...intent,
    payment_method: null,
    status: 'requires_payment_method',
    latest_charge: charge.id,
    last_payment_error: JSON.stringify(failure),
  });
  const shown = showIntent(call, next);
  emit(call, 'charge.failed', charge, next);
  emit(call, 'payment_intent.payment_failed', shown, next);
  const error = {
    type: 'card_error',
    code: because.code,
    decline_code: because.declineCode,
    message: because.message,
    charge: charge.id,
    payment_intent: shown,
    payment_method: showMethod(method),
  };
  return { status: 402, body: { error } };
};

const askForProof = (call: Call, intent: IntentRow, method: MethodRow): Reply => {
  const next = saveIntent(call, { ...intent, payment_method: method.id, status: 'requires_action' });
  const shown = showIntent(call, next);
  emit(call, 'payment_intent.requires_action', shown, next);
  return { status: 200, body: shown };
};

export const charge = (call: Call, intent: IntentRow, method: MethodRow, presence: Presence): Reply => {
  const found = verdict(call, intent, method, presence);
  if (found === 'approved') return approve(call, intent, method);
  if (found === 'authenticate') return askForProof(call, intent, method);
  return decline(call, intent, method, found);
};

const CONFIRMABLE: readonly Stripe.PaymentIntent.Status[] = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
];

/** Confirms with the method given now, else with the one the intent has. */
export const confirm = (call: Call, intent: IntentRow, given: string | null, presence: Presence): Reply => {
  if (!CONFIRMABLE.includes(intent.status)) {
    throw unexpectedState(
      call,
      intent,
      `You cannot confirm this PaymentIntent because it has a status of ${intent.status}.`,
    );
  }
  const wanted = given ?? intent.payment_method;
  if (wanted === null) {
    throw unexpectedState(
      call,
      intent,
      'You cannot confirm this PaymentIntent because it is missing a payment method.',
    );
  }
  return charge(call, intent, methodToCharge(call, wanted, intent.customer), presence);
};
