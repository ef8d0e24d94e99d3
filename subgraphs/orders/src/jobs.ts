import type { Database } from '@orderstream/runtime/database';
import type { Job } from '@orderstream/runtime/subgraph';
import { passDeadlines } from './saga-service.ts';
import type { Shop } from './service.ts';

export const createJobs = (database: Database<unknown>, shop: Shop): Job[] => [
  { name: 'deadlines', everyMs: 100, run: ({ now }) => passDeadlines(database, shop, now) },
];
