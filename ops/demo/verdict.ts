// Whether what was seen is what should be. Pure; every difference is a sentence.
import type { OrderStatus, OrderViewFragment, PaymentStatus } from '../operations/generated/graphql.ts';
import type { Charge } from './provider.ts';
import type { ExpectedPayment, Scenario } from './scenarios.ts';

/** The order as a live viewer saw it once. */
export type Sight = {
  readonly version: number;
  readonly status: OrderStatus;
  readonly waitingFor: string | null;
  readonly payments: readonly PaymentStatus[];
  /** milliseconds since the customer asked for the order */
  readonly afterMs: number;
};

export type Good = {
  readonly sku: string;
  readonly quantity: number;
  /** units that could be sold, before the order and after it had come to rest; null: not told */
  readonly before: number | null;
  readonly after: number | null;
};

export type Seen = {
  readonly email: string;
  readonly sights: readonly Sight[];
  /** every status of its payment in the order in which they showed */
  readonly paymentStatuses: readonly PaymentStatus[];
  /** as it is told in the end */
  readonly order: OrderViewFragment;
  readonly goods: readonly Good[];
  /** null where the provider is not ours to ask */
  readonly charges: readonly Charge[] | null;
};

type Expectation = Scenario['expected'];

/** Without repetitions of what was just said. */
const changes = <T>(items: readonly T[]): T[] => items.filter((item, index) => item !== items[index - 1]);

/** Whether all parts stand in the whole in this order; others may stand between them. */
const isWithin = <T>(parts: readonly T[], whole: readonly T[]): boolean => {
  let next = 0;
  for (const item of whole) if (item === parts[next]) next += 1;
  return next === parts.length;
};

const arrows = (items: readonly string[]): string => items.join(' → ') || 'nothing';

const differsUnless = (isSo: boolean, difference: string): string[] => (isSo ? [] : [difference]);

const checkTimeline = ({ order }: Seen, { statuses, steps }: Expectation): string[] => {
  const { timeline, version } = order;
  const passed = changes(timeline.map(({ to }) => to));
  const types = timeline.map(({ type }) => type);
  return [
    ...differsUnless(
      timeline.every(
        ({ seq, from }, index) => seq === index + 1 && from === (timeline[index - 1]?.to ?? null),
      ),
      `The timeline has gaps: ${timeline.map(({ seq, from, to }) => `${seq} ${from ?? 'nothing'} → ${to}`).join(', ')}.`,
    ),
    ...differsUnless(
      timeline.length === version,
      `The order is at version ${version}, its timeline has ${timeline.length} entries.`,
    ),
    ...differsUnless(
      arrows(passed) === arrows(statuses),
      `The order went ${arrows(passed)} instead of ${arrows(statuses)}.`,
    ),
    ...differsUnless(
      isWithin(steps, types),
      `The timeline reads ${arrows(types)}, without ${arrows(steps)} in this order.`,
    ),
  ];
};

const checkSights = ({ sights, order }: Seen, { statuses }: Expectation): string[] => {
  const live = changes(sights.map(({ status }) => status));
  const versions = sights.map(({ version }) => version);
  const last = sights.at(-1);
  return [
    ...differsUnless(
      versions.every((version, index) => index === 0 || version > versions[index - 1]!),
      `Versions came as ${versions.join(', ')}, and should only rise.`,
    ),
    ...differsUnless(
      live.at(-1) === statuses.at(-1) && isWithin(live, statuses),
      `Seen live was ${arrows(live)}, which is no way along ${arrows(statuses)} to its end.`,
    ),
    ...sights
      .filter(({ version, status }) => order.timeline.find(({ seq }) => seq === version)?.to !== status)
      .map(({ version, status }) => `Version ${version} was ${status} live, and is not in the timeline.`),
    ...differsUnless(
      last !== undefined && last.waitingFor === null && last.version === order.version,
      last
        ? `It has not come to rest: version ${last.version} of ${order.version}, ${last.status}, waits for ${last.waitingFor ?? 'nothing'}.`
        : 'Nothing was seen live.',
    ),
  ];
};

