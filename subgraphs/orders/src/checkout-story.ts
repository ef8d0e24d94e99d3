// One order for the tests of the saga, and everything it can be told.
import { advance, begin, type Checkout, type Moment } from './checkout.ts';
import type { Heard } from './hearing.ts';

const orderId = '01920000-0000-7000-8000-000000000001';
const other = '01920000-0000-7000-8000-000000000002';
const money = { amountMinor: 1_490, currency: 'GBP' };
const at = '2026-01-01T00:00:00.000Z';
export const moment: Moment = { now: new Date(at), scale: 1 };
export const origin = { warehouseId: other, name: 'Manchester', latitude: 53.5, longitude: -2.2 };
const parcel = { orderId, shipmentId: other };
const decided = { orderId, assessmentId: other, reviewerId: other };

export const bodies: Heard = {
  'inventory.reserved': { orderId, parts: [] },
  'inventory.refused': { orderId, reason: 'OUT_OF_STOCK', skus: ['85123A'] },
  'inventory.allocated': { orderId, parts: [], origin },
  'inventory.released': { orderId },
  'inventory.expired': { orderId },
  'fraud.scored': { orderId, score: 0 },
  'fraud.approved': decided,
  'fraud.rejected': decided,
  'fraud.info-requested': decided,
  'payment.authorized': { orderId, paymentId: other, ...money },
  'payment.declined': { orderId, paymentId: other, reason: 'The card was declined.' },
  'payment.captured': { orderId, paymentId: other, ...money },
  'payment.capture-refused': { orderId, paymentId: other, reason: 'expired' },
  'payment.voided': { orderId, paymentId: other },
  'payment.refunded': { orderId, paymentId: other, ...money },
  'shipment.handed-over': parcel,
  'shipment.failed': { ...parcel, reason: 'No such postcode.' },
  'shipment.cancelled': parcel,
  'shipment.moved': { ...parcel, status: 'IN_TRANSIT', at, place: 'Leeds' },
  'shipment.delivered': { ...parcel, at },
  'shipment.lost': { ...parcel, at },
  cancel: { reason: 'Found it cheaper.' },
  deadline: {},
};

export const begun = begin({
  orderId,
  number: 'N-2026-0000001',
  customerId: other,
  total: money,
  lines: [{ id: other, variantId: other, sku: '85123A', quantity: 2, unitPriceMinor: 745 }],
  paymentMethodId: other,
  holdUntil: new Date('2026-01-01T00:30:00Z'),
  addressHash: 'a',
  deviceHash: null,
  clientHash: null,
});

/** `fraud.scored high` is heard as a score of 95. */
export type Said = keyof Heard | 'fraud.scored high';

export const hear = (checkout: Checkout, said: Said) =>
  said === 'fraud.scored high'
    ? advance(checkout, 'fraud.scored', { orderId, score: 95 }, moment)
    : advance(checkout, said, bodies[said] as never, moment);

/** Where a checkout is, and what it has told, after hearing all of these. */
export const told = (...all: Said[]) => from(begun.checkout, ...all);

export const from = (start: Checkout, ...all: Said[]) => {
  let checkout = start;
  const sent = start === begun.checkout ? begun.send.map((message) => message.type) : [];
  for (const heard of all) {
    const next = hear(checkout, heard);
    if (!next) continue;
    checkout = next.checkout;
    sent.push(...next.send.map((message) => message.type));
  }
  return { checkout, step: checkout.step, reason: checkout.reason, sent };
};

export const reserved = ['inventory.reserved'] as const;
export const authorizing = [...reserved, 'fraud.scored'] as const;
export const allocating = [...authorizing, 'payment.authorized'] as const;
export const shipping = [...allocating, 'inventory.allocated'] as const;
export const delivering = [...shipping, 'shipment.handed-over', 'payment.captured'] as const;
export const held = [...reserved, 'fraud.scored high', 'payment.authorized'] as const;
