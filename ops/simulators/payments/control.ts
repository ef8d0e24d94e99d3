import { type Book, newId } from './book.ts';
import type { Call, Reply } from './call.ts';
import { charge, decline } from './confirmation.ts';
import { ApiError } from './errors.ts';
import { type EventRow, eventOf } from './events.ts';
import type { Faults } from './faults.ts';
import { type IntentRow, intentOf, showIntent } from './intent-rows.ts';
import { capture } from './payment-intents.ts';
import { methodOf } from './payment-methods.ts';
import { type RefundRow, settleRefund } from './refunds.ts';
import { applySwitches, badControl, isJson, type Json } from './switches.ts';
import { AUTHENTICATION_REQUIRED } from './test-cards.ts';
import type { Courier } from './webhooks.ts';

/** The back door: what a tester does to the provider, and what a test compares its own book with. */
export type ControlRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
};

type Back = {
  readonly book: Book;
  readonly faults: Faults;
  readonly courier: Courier;
  readonly notifies: Call['notifies'];
};

const wholeNumber = (value: unknown, name: string, usual: number, most: number): number => {
  const number = value === undefined || value === null ? usual : Number(value);
  if (!Number.isInteger(number) || number < 0 || number > most) {
    throw badControl(`${name} must be a whole number from 0 to ${most}`);
  }
  return number;
};

const bookPage = ({ book }: Back, query: URLSearchParams): Reply => {
  const since = wholeNumber(query.get('since'), 'since', 0, Number.MAX_SAFE_INTEGER);
  const limit = Math.max(1, wholeNumber(query.get('limit'), 'limit', 500, 1000));
  const rows = book.all<IntentRow>(
    'select * from payment_intent where revision > ? order by revision limit ?',
    since,
    limit,
  );
  const intents = rows.map((row) => ({
    id: row.id,
    orderId: row.order_id,
    status: row.status,
    amount: row.amount,
    currency: row.currency,
    amountReceived: row.amount_received,
    amountCapturable: row.amount_capturable,
    amountRefunded: row.amount_refunded,
    metadata: JSON.parse(row.metadata),
    revision: row.revision,
    refunds: book
      .all<RefundRow>('select * from refund where payment_intent = ? order by seq', row.id)
      .map(({ id, amount, status, reason, metadata }) => ({
        id,
        amount,
        status,
        reason,
        metadata: JSON.parse(metadata),
      })),
  }));
  return {
    status: 200,
    body: { intents, next: rows.at(-1)?.revision ?? since, hasMore: rows.length === limit },
  };
};

const release = ({ book }: Back, { orderId = null }: Json): Reply => {
  if (orderId !== null && typeof orderId !== 'string') throw badControl('orderId must be a text');
  const released = book.run(
    `update delivery set held = 0, due_at = ? where held = 1
       and (? is null or event in (select seq from event where order_id = ?))`,
    Date.now(),
    orderId,
    orderId,
  );
  return { status: 200, body: { released } };
};

/** Everything that was told of a payment, oldest first. */
const eventsAbout = ({ book }: Back, intent: string): Reply => ({
  status: 200,
  body: {
    events: book
      .all<EventRow>('select * from event where payment_intent = ? order by seq', intent)
      .map(({ body }) => JSON.parse(body)),
  },
});

const deliver = async ({ book, courier }: Back, id: string, body: Json): Promise<Reply> => {
  const event = eventOf({ book }, id);
  const statuses = await courier.deliver(event.body, wholeNumber(body.times, 'times', 1, 50), {
    badSignature: body.badSignature === true,
    ageSeconds: wholeNumber(body.ageSeconds, 'ageSeconds', 0, 86_400 * 30),
  });
  return { status: 200, body: { statuses } };
};

/** Changes made here go the same way as a caller's: one transaction, with their events. */
const behindTheBack = ({ book, faults, notifies }: Back, id: string, work: (call: Call) => Reply): Reply =>
  book.transaction(() =>
    work({
      book,
      faults,
      params: {},
      id,
      idempotencyKey: null,
      requestId: newId('req_', 14),
      now: Date.now(),
      notifies,
    }),
  );

const captureAnyway = (call: Call, body: Json): Reply => {
  const intent = intentOf(call, call.id);
  const amount = wholeNumber(body.amount, 'amount', intent.amount_capturable, intent.amount) || intent.amount;
  return { status: 200, body: showIntent(call, capture(call, intent, amount)) };
};

const prove = (call: Call, body: Json): Reply => {
  const intent = intentOf(call, call.id);
  if (intent.status !== 'requires_action' || intent.payment_method === null) {
    throw badControl(`The payment is ${intent.status}; nobody has to prove anything.`);
  }
  const method = methodOf(call, intent.payment_method);
  return body.succeeds === false
    ? decline(call, intent, method, AUTHENTICATION_REQUIRED)
    : charge(call, intent, method, { absent: false, proven: true });
};

const settle = (call: Call, { status }: Json): Reply => {
  if (status !== 'succeeded' && status !== 'failed') throw badControl('status must be succeeded or failed');
  return settleRefund(call, status);
};

const answer = async (back: Back, { method, path, query, body: given }: ControlRequest): Promise<Reply> => {
  const body = given ?? {};
  if (!isJson(body)) throw badControl('The body must be a JSON object.');
  const [, , what = '', id = '', verb = ''] = path.split('/');
  switch (`${method} ${id && verb ? `${what}/:id/${verb}` : what}`) {
    case 'GET faults':
      return { status: 200, body: { faults: back.faults.list() } };
    case 'POST faults':
      back.book.transaction(() => applySwitches(back.faults, body));
      return { status: 200, body: { faults: back.faults.list() } };
    case 'GET book':
      return bookPage(back, query);
    case 'POST release':
      return release(back, body);
    case 'GET payment_intents/:id/events':
      return eventsAbout(back, id);
    case 'POST events/:id/deliver':
      return deliver(back, id, body);
    case 'POST payment_intents/:id/capture':
      return behindTheBack(back, id, (call) => captureAnyway(call, body));
    case 'POST payment_intents/:id/authenticate':
      return behindTheBack(back, id, (call) => prove(call, body));
    case 'POST refunds/:id/settle':
      return behindTheBack(back, id, (call) => settle(call, body));
    default:
      throw new ApiError(404, { type: 'invalid_request_error', message: 'There is no such control.' });
  }
};

export const controlOf =
  (back: Back) =>
  async (request: ControlRequest): Promise<Reply> => {
    const reply = await answer(back, request);
    back.courier.wake();
    return reply;
  };
