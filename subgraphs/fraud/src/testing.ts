// The subgraph on a database of its own, with other subgraphs' messages, for the tests of this folder.
import { createHints } from '@orderstream/runtime/hints';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import type { Envelope, Message } from '@orderstream/runtime/messages';
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
import { handlers } from './handlers.ts';
import { AssessOrder, CloseReview, ReviewOrder } from './messages.ts';
import { createResolvers } from './resolvers.ts';

const log = createLog('test', 'silent');

export type Answer = {
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  readonly data: any;
  readonly code: unknown;
  readonly argument: unknown;
};

export type Order = {
  readonly orderId: string;
  readonly customerId: string;
  readonly totalMinor: number;
  readonly variantIds: string[];
  readonly addressHash: string;
  readonly deviceHash: string | null;
  readonly clientHash: string | null;
};

export const openDesk = async () => {
  const { database, close } = await testDatabase('fraud', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
    size: 8,
  });
  const prefix = `${newId()}:`;
  const redis = openRedis(inject('services').redisUrl, log);
  const subscriber = openRedis(inject('services').redisUrl, log);
  await Promise.all([connectRedis(redis, log), connectRedis(subscriber, log)]);
  const hints = createHints(redis, subscriber, prefix, log);
  await hints.open(['fraud-events']);
  const tenantId = newId();
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(hints));
  const create = createContext({ database });
  const context = (viewer: Viewer) => create({ viewer, now: new Date(), log, trace: newTrace() });

  const envelopeOf = ({ type, v, key, version, data }: Message): Envelope<never> => ({
    id: newId(),
    type,
    v,
    tenantId,
    key,
    version,
    occurredAt: new Date().toISOString(),
    causationId: null,
    traceparent: newTrace().traceparent,
    data: data as never,
  });

  /** As a batch for one handler, and without the inbox, so that nothing hides a repetition. */
  const hearTogether = (...messages: Message[]): Promise<void> =>
    database.transaction(async (begin) => {
      const handler = handlers.find((each) => each.message.type === messages[0]?.type);
      if (!handler) throw new Error(`nobody hears ${messages[0]?.type}`);
      const tx = begin({ tenantId, ...newTrace(), causationId: null });
      const heard = messages.map((message) => ({ tx, message: envelopeOf(message) }));
      await handler.handle(heard, { now: new Date(), log });
    });

  /** Each in a transaction of its own. */
  const hear = async (...messages: Message[]): Promise<void> => {
    for (const message of messages) await hearTogether(message);
  };

  const order = (given: Partial<Order> = {}): Order => ({
    orderId: newId(),
    customerId: newId(),
    totalMinor: 2_000,
    variantIds: [newId()],
    addressHash: newId(),
    deviceHash: newId(),
    clientHash: newId(),
    ...given,
  });
  const assess = (given: Order) => hear(AssessOrder({ ...given, currency: 'GBP' }));
  const review = (orderId: string, inMs = 60_000) =>
    hear(ReviewOrder({ orderId, dueAt: new Date(Date.now() + inMs).toISOString() }));
  const closeReview = (orderId: string, because: 'EXPIRED' | 'CANCELLED') =>
    hear(CloseReview({ orderId, because }));

  const told = async (orderId: string): Promise<{ type: string; data: Record<string, unknown> }[]> =>
    (
      await database.sql<{ message: { type: string; data: Record<string, unknown> } }>`
        select message from plumbing.outbox where key = ${orderId} order by id`
    ).map(({ message: { type, data } }) => ({ type, data }));

  const ask = async (viewer: Viewer, source: string, variableValues = {}): Promise<Answer> => {
    const contextValue = context(viewer);
    const { data, errors } = await graphql({ schema, source, contextValue, variableValues });
    const { code, argument } = errors?.[0]?.extensions ?? {};
    if (errors && !code) throw errors[0];
    return { data, code, argument };
  };

  /** Fields of an entity, as the gateway asks for them. */
  const entity = async (viewer: Viewer, type: string, id: string, field: string): Promise<Answer['data']> => {
    const query = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on ${type} { ${field} } } }`;
    const { data, code } = await ask(viewer, query, { refs: [{ __typename: type, id }] });
    if (code) throw new Error(String(code));
    return data._entities[0];
  };

  const watch = async (
    viewer: Viewer,
    source: string,
  ): Promise<AsyncGenerator<{ data?: Answer['data'] }>> => {
    const events = await subscribe({ schema, document: parse(source), contextValue: context(viewer) });
    if (!(Symbol.asyncIterator in events)) throw new Error(String(events.errors?.[0]?.extensions.code));
    return events as AsyncGenerator<{ data?: Answer['data'] }>;
  };

  const clerk = (...scopes: string[]): Viewer => ({
    ...anonymous(tenantId),
    userId: newId(),
    scopes: new Set(scopes),
  });

  const idOf = async (orderId: string): Promise<string> => {
    const [row] = await database.sql<{ id: string }>`select id from assessment where order_id = ${orderId}`;
    return encodeId('fraudAssessment', row!.id);
  };

  return {
    database,
    tenantId,
    hints,
    hear,
    hearTogether,
    order,
    assess,
    review,
    closeReview,
    told,
    ask,
    entity,
    watch,
    clerk,
    idOf,
    reviewer: clerk('fraud:review', 'orders:read'),
    admin: clerk('orders:read'),
    shopper: clerk(),
    visitor: anonymous(tenantId),
    close: async () => {
      await hints.close();
      redis.disconnect();
      subscriber.disconnect();
      await close();
    },
  };
};

export type Desk = Awaited<ReturnType<typeof openDesk>>;
