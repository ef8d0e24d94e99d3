// What is measured, in this order.
import type { Contender } from './contenders.ts';
import { type Delay, noDelay } from './control.ts';
import type { QueryName } from './queries.ts';
import { usual } from './report.ts';

export type Scenario = {
  readonly name: string;
  readonly query: QueryName;
  readonly delay: Delay;
  readonly isIdentical: boolean;
  readonly isFor: (contender: Contender) => boolean;
};

const anybody = (): boolean => true;

/** A floor knows nothing of sharing, and its answer is not the big one. */
const identical: Scenario = {
  name: 'identical',
  query: 'big',
  delay: noDelay,
  isIdentical: true,
  isFor: ({ only }) => only === null,
};

export const scenarios: readonly Scenario[] = [
  ...(['small', 'medium', 'big'] as const).map((query) => ({
    name: usual,
    query,
    delay: noDelay,
    isIdentical: false,
    isFor: anybody,
  })),
  identical,
];

const delays: Readonly<Record<string, Delay>> = {
  '2 ms': { usualMs: 2, slowMs: 0, slowOneIn: 0 },
  '20 ms': { usualMs: 20, slowMs: 0, slowOneIn: 0 },
  '2 ms, 200 ms once in 100': { usualMs: 2, slowMs: 200, slowOneIn: 100 },
};

/** Where waiting for the slow one would show in everybody's time. */
export const slowScenarios: readonly Scenario[] = Object.entries(delays).flatMap(([name, delay]) =>
  (['small', 'medium'] as const).map((query) => ({
    name,
    query,
    delay,
    isIdentical: false,
    isFor: ({ only }: Contender) => only === null,
  })),
);
