import { secret } from '@orderstream/runtime/config';
import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createContext } from './context.ts';
import { createErrands } from './errands-service.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { createJobs } from './jobs.ts';
import * as messages from './messages.ts';
import { createNews } from './news-service.ts';
import { createProvider } from './provider.ts';
import { createResolvers } from './resolvers.ts';
import { createWebhooks } from './webhooks.ts';

export const payments = subgraph({
  name: 'payments',
  folder: new URL('../', import.meta.url),
  settings: z.object({
    STRIPE_API_KEY: secret('stripe'),
    /** empty: the live service */
    STRIPE_API_URL: z.union([z.literal(''), z.url()]).default(''),
    /** one secret, or two while one replaces the other, with a comma between them */
    STRIPE_WEBHOOK_SECRET: secret('stripe-webhook'),
    /** milliseconds after which a call to the provider counts as unanswered */
    PAYMENT_TIMEOUT_MS: z.coerce.number().int().min(100).max(30_000).default(5_000),
  }),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: (platform) => {
    const { settings, database, tenantId } = platform;
    const timeoutMs = settings.PAYMENT_TIMEOUT_MS;
    const provider = createProvider({
      apiKey: settings.STRIPE_API_KEY,
      url: settings.STRIPE_API_URL,
      timeoutMs,
    });
    const errands = createErrands({ database, provider, timeoutMs });
    const news = createNews({ database, provider, timeoutMs });
    const secrets = settings.STRIPE_WEBHOOK_SECRET.split(',').map((one) => one.trim());
    return {
      resolvers: createResolvers(provider),
      context: createContext(platform),
      handlers,
      jobs: createJobs(database, errands, news),
      webhooks: createWebhooks({ database, secrets, tenantId }),
      close: async () => {
        await Promise.all([errands.idle(), news.idle()]);
      },
    };
  },
});
