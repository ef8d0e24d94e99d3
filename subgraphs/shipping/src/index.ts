import { subgraph } from '@orderstream/runtime/subgraph';
import { z } from 'zod';
import { createContext } from './context.ts';
import { resolvers } from './resolvers.ts';

export const shipping = subgraph({
  name: 'shipping',
  folder: new URL('../', import.meta.url),
  settings: z.object({}),
  open: (platform) => ({ resolvers, context: createContext(platform) }),
});
