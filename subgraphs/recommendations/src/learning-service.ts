// Learning from the purchases, and keeping in memory what was learnt. The work is done in slices, so that a request which
// comes meanwhile waits for ten milliseconds and not for all of it.
import { setImmediate } from 'node:timers/promises';
import type { Database } from '@orderstream/runtime/database';
import * as affinityStore from './affinity-store.ts';
import { basketsOf } from './purchase-store.ts';
import { affinitiesOf, type Shelves, shelfOf } from './recommendation.ts';

const sliceMs = 10;

const inSlices = async <T>(work: Generator<void, T>): Promise<T> => {
  for (;;) {
    const end = performance.now() + sliceMs;
    do {
      const step = work.next();
      if (step.done) return step.value;
    } while (performance.now() < end);
    await setImmediate();
  }
};

/** Learns of one tenant whose purchases have changed; answers for how many it did. */
export const learn = async (database: Pick<Database, 'sql' | 'transaction'>): Promise<number> => {
  const lease = await affinityStore.leaseDue(database.sql);
  if (!lease) return 0;
  const began = performance.now();
  const baskets = await basketsOf(database.sql, lease.tenantId);
  const affinities = baskets.length > 0 ? await inSlices(affinitiesOf(baskets)) : [];
  await affinityStore.saveAffinities(database, lease, affinities, performance.now() - began);
  return 1;
};

/** Brings the shelves up to what was learnt last, by whichever process. */
export const restock = async (
  { sql }: Pick<Database, 'sql'>,
  shelves: Shelves,
  known: Map<string, number>,
): Promise<void> => {
  for (const [tenantId, version] of await affinityStore.versions(sql)) {
    if (known.get(tenantId) === version) continue;
    shelves.set(tenantId, await inSlices(shelfOf(await affinityStore.affinitiesOf(sql, tenantId))));
    known.set(tenantId, version);
  }
};
