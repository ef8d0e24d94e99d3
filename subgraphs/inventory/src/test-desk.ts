// A desk in the test shop: asks the subgraph's schema as the gateway does, on a real database and a real Redis.
import { createCache } from '@orderstream/runtime/cache';
import { createHints } from '@orderstream/runtime/hints';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
import { graphql, parse, subscribe } from 'graphql';
import { inject } from 'vitest';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { forgetOnChange } from './level-store.ts';
import { ReserveStock } from './messages.ts';
import { resolvers } from './resolvers.ts';
import { type Goods, hear, openShop } from './test-shop.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are compared whole, by the tests
export type Data = any;

export const openDesk = async () => {
  const log = createLog('test', 'silent');
  const prefix = `${newId()}:`;
  const redis = openRedis(inject('services').redisUrl, log);
  const subscriber = openRedis(inject('services').redisUrl, log);
  const cache = createCache(redis, prefix, log);
  const hints = createHints(redis, subscriber, prefix, log);
  await Promise.all([connectRedis(redis, log), connectRedis(subscriber, log)]);
  await hints.open(['stock-levels']);
  const db = await testDatabase('inventory', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  });
  const { database } = db;
  const shop = await openShop(database);
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, resolvers(hints));
  const contextOf = createContext({ database, cache });
  const context = (viewer: Viewer) => contextOf({ viewer, now: new Date(), log, trace: newTrace() });
  const stopForgetting = forgetOnChange({ cache, hints });

  const clerkId = newId();
  const clerk = (...scopes: string[]): Viewer => ({
    ...anonymous(shop.tenantId),
    userId: clerkId,
    scopes: new Set(scopes),
  });

  return {
    database,
    shop,
    hints,
    /** hints as a process has them that cannot hear */
    deafHints: () => createHints(redis, openRedis(inject('services').redisUrl, log), prefix, log),
    clerk,
    admin: clerk('stock:read', 'stock:write'),
    shopper: clerk(),
    visitor: anonymous(shop.tenantId),
    ask: async (viewer: Viewer, source: string, variableValues?: Record<string, unknown>) => {
      const { data, errors } = await graphql({
        schema,
        source,
        variableValues,
        contextValue: context(viewer),
      });
      const [error] = errors ?? [];
      const problem = error && `${error.extensions.code} ${error.extensions.argument ?? ''}`.trim();
      return { data: data as Data, problem };
    },
    subscribe: (viewer: Viewer, source: string) =>
      subscribe({ schema, document: parse(source), contextValue: context(viewer) }),
    /** an order for the goods comes in */
    hold: (goods: Goods, quantity: number) =>
      hear(
        database,
        shop,
        ReserveStock({
          orderId: newId(),
          lines: [{ ...goods, quantity }],
          holdUntil: new Date(Date.now() + 60_000).toISOString(),
        }),
      ),
    close: async () => {
      await stopForgetting();
      await hints.close();
      redis.disconnect();
      await db.close();
    },
  };
};

export type Desk = Awaited<ReturnType<typeof openDesk>>;
