// Orders: each comes to an end, has the goods it should have, and every step it took was allowed.
import { type Checkout, type Moment, moves, type Step, steps } from '@orderstream/orders/rules';
import { type Invariant, type Look, seenIn } from './invariant.ts';

/** An order that waits for nobody: delivered, cancelled, or known to need somebody of the shop. */
export const isSettled = `(step in ('DONE', 'CANCELLED') or needs_operator)`;

const anId = '01900000-0000-7000-8000-000000000000';
const anyCheckout: Checkout = {
  orderId: anId,
  customerId: anId,
  number: 'N-2026-0000001',
  step: 'RESERVING',
  pending: null,
  review: 'NONE',
  needsOperator: false,
  attempts: 0,
  total: { amountMinor: 1, currency: 'GBP' },
  lines: [],
  paymentMethodId: anId,
  holdUntil: new Date(0),
  origin: { warehouseId: anId, name: '', latitude: 0, longitude: 0 },
  parcel: 1,
  addressHash: '',
  deviceHash: null,
  clientHash: null,
  reason: null,
};
const moment: Moment = { now: new Date(0), scale: 1 };
const bodies = [0, 100].map((score) => ({ skus: [], reason: '', score, origin: anyCheckout.origin }));

/** What the table's answers depend on besides the step. */
const kinds: readonly Checkout[] = (
  [null, 'CANCEL', 'REVIEW', 'RETRY', 'DELIVERED', 'LOST'] as const
).flatMap((pending) => (['NONE', 'WANTED'] as const).map((review) => ({ ...anyCheckout, pending, review })));

/** `RESERVING inventory.reserved SCORING`: every step that the saga's table allows. */
const allowed = new Set([
  `- placed ${steps[0]}`,
  ...steps.flatMap((step) =>
    Object.entries(moves[step]).flatMap(([heard, move]) =>
      kinds.flatMap((checkout) =>
        bodies.flatMap((body) => {
          const next = (move as (c: Checkout, b: unknown, m: Moment) => { to: Step } | null)(
            { ...checkout, step },
            body,
            moment,
          );
          return next ? [`${step} ${heard} ${next.to}`] : [];
        }),
      ),
    ),
  ),
]);

type Line = { order: string; variant: string; quantity: number };

/** `variant 3, variant 1`, sorted, for comparison */
const goodsByOrder = (lines: readonly Line[]): Map<string, string> =>
  new Map(
    [...Map.groupBy(lines, ({ order }) => order)].map(([order, own]) => [
      order,
      own
        .map(({ variant, quantity }) => `${quantity} of ${variant}`)
        .sort()
        .join(', '),
    ]),
  );

/** What an order has where it stands, be it at its end or waiting for somebody. */
const stockAt: Partial<Record<Step, string>> = {
  SHIPPING: 'ALLOCATED',
  CAPTURING: 'SHIPPED',
  DELIVERING: 'SHIPPED',
  DONE: 'SHIPPED',
};

const stockOfOrders = async ({ rows }: Look): Promise<string[]> => {
  const orders = await rows<{ id: string; step: Step }>('orders', 'select order_id as id, step from saga');
  const ordered = await rows<Line>(
    'orders',
    'select order_id as order, variant_id as variant, sum(quantity)::int as quantity from order_line group by 1, 2',
  );
  const reservations = await rows<{ id: string; state: string }>(
    'inventory',
    'select order_id as id, state from reservation',
  );
  const kept = await rows<Line>(
    'inventory',
    `select r.order_id as order, p.variant_id as variant, sum(p.quantity)::int as quantity
     from reservation r join reservation_part p on p.reservation_id = r.id group by 1, 2`,
  );
  const [goods, reserved] = [goodsByOrder(ordered), goodsByOrder(kept)];
  const stateOf = new Map(reservations.map(({ id, state }) => [id, state]));
  const known = new Set(orders.map(({ id }) => id));
  return [
    ...reservations
      .filter(({ id, state }) => (state === 'HELD' || state === 'ALLOCATED') && !known.has(id))
      .map(({ id, state }) => `order ${id} does not exist and has stock ${state}`),
    ...orders.flatMap(({ id, step }) => {
      const state = stateOf.get(id) ?? 'none';
      // SHIPPED and cancelled: the parcel was lost, and its goods are nobody's any more.
      if (step === 'CANCELLED')
        return ['HELD', 'ALLOCATED'].includes(state)
          ? [`order ${id} is cancelled and has stock ${state}`]
          : [];
      const wanted = stockAt[step];
      if (!wanted) return [];
      if (state !== wanted) return [`order ${id} is ${step} and has stock ${state}`];
      return goods.get(id) === reserved.get(id)
        ? []
        : [`order ${id} is of ${goods.get(id)} and has ${reserved.get(id)}`];
    }),
  ];
};

