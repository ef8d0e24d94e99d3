// Money on its way back. An amount is reserved on the payment when it is asked for and settled by the provider's word.
import { isMore, type Money, minus, plus, sum, times } from '@orderstream/runtime/money';
import { type InputProblem, type InvalidInput, invalidInput, problemOf } from '@orderstream/runtime/text';
import { isCaptured, type Payment, refundable } from './payment.ts';

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

/** Pieces of one order line whose money goes back. */
export type RefundLine = {
  readonly orderLineId: string;
  readonly variantId: string;
  readonly quantity: number;
  readonly amount: Money;
  /** whether the pieces can be sold again */
  readonly restock: boolean;
};

/** An order line as it was paid for, and how much of it is back or on its way back. */
export type PaidLine = {
  readonly orderLineId: string;
  readonly variantId: string;
  readonly quantity: number;
  readonly unitPrice: Money;
  readonly refundingQuantity: number;
  readonly refundedQuantity: number;
};

/** The payments' part of an order line. */
export type OfOrderLine = { readonly id: string };

/** A refund as the provider shows it. */
export type SeenRefund = {
  readonly id: string;
  /** ours, where we asked for it; somebody may also have refunded in the provider's own console */
  readonly refundId: string | null;
  readonly amount: Money;
  readonly state: 'PENDING' | 'SUCCEEDED' | 'FAILED';
};

export type WantedLine = Pick<RefundLine, 'orderLineId' | 'quantity' | 'restock'>;

/** What staff want to give back: pieces of lines, or an amount out of goodwill. */
export type Wish = {
  readonly lines: readonly WantedLine[] | null;
  readonly amount: Money | null;
  readonly reason: string | null;
};

export type RefundRefusal = { readonly error: 'RefundExceedsBalance'; readonly refundable: Money };

export type RestRefusal =
  | InvalidInput
  | (RefundRefusal & { readonly message: string; readonly path: string[] });

export type WishRefusal =
  | RestRefusal
  | {
      readonly error: 'RefundExceedsQuantity';
      readonly message: string;
      readonly path: string[];
      readonly orderLineId: string;
      readonly refundableQuantity: number;
    };

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

/** refunds of one payment, the failed ones too: each is a line in somebody's list */
export const mostRefunds = 100;

/** orders of one bulk refund */
export const mostOrders = 100;

const pathOf = (index: number, field: string): string[] => ['input', 'lines', `${index}`, field];

const problem = (path: string[], message: string): InputProblem => ({ path, message });

const problemsOfLines = (lines: readonly WantedLine[]): InputProblem[] => {
  if (lines.length < 1 || lines.length > 100)
    return [problem(['input', 'lines'], 'There are 1 to 100 lines in a refund.')];
  const seen = new Set<string>();
  return lines.flatMap(({ orderLineId, quantity }, index) => {
    const isDoubled = seen.has(orderLineId);
    seen.add(orderLineId);
    return [
      ...(isDoubled ? [problem(pathOf(index, 'orderLineId'), 'This line is named twice.')] : []),
      ...(quantity < 1 ? [problem(pathOf(index, 'quantity'), 'At least one piece is refunded.')] : []),
    ];
  });
};

/** What is wrong with why money goes back, as a sentence; null where nothing is. */
export const reasonProblem = (reason: string | null): string | null =>
  reason === null ? null : problemOf(reason, { name: 'The reason', least: 0, most: 200 });

/** What is wrong with a wish whatever was paid. */
export const problemsOf = ({ lines, amount, reason }: Wish): InputProblem[] => {
  const tooLong = reasonProblem(reason);
  return [
    ...((lines === null) === (amount === null)
      ? [problem(['input'], 'A refund is either of lines or of an amount.')]
      : []),
    ...(lines ? problemsOfLines(lines) : []),
    ...(amount && amount.amountMinor < 1
      ? [problem(['input', 'amount', 'amountMinor'], 'An amount above 0 is refunded.')]
      : []),
    ...(tooLong ? [problem(['input', 'reason'], tooLong)] : []),
  ];
};

const takeLines = (
  lines: readonly WantedLine[],
  paid: readonly PaidLine[],
): readonly RefundLine[] | WishRefusal => {
  const byId = new Map(paid.map((line) => [line.orderLineId, line]));
  const unknown = lines.flatMap(({ orderLineId }, index) =>
    byId.has(orderLineId) ? [] : [problem(pathOf(index, 'orderLineId'), 'The order has no such line.')],
  );
  if (unknown.length > 0) return invalidInput(unknown);
  const taken: RefundLine[] = [];
  for (const [index, wanted] of lines.entries()) {
    const line = byId.get(wanted.orderLineId)!;
    const left = line.quantity - line.refundingQuantity - line.refundedQuantity;
    if (wanted.quantity > left)
      return {
        error: 'RefundExceedsQuantity',
        message:
          left > 0 ? `Only ${left} of this line can still be refunded.` : 'All of this line is refunded.',
        path: pathOf(index, 'quantity'),
        orderLineId: line.orderLineId,
        refundableQuantity: left,
      };
    taken.push({ ...wanted, variantId: line.variantId, amount: times(line.unitPrice, wanted.quantity) });
  }
  return taken;
};

const notTakenHere = (path: string[]): InvalidInput =>
  invalidInput([problem(path, 'The money was not taken here.')]);

/**
 * All of a payment that can still go back. The row is locked by the caller.
 * @param path where the input names the order
 */
export const weighRest = (payment: Payment, path: string[]): { readonly amount: Money } | RestRefusal => {
  if (payment.provider === 'import') return notTakenHere(path);
  const amount = refundable(payment);
  if (amount.amountMinor > 0) return { amount };
  const message = isCaptured(payment)
    ? 'All of it is back or on its way back.'
    : 'The money has not been taken.';
  return { error: 'RefundExceedsBalance', message, path, refundable: amount };
};

/**
 * What a wish amounts to: for lines, their prices as they were paid. The rows are locked by the caller.
 * @param paid the lines of the payment
 */
export const weigh = (
  wish: Wish,
  payment: Payment,
  paid: readonly PaidLine[],
): { readonly amount: Money; readonly lines: readonly RefundLine[] } | WishRefusal => {
  const { currency } = payment.amount;
  if (payment.provider === 'import') return notTakenHere(['input', 'orderId']);
  if (wish.amount && wish.amount.currency !== currency)
    return invalidInput([problem(['input', 'amount', 'currency'], `The order was paid in ${currency}.`)]);
  const lines = takeLines(wish.lines ?? [], paid);
  if ('error' in lines) return lines;
  const amount =
    wish.amount ??
    sum(
      lines.map((line) => line.amount),
      currency,
    );
  if (amount.amountMinor === 0)
    return invalidInput([problem(['input', 'lines'], 'Nothing was paid for these lines.')]);
  const left = refundable(payment);
  if (!isMore(amount, left)) return { amount, lines };
  const path = ['input', wish.amount ? 'amount' : 'lines'];
  return { error: 'RefundExceedsBalance', message: 'This is more than can go back.', path, refundable: left };
};
