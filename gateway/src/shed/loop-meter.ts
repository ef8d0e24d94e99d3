// By how much the event loop is late.
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type LoopMeter = {
  /** Milliseconds, at the 99th percentile, since it was read last. */
  readonly read: () => number;
  readonly close: () => void;
};

/** milliseconds; it is part of each delay that is measured */
const resolution = 10;

/** @param everyMs how often it is read by a timer */
export const openLoopMeter = (everyMs: number): LoopMeter => {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  let readAt = performance.now();
  return {
    read: () => {
      const now = performance.now();
      const passed = now - readAt;
      // A delay that begins before the histogram is emptied is not in it. By such a one the reader is late itself, and
      // where there was nothing else, nothing at all is in it.
      const lag = (delays.count === 0 ? passed : delays.percentile(99) / 1e6) - resolution;
      readAt = now;
      delays.reset();
      return Math.max(0, lag, passed - everyMs);
    },
    close: () => {
      delays.disable();
    },
  };
};
