import type Stripe from 'stripe';
import { newId } from './book.ts';
import { type Call, type Reply, seconds } from './call.ts';
import { resourceMissing } from './errors.ts';
import type { IntentRow } from './intent-rows.ts';
import { listed } from './lists.ts';
import { text } from './parameters.ts';

/** The API version whose shapes are answered: the one stripe 23.1.0 is pinned to. */
export const API_VERSION = '2026-10-28.endive';

/** How long a reordered event waits for a later one to overtake it, in milliseconds. */
const OVERTAKING_TIME = 1500;

export type EventRow = {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly payment_intent: string;
  readonly order_id: string | null;
  readonly body: string;
  readonly created: number;
};

/** Promises deliveries of one event, bent by whichever webhook switches are on. */
const promiseDelivery = (call: Call, event: number, intent: IntentRow): void => {
  const { book, faults } = call;
  const occasion = { orderId: intent.order_id };
  const delay = faults.take('webhooks.delayMs', occasion)?.value ?? 0;
  const held = faults.take('webhooks.hold', occasion) ? 1 : 0;
  const copies = 1 + (faults.take('webhooks.duplicate', occasion)?.value ?? 0);
  const due = call.now + delay;
  const waiting = book.run(
    'update delivery set due_at = ?, swapped = 0 where payment_intent = ? and swapped = 1 and due_at is not null',
    due + 1,
    intent.id,
  );
  const waits = waiting === 0 && faults.take('webhooks.reorder', occasion) !== undefined;
  for (let copy = 0; copy < copies; copy += 1) {
    book.run(
      `insert into delivery (event, payment_intent, due_at, held, swapped, promised_at)
       values (?, ?, ?, ?, ?, ?)`,
      event,
      intent.id,
      waits ? due + OVERTAKING_TIME : due,
      held,
      waits ? 1 : 0,
      call.now,
    );
  }
};

/** Records what happened, as it looked at that moment, in the transaction that made it happen. */
export const emit = (
  call: Call,
  type: Stripe.Event['type'],
  object: Stripe.PaymentIntent | Stripe.Charge | Stripe.Refund,
  intent: IntentRow,
): void => {
  const id = newId('evt_3');
  const body = {
    id,
    object: 'event',
    api_version: API_VERSION,
    created: seconds(call),
    data: { object },
    livemode: false,
    pending_webhooks: call.notifies(type) ? 1 : 0,
    request: { id: call.requestId, idempotency_key: call.idempotencyKey },
    type,
  };
  const row = call.book.get<{ seq: number }>(
    `insert into event (id, type, payment_intent, order_id, body, created)
     values (?, ?, ?, ?, ?, ?) returning seq`,
    id,
    type,
    intent.id,
    intent.order_id,
    JSON.stringify(body),
    seconds(call),
  );
  if (row && call.notifies(type)) promiseDelivery(call, row.seq, intent);
};

export const eventOf = (call: Pick<Call, 'book'>, id: string): EventRow => {
  const row = call.book.get<EventRow>('select * from event where id = ?', id);
  if (!row) throw resourceMissing('event', id, 'id');
  return row;
};

export const retrieveEvent = (call: Call): Reply => ({
  status: 200,
  body: JSON.parse(eventOf(call, call.id).body),
});

export const listEvents = (call: Call): Reply => {
  const type = text(call.params, 'type');
  return listed<EventRow>(call, {
    table: 'event',
    url: '/v1/events',
    allowed: ['type'],
    filters: type === null ? {} : { type },
    show: (row) => JSON.parse(row.body),
  });
};
