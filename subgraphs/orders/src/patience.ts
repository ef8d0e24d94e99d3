// How long an order may stay where it is. Pure; the database's clock counts it.
import type { Checkout, Step } from './checkout.ts';

const hour = 60 * 60_000;
const day = 24 * hour;

/** Milliseconds an order may stay in a step; null: for ever. */
export const patience: Readonly<Record<Step, number | null>> = {
  RESERVING: 30_000,
  SCORING: 2_000,
  AUTHORIZING: 15 * 60_000,
  REVIEW: 24 * hour,
  ALLOCATING: 10_000,
  SHIPPING: 48 * hour,
  CAPTURING: 10_000,
  DELIVERING: 14 * day,
  DONE: null,
  VOIDING: 10_000,
  REFUNDING: 10_000,
  RELEASING: 10_000,
  CANCELLED: null,
};

const shortPause = 10_000;
const longestPause = 5 * 60_000;

/**
 * Milliseconds until the deadline; null: there is none. What is only tried again waits twice as long each time, up to
 * five minutes; the time that others have to answer is the same whenever it begins.
 */
export const deadlineMs = ({
  step,
  pending,
  needsOperator,
  attempts,
}: Pick<Checkout, 'step' | 'pending' | 'needsOperator' | 'attempts'>): number | null => {
  const first = patience[step];
  if (first === null || needsOperator) return null;
  const isTriedAgain = first <= shortPause || (step === 'SHIPPING' && pending !== null);
  return isTriedAgain ? Math.min(Math.min(first, shortPause) * 2 ** attempts, longestPause) : first;
};
