// The feed of levels that have become low: a hint says which variant changed, the database says what it is now.
import { endingWith, type Hints } from '@orderstream/runtime/hints';
import type { Context } from './context.ts';
import { StockLevelChanged } from './messages.ts';
import { type Availability, type Stock, stateOf } from './stock.ts';
import { lowLately, stockOfVariants } from './store.ts';

/** Seconds that a look without a hint goes back: a few heartbeats, since a change is dated when its transaction began. */
const lookBack = 20;

export const lowStock = (ctx: Pick<Context, 'db' | 'viewer'>, hints: Hints): AsyncGenerator<Stock> => {
  const turns = hints.listen(StockLevelChanged.topic.name, '*');
  return endingWith(turns, becomingLow(ctx, turns));
};

async function* becomingLow(
  { db, viewer }: Pick<Context, 'db' | 'viewer'>,
  turns: ReturnType<Hints['listen']>,
): AsyncGenerator<Stock> {
  /** what was told of each level last; a level is not told twice as the same */
  const told = new Map<string, Availability>();
  for await (const hint of turns) {
    const levels = hint
      ? await stockOfVariants(db, viewer.tenantId, [hint.key])
      : await lowLately(db, viewer.tenantId, lookBack);
    for (const level of levels) {
      const state = stateOf(level);
      if (state === 'IN_STOCK') {
        told.delete(level.id);
        continue;
      }
      if (told.get(level.id) === state) continue;
      told.set(level.id, state);
      yield level;
    }
  }
}
