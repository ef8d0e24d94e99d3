import { loader } from '@orderstream/runtime/loaders';
import {
  type Loader,
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import type { PrismaClient } from './generated/prisma/client.ts';
import { mayRead, type Notification } from './notification.ts';
import { notificationsByIds } from './store.ts';

type Loaders = {
  /** null where there is none or it is not the viewer's */
  readonly notification: Loader<string, Notification | null>;
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
        notification: loader(async (ids) => {
          const found = await notificationsByIds(db.prisma, viewer.tenantId, ids);
          return found.map((each) => (each && mayRead(viewer, each) ? each : null));
        }),
      },
    };
  };
