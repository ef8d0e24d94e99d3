// A few workers for calls that may take seconds: while one waits for its answer, the others go on.

export type Crew = {
  /** How many more pieces of work can be taken; waits until it is at least one. */
  readonly room: () => Promise<number>;
  readonly start: (work: Promise<void>) => void;
  /** Everything that was started is done. */
  readonly idle: () => Promise<void>;
};

export const createCrew = (most: number): Crew => {
  const busy = new Set<Promise<void>>();
  return {
    room: async () => {
      // Somebody else may have taken the place that became free.
      while (busy.size >= most) await Promise.race(busy);
      return most - busy.size;
    },
    start: (work) => {
      const tracked = work.finally(() => busy.delete(tracked));
      busy.add(tracked);
    },
    idle: async () => {
      while (busy.size > 0) await Promise.allSettled(busy);
    },
  };
};
