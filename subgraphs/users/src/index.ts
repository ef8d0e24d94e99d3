import { secret } from '@orderstream/runtime/config';
import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { createJobs } from './jobs.ts';
import * as messages from './messages.ts';
import { createResolvers } from './resolvers.ts';
import { currentKey, previousKey } from './token.ts';
import { openVault } from './vault.ts';
import { createWebhooks } from './webhooks.ts';

export const users = subgraph({
  name: 'users',
  folder: new URL('../', import.meta.url),
  settings: z.object({
    /** signs access tokens: a private P-256 key as JWK */
    ACCESS_TOKEN_KEY: currentKey,
    /** the one before it; published until its last tokens have ended, ten minutes after the change */
    ACCESS_TOKEN_PREVIOUS_KEY: previousKey,
    /** keys the hashes by which people and places are recognised without being known */
    TENANT_SECRET: secret('tenant'),
    /** by which gateways are known that ask for clients */
    GATEWAY_SECRET: secret('gateway'),
    /** from one address */
    REGISTRATIONS_PER_HOUR: z.coerce.number().int().positive().default(20),
  }),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: async ({ settings, database, tenantId }) => {
    const vault = await openVault(settings);
    return {
      resolvers: createResolvers(vault),
      context: createContext({ database }),
      jobs: createJobs(database, tenantId),
      webhooks: createWebhooks({ tokens: vault.tokens, database, secret: settings.GATEWAY_SECRET }),
    };
  },
});
