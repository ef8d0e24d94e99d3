// Between a subgraph that sends events and a client that takes them at its own pace: of each thing only the newest event
// waits, so a slow client skips versions and never falls behind.

export type Mailbox<T> = {
  /** An event of the same key that still waits is replaced. */
  readonly put: (key: string, item: T) => void;
  /** The longest waiting item; undefined after the end. @throws the error it was finished with */
  readonly take: () => Promise<T | undefined>;
  /** Nothing comes any more; what waits is still taken, then the error, if there is one. */
  readonly finish: (error?: unknown) => void;
  /** Nobody takes any more. */
  readonly drop: () => void;
};

/** @param most things that can wait at once; past it the one that has waited longest is dropped */
export const createMailbox = <T>(most: number): Mailbox<T> => {
  const waiting = new Map<string, T>();
  let ended: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;

  return {
    put: (key, item) => {
      if (ended) return;
      waiting.delete(key);
      waiting.set(key, item);
      if (waiting.size > most) waiting.delete(waiting.keys().next().value!);
      wake?.();
    },
    take: async () => {
      while (waiting.size === 0 && !ended)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const [first] = waiting;
      if (first) {
        waiting.delete(first[0]);
        return first[1];
      }
      if (ended?.error !== undefined) throw ended.error;
      return undefined;
    },
    finish: (error) => {
      ended ??= { error };
      wake?.();
    },
    drop: () => {
      ended = {};
      waiting.clear();
      wake?.();
    },
  };
};

/** Lets through what is newer than anything seen of the same thing, and things without a version always. */
export const createNewer = (most: number): ((key: string, version: unknown) => boolean) => {
  const seen = new Map<string, number>();
  return (key, version) => {
    if (typeof version !== 'number') return true;
    if (version <= (seen.get(key) ?? Number.NEGATIVE_INFINITY)) return false;
    seen.delete(key);
    seen.set(key, version);
    if (seen.size > most) seen.delete(seen.keys().next().value!);
    return true;
  };
};
