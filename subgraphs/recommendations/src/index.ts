import { createSecretKey } from 'node:crypto';
import { secret } from '@orderstream/runtime/config';
import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { createJobs } from './jobs.ts';
import * as messages from './messages.ts';
import type { Shelves } from './recommendation.ts';
import { createResolvers } from './resolvers.ts';

export const recommendations = subgraph({
  name: 'recommendations',
  folder: new URL('../', import.meta.url),
  settings: z.object({
    /** hashes sessions, devices and networks of visitors */
    TENANT_SECRET: secret('tenant'),
  }),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: (platform) => {
    const shelves: Shelves = new Map();
    return {
      resolvers: createResolvers(shelves, createSecretKey(Buffer.from(platform.settings.TENANT_SECRET))),
      context: createContext(platform),
      handlers,
      patienceMs: 1_000,
      jobs: createJobs(platform, shelves),
    };
  },
});
