// Whether what was seen is what should be. Pure; every difference is a sentence.
import { highRisk } from '@orderstream/fraud/messages';
import type {
  NotificationViewFragment,
  OrderStatus,
  OrderViewFragment,
  ParcelViewFragment,
  PaymentStatus,
  ShipmentStatus,
} from '../operations/generated/graphql.ts';
import { checkMoney } from './money-verdict.ts';
import { checkParcel } from './parcel-verdict.ts';
import type { Charge } from './provider.ts';
import type { Scenario } from './scenarios.ts';
import { arrows, differsUnless, isWithin } from './sentences.ts';
import type { Review } from './staff.ts';

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
  /** pieces of it that came back with a refund */
  readonly restocked: number;
  /** units that could be sold, before the order and after all of it; null: not told */
  readonly before: number | null;
  readonly after: number | null;
};

/** A scan of the carrier as a live viewer saw it. */
export type Scan = {
  readonly status: ShipmentStatus;
  readonly place: string | null;
  readonly trackingNumber: string | null;
  readonly afterMs: number;
};

/** What the shop told the customer in person, oldest first. */
export type News = {
  readonly list: readonly NotificationViewFragment[];
  readonly unread: number | null;
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
  readonly parcels: readonly ParcelViewFragment[];
  readonly scans: readonly Scan[];
  readonly news: News;
  /** the kinds that were pushed */
  readonly newsLive: readonly string[];
  /** null where nobody looked at the order */
  readonly review: Review | null;
  /** whether the customer can see how risky they are held to be */
  readonly isScoreShown: boolean;
  /** minor units that staff asked to give back, one after the other */
  readonly refundsAsked: readonly number[];
};

type Expectation = Scenario['expected'];

/** Without repetitions of what was just said. */
const changes = <T>(items: readonly T[]): T[] => items.filter((item, index) => item !== items[index - 1]);

const checkTimeline = ({ order }: Seen, { statuses, mayPass, steps }: Expectation): string[] => {
  const { timeline, version } = order;
  const passed = changes(timeline.map(({ to }) => to).filter((to) => to !== mayPass));
  const versions = timeline.flatMap(({ version: made }) => made ?? []);
  const types = timeline.map(({ type }) => type);
  return [
    ...differsUnless(
      timeline.every(
        ({ seq, from }, index) => seq === index + 1 && from === (timeline[index - 1]?.to ?? null),
      ),
      `The timeline has gaps: ${timeline.map(({ seq, from, to }) => `${seq} ${from ?? 'nothing'} → ${to}`).join(', ')}.`,
    ),
    ...differsUnless(
      versions.length === version && versions.every((made, index) => made === index + 1),
      `The order is at version ${version}, its timeline has the versions ${versions.join(', ')}.`,
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

const checkSights = ({ sights, order }: Seen, { statuses, mayPass }: Expectation): string[] => {
  const live = changes(sights.map(({ status }) => status).filter((status) => status !== mayPass));
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
      .filter(
        ({ version, status }) => order.timeline.find((entry) => entry.version === version)?.to !== status,
      )
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

/** Pieces that should be gone in the end. */
const gone = ({ quantity, restocked }: Good, keepsGoods: boolean): number =>
  keepsGoods ? quantity - restocked : 0;

/** Whether the good's stock moved by what the order keeps of it, and by nothing else. */
export const isSettled = (good: Good, keepsGoods: boolean): boolean =>
  good.before !== null && good.after === good.before - gone(good, keepsGoods);

const checkGoods = ({ goods }: Seen, { keepsGoods }: Expectation): string[] =>
  goods
    .filter((good) => !isSettled(good, keepsGoods))
    .map(
      (good) =>
        `Of ${good.sku} there were ${good.before ?? 'unknown'} and are ${good.after ?? 'unknown'} to be sold; ` +
        `${gone(good, keepsGoods) || 'none'} of them should be gone. (Others may have bought it at the same time.)`,
    );

const checkNews = ({ news, newsLive, order }: Seen, { news: wanted, mayBeTold }: Expectation): string[] => {
  const told = news.list.map(({ kind }) => kind);
  const counted = told.filter((kind) => kind !== mayBeTold);
  return [
    ...differsUnless(
      arrows(counted) === arrows(wanted),
      `The customer was told ${arrows(told)} instead of ${arrows(wanted)}.`,
    ),
    ...differsUnless(
      news.unread === told.length,
      `${news.unread ?? 'Unknown how many'} of ${told.length} notifications are unread; nobody has read one.`,
    ),
    ...differsUnless(
      news.list.every((one) => one.order?.id === order.id),
      'The customer was told something of another order.',
    ),
    ...differsUnless(
      newsLive.length > 0 && isWithin(newsLive, told),
      `Notifications that came live were ${arrows(newsLive)}, the list has ${arrows(told)}.`,
    ),
  ];
};

const checkReview = ({ review, isScoreShown }: Seen, { review: wanted }: Expectation): string[] => {
  const hidden = differsUnless(!isScoreShown, 'The customer can see how risky they are held to be.');
  if (wanted === null) return hidden;
  const found = review?.found;
  if (!found) return [...hidden, 'The order was not in the queue of the reviewer.'];
  const points = found.factors.reduce((sum, { contribution }) => sum + contribution, 0);
  return [
    ...hidden,
    ...differsUnless(
      found.score !== null && found.score > highRisk && found.level === 'HIGH',
      `The order was held with a score of ${found.score ?? 'nothing'}, ${found.level}.`,
    ),
    // The score is a whole number.
    ...differsUnless(
      Math.abs(points - (found.score ?? 0)) <= 0.51,
      `The factors have ${points.toFixed(1)} points together, and the score is ${found.score ?? 'nothing'}.`,
    ),
    ...differsUnless(
      review.state === wanted,
      `The review is ${review.state ?? 'not decided'} instead of ${wanted}.`,
    ),
  ];
};

/** What tells in one sentence that the deed of the scenario came too late; the rest only follows from it. */
const tooLate = ({ order }: Seen, { statuses }: Expectation): string[] => {
  const types = order.timeline.map(({ type }) => type);
  const isCancelled = statuses.at(-1) === 'CANCELLED' && !statuses.includes('SHIPPED');
  return differsUnless(
    !(isCancelled && types.includes('cancel') && types.includes('shipment.handed-over')),
    'The carrier was quicker than the customer: the parcel was handed over before it could be called back. Try again.',
  );
};

/** Every difference as a sentence; none: all was as it should be. */
export const differences = ({ expected }: Pick<Scenario, 'expected'>, seen: Seen): string[] => [
  ...tooLate(seen, expected),
  ...checkSights(seen, expected),
  ...checkTimeline(seen, expected),
  ...checkOrder(seen, expected),
  ...checkMoney(seen, expected.payment),
  ...checkGoods(seen, expected),
  ...checkParcel(seen, expected),
  ...checkNews(seen, expected),
  ...checkReview(seen, expected),
];
