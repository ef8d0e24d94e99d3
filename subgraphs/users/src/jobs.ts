import type { Database } from '@orderstream/runtime/database';
import type { Job } from '@orderstream/runtime/subgraph';
import { prune } from './session-store.ts';

export const createJobs = ({ transaction }: Pick<Database, 'transaction'>, tenantId: string): Job[] => [
  {
    name: 'prune sign-ins',
    everyMs: 10 * 60 * 1000,
    run: () => transaction((begin) => prune(begin({ tenantId, traceparent: '', causationId: null }))),
  },
];
