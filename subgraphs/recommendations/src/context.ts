import { loader } from '@orderstream/runtime/loaders';
import {
  type Loader,
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import type { PrismaClient } from './generated/prisma/client.ts';
import { interestsOf, purchasesOf } from './purchase-store.ts';
import { mayRead, type Purchase } from './recommendation.ts';

type Loaders = {
  /** By customer; null where the viewer may not see them. */
  readonly purchases: Loader<string, readonly Purchase[] | null>;
  /** By visitor, which is the viewer: goods put into a cart lately. */
  readonly interests: Loader<string, readonly string[]>;
};

export type Context = RuntimeContext<Loaders, PrismaClient>;

export const createContext =
  ({ database }: Pick<Platform<unknown, PrismaClient>, 'database'>) =>
  (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    const { viewer } = parts;
    return {
      ...parts,
      db,
      loaders: {
        purchases: loader(async (ids) => {
          const own = ids.filter((id) => mayRead(viewer, id));
          const found = own.length > 0 ? await purchasesOf(db, viewer.tenantId, own) : [];
          return ids.map((id) => found[own.indexOf(id)] ?? null);
        }),
        interests: loader((visitors) => interestsOf(db, viewer.tenantId, visitors)),
      },
    };
  };
