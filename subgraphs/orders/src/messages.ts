// What happened to orders. Every change of an order is one of these, so its version is the number of its events.
import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const events = topic('order-events', 'orderId', { partitions: 12, hinted: true });

const moved = {
  orderId: z.uuid(),
  customerId: z.uuid().nullable(),
  status: z.string(),
  step: z.string(),
  reason: z.string().nullable(),
};

const line = z.object({
  variantId: z.uuid(),
  productId: z.uuid(),
  quantity: z.number().int().positive(),
  unitPriceMinor: z.number().int().nonnegative(),
});

/** The first event of an order; the only one that names its goods. */
export const OrderPlaced = message(
  events,
  'order.placed',
  z.object({ ...moved, lines: z.array(line), totalMinor: z.number().int(), currency: z.string().length(3) }),
);
/** A person has to look at it before its goods leave. */
export const OrderHeld = message(events, 'order.held', z.object(moved));
/** Goods are set aside and the money is promised. */
export const OrderConfirmed = message(events, 'order.confirmed', z.object(moved));
/** The carrier has it. */
export const OrderShipped = message(events, 'order.shipped', z.object(moved));
/** The customer has it, and it is paid for. */
export const OrderDelivered = message(events, 'order.delivered', z.object(moved));
/** Nothing is held and nothing is owed any more. */
export const OrderCancelled = message(events, 'order.cancelled', z.object(moved));
/** Any step between the others. */
export const OrderProgressed = message(events, 'order.progressed', z.object(moved));
