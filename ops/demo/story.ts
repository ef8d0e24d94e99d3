// The demo's story as it is told on a terminal, and its result as a line of JSON.
import { format, money } from '@orderstream/runtime/money';
import type { Scenario } from './scenarios.ts';
import type { Seen } from './verdict.ts';
import type { Tell } from './watch.ts';

const say = (text: string): void => console.log(text);

const after = (ms: number): string => `+${(ms / 1000).toFixed(3)} s`.padStart(11);

export const story: Tell = {
  step: (what, text) => say(`  ${what.padEnd(10)} ${text}`),
  sight: ({ afterMs, version, status, waitingFor, payments }) =>
    say(
      `${after(afterMs)}  v${String(version).padEnd(2)} ${status.padEnd(16)} ${[
        waitingFor ? `waits for ${waitingFor}` : 'waits for nothing more',
        ...payments.map((payment) => `payment ${payment}`),
      ].join(', ')}`,
    ),
  payment: (status, afterMs) => say(`${after(afterMs)}      the payment is ${status}`),
  scan: ({ status, place, afterMs }) =>
    say(`${after(afterMs)}      the parcel is ${status}${place ? `, ${place}` : ''}`),
  news: ({ title }, afterMs) => say(`${after(afterMs)}      the customer is told: ${title}`),
};

/** For whoever wants the result only. */
export const silence: Tell = {
  step: () => undefined,
  sight: () => undefined,
  payment: () => undefined,
  scan: () => undefined,
  news: () => undefined,
};

export const summary = ({ order, goods, charges, parcels, news }: Seen): string => {
  const began = Date.parse(order.placedAt);
  const payment = order.payments?.[0];
  const sum = (field: 'amountReceived' | 'amountRefunded'): string =>
    format(money(charges?.reduce((total, charge) => total + charge[field], 0) ?? 0, order.total.currency));
  return [
    `  order      ${order.number}, ${order.status}${order.statusReason ? `: ${order.statusReason}` : ''}`,
    `  total      ${order.total.formatted}, of which ${order.shippingTotal.formatted} shipping and ${order.taxTotal.formatted} tax`,
    payment
      ? `  payment    ${payment.status}, ${payment.authorized.formatted} promised, ${payment.captured.formatted} taken, ${payment.refunded.formatted} given back${
          payment.failureReason ? ` (${payment.failureReason})` : ''
        }`
      : '  payment    none',
    ...(charges
      ? [
          `  provider   asked for ${charges.length === 1 ? 'one payment' : `${charges.length} payments`}, took ${sum('amountReceived')}, gave back ${sum('amountRefunded')}`,
        ]
      : []),
    ...goods.map(({ sku, before, after }) => `  stock      ${sku}: ${before} before, ${after} now`),
    ...parcels.map(
      ({ status, carrier, trackingNumber, events }) =>
        `  parcel     ${status}, ${carrier} ${trackingNumber ?? 'without a label'}, ${events.length} scans`,
    ),
    ...news.list.map(({ title }) => `  told       ${title}`),
    '  timeline',
    ...order.timeline.map(({ seq, version, type, at, to, actor }) =>
      `${after(Date.parse(at) - began)}  ${String(seq).padEnd(3)} ${(version ? `v${version}` : '').padEnd(4)} ${to.padEnd(16)} ${type.padEnd(22)} ${actor}`.trimEnd(),
    ),
  ].join('\n');
};

export const summaryLine = (
  { name }: Scenario,
  { order, sights, paymentStatuses, goods, parcels, scans, news, newsLive, review }: Seen,
  wrong: string[],
): string =>
  JSON.stringify({
    scenario: name,
    isAsExpected: wrong.length === 0,
    differences: wrong,
    orderId: order.id,
    number: order.number,
    status: order.status,
    statusReason: order.statusReason,
    total: { amountMinor: order.total.amountMinor, currency: order.total.currency },
    tax: { amountMinor: order.taxTotal.amountMinor, currency: order.taxTotal.currency },
    payments: order.payments?.map(({ id, status }) => ({ id, status })) ?? [],
    paymentStatuses,
    sights,
    goods,
    refunds: order.refunds?.map(({ status, amount }) => ({ status, amountMinor: amount.amountMinor })) ?? [],
    parcels: parcels.map(({ status, trackingNumber, events }) => ({ status, trackingNumber, events })),
    scans,
    notifications: { kinds: news.list.map(({ kind }) => kind), live: newsLive, unread: news.unread },
    review: review && { state: review.state, score: review.found?.score, factors: review.found?.factors },
    timeline: order.timeline.map(({ seq, version, type, to }) => ({ seq, version, type, to })),
  });
