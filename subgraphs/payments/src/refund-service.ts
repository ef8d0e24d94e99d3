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
  type RestRefusal,
  reserveRefund,
  type SeenRefund,
  settleRefund,
  type Wish,
  type WishRefusal,
  weigh,
  weighRest,
} from './refund.ts';
import * as refunds from './refund-store.ts';
import * as store from './store.ts';

type Weighed = { readonly amount: Money; readonly lines?: readonly RefundLine[] };

type Asked = Weighed & {
  readonly reason: string | null;
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
  store.savePayment(tx, { payment, event: { type: 'refund-requested', amount }, tell: null });
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

type Place = {
  readonly orderId: string;
  /** where the input names the order */
  readonly path: string[];
  readonly reason: string | null;
};

/** The payment is locked before it is weighed what to give back. */
const give = async <R extends WishRefusal>(
  ctx: Context,
  tx: Tx,
  { orderId, path, reason }: Place,
  weighed: (payment: Payment) => Promise<Weighed | R>,
) => {
  const payment = await store.paymentOfOrderForUpdate(tx, ctx.viewer.tenantId, orderId);
  if (!payment || !mayRead(ctx.viewer, payment))
    return { error: 'NotFound' as const, message: 'There is no such paid order.', path };
  const asked = await weighed(payment);
  if ('error' in asked) return asked;
  if ((await refunds.countRefunds(tx, payment)) >= mostRefunds)
    return invalidInput([{ path, message: `An order takes no more than ${mostRefunds} refunds.` }]);
  const { traceparent } = ctx.trace;
  const { refund } = await begin(tx, { ...payment, traceparent }, { ...asked, reason });
  return { refundId: refund.id };
};

type RefundOrder = { readonly key: string; readonly orderId: string; readonly wish: Wish };

/**
 * Pieces of lines, or an amount out of goodwill; never more than was captured and is not on its way back, nor more
 * pieces of a line than were paid for. Many at once wait for the payment's row.
 */
export const refundOrder = async (ctx: Context, { key, orderId, wish }: RefundOrder) => {
  const problems = problemsOf(wish);
  if (problems.length > 0) return invalidInput(problems);
  return once(ctx, { operation: 'refundOrder', key, request: { orderId, ...wish } }, (tx) =>
    give(ctx, tx, { orderId, path: ['input', 'orderId'], reason: wish.reason }, async (payment) =>
      weigh(wish, payment, wish.lines ? await refunds.paidLinesOf(tx, payment) : []),
    ),
  );
};

type BulkRefund = {
  readonly key: string;
  readonly orderIds: readonly string[];
  readonly reason: string | null;
};

/**
 * All the rest of each order, in a transaction of its own and under a key of its own, so that a request which broke off
 * is finished by its repetition. The list stands under the key first: with another list nothing is refunded.
 */
export const bulkRefund = async (ctx: Context, { key, orderIds, reason }: BulkRefund) => {
  const list = await once(ctx, { operation: 'bulkRefund', key, request: { orderIds, reason } }, async () => ({
    orders: orderIds.length,
  }));
  if ('error' in list) return orderIds.map(() => list);
  const refundRest = (orderId: string, index: number) =>
    once(ctx, { operation: `bulkRefund ${orderId}`, key, request: { reason } }, (tx) => {
      const path = ['input', 'orderIds', `${index}`];
      return give<RestRefusal>(ctx, tx, { orderId, path, reason }, async (payment) =>
        weighRest(payment, path),
      );
    });
  const outcomes: Awaited<ReturnType<typeof refundRest>>[] = [];
  // One after the other: a hundred at once would leave no connection to anybody else.
  for (const [index, orderId] of orderIds.entries()) outcomes.push(await refundRest(orderId, index));
  return outcomes;
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
  store.savePayment(tx, { payment: settled, event: { type, amount: refund.amount }, tell: null });
  const { orderId, id: paymentId, version } = settled;
  const told = { orderId, paymentId, refundId: refund.id, ...refund.amount };
  if (!hasArrived) {
    await tx.send(RefundFailed(told, version));
    return settled;
  }
  bookRefund(tx, settled, refund);
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
