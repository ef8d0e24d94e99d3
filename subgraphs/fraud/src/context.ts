import { loader } from '@orderstream/runtime/loaders';
import {
  type Loader,
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import { type Assessment, type Audit, mayRead, type Profile } from './assessment.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import { auditOf, byIds, byOrders, profilesOf } from './store.ts';

/** All are null, or empty, for those who may not see them. */
type Loaders = {
  readonly assessment: Loader<string, Assessment | null>;
  readonly ofOrder: Loader<string, Assessment | null>;
  readonly audit: Loader<string, Audit[]>;
  readonly profile: Loader<string, Profile | null>;
};

export type Context = RuntimeContext<Loaders, PrismaClient>;

export const createContext =
  ({ database }: Pick<Platform<unknown, PrismaClient>, 'database'>) =>
  (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    const { tenantId } = parts.viewer;
    const isStaff = mayRead(parts.viewer);
    const forStaff = <V>(load: (ids: readonly string[]) => Promise<V[]>, otherwise: V) =>
      loader<V>(async (ids) => (isStaff ? load(ids) : ids.map(() => otherwise)));
    return {
      ...parts,
      db,
      loaders: {
        assessment: forStaff<Assessment | null>((ids) => byIds(db, tenantId, ids), null),
        ofOrder: forStaff<Assessment | null>((ids) => byOrders(db, tenantId, ids), null),
        audit: forStaff<Audit[]>((ids) => auditOf(db, tenantId, ids), []),
        profile: forStaff<Profile | null>((ids) => profilesOf(db, tenantId, ids), null),
      },
    };
  };
