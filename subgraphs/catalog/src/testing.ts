// The catalog on a database of its own, with the demo shop's goods and a cache of its own: what tests here share.
import { randomUUID } from 'node:crypto';
import { createCache } from '@orderstream/runtime/cache';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { openRedis } from '@orderstream/runtime/redis';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
import { type ExecutionResult, graphql } from 'graphql';
import { inject } from 'vitest';
// @boundaries-ignore tests share databases and services
import { inTransaction } from '../../../ops/seed/copy.ts';
// @boundaries-ignore tests share databases and services
import { loadCatalog } from '../../../ops/seed/load-catalog.ts';
// @boundaries-ignore tests share databases and services
import { goods } from '../../../ops/seed/online-retail.ts';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { resolvers } from './resolvers.ts';

export const tenantId = '01900000-0000-7000-8000-000000000001';
export const shopper: Viewer = anonymous(tenantId);
export const clerk: Viewer = { ...shopper, userId: newId(), scopes: new Set(['catalog:write']) };

// biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its query, which stands beside the expectation
type Answer = ExecutionResult<any>;

export const openShop = async () => {
  const { database, close } = await testDatabase('catalog', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  });
  const log = createLog('catalog', 'silent');
  const redis = openRedis(inject('services').redisUrl, log);
  const client = await database.pool.connect();
  try {
    await Promise.all([redis.connect(), inTransaction(client, () => loadCatalog(client, tenantId, goods()))]);
  } finally {
    client.release();
  }
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, resolvers);
  const coldCache = () => createCache(redis, `test:${randomUUID()}:`, log);
  const shopCache = coldCache();

  const contextOf = (viewer: Viewer, cache = shopCache) =>
    createContext({ database, cache })({ viewer, now: new Date(), log, trace: newTrace() });

  const answer = async (source: string, variableValues: object, contextValue: object): Promise<Answer> =>
    graphql({ schema, source, variableValues: { ...variableValues }, contextValue });

  const counted = async (work: () => Promise<Answer>) => {
    const before = database.statements();
    const { data, errors } = await work();
    if (errors) throw errors[0]!;
    return { data, statements: database.statements() - before };
  };

  return {
    database,
    contextOf,
    ask: (source: string, variables: object = {}, viewer = shopper) =>
      answer(source, variables, contextOf(viewer)),
    /** As if nobody had asked for anything before. */
    askCold: (source: string, variables: object = {}) =>
      counted(() => answer(source, variables, contextOf(shopper, coldCache()))),
    askCounted: (source: string, variables: object = {}) =>
      counted(() => answer(source, variables, contextOf(shopper))),
    close: async () => {
      redis.disconnect();
      await close();
    },
  };
};

export type Shop = Awaited<ReturnType<typeof openShop>>;
