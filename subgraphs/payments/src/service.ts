// What the shop can do with money: hold it, let it go, give it back. A command becomes a row that says what is wanted;
// calling the provider is the errands' business, and whatever the provider says comes back here.
import type { Database, Origin, Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { type Money, money, zero } from '@orderstream/runtime/money';
import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
} from './messages.ts';
import {
  answerAgain,
  doubt,
  isCaptured,
  learn,
  orderGivenUp,
  type Payment,
  refundable,
  requestVoid,
  type Seen,
  type Step,
  type Tell,
} from './payment.ts';
import { notUsable } from './payment-method.ts';
import { isUsable } from './payment-method-store.ts';
import { isOpen, type Refund, reserveRefund, type SeenRefund, settleRefund } from './refund.ts';
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
};

const take = async (tx: Tx, before: Payment, step: Step): Promise<Payment> => {
  const { payment, event, tell } = step;
  if (payment !== before) await store.savePayment(tx, step);
  if (event?.type === 'captured') await refunds.bookCapture(tx, payment);
  if (tell) await tx.send(answers[tell](payment));
  return payment;
};

/** Whose doing it is when the provider's word changes a payment: whoever asked last. */
const originOf = ({ tenantId, traceparent }: Payment): Origin => ({
  tenantId,
  traceparent,
  causationId: null,
});

type Authorize = {
  orderId: string;
  customerId: string;
  paymentMethodId: string;
  amountMinor: number;
  currency: string;
};

/** Safe to hear twice: one payment for each order. A method that is not the customer's own never reaches the provider. */
export const authorizePayment = async (
  tx: Tx,
  { data, tenantId, traceparent }: Envelope<Authorize>,
  now: Date,
): Promise<void> => {
  const { orderId, customerId, paymentMethodId } = data;
  await store.lockOrder(tx, orderId);
  const known = await store.paymentOfOrderForUpdate(tx, tenantId, orderId);
  if (known) {
    const tell = answerAgain(known);
    if (tell) await tx.send(answers[tell](known));
    return;
  }
  if (await store.isVoidedOrder(tx, tenantId, orderId))
    return tx.send(PaymentDeclined({ orderId, paymentId: null, reason: orderGivenUp }));
  const usable = await isUsable(tx, tenantId, customerId, paymentMethodId);
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
  await store.insertPayment(tx, payment, usable ? 'requested' : 'declined');
  if (!usable) await tx.send(answers.declined(payment));
};

/** Before there is a payment, the order is remembered, so that a late request to authorize finds it given up. */
export const voidPayment = async (
  tx: Tx,
  { data: { orderId }, tenantId, traceparent }: Envelope<{ orderId: string }>,
): Promise<void> => {
  await store.lockOrder(tx, orderId);
  const payment = await store.paymentOfOrderForUpdate(tx, tenantId, orderId);
  if (payment) {
    const step = requestVoid(payment);
    await take(tx, payment, step.event ? { ...step, payment: { ...step.payment, traceparent } } : step);
    return;
  }
  await store.insertVoidedOrder(tx, tenantId, orderId);
  await tx.send(PaymentVoided({ orderId, paymentId: null }));
};

const requestRefund = async (tx: Tx, payment: Payment, amount: Money, reason: string): Promise<void> => {
  const reserved = reserveRefund(payment, amount);
  if ('error' in reserved) throw new Error(`payment ${payment.id}: ${reserved.error}`);
  const id = newId();
  await refunds.insertRefund(tx, {
    id,
    tenantId: payment.tenantId,
    paymentId: payment.id,
    providerKey: `ref_${id}`,
    providerId: null,
    state: 'REQUESTED',
    amount,
    reason,
  });
  await store.savePayment(tx, {
    payment: reserved,
    event: { type: 'refund-requested', amount },
    tell: null,
  });
};

const refundedAll = ({ orderId, id, refunded, version }: Payment): Message =>
  PaymentRefunded({ orderId, paymentId: id, ...refunded }, version);

/**
 * All that was captured and is not back or on its way back. A refund that failed is asked for again by whoever waits.
 * @throws where nothing was captured: the order believes something that is not so
 */
