// Carts, checkout and orders.
import { createSecretKey } from 'node:crypto';
import { secret } from '@orderstream/runtime/config';
import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createActivity } from './activity-store.ts';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { createHandlers } from './handlers.ts';
import { createJobs } from './jobs.ts';
import * as messages from './messages.ts';
import { createResolvers } from './resolvers.ts';
import type { Shop } from './service.ts';
import { createSight } from './subscriptions.ts';

const settings = z.object({
  CURRENCY: z.string().length(3).default('GBP'),
  /** per cent contained in prices */
  TAX_PERCENT: z.coerce.number().min(0).max(100).default(20),
  /** minor units */
  SHIPPING_FLAT_MINOR: z.coerce.number().int().min(0).default(495),
  /** hashes addresses and devices for the fraud assessment */
  TENANT_SECRET: secret('tenant'),
  /** multiplies the deadlines of checkouts; for tests */
  DEADLINE_SCALE: z.coerce.number().positive().default(1),
});

export const orders = subgraph({
  name: 'orders',
  folder: new URL('../', import.meta.url),
  settings,
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: ({ settings: own, database, hints, cache }) => {
    const shop: Shop = {
      terms: { currency: own.CURRENCY, taxPercent: own.TAX_PERCENT, shippingMinor: own.SHIPPING_FLAT_MINOR },
      scale: own.DEADLINE_SCALE,
      hashKey: createSecretKey(Buffer.from(own.TENANT_SECRET)),
      activity: createActivity(cache),
    };
    return {
      resolvers: createResolvers(shop, createSight(database, hints)),
      context: createContext({ database }),
      handlers: createHandlers(shop),
      jobs: createJobs(database, shop),
    };
  },
});
