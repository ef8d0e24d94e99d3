// What customers are told about their orders.
import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { createJobs } from './jobs.ts';
import * as messages from './messages.ts';
import { createResolvers } from './resolvers.ts';

export const notifications = subgraph({
  name: 'notifications',
  folder: new URL('../', import.meta.url),
  settings: z.object({}),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: (platform) => ({
    resolvers: createResolvers(platform.hints),
    context: createContext(platform),
    handlers,
    // Read by people: what comes within a moment is written at once.
    patienceMs: 250,
    jobs: createJobs(platform),
  }),
});
