// Scores orders. For now every order is harmless; it listens only, and has nothing to say in the graph yet.
import { on, originOf, subgraph } from '@orderstream/runtime/subgraph';
import { z } from 'zod';
import * as messages from './messages.ts';

export const fraud = subgraph({
  name: 'fraud',
  folder: new URL('../', import.meta.url),
  settings: z.object({}),
  messages,
  open: ({ database }) => ({
    context: (parts) => ({ ...parts, loaders: {}, db: database.for(originOf(parts)) }),
    handlers: [
      on(messages.AssessOrder, (tx, { data, version }) =>
        tx.send(messages.FraudScored({ orderId: data.orderId, score: 0 }, version)),
      ),
    ],
  }),
});
