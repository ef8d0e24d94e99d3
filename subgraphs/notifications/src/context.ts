import {
  originOf,
  type Parts,
  type Platform,
  type Context as RuntimeContext,
} from '@orderstream/runtime/subgraph';

/** Loaders are made per request: `loader(batch)` of runtime/loaders. */
export type Loaders = Record<string, never>;

export type Context = RuntimeContext<Loaders, undefined>;

export const createContext =
  ({ database }: Platform<unknown, undefined>) =>
  (parts: Parts): Context => ({ ...parts, db: database.for(originOf(parts)), loaders: {} });
