import { subgraph } from '@orderstream/runtime/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { z } from 'zod';
import { createContext } from './context.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import * as messages from './messages.ts';
import { resolvers } from './resolvers.ts';

export const catalog = subgraph({
  name: 'catalog',
  folder: new URL('../', import.meta.url),
  settings: z.object({}),
  messages,
  prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  open: (platform) => ({ resolvers, context: createContext(platform) }),
});
