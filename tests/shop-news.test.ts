// News of the shop, from a real broker to a real cache.
import { randomUUID } from 'node:crypto';
import { VariantChanged } from '@orderstream/catalog/messages';
import { type Bus, openBus } from '@orderstream/runtime/bus';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { connectRedis, openRedis } from '@orderstream/runtime/redis';
import { newTrace } from '@orderstream/runtime/trace';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { openEntityStore } from '../gateway/src/cache/entity-store.ts';
import { hearShopNews, type News, pieces } from '../gateway/src/cache/shop-news.ts';

const log = createLog('test', 'silent');
const { redisUrl, kafkaBrokers } = inject('services');
const prefix = `news-${randomUUID()}-`;
const redis = openRedis(redisUrl, log);
const store = openEntityStore({ redis, prefix, log, patienceMs: 5_000 });
let bus: Bus;
let news: News;

beforeAll(async () => {
  await connectRedis(redis, log);
  bus = await openBus({ brokers: kafkaBrokers, prefix, clientId: 'test', log });
});
afterAll(async () => {
  await news?.stop();
  await bus.close();
  redis.disconnect();
});

const hour = 60 * 60 * 1_000;

const tell = async (variantId: string, productId: string, agoMs = 0): Promise<void> => {
  const { topic, type, v, key, data } = VariantChanged({
    variantId,
    productId,
    sku: `sku-${variantId}`,
    name: 'Mug',
    priceMinor: 100,
    currency: 'GBP',
    weightGrams: null,
    active: true,
  });
  const value = JSON.stringify({
    id: newId(),
    type,
    v,
    tenantId: randomUUID(),
    key,
    version: 1,
    occurredAt: new Date(Date.now() - agoMs).toISOString(),
    causationId: null,
    traceparent: newTrace().traceparent,
    data,
  });
  await bus.publish([{ topic: topic.name, key, value }]);
};

const stampsOf = (variantId: string, productId: string): Promise<(string | null)[]> =>
  redis.mget([
    store.stampName('catalog', 'Variant', { id: encodeId('variant', variantId) }),
    store.stampName('catalog', 'Variant', { sku: `sku-${variantId}` }),
    store.stampName('catalog', 'Product', { id: encodeId('product', productId) }),
  ]);

const listen = (lagMs: number, listening: Pick<typeof store, 'forget' | 'identity'> = store): News =>
  hearShopNews({ store: listening, brokers: kafkaBrokers, prefix, log, lagMs });

test('topics and messages are as their owner has them', () => {
  expect(pieces.map(({ topic, type, v }) => ({ topic, type, v }))).toEqual(
    [VariantChanged].map(({ topic, type, v }) => ({ topic, type, v })),
  );
});

test('a good that changed is forgotten by each of its keys, and its product too; once more when all have heard', async () => {
  const forgotten: string[] = [];
  news = listen(500, {
    identity: store.identity,
    forget: async (...entity) => {
      await store.forget(...entity);
      forgotten.push(store.stampName(...entity));
    },
  });
  await vi.waitFor(() => expect(news.isHeard()).toBe(true), { timeout: 20_000 });
  const [variant, product] = [newId(), newId()];
  // On time for those that remember, however slow the machine is.
  await tell(variant, product, -hour);
  await vi.waitFor(() => expect(forgotten).toHaveLength(6), { timeout: 10_000 });
  expect(forgotten.slice(3)).toEqual(forgotten.slice(0, 3));
  expect(await stampsOf(variant, product)).not.toContain(null);
});

test('what nobody can know any more is not forgotten, and what cannot be read stops nothing', async () => {
  const [old, oldProduct, variant, product] = [newId(), newId(), newId(), newId()];
  await tell(old, oldProduct, 26 * hour);
  await bus.publish([{ topic: 'catalog-changes', key: variant, value: 'nonsense' }]);
  await tell(variant, product, hour);
  await vi.waitFor(async () => expect(await stampsOf(variant, product)).not.toContain(null), {
    timeout: 10_000,
  });
  // Another partition may be later.
  await tell(old, product, 0);
  await vi.waitFor(async () => expect((await stampsOf(old, oldProduct))[0]).not.toBeNull(), {
    timeout: 10_000,
  });
  expect((await stampsOf(old, oldProduct))[2]).toBeNull();
});

test('what could not be forgotten is tried again until it is', async () => {
  await news.stop();
  let refusals = 0;
  news = listen(60_000, {
    identity: store.identity,
    forget: async (...entity) => {
      refusals += 1;
      if (refusals < 5) throw new Error('Redis is away');
      await store.forget(...entity);
    },
  });
  const [variant, product] = [newId(), newId()];
  await tell(variant, product);
  await vi.waitFor(async () => expect(await stampsOf(variant, product)).not.toContain(null), {
    timeout: 20_000,
  });
  expect(refusals).toBeGreaterThan(5);
});
