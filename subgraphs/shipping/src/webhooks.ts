// The carrier's door. What bears its signature is written down and answered. What needs no more than a look into our own
// book is understood at once; the rest comes later, so that a slow moment of ours never makes it send everything again.
import type { Database } from '@orderstream/runtime/database';
import { badInput, RequestError } from '@orderstream/runtime/errors';
import type { Webhook } from '@orderstream/runtime/subgraph';
import { isSigned, readName } from './carrier-event.ts';
import type { News } from './news-service.ts';
import { isUuid } from './shipment.ts';
import { insertWebhookEvent } from './webhook-store.ts';

type Options = {
  readonly database: Database;
  readonly news: Pick<News, 'readAtOnce'>;
  readonly secrets: readonly string[];
  /** for events about no parcel of ours */
  readonly tenantId: string;
};

const nameOf = (text: string) => {
  try {
    return readName(text);
  } catch (cause) {
    throw new RequestError('BAD_USER_INPUT', 'The body is not an event.', { cause });
  }
};

export const createWebhooks = ({ database, news, secrets, tenantId }: Options): Webhook[] => [
  {
    method: 'POST',
    path: 'webhooks/carrier',
    maxBody: 64 * 1024,
    handle: async ({ headers, body, now, log }) => {
      const signature = headers['carrier-signature'];
      if (typeof signature !== 'string') throw badInput(['carrier-signature'], 'The signature is missing.');
      if (!isSigned(body, signature, secrets, now))
        throw new RequestError('UNAUTHENTICATED', 'The signature is wrong or too old.');
      const text = body.toString();
      const { id, type, reference } = nameOf(text);
      const shipmentId = reference && isUuid(reference) ? reference : null;
      const event = { id, type, shipmentId, body: text };
      const isRead = await news.readAtOnce(event).catch((error: unknown) => {
        log.warn({ err: error, eventId: id }, 'event not understood at once, will be read later');
        return false;
      });
      if (!isRead) await insertWebhookEvent(database, event, tenantId);
      return { status: 200, body: { received: true } };
    },
  },
];
