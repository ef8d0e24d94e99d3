import type Stripe from 'stripe';
import { newId } from './book.ts';
import { type Call, type Reply, seconds } from './call.ts';
import { resourceMissing } from './errors.ts';
import type { IntentRow } from './intent-rows.ts';
import { cardDetails, type MethodRow, methodOf, noBillingDetails } from './payment-methods.ts';
import type { Decline } from './test-cards.ts';

type ChargeRow = {
  readonly id: string;
  readonly payment_intent: string;
  readonly payment_method: string;
  readonly amount: number;
  readonly amount_captured: number;
  readonly amount_refunded: number;
  readonly status: 'succeeded' | 'failed';
  readonly failure_code: string | null;
  readonly decline_code: string | null;
  readonly failure_message: string | null;
  readonly created: number;
};

const cardPayment = (method: MethodRow): Stripe.Charge.PaymentMethodDetails => {
  const { wallet: _, ...card } = cardDetails(method);
  return {
    type: 'card',
    card: {
      ...card,
      amount_authorized: null,
      authorization_code: null,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      electronic_commerce_indicator: null,
      installments: null,
      mandate: null,
      network: card.brand,
      network_token: null,
      network_transaction_id: null,
      regulated_status: 'unregulated',
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
  };
};

const outcomeOf = (row: ChargeRow): Stripe.Charge.Outcome => {
  const failed = row.status === 'failed';
  return {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: failed ? 'declined_by_network' : 'approved_by_network',
    reason: row.decline_code,
    risk_level: 'normal',
    seller_message: failed ? 'The bank declined the payment.' : 'Payment complete.',
    type: failed ? 'issuer_declined' : 'authorized',
  };
};

export const chargeOf = (call: Call, id: string): Stripe.Charge => {
  const row = call.book.get<ChargeRow>('select * from charge where id = ?', id);
  if (!row) throw resourceMissing('charge', id, 'id');
  const intent = call.book.get<IntentRow>('select * from payment_intent where id = ?', row.payment_intent);
  if (!intent) throw new Error(`charge ${id} has no payment intent`);
  return {
    id: row.id,
    object: 'charge',
    amount: row.amount,
    amount_captured: row.amount_captured,
    amount_refunded: row.amount_refunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: noBillingDetails,
    calculated_statement_descriptor: 'ORDERSTREAM',
    captured: row.amount_captured > 0,
    created: row.created,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: row.failure_code,
    failure_message: row.failure_message,
    fraud_details: {},
    livemode: false,
    metadata: JSON.parse(intent.metadata),
    on_behalf_of: null,
    outcome: outcomeOf(row),
    paid: row.status === 'succeeded',
    payment_intent: row.payment_intent,
    payment_method: row.payment_method,
    payment_method_details: cardPayment(methodOf(call, row.payment_method)),
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: row.amount_refunded === row.amount,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: row.status,
    transfer_data: null,
    transfer_group: null,
  };
};

/** Writes down one attempt to charge; `captured` in minor units, nothing for an authorization or a failure. */
export const addCharge = (
  call: Call,
  intent: IntentRow,
  method: MethodRow,
  captured: number,
  decline: Decline | null,
): Stripe.Charge => {
  const id = newId('ch_3');
  call.book.run(
    `insert into charge (id, payment_intent, payment_method, amount, amount_captured, status,
       failure_code, decline_code, failure_message, created)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id,
    intent.id,
    method.id,
    intent.amount,
    captured,
    decline ? 'failed' : 'succeeded',
    decline?.code ?? null,
    decline?.declineCode ?? null,
    decline?.message ?? null,
    seconds(call),
  );
  return chargeOf(call, id);
};

/** What was authorized and not captured is given back at once and counts as refunded, as on Stripe's charges. */
export const captureCharge = (call: Call, id: string, amount: number): Stripe.Charge => {
  call.book.run(
    'update charge set amount_captured = ?, amount_refunded = amount - ? where id = ?',
    amount,
    amount,
    id,
  );
  return chargeOf(call, id);
};

/** `amount` in minor units; negative when a refund failed and the money came back to the shop. */
export const refundCharge = (call: Call, id: string, amount: number): Stripe.Charge => {
  call.book.run('update charge set amount_refunded = amount_refunded + ? where id = ?', amount, id);
  return chargeOf(call, id);
};

export const retrieveCharge = (call: Call): Reply => ({ status: 200, body: chargeOf(call, call.id) });
