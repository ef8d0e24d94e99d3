// Messages: all that were written have left, and all that were sent have been heard.
import type { Invariant, Look } from './invariant.ts';
import { seenIn } from './invariant.ts';

const unheard = async ({ rows }: Look): Promise<string[]> => {
  const orders = await rows<{ id: string; asked: boolean }>(
    'orders',
    `select order_id as id, bool_or(to_step in ('AUTHORIZING', 'VOIDING')) as asked
     from order_event join saga using (order_id) group by 1`,
  );
  const reservations = await rows<{ id: string }>('inventory', 'select order_id as id from reservation');
  const payments = await rows<{ id: string }>(
    'payments',
    'select order_id as id from payment union all select order_id from voided_order',
  );
  const atInventory = new Set(reservations.map(({ id }) => id));
  const atPayments = new Set(payments.map(({ id }) => id));
  return orders.flatMap(({ id, asked }) => [
    ...(atInventory.has(id) ? [] : [`inventory has not heard of order ${id}`]),
    ...(!asked || atPayments.has(id) ? [] : [`payments have not heard of order ${id}`]),
  ]);
};

/** The same question to every database. */
const everywhere = async (
  { rows, subgraphs }: Look,
  tell: (subgraph: string, count: number) => string,
  from: string,
): Promise<string[]> => {
  const counts = await Promise.all(
    subgraphs.map(async (subgraph) => {
      const [row] = await rows<{ count: number }>(subgraph, `select count(*)::int as count from ${from}`);
      return row!.count > 0 ? [tell(subgraph, row!.count)] : [];
    }),
  );
  return counts.flat();
};

export const ofMessages: readonly Invariant[] = [
  {
    name: 'I11 everything that was said has left',
    holds: 'quiet',
    broken: (look) => everywhere(look, (who, n) => `${who} has ${n} unsent`, 'plumbing.outbox'),
  },
  {
    name: 'I11 nothing had to be put aside',
    holds: 'quiet',
    broken: async (look) => [
      ...(await everywhere(look, (who, n) => `${who} has parked ${n} keys`, 'plumbing.parked_key')),
      ...(await everywhere(look, (who, n) => `${who} has parked ${n} messages`, 'plumbing.parked_message')),
    ],
  },
  { name: 'I11 every order has been heard of', holds: 'quiet', broken: unheard },
  seenIn(
    'orders',
    'always',
    'I11 what moved an order stands in the inbox',
    `select format('order %s, event %s: message %s', order_id, seq, message_id) as what from order_event e
     where message_id is not null and not exists (select from plumbing.inbox where message_id = e.message_id)`,
  ),
  seenIn(
    'orders',
    'quiet',
    'I20 no deadline has been forgotten',
    `select format('order %s was due at %s', order_id, deadline_at) as what
     from saga where deadline_at < now() - interval '10 seconds'`,
  ),
  seenIn(
    'payments',
    'quiet',
    'I20 no errand is left',
    `select format('order %s: %s', order_id, lower(wanted)) as what from payment where wanted is not null
     union all
     select format('refund %s is %s', id, state) from refund where state in ('REQUESTED', 'PENDING')
     union all
     select format('event %s is unread', event_id) from webhook_event where processed_at is null`,
  ),
];