export const refundPayment = async (
  tx: Tx,
  { data: { orderId, reason }, tenantId, traceparent }: Envelope<{ orderId: string; reason: string }>,
): Promise<void> => {
  const payment = await store.paymentOfOrderForUpdate(tx, tenantId, orderId);
  if (!payment || !isCaptured(payment)) throw new Error(`nothing was captured for order ${orderId}`);
  const left = refundable(payment);
  if (left.amountMinor > 0) return requestRefund(tx, { ...payment, traceparent }, left, reason);
  if (payment.state === 'REFUNDED') await tx.send(refundedAll(payment));
};

/** Somebody refunded in the provider's own console. */
const takeForeignRefund = async (
  tx: Tx,
  payment: Payment,
  seen: SeenRefund,
): Promise<{ payment: Payment; refund: Refund }> => {
  const reserved = reserveRefund(payment, seen.amount);
  // Our own refund of the same money is still open; when the provider has refused it there is room.
  if ('error' in reserved)
    throw new Error(`payment ${payment.id}: refund ${seen.id} has to wait for another`);
  const refund: Refund = {
    id: newId(),
    tenantId: payment.tenantId,
    paymentId: payment.id,
    providerKey: seen.id,
    providerId: seen.id,
    state: 'PENDING',
    amount: seen.amount,
    reason: null,
  };
  await refunds.insertRefund(tx, refund);
  await store.savePayment(tx, {
    payment: reserved,
    event: { type: 'refund-requested', amount: seen.amount },
    tell: null,
  });
  return { payment: reserved, refund };
};

const settle = async (
  tx: Tx,
  payment: Payment,
  refund: Refund,
  state: 'SUCCEEDED' | 'FAILED',
): Promise<Payment> => {
  const settled = settleRefund(payment, refund.amount, state);
  await refunds.saveRefund(tx, { ...refund, state });
  await store.savePayment(tx, {
    payment: settled,
    event: { type: state === 'SUCCEEDED' ? 'refunded' : 'refund-failed', amount: refund.amount },
    tell: null,
  });
  if (state === 'SUCCEEDED') await refunds.bookRefund(tx, settled, refund);
  if (settled.state === 'REFUNDED') await tx.send(refundedAll(settled));
  return settled;
};

const takeRefund = async (tx: Tx, before: Payment, seen: SeenRefund): Promise<Payment> => {
  let payment = before;
  let refund = await refunds.refundSeen(tx, payment, seen);
  if (!refund) {
    if (seen.state === 'FAILED') return payment;
    ({ payment, refund } = await takeForeignRefund(tx, payment, seen));
  }
  if (!isOpen(refund)) return payment;
  const named = { ...refund, providerId: seen.id };
  if (seen.state !== 'PENDING') return settle(tx, payment, named, seen.state);
  await refunds.saveRefund(tx, { ...named, state: 'PENDING' });
  return payment;
};

/** What was seen at the provider: the payment, its refunds, or both. */
export type Sight = { readonly seen?: Seen; readonly refunds?: readonly SeenRefund[] };

/**
 * Takes in what the provider says, in one transaction with `also`. The same news twice, or old news, changes nothing.
 * @returns whether anything changed
 */
export const takeNews = (
  database: Database,
  payment: Payment,
  sight: Sight,
  also?: (tx: Tx, changed: boolean) => Promise<void>,
): Promise<boolean> =>
  database.for(originOf(payment)).transaction(async (tx) => {
    const before = await store.paymentForUpdate(tx, payment.id);
    if (!before) throw new Error(`payment ${payment.id} is gone`);
    let now = sight.seen ? await take(tx, before, learn(before, sight.seen)) : before;
    for (const refund of sight.refunds ?? []) now = await takeRefund(tx, now, refund);
    await also?.(tx, now !== before);
    return now !== before;
  });

/** The provider did not answer; the payment is neither made nor not made until it does. */
export const takeDoubt = (database: Database, payment: Payment): Promise<void> =>
  database.for(originOf(payment)).transaction(async (tx) => {
    const before = await store.paymentForUpdate(tx, payment.id);
    if (before) await take(tx, before, doubt(before));
  });

/** The provider refused to give the money back; it is free to be refunded again. */
export const takeRefundRefused = (database: Database, payment: Payment, refundId: string): Promise<void> =>
  database.for(originOf(payment)).transaction(async (tx) => {
    const before = await store.paymentForUpdate(tx, payment.id);
    const refund = await refunds.refundById(tx, refundId);
    if (before && refund && isOpen(refund)) await settle(tx, before, refund, 'FAILED');
  });
