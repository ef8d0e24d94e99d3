// How many requests may be under way while the event loop lags: half of what was too much, and half of that again while
// it lags on; half as much more with each second that is calm. What is let in bounds what is waited for: a loop with 16
// requests of ten milliseconds each lags by no more than 160.

/** A second, as it was. */
export type Second = {
  /** milliseconds by which the event loop was late, at the 99th percentile */
  readonly lagMs: number;
  /** the most requests that were under way at a time */
  readonly peak: number;
};

export type Capacity = {
  /** requests under way at a time */
  readonly most: number;
  /** seconds in a row that lagged */
  readonly lagging: number;
};

/** One such second is a garbage collection, or a supergraph that was read. */
const secondsOfLag = 2;

/** A loop that lags for reasons of its own must not shut the door. */
const fewest = 16;

/** @param whole the capacity of a loop that is calm, and `loopDelayMs` the lag that is too much; half of it is calm */
export const capacityAfter = (
  before: Capacity,
  { lagMs, peak }: Second,
  whole: number,
  loopDelayMs: number,
): Capacity => {
  if (lagMs > loopDelayMs) {
    const lagging = before.lagging + 1;
    if (lagging < secondsOfLag) return { ...before, lagging };
    const half = Math.floor(Math.min(before.most, peak) / 2);
    return { most: Math.min(before.most, Math.max(half, fewest)), lagging };
  }
  const isCalm = lagMs <= loopDelayMs / 2;
  return { most: isCalm ? Math.min(whole, Math.ceil(before.most * 1.5)) : before.most, lagging: 0 };
};

/** How many may be under way for one more of each class: of the first up to half of the capacity, of the last all of it. */
export const ceilingsOf = (capacity: number, classes: number): number[] =>
  Array.from({ length: classes }, (_, at) =>
    Math.max(1, Math.floor(classes === 1 ? capacity : capacity * (0.5 + (0.5 * at) / (classes - 1)))),
  );
