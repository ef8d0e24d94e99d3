// What visitors looked at and did, for whoever counts. No name, no address, and no search that could hold one.
import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const activity = topic('activity-events', 'visitor');

const item = z.object({
  kind: z.enum(['VIEW', 'SEARCH', 'IMPRESSION', 'CLICK', 'ADD_TO_CART', 'EXPOSURE']),
  at: z.iso.datetime(),
  productId: z.uuid().nullable(),
  query: z.string().nullable(),
  experiment: z.string().nullable(),
});

/** `visitor`: the customer's id, or a keyed hash of session, device or network; in the order that one visitor told them. */
export const ActivityTracked = message(
  activity,
  'activity.tracked',
  z.object({ visitor: z.string(), customerId: z.uuid().nullable(), items: z.array(item).min(1).max(100) }),
);
