// What orders do about what they hear: many at a time, for messages come in batches and one statement for all of a batch
// costs little more than one for each. The decisions are one by one, in the order in which things were heard.
import type { Database, Tx } from '@orderstream/runtime/database';
import type { Message } from '@orderstream/runtime/messages';
import type { HandlerContext, Heard as HeardMessage } from '@orderstream/runtime/subgraph';
import { newTrace } from '@orderstream/runtime/trace';
import { advance, type Checkout, isUnderWay } from './checkout.ts';
import {
  type Entry,
  isAnyOverdue,
  overdue,
  type Place,
  type Standing,
  type Stood,
  saveAll,
  standingsForUpdate,
} from './checkout-store.ts';
import type { Heard } from './hearing.ts';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderDelivered,
  OrderHeld,
  OrderProgressed,
  OrderShipped,
} from './messages.ts';
import { noticesOfRefund, noticesOfStep, type Refunded } from './notice.ts';
import { statusOf } from './order.ts';
import { deadlineMs } from './patience.ts';
import type { Shop } from './service.ts';
import { actorOf, detailOf, isFact } from './timeline.ts';

/** What order-events call the arrival at a step; any other is progress. */
const arrivals: Partial<Record<Checkout['step'], typeof OrderProgressed>> = {
  REVIEW: OrderHeld,
  SHIPPING: OrderConfirmed,
  CAPTURING: OrderShipped,
  DONE: OrderDelivered,
  CANCELLED: OrderCancelled,
};

/** What an order hears, from whom. */
export type News = {
  readonly type: string;
  readonly data: object;
  /** null: no message, but a wish or the clock */
  readonly messageId: string | null;
  readonly actor: string;
};

type Watched = Pick<Shop, 'scale' | 'activity'>;

/** Tells orders, whose rows are locked, what there is to hear, and writes in the end where they stand. */
export const telling = (shop: Watched, standings: Map<string, Standing>, now: Date) => {
  const stood = new Map<string, Stood>();
  const entries: Entry[] = [];
  const ended: Place[] = [];

  const stand = (standing: Standing, entry: Entry, waitMs: number | null | undefined): void => {
    const { orderId } = entry;
    standings.set(orderId, standing);
    // A deadline that was moved by something heard before stays moved.
    stood.set(orderId, { standing, waitMs: waitMs === undefined ? stood.get(orderId)?.waitMs : waitMs });
    entries.push(entry);
  };

  return {
    /** @returns whether it meant anything. The order's version rises with a step; its event and commands are sent. */
    tell: async (tx: Tx, place: Place, { type, data, messageId, actor }: News): Promise<boolean> => {
      const before = standings.get(place.orderId);
      if (!before) return false;
      const next = advance(before.checkout, type as keyof Heard, data as never, { now, scale: shop.scale });
      const seq = before.entries + 1;
      const heard = { ...place, seq, messageId, type, actor };
      if (!next) {
        if (!isFact(type)) return false;
        const to = { step: null, status: before.status };
        const from = { step: null, status: before.status };
        stand(
          { ...before, entries: seq },
          { ...heard, version: null, from, to, reason: detailOf(type, data) },
          undefined,
        );
        return true;
      }
      const { checkout, send, told, keepsClock } = next;
      const version = before.version + 1;
      const status = statusOf(checkout.step, before.status);
      const wait = deadlineMs(checkout);
      stand(
        { checkout, status, statusReason: told ?? before.statusReason, version, entries: seq },
        {
          ...heard,
          version,
          from: { step: before.checkout.step, status: before.status },
          to: { step: checkout.step, status },
          reason: told ?? detailOf(type, data),
        },
        keepsClock ? undefined : wait === null ? null : wait * shop.scale,
      );
      if (isUnderWay(before.checkout) && !isUnderWay(checkout)) ended.push(place);
      const isArrival = before.checkout.step !== checkout.step;
      const event = (isArrival && arrivals[checkout.step]) || OrderProgressed;
      const { orderId, customerId, step, reason } = checkout;
      await tx.send(
        event({ orderId, customerId, status, step, reason }, version),
        ...send.map((message): Message => ({ ...message, version })),
        ...noticesOfStep(before.checkout, checkout),
      );
      return true;
    },
    save: (tx: Tx): void => {
      if (entries.length > 0) saveAll(tx, [...stood.values()], entries, now);
      // Nobody waits for this; should the transaction be begun anew, it is said again.
      for (const place of ended) shop.activity.checkoutEnded(place);
    },
  };
};

type Answer = { readonly orderId: string };

/**
 * Answers from other subgraphs. The row locks make them wait for our own transaction, should they be that fast. What moves
 * nothing may still be worth an entry of the timeline; money that went back is worth telling the customer.
 */
export const advanceSagas =
  (shop: Watched) =>
  async (heard: readonly HeardMessage<Answer>[], { now }: Pick<HandlerContext, 'now'>): Promise<void> => {
    const [first] = heard;
    if (!first) return;
    const placeOf = ({ message: { tenantId, data } }: HeardMessage<Answer>): Place => ({
      tenantId,
      orderId: data.orderId,
    });
    const standings = await standingsForUpdate(first.tx, heard.map(placeOf));
    const told = telling(shop, standings, now);
    for (const one of heard) {
      const { tx, message } = one;
      const { id: messageId, type, data } = message;
      await told.tell(tx, placeOf(one), { type, data, messageId, actor: actorOf(type) });
      const standing = standings.get(data.orderId);
      if (type === 'payment.refund-made' && standing)
        await tx.send(...noticesOfRefund(standing.checkout, data as Refunded));
    }
    told.save(first.tx);
  };

/** Deadlines that have passed are heard like messages. @returns how many checkouts were looked at */
export const passDeadlines = async (
  database: Pick<Database, 'sql' | 'transaction'>,
  shop: Watched,
  now: Date,
): Promise<number> => {
  if (!(await isAnyOverdue(database))) return 0;
  return database.transaction(async (begin) => {
    const origin = { tenantId: '', traceparent: newTrace().traceparent, causationId: null };
    const any = begin(origin);
    const late = await overdue(any, 20);
    if (late.length === 0) return 0;
    const places = late.map(({ order_id: orderId, tenant_id: tenantId }) => ({ tenantId, orderId }));
    const told = telling(shop, await standingsForUpdate(any, places), now);
    for (const place of places) {
      const tx = begin({ ...origin, tenantId: place.tenantId });
      await told.tell(tx, place, { type: 'deadline', data: {}, messageId: null, actor: 'clock' });
    }
    told.save(any);
    return late.length;
  });
};
