import { createHash } from 'node:crypto';
import type Stripe from 'stripe';
import { newId } from './book.ts';
import { type Call, type Reply, seconds } from './call.ts';
import { customerOf } from './customers.ts';
import { ApiError, refused, resourceMissing } from './errors.ts';
import { listed } from './lists.ts';
import { allowOnly, choice, requiredText, strings } from './parameters.ts';
import { cardOf, isTestToken } from './test-cards.ts';

export type MethodRow = {
  readonly seq: number;
  readonly id: string;
  readonly token: string;
  readonly customer: string | null;
  readonly detached: number;
  readonly metadata: string;
  readonly created: number;
};

const addressless = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };
export const noBillingDetails = { address: addressless, email: null, name: null, phone: null, tax_id: null };

/** Cards are valid to the December three years after they were made. */
const expiryOf = (row: MethodRow) => ({
  exp_month: 12,
  exp_year: new Date(row.created * 1000).getUTCFullYear() + 3,
});

export const cardDetails = (row: MethodRow) => {
  const { brand, last4 } = cardOf(row.token);
  return {
    brand,
    last4,
    ...expiryOf(row),
    country: 'GB',
    fingerprint: createHash('sha256').update(`${brand}${last4}`).digest('base64url').slice(0, 16),
    funding: 'credit',
    wallet: null,
  };
};

export const showMethod = (row: MethodRow): Stripe.PaymentMethod => ({
  id: row.id,
  object: 'payment_method',
  allow_redisplay: 'unspecified',
  billing_details: noBillingDetails,
  card: {
    ...cardDetails(row),
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
    display_brand: cardOf(row.token).brand,
    generated_from: null,
    networks: { available: [cardOf(row.token).brand], preferred: null },
    regulated_status: 'unregulated',
    three_d_secure_usage: { supported: true },
  },
  created: row.created,
  customer: row.customer,
  customer_account: null,
  livemode: false,
  metadata: JSON.parse(row.metadata),
  type: 'card',
});

export const methodOf = (call: Call, id: string, param = 'payment_method'): MethodRow => {
  const row = call.book.get<MethodRow>('select * from payment_method where id = ?', id);
  if (!row) throw resourceMissing('PaymentMethod', id, param);
  return row;
};

const fromToken = (call: Call, token: string): MethodRow => {
  const id = newId('pm_1');
  call.book.run('insert into payment_method (id, token, created) values (?, ?, ?)', id, token, seconds(call));
  return methodOf(call, id);
};

/** The method to charge. A token becomes a method of its own; a method of somebody else is refused. */
export const methodToCharge = (call: Call, id: string, customer: string | null): MethodRow => {
  const row = isTestToken(id) ? fromToken(call, id) : methodOf(call, id);
  if (row.detached) {
    throw refused({
      message: 'The provided PaymentMethod was detached from its customer and may not be used again.',
      param: 'payment_method',
    });
  }
  if (row.customer !== null && row.customer !== customer) {
    throw refused({
      message: `The payment method ${id} belongs to another customer than this payment.`,
      param: 'payment_method',
      code: 'resource_missing',
    });
  }
  return row;
};

export const attachMethod = (call: Call): Reply => {
  const { book, params } = call;
  allowOnly(params, ['customer', 'expand']);
  strings(params, 'expand');
  const customer = customerOf(call, requiredText(params, 'customer')).id;
  if (isTestToken(call.id)) {
    const { attaches, charge } = cardOf(call.id);
    if (!attaches && typeof charge === 'object') {
      const { code, declineCode, message } = charge;
      throw new ApiError(402, { type: 'card_error', code, decline_code: declineCode, message }, true);
    }
  }
  const row = isTestToken(call.id) ? fromToken(call, call.id) : methodOf(call, call.id, 'id');
  if (row.detached || (row.customer !== null && row.customer !== customer)) {
    throw refused({
      message: 'The payment method you provided has already been attached to a customer.',
      code: 'payment_method_unexpected_state',
    });
  }
  book.run('update payment_method set customer = ? where id = ?', customer, row.id);
  return { status: 200, body: showMethod(methodOf(call, row.id)) };
};

export const detachMethod = (call: Call): Reply => {
  allowOnly(call.params, ['expand']);
  const row = methodOf(call, call.id, 'id');
  if (row.customer === null) {
    throw refused({
      message: 'The payment method you provided is not attached to a customer so detachment is impossible.',
    });
  }
  call.book.run('update payment_method set customer = null, detached = 1 where id = ?', row.id);
  return { status: 200, body: showMethod(methodOf(call, row.id)) };
};

export const retrieveMethod = (call: Call): Reply => ({
  status: 200,
  body: showMethod(methodOf(call, call.id, 'id')),
});

export const listMethods = (call: Call): Reply => {
  choice(call.params, 'type', ['card']);
  const customer = requiredText(call.params, 'customer');
  return listed<MethodRow>(call, {
    table: 'payment_method',
    url: '/v1/payment_methods',
    allowed: ['customer', 'type'],
    filters: { customer },
    show: showMethod,
  });
};
