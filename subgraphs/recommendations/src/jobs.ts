import type { Database } from '@orderstream/runtime/database';
import type { Job, Platform } from '@orderstream/runtime/subgraph';
import { newTrace } from '@orderstream/runtime/trace';
import { prune } from './activity-store.ts';
import { learn, restock } from './learning-service.ts';
import type { Shelves } from './recommendation.ts';

/** The first turn only brings what was learnt before: a process that starts has better things to do than to learn. */
const recompute = (database: Database, shelves: Shelves): (() => Promise<number>) => {
  const known = new Map<string, number>();
  let isStarting = true;
  return async () => {
    const did = isStarting ? 0 : await learn(database);
    isStarting = false;
    await restock(database, shelves, known);
    return did;
  };
};

export const createJobs = (
  { database, tenantId }: Pick<Platform, 'database' | 'tenantId'>,
  shelves: Shelves,
): Job[] => [
  { name: 'learn from purchases', everyMs: 5_000, run: recompute(database, shelves) },
  {
    name: 'forget old activity',
    everyMs: 60_000,
    run: async () => {
      await database.transaction((begin) => prune(begin({ tenantId, ...newTrace(), causationId: null })));
      return 0;
    },
  },
];
