// Money: our payments, our ledger and the provider's book say the same, to the penny, and it lies where it should.
import type { Charge } from '../provider-book.ts';
import { type Invariant, type Look, seenIn } from './invariant.ts';

type Payment = {
  id: string;
  order: string;
  state: string;
  authorized: number;
  captured: number;
  refunded: number;
  booked: number;
  paidBack: number;
  given: number;
  provider: string | null;
  /** whether another system took it, of which our provider's book knows nothing */
  isImported: boolean;
};
type Order = { id: string; isDelivered: boolean; total: number };

/** minor units; what the ledger has is told by the account of what the provider owes us */
const payments = `
  select p.id, p.order_id as order, p.state, p.authorized_minor::int as authorized, p.captured_minor::int as captured,
    p.refunded_minor::int as refunded, p.provider_id as provider,
    p.provider = 'import' as "isImported",
    coalesce(sum(e.amount_minor) filter (where t.kind = 'CAPTURE'), 0)::int as booked,
    coalesce(-sum(e.amount_minor) filter (where t.kind = 'REFUND'), 0)::int as "paidBack",
    (select coalesce(sum(amount_minor), 0)::int from refund where payment_id = p.id and state = 'SUCCEEDED') as given
  from payment p left join ledger_txn t on t.payment_id = p.id
  left join ledger_entry e on e.txn_id = t.id and e.account = 'provider_clearing' group by p.id`;

const inThreeBooks = (payment: Payment, charge: Charge | undefined): string[] => {
  const { order, captured, refunded, booked, paidBack, given, authorized, state } = payment;
  const standing = state === 'AUTHORIZED' ? authorized : 0;
  const theirs = payment.isImported
    ? { captured, refunded, standing }
    : {
        captured: charge?.amountReceived ?? 0,
        refunded: charge?.amountRefunded ?? 0,
        standing: charge?.amountCapturable ?? 0,
      };
  return [
    ...(captured === booked && captured === theirs.captured
      ? []
      : [`order ${order} captured: payment ${captured}, ledger ${booked}, provider ${theirs.captured}`]),
    ...(refunded === paidBack && refunded === theirs.refunded && refunded === given
      ? []
      : [
          `order ${order} refunded: payment ${refunded}, refunds ${given}, ledger ${paidBack}, provider ${theirs.refunded}`,
        ]),
    ...(standing === theirs.standing
      ? []
      : [`order ${order} on hold: payment ${standing}, provider ${theirs.standing}`]),
  ];
};

/** What has left is paid for, whatever of it was given back later; of what was cancelled, nothing is kept. */
const asTheOrderWants = (order: Order, payment: Payment | undefined): string[] => {
  const held = payment?.state === 'AUTHORIZED' ? payment.authorized : 0;
  const captured = payment?.captured ?? 0;
  const taken = captured - (payment?.refunded ?? 0);
  const has = `order ${order.id} of ${order.total} has ${held} on hold and ${taken} taken`;
  if (order.isDelivered)
    return captured === order.total ? [] : [`${has} of ${captured} captured, and has left`];
  return held + taken === 0 ? [] : [`${has}, and is cancelled`];
};

const moneyOfOrders = async ({ rows, book }: Look): Promise<string[]> => {
  const [paid, orders] = await Promise.all([
    rows<Payment>('payments', payments),
    rows<Order>(
      'orders',
      `select o.id, s.step <> 'CANCELLED' as "isDelivered", o.total_minor::int as total
       from orders o join saga s on s.order_id = o.id where s.step in ('DELIVERING', 'DONE', 'CANCELLED')`,
    ),
  ]);
  const charges = new Map(book.map((charge) => [charge.id, charge]));
  const ours = new Set(paid.map(({ provider }) => provider));
  const byOrder = new Map(paid.map((payment) => [payment.order, payment]));
  return [
    ...paid.flatMap((payment) => inThreeBooks(payment, charges.get(payment.provider ?? ''))),
    ...orders.flatMap((order) => asTheOrderWants(order, byOrder.get(order.id))),
    ...book
      .filter(
        ({ id, amountReceived, amountCapturable }) => !ours.has(id) && amountReceived + amountCapturable > 0,
      )
      .map(({ id, orderId }) => `order ${orderId}: the provider has ${id}, of which we know nothing`),
  ];
};

export const ofMoney: readonly Invariant[] = [
  { name: 'I7 the money of an order is the same in all three books', holds: 'quiet', broken: moneyOfOrders },
  seenIn(
    'payments',
    'always',
    'I8 the ledger is balanced',
    `select format('transaction %s is %s %s off', txn_id, sum(amount_minor), currency) as what
     from ledger_entry group by txn_id, currency having sum(amount_minor) <> 0`,
  ),
  {
    name: 'I9 the provider takes the money of an order once',
    holds: 'always',
    broken: async ({ book }) =>
      [
        ...Map.groupBy(
          book.filter(({ amountReceived, amountCapturable }) => amountReceived + amountCapturable > 0),
          ({ orderId }) => orderId,
        ),
      ]
        .filter(([, charges]) => charges.length > 1)
        .map(([order, charges]) => `order ${order}: ${charges.map(({ id }) => id).join(', ')}`),
  },
  seenIn(
    'payments',
    'always',
    'I10 no more goes back than was taken, no more is taken than was promised',
    `select format('order %s of %s: %s authorized, %s captured, %s refunded, %s on its way back', order_id, amount_minor,
       authorized_minor, captured_minor, refunded_minor, refunding_minor) as what
     from payment where refunding_minor < 0 or refunded_minor < 0 or refunding_minor + refunded_minor > captured_minor
       or captured_minor > authorized_minor or authorized_minor > amount_minor`,
  ),
  seenIn(
    'payments',
    'always',
    'I10 no piece is refunded more often than it was paid for',
    `with asked as (
       select l.payment_id, l.order_line_id, sum(l.quantity) filter (where r.state = 'SUCCEEDED') as refunded,
         sum(l.quantity) filter (where r.state in ('REQUESTED', 'PENDING')) as refunding
       from refund_line l join refund r on r.id = l.refund_id group by 1, 2)
     select format('line %s of %s: %s and %s refunded and on their way, its refunds say %s and %s', p.order_line_id,
       p.quantity, p.refunded_quantity, p.refunding_quantity, coalesce(a.refunded, 0), coalesce(a.refunding, 0)) as what
     from paid_line p left join asked a using (payment_id, order_line_id)
     where p.refunded_quantity <> coalesce(a.refunded, 0) or p.refunding_quantity <> coalesce(a.refunding, 0)
       or p.refunded_quantity + p.refunding_quantity > p.quantity`,
  ),
  seenIn(
    'payments',
    'always',
    'I13 the version of a payment is the number of its events',
    `select format('payment of order %s has version %s and %s events', p.order_id, p.version, count(e.version)) as what
     from payment p left join payment_event e on e.payment_id = p.id
     group by p.id having p.version <> count(e.version)`,
  ),
];
