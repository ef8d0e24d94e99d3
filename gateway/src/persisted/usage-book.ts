// What partners asked, counted here and told to users every few seconds. While users is away it is kept: one line for
// each client and day, however long that takes.
import { newId } from '@orderstream/runtime/ids';
import type { Log } from '@orderstream/runtime/log';
import { type ClientDoor, NotTaken, type UsageBatch, type UsageTold } from './client-door.ts';

export type UsageBook = {
  readonly count: (clientId: string, cost: number, isRefused: boolean) => void;
  /** Tells what was counted until now. Never rejects. */
  readonly flush: () => Promise<void>;
};

type Count = { requests: number; refused: number; cost: number };

const day = 86_400_000;
/** lines, as users takes them */
const mostInBatch = 1_000;
/** batches; a gateway that nobody has listened to for so many days forgets the oldest */
const mostKept = 30;

const dateOf = (number: number): string => new Date(number * day).toISOString().slice(0, 10);

/** @param clock milliseconds since 1970 */
export const createUsageBook = (door: Pick<ClientDoor, 'tell'>, log: Log, clock: () => number): UsageBook => {
  /** days since 1970 */
  let today = Math.floor(clock() / day);
  let counts = new Map<string, Count>();
  const untold: UsageBatch[] = [];
  let telling: Promise<void> | null = null;

  const turnPage = (): void => {
    const lines = [...counts].map(
      ([clientId, count]): UsageTold => ({ clientId, day: dateOf(today), ...count }),
    );
    counts = new Map();
    for (let from = 0; from < lines.length; from += mostInBatch)
      untold.push({ id: newId(), usage: lines.slice(from, from + mostInBatch) });
    const lost = untold.splice(0, Math.max(0, untold.length - mostKept));
    if (lost.length > 0) log.error({ batches: lost.length }, 'usage of partners was not told for too long');
  };

  const tellAll = async (): Promise<void> => {
    // What could not be told stays as it is, id and all; what comes meanwhile goes onto the next page.
    if (untold.length === 0) turnPage();
    while (untold[0]) {
      const batch = untold[0];
      try {
        await door.tell(batch);
      } catch (error) {
        if (!(error instanceof NotTaken)) {
          log.warn({ err: error }, 'usage of partners waits to be told');
          return;
        }
        log.error({ err: error }, 'usage of partners is not taken');
      }
      const at = untold.indexOf(batch);
      if (at >= 0) untold.splice(at, 1);
    }
  };

  return {
    count: (clientId, cost, isRefused) => {
      const now = Math.floor(clock() / day);
      if (now !== today) {
        turnPage();
        today = now;
      }
      let count = counts.get(clientId);
      if (!count) {
        count = { requests: 0, refused: 0, cost: 0 };
        counts.set(clientId, count);
      }
      count.requests += 1;
      if (isRefused) count.refused += 1;
      count.cost += cost;
    },
    flush: () => {
      telling ??= tellAll().finally(() => {
        telling = null;
      });
      return telling;
    },
  };
};
