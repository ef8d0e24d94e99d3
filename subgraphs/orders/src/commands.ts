// What a checkout tells the other subgraphs to do. A command carries all that its receiver needs to answer.
import { AssessOrder, CloseReview, ReviewOrder } from '@orderstream/fraud/messages';
import {
  AllocateStock,
  ExtendHold,
  ReleaseStock,
  ReserveStock,
  ShipStock,
} from '@orderstream/inventory/messages';
import { AuthorizePayment, CapturePayment, RefundPayment, VoidPayment } from '@orderstream/payments/messages';
import type { Message } from '@orderstream/runtime/messages';
import { CancelShipment, CreateShipment } from '@orderstream/shipping/messages';
import type { Checkout } from './checkout.ts';

// Commands name a customer; an erased one is named by the order, which is nobody's id.
const buyer = (c: Checkout): string => c.customerId ?? c.orderId;

export const reserve = (c: Checkout): Message =>
  ReserveStock({
    orderId: c.orderId,
    lines: c.lines.map(({ variantId, sku, quantity }) => ({ variantId, sku, quantity })),
    holdUntil: c.holdUntil.toISOString(),
  });

export const assess = (c: Checkout): Message =>
  AssessOrder({
    orderId: c.orderId,
    customerId: buyer(c),
    totalMinor: c.total.amountMinor,
    currency: c.total.currency,
    variantIds: c.lines.map((line) => line.variantId),
    addressHash: c.addressHash,
    deviceHash: c.deviceHash,
    clientHash: c.clientHash,
  });

export const authorize = (c: Checkout): Message =>
  AuthorizePayment({
    orderId: c.orderId,
    customerId: buyer(c),
    paymentMethodId: c.paymentMethodId,
    ...c.total,
    lines: c.lines.map(({ id, variantId, quantity, unitPriceMinor }) => ({
      orderLineId: id,
      variantId,
      quantity,
      unitPriceMinor,
    })),
  });

/** The goods are held a little longer than the reviewer has time, so that a late approval still finds them. */
export const review = (c: Checkout, dueAt: Date, holdUntil: Date): Message[] => [
  ReviewOrder({ orderId: c.orderId, dueAt: dueAt.toISOString() }),
  ExtendHold({ orderId: c.orderId, holdUntil: holdUntil.toISOString() }),
];

export const closeReview = (c: Checkout, because: 'EXPIRED' | 'CANCELLED'): Message =>
  CloseReview({ orderId: c.orderId, because });

export const allocate = (c: Checkout): Message => AllocateStock({ orderId: c.orderId });

export const ship = (c: Checkout): Message => ShipStock({ orderId: c.orderId });

export const release = (c: Checkout): Message => ReleaseStock({ orderId: c.orderId });

/** @throws where no stock was allocated: there is nothing to send */
export const createShipment = (c: Checkout): Message => {
  if (!c.origin) throw new Error(`order ${c.orderId} has no warehouse to be sent from`);
  return CreateShipment({
    orderId: c.orderId,
    customerId: c.customerId,
    origin: c.origin,
    pieces: c.lines.reduce((pieces, { quantity }) => pieces + quantity, 0),
    parcel: c.parcel,
  });
};

export const cancelShipment = (c: Checkout): Message =>
  CancelShipment({ orderId: c.orderId, parcel: c.parcel });

export const capture = (c: Checkout): Message => CapturePayment({ orderId: c.orderId });

export const voidPayment = (c: Checkout): Message => VoidPayment({ orderId: c.orderId });

export const refund = (c: Checkout): Message =>
  RefundPayment({ orderId: c.orderId, reason: c.reason ?? 'The order was cancelled.' });
