// Parcels: labels, scans and where they are.
import { secret } from '@orderstream/runtime/config';
import { createServiceClient } from '@orderstream/runtime/service-client';
import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createCalls } from './calls-service.ts';
import { createCarrier } from './carrier.ts';
import { createContext } from './context.ts';
import { createErrands } from './errands-service.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { createJobs } from './jobs.ts';
import * as messages from './messages.ts';
import { createNews } from './news-service.ts';
import { addressesOfOrders } from './order-address.ts';
import { createResolvers } from './resolvers.ts';
import { createWebhooks } from './webhooks.ts';

export const shipping = subgraph({
  name: 'shipping',
  folder: new URL('../', import.meta.url),
  settings: z.object({
    /** the host of orders, which is asked for addresses */
    ORDERS_URL: z.url().default('http://127.0.0.1:4100'),
    GATEWAY_SECRET: secret('gateway'),
    CARRIER_API_URL: z.url().default('http://127.0.0.1:4300'),
    CARRIER_API_KEY: secret('carrier'),
    /** one secret, or two while one replaces the other, with a comma between them */
    CARRIER_WEBHOOK_SECRET: secret('carrier-webhook'),
    /** milliseconds after which a call to the carrier, or to orders, counts as unanswered */
    CARRIER_TIMEOUT_MS: z.coerce.number().int().min(100).max(30_000).default(3_000),
  }),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: (platform) => {
    const { settings, database, hints, log, tenantId } = platform;
    const timeoutMs = settings.CARRIER_TIMEOUT_MS;
    const carrier = createCarrier({
      apiKey: settings.CARRIER_API_KEY,
      url: settings.CARRIER_API_URL,
      timeoutMs,
    });
    const orders = createServiceClient({
      url: settings.ORDERS_URL,
      subgraph: 'orders',
      service: 'shipping',
      scopes: ['orders:read'],
      secret: settings.GATEWAY_SECRET,
      timeoutMs,
    });
    const errands = createErrands({
      database,
      carrier,
      addressOf: addressesOfOrders(orders),
      timeoutMs,
    });
    const news = createNews({ database, carrier, timeoutMs });
    const secrets = settings.CARRIER_WEBHOOK_SECRET.split(',').map((one) => one.trim());
    return {
      resolvers: createResolvers(hints),
      context: createContext(platform),
      handlers,
      jobs: createJobs(database, errands, news),
      webhooks: createWebhooks({ calls: createCalls(database, tenantId, log), secrets }),
      close: async () => {
        await Promise.all([errands.idle(), news.idle()]);
      },
    };
  },
});
