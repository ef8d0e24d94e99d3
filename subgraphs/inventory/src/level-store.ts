// What can be sold of a variant, for display: kept in Redis for a moment and forgotten as soon as it changes.
import type { Cache } from '@orderstream/runtime/cache';
import type { Sql } from '@orderstream/runtime/database';
import { inOrder } from '@orderstream/runtime/loaders';
import type { Platform } from '@orderstream/runtime/subgraph';
import { StockLevelChanged } from './messages.ts';
import type { Level } from './stock.ts';
import { levelsOf } from './store.ts';

const space = 'stock-level';
/** milliseconds; how old a level may be when the hint about its change got lost */
const keptMs = 2_000;

export const cachedLevels = (cache: Cache, reader: { readonly sql: Sql }) =>
  cache.through<Level | null>(space, keptMs, async (variantIds) =>
    inOrder(variantIds, await levelsOf(reader, variantIds), (level) => level.variantId),
  );

/** @returns what ends it */
export const forgetOnChange = ({
  cache,
  hints,
}: Pick<Platform, 'cache' | 'hints'>): (() => Promise<void>) => {
  const changes = hints.listen(StockLevelChanged.topic.name, '*');
  const listening = (async () => {
    for await (const hint of changes) if (hint) await cache.forget(space, [hint.key]);
  })();
  return async () => {
    await changes.return(undefined);
    await listening;
  };
};
