// What the customer is told in person when an order takes a step.
import { type kinds, NotifyCustomer } from '@orderstream/notifications/messages';
import type { RefundMade } from '@orderstream/payments/messages';
import type { Message, MessageType } from '@orderstream/runtime/messages';
import type { Checkout } from './checkout.ts';

type Kind = (typeof kinds)[number];

const kindOf = (before: Checkout, after: Checkout): Kind | null => {
  if (before.step === after.step) return null;
  if (after.step === 'REVIEW') return 'ORDER_HELD';
  // Said once, also where the goods went back on the shelf for a review and came again.
  if (after.step === 'SHIPPING') return after.parcel === 1 ? 'ORDER_CONFIRMED' : null;
  if (after.step === 'CAPTURING') return 'ORDER_SHIPPED';
  if (after.step === 'DONE') return 'ORDER_DELIVERED';
  return after.step === 'CANCELLED' ? 'ORDER_CANCELLED' : null;
};

const notify = (
  { orderId, customerId, number, total, reason }: Checkout,
  kind: Kind,
  amountMinor: number | null = null,
): Message[] =>
  customerId === null
    ? []
    : [
        NotifyCustomer({
          orderId,
          customerId,
          number,
          kind,
          reason: kind === 'ORDER_CANCELLED' ? reason : null,
          amountMinor,
          currency: total.currency,
        }),
      ];

/** Nobody is told of an order whose customer has been erased. */
export const noticesOfStep = (before: Checkout, after: Checkout): Message[] => {
  const kind = kindOf(before, after);
  return kind ? notify(after, kind) : [];
};

export type Refunded = typeof RefundMade extends MessageType<infer T> ? T : never;

export const noticesOfRefund = (checkout: Checkout, { amountMinor }: Refunded): Message[] =>
  notify(checkout, 'REFUNDED', amountMinor);
