// The subgraph on a database and a Redis of its own, and told things as the bus would, for the tests of this folder.
import { createHints } from '@orderstream/runtime/hints';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { openRedis } from '@orderstream/runtime/redis';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { UserErased } from '@orderstream/users/messages';
import { PrismaPg } from '@prisma/adapter-pg';
import { graphql, parse, subscribe } from 'graphql';
import { inject } from 'vitest';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { NotificationStored, NotifyCustomer } from './messages.ts';
import { createResolvers } from './resolvers.ts';

type Asked = Parameters<typeof NotifyCustomer>[0];

export const openDesk = async () => {
  const log = createLog('test', 'silent');
  const prefix = `${newId()}:`;
  const redis = openRedis(inject('services').redisUrl, log);
  const subscriber = openRedis(inject('services').redisUrl, log);
  await Promise.all([redis.connect(), subscriber.connect()]);
  const hints = createHints(redis, subscriber, prefix, log);
  await hints.open([NotificationStored.topic.name]);
  const { database, url, close } = await testDatabase('notifications', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
    size: 8,
  });
  const tenantId = newId();
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(hints));
  const create = createContext({ database });
  const contextOf = (viewer: Viewer) => create({ viewer, now: new Date(), log, trace: newTrace() });

  const heard = <T>({ type, v, key, version, data }: Message<T>): Envelope<T> => ({
    id: newId(),
    type,
    v,
    tenantId,
    key,
    version,
    occurredAt: new Date().toISOString(),
    causationId: null,
    traceparent: newTrace().traceparent,
    data,
  });

  /** In one transaction and without the inbox, so that nothing hides a repetition. */
  const hear = (...envelopes: Envelope[]): Promise<void> =>
    database.transaction(async (begin) => {
      const tx = begin({ tenantId, ...newTrace(), causationId: null });
      const groups = Map.groupBy(
        envelopes,
        ({ type }) => handlers.find(({ message }) => message.type === type)!,
      );
      for (const [handler, group] of groups)
        await handler.handle(
          group.map((message) => ({ tx, message: message as Envelope<never> })),
          { now: new Date(), log },
        );
    });

  const news = (customerId: string, changes: Partial<Asked> = {}): Envelope =>
    heard(
      NotifyCustomer({
        orderId: newId(),
        customerId,
        number: 'N-2026-0000012',
        kind: 'ORDER_SHIPPED',
        reason: null,
        amountMinor: null,
        currency: 'GBP',
        ...changes,
      }),
    );

  /** @returns ids as clients know them, in the order in which they were told */
  const tell = async (customerId: string, count = 1): Promise<string[]> => {
    const all = Array.from({ length: count }, () => news(customerId));
    await hear(...all);
    return all.map(({ id }) => encodeId('notification', id));
  };

  return {
    database,
    url,
    redis,
    hints,
    log,
    tenantId,
    hear,
    news,
    tell,
    erased: (userId: string) => heard(UserErased({ userId, at: new Date().toISOString() })),
    contextOf,
    customer: (userId = newId()): Viewer & { userId: string } => ({ ...anonymous(tenantId), userId }),
    ask: async (viewer: Viewer, source: string, variableValues: Record<string, unknown> = {}) => {
      const { data, errors } = await graphql({
        schema,
        source,
        variableValues,
        contextValue: contextOf(viewer),
      });
      const { code, argument } = errors?.[0]?.extensions ?? {};
      if (errors && !code) throw errors[0];
      // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
      return { data: data as any, code, argument };
    },
    subscribe: (viewer: Viewer, source: string) =>
      subscribe({ schema, document: parse(source), contextValue: contextOf(viewer) }),
    close: async () => {
      await hints.close();
      redis.disconnect();
      await close();
    },
  };
};

export type Desk = Awaited<ReturnType<typeof openDesk>>;
