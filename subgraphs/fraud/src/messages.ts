import { message, topic } from '@orderstream/runtime/messages';
import { z } from 'zod';

const commands = topic('fraud-commands', 'orderId');
const events = topic('fraud-events', 'orderId', { hinted: true });

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

/** Holds the order for a person to look at, also where it has not been scored. Answered by one of the three below. */
export const ReviewOrder = message(
  commands,
  'fraud.review',
  z.object({ orderId: z.uuid(), dueAt: z.iso.datetime() }),
);
/** Nobody needs to decide any more. Not answered. */
export const CloseReview = message(
  commands,
  'fraud.close',
  z.object({ orderId: z.uuid(), because: z.enum(['EXPIRED', 'CANCELLED']) }),
);

/** 0 harmless to 100; over `highRisk` a person looks at the order before its goods leave. */
export const FraudScored = message(
  events,
  'fraud.scored',
  z.object({ orderId: z.uuid(), score: z.number().min(0).max(100) }),
);
export const highRisk = 80;

const decided = { orderId: z.uuid(), assessmentId: z.uuid(), reviewerId: z.uuid() };

export const FraudApproved = message(events, 'fraud.approved', z.object(decided));
export const FraudRejected = message(events, 'fraud.rejected', z.object(decided));
/** The reviewer has to ask somebody first, which takes time. */
export const FraudInfoRequested = message(events, 'fraud.info-requested', z.object(decided));
