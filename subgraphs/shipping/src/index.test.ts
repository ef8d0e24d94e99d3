// The subgraph as it is hosted: broker, cache, database and the carrier's simulator are the real ones.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openBus } from '@orderstream/runtime/bus';
import { toEnvelope } from '@orderstream/runtime/database';
import { host } from '@orderstream/runtime/host/host';
import { encodeId, newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { signatureHeader, signingKey, verify, viewerHeader } from '@orderstream/runtime/signature';
import { newTrace } from '@orderstream/runtime/trace';
import { expect, inject, test } from 'vitest';
import { shipping } from './index.ts';
import { CreateShipment } from './messages.ts';
import { apiKey, leeds, openDepot, origin, secrets, signatureOf, tenantId } from './test-depot.ts';

const gatewaySecret = 'g'.repeat(40);

/** Orders, as far as a label needs them: they answer who is signed and may read orders. */
const openOrders = async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const given = { viewer: request.headers[viewerHeader], signature: request.headers[signatureHeader] };
    const viewer = verify(signingKey(gatewaySecret), 'POST', '/orders/graphql', given, body, new Date());
    if (!viewer?.scopes.has('orders:read')) return response.writeHead(401).end('{}');
    const ids: string[] = JSON.parse(body).variables.orders.map(({ id }: { id: string }) => id);
    asked.push(...ids);
    const found = ids.map((id) => ({ id, shippingAddress: leeds }));
    return response.end(JSON.stringify({ data: { _entities: found } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
};

test('a command from the broker becomes a parcel that arrives, and the broker hears each part of its way', async () => {
  const depot = await openDepot({ dayMs: 400 });
  const orders = await openOrders();
  const { redisUrl, kafkaBrokers } = inject('services');
  const prefix = `shipping-${randomUUID()}-`;
  const running = await host([shipping], {
    PORT: '0',
    SHIPPING_DATABASE_URL: depot.databaseUrl,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: kafkaBrokers.join(','),
    KAFKA_PREFIX: prefix,
    REDIS_PREFIX: prefix,
    LOG_LEVEL: 'silent',
    GATEWAY_SECRET: gatewaySecret,
    ORDERS_URL: orders.url,
    CARRIER_API_URL: depot.carrierUrl,
    CARRIER_API_KEY: apiKey,
    CARRIER_WEBHOOK_SECRET: secrets.map((one) => one.padEnd(32, '_')).join(','),
  });
  const log = createLog('test', 'silent');
  const bus = await openBus({ brokers: kafkaBrokers, prefix, clientId: 'test', log });
  try {
    const orderId = newId();
    const command = CreateShipment({ orderId, customerId: newId(), origin, pieces: 1 });
    const origins = { tenantId, causationId: null, ...newTrace() };
    const value = JSON.stringify(toEnvelope(command, origins, new Date()));
    const heard: string[] = [];
    const arrived = new Promise<void>((resolve) => {
      void bus.consume({
        group: 'listener',
        topics: ['shipping-events'],
        onBatch: async (batch) => {
          for (const one of batch) {
            const { type, data } = JSON.parse(one.value);
            if (one.key === orderId) heard.push(data.status ?? type);
            if (one.key === orderId && type === 'shipment.delivered') resolve();
          }
        },
      });
    });
    await bus.publish([{ topic: 'shipping-commands', key: orderId, value }]);
    await arrived;
    expect(heard.slice(0, 3)).toEqual(['shipment.created', 'shipment.handed-over', 'IN_TRANSIT']);
    expect(heard.slice(-2)).toEqual(['OUT_FOR_DELIVERY', 'shipment.delivered']);
    expect(orders.asked).toEqual([encodeId('order', orderId)]);
    expect(heard.join()).not.toContain('Ada');

    const post = async (body: string, secret: string) => {
      const response = await fetch(`${running.url}/shipping/webhooks/carrier`, {
        method: 'POST',
        body,
        headers: { 'carrier-signature': signatureOf(body, secret) },
      });
      await response.text();
      return response.status;
    };
    const body = JSON.stringify({ id: 'evt_1', type: 'x.y' });
    expect(await post(body, secrets[1]!.padEnd(32, '_'))).toBe(200);
    expect(await post(body, 'somebody else')).toBe(401);
    expect(await post(' '.repeat(64 * 1024) + body, secrets[0]!.padEnd(32, '_'))).toBe(413);
  } finally {
    await bus.close();
    await running.stop();
    orders.close();
    await depot.close();
  }
});
