// What a customer sees live of an order: its states, its payment, its parcel, and what the shop tells them.
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../operations/client.ts';
import {
  NotificationReceivedDocument,
  type NotificationViewFragment,
  OrderPaymentsDocument,
  OrderUpdatedDocument,
  ParcelMovedDocument,
  type ParcelViewFragment,
  type PaymentStatus,
} from '../operations/generated/graphql.ts';
import type { Scan, Sight } from './verdict.ts';

/** milliseconds until an order has to be at rest */
const patience = 60_000;

/** Told to whoever runs the demo, as it happens. */
export type Tell = {
  readonly step: (what: string, text: string) => void;
  readonly sight: (sight: Sight) => void;
  readonly payment: (status: PaymentStatus, afterMs: number) => void;
  readonly scan: (scan: Scan) => void;
  readonly news: (notification: NotificationViewFragment, afterMs: number) => void;
};

export type Watch = {
  readonly client: Client;
  readonly tell: Tell;
  /** milliseconds since the customer asked for the order */
  readonly elapsed: () => number;
  readonly paid: (status: PaymentStatus) => void;
};

/**
 * Every state that the shop pushes until the order rests, or until patience ends.
 * @param meanwhile is called with each of them, and awaited
 */
export const follow = async (
  { client, tell, elapsed, paid }: Watch,
  id: string,
  meanwhile: (sight: Sight) => Promise<void>,
): Promise<Sight[]> => {
  const sights: Sight[] = [];
  const events = client.watch(OrderUpdatedDocument, { id });
  const stop = new AbortController();
  const tooLong = pause(patience, undefined, { signal: stop.signal }).catch(() => undefined);
  try {
    for (;;) {
      const event = await Promise.race([events.next(), tooLong]);
      if (!event || event.done) return sights;
      const { orderUpdated: order } = event.value;
      const payments = (order.payments ?? []).map(({ status }) => status);
      const { version, status, waitingFor } = order;
      const sight: Sight = { version, status, waitingFor, payments, afterMs: elapsed() };
      sights.push(sight);
      tell.sight(sight);
      for (const status of payments) paid(status);
      if (waitingFor === null) return sights;
      await meanwhile(sight);
    }
  } finally {
    stop.abort();
    await events.return?.();
  }
};

/** A payment that is being asked about changes without the order: it is looked at until the order rests. */
export const watchPayment = async (
  { client, tell, elapsed, paid }: Watch,
  id: string,
  isOver: () => boolean,
) => {
  let last: PaymentStatus | undefined;
  while (!isOver()) {
    const { order } = await client.send(OrderPaymentsDocument, { id });
    for (const { status } of order?.payments ?? []) {
      if (status !== last) tell.payment(status, elapsed());
      last = status;
      paid(status);
    }
    await pause(100);
  }
};

/** Hears everything that is pushed from now on. @returns what ends it, and throws what it broke with */
const listen = <T>(events: AsyncIterableIterator<T>, hear: (event: T) => void): (() => Promise<void>) => {
  const heard = (async () => {
    for await (const event of events) hear(event);
  })();
  // Told when it is ended, and no unhandled rejection until then.
  heard.catch(() => undefined);
  return async () => {
    await events.return?.();
    await heard;
  };
};

export type Listening<T> = { readonly heard: readonly T[]; readonly end: () => Promise<void> };

/** What the shop tells the customer in person. */
export const hearNews = (client: Client, tell: Tell, elapsed: () => number): Listening<string> => {
  const heard: string[] = [];
  const end = listen(client.watch(NotificationReceivedDocument), ({ notificationReceived: news }) => {
    heard.push(news.kind);
    tell.news(news, elapsed());
  });
  return { heard, end };
};

/** Each scan of the carrier as soon as it is shown. */
export const watchParcel = ({ client, tell, elapsed }: Watch, orderId: string): Listening<Scan> => {
  const heard: Scan[] = [];
  /** scans of each parcel that were told */
  const told = new Map<string, number>();
  const look = ({ id, trackingNumber, events }: ParcelViewFragment): void => {
    for (const { status, place } of events.slice(told.get(id) ?? 0)) {
      const scan: Scan = { status, place, trackingNumber, afterMs: elapsed() };
      heard.push(scan);
      tell.scan(scan);
    }
    told.set(id, events.length);
  };
  const events = client.watch(ParcelMovedDocument, { orderId });
  return { heard, end: listen(events, ({ shipmentMoved }) => look(shipmentMoved)) };
};
