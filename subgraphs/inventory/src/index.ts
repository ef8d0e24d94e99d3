import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createContext } from './context.ts';

import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { jobs } from './jobs.ts';
import { forgetOnChange } from './level-store.ts';
import * as messages from './messages.ts';
import { resolvers } from './resolvers.ts';

export const inventory = subgraph({
  name: 'inventory',
  folder: new URL('../', import.meta.url),
  settings: z.object({}),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: (platform) => ({
    resolvers: resolvers(platform.hints),
    context: createContext(platform),
    handlers,
    jobs: jobs(platform),
    close: forgetOnChange(platform),
  }),
});
