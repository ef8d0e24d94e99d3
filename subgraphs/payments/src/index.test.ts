// The subgraph as it is hosted: broker, cache, database and the provider's simulator are the real ones.
import { randomUUID } from 'node:crypto';
import { openBus } from '@orderstream/runtime/bus';
import { toEnvelope } from '@orderstream/runtime/database';
import { host } from '@orderstream/runtime/host/host';
import { newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { newTrace } from '@orderstream/runtime/trace';
import Stripe from 'stripe';
import { expect, inject, test } from 'vitest';
import { payments } from './index.ts';
import { AuthorizePayment } from './messages.ts';
import { openShop, secrets, tenantId } from './test-shop.ts';

test('a command from the broker is answered there, and the provider’s events come in through the host', async () => {
  const shop = await openShop();
  const { redisUrl, kafkaBrokers } = inject('services');
  const prefix = `payments-${randomUUID()}-`;
  const running = await host([payments], {
    PORT: '0',
    PAYMENTS_DATABASE_URL: shop.databaseUrl,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers.join(','),
    KAFKA_PREFIX: prefix,
    REDIS_PREFIX: prefix,
    LOG_LEVEL: 'silent',
    PAYMENT_TIMEOUT_MS: '1000',
    STRIPE_API_KEY: shop.apiKey,
    STRIPE_API_URL: shop.simulatorUrl,
    STRIPE_WEBHOOK_SECRET: secrets.join(','),
  });
  const bus = await openBus({
    brokers: kafkaBrokers,
    prefix,
    clientId: 'test',
    log: createLog('test', 'silent'),
  });
  try {
    const { paymentMethodId, customerId } = await shop.buyer('pm_orderstream_lostReply');
    const orderId = newId();
    const command = AuthorizePayment({
      orderId,
      customerId,
      paymentMethodId,
      amountMinor: 995,
      currency: 'GBP',
    });
    const origin = { tenantId, causationId: null, ...newTrace() };
    const value = JSON.stringify(toEnvelope(command, origin, new Date()));
    const heard = new Promise<string>((resolve) => {
      void bus.consume({
        group: 'listener',
        topics: ['payment-events'],
        onBatch: async (batch) => {
          for (const one of batch) if (one.key === orderId) resolve(JSON.parse(one.value).type);
        },
      });
    });
    await bus.publish([{ topic: 'payment-commands', key: orderId, value }]);

    // The reply is lost, and the provider's own event comes to the host's door before it is asked again.
    expect(await heard).toBe('payment.authorized');

    const post = async (body: string, secret: string) => {
      const response = await fetch(`${running.url}/payments/webhooks/stripe`, {
        method: 'POST',
        body,
        headers: { 'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload: body, secret }) },
      });
      await response.text();
      return response.status;
    };
    const body = JSON.stringify({ id: 'evt_1', object: 'event', type: 'x.y', data: { object: {} } });
    expect(await post(body, secrets[1]!)).toBe(200);
    expect(await post(body, 'whsec_somebody_else')).toBe(401);
    expect(await post(' '.repeat(64 * 1024) + body, secrets[0]!)).toBe(413);
  } finally {
    await bus.close();
    await running.stop();
    await shop.close();
  }
});
