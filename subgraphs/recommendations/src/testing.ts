// The subgraph on a database of its own, with orders placed in other people's words, for the tests of this folder.
import { createSecretKey } from 'node:crypto';
import { OrderCancelled, OrderPlaced } from '@orderstream/orders/messages';
import { schemaText, subgraphSchema } from '@orderstream/runtime/host/schema';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { UserErased } from '@orderstream/users/messages';
import { PrismaPg } from '@prisma/adapter-pg';
import { graphql } from 'graphql';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { learn, restock } from './learning-service.ts';
import type { Shelves } from './recommendation.ts';
import { createResolvers } from './resolvers.ts';

const log = createLog('test', 'silent');

export type Answer = {
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
  readonly data: any;
  readonly code: unknown;
  readonly argument: unknown;
};

export const openShop = async () => {
  const { database, url, close } = await testDatabase('recommendations', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
    size: 8,
  });
  const tenantId = newId();
  const shelves: Shelves = new Map();
  const key = createSecretKey(Buffer.from('x'.repeat(32)));
  const schema = subgraphSchema(schemaText(new URL('../', import.meta.url))!, createResolvers(shelves, key));
  const create = createContext({ database });

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

  /** One by one, or as a batch for one handler; in one transaction and without the inbox, which would hide a repetition. */
  const hearing =
    (isTogether: boolean) =>
    (...messages: Message[]): Promise<void> =>
      database.transaction(async (begin) => {
        const tx = begin({ tenantId, ...newTrace(), causationId: null });
        for (const batch of isTogether ? [messages] : messages.map((message) => [message])) {
          const handler = handlers.find((each) => each.message.type === batch[0]?.type);
          if (!handler) throw new Error(`nobody hears ${batch[0]?.type}`);
          const heard = batch.map((message) => ({ tx, message: envelopeOf(message) }));
          await handler.handle(heard, { now: new Date(), log });
        }
      });

  const moved = { status: 'PENDING', step: 'RESERVING', reason: null };
  const placed = (productIds: readonly string[], customerId: string | null = null, orderId = newId()) =>
    OrderPlaced({
      ...moved,
      orderId,
      customerId,
      lines: productIds.map((productId) => ({
        variantId: newId(),
        productId,
        quantity: 1,
        unitPriceMinor: 100,
      })),
      totalMinor: 100,
      currency: 'GBP',
    });
  const cancelled = (orderId: string) => OrderCancelled({ ...moved, orderId, customerId: null });
  const erased = (userId: string) => UserErased({ userId, at: new Date().toISOString() });

  /** As the job does, but at once and as often as it is asked. */
  const learnNow = async (): Promise<number> => {
    await database.sql`update learning set read_at = null`;
    const did = await learn(database);
    await restock(database, shelves, new Map());
    return did;
  };

  const ask = async (viewer: Viewer, source: string, variableValues = {}): Promise<Answer> => {
    const contextValue = create({ viewer, now: new Date(), log, trace: newTrace() });
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

  return {
    database,
    url,
    close,
    tenantId,
    shelves,
    hear: hearing(false),
    hearTogether: hearing(true),
    placed,
    cancelled,
    erased,
    learnNow,
    ask,
    entity,
    visitor: (clientAddress: string, more: Partial<Viewer> = {}): Viewer => ({
      ...anonymous(tenantId),
      clientAddress,
      ...more,
    }),
    customer: (userId = newId()): Viewer => ({ ...anonymous(tenantId), userId }),
    productId: (uuid: string) => encodeId('product', uuid),
  };
};

export type Shop = Awaited<ReturnType<typeof openShop>>;
