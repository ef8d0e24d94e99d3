// Money on its way back. An amount is reserved on the payment when it is asked for and settled by the provider's word.
import { isMore, type Money, minus, plus } from '@orderstream/runtime/money';
import { type Payment, refundable } from './payment.ts';

export type RefundState = 'REQUESTED' | 'PENDING' | 'SUCCEEDED' | 'FAILED';

export type Refund = {
  readonly id: string;
  readonly tenantId: string;
  readonly paymentId: string;
  readonly providerKey: string;
  readonly providerId: string | null;
  readonly state: RefundState;
  readonly amount: Money;
  readonly reason: string | null;
};

/** A refund as the provider shows it. */
export type SeenRefund = {
  readonly id: string;
  /** ours, where we asked for it; somebody may also have refunded in the provider's own console */
  readonly refundId: string | null;
  readonly amount: Money;
  readonly state: 'PENDING' | 'SUCCEEDED' | 'FAILED';
};

export type RefundRefusal = { readonly error: 'RefundExceedsBalance'; readonly refundable: Money };

export const isOpen = ({ state }: Refund): boolean => state === 'REQUESTED' || state === 'PENDING';

/** Money may go back up to what was captured and is not already on its way. The row is locked by the caller. */
export const reserveRefund = (payment: Payment, amount: Money): Payment | RefundRefusal => {
  const left = refundable(payment);
  return isMore(amount, left)
    ? { error: 'RefundExceedsBalance', refundable: left }
    : { ...payment, refunding: plus(payment.refunding, amount), version: payment.version + 1 };
};

/** The reserved amount has arrived, or is free again. */
export const settleRefund = (payment: Payment, amount: Money, state: 'SUCCEEDED' | 'FAILED'): Payment => {
  const refunding = minus(payment.refunding, amount);
  const version = payment.version + 1;
  if (state === 'FAILED') return { ...payment, refunding, version };
  const refunded = plus(payment.refunded, amount);
  const isAll = refunded.amountMinor === payment.captured.amountMinor;
  return { ...payment, refunding, refunded, state: isAll ? 'REFUNDED' : 'PARTIALLY_REFUNDED', version };
};
