// The carrier's side of a parcel, by the simulator's control API.
import { controlOf } from './control.ts';
import type { Simulator } from './running-stack.ts';

export type Carrier = {
  /** Its next scan says that it cannot be found any more. */
  readonly lose: (trackingNumber: string) => Promise<void>;
};

export const carrierAt = (simulator: Simulator): Carrier => {
  const call = controlOf('carrier', simulator);
  return {
    lose: async (trackingNumber) => {
      await call(`shipments/${trackingNumber}/lose`, {});
    },
  };
};
