import type { Database } from '@orderstream/runtime/database';
import type { Job, Platform } from '@orderstream/runtime/subgraph';
import { newTrace } from '@orderstream/runtime/trace';
import { hasDueHolds } from './reservation-store.ts';
import { expireHolds } from './service.ts';

/** Holds that end in one transaction. */
const most = 50;

/** Gives goods back whose hold has run out. The question comes first, so that a sweeper with nothing to do holds up nobody. */
export const sweep = async (database: Database): Promise<number> => {
  if (!(await hasDueHolds(database))) return 0;
  const { traceparent } = newTrace();
  return database.transaction((begin) =>
    expireHolds((tenantId) => begin({ tenantId, traceparent, causationId: null }), most),
  );
};

export const jobs = ({ database }: Pick<Platform, 'database'>): Job[] => [
  { name: 'expire holds', everyMs: 1_000, run: () => sweep(database) },
];
