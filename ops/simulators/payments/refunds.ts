import type Stripe from 'stripe';
import { newId } from './book.ts';
import { type Call, type Reply, seconds } from './call.ts';
import { refundCharge } from './charges.ts';
import { badParameter, refused, resourceMissing } from './errors.ts';
import { emit } from './events.ts';
import { type IntentRow, intentOf, saveIntent } from './intent-rows.ts';
import { listed } from './lists.ts';
import { allowOnly, choice, metadata, positiveInteger, requiredText, strings, text } from './parameters.ts';
import { methodOf } from './payment-methods.ts';
import { cardOf } from './test-cards.ts';

export type RefundRow = {
  readonly seq: number;
  readonly id: string;
  readonly payment_intent: string;
  readonly charge: string;
  readonly amount: number;
  readonly reason: Stripe.Refund.Reason | null;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly failure_reason: string | null;
  readonly metadata: string;
  readonly created: number;
};

const show = (call: Call, row: RefundRow): Stripe.Refund => {
  const intent = intentOf(call, row.payment_intent);
  return {
    id: row.id,
    object: 'refund',
    amount: row.amount,
    balance_transaction: null,
    charge: row.charge,
    created: row.created,
    currency: intent.currency,
    customer: intent.customer,
    customer_account: null,
    ...(row.failure_reason === null ? {} : { failure_reason: row.failure_reason }),
    metadata: JSON.parse(row.metadata),
    payment_intent: row.payment_intent,
    payment_method: intent.payment_method,
    reason: row.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: row.status,
    transfer_reversal: null,
  };
};

const refundOf = (call: Call, id: string): RefundRow => {
  const row = call.book.get<RefundRow>('select * from refund where id = ?', id);
  if (!row) throw resourceMissing('refund', id, 'id');
  return row;
};

/** How much may go back: all that was received and is not on its way back already. Pending refunds count. */
const amountToRefund = (intent: IntentRow, wanted: number | null): number => {
  const left = intent.amount_received - intent.amount_refunded;
  if (left === 0) {
    throw refused({
      code: 'charge_already_refunded',
      message: `Charge ${intent.latest_charge} has already been refunded.`,
    });
  }
  if (wanted !== null && wanted > left) {
    throw refused({
      message: `Refund amount (${wanted}) is greater than unrefunded amount on charge (${left})`,
      param: 'amount',
    });
  }
  return wanted ?? left;
};

export const createRefund = (call: Call): Reply => {
  const { book, params } = call;
  allowOnly(params, ['payment_intent', 'amount', 'reason', 'metadata', 'expand']);
  strings(params, 'expand');
  const wanted = positiveInteger(params, 'amount');
  const reason = choice(params, 'reason', ['duplicate', 'fraudulent', 'requested_by_customer']);
  const notes = JSON.stringify(metadata(params));
  const intent = intentOf(call, requiredText(params, 'payment_intent'), 'payment_intent');
  if (intent.status !== 'succeeded' || intent.latest_charge === null || intent.payment_method === null) {
    throw refused({
      message: `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`,
      param: 'payment_intent',
    });
  }
  const amount = amountToRefund(intent, wanted);
  const slow = cardOf(methodOf(call, intent.payment_method).token).refundsSlowly;
  const id = newId('re_3', 23);
  book.run(
    `insert into refund (id, payment_intent, charge, amount, reason, status, metadata, created)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    intent.id,
    intent.latest_charge,
    amount,
    reason,
    slow ? 'pending' : 'succeeded',
    notes,
    seconds(call),
  );
  const next = saveIntent(call, { ...intent, amount_refunded: intent.amount_refunded + amount });
  const charge = refundCharge(call, intent.latest_charge, amount);
  const shown = show(call, refundOf(call, id));
  emit(call, 'refund.created', shown, next);
  emit(call, 'charge.refunded', charge, next);
  return { status: 200, body: shown };
};

/** The bank's word on a pending refund. A failed one gives the money back to the shop, to be refunded again. */
export const settleRefund = (call: Call, status: 'succeeded' | 'failed'): Reply => {
  const row = refundOf(call, call.id);
  if (row.status !== 'pending') {
    throw badParameter('status', `Only a pending refund can be settled; this one is ${row.status}.`);
  }
  call.book.run(
    'update refund set status = ?, failure_reason = ? where id = ?',
    status,
    status === 'failed' ? 'unknown' : null,
    row.id,
  );
  const intent = intentOf(call, row.payment_intent);
  const returned = status === 'failed' ? row.amount : 0;
  const next = saveIntent(call, { ...intent, amount_refunded: intent.amount_refunded - returned });
  if (returned > 0) refundCharge(call, row.charge, -returned);
  const shown = show(call, refundOf(call, row.id));
  emit(call, 'refund.updated', shown, next);
  if (status === 'failed') emit(call, 'refund.failed', shown, next);
  return { status: 200, body: shown };
};

export const retrieveRefund = (call: Call): Reply => ({
  status: 200,
  body: show(call, refundOf(call, call.id)),
});

export const listRefunds = (call: Call): Reply => {
  const intent = text(call.params, 'payment_intent');
  return listed<RefundRow>(call, {
    table: 'refund',
    url: '/v1/refunds',
    allowed: ['payment_intent'],
    filters: intent === null ? {} : { payment_intent: intent },
    show: (row) => show(call, row),
  });
};
