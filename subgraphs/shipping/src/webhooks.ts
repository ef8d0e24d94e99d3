// The carrier's door. What bears its signature is written down and answered. What needs no more than a look into our own
// book is understood at once; the rest comes later, so that a slow moment of ours never makes it send everything again.
import { badInput, RequestError } from '@orderstream/runtime/errors';
import type { Webhook } from '@orderstream/runtime/subgraph';
import type { Calls } from './calls-service.ts';
import { isSigned, readName } from './carrier-event.ts';

type Options = {
  readonly calls: Calls;
  readonly secrets: readonly string[];
};

const nameOf = (text: string) => {
  try {
    return readName(text);
  } catch (cause) {
    throw new RequestError('BAD_USER_INPUT', 'The body is not an event.', { cause });
  }
};

export const createWebhooks = ({ calls, secrets }: Options): Webhook[] => [
  {
    method: 'POST',
    path: 'webhooks/carrier',
    maxBody: 64 * 1024,
    handle: async ({ headers, body, now }) => {
      const signature = headers['carrier-signature'];
      if (typeof signature !== 'string') throw badInput(['carrier-signature'], 'The signature is missing.');
      if (!isSigned(body, signature, secrets, now))
        throw new RequestError('UNAUTHENTICATED', 'The signature is wrong or too old.');
      const text = body.toString();
      await calls.take({ ...nameOf(text), body: text });
      return { status: 200, body: { received: true } };
    },
  },
];
