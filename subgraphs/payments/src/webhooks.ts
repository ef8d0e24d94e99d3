// The provider's door. What bears its signature is written down and answered; understanding it comes later, so that a
// slow moment of ours never makes it send everything again.
import type { Database } from '@orderstream/runtime/database';
import { badInput, RequestError } from '@orderstream/runtime/errors';
import type { Webhook } from '@orderstream/runtime/subgraph';
import { newTrace } from '@orderstream/runtime/trace';
import { ProviderCalled } from './messages.ts';
import { type ProviderEvent, readSignedEvent } from './provider.ts';
import { insertWebhookEvent } from './webhook-store.ts';

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
      const origin = { tenantId: named, traceparent: newTrace().traceparent, causationId: null };
      await database.for(origin).transaction(async (tx) => {
        const isNew = await insertWebhookEvent(tx, { id, type, tenantId: named, body: body.toString() });
        // An event about no payment has no order to keep but its own.
        if (isNew) await tx.send(ProviderCalled({ pspPaymentId: payment ?? id, eventId: id, type }));
      });
      return { status: 200, body: { received: true } };
    },
  },
];
