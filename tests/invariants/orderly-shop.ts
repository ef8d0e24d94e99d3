// A small shop written by hand as it should stand: one order that was delivered, one that was cancelled after its money
// had been taken and given back.
import type { Charge } from '../provider-book.ts';

export const id = (kind: number, number: number): string =>
  `0190000${kind}-0000-7000-8000-${String(number).padStart(12, '0')}`;
export const tenant = id(1, 0);
const [warehouse, cup] = [id(1, 1), id(1, 2)];
export const [delivered, cancelled, stranger] = [id(2, 1), id(2, 2), id(2, 3)];
export const anHourAgo = `now() - interval '1 hour'`;

type Event = [type: string, from: string | null, to: string, status: string, message?: string];

const order = (orderId: string, number: string, step: string, status: string, events: readonly Event[]) => `
  insert into orders (id, tenant_id, number, customer_id, status, version, placed_at, updated_at, currency,
    subtotal_minor, discount_minor, shipping_minor, tax_minor, total_minor, idempotency_key)
  values ('${orderId}', '${tenant}', '${number}', '${id(6, 1)}', '${status}', ${events.length}, ${anHourAgo},
    ${anHourAgo}, 'GBP', 400, 0, 100, 83, 500, '${number}');
  insert into order_line (id, tenant_id, order_id, position, variant_id, sku, name, quantity, unit_price_minor,
    line_total_minor)
  values (gen_random_uuid(), '${tenant}', '${orderId}', 1, '${cup}', 'CUP', 'A cup', 2, 200, 400);
  insert into saga (order_id, tenant_id, step, entries, payment_method_id, hold_until, address_hash)
  values ('${orderId}', '${tenant}', '${step}', ${events.length}, '${id(6, 2)}', now(), '');
  ${events
    .map(
      ([type, from, to, at, message], index) => `
        insert into order_event (order_id, seq, version, tenant_id, message_id, type, at, actor, from_step, to_step, to_status)
        values ('${orderId}', ${index + 1}, ${index + 1}, '${tenant}', ${message ? `'${message}'` : null}, '${type}', now(), 'test',
          ${from ? `'${from}'` : null}, '${to}', '${at}');`,
    )
    .join('')}
  insert into plumbing.idempotency (tenant_id, user_id, operation, key, request_hash, response)
  values ('${tenant}', '${id(6, 1)}', 'checkout', '${number}', '', '{"orderId": "${orderId}"}');`;

const delivery: Event[] = [
  ['placed', null, 'RESERVING', 'PENDING'],
  ['inventory.reserved', 'RESERVING', 'SCORING', 'PENDING', id(7, 1)],
  ['deadline', 'SCORING', 'AUTHORIZING', 'AWAITING_PAYMENT'],
  ['payment.authorized', 'AUTHORIZING', 'ALLOCATING', 'CONFIRMED'],
  ['inventory.allocated', 'ALLOCATING', 'SHIPPING', 'PROCESSING'],
  ['shipment.handed-over', 'SHIPPING', 'CAPTURING', 'SHIPPED'],
  ['payment.captured', 'CAPTURING', 'DELIVERING', 'SHIPPED'],
  ['shipment.delivered', 'DELIVERING', 'DONE', 'DELIVERED'],
];
const cancellation: Event[] = [
  ...delivery.slice(0, 4).map(([type, from, to, status]): Event => [type, from, to, status]),
  ['cancel', 'ALLOCATING', 'VOIDING', 'CONFIRMED'],
  ['payment.captured', 'VOIDING', 'REFUNDING', 'CONFIRMED'],
  ['payment.refunded', 'REFUNDING', 'RELEASING', 'CONFIRMED'],
  ['inventory.released', 'RELEASING', 'CANCELLED', 'CANCELLED'],
];

export const reservation = (orderId: string, state: string) => `
  insert into reservation (id, tenant_id, order_id, state, hold_until)
  values ('${orderId}', '${tenant}', '${orderId}', '${state}', now());
  insert into reservation_part (tenant_id, reservation_id, variant_id, warehouse_id, sku, quantity)
  values ('${tenant}', '${orderId}', '${cup}', '${warehouse}', 'CUP', 2);`;

