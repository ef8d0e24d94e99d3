import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { createJobs } from './jobs.ts';
import * as messages from './messages.ts';
import { createResolvers } from './resolvers.ts';
import { openStudy } from './study.ts';

export const fraud = subgraph({
  name: 'fraud',
  folder: new URL('../', import.meta.url),
  settings: z.object({}),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: (platform) => {
    const study = openStudy();
    return {
      resolvers: createResolvers(platform.hints),
      context: createContext(platform),
      handlers,
      jobs: createJobs(platform, study),
      close: study.close,
    };
  },
});
