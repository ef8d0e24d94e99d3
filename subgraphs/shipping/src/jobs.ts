import type { Database } from '@orderstream/runtime/database';
import type { Job } from '@orderstream/runtime/subgraph';
import type { Errands } from './errands-service.ts';
import { CancelShipment, CreateShipment } from './messages.ts';
import type { News } from './news-service.ts';
import { forgetWebhookEvents } from './webhook-store.ts';

const hourMs = 60 * 60 * 1000;

export const createJobs = (database: Database, errands: Errands, news: News): Job[] => [
  {
    name: 'labels and cancellations',
    everyMs: 500,
    wokenBy: [CreateShipment, CancelShipment],
    run: errands.fulfilWishes,
  },
  { name: 'read webhooks', everyMs: 250, run: news.readEvents },
  { name: 'look for quiet parcels', everyMs: 1_000, run: errands.sweep },
  { name: 'forget addresses', everyMs: 2_000, run: errands.forgetAddresses },
  { name: 'forget webhooks', everyMs: hourMs, run: () => forgetWebhookEvents(database) },
];
