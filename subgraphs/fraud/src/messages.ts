import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const commands = topic('fraud-commands', 'orderId', { partitions: 12 });
const events = topic('fraud-events', 'orderId', { partitions: 12 });

/** Answered by FraudScored. Address, device and client are keyed hashes: enough to see what is shared, never what it is. */
export const AssessOrder = message(
  commands,
  'fraud.assess',
  z.object({
    orderId: z.uuid(),
    customerId: z.uuid(),
    totalMinor: z.number().int(),
    currency: z.string().length(3),
    variantIds: z.array(z.uuid()),
    addressHash: z.string(),
    deviceHash: z.string().nullable(),
    clientHash: z.string().nullable(),
  }),
);

/** 0 harmless to 100 */
export const FraudScored = message(
  events,
  'fraud.scored',
  z.object({ orderId: z.uuid(), score: z.number().min(0).max(100) }),
);
