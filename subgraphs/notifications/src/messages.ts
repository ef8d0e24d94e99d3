// What customers are to be told, and that they were.
import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const commands = topic('notification-commands', 'orderId');
const events = topic('notification-events', 'orderId');
const inbox = topic('notification-inbox', 'customerId', { hinted: true });

export const kinds = [
  'ORDER_CONFIRMED',
  'ORDER_HELD',
  'ORDER_SHIPPED',
  'ORDER_DELIVERED',
  'ORDER_CANCELLED',
  'REFUNDED',
] as const;

/** Tells a customer once for each message. `reason` is in the shop's own words; `number` is the order's, for people. */
export const NotifyCustomer = message(
  commands,
  'notification.notify',
  z.object({
    orderId: z.uuid(),
    customerId: z.uuid(),
    number: z.string(),
    kind: z.enum(kinds),
    reason: z.string().nullable(),
    /** what was refunded, in minor units */
    amountMinor: z.number().int().positive().nullable(),
    currency: z.string().length(3),
  }),
);

/** It stands in the customer's list. */
export const NotificationSent = message(
  events,
  'notification.sent',
  z.object({ orderId: z.uuid(), notificationId: z.uuid(), kind: z.enum(kinds), channel: z.string() }),
);

/** For whoever watches this customer's list; its version is the number there. Nobody else needs to hear it. */
export const NotificationStored = message(
  inbox,
  'notification.stored',
  z.object({ customerId: z.uuid(), notificationId: z.uuid() }),
);