export const ofOrders: readonly Invariant[] = [
  seenIn(
    'orders',
    'quiet',
    'I5 every order comes to an end',
    `select format('order %s is %s since %s', s.order_id, s.step, o.updated_at) as what
     from saga s join orders o on o.id = s.order_id where not ${isSettled}`,
  ),
  {
    name: 'I6 only living orders have stock, and all they ordered',
    holds: 'quiet',
    broken: stockOfOrders,
  },
  {
    name: 'I12 no step is taken twice or against the rules',
    holds: 'always',
    broken: async ({ rows }) => {
      const events = await rows<{
        id: string;
        seq: number;
        move: string;
        from: string;
        before: string;
        at: number;
      }>(
        'orders',
        `select order_id as id, version as seq, concat_ws(' ', coalesce(from_step, '-'), type, to_step) as move,
           coalesce(from_step, '-') as "from",
           coalesce(lag(to_step) over (partition by order_id order by seq), '-') as before,
           row_number() over (partition by order_id order by seq)::int as at
         from order_event e where version is not null and exists (select from saga s where s.order_id = e.order_id)`,
      );
      return events.flatMap(({ id, seq, move, from, before, at }) => {
        const event = `order ${id}, event ${seq}`;
        if (seq !== at) return [`${event} is its number ${at}`];
        if (from !== before) return [`${event} begins at ${from}, the one before ended at ${before}`];
        return allowed.has(move) ? [] : [`${event} is not allowed: ${move}`];
      });
    },
  },
  seenIn(
    'orders',
    'always',
    'I12 an order stands where its last event left it',
    `select format('order %s is %s, its last event says %s', s.order_id, s.step, e.to_step) as what
     from saga s join lateral (
       select to_step, to_status from order_event where order_id = s.order_id and version is not null
       order by version desc limit 1) e on true
     join orders o on o.id = s.order_id where e.to_step <> s.step or e.to_status <> o.status`,
  ),
  seenIn(
    'orders',
    'always',
    'I13 the version of an order is the number of its events',
    `select format('order %s has version %s and %s events', o.id, o.version, count(e.version)) as what
     from orders o left join order_event e on e.order_id = o.id
     group by o.id, o.version having o.version <> count(e.version)`,
  ),
  seenIn(
    'orders',
    'always',
    'I13 a timeline has no gap',
    `select format('order %s has %s entries and the last is number %s', order_id, count(*), max(seq)) as what
     from order_event group by order_id having max(seq) <> count(*)`,
  ),
  seenIn(
    'orders',
    'always',
    'I14 one key makes one order',
    `select format('key %s of customer %s made %s orders', idempotency_key, customer_id, count(*)) as what
     from orders where idempotency_key is not null
     group by tenant_id, customer_id, idempotency_key having count(*) > 1`,
  ),
  seenIn(
    'orders',
    'always',
    'I14 every order that was answered is there',
    `select format('key %s was answered with order %s', key, response->>'orderId') as what
     from plumbing.idempotency i where operation = 'checkout' and response->>'orderId' is not null
       and not exists (select from orders where id = (i.response->>'orderId')::uuid)`,
  ),
];
