// Orders as they are flagged. A hint says when to look; what is sent is read from the database.
import { endingWith, type Hints } from '@orderstream/runtime/hints';
import type { Assessment } from './assessment.ts';
import type { Context } from './context.ts';
import { FraudScored } from './messages.ts';
import { flaggedLately } from './store.ts';

/** Seconds that a look goes back: a few heartbeats, since a flag is dated when its transaction began. */
const lookBack = 20;

export const watchFlagged = (
  ctx: Pick<Context, 'db' | 'viewer' | 'log'>,
  hints: Hints,
): AsyncGenerator<{ fraudFlagged: Assessment }> => {
  const turns = hints.listen(FraudScored.topic.name, '*');
  return endingWith(turns, flagged(ctx, turns));
};

async function* flagged(
  { db, viewer, log }: Pick<Context, 'db' | 'viewer' | 'log'>,
  turns: ReturnType<Hints['listen']>,
): AsyncGenerator<{ fraudFlagged: Assessment }> {
  const look = (): Promise<Assessment[]> =>
    flaggedLately(db, viewer.tenantId, lookBack).catch((error: unknown) => {
      log.warn({ err: error }, 'flagged orders could not be read, will look again');
      return [];
    });
  // What was flagged before somebody watched stands in the queue.
  const told = new Set((await look()).map(({ id }) => id));
  for await (const _ of turns) {
    for (const assessment of await look()) {
      if (told.has(assessment.id)) continue;
      told.add(assessment.id);
      if (told.size > 10_000) told.delete(told.values().next().value!);
      yield { fraudFlagged: assessment };
    }
  }
}
