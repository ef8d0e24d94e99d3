// Giving money back: what the saga asks for, what staff ask for, and what somebody did in the provider's own console.
import { RestockGoods } from '@orderstream/inventory/messages';
import type { Tx } from '@orderstream/runtime/database';
import { newId } from '@orderstream/runtime/ids';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import type { Money } from '@orderstream/runtime/money';
import { once } from '@orderstream/runtime/once';
import { invalidInput } from '@orderstream/runtime/text';
import type { Context } from './context.ts';
import { bookRefund } from './ledger-store.ts';
import { PaymentRefunded, RefundFailed, RefundMade } from './messages.ts';
import { isCaptured, mayRead, type Payment, refundable } from './payment.ts';
import {
  isOpen,
  mostRefunds,
  problemsOf,
  type Refund,
  type RefundLine,
  reserveRefund,
  type SeenRefund,
  settleRefund,
  type Wish,
  weigh,
} from './refund.ts';
import * as refunds from './refund-store.ts';
import * as store from './store.ts';

type Asked = {
  readonly amount: Money;
  readonly reason: string | null;
  readonly lines?: readonly RefundLine[];
  /** the provider's name of it, where it was not our doing */
  readonly seenAs?: string;
};

/** @throws where there is not so much to give back: the caller has looked */
const begin = async (
  tx: Tx,
  before: Payment,
  asked: Asked,
): Promise<{ payment: Payment; refund: Refund }> => {
  const payment = reserveRefund(before, asked.amount);
  if ('error' in payment) throw new Error(`payment ${before.id}: ${payment.error}`);
  const id = newId();
  const { amount, reason, seenAs } = asked;
  const refund: Refund = {
    id,
    tenantId: payment.tenantId,
    paymentId: payment.id,
    providerKey: seenAs ?? `ref_${id}`,
    providerId: seenAs ?? null,
    state: seenAs ? 'PENDING' : 'REQUESTED',
    amount,
    reason,
  };
  await refunds.insertRefund(tx, refund);
  await refunds.insertRefundLines(tx, refund, asked.lines ?? []);
  await store.savePayment(tx, { payment, event: { type: 'refund-requested', amount }, tell: null });
  return { payment, refund };
};

const refundedAll = ({ orderId, id, refunded, version }: Payment): Message =>
  PaymentRefunded({ orderId, paymentId: id, ...refunded }, version);

/**
 * All that was captured and is not back or on its way back. A refund that failed is asked for again by whoever waits.
 * @throws where nothing was captured here: the order believes something that is not so
 */
export const refundPayment = async (
  tx: Tx,
  { data: { orderId, reason }, tenantId, traceparent }: Envelope<{ orderId: string; reason: string }>,
): Promise<void> => {
  const payment = await store.paymentOfOrderForUpdate(tx, tenantId, orderId);
  if (!payment || !isCaptured(payment) || payment.provider === 'import')
    throw new Error(`nothing was captured for order ${orderId}`);
  const amount = refundable(payment);
  if (amount.amountMinor > 0) await begin(tx, { ...payment, traceparent }, { amount, reason });
  else if (payment.state === 'REFUNDED') await tx.send(refundedAll(payment));
};

type RefundOrder = { readonly key: string; readonly orderId: string; readonly wish: Wish };

/**
 * Pieces of lines, or an amount out of goodwill; never more than was captured and is not on its way back, nor more
 * pieces of a line than were paid for. Many at once wait for the payment's row.
 */
export const refundOrder = async (ctx: Context, { key, orderId, wish }: RefundOrder) => {
  const problems = problemsOf(wish);
  if (problems.length > 0) return invalidInput(problems);
  const { tenantId } = ctx.viewer;
  return once(ctx, { operation: 'refundOrder', key, request: { orderId, ...wish } }, async (tx) => {
    const payment = await store.paymentOfOrderForUpdate(tx, tenantId, orderId);
    if (!payment || !mayRead(ctx.viewer, payment))
      return {
        error: 'NotFound' as const,
        message: 'There is no such paid order.',
        path: ['input', 'orderId'],
      };
    const weighed = weigh(wish, payment, wish.lines ? await refunds.paidLinesOf(tx, payment) : []);
    if ('error' in weighed) return weighed;
    if ((await refunds.countRefunds(tx, payment)) >= mostRefunds)
      return invalidInput([
        { path: ['input', 'orderId'], message: `An order takes no more than ${mostRefunds} refunds.` },
      ]);
    const { traceparent } = ctx.trace;
    const { refund } = await begin(tx, { ...payment, traceparent }, { ...weighed, reason: wish.reason });
    return { refundId: refund.id };
  });
};

/** Once for each refund: it is settled once, and the message leaves with that. */
const restocking = ({ orderId }: Payment, refund: Refund, lines: readonly RefundLine[]): Message[] => {
  const pieces = new Map<string, number>();
  for (const { variantId, quantity, restock } of lines)
    if (restock) pieces.set(variantId, (pieces.get(variantId) ?? 0) + quantity);
  const back = [...pieces].map(([variantId, quantity]) => ({ variantId, quantity }));
  return back.length > 0 ? [RestockGoods({ orderId, refundId: refund.id, lines: back })] : [];
};

export const settle = async (
  tx: Tx,
  payment: Payment,
  refund: Refund,
  state: 'SUCCEEDED' | 'FAILED',
): Promise<Payment> => {
  const settled = settleRefund(payment, refund.amount, state);
  const hasArrived = state === 'SUCCEEDED';
  await refunds.saveRefund(tx, { ...refund, state });
  const lines = await refunds.settleRefundLines(tx, refund, hasArrived);
  const type = hasArrived ? 'refunded' : 'refund-failed';
  await store.savePayment(tx, { payment: settled, event: { type, amount: refund.amount }, tell: null });
  const { orderId, id: paymentId, version } = settled;
  const told = { orderId, paymentId, refundId: refund.id, ...refund.amount };
  if (!hasArrived) {
    await tx.send(RefundFailed(told, version));
    return settled;
  }
  await bookRefund(tx, settled, refund);
  await tx.send(RefundMade(told, version), ...restocking(settled, refund, lines));
  if (settled.state === 'REFUNDED') await tx.send(refundedAll(settled));
  return settled;
};

/** Takes in a refund as the provider shows it, be it ours or made by somebody in the provider's own console. */
export const takeRefund = async (tx: Tx, before: Payment, seen: SeenRefund): Promise<Payment> => {
  let payment = before;
  let refund = await refunds.refundSeen(tx, payment, seen);
  if (!refund) {
    if (seen.state === 'FAILED') return payment;
    // Our own refund of the same money may still be open; when the provider has refused it there is room.
    ({ payment, refund } = await begin(tx, payment, { amount: seen.amount, reason: null, seenAs: seen.id }));
  }
  if (!isOpen(refund)) return payment;
  const named = { ...refund, providerId: seen.id };
  if (seen.state !== 'PENDING') return settle(tx, payment, named, seen.state);
  await refunds.saveRefund(tx, { ...named, state: 'PENDING' });
  return payment;
};
