// The subgraph as it is hosted: broker, cache and database are the real ones.
import { randomUUID } from 'node:crypto';
import { openBus } from '@orderstream/runtime/bus';
import { toEnvelope } from '@orderstream/runtime/database';
import { host } from '@orderstream/runtime/host/host';
import { newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { newTrace } from '@orderstream/runtime/trace';
import { expect, inject, test, vi } from 'vitest';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { fraud } from './index.ts';
import { AssessOrder, ReviewOrder } from './messages.ts';

test('an order that comes from the broker is scored, and its review opened', async () => {
  const { database, url, close } = await testDatabase('fraud');
  const { redisUrl, kafkaBrokers } = inject('services');
  const prefix = `fraud-${randomUUID()}-`;
  const running = await host([fraud], {
    PORT: '0',
    FRAUD_DATABASE_URL: url,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers.join(','),
    KAFKA_PREFIX: prefix,
    REDIS_PREFIX: prefix,
    LOG_LEVEL: 'silent',
  });
  const log = createLog('test', 'silent');
  const bus = await openBus({ brokers: kafkaBrokers, prefix, clientId: 'test', log });
  try {
    const orderId = newId();
    const origin = { tenantId: newId(), causationId: null, ...newTrace() };
    const commands = [
      AssessOrder({
        orderId,
        customerId: newId(),
        totalMinor: 2_000,
        currency: 'GBP',
        variantIds: [newId()],
        addressHash: 'a',
        deviceHash: null,
        clientHash: null,
      }),
      ReviewOrder({ orderId, dueAt: new Date(Date.now() + 60_000).toISOString() }),
    ];
    await bus.publish(
      commands.map((command) => ({
        topic: command.topic.name,
        key: command.key,
        value: JSON.stringify(toEnvelope(command, origin, new Date())),
      })),
    );
    await vi.waitFor(
      async () => {
        const rows = await database.sql`select score, review from assessment where order_id = ${orderId}`;
        expect(rows).toEqual([{ score: 0, review: 'PENDING' }]);
      },
      { timeout: 30_000, interval: 200 },
    );
  } finally {
    await bus.close();
    await running.stop();
    await close();
  }
}, 60_000);
