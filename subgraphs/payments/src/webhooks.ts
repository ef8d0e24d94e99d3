// The provider's door. What bears its signature is written down and answered; understanding it comes later, so that a
// slow moment of ours never makes it send everything again.
import type { Database } from '@orderstream/runtime/database';
import { badInput, RequestError } from '@orderstream/runtime/errors';
import type { Webhook } from '@orderstream/runtime/subgraph';
import { newTrace } from '@orderstream/runtime/trace';
import { ProviderCalled } from './messages.ts';
import { isAmbiguous, learn } from './payment.ts';
import { type ProviderEvent, readSignedEvent } from './provider.ts';
import { paymentOfProvider } from './store.ts';
import { insertWebhookEvent, type WebhookOutcome } from './webhook-store.ts';

type Options = {
  readonly database: Database;
  readonly secrets: readonly string[];
  /** for events that carry no tenant of ours */
  readonly tenantId: string;
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const read = (
  body: Buffer,
  signature: string,
  secrets: readonly string[],
  now: Date,
): ProviderEvent | null => {
  try {
    return readSignedEvent(body, signature, secrets, now);
  } catch (cause) {
    throw new RequestError('BAD_USER_INPUT', 'The body is not an event.', { cause });
  }
};

/** What is understood at once: events about nothing of ours, and those that say what is known. null: to be worked off. */
const outcomeOf = async (database: Database, event: ProviderEvent): Promise<WebhookOutcome | null> => {
  if (event.about === 'OTHER') return 'IGNORED';
  if (event.about === 'REFUND' || !event.seen || !event.payment) return null;
  const payment = await paymentOfProvider(database, event.payment, event.paymentId, event.tenantId);
  if (!payment || isAmbiguous(payment, event.seen)) return null;
  // A payment only ever moves forward, so what says nothing new now says nothing new later either.
  return learn(payment, event.seen).payment === payment ? 'OLD_NEWS' : null;
};

export const createWebhooks = ({ database, secrets, tenantId }: Options): Webhook[] => [
  {
    method: 'POST',
    path: 'webhooks/stripe',
    maxBody: 64 * 1024,
    handle: async ({ headers, body, now }) => {
      const signature = headers['stripe-signature'];
      if (typeof signature !== 'string') throw badInput(['stripe-signature'], 'The signature is missing.');
      const event = read(body, signature, secrets, now);
      if (!event) throw new RequestError('UNAUTHENTICATED', 'The signature is wrong or too old.');
      const named = event.tenantId && uuid.test(event.tenantId) ? event.tenantId : tenantId;
      const { id, type, payment } = event;
      const row = { id, type, tenantId: named, body: body.toString() };
      const outcome = await outcomeOf(database, event);
      if (outcome) {
        await insertWebhookEvent(database, row, outcome);
        return { status: 200, body: { received: true } };
      }
      const origin = { tenantId: named, traceparent: newTrace().traceparent, causationId: null };
      await database.for(origin).transaction(async (tx) => {
        const isNew = await insertWebhookEvent(tx, row);
        // An event about no payment has no order to keep but its own.
        if (isNew) await tx.send(ProviderCalled({ pspPaymentId: payment ?? id, eventId: id, type }));
      });
      return { status: 200, body: { received: true } };
    },
  },
];
