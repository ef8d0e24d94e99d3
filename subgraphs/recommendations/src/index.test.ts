// The subgraph as it is hosted: broker, cache and database are the real ones.
import { randomUUID } from 'node:crypto';
import { openBus } from '@orderstream/runtime/bus';
import { toEnvelope } from '@orderstream/runtime/database';
import { host } from '@orderstream/runtime/host/host';
import { newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { newTrace } from '@orderstream/runtime/trace';
import { expect, inject, test, vi } from 'vitest';
import { recommendations } from './index.ts';
import { openShop } from './testing.ts';

test('orders come from the broker, and what they say is learnt without being asked', async () => {
  const shop = await openShop();
  const { redisUrl, kafkaBrokers } = inject('services');
  const prefix = `recommendations-${randomUUID()}-`;
  const log = createLog('test', 'silent');
  const running = await host([recommendations], {
    PORT: '0',
    RECOMMENDATIONS_DATABASE_URL: shop.url,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers.join(','),
    KAFKA_PREFIX: prefix,
    REDIS_PREFIX: prefix,
    LOG_LEVEL: 'silent',
  });
  const bus = await openBus({ brokers: kafkaBrokers, prefix, clientId: 'test', log });
  try {
    const goods = [newId(), newId()];
    const origin = { tenantId: shop.tenantId, causationId: null, ...newTrace() };
    const orders = Array.from({ length: 3 }, () => shop.placed(goods));
    await bus.publish(
      orders.map((order) => ({
        topic: order.topic.name,
        key: order.key,
        value: JSON.stringify(toEnvelope(order, origin, new Date())),
      })),
    );
    await vi.waitFor(
      async () => {
        const learnt = await shop.database.sql<{ product_id: string }>`
          select product_id from affinity where tenant_id = ${shop.tenantId} and baskets = 3`;
        expect(learnt.map((row) => row.product_id).toSorted()).toEqual(goods.toSorted());
      },
      { timeout: 19_000, interval: 200 },
    );
  } finally {
    await bus.close();
    await running.stop();
    await shop.close();
  }
}, 40_000);
