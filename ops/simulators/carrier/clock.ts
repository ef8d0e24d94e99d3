import type { Desk } from './desk.ts';
import { happenDue, nextDue } from './scans.ts';

/** In milliseconds. Nothing depends on it: whoever changes the plan wakes the clock. */
const LONGEST_SLEEP = 1000;

export type Clock = {
  /** Looks at the plan now. */
  readonly wake: () => void;
  readonly close: () => void;
};

/** Makes what is planned happen when it is due, and at the start all that was missed. `told` hears when something did. */
export const startClock = (desk: Desk, told: () => void): Clock => {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const tick = (): void => {
    clearTimeout(timer);
    if (isClosed) return;
    let wait = LONGEST_SLEEP;
    try {
      const now = Date.now();
      if (happenDue(desk, now) > 0) told();
      wait = Math.min(LONGEST_SLEEP, Math.max(0, (nextDue(desk) ?? Number.POSITIVE_INFINITY) - Date.now()));
    } catch (error) {
      console.error('scans could not be written down; trying again', error);
    }
    timer = setTimeout(tick, wait);
  };

  tick();
  return {
    wake: () => setImmediate(tick),
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
};
