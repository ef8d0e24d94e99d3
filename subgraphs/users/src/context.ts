import type { Db } from '@orderstream/runtime/database';
import { grouped, inOrder, loader } from '@orderstream/runtime/loaders';
import type { Page } from '@orderstream/runtime/paging';
import {
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';
import type { Viewer } from '@orderstream/runtime/viewer';
import { mayReadClients } from './api-client.ts';
import * as clients from './api-client-store.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import * as store from './store.ts';
import { usageOf } from './usage-store.ts';
import { mayRead } from './user.ts';

/** One for each way of asking, such as a page: fields that ask alike share a statement. */
const byManner = <A, L>(create: (manner: A) => L) => {
  const made = new Map<string, L>();
  return (manner: A): L => {
    const name = JSON.stringify(manner);
    const one = made.get(name) ?? create(manner);
    made.set(name, one);
    return one;
  };
};

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
  apiClient: loader(async (ids) => {
    const found = mayReadClients(viewer) ? await clients.clientsByIds(db, viewer.tenantId, ids) : [];
    return inOrder(ids, found, ({ id }) => id);
  }),
  /** Of clients that have been loaded, as all that follow. */
  audit: loader(async (ids) => grouped(ids, await clients.auditOf(db, ids), ({ clientId }) => clientId)),
  operations: byManner((page: Page) =>
    loader(async (ids) =>
      grouped(ids, await clients.operationPages(db, ids, page), ({ clientId }) => clientId),
    ),
  ),
  operationCount: loader(async (ids) =>
    inOrder(ids, await clients.countOperations(db, ids), ({ clientId }) => clientId).map(
      (found) => found?.count ?? 0,
    ),
  ),
  usage: byManner((since: string) =>
    loader(async (ids) => grouped(ids, await usageOf(db, ids, since), ({ clientId }) => clientId)),
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
