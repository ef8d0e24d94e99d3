// A shop with no goods yet, on a database of its own, for the tests of this subgraph.
import { createSecretKey, randomUUID } from 'node:crypto';
import { VariantChanged } from '@orderstream/catalog/messages';
import { createCache } from '@orderstream/runtime/cache';
import { createLog } from '@orderstream/runtime/log';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import { openRedis } from '@orderstream/runtime/redis';
import { newTrace } from '@orderstream/runtime/trace';
import type { Viewer } from '@orderstream/runtime/viewer';
import { anonymous } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
import { inject } from 'vitest';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createActivity } from './activity-store.ts';
import { copyVariant } from './catalog-copy.ts';
import { type Context, createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { advanceSagas } from './saga-service.ts';
import { checkout, type Shop, setCartLine, viewCart } from './service.ts';

export const tenantId = randomUUID();
const log = createLog('test', 'silent');
const redis = openRedis(inject('services').redisUrl, log);
export const shop: Shop = {
  terms: { currency: 'GBP', taxPercent: 20, shippingMinor: 495 },
  scale: 1,
  hashKey: createSecretKey(Buffer.from('x'.repeat(32))),
  activity: createActivity(createCache(redis, `test:${tenantId}:`, log)),
};
export const address = {
  recipient: 'Ada',
  line1: '1 High Street',
  line2: null,
  city: 'London',
  postcode: 'N1 1AA',
  country: 'GB',
};
export const origin = { warehouseId: randomUUID(), name: 'Manchester', latitude: 53.48, longitude: -2.24 };
export const customer = (): Viewer => ({ ...anonymous(tenantId), userId: randomUUID() });

export const openShop = async () => {
  await redis.connect();
  const { database, close: closeDatabase } = await testDatabase('orders', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
    size: 8,
  });
  const close = async (): Promise<void> => {
    redis.disconnect();
    await closeDatabase();
  };
  const create = createContext({ database });
  const contextOf = (viewer: Viewer): Context => create({ viewer, now: new Date(), log, trace: newTrace() });

  const heard = <T>({ type, v, key, version, data }: Message<T>): Envelope<T> => ({
    id: randomUUID(),
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
  const within = <T>(work: Parameters<Context['db']['transaction']>[0]) =>
    contextOf(customer()).db.transaction(work) as Promise<T>;

  const hearVariant = (variantId: string, priceMinor: number, version: number, active = true) =>
    within((tx) =>
      copyVariant(
        tx,
        heard(
          VariantChanged(
            {
              variantId,
              productId: variantId,
              sku: `S-${variantId.slice(0, 4)}`,
              name: 'A thing',
              priceMinor,
              currency: 'GBP',
              weightGrams: 10,
              active,
            },
            version,
          ),
        ),
      ),
    );

  const goods = async (priceMinor = 250): Promise<string> => {
    const variantId = randomUUID();
    await hearVariant(variantId, priceMinor, 1);
    return variantId;
  };

  const fill = async (ctx: Context, variantId: string, quantity = 2) => {
    const outcome = await setCartLine(ctx, shop, { variantId, quantity });
    if ('error' in outcome) throw new Error(outcome.error);
    return outcome;
  };

  const place = async (ctx: Context, changes: Partial<Parameters<typeof checkout>[2]> = {}) => {
    const cart = await viewCart(ctx, shop);
    return checkout(ctx, shop, {
      idempotencyKey: randomUUID(),
      cartId: cart.id,
      expectedCartVersion: cart.version,
      shippingAddress: address,
      paymentMethodId: randomUUID(),
      ...changes,
    });
  };

  const placed = async (ctx: Context): Promise<string> => {
    await fill(ctx, await goods());
    const outcome = await place(ctx);
    if (!('done' in outcome)) throw new Error(outcome.error);
    return outcome.done.orderId;
  };

  type Answer = readonly [type: string, orderId: string, data?: object, id?: string];
  const answers = (...all: readonly Answer[]) =>
    within((tx) =>
      advanceSagas(shop)(
        all.map(([type, orderId, data = {}, id = randomUUID()]) => {
          const said = { topic: undefined as never, type, v: 1, key: orderId, version: 1 };
          return { tx, message: { ...heard({ ...said, data: { orderId, ...data } }), id } };
        }),
        { now: new Date() },
      ),
    );
  const answer = (...one: Answer) => answers(one);

  /** All the way to where the carrier is asked for a label. */
  const toSender = async (orderId: string): Promise<void> => {
    const paid = { paymentId: randomUUID(), amountMinor: 1, currency: 'GBP' };
    await answer('inventory.reserved', orderId, { parts: [] });
    await answer('fraud.scored', orderId, { score: 0 });
    await answer('payment.authorized', orderId, paid);
    await answer('inventory.allocated', orderId, { parts: [], origin });
  };

  return {
    database,
    close,
    contextOf,
    heard,
    within,
    hearVariant,
    goods,
    fill,
    place,
    placed,
    answer,
    answers,
    toSender,
  };
};
