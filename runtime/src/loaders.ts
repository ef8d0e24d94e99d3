import DataLoader from 'dataloader';

/** One per request: keys asked for in the same turn become one call of `batch`, which answers in the order asked. */
export const loader = <V>(
  batch: (keys: readonly string[]) => Promise<readonly (V | Error)[]>,
): DataLoader<string, V> => new DataLoader(batch, { maxBatchSize: 500 });

/** One for all requests of a process: keys asked for within `ms` milliseconds become one call, and nothing is remembered. */
export const gatheringLoader = <K, V>(
  ms: number,
  batch: (keys: readonly K[]) => Promise<readonly (V | Error)[]>,
): DataLoader<K, V> =>
  new DataLoader(batch, {
    cache: false,
    maxBatchSize: 500,
    batchScheduleFn: (run) => setTimeout(run, ms),
  });

/** Puts rows into the order of the keys; null where there is none. */
export const inOrder = <T>(
  keys: readonly string[],
  rows: readonly T[],
  keyOf: (row: T) => string,
): (T | null)[] => {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => byKey.get(key) ?? null);
};

/** Puts rows into one list for each key, in the order they came. */
export const grouped = <T>(keys: readonly string[], rows: readonly T[], keyOf: (row: T) => string): T[][] => {
  const byKey = Map.groupBy(rows, keyOf);
  return keys.map((key) => byKey.get(key) ?? []);
};
