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
import { cachedLevels } from './level-store.ts';
import { mayRead } from './stock.ts';
import * as store from './store.ts';
import { mayReadWarehouses } from './warehouse.ts';

export type Context = RuntimeContext<Loaders, PrismaClient>;
type Loaders = ReturnType<typeof createLoaders>;

const createLoaders = (db: Db, viewer: Viewer, levels: ReturnType<typeof cachedLevels>) => ({
  /** What can be sold, by variant; for everybody, of the viewer's tenant. */
  level: loader(async (variantIds) =>
    (await levels(variantIds)).map((level) => (level?.tenantId === viewer.tenantId ? level : null)),
  ),
  stock: loader(async (ids) =>
    mayRead(viewer)
      ? inOrder(ids, await store.stockByIds(db, viewer.tenantId, ids), (stock) => stock.id)
      : ids.map(() => null),
  ),
  stockOfVariant: loader(async (variantIds) =>
    mayRead(viewer)
      ? grouped(
          variantIds,
          await store.stockOfVariants(db, viewer.tenantId, variantIds),
          (stock) => stock.variantId,
        )
      : variantIds.map(() => null),
  ),
  warehouse: loader(async (ids) =>
    mayReadWarehouses(viewer)
      ? inOrder(ids, await store.warehousesByIds(db, viewer.tenantId, ids), (warehouse) => warehouse.id)
      : ids.map(() => null),
  ),
});

export const createContext = ({
  database,
  cache,
}: Pick<Platform<unknown, PrismaClient>, 'database' | 'cache'>) => {
  const levels = cachedLevels(cache, database);
  return (parts: Parts): Context => {
    const db = database.for(originOf(parts));
    return { ...parts, db, loaders: createLoaders(db, parts.viewer, levels) };
  };
};
