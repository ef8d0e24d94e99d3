import type { Db } from '@orderstream/runtime/database';
import { grouped, inOrder, loader } from '@orderstream/runtime/loaders';
import {
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import type { Viewer } from '@orderstream/runtime/viewer';
import type { PrismaClient } from './generated/prisma/client.ts';
import * as store from './store.ts';
import { mayRead } from './user.ts';

const createLoaders = (db: Db<PrismaClient>, viewer: Viewer) => ({
  user: loader(async (ids) => {
    const users = await store.usersByIds(db, viewer.tenantId, ids);
    return inOrder(
      ids,
      users.filter((user) => mayRead(viewer, user)),
      (user) => user.id,
    );
  }),
  /** By user, for one who has been loaded: whoever may see a user may see the address book. */
  addresses: loader(async (userIds) =>
    grouped(userIds, await store.addressesOf(db, viewer.tenantId, userIds), (address) => address.userId),
  ),
});

type Loaders = ReturnType<typeof createLoaders>;
export type Context = RuntimeContext<Loaders, PrismaClient>;

export const createContext =
  ({ database }: Pick<Platform<unknown, PrismaClient>, 'database'>) =>
  (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    return { ...parts, db, loaders: createLoaders(db, parts.viewer) };
  };