const checkOrder = ({ order, email }: Seen, { reason, statuses }: Expectation): string[] => {
  const { subtotal, discountTotal, shippingTotal, taxTotal, total, lines } = order;
  const ofLines = lines.reduce((sum, { lineTotal }) => sum + lineTotal.amountMinor, 0);
  const told = order.statusReason;
  return [
    ...differsUnless(
      order.status === statuses.at(-1),
      `The order is ${order.status} instead of ${statuses.at(-1)}.`,
    ),
    ...differsUnless(
      reason ? reason.test(told ?? '') : told === null,
      `The customer is told "${told ?? 'nothing'}" instead of ${reason ?? 'nothing'}.`,
    ),
    ...differsUnless(
      order.customer?.email === email,
      `The order names ${order.customer?.email ?? 'nobody'} as its customer.`,
    ),
    ...differsUnless(
      ofLines === subtotal.amountMinor &&
        subtotal.amountMinor - discountTotal.amountMinor + shippingTotal.amountMinor === total.amountMinor,
      `The sums do not add up: lines ${ofLines}, subtotal ${subtotal.amountMinor}, discount ${discountTotal.amountMinor}, shipping ${shippingTotal.amountMinor}, total ${total.amountMinor}.`,
    ),
    // 20 % contained is a sixth; it is rounded once for each line and once for shipping.
    ...differsUnless(
      Math.abs(taxTotal.amountMinor - total.amountMinor / 6) <= (lines.length + 1) / 2,
      `The tax is ${taxTotal.formatted}, which is not 20 % contained in ${total.formatted}.`,
    ),
  ];
};

const checkPayment = ({ order, paymentStatuses }: Seen, expected: ExpectedPayment | null): string[] => {
  const payments = order.payments ?? [];
  const [payment] = payments;
  if (!expected || !payment || payments.length > 1)
    return differsUnless(
      payments.length === (expected ? 1 : 0),
      `There are ${payments.length} payments instead of ${expected ? 'one' : 'none'}.`,
    );
  const authorizations = payment.events.filter(({ type }) => type.startsWith('authorized')).length;
  const held = expected.holdsMoney ? order.total.amountMinor : 0;
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
      payment.authorized.amountMinor === held,
      `${payment.authorized.formatted} are authorized for an order of ${order.total.formatted}.`,
    ),
    ...differsUnless(
      payment.captured.amountMinor === 0 && payment.refunded.amountMinor === 0,
      `${payment.captured.formatted} were taken and ${payment.refunded.formatted} given back; nothing should have moved.`,
    ),
    ...differsUnless(
      expected.failure ? expected.failure.test(payment.failureReason ?? '') : payment.failureReason === null,
      `The payment says "${payment.failureReason ?? 'nothing'}" of its failure instead of ${expected.failure ?? 'nothing'}.`,
    ),
  ];
};

const checkCharges = ({ charges, order }: Seen, expected: ExpectedPayment | null): string[] => {
  if (!charges) return [];
  const held = charges.reduce((sum, { amountCapturable }) => sum + amountCapturable, 0);
  const wanted = expected?.holdsMoney ? order.total.amountMinor : 0;
  return [
    ...differsUnless(
      charges.length === (expected ? 1 : 0),
      `The provider was asked for ${charges.length} payments instead of ${expected ? 'one' : 'none'}.`,
    ),
    ...differsUnless(held === wanted, `The provider holds ${held} in minor units instead of ${wanted}.`),
  ];
};

/** Whether the good's stock moved by what the order keeps of it, and by nothing else. */
export const isSettled = ({ before, after, quantity }: Good, keepsGoods: boolean): boolean =>
  before !== null && after === before - (keepsGoods ? quantity : 0);

const checkGoods = ({ goods }: Seen, { keepsGoods }: Expectation): string[] =>
  goods
    .filter((good) => !isSettled(good, keepsGoods))
    .map(
      ({ sku, before, after, quantity }) =>
        `Of ${sku} there were ${before ?? 'unknown'} and are ${after ?? 'unknown'} to be sold; ` +
        `${keepsGoods ? quantity : 'none'} of them should be gone. (Others may have bought it at the same time.)`,
    );

/** Every difference as a sentence; none: all was as it should be. */
export const differences = ({ expected }: Pick<Scenario, 'expected'>, seen: Seen): string[] => [
  ...checkSights(seen, expected),
  ...checkTimeline(seen, expected),
  ...checkOrder(seen, expected),
  ...checkPayment(seen, expected.payment),
  ...checkCharges(seen, expected.payment),
  ...checkGoods(seen, expected),
];
