// Who is sent away when there is more to do than can be done, before anything is parsed: a few in the order that the
// settings have, so that the others are served in time.
import { RequestError } from '@orderstream/runtime/errors';
import { type Capacity, capacityAfter, ceilingsOf } from './capacity.ts';
import { type ClassSettings, createClasses, type Sheddable } from './classes.ts';
import { type LoopMeter, openLoopMeter } from './loop-meter.ts';

export type SheddingSettings = {
  readonly enabled: boolean;
  /** requests under way at a time: above half of it the first class is refused, above it everybody */
  readonly inFlight: number;
  /** of the event loop, at the 99th percentile of a second; above it for two seconds, fewer are let in */
  readonly loopDelayMs: number;
  readonly classes: readonly ClassSettings[];
};

export type Shedding = {
  /** Counts a request in; false, and not counted, where there is no room for anybody. Whoever is in has to leave. */
  readonly enter: () => boolean;
  readonly leave: () => void;
  /**
   * Whether a request that is in may go on.
   * @param operation null where it is not known, or not yet
   */
  readonly admits: (operation: Sheddable | null) => boolean;
  /** OVERLOADED, with a time to come back that is not the same for all. */
  readonly refusal: () => RequestError;
  readonly state: () => SheddingState;
  readonly close: () => void;
};

export type SheddingState = {
  readonly inFlight: number;
  /** requests that may be under way at present */
  readonly capacity: number;
  /** by class; `*` are those who did not even come in */
  readonly refused: readonly (readonly [name: string, count: number])[];
};

const everyMs = 1_000;

const refusals = [1_000, 2_000, 3_000].map(
  (retryAfterMs) => new RequestError('OVERLOADED', undefined, { retryAfterMs }),
);
const refusal = (): RequestError => refusals[Math.floor(Math.random() * refusals.length)]!;

const off: Shedding = {
  enter: () => true,
  leave: () => undefined,
  admits: () => true,
  refusal,
  state: () => ({ inFlight: 0, capacity: Number.POSITIVE_INFINITY, refused: [] }),
  close: () => undefined,
};

/** @param openMeter a lag of its own, for tests */
export const openShedding = (
  { enabled, inFlight: whole, loopDelayMs, classes: settings }: SheddingSettings,
  openMeter: (everyMs: number) => LoopMeter = openLoopMeter,
): Shedding => {
  if (!enabled) return off;
  const classes = createClasses(settings);
  const count = classes.names.length;
  const refused = Array<number>(count).fill(0);
  let outside = 0;
  let inFlight = 0;
  let peak = 0;
  let capacity: Capacity = { most: whole, lagging: 0 };
  let ceilings = ceilingsOf(whole, count);
  /** up to which nobody is asked for a class */
  let calm = ceilings[0]!;
  let most = ceilings.at(-1)!;

  const meter = openMeter(everyMs);
  const turn = (): void => {
    const before = capacity.most;
    capacity = capacityAfter(capacity, { lagMs: meter.read(), peak }, whole, loopDelayMs);
    peak = inFlight;
    if (capacity.most === before) return;
    ceilings = ceilingsOf(capacity.most, count);
    calm = ceilings[0]!;
    most = ceilings.at(-1)!;
  };
  const timer = setInterval(turn, everyMs);
  timer.unref();

  return {
    enter: () => {
      if (inFlight >= most) {
        outside += 1;
        return false;
      }
      inFlight += 1;
      if (inFlight > peak) peak = inFlight;
      return true;
    },
    leave: () => {
      inFlight -= 1;
    },
    admits: (operation) => {
      if (inFlight <= calm) return true;
      const at = classes.of(operation);
      if (inFlight <= ceilings[at]!) return true;
      refused[at]! += 1;
      return false;
    },
    refusal,
    state: () => ({
      inFlight,
      capacity: capacity.most,
      refused: [...classes.names.map((name, at) => [name, refused[at]!] as const), ['*', outside] as const],
    }),
    close: () => {
      clearInterval(timer);
      meter.close();
    },
  };
};
