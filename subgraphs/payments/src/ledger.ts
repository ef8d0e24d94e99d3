// The shop's side of the book: double entry, debits positive, credits negative, each movement adds up to nothing.
//
// An authorization moves no money and is not booked. A capture is the sale and its payment at once: the customer owes
// (receivable) for the goods (revenue), and the provider owes us instead (clearing) what the customer paid. A refund
// is the same way back, with the loss in an account of its own, so that revenue stays what was sold. Tax and fees are
// parts of revenue and clearing until they are known here.
import { type Money, minus, zero } from '@orderstream/runtime/money';

export type Account = 'customer_receivable' | 'provider_clearing' | 'revenue' | 'refunds';

export type Entry = { readonly account: Account; readonly amount: Money };

const transfer = (to: Account, from: Account, amount: Money): Entry[] => [
  { account: to, amount },
  { account: from, amount: minus(zero(amount.currency), amount) },
];

export const captureEntries = (amount: Money): Entry[] => [
  ...transfer('customer_receivable', 'revenue', amount),
  ...transfer('provider_clearing', 'customer_receivable', amount),
];

export const refundEntries = (amount: Money): Entry[] => [
  ...transfer('refunds', 'customer_receivable', amount),
  ...transfer('customer_receivable', 'provider_clearing', amount),
];
