import type { Job, Platform } from '@orderstream/runtime/subgraph';
import { newTrace } from '@orderstream/runtime/trace';
import { shadow, train } from './learning-service.ts';
import { countGoods, learnUsual, prune } from './signal-store.ts';
import { expireOverdue, insertAudit } from './store.ts';
import type { Study } from './study.ts';

const minute = 60_000;

export const createJobs = (
  { database, tenantId }: Pick<Platform, 'database' | 'tenantId'>,
  study: Study,
): Job[] => [
  {
    name: 'close overdue reviews',
    everyMs: 5_000,
    run: () =>
      database.transaction(async (begin) => {
        const tx = begin({ tenantId, ...newTrace(), causationId: null });
        const closed = await expireOverdue(tx);
        for (const one of closed)
          await insertAudit(tx, one.tenantId, one.id, { action: 'EXPIRED', actor: null, note: null });
        return closed.length;
      }),
  },
  { name: 'learn what is usual', everyMs: minute, run: () => learnUsual(database.sql) },
  {
    name: 'forget old orders',
    everyMs: 10 * minute,
    run: async () => {
      await countGoods(database.sql);
      return prune(database.sql);
    },
  },
  // It finds out now and then whether there is enough to learn from; each tenant is trained once an hour at most.
  { name: 'train a network', everyMs: 10 * minute, run: () => train(database, study) },
  { name: 'score in the shadow', everyMs: 5_000, run: () => shadow(database, study) },
];