export const movement = (kind: string, quantity: number) => `
  insert into movement (id, tenant_id, variant_id, warehouse_id, kind, quantity)
  values (gen_random_uuid(), '${tenant}', '${cup}', '${warehouse}', '${kind}', ${quantity});`;

const payment = (orderId: string, state: string, captured: number, refunded: number) => `
  insert into payment (id, tenant_id, order_id, customer_id, provider_key, provider_id, state, currency, amount_minor,
    authorized_minor, captured_minor, refunded_minor, traceparent)
  values ('${orderId}', '${tenant}', '${orderId}', '${id(6, 1)}', 'pay_${orderId}', 'pi_${orderId}', '${state}', 'GBP',
    500, 500, ${captured}, ${refunded}, '');
  insert into payment_event (payment_id, version, tenant_id, type) values ('${orderId}', 1, '${tenant}', 'authorized');`;

const transaction = (
  number: number,
  orderId: string,
  kind: string,
  amount: number,
  refund: string | null = null,
) => `
  insert into ledger_txn (id, tenant_id, payment_id, refund_id, kind)
  values ('${id(8, number)}', '${tenant}', '${orderId}', ${refund ? `'${refund}'` : null}, '${kind}');
  insert into ledger_entry (txn_id, line, tenant_id, account, currency, amount_minor) values
    ('${id(8, number)}', 1, '${tenant}', 'provider_clearing', 'GBP', ${amount}),
    ('${id(8, number)}', 2, '${tenant}', 'customer_receivable', 'GBP', ${-amount});`;

export const shop = {
  orders: `
    ${order(delivered, 'N-1', 'DONE', 'DELIVERED', delivery)}
    ${order(cancelled, 'N-2', 'CANCELLED', 'CANCELLED', cancellation)}
    insert into plumbing.inbox (message_id, tenant_id) values ('${id(7, 1)}', '${tenant}');
    insert into stock_level (tenant_id, variant_id, available, version) values ('${tenant}', '${cup}', 7, 1);`,
  inventory: `
    insert into warehouse (id, tenant_id, code, name, latitude, longitude)
    values ('${warehouse}', '${tenant}', 'W', 'The warehouse', 0, 0);
    insert into stock (id, tenant_id, variant_id, warehouse_id, on_hand, shipped, received, written_off)
    values ('${cup}', '${tenant}', '${cup}', '${warehouse}', 7, 2, 10, 1);
    insert into variant_level (variant_id, tenant_id, available) values ('${cup}', '${tenant}', 7);
    ${movement('received', 10)} ${movement('written_off', 1)} ${movement('shipped', 2)}
    ${reservation(delivered, 'SHIPPED')} ${reservation(cancelled, 'RELEASED')}`,
  payments: `
    ${payment(delivered, 'CAPTURED', 500, 0)} ${payment(cancelled, 'REFUNDED', 500, 500)}
    insert into refund (id, tenant_id, payment_id, provider_key, state, amount_minor, currency)
    values ('${id(9, 1)}', '${tenant}', '${cancelled}', 'ref', 'SUCCEEDED', 500, 'GBP');
    begin; ${transaction(1, cancelled, 'CAPTURE', 500)} ${transaction(2, cancelled, 'REFUND', -500, id(9, 1))}
    ${transaction(3, delivered, 'CAPTURE', 500)} commit;`,
} as const;

export type Name = keyof typeof shop;

export const charge = (orderId: string, changed: Partial<Charge>): Charge => ({
  id: `pi_${orderId}`,
  orderId,
  status: 'succeeded',
  currency: 'gbp',
  amount: 500,
  amountReceived: 500,
  amountCapturable: 0,
  amountRefunded: 0,
  ...changed,
});
export const taken = charge(delivered, {});
export const givenBack = charge(cancelled, { amountRefunded: 500 });
