// What the shop can do with money: hold it, take it, let it go. A command becomes a row that says what is wanted;
// calling the provider is the errands' business, and whatever the provider says comes back here.
import type { Database, Origin, Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { money, zero } from '@orderstream/runtime/money';
import { bookCapture } from './ledger-store.ts';
import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentCaptureRefused,
  PaymentDeclined,
  PaymentVoided,
} from './messages.ts';
import {
  answerAgain,
  doubt,
  learn,
  orderGivenUp,
  type Payment,
  refuseCapture,
  requestCapture,
  requestVoid,
  type Seen,
  type Step,
  type Tell,
  whyNotCaptured,
} from './payment.ts';
import { notUsable } from './payment-method.ts';
import { isOpen, type SeenRefund } from './refund.ts';
import { settle, takeRefund } from './refund-service.ts';
import * as refunds from './refund-store.ts';
import * as store from './store.ts';

const answers: Record<Tell, (payment: Payment) => Message> = {
  authorized: ({ orderId, id, authorized, version }) =>
    PaymentAuthorized({ orderId, paymentId: id, ...authorized }, version),
  declined: ({ orderId, id, failureReason, version }) =>
    PaymentDeclined({ orderId, paymentId: id, reason: failureReason ?? orderGivenUp }, version),
  voided: ({ orderId, id, version }) => PaymentVoided({ orderId, paymentId: id }, version),
  captured: ({ orderId, id, captured, version }) =>
    PaymentCaptured({ orderId, paymentId: id, ...captured }, version),
  'capture-refused': (payment) => {
    const { orderId, id, version } = payment;
    return PaymentCaptureRefused({ orderId, paymentId: id, reason: whyNotCaptured(payment) }, version);
  },
};

const take = async (tx: Tx, before: Payment, step: Step): Promise<Payment> => {
  const { payment, event, tell } = step;
  if (payment !== before) store.savePayment(tx, step);
  if (event?.type === 'captured') bookCapture(tx, payment);
  if (tell) await tx.send(answers[tell](payment));
  return payment;
};

/** Whose doing it is when the provider's word changes a payment: whoever asked last. */
const originOf = ({ tenantId, traceparent }: Payment): Origin => ({
  tenantId,
  traceparent,
  causationId: null,
});

type Line = { orderLineId: string; variantId: string; quantity: number; unitPriceMinor: number };

type Authorize = {
  orderId: string;
  customerId: string;
  paymentMethodId: string;
  amountMinor: number;
  currency: string;
  lines?: readonly Line[];
};

/** Safe to hear twice: one payment for each order. A method that is not the customer's own never reaches the provider. */
export const authorizePayment = async (
  tx: Tx,
  { data, tenantId, traceparent }: Envelope<Authorize>,
  now: Date,
): Promise<void> => {
  const { orderId, customerId, paymentMethodId } = data;
  const method = { id: paymentMethodId, customerId };
  // Sent together: the server reads once the order is ours.
  store.lockOrder(tx, orderId);
  const [known, { isGivenUp, isUsable: usable }] = await Promise.all([
    store.paymentOfOrderForUpdate(tx, tenantId, orderId),
    store.prospects(tx, tenantId, orderId, method),
  ]);
  if (known) {
    const tell = answerAgain(known);
    if (tell) await tx.send(answers[tell](known));
    return;
  }
  if (isGivenUp) return tx.send(PaymentDeclined({ orderId, paymentId: null, reason: orderGivenUp }));
  const nothing = zero(data.currency);
  const payment: Payment = {
    id: newId(),
    tenantId,
    orderId,
    customerId,
    provider: 'stripe',
    methodId: usable ? paymentMethodId : null,
    providerKey: `pay_${orderId}_1`,
    providerId: null,
    captureKey: null,
    state: usable ? 'AUTHORIZING' : 'FAILED',
    wanted: usable ? 'AUTHORIZE' : null,
    amount: money(data.amountMinor, data.currency),
    authorized: nothing,
    captured: nothing,
    refunding: nothing,
    refunded: nothing,
    failureReason: usable ? null : notUsable,
    authorizationExpiresAt: null,
    calledAt: null,
    createdAt: now,
    traceparent,
    version: 1,
  };
  store.insertPayment(tx, payment, usable ? 'requested' : 'declined', data.lines ?? []);
  if (!usable) await tx.send(answers.declined(payment));
};

/** Asked once the goods have left. Whether the money can still be had is the provider's to say. */
export const capturePayment = async (
  tx: Tx,
  { data: { orderId }, tenantId, traceparent }: Envelope<{ orderId: string }>,
): Promise<void> => {
  const payment = await store.paymentOfOrderForUpdate(tx, tenantId, orderId);
  if (!payment)
    return tx.send(PaymentCaptureRefused({ orderId, paymentId: null, reason: 'There is no payment.' }));
  const step = requestCapture(payment);
  await take(tx, payment, step.event ? { ...step, payment: { ...step.payment, traceparent } } : step);
};

/** Before there is a payment, the order is remembered, so that a late request to authorize finds it given up. */
export const voidPayment = async (
  tx: Tx,
  { data: { orderId }, tenantId, traceparent }: Envelope<{ orderId: string }>,
): Promise<void> => {
  store.lockOrder(tx, orderId);
  const payment = await store.paymentOfOrderForUpdate(tx, tenantId, orderId);
  if (payment) {
    const step = requestVoid(payment);
    await take(tx, payment, step.event ? { ...step, payment: { ...step.payment, traceparent } } : step);
    return;
  }
  store.insertVoidedOrder(tx, tenantId, orderId);
  await tx.send(PaymentVoided({ orderId, paymentId: null }));
};

/** What was seen at the provider: the payment, its refunds, or both. */
export type Sight = { readonly seen?: Seen; readonly refunds?: readonly SeenRefund[] };

/**
 * Takes in what the provider says, in one transaction with `also`. The same news twice, or old news, changes nothing.
 * @returns the payment as it is now
 */
export const takeNews = (
  database: Database,
  payment: Payment,
  sight: Sight,
  also?: (tx: Tx, changed: boolean) => Promise<void>,
): Promise<Payment> =>
  database.for(originOf(payment)).transaction(async (tx) => {
    const before = await store.paymentForUpdate(tx, payment.id);
    if (!before) throw new Error(`payment ${payment.id} is gone`);
    let now = sight.seen ? await take(tx, before, learn(before, sight.seen)) : before;
    for (const refund of sight.refunds ?? []) now = await takeRefund(tx, now, refund);
    await also?.(tx, now !== before);
    return now;
  });

/** The provider did not answer; the payment is neither made nor not made until it does. */
export const takeDoubt = (database: Database, payment: Payment): Promise<void> =>
  database.for(originOf(payment)).transaction(async (tx) => {
    const before = await store.paymentForUpdate(tx, payment.id);
    if (before) await take(tx, before, doubt(before));
  });

/** The provider refused to take what it holds, for good. */
export const takeCaptureRefused = (database: Database, payment: Payment, reason: string): Promise<void> =>
  database.for(originOf(payment)).transaction(async (tx) => {
    const before = await store.paymentForUpdate(tx, payment.id);
    if (before) await take(tx, before, refuseCapture(before, reason));
  });

/** The provider refused to give the money back; it is free to be refunded again. */
export const takeRefundRefused = (database: Database, payment: Payment, refundId: string): Promise<void> =>
  database.for(originOf(payment)).transaction(async (tx) => {
    const before = await store.paymentForUpdate(tx, payment.id);
    const refund = await refunds.refundById(tx, refundId);
    if (before && refund && isOpen(refund)) await settle(tx, before, refund, 'FAILED');
  });
