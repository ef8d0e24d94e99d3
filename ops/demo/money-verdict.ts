// Whether the money moved as it should, by the shop's word and by the provider's book. Pure.
import type { ExpectedPayment } from './scenarios.ts';
import { arrows, differsUnless } from './sentences.ts';
import type { Seen } from './verdict.ts';

/** Minor units that should have reached the customer again. */
const backOf = ({ order, refundsAsked }: Seen, expected: ExpectedPayment | null): number => {
  if (!expected || expected.back === 'nothing') return 0;
  return expected.back === 'all'
    ? order.total.amountMinor
    : refundsAsked.reduce((sum, amount) => sum + amount, 0);
};

const takenOf = ({ order }: Seen, expected: ExpectedPayment | null): number =>
  expected?.isTaken ? order.total.amountMinor : 0;

const checkRefunds = ({ order, refundsAsked }: Seen, expected: ExpectedPayment): string[] => {
  const refunds = order.refunds ?? [];
  const count = { nothing: 0, all: 1, 'what was asked for': refundsAsked.length }[expected.back];
  return [
    ...differsUnless(
      expected.back !== 'what was asked for' || count > 0,
      'Nobody got as far as asking for a refund.',
    ),
    ...differsUnless(
      refunds.length === count && refunds.every(({ status }) => status === 'SUCCEEDED'),
      `The refunds are ${refunds.map(({ status, amount }) => `${amount.formatted} ${status}`).join(', ') || 'none'}; there should be ${count || 'none'}${count ? ' that succeeded' : ''}.`,
    ),
  ];
};

const checkPayment = (seen: Seen, expected: ExpectedPayment | null): string[] => {
  const { order, paymentStatuses } = seen;
  const payments = order.payments ?? [];
  const [payment] = payments;
  if (!expected || !payment || payments.length > 1)
    return differsUnless(
      payments.length === (expected ? 1 : 0),
      `There are ${payments.length} payments instead of ${expected ? 'one' : 'none'}.`,
    );
  const times = (isOne: (type: string) => boolean): number =>
    payment.events.filter(({ type }) => isOne(type)).length;
  const authorizations = times((type) => type.startsWith('authorized'));
  const captures = times((type) => type === 'captured');
  const taken = takenOf(seen, expected);
  const back = backOf(seen, expected);
  const missed = expected.through.filter((status) => !paymentStatuses.includes(status));
  return [
    ...differsUnless(
      payment.status === expected.status,
      `The payment is ${payment.status} instead of ${expected.status}.`,
    ),
    ...differsUnless(
      missed.length === 0,
      `The payment was seen as ${arrows(paymentStatuses)}, and never ${missed.join(' or ')}.`,
    ),
    ...differsUnless(
      authorizations === expected.authorizations,
      `The money was authorized ${authorizations} times instead of ${expected.authorizations}.`,
    ),
    ...differsUnless(
      payment.authorized.amountMinor === taken,
      `${payment.authorized.formatted} are authorized for an order of ${order.total.formatted}.`,
    ),
    ...differsUnless(
      captures === (expected.isTaken ? 1 : 0),
      `The money was taken ${captures} times instead of ${expected.isTaken ? 'once' : 'never'}.`,
    ),
    ...differsUnless(
      payment.captured.amountMinor === taken && payment.refunded.amountMinor === back,
      `${payment.captured.formatted} were taken and ${payment.refunded.formatted} given back, instead of ${taken} and ${back} in minor units.`,
    ),
    ...differsUnless(
      (order.balance?.amountMinor ?? null) === taken - back,
      `The shop says that it holds ${order.balance?.formatted ?? 'nothing known'} for the order.`,
    ),
    ...differsUnless(
      expected.failure ? expected.failure.test(payment.failureReason ?? '') : payment.failureReason === null,
      `The payment says "${payment.failureReason ?? 'nothing'}" of its failure instead of ${expected.failure ?? 'nothing'}.`,
    ),
    ...checkRefunds(seen, expected),
  ];
};

const checkCharges = (seen: Seen, expected: ExpectedPayment | null): string[] => {
  const { charges } = seen;
  if (!charges) return [];
  const sum = (field: 'amountCapturable' | 'amountReceived' | 'amountRefunded'): number =>
    charges.reduce((total, charge) => total + charge[field], 0);
  const [held, received, refunded] = [sum('amountCapturable'), sum('amountReceived'), sum('amountRefunded')];
  const [taken, back] = [takenOf(seen, expected), backOf(seen, expected)];
  return [
    ...differsUnless(
      charges.length === (expected ? 1 : 0),
      `The provider was asked for ${charges.length} payments instead of ${expected ? 'one' : 'none'}.`,
    ),
    ...differsUnless(held === 0, `The provider still holds ${held} in minor units.`),
    ...differsUnless(received === taken, `The provider took ${received} in minor units instead of ${taken}.`),
    ...differsUnless(
      refunded === back,
      `The provider gave back ${refunded} in minor units instead of ${back}.`,
    ),
  ];
};

export const checkMoney = (seen: Seen, expected: ExpectedPayment | null): string[] => [
  ...checkPayment(seen, expected),
  ...checkCharges(seen, expected),
];
